"""A run that nobody looks at while it goes on: its file is sealed as it grows."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import record_rows as rows
from test_record_kill import check_recovered, killed_run
from test_record_recorder import append, helper_of, wait_for

from nakctl.errors import RecordError
from nakctl.record import files, opening
from nakctl.record.read import open_run
from nakctl.record.recorder import Recorder
from nakctl.record.recover import recover

posix = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


def begun(path: Path, *, watched: bool = False) -> Recorder:
    recorder = Recorder.create(path, rows.header(), rows.PROGRAM_JSON, watched=watched)
    recorder.append(rows.opening())
    return recorder


def started(path: Path) -> Recorder:
    """Whose helper has begun the file."""
    recorder = begun(path)
    wait_for(files.temporary_of(path).exists)
    return recorder


def test_its_file_is_that_of_a_run_which_was_watched(tmp_path: Path) -> None:
    path, calm = tmp_path / "run.h5", tmp_path / "calm.h5"
    for recorder in (started(path), begun(calm, watched=True)):
        for k in range(20):
            recorder.append([rows.said(k * 10, 10), rows.noted(k)])
        recorder.append([*rows.spectra(3), rows.over()])
        if recorder.path == path:
            assert not path.exists()
        finished = recorder.finish("completed", "all steps done", {"n": 1}, end_kind="steps done")
        assert (finished.path, finished.sealed, finished.message) == (recorder.path, True, "")
        assert [finished.found[name]["value"] for name in ("samples", "steps")] == [215, 5]
    found, expected = rows.datasets(path), rows.datasets(calm)
    assert found.keys() == expected.keys()
    for name in (
        name for name in expected if not name.startswith(("entry/raw/facts", "entry/raw/entries/facts"))
    ):
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)
    assert rows.names_in(tmp_path) == ["calm.h5", "run.h5"]


def test_who_looks_at_it_is_told_to_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_PATIENCE_S", 0.1)
    path = tmp_path / "run.h5"
    recorder = started(path)
    append(recorder, 0)
    with pytest.raises(RecordError, match=r"nothing of it can be read yet: try again in a moment$"):
        open_run(path)
    assert recorder.finish("completed", "").sealed


@posix
@pytest.mark.parametrize("then", [0, 1])
def test_a_helper_that_dies_is_replaced(tmp_path: Path, then: int) -> None:
    """then: whether the run goes on for a while."""
    path = tmp_path / "run.h5"
    recorder = started(path)
    append(recorder, 0)
    first = helper_of(recorder)
    os.kill(first.pid, signal.SIGKILL)
    k = 0

    def replaced() -> bool:
        nonlocal k
        k += 1
        append(recorder, k)
        return helper_of(recorder) is not first

    if then:
        wait_for(replaced)
    assert recorder.finish("completed", "").sealed
    with open_run(path) as run:
        np.testing.assert_array_equal(run.samples.time, rows.samples(0, 10 * (k + 1))["time"])
        assert run.header.status == "completed"
    assert rows.names_in(tmp_path) == ["run.h5"]


def test_what_kept_it_from_being_sealed_may_be_gone_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    in_the_way = files.temporary_of(path)
    in_the_way.mkdir()
    recorder = begun(path)
    append(recorder, 0)
    wait_for(lambda: not helper_of(recorder).is_running())
    in_the_way.rmdir()
    finished = recorder.finish("completed", "")
    assert (finished.sealed, finished.message) == (True, "")
    assert rows.names_in(tmp_path) == ["run.h5"]


@posix
def test_a_journal_that_vanishes_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    recorder = started(path)
    append(recorder, 0)
    Path(f"{files.journal_of(path)}-wal").unlink()
    assert append(recorder, 1) == ["journal_vanished"]
    assert recorder.finish("completed", "").sealed
    with open_run(path) as run:
        np.testing.assert_array_equal(run.samples.time, rows.samples(0, 20)["time"])


@posix
def test_killed_it_is_left_for_the_next_command(tmp_path: Path) -> None:
    """Whether its helper was killed with it or not."""
    path = tmp_path / "run.h5"
    recorded = killed_run(path, after_s=0.2, watched=False)
    assert files.journal_of(path).exists() and not path.exists()
    assert recover(path).status == "recovered"
    check_recovered(path, recorded)
    wait_for(lambda: rows.names_in(tmp_path) == ["run.h5"])  # a helper that lives on looks in once more
