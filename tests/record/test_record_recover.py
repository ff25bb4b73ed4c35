from __future__ import annotations

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import h5py
import numpy as np
import pytest
import record_rows as rows
from record_live import LiveFile

from nakctl.booking import layout
from nakctl.errors import InputError, RecordError
from nakctl.record import files, lock
from nakctl.record.journal import Journal
from nakctl.record.journal_reader import JournalReader
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
    assert "entry 26, last sample at 49.75 s in step 1" in recovered.message
    with h5py.File(path, "r") as file:
        assert file["entry/recovery"].asstr()[()] == recovered.message
        assert "without closing" in file["entry/end_reason"].asstr()[()]
    assert rows.names_in(tmp_path) == ["run.h5"]


@pytest.mark.parametrize(
    "leftover", ["run.h5", "run.h5.sealing", "run.h5.reserve", "run.h5.ballast", "run.h5.slot"]
)
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
    journal = rows.journal_of_run(path)
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
    for left in (files.journal_of(path), files.lock_of(path), files.reserve_of(path), files.slot_of(path)):
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
    writer = rows.journal_of_run(path)
    for entries in rows.polls(20):
        writer.append(entries)
    copy = tmp_path / "copy.h5"
    for end in ("", "-wal"):
        Path(f"{files.journal_of(copy)}{end}").write_bytes(
            Path(f"{files.journal_of(path)}{end}").read_bytes()
        )
    writer.close()
    assert recover(copy).rows == 200


def live(path: Path, polls: int = 20) -> None:
    """A killed run of 10 rows a read, with the live view that it had: its first rows are those of entry 5."""
    view = LiveFile(path)
    view.journal.append([rows.noted(1)])
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
    ("statement", "entries"),
    [
        ("UPDATE entry SET samples = NULL, crc = NULL", 0),
        ("UPDATE entry SET samples = 'abc' WHERE seq = 12", 11),
        ("DELETE FROM entry WHERE seq > 11", 11),  # a log that is gone: no damage is seen in such a journal
        ("UPDATE entry SET seq = -seq", 0),
        ("DROP TABLE entry", 0),
    ],
)
def test_what_the_live_view_holds_beyond_a_damaged_journal_is_kept(
    tmp_path: Path, statement: str, entries: int
) -> None:
    path = tmp_path / "run.h5"
    live(path)
    spoil(path, statement)
    recovered = seal(path)
    from_journal = max(entries - 4, 0) * 10
    assert (recovered.path, recovered.status, recovered.rows) == (path, "recovered", 200)
    assert f"up to entry {entries}" in recovered.message
    assert f"; {200 - from_journal} samples" in recovered.message
    assert "beyond that are from the live view (until 49.75 s), which has no checksums" in recovered.message
    with open_run(path) as run:
        assert run.header.sealed
        for name in layout.SAMPLES.names:
            np.testing.assert_array_equal(run.samples[name], rows.samples(0, 200)[name])
        assert run.steps.step_count.tolist() == [1, 2, 3, 4]
        assert run.steps.end_kind.tolist() == ["duration"] * 3 + ["unclosed"]
        assert run.steps.row_count.tolist() == [50] * 4
        assert list(run.events.code) == ["segment", "note"]
        assert run.ends.text.tolist() == ["charge above 1 mAh", "Ewe above 3 V"]
        assert run.header.recovery == recovered.message
    assert recover(path).rows == 200
    assert files.damaged_of(path).exists()


def last_ones(path: Path) -> dict[str, rows.Rows]:
    """Steps and spectra, as rows."""
    with h5py.File(path) as file:
        return {
            name: np.rec.fromarrays(
                [file[f"entry/{name}/{column}"][()] for column in table.names], dtype=table.dtype
            )
            for name, table in (("steps", layout.STEPS), ("spectra", layout.SPECTRA))
        }


def test_a_killed_run_has_its_last_step_and_its_cut_spectrum(tmp_path: Path) -> None:
    path = rows.journal_only(tmp_path / "run.h5", 20, end=False, more_entries=rows.spectra(2, 3))
    recover(path)
    found = last_ones(path)
    expected = rows.booked([*rows.run_of(20), *rows.spectra(2, 3)], unclosed=True)
    for name, table in found.items():
        assert table.tobytes() == expected[name].tobytes()
    assert found["steps"]["end_kind"].tolist() == [b"duration"] * 4 + [b"unclosed"]
    assert found["steps"]["row_count"].tolist() == [50] * 4 + [8]
    assert found["spectra"]["complete"].tolist() == [1, 0]
    assert found["spectra"]["row_count"].tolist() == [5, 3]


@pytest.mark.parametrize("good", [0, 2, 7, 13, 16, 17])
@pytest.mark.parametrize("spectra", [0, 2])
def test_what_the_live_view_holds_beyond_ends_as_the_journal_would(
    tmp_path: Path, good: int, spectra: int
) -> None:
    """With the last step, and the last spectrum."""
    path = tmp_path / "run.h5"
    view = LiveFile(path)
    for k in range(10):
        view.append(k * 10, 10)
    for entry in rows.spectra(spectra, 3) if spectra else ():
        view.add([entry])
    torn = path.read_bytes()
    view.close()
    path.write_bytes(torn)
    spoil(path, f"UPDATE entry SET crc = 0 WHERE seq > {good}")
    seal(path)
    found = last_ones(path)
    of_chain = [*rows.opening(), *(rows.said(k * 10, 10) for k in range(10))]
    expected = rows.booked([*of_chain, *(rows.spectra(spectra, 3) if spectra else ())], unclosed=True)
    for name, table in found.items():
        for column in table.dtype.names or ():
            np.testing.assert_array_equal(table[column], expected[name][column], err_msg=column)


def test_a_view_that_holds_no_more_than_an_event_takes_no_step_away(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    view = LiveFile(path)
    for k in range(20):
        view.append(k * 10, 10)
    view.add([rows.noted(80)])
    torn = path.read_bytes()
    view.close()
    path.write_bytes(torn)
    spoil(path, "DELETE FROM entry WHERE seq = 24")
    recovered = recover(path)
    assert "1 events beyond that are from the live view" in recovered.message
    expected = rows.booked([*rows.opening(), rows.said(0, 200)], unclosed=True)
    assert last_ones(path)["steps"].tobytes() == expected["steps"].tobytes()


@pytest.mark.parametrize("how", ["cut", "of another run"])
def test_a_live_view_that_cannot_be_taken_in_is_kept_beside(tmp_path: Path, how: str) -> None:
    path = tmp_path / "run.h5"
    live(path)
    spoil(path, "UPDATE entry SET samples = NULL, crc = NULL")
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


@pytest.mark.parametrize("ended", [True, False])
def test_a_journal_that_was_let_go_is_whole_as_one_file(tmp_path: Path, ended: bool) -> None:
    """Also with somebody reading it meanwhile, as the live view does."""
    path = tmp_path / "run.h5"
    journal = Journal.create(path, rows.header(), rows.PROGRAM_JSON)
    with closing(JournalReader(path)) as reader:
        journal.append(rows.opening())
        for k in range(20):
            journal.append([rows.said(k * 10, 10)])
            assert sum(1 for _ in reader.entries())
        if ended:
            journal.end(rows.ended())
        journal.close()
        copy = tmp_path / "copy" / "run.h5"
        copy.parent.mkdir()
        shutil.copy(files.journal_of(path), files.journal_of(copy))
    assert recover(copy).rows == 200
