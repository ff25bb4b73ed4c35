from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import h5py
import numpy as np
import pytest
import record_rows as rows
from record_live import LiveFile

from nakctl.errors import InputError, RecordError
from nakctl.record import files, layout, lock
from nakctl.record.journal import Journal
from nakctl.record.read import open_run
from nakctl.record.recover import recover, unsealed
from nakctl.record.seal import seal


def killed(folder: Path, polls: int = 20) -> Path:
    path = folder / "run.h5"
    rows.journal_only(path, polls, end=False)
    return path


def test_a_killed_run_is_sealed_and_says_so(tmp_path: Path) -> None:
    path = killed(tmp_path)
    recovered = recover(path)
    assert (recovered.path, recovered.status, recovered.rows) == (path, "recovered", 200)
    assert "poll 20, last sample at 49.75 s in step 1" in recovered.message
    with h5py.File(path, "r") as file:
        assert file["entry/recovery"].asstr()[()] == recovered.message
        assert "without closing" in file["entry/end_reason"].asstr()[()]
    assert rows.names_in(tmp_path) == ["run.h5"]


@pytest.mark.parametrize("leftover", ["run.h5", "run.h5.sealing", "run.h5.ballast"])
def test_damaged_leftovers_do_not_matter(tmp_path: Path, leftover: str) -> None:
    path = killed(tmp_path)
    (tmp_path / leftover).write_bytes(b"\x89HDF\r\n\x1a\nnot much of a file" * 100)
    assert seal(path).rows == 200
    assert rows.names_in(tmp_path) == ["run.h5"]


def test_a_run_that_ended_in_order_keeps_its_status(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    rows.journal_only(path, 20)
    recovered = recover(path)
    assert (recovered.status, recovered.message) == ("completed", "sealed, and nothing is missing")


def test_a_sealed_file_is_left_alone(tmp_path: Path) -> None:
    path = killed(tmp_path)
    first = recover(path)
    before = path.read_bytes()
    assert recover(path) == first
    assert path.read_bytes() == before


def test_a_run_that_goes_on_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    journal = Journal.create(path, rows.header())
    with pytest.raises(InputError, match="still being recorded"):
        recover(path)
    assert unsealed(tmp_path) == []
    journal.close()
    assert unsealed(tmp_path) == [path]
    assert recover(path).rows == 0


def test_several_may_recover_the_same_run(tmp_path: Path) -> None:
    path = killed(tmp_path, polls=200)
    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(recover, [path] * 3))
    assert [(outcome.status, outcome.rows) for outcome in outcomes] == [("recovered", 2000)] * 3
    assert rows.names_in(tmp_path) == ["run.h5"]


def test_unsealed_runs_are_found(tmp_path: Path) -> None:
    path = killed(tmp_path)
    rows.sealed(tmp_path / "other.h5")
    assert unsealed(tmp_path) == [path]
    recover(path)
    assert unsealed(tmp_path) == []


def test_no_run_at_all(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such run"):
        recover(tmp_path / "run.h5")


def test_a_run_that_was_killed_while_it_was_being_started_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    for left in (files.journal_of(path), files.lock_of(path), files.ballast_of(path)):
        left.write_bytes(b"")
    with pytest.raises(InputError, match="before anything was recorded"):
        recover(path)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_being_started_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    with lock.hold(files.lock_of(path)):
        files.journal_of(path).write_bytes(b"")
        assert unsealed(tmp_path) == []
        with pytest.raises(InputError, match="still being recorded"):
            recover(path)
    assert unsealed(tmp_path) == [path]


@pytest.mark.parametrize("content", [b"not a database", b"SQLite format 3\0" + b"\0" * 5000])
def test_a_journal_that_cannot_be_read_is_an_error_and_stays(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.h5"
    files.journal_of(path).write_bytes(content)
    with pytest.raises(RecordError, match="not sealed: the journal is damaged"):
        recover(path)
    assert files.journal_of(path).read_bytes() == content


def test_another_hdf5_file_is_not_taken_for_a_run(tmp_path: Path) -> None:
    path = tmp_path / "other.h5"
    h5py.File(path, "w").close()
    with pytest.raises(RecordError, match="no sealed run"):
        recover(path)
    assert path.exists()


def test_the_log_is_read_although_the_shared_memory_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    writer = Journal.create(path, rows.header())
    for k in range(20):
        writer.append({"samples": rows.samples(k * 10, 10)})
    copy = tmp_path / "copy.h5"
    for end in ("", "-wal"):
        Path(f"{files.journal_of(copy)}{end}").write_bytes(
            Path(f"{files.journal_of(path)}{end}").read_bytes()
        )
    writer.close()
    assert recover(copy).rows == 200


def live(path: Path, polls: int = 20) -> None:
    """A killed run of 10 rows a poll, with the live view that it had."""
    view = LiveFile(path)
    view.journal.append({"steps": rows.step(1)}, [rows.event(1)])
    for k in range(polls):
        view.append(k * 10, 10)
    torn = path.read_bytes()
    view.close()
    path.write_bytes(torn)


def spoil(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(files.journal_of(path))) as db, db:
        for statement in statements:
            db.execute(statement)


@pytest.mark.parametrize(
    ("statement", "polls"),
    [
        ("UPDATE poll SET samples = NULL, crc = NULL", 0),
        ("UPDATE poll SET samples = 'abc' WHERE seq = 12", 11),
        ("DELETE FROM poll WHERE seq > 11", 11),  # a log that is gone: no damage is seen in such a journal
        ("UPDATE poll SET seq = -seq", 0),
        ("DROP TABLE poll", 0),
    ],
)
def test_what_the_live_view_holds_beyond_a_damaged_journal_is_kept(
    tmp_path: Path, statement: str, polls: int
) -> None:
    path = tmp_path / "run.h5"
    live(path)
    spoil(path, statement)
    recovered = seal(path)
    from_journal = max(polls - 1, 0) * 10
    assert (recovered.path, recovered.status, recovered.rows) == (path, "recovered", 200)
    assert f"up to poll {polls}" in recovered.message
    assert f"; {200 - from_journal} samples" in recovered.message
    assert "beyond that are from the live view (until 49.75 s), which has no checksums" in recovered.message
    with open_run(path) as run:
        assert run.header.sealed
        for name in layout.SAMPLES.names:
            np.testing.assert_array_equal(run.samples[name], rows.samples(0, 200)[name])
        assert (len(run.steps), list(run.events.code)) == (1, ["note"])
        assert run.header.recovery == recovered.message
    assert recover(path).rows == 200
    assert files.damaged_of(path).exists()


@pytest.mark.parametrize("how", ["cut", "of another run"])
def test_a_live_view_that_cannot_be_taken_in_is_kept_beside(tmp_path: Path, how: str) -> None:
    path = tmp_path / "run.h5"
    live(path)
    spoil(path, "UPDATE poll SET samples = NULL, crc = NULL")
    if how == "cut":
        path.write_bytes(path.read_bytes()[:-1000])
    else:
        live(tmp_path / "other.h5")
        (tmp_path / "other.h5").replace(path)
    before, kept = path.read_bytes(), Path(f"{path}.live")
    recovered = seal(path)
    assert recovered.rows == 0
    assert recovered.message.endswith(f"the live view cannot be made sense of and is kept: {kept}")
    assert kept.read_bytes() == before


def test_a_whole_journal_needs_no_live_view(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    live(path)
    assert "live view" not in recover(path).message
    assert rows.names_in(tmp_path) == ["run.h5"]
