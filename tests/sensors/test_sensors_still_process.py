"""The process of the sensors stands still or dies: it is told, replaced, and holds up nothing."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alone import CHAMBER, PRESS, Alone, signals
from bench import codes
from parents import LOOKING, next_value, parent_of

from nakctl.device.sensor import (
    Latest,
    Look,
    SensorNotice,
)
from nakctl_sensors.heard import read_line
from nakctl_sensors.steward import Steward
from nakctl_sensors.told import line_of


@signals
@pytest.mark.parametrize(
    ("blow", "said"),
    [(signal.SIGSTOP, ["sensors_still", "sensors_ended"]), (signal.SIGKILL, ["sensors_died"])],
)
def test_a_process_that_stands_still_or_dies_is_told_and_replaced(
    bench: Callable[..., Alone], blow: signal.Signals, said: list[str]
) -> None:
    beside = bench(PRESS, CHAMBER)
    beside.until_written("press", "chamber")
    before = beside.sensors.pid
    assert before is not None
    os.kill(before, blow)
    beside.until_told("sensors_back")
    assert beside.codes == [*said, "sensors_back"]
    assert [each.severity for each in beside.notices] == [2, 1, 1][: len(beside.notices)]
    assert beside.sensors.pid != before
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)
    beside.until_read("press", "chamber")
    hole_s = beside.notices[-1].facts["seconds"]
    for rows in beside.close().values():
        (hole,) = np.flatnonzero(np.isnan(rows["value"]))
        assert (np.diff(rows["time"]) >= 0).all()
        assert 0 < hole < len(rows) - 1
        assert rows["time"][hole + 1] - rows["time"][hole] == pytest.approx(hole_s, abs=1.0)


@signals
def test_a_hole_that_lasts_to_the_end_stands_in_the_journal(
    bench: Callable[..., Alone], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nakctl_sensors.steward.LEAVE_s", 0.2)
    beside = bench(PRESS)
    beside.until_written("press")
    beside.stop()
    rows = beside.close()["press"]
    assert beside.codes == ["sensors_still"]
    assert np.flatnonzero(np.isnan(rows["value"])).tolist() == [len(rows) - 1]
    assert (np.diff(rows["time"]) >= 0).all()


@signals
def test_a_process_that_moves_again_in_time_is_left_alone(
    bench: Callable[..., Alone], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nakctl_sensors.steward.ENDED_AFTER_s", 60.0)
    beside = bench(PRESS)
    beside.until_read("press")
    pid = beside.stop()
    beside.until_told("sensors_still")
    os.kill(pid, signal.SIGCONT)
    beside.until_told("sensors_back")
    beside.until_read("press")
    assert (beside.codes, beside.sensors.pid) == (["sensors_still", "sensors_back"], pid)


@signals
def test_set_points_asked_meanwhile_are_not_lost(bench: Callable[..., Alone]) -> None:
    beside = bench(PRESS)
    beside.until_read("press")
    beside.stop()
    beside.sensors.set("press", 12.0)
    beside.until_told("sensor_set", "press")
    assert [each.facts["value"] for each in beside.notices if each.sensor == "press"] == [12.0]
    beside.sensors.close()
    beside.sensors.set("press", 9.0)
    assert codes(beside.sensors.close().notices, "press") == ["not_set"]


@pytest.mark.usefixtures("started_anew")
def test_a_process_that_cannot_be_started_is_an_alarm_and_no_error(
    bench: Callable[..., Alone], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("nakctl.isolated.command", lambda module: [str(tmp_path / "nowhere")])
    beside = bench(PRESS)
    beside.until_told("sensors_lost")
    assert (beside.notices[0].severity, beside.sensors.pid) == (2, None)


def test_starts_anew_are_bounded_per_hour(tmp_path: Path) -> None:
    steward = Steward(tmp_path / "a.h5", ())
    pauses_s = [steward._pause_s() for _ in range(14)]
    assert pauses_s[:5] == [0, 1, 2, 4, 8]
    assert sum(pauses_s[:13]) > 3600


FORGER = """
import json, sys
first = json.loads(sys.stdin.readline())
well = {"beat": 1, "at": 5.0, "values": {"press": [1, 7, 7, 7, "", 0], "nobody": [1, 7, 7, 7, "", 0]}, "notices": []}
for line in [first, [], "", "Traceback", '{"beat": 1', "[" * 100000, well]:
    print(line if isinstance(line, str) else json.dumps(line), flush=True)
