"""A journal is gone on with by another process: one order, one writer, and what may be missing is said."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import h5py
import pytest
import record_rows as rows
from forked_helpers import python
from record_disks import Disks
from record_reading import entries_in, first_rows, memo_of

from nakctl.booking.event import Event
from nakctl.errors import InputError, RecordError
from nakctl.record import files, lock
from nakctl.record.fence import fenced, may_go_on
from nakctl.record.journal import Journal
from nakctl.record.journal_reader import JournalReader
from nakctl.record.recorder import Legacy, Recorder
from nakctl.record.recover import recover
from nakctl.record.slot import Blocks, Slot, blocks_of

LEGACY = Legacy("run", "asked", 12.5, 99.0, events=[Event(12.5, 1, "gap", 0, "one may be missing", {})])


def left(folder: Path, name: str = "run.h5", count: int = 4, **more: object) -> Path:
    """What kill -9 leaves: the files of a journal that was never closed."""
    at_work = folder / "work"
    at_work.mkdir()
    writer = rows.journal_of_run(at_work / name, **more)
    for some in rows.polls(count):
        writer.append(some)
    for file in at_work.iterdir():
        if not file.name.endswith("-shm"):
            shutil.copy(file, folder / file.name)
    writer.close()
    return folder / name


@contextmanager
def reopened(path: Path) -> Iterator[Journal]:
    with fenced(path) as held, closing(JournalReader(path)) as reader:
        journal = Journal.reopen(path, held, reader.elsewhere())
        try:
            yield journal
        finally:
            journal.close()


def test_entries_go_on_in_one_order(tmp_path: Path) -> None:
    path = left(tmp_path)
    before = entries_in(path)
    with reopened(path) as journal:
        assert journal.epoch == 1
        more = rows.said(4 * rows.PER_POLL, rows.PER_POLL, memo={"new": 1}, block=5)
        journal.append([more, rows.noted(7)])
    after = entries_in(path)
    assert [entry.seq for entry in after] == list(range(1, len(before) + 3))
    assert [entry.epoch for entry in after] == [0] * len(before) + [1, 1]
    assert [entry.facts for entry in after[: len(before)]] == [entry.facts for entry in before]
    assert first_rows(path)[-1] == 4 * rows.PER_POLL
    found = memo_of(path)
    assert found is not None
    assert (found["seq"], found["memo"]) == (len(before) + 1, {"new": 1})
    with reopened(path) as journal:  # and again
        journal.append([rows.noted(8)])
    assert entries_in(path)[-1].epoch == 2


def test_nobody_goes_on_with_what_is_recorded(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    writer = rows.journal_of_run(path)
    with pytest.raises(InputError, match="is being recorded by another process"), fenced(path):
        raise AssertionError("never")
    writer.close()
    with fenced(path), pytest.raises(InputError, match="is being recorded"), fenced(path):
        raise AssertionError("never")
    with fenced(path):
        assert lock.is_held(files.lock_of(path))
    assert not lock.is_held(files.lock_of(path))


def test_there_is_nothing_to_go_on_with(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such run"), fenced(tmp_path / "run.h5"):
        raise AssertionError("never")
    path = rows.sealed(tmp_path / "run.h5")
    with pytest.raises(InputError, match="is over"), fenced(path):
        raise AssertionError("never")
    assert rows.names_in(tmp_path) == ["run.h5"]


@pytest.mark.parametrize("anew", [False, True])
def test_one_that_was_sealed_while_somebody_waited_for_its_lock(tmp_path: Path, anew: bool) -> None:
    """The file of the lock is another one by then, of a new run of that name."""
    path, made = left(tmp_path), []
    with lock.hold(files.lock_of(path)) as held:

        def seal() -> None:
            time.sleep(0.2)
            files.remove_journal(path)
            if anew:
                made.append(rows.journal_of_run(path))
            else:
                path.write_bytes(b"")
            held.close()

        sealing = threading.Thread(target=seal)
        sealing.start()
        with pytest.raises(InputError, match="being recorded" if anew else "is over"), fenced(path):
            raise AssertionError("never")
        sealing.join()
    assert files.journal_of(path).exists() == anew
    for each in made:
        each.close()


def test_while_it_is_sealed_nobody_writes_it(tmp_path: Path) -> None:
    path = left(tmp_path)
    refused = pytest.raises(RecordError, match="cannot be gone on with")
    with closing(JournalReader(path, exclusive=True)), fenced(path) as held, refused:
        Journal.reopen(path, held, [])
    with reopened(path) as journal:
        journal.append([rows.noted()])


def test_what_its_disk_had_not_taken_comes_home(tmp_path: Path, disks: Disks) -> None:
    path = disks.path
    writer = rows.journal_of_run(path)
    polls = rows.polls(6)
    writer.append(polls[0])
    disks.full.add(disks.run)
    for some in polls[1:3]:
        writer.append(some)
    (rest,) = writer.elsewhere
    for store in (writer._home, *writer._rests):
        store.close()
    writer._lock.close()
    before = entries_in(path)
    with reopened(path) as journal:
        assert journal.elsewhere == (rest,)
        journal.append(polls[3])  # still full
        assert len(entries_in(path)) == len(before) + len(polls[3])
        disks.full.clear()
        journal.append(polls[4])
        assert journal.elsewhere == ()
    assert not rest.exists()
    assert [entry.seq for entry in entries_in(path)] == list(
        range(1, len(before) + 1 + len(polls[3] + polls[4]))
    )


def test_the_file_says_who_wrote_and_what_may_be_missing(tmp_path: Path) -> None:
    path = left(tmp_path)
    slot = Slot(path)
    slot.begin(6)
    slot.keep(4)
    slot.close()
    with fenced(path) as held:
        journal = Journal.reopen(path, held, [])
        recorder = Recorder.resume(path, journal, LEGACY)
        assert blocks_of(path) == Blocks(0, 0)
        recorder.append([rows.said(4 * rows.PER_POLL, rows.PER_POLL, block=5), rows.over()])
        assert blocks_of(path) == Blocks(0, 5)
        finished = recorder.finish("aborted", "switched off", end_kind="operator")
    assert (finished.sealed, finished.message) == (True, "")
    with h5py.File(path, "r") as file:
        assert file["entry/run_status"].asstr()[()] == "aborted"
        assert len(file["entry/samples/time"]) == 5 * rows.PER_POLL
        assert b"one may be missing" in file["entry/events/message"][()].tolist()
        assert file["entry/raw/entries/epoch"][()].tolist()[-1] == 1
        assert "recovery" not in file["entry"]
    assert rows.names_in(tmp_path) == ["run.h5", "work"]


KILLED = """
import sys, time
from pathlib import Path
from nakctl.booking.event import Event
from nakctl.booking.entry import event_entry
from nakctl.record.fence import fenced
from nakctl.record.journal import Journal

