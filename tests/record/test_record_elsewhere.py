"""A full disk: what it does not take waits, or goes elsewhere, and comes home as soon as there is room."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import record_rows as rows
from record_disks import Disks, Usage, begun, ended_and_sealed, no_room
from record_reading import entries_in, memo_of, rows_until_damage, seqs

from nakctl.errors import RecordError
from nakctl.record import files, journal
from nakctl.record.journal import Journal
from nakctl.record.journal_reader import JournalDamage, JournalReader
from nakctl.record.recorder import Recorder
from nakctl.record.recover import recover
from nakctl.record.seal import seal
from nakctl.record.store import Store
from nakctl.run.recording import Beside

# --- in memory -----------------------------------------------------------------------------------------


def fill_disk(writer: Journal, full: bool) -> None:
    """SQLite's own limit makes the very error of a full disk."""
    db: sqlite3.Connection = writer._home._db
    used = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {used + 1 if full else 1 << 30}")


def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "rests_of", lambda path, run_id: [])


def test_rows_wait_in_memory_while_no_disk_takes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere(monkeypatch)
    path = tmp_path / "run.h5"
    writer = rows.journal_of_run(path)
    assert files.reserve_of(path).stat().st_size > 0
    writer.append([rows.said(0, 500)])
    assert writer.trouble == ""
    fill_disk(writer, True)
    for k in range(1, 4):
        writer.append([rows.said(500 * k, 500)])
        assert "full" in writer.trouble
        assert len(writer.waiting) == k
    assert seqs(path) == [1]
    assert not files.reserve_of(path).exists()  # the first thing that is given up
    fill_disk(writer, False)
    writer.append([])
    assert (writer.trouble, len(writer.waiting)) == ("", 0)
    assert seqs(path) == [1, 2, 3, 4]
    writer.close()


