"""One SQLite file that keeps entries: the journal of a run, or what its disk did not take.

In WAL mode, one transaction per call. SQLite repairs torn writes, full disks and power cuts by itself; a
checksum per entry finds what it does not look for. Whoever else locks it is never waited for.
"""

from __future__ import annotations

import errno
import re
import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path

from nakctl.record import files
from nakctl.record.packing import INSERT, SCHEMA, SELECT, Row

Documents = Mapping[str, bytes]
_BY_HDF5 = re.compile(r"error message = '([^']+)'")
_NO_ROOM = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


class Store:
    """An open one; used by one thread at a time. Everything that touches the disk: sqlite3.Error, OSError."""

    def __init__(self, file: Path, db: sqlite3.Connection) -> None:
        self.file = file
        self._db = db
        self._places = _places_of(file)

    @classmethod
    def create(cls, file: Path, documents: Documents) -> Store:
        """file: empty, or not there. Either it holds the documents afterwards, or nothing."""
        db = _connected(file)
        try:
            if db.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
                raise sqlite3.OperationalError("no write-ahead log is possible here (a network folder?)")
            db.execute("PRAGMA synchronous = FULL")
            with db:
                db.execute("BEGIN")
                for statement in SCHEMA:
                    db.execute(statement)
                _write_documents(db, documents)
            return cls(file, db)
        except (sqlite3.Error, OSError):
            db.close()
            raise

    @classmethod
    def reopen(cls, file: Path) -> Store:
        """One that another process had made. Nobody may be writing it, or keep others from that."""
        if not file.exists():
            raise FileNotFoundError(errno.ENOENT, "there is no such file", str(file))
        db = _connected(file)
        try:
            db.execute("BEGIN IMMEDIATE")
            db.execute("ROLLBACK")
            db.execute("SELECT count(*) FROM document").fetchone()  # which makes the log
            return cls(file, db)
        except (sqlite3.Error, OSError):
            db.close()
            raise

    def write(self, rows: Iterable[Row], documents: Documents, *, durable: bool) -> None:
        """Rows of entries, and documents by name, in one transaction; on failure nothing of it is there.

        durable  returns when the disk has it. Then it goes into the file itself, too, and not only into the
                 log: so a copy of that file alone lacks a moment at the most
        """
        self._db.rollback()  # nothing, unless Ctrl-C came at a bad moment
        self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(INSERT, rows)
            _write_documents(self._db, documents)
        if durable:
            with suppress(sqlite3.Error):  # it is in the log, which is as safe
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def confirm(self) -> bool:
        """Bring what was written without waiting for the disk to the disk, and into the file itself. False:
        not all of it, because somebody reads.
        """
        self._db.rollback()  # as in `write`
        self._db.execute("PRAGMA synchronous = FULL")
        busy, written, folded = self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return not busy and bool(written == folded)

    def last(self) -> int:
        """Number of its last entry, 0 if it has none."""
        self._db.rollback()  # as in `write`: what was begun and not ended is not there
        return int(self._db.execute("SELECT max(seq) FROM entry").fetchone()[0] or 0)

    def epoch(self) -> int:
        """Of the last who wrote."""
        self._db.rollback()  # as in `write`
        return int(self._db.execute("SELECT max(epoch) FROM entry").fetchone()[0] or 0)

    def document(self, name: str) -> bytes | None:
        """As it was written."""
        row = self._db.execute("SELECT json FROM document WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def rows(self, after: int, count: int) -> list[Row]:
        """Entries as they lie there."""
        return self._db.execute(SELECT, (after, count)).fetchall()

    def has_vanished(self) -> bool:
        """The file, or its log, was moved, deleted or replaced while it is written."""
        try:
            return _places_of(self.file) != self._places
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:  # a disk that does not answer: what `restore` removes may well be there
            return False

    def restore(self) -> None:
        """Write all of a store that vanished anew, where it was.

        The files that were opened are still whole, wherever their names went (Windows does not let go of a
        name in use): everything is copied from there, and has the name only once it is complete.
        """
        whole = files.restored_of(self.file)
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self._db.rollback()  # as in `write`
            whole.unlink(missing_ok=True)
            with closing(sqlite3.connect(whole)) as copy:
                self._db.backup(copy)
            files.sync_file(whole)
            self._remove_logs(but_ours=True)
            whole.replace(self.file)
            files.sync_folder(self.file.parent)
            self._remove_logs(but_ours=False)
            fresh = _connected(self.file)
            fresh.execute("PRAGMA journal_mode = WAL")
            fresh.execute("SELECT count(*) FROM document").fetchone()  # which makes the log
            places = _places_of(self.file)
        except (sqlite3.Error, OSError):
            with suppress(OSError):
                whole.unlink(missing_ok=True)
            raise
        gone, self._db, self._places = self._db, fresh, places
        gone.close()

    def close(self) -> None:
        """With its log folded into the file, which can be moved by itself then, whoever reads it still."""
        with suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.close()

    def remove(self) -> None:
        self._db.close()
        files.remove_store(self.file)

    def _remove_logs(self, *, but_ours: bool) -> None:
        """Beside a new file another one's log would be taken for its own. Ours says what it says."""
        for log, place in zip(_files_of(self.file)[1:], self._places[1:], strict=True):
            with suppress(FileNotFoundError):
                if not (but_ours and _place_of(log) == place):
                    log.unlink()


def is_no_room(error: sqlite3.Error | OSError) -> bool:
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL


def reason_of(error: Exception) -> str:
    """For a sentence. What the system said to HDF5 stands amidst much else that it tells."""
    text = (isinstance(error, OSError) and error.strerror) or str(error)
    system = _BY_HDF5.search(text)
    return text if system is None else system[1]


def _connected(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, isolation_level=None, timeout=0.0, check_same_thread=False)


def _write_documents(db: sqlite3.Connection, documents: Documents) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO document VALUES (?, ?, ?)",
        [(name, content, zlib.crc32(content)) for name, content in documents.items()],
    )


def _files_of(file: Path) -> tuple[Path, Path, Path]:
    """Those that SQLite keeps open."""
    return file, Path(f"{file}-wal"), Path(f"{file}-shm")


def _places_of(file: Path) -> tuple[tuple[int, int], ...]:
    return tuple(map(_place_of, _files_of(file)))


def _place_of(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_dev, found.st_ino