path = Path(sys.argv[1])
with fenced(path) as held:
    journal = Journal.reopen(path, held, [])
    for k in range(100_000):
        journal.append([event_entry(Event(0.0, 0, "end", 0, "", {}))])
        print(k, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_who_comes_after_may_be_killed_as_well(tmp_path: Path) -> None:
    path = left(tmp_path)
    count = len(entries_in(path))
    for turn in range(3):
        one = python(KILLED, path)
        for _ in range(5):
            one.stdout.readline()
        one.send_signal(signal.SIGKILL)
        count += 5 + len(one.communicate()[0].splitlines())
        found = entries_in(path)
        assert len(found) >= count  # nothing that was acknowledged is lost
        count = len(found)
        assert found[-1].epoch == turn + 1
    assert recover(path).status == "recovered"


# which may go on


def test_a_run_may_go_on_whose_channel_outlives_it(tmp_path: Path) -> None:
    place = {"name": "ch1", "driver": "biologic", "instrument": "SP-300", "channel": 1, "options": {}}
    assert may_go_on(left(tmp_path)) == ""  # simulated
    begun = rows.journal_with(tmp_path / "begun.h5", [rows.opening()], place=place)
    assert may_go_on(begun) == "ch1"
    stopped = rows.said(0, 5, facts={"stopped": True})
    over = rows.journal_with(tmp_path / "over.h5", [rows.opening(), [stopped]], place=place)
    assert may_go_on(over) == ""
    ended = rows.journal_with(tmp_path / "ended.h5", [rows.opening()], rows.ended(), place=place)
    assert may_go_on(ended) == ""
    files.journal_of(tmp_path / "none.h5").write_bytes(b"")
    assert may_go_on(tmp_path / "none.h5") == ""
    with sqlite3.connect(files.journal_of(begun)) as db:
        db.execute("UPDATE document SET crc = 1 WHERE name = 'header'")
    assert may_go_on(begun) == ""