sys.stdin.read()
"""


@pytest.mark.usefixtures("started_anew")
def test_lines_that_make_no_sense_are_counted_and_left_out(
    bench: Callable[..., Alone], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nakctl.isolated.command", lambda module: [sys.executable, "-c", FORGER])
    beside = bench(PRESS)
    beside.until(lambda: "press" in beside.latest)
    beside.until_told("sensors_garbled")
    assert set(beside.latest) == {"press"}
    assert beside.notices[0].facts["lines"] <= 6


WELL = json.loads(line_of(3, 1.5, {"a": Latest(1.0, 2.0, 2.0, 2.0)}, [SensorNotice("a", 1, "c", "m", None)]))


@pytest.mark.parametrize(
    "change",
    [
        {"beat": "3"},
        {"at": math.nan},
        {"values": {"a": [1.0, math.nan, 2.0, 2.0, "", 0.0]}},
        {"values": {"a": [1.0, 2.0]}},
        {"values": []},
        {"notices": [["a", 7, "c", "m", None, {}]]},
        {"notices": [["a", 1, "c", None, None, {}]]},
        {"notices": [["a", 1, "c", "m", math.inf, {}]]},
    ],
)
def test_only_lines_of_the_right_shape_are_read(change: dict[str, Any]) -> None:
    assert read_line(json.dumps(WELL)) is not None
    assert read_line(json.dumps(WELL | change)) is None


@signals
def test_who_was_asleep_itself_accuses_nobody(tmp_path: Path) -> None:
    """Both processes are stopped for longer than any bound, as when the computer is suspended."""
    with parent_of(tmp_path / "a.h5", LOOKING) as (run, sensors):
        next_value(run)
        for pid in (run.pid, sensors):
            os.kill(pid, signal.SIGSTOP)
        time.sleep(3.0)
        for pid in (run.pid, sensors):
            os.kill(pid, signal.SIGCONT)
        said = [next_value(run) for _ in range(20)]
        os.kill(sensors, 0)
    assert max(unseen_s for unseen_s, _ in said) < 3.0
    assert [each for _, notices in said for each in notices] == []


WAITING = {"threading", "subprocess", "queue", "socket", "select", "selectors", "sqlite3", "_sqlite3", "io", "_io", "posix", "nt", "os", "_posixsubprocess", "_winapi", "tempfile"}  # fmt: skip
WAITING_CALLS = {"sleep", "acquire", "wait", "join", "get", "flush", "write", "read", "readline", "fsync"}


@signals
def test_a_look_calls_nothing_that_can_wait(bench: Callable[..., Alone]) -> None:
    """Whatever happens to the process: the profiler sees every function that the thread calls in a look."""
    beside = bench(PRESS)
    look, called = beside.sensors.look, set()

    def note(frame: Any, event: str, argument: Any) -> None:
        if event == "call":
            called.add((frame.f_globals["__name__"], frame.f_code.co_name))
        elif event == "c_call":
            owner = getattr(argument, "__self__", None)
            module = argument.__module__ or type(owner).__module__
            called.add((module, argument.__name__))

    def watched(now_s: Callable[[], float]) -> Look:
        sys.setprofile(note)
        try:
            return look(now_s)
        finally:
            sys.setprofile(None)

    beside.sensors.look = watched  # type: ignore[method-assign]
    for blow in (signal.SIGSTOP, signal.SIGKILL):
        beside.until_read("press")
        assert beside.sensors.pid is not None
        os.kill(beside.sensors.pid, blow)
        beside.notices.clear()
        beside.until_told("sensors_back")
    assert ("nakctl_sensors.child", "say") in called
    allowed = {("_queue", "put"), ("_queue", "qsize")}
    of_data = {each for each in called if each[0] == "builtins"}  # such as dict.get
    waiting = {each for each in called - of_data if each[0] in WAITING or each[1] in WAITING_CALLS}
    assert waiting - allowed == set()
