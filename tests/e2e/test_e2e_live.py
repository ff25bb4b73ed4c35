"""A paced run, watched from outside while it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import h5py
import pytest
from command_line import Going, samples_in
from patience import until

import nakctl

PACE = 10.0  # seconds of the run in one of ours
LATE_S = 1.0


@pytest.fixture
def run_file(short: Path) -> Path:
    return short / "x.h5"


@contextmanager
def by_nakctl(path: Path) -> Iterator[Callable[[], int]]:
    with nakctl.open(path) as run:
        assert run.header.status == "running"
        assert not run.header.sealed
        assert run.header.simulated

        def rows() -> int:
            run.refresh()
            return len(run.samples)

        yield rows


@contextmanager
def by_h5py(path: Path) -> Iterator[Callable[[], int]]:
    with h5py.File(path, "r", swmr=True, locking=False) as file:
        time_s = file["entry/samples/time"]

        def rows() -> int:
            time_s.refresh()
            return len(time_s)

        yield rows


@pytest.mark.parametrize("reader", [by_nakctl, by_h5py])
def test_readers_see_new_rows_within_a_second(
    reader: Callable[[Path], AbstractContextManager[Callable[[], int]]], short: Path, run_file: Path
) -> None:
    with Going("run", "short.yaml", "--set", "rest=1 h", "--speed", PACE, "--out", "x.h5", cwd=short):
        until(lambda: samples_in(run_file) > 20)
        with reader(run_file) as rows:
            for _ in range(3):
                before = rows()
                time.sleep(2 / PACE + LATE_S)  # the second row from now is due, and then a second is over
                assert rows() >= before + 2


def test_the_pace_is_kept(short: Path, run_file: Path) -> None:
    with Going("run", "short.yaml", "--set", "rest=1 h", "--speed", PACE, "--out", "x.h5", cwd=short):
        until(lambda: samples_in(run_file) > 5)
        with nakctl.open(run_file) as run:
            first_s, from_s = run.samples.time[-1], time.monotonic()
            time.sleep(3.0)
            run.refresh()
            passed_s = run.samples.time[-1] - first_s
            assert passed_s == pytest.approx((time.monotonic() - from_s) * PACE, abs=1.5 * PACE * LATE_S)
            unix_s = run.clock.unix_time
            assert len(unix_s) >= 1
            assert abs(unix_s[0] - time.time()) < 120
