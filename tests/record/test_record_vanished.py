"""Journals that are moved, deleted or replaced under the run, and others that lock them."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import pytest
import record_rows as rows
from forked_helpers import python
from record_disks import Disks
from record_reading import rows_until_damage

from nakctl.errors import RecordError
from nakctl.record import files, journal
from nakctl.record.journal import Journal
from nakctl.record.read import open_run
from nakctl.record.recorder import Recorder
from nakctl.record.store import Store

no_windows = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows lets nobody move or delete an open file"
)


def filled(path: Path) -> Journal:
    """With 60 rows."""
    writer = rows.journal_of_run(path)
    for number in range(20):
        writer.append([rows.said(3 * number, 3)])
    return writer


@no_windows
@pytest.mark.parametrize("how", ["moved", "deleted", "with its folder"])
def test_a_journal_that_vanishes_is_written_anew_whole(tmp_path: Path, how: str) -> None:
    path = tmp_path / "runs" / "x.h5"
    path.parent.mkdir()
    writer = filled(path)
    assert not writer.has_vanished()
    if how == "moved":
        files.journal_of(path).rename(tmp_path / "elsewhere")
    elif how == "deleted":
        files.journal_of(path).unlink()
    else:
        shutil.rmtree(path.parent)
    assert writer.has_vanished()
    writer.restore()
    assert not writer.has_vanished()
    writer.append([rows.said(60, 3)])
    writer.end(rows.ended())
    writer.close()
    assert rows_until_damage(path) == (63, "")


def make_away_with(file: Path, how: str) -> None:
    """As people and other programs do it."""
    if how == "moved":
        file.rename(f"{file}.elsewhere")
    else:
        file.unlink()
    if how == "replaced":
        file.write_bytes(b"something else " * 1000)


@no_windows
@pytest.mark.parametrize("how", ["moved", "deleted", "replaced"])
@pytest.mark.parametrize("which", [("-wal",), ("-shm",), ("-wal", "-shm"), ("",), ("", "-wal", "-shm")])
@pytest.mark.parametrize("watched", [False, True])
def test_any_file_of_the_journal_that_vanishes_is_noticed_and_nothing_lost(
    tmp_path: Path, which: tuple[str, ...], how: str, watched: bool
) -> None:
    """watched: another process, as the live view, has the journal open, so that closing it folds nothing."""
    path = tmp_path / "x.h5"
    writer = filled(path)
    with watching(path) if watched else nullcontext():
        for end in which:
            make_away_with(Path(f"{files.journal_of(path)}{end}"), how)
        assert writer.has_vanished()
        writer.restore()
        assert not writer.has_vanished()
        writer.append([rows.said(60, 3)])
        assert not writer.has_vanished()
        writer.end(rows.ended())
        writer.close()
    assert rows_until_damage(path) == (63, "")
    assert [name for name in rows.names_in(tmp_path) if name.endswith(".new")] == []


@no_windows
def test_what_is_kept_elsewhere_is_written_anew_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_ELSEWHERE_AFTER_S", -1.0)
    path = tmp_path / "x.h5"
    writer = filled(path)
    with closing(sqlite3.connect(files.journal_of(path), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writer.append([rows.said(60, 3)])
    (rest,) = writer.elsewhere
    rest.unlink()
    assert writer.has_vanished()
    writer.restore()
    assert not writer.has_vanished() and rest.exists()
    writer.append([rows.said(63, 3)])
    assert rows_until_damage(path) == (66, "")
    writer.end(rows.ended())
    writer.close()
    assert rows_until_damage(path) == (66, "")


@no_windows
def test_where_the_disk_has_no_room_for_a_new_journal_what_was_set_aside_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.h5"
    writer = rows.journal_of_run(path)
    writer.append([rows.said(0, 3)])
    Path(f"{files.journal_of(path)}-wal").unlink()

    def synced(file: Path) -> None:
        if files.reserve_of(path).exists():
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "sync_file", synced)
    writer.restore()
    writer.end(rows.ended())
    writer.close()
    assert rows_until_damage(path) == (3, "")


@no_windows
def test_a_journal_that_nothing_can_take_the_place_of_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.h5"
    writer = filled(path)
    Path(f"{files.journal_of(path)}-wal").unlink()

    def refuses(file: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(files, "sync_file", refuses)
        with pytest.raises(
            RecordError, match=r"vanished, and none can be written in its place: .*Input/output"
        ):
            writer.restore()
    writer.restore()  # and the next time nothing is lost
    writer.end(rows.ended())
    writer.close()
    assert rows_until_damage(path) == (60, "")


@contextmanager
def watching(path: Path) -> Iterator[None]:
    other = python(WATCHING, f"file:{files.journal_of(path)}?mode=ro", stdin=subprocess.PIPE)
    assert other.stdout.readline().strip() == "20"
    try:
        yield
    finally:
        other.stdin.close()
        other.communicate()


WATCHING = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], uri=True)
print(db.execute("SELECT count(*) FROM entry").fetchone()[0], flush=True)
sys.stdin.read()
"""


def test_nobody_is_waited_for_who_locks_the_journal(tmp_path: Path) -> None:
    """Rows wait, and are written as soon as the lock is gone."""
    path = tmp_path / "x.h5"
    writer = rows.journal_of_run(path)
    with closing(sqlite3.connect(files.journal_of(path), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writer.append([rows.said(0, 3)])
        assert "locked" in writer.trouble
        assert (len(writer.waiting), writer.elsewhere) == (1, ())
        other.execute("ROLLBACK")
    writer.append([rows.said(3, 3)])
    assert (writer.trouble, len(writer.waiting)) == ("", 0)
    writer.end(rows.ended())
    writer.close()
    assert rows_until_damage(path) == (6, "")


def test_what_is_handed_over_when_it_cannot_be_written_anew_is_kept_elsewhere(
    disks: Disks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its disk is gone: the run ends, with all that was fetched."""

    def gone(store: Store) -> None:
        raise OSError(errno.EIO, "the disk does not answer")

    recorder = Recorder.create(disks.path, rows.header(), rows.PROGRAM_JSON, watched=False)
    recorder.append([*rows.opening(), rows.said(0, 10)])
    monkeypatch.setattr(Store, "restore", gone)
    monkeypatch.setattr(Store, "has_vanished", lambda store: True)
    disks.fill(disks.run)
    with pytest.raises(RecordError, match="none can be written in its place"):
        recorder.append([rows.said(10, 10)])
    assert recorder.finish("interrupted", "the journal vanished").sealed
    with open_run(disks.path) as run:
        assert run.samples.I.tobytes() == rows.samples(0, 20)["I"].tobytes()