def test_meanwhile_nothing_counts_as_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So nothing more is fetched: rows wait in the instrument."""
    nowhere(monkeypatch)
    recorder = Recorder.create(tmp_path / "run.h5", rows.header(), rows.PROGRAM_JSON, watched=False)
    fill_disk(recorder._journal, True)
    recording = Beside(recorder)
    recording.put(rows.said(0, 500), durable=True)
    assert not recording.settle(1.0)
    fill_disk(recorder._journal, False)
    assert recording.settle(30.0)
    recording.finish()
    recorder.abandon()


def test_a_run_must_end_when_too_much_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere(monkeypatch)
    monkeypatch.setattr(journal, "MEMORY_BUDGET_BYTES", 50_000)
    path = tmp_path / "run.h5"
    writer = rows.journal_of_run(path)
    fill_disk(writer, True)
    writer.append([rows.said(0, 1000)])
    assert writer.trouble
    with pytest.raises(RecordError, match="wait to be written: database or disk is full"):
        writer.append([rows.said(1000, 1000)])
    fill_disk(writer, False)
    writer.end(rows.ended("interrupted", "the disk is full"))
    assert seqs(path) == [1, 2]
    writer.close()


def test_an_end_that_no_place_takes_is_told(disks: Disks) -> None:
    writer = begun(disks)
    disks.fill(disks.run.parent)
    with pytest.raises(
        RecordError, match="the end of the run could not be written: database or disk is full"
    ):
        writer.end(rows.ended())
    disks.free()
    ended_and_sealed(disks, writer, 20)


# --- what was set aside --------------------------------------------------------------------------------


@pytest.mark.parametrize("expected", [100, 70 << 20])
def test_as_much_is_set_aside_as_is_expected(tmp_path: Path, expected: int) -> None:
    """And in any case what a run of unknown length may need."""
    path = tmp_path / "run.h5"
    writer = rows.journal_of_run(path, expected_bytes=expected)
    reserve = files.reserve_of(path).stat()
    assert reserve.st_size == max(expected, files.LEAST_RESERVE_BYTES)
    if hasattr(reserve, "st_blocks"):
        assert reserve.st_blocks * 512 >= reserve.st_size  # and not only promised
    writer.close()
    assert not files.reserve_of(path).exists()


def test_of_a_small_disk_less_is_set_aside(disks: Disks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda place: Usage(1 << 30, 0, 16 << 20))
    writer = begun(disks)
    assert files.reserve_of(disks.path).stat().st_size == 1 << 20
    writer.close()


def test_it_is_given_up_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.h5"
    writer = rows.journal_of_run(path, expected_bytes=70 << 20)
    write, sizes, refusals = Store.write, [], [1, 0, 2, 0, 2]
    reserve = files.reserve_of(path)

    def refuses(self: Store, *given: Any, durable: bool) -> None:
        if refusals[0]:
            refusals[0] -= 1
            raise no_room()
        refusals.pop(0)
        write(self, *given, durable=durable)

    monkeypatch.setattr(Store, "write", refuses)
    for k in range(5):
        writer.append([rows.said(k * 10, 10)])
        assert (writer.trouble, len(writer.waiting), writer.elsewhere) == ("", 0, ())
        sizes.append(reserve.stat().st_size >> 20 if reserve.exists() else 0)
    assert sizes == [54, 54, 22, 22, 0]
    monkeypatch.undo()
    writer.end(rows.ended())
    writer.close()
    assert rows_until_damage(path) == (50, "")


# --- elsewhere -----------------------------------------------------------------------------------------

PLACES = ["run", "data", "temp", "home"]


@pytest.mark.parametrize("place", PLACES)
def test_rows_go_to_the_nearest_place_with_room(disks: Disks, place: str) -> None:
    """run: beside the journal, which somebody else keeps from being written, or whose disk is full by quota."""
    writer = begun(disks)
    nearer = PLACES[: PLACES.index(place)]
    disks.fill(disks.journal, *(getattr(disks, name) for name in nearer))
    for k in range(2, 5):
        writer.append([rows.said(k * 10, 10)])
        assert (writer.trouble, len(writer.waiting), len(writer.elsewhere)) == ("", 0, 1)
    assert disks.rests() == [place]
    assert rows_until_damage(disks.path) == (50, "")
    assert memo_of(disks.path) == {"seq": 8, "segment": 1, "memo": {"next": 50}}
    with closing(JournalReader(disks.path)) as reader:
        assert reader.rests() == list(writer.elsewhere)
        assert [entry.seq for entry in reader.entries(after=6)] == [7, 8]
    run_id = JournalReader(disks.path).header["run_id"]
    assert writer.elsewhere[0].name == f"x.h5.{run_id}.rest.journal"
    ended_and_sealed(disks, writer, 50)  # with the end elsewhere, too


def test_a_second_place_that_becomes_full_itself(disks: Disks) -> None:
    writer = begun(disks)
    full = [disks.journal, disks.run, disks.data, disks.temp]
    for k, place in enumerate(full, 2):
        disks.fill(place)
        writer.append([rows.said(k * 10, 10)])
        assert len(writer.elsewhere) == k - 1
    assert disks.rests() == PLACES
    assert rows_until_damage(disks.path) == (60, "")
    assert memo_of(disks.path) == {"seq": 9, "segment": 1, "memo": {"next": 60}}
    disks.fill(disks.home)
    writer.append([rows.said(60, 10)])  # now there is no place left
    assert (len(writer.waiting), writer.trouble) == (1, "database or disk is full")
    disks.full.remove(disks.home)
    writer.append([rows.said(70, 10)])
    assert (len(writer.waiting), len(writer.elsewhere)) == (0, 4)
    ended_and_sealed(disks, writer, 80)


def test_the_errors_of_a_real_second_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As SQLite raises them, on both."""
    disks = Disks(tmp_path, monkeypatch)
    writer = begun(disks)
    fill_disk(writer, True)
    writer.append([rows.said(20, 500)])
    assert disks.rests() == ["run"]
    db = writer._rests[0]._db
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0] + 1}")
    writer.append([rows.said(520, 500)])
    assert disks.rests() == ["run", "data"]
    fill_disk(writer, False)
    ended_and_sealed(disks, writer, 1020)


def test_a_place_whose_name_is_taken_is_left_alone(disks: Disks) -> None:
    writer = begun(disks)
    run_id = JournalReader(disks.path).header["run_id"]
    taken = disks.run / f"x.h5.{run_id}.rest.journal"
    taken.write_text("precious")
    disks.fill(disks.journal)
    writer.append([rows.said(20, 10)])
    assert disks.rests() == ["run", "data"]
    writer.end(rows.ended())
    writer.close()
    assert seal(disks.path).rows == 30
    assert disks.litter() == ["run/x.h5", f"run/{taken.name}"]
    assert taken.read_text() == "precious"


