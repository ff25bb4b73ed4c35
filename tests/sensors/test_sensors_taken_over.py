"""The runner dies: its sensors end with it and free their ports, and those of a successor go on in their journal."""

from __future__ import annotations

import math
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
import serial
from alone import CHAMBER, PRESS, Alone, rows_of, signals
from faulty import NAMES, four
from hypothesis import given
from hypothesis import strategies as st
from parents import is_gone, runner_of
from patience import until

from nakctl.device.sensor_journal import READING, aux_of
from nakctl_sensors.journal import AuxJournal

linux = pytest.mark.skipif(sys.platform != "linux", reason="only there a stopped process is woken")


@contextmanager
def disk_locked(path: Path) -> Iterator[None]:
    """Nobody else can write the journal of the sensors."""
    with closing(sqlite3.connect(aux_of(path), isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield


@signals
@pytest.mark.parametrize("trouble", ["none", "hangs", "disk", pytest.param("stopped", marks=linux)])
def test_who_read_for_a_dead_runner_is_gone_and_its_ports_are_free(tmp_path: Path, trouble: str) -> None:
    """None of this may keep it: a call that never returns, a disk that takes nothing, that it was stopped."""
    path = tmp_path / "a.h5"
    with (
        four(timeout="1 h") as (instruments, specs),
        runner_of(path, specs, time.time()) as (runner, sensors),
    ):
        until(lambda: aux_of(path).exists() and set(NAMES) <= set(rows_of(path)))
        if trouble == "hangs":
            for each in instruments.values():
                each.fault = "silent"
            time.sleep(1.5)
        if trouble == "stopped":
            os.kill(sensors, signal.SIGSTOP)
        if trouble == "disk":
            with disk_locked(path):
                _die(runner, sensors)
        else:
            _die(runner, sensors)
        port = next(spec.address for spec in specs if spec.name == "load")
        until(lambda: _is_free(port))
    assert set(rows_of(path)) == set(NAMES)


def _die(runner: subprocess.Popen[str], sensors: int) -> None:
    runner.kill()
    until(lambda: is_gone(sensors))


def _is_free(port: str) -> bool:
    try:
        serial.Serial(port, exclusive=True).close()
    except serial.SerialException:
        return False
    return True


@signals
def test_what_was_read_last_is_written_though_an_instrument_hangs(tmp_path: Path) -> None:
    """Up to when the runner died: no tie and no beat was to come any more."""
    path, begun = tmp_path / "a.h5", time.time()
    with (
        four(timeout="1 h") as (instruments, specs),
        runner_of(path, (PRESS, *specs), begun) as (runner, sensors),
    ):
        until(lambda: aux_of(path).exists() and {"press", *NAMES} <= set(rows_of(path)))
        instruments["meter"].fault = "silent"
        time.sleep(1.0)
        died_s = time.time() - begun
        _die(runner, sensors)
    assert rows_of(path)["press"]["time"][-1] > died_s - 0.2


@signals
def test_a_successor_goes_on_where_a_killed_runner_left_off(
    bench: Callable[..., Alone], tmp_path: Path
) -> None:
    """At once, so that it may find the ports still held: it tries again."""
    path, begun = tmp_path / "a.h5", time.time()
    with four() as (_, specs), runner_of(path, specs, begun) as (runner, _):
        until(lambda: aux_of(path).exists() and set(NAMES) <= set(rows_of(path)))
        until(lambda: all(len(rows) > 3 for rows in rows_of(path).values()))
        runner.kill()
        died_s = time.time() - begun
        beside = bench(*specs, taken_over=begun)
        beside.until_read(*NAMES)
        came_s = beside.now_s()
        beside.until(lambda: all(rows["time"][-1] > came_s for rows in rows_of(path).values()))
        found = beside.close()
    for name in NAMES:
        rows = found[name]
        assert (np.diff(rows["time"]) >= 0).all(), name
        holes = np.flatnonzero(np.isnan(rows["value"]))
        assert len(holes) == 1, name
        before, after = rows["time"][holes[0] - 1], rows["time"][holes[0] + 1]
        assert before == rows["time"][holes[0]] <= died_s + 1 < came_s + 1, name
        assert died_s < after <= came_s, name
        assert (rows["time_error"] < 0.5).all(), name


def test_it_goes_on_where_nobody_has_written_yet(bench: Callable[..., Alone]) -> None:
    beside = bench(PRESS, CHAMBER, taken_over=time.time() - 1000)
    beside.until_written("press", "chamber")
    for rows in beside.close().values():
        assert not np.isnan(rows["value"]).any()
        assert 1000 < rows["time"][0] < 1100


# --- the journal ----------------------------------------------------------------------------------------


def test_who_wrote_before_writes_no_more(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    before, after = AuxJournal(path), AuxJournal(path)
    before.add("a", [(1.0, 10.0, 0.0)])
    before.write()
    after.write()
    before.add("a", [(2.0, 11.0, 0.0)])
    before.write()
    assert (before.taken_over, after.taken_over, before.trouble) == (True, False, "")
    after.add("a", [(3.0, 12.0, 0.0)])
    after.close()
    before.close()
    assert [tuple(row)[:2] for row in rows_of(path)["a"].tolist()][::2] == [(1.0, 10.0), (3.0, 12.0)]
    assert np.isnan(rows_of(path)["a"]["value"]).tolist() == [False, True, False]


@given(st.lists(st.lists(st.sampled_from([1.0, math.nan]), min_size=1, max_size=4), max_size=5))
def test_one_row_says_that_readings_broke_off(blocks: list[list[float]]) -> None:
    """However many failed, in however many blocks."""
    journal = AuxJournal(Path("nowhere.h5"))
    for block in blocks:
        journal.add("a", [(0.0, value, 0.0) for value in block])
    kept = [np.frombuffer(rows, READING)["value"] for _, _, rows in journal._waiting]
    none = np.isnan(np.concatenate([[], *kept]))
    assert not (none[1:] & none[:-1]).any()
    values = [value for block in blocks for value in block]
    assert (~none).sum() == sum(not math.isnan(value) for value in values)
    assert none.any() == any(math.isnan(value) for value in values)
