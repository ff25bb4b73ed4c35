"""The whole record with its helper process, as a run uses it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import record_rows as rows
from patience import until
from test_record_kill import start_writer

from nakctl.record import files, lock
from nakctl.record.ended import Ended
from nakctl.record.process import Helper
from nakctl.record.read import open_run
from nakctl.record.recorder import Recorder
from nakctl.record.recover import recover
from nakctl.record.seal import is_sealed

posix = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


def wait_for(condition: Callable[[], bool]) -> float:
    """Seconds until it came true."""
    start = time.monotonic()
    until(condition)
    return time.monotonic() - start


def live_rows(path: Path) -> int:
    """As any program would look that knows SWMR, without nakctl."""
    try:
        with h5py.File(path, "r", swmr=True, locking=False) as file:
            return len(file["entry/samples/time"])
    except OSError:
        return -1


def opens_plainly(path: Path) -> bool:
    try:
        h5py.File(path, "r", locking=False).close()
    except OSError:
        return False
    return True


def helper_of(recorder: Recorder) -> Helper:
    assert recorder._live is not None
    return recorder._live


def append(recorder: Recorder, k: int) -> list[str]:
    return [event.code for event in recorder.append([rows.said(k * 10, 10)])]


def started(path: Path) -> Recorder:
    """With a chain that was begun."""
    recorder = Recorder.create(path, rows.header(), rows.PROGRAM_JSON)
    assert recorder.append(rows.opening()) == ()
    return recorder


def test_a_quick_run_is_sealed_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    recorder = started(path)
    for k in range(20):
        assert append(recorder, k) == []
    why = {"end_kind": "limit", "end_id": 2, "end_value": 3.01}
    finished = recorder.finish("stopped", "limit: Ewe above 3 V", {"n": 1}, **why)
    assert (finished.path, finished.sealed, finished.message) == (path, True, "")
    assert finished.found["samples"]["value"] == 200
    with open_run(path) as run:
        assert (run.header.status, run.header.end_reason) == ("stopped", "limit: Ewe above 3 V")
        assert run.header.end == Ended("limit", 2, "Ewe", "above", 3.01)
        assert run.header.results["n"] == 1
        np.testing.assert_array_equal(run.samples.Ewe, rows.samples(0, 200)["Ewe"])
    assert rows.names_in(tmp_path) == ["run.h5"]


def test_new_rows_are_seen_within_a_second_while_the_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    recorder = started(path)
    wait_for(lambda: live_rows(path) == 0)
    latencies = []
    for k in range(4):
        append(recorder, k)
        latencies.append(wait_for(lambda k=k: live_rows(path) == 10 * (k + 1)))
    assert sorted(latencies)[1] < 1.0  # not the slowest: this machine may be busy
    with h5py.File(path, "r", swmr=True, locking=False) as file:
        assert file["entry/run_status"].asstr()[()] == "running"
        assert file["entry/samples/Ewe"].compression is None
        assert set(file["entry"]) >= {"samples", "impedance", "plot", "protocol", "plan", "events"}
    assert recorder.finish("completed", "").sealed


@posix
def test_the_live_view_comes_back_and_the_sealed_file_is_as_if_nothing_had_happened(tmp_path: Path) -> None:
    path, calm = tmp_path / "run.h5", tmp_path / "calm.h5"
    recorder = started(path)
    append(recorder, 0)
    wait_for(lambda: live_rows(path) == 10)
    first = helper_of(recorder)
    os.kill(first.pid, signal.SIGKILL)
    codes: list[str] = []
    k = 0

    def again() -> bool:
        nonlocal k
        k += 1
        codes.extend(append(recorder, k))
        return helper_of(recorder) is not first and live_rows(path) > 10

    wait_for(again)
    assert codes == ["live_view_restarted"]
    assert recorder.finish("completed", "").sealed

    undisturbed = started(calm)
    undisturbed.append([rows.said(0, 10 * k + 10)])
    undisturbed.finish("completed", "")
    found, expected = rows.datasets(path), rows.datasets(calm)
    for name, values in expected.items():
        if not name.startswith(("entry/events", "entry/raw", "entry/clock")):
            np.testing.assert_array_equal(found[name], values, err_msg=name)
    np.testing.assert_array_equal(found["entry/raw/samples/Ewe_V"], expected["entry/raw/samples/Ewe_V"])
    assert found["entry/events/code"].tolist() == [b"segment", b"live_view_restarted"]


@posix
def test_a_helper_that_dies_at_the_end_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    recorder = started(path)
    append(recorder, 0)
    os.kill(helper_of(recorder).pid, signal.SIGKILL)
    assert recorder.finish("completed", "").sealed
    assert is_sealed(path)


@posix
def test_ctrl_c_for_the_whole_group_still_ends_in_a_sealed_file(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    writer = start_writer(path, pause_s=0.01)
    wait_for(lambda: live_rows(path) > 0)
    os.killpg(writer.pid, signal.SIGINT)
    assert writer.communicate()[0].splitlines()[-1] == "sealed"
    with open_run(path) as run:
        assert (run.header.status, run.header.sealed) == ("aborted", True)


@posix
def test_ctrl_c_does_not_end_the_live_view(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    recorder = started(path)
    wait_for(lambda: live_rows(path) == 0)
    helper = helper_of(recorder)
    os.kill(helper.pid, signal.SIGINT)
    append(recorder, 0)
    wait_for(lambda: live_rows(path) == 10)
    assert helper.is_running()
    assert recorder.finish("completed", "").sealed


@posix
def test_the_live_view_leaves_when_the_run_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    writer = start_writer(path, pause_s=0.02)
    wait_for(lambda: live_rows(path) > 0)
    with pytest.raises(OSError, match="open"), h5py.File(path, "r", locking=False):
        pass
    writer.kill()
    writer.communicate()
    wait_for(lambda: opens_plainly(path))  # which it does only once its writer has left
    assert files.journal_of(path).exists()
    with open_run(path) as run:  # without recovery
        assert (run.header.status, run.header.sealed) == ("running", False)
        np.testing.assert_array_equal(run.samples.time, rows.samples(0, len(run.samples))["time"])
    recovered = recover(path)
    assert (recovered.status, recovered.path) == ("recovered", path)
    assert rows.names_in(tmp_path) == ["run.h5"]


def test_an_abandoned_run_can_be_recovered(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    recorder = started(path)
    append(recorder, 0)
    recorder.abandon()
    assert recover(path).rows == 10
    assert rows.names_in(tmp_path) == ["run.h5"]


@posix
@pytest.mark.parametrize("end", [".journal-wal", ".journal-shm", ".lock"])
@pytest.mark.parametrize("then", [5, 0])
def test_a_part_of_the_journal_that_vanishes_costs_nothing(tmp_path: Path, end: str, then: int) -> None:
    """then: polls that come after it."""
    path = tmp_path / "run.h5"
    recorder = started(path)
    for k in range(20):
        append(recorder, k)
    wait_for(lambda: live_rows(path) == 200)  # the live view has the journal open
    Path(f"{path}{end}").unlink()
    told = [append(recorder, 20 + k) for k in range(then)]
    assert told == [["journal_vanished"], [], [], [], []][:then]
    assert lock.is_held(files.lock_of(path)) or not then
    assert recorder.finish("completed", "all steps done").sealed
    with open_run(path) as run:
        np.testing.assert_array_equal(run.samples.time, rows.samples(0, 200 + 10 * then)["time"])
        assert list(run.events.code) == ["segment", "journal_vanished"]
        assert run.header.status == "completed"
    assert rows.names_in(tmp_path) == ["run.h5"]


RECORD_AND_RECOVER = """
import sys
from pathlib import Path
from nakctl.record.recorder import Recorder
from nakctl.record.recover import recover, unsealed
path = Path(sys.argv[1])
header = {"format": 1, "run_id": "1", "start_time": "2026-03-01T09:30:00+00:00", "title": ""}
program = {"version": 1, "program": {"instrument": "SP-300", "area_cm2": 1.0, "nodes": [], "steps": []}}
recorder = Recorder.create(path, header, program)
recorder.append([])
assert recorder.finish("completed", "").sealed
recover(path), unsealed(path.parent)
print([name for name in ("h5py", "pydantic", "matplotlib") if name in sys.modules])
"""


def test_the_process_that_controls_the_cell_never_loads_hdf5(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RECORD_AND_RECOVER, str(tmp_path / "run.h5")]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == "[]"