def test_a_journal_that_is_locked_for_long_is_not_waited_for(
    disks: Disks, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [100.0]
    monkeypatch.setattr(journal.time, "monotonic", lambda: now_s[0])
    writer = begun(disks)
    with closing(sqlite3.connect(disks.journal, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writer.append([rows.said(20, 10)])
        now_s[0] += 0.9
        writer.append([rows.said(30, 10)])
        assert (len(writer.waiting), writer.elsewhere) == (2, ())
        now_s[0] += 0.2
        writer.append([rows.said(40, 10)])
        assert (len(writer.waiting), disks.rests()) == (0, ["run"])
        other.execute("ROLLBACK")
    now_s[0] += 1.0
    writer.append([rows.said(50, 10)])
    assert disks.rests() == []
    ended_and_sealed(disks, writer, 60)


def test_looking_for_it_makes_no_folder(disks: Disks) -> None:
    writer = begun(disks)
    assert seqs(disks.path) == [1, 2, 3, 4, 5]
    writer.close()
    recover(disks.path)
    assert not disks.data.exists()


# --- what is left of a run -----------------------------------------------------------------------------


def test_a_rest_that_does_not_go_on_where_the_journal_ends_is_kept(disks: Disks) -> None:
    writer = begun(disks)
    disks.fill(disks.run)
    writer.append([rows.said(20, 10)])
    (rest,) = writer.elsewhere
    writer.end(rows.ended())
    writer.close()
    with closing(sqlite3.connect(disks.journal)) as db, db:
        db.execute("DELETE FROM entry WHERE seq = 5")
    with pytest.raises(JournalDamage, match="the next one is number 6"):
        entries_in(disks.path)
    disks.free()
    outcome = seal(disks.path)
    assert (outcome.status, outcome.rows) == ("recovered", 10)
    assert f"(what its disk did not take is kept in {rest})" in outcome.message
    assert rest.exists()
    assert rows.names_in(disks.run) == ["x.h5", "x.h5.journal.damaged"]


def test_a_rest_of_another_run_is_not_taken_in(disks: Disks) -> None:
    """Of one with the same name and number, whatever that may be."""
    writer = begun(disks)
    disks.fill(disks.run)
    writer.append([rows.said(20, 10)])
    (rest,) = writer.elsewhere
    with closing(sqlite3.connect(rest)) as db, db:
        db.execute("UPDATE document SET json = ?, crc = ? WHERE name = 'header'", (b"{}", 0xA3E1E2C9))
    disks.free()
    assert rows_until_damage(disks.path) == (20, "")
    writer.close()
    assert recover(disks.path).rows == 20
    assert rest.exists()


def test_a_file_that_was_made_and_never_written_is_cleared_away(disks: Disks) -> None:
    writer = begun(disks)
    run_id = JournalReader(disks.path).header["run_id"]
    (disks.home / f"x.h5.{run_id}.rest.journal").touch()
    ended_and_sealed(disks, writer, 20)


def test_a_sealing_that_is_killed_leaves_no_file_elsewhere_for_ever(
    disks: Disks, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def at(stage: str) -> None:
        if stage == "replaced":
            raise Killed

    monkeypatch.setattr(journal, "_HOME_EVERY_S", 1e9)
    writer = begun(disks)
    disks.fill(disks.run)
    writer.append([rows.said(20, 10)])
    writer.close()
    assert disks.rests() == ["data"]
    disks.free()
    with pytest.raises(Killed):
        seal(disks.path, at)
    assert seal(disks.path).rows == 30
    assert disks.litter() == ["run/x.h5"]


def test_what_a_journal_that_is_no_longer_whole_does_not_take_is_kept_elsewhere(
    disks: Disks, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, write = begun(disks), Store.write

    def malformed(store: Store, *given: Any, durable: bool) -> None:
        if store.file == disks.journal:
            raise sqlite3.DatabaseError("database disk image is malformed")
        write(store, *given, durable=durable)

    monkeypatch.setattr(Store, "write", malformed)
    monkeypatch.setattr(journal, "_MARGIN_BYTES", 1 << 40)  # nothing is brought there, either
    with pytest.raises(RecordError, match="no longer whole"):
        writer.append([rows.said(20, 10)])
    ended_and_sealed(disks, writer, 30)
