"""What may be missing after a sudden end is known: blocks that were begun, and not kept."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import h5py
import pytest
import record_rows as rows
from forked_helpers import done

from nakctl.errors import RecordError
from nakctl.record import files, slot
from nakctl.record.read import open_run
from nakctl.record.recorder import Recorder
from nakctl.record.recover import recover
from nakctl.record.seal import seal
from nakctl.record.slot import Blocks, Slot, blocks_of

posix = pytest.mark.skipif(os.name != "posix", reason="SIGKILL")


def test_the_counters_are_seen_as_they_are_set(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    writer = Slot(path)
    assert files.slot_of(path).stat().st_size == slot.SIZE
    assert blocks_of(path) == Blocks(0, 0)
    writer.begin(1)
    assert blocks_of(path) == Blocks(1, 0)
    writer.keep(1)
    writer.begin(2**40)
    assert blocks_of(path) == Blocks(2**40, 1)
    assert Blocks(7, 4).missing == 3
    assert Blocks(4, 4).missing == Blocks(3, 4).missing == 0
    writer.close()
    assert blocks_of(path) == Blocks(2**40, 1)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x" * slot.SIZE,
        b"nakctl\0\0" + b"\1" * 100,
        b"nakctl\0\0\3" + b"\0" * 8183,
        b"nakctl\0\0\2" + b"\0" * 4087,
    ],
)
def test_a_slot_that_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.h5"
    assert blocks_of(path) is None
    files.slot_of(path).write_bytes(content)
    assert blocks_of(path) is None


def test_without_room_for_it_no_run_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(slot.mmap, "mmap", refuses)
    with pytest.raises(RecordError, match=r"run\.h5\.slot cannot be written: No space left on device"):
        Recorder.create(tmp_path / "run.h5", rows.header(), rows.PROGRAM_JSON)
    assert rows.names_in(tmp_path) == []


KILLED = """
import os, signal, sys
from pathlib import Path
import record_rows as rows
from nakctl.record.recorder import Recorder

recorder = Recorder.create(Path(sys.argv[1]), rows.header(), rows.PROGRAM_JSON)
recorder.append(rows.opening())
kept, ahead = int(sys.argv[2]), int(sys.argv[3])
for k in range(kept):
    recorder.begin_block(k + 1)
    recorder.append([rows.said(k * 10, 10)])
recorder.begin_block(kept + ahead)
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(path: Path, kept: int, ahead: int) -> None:
    assert done(KILLED, path, str(kept), str(ahead), helpers=True).returncode == -signal.SIGKILL


@posix
@pytest.mark.parametrize(
    ("ahead", "text"),
    [
        (0, ""),
        (1, "one block of rows may be missing at the end: the program ended while it fetched or kept them"),
        (3, "3 blocks of rows may be missing at the end: the program ended while it fetched or kept them"),
    ],
)
def test_what_a_killed_run_may_lack_stands_in_its_file(tmp_path: Path, ahead: int, text: str) -> None:
    path = tmp_path / "run.h5"
    killed(path, 6, ahead)
    assert blocks_of(path) == Blocks(6 + ahead, 6)
    assert recover(path).rows == 60
    for again in (False, True):  # and stays there when it is booked anew
        recover(path, again=again)
        with open_run(path) as run:
            gaps = [
                (event, time)
                for event, code, time in zip(
                    run.events.message, run.events.code, run.events.time, strict=True
                )
                if code == "gap"
            ]
            assert gaps == ([(text, 14.75)] if ahead else [])
            assert run.header.gaps == len(gaps)
    with h5py.File(path) as file:
        whole = file["entry/events/json"].asstr()[-1]
        assert (f'"blocks": {ahead}' in whole) == bool(ahead)
    assert rows.names_in(tmp_path) == ["run.h5"]


def left(path: Path, begun: int, kept: int, *, end: bool) -> Path:
    rows.journal_only(path, 6, end=end)
    writer = Slot(path)
    writer.begin(begun)
    writer.keep(kept)
    writer.close()
    return path


def gaps_of(path: Path) -> int:
    seal(path)
    with open_run(path) as run:
        return run.header.gaps


def test_a_run_that_ended_in_order_lacks_nothing(tmp_path: Path) -> None:
    """Whatever the counters say: its end was written after all that was kept."""
    assert gaps_of(left(tmp_path / "run.h5", 9, 6, end=True)) == 0
    assert gaps_of(left(tmp_path / "killed.h5", 9, 6, end=False)) == 1


def test_of_a_damaged_journal_it_says_nothing(tmp_path: Path) -> None:
    """There the damage is told, and more may be missing than was never written."""
    path = left(tmp_path / "run.h5", 7, 6, end=False)
    with closing(sqlite3.connect(files.journal_of(path))) as db, db:
        db.execute("UPDATE entry SET crc = 0 WHERE seq = 8")
    assert gaps_of(path) == 0


def test_a_run_from_before_there_was_one(tmp_path: Path) -> None:
    path = left(tmp_path / "run.h5", 7, 6, end=False)
    files.slot_of(path).unlink()
    assert gaps_of(path) == 0


def test_what_the_disk_takes_late_is_kept_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.h5"
    monkeypatch.setattr(files, "rests_of", lambda path, run_id: [])
    recorder = Recorder.create(path, rows.header(), rows.PROGRAM_JSON)
    recorder.append(rows.opening())
    with closing(sqlite3.connect(files.journal_of(path), isolation_level=None)) as other:
        recorder.begin_block(1)
        recorder.append([rows.said(0, 10)])
        assert blocks_of(path) == Blocks(1, 1)
        other.execute("BEGIN IMMEDIATE")
        for k in (1, 2):
            recorder.begin_block(k + 1)
            recorder.append([rows.said(k * 10, 10)])
        assert blocks_of(path) == Blocks(3, 1)
        other.execute("ROLLBACK")
    recorder.tick()
    assert blocks_of(path) == Blocks(3, 3)
    assert recorder.finish("completed", "").sealed
