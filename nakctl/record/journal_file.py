"""How a journal lies on the disk: its files, who has them, and what is in them from the start."""

from __future__ import annotations

import errno
import os
import sqlite3
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from nakctl.errors import InputError, RecordError
from nakctl.record import files, lock
from nakctl.record.poll import block_columns, packed
from nakctl.record.table import Table, to_json


def is_no_room(error: sqlite3.Error | OSError) -> bool:
    if isinstance(error, OSError):
        return error.errno == errno.ENOSPC
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL


def files_of(path: Path) -> tuple[Path, Path, Path]:
    """Those that SQLite keeps open as long as the journal is."""
    journal = files.journal_of(path)
    return journal, Path(f"{journal}-wal"), Path(f"{journal}-shm")


def places_of(path: Path) -> tuple[tuple[int, int], ...]:
    """Which files those names mean. OSError."""
    return tuple(map(place_of, files_of(path)))


def place_of(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_dev, found.st_ino


def claim(path: Path) -> BinaryIO:
    """Make the journal's file, empty, unless it is there: of two runs of one name only one may go on.

    Returns the lock. It is taken first: whoever meets a journal that is not locked may recover and remove it.
    """
    try:
        held = lock.hold(files.lock_of(path))
    except BlockingIOError as error:
        raise InputError(f"{path} is being recorded by another process") from error
    except OSError as error:
        raise RecordError(f"nothing can be written into {path.parent}: {error}") from error
    try:
        files.journal_of(path).open("xb").close()
    except OSError as error:
        held.close()
        files.refuse_existing(path)
        raise RecordError(f"nothing can be written into {path.parent}: {error}") from error
    return held


def connected(path: Path) -> sqlite3.Connection:
    """Whoever else locks it is never waited for: the rows wait instead. One thread at a time uses it."""
    return sqlite3.connect(files.journal_of(path), isolation_level=None, timeout=0.0, check_same_thread=False)


def prepared(path: Path, tables: Mapping[str, Table], header: Mapping[str, Any]) -> sqlite3.Connection:
    """A new journal with its header, or nothing."""
    kept = dict(header) | {"tables": to_json(tables.values()), "pid": os.getpid()}
    blocks = ", ".join(f"{name} BLOB" for name in block_columns(tables))
    db = connected(path)
    try:
        if db.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
            raise sqlite3.OperationalError("no write-ahead log is possible here (a network folder?)")
        db.execute("PRAGMA synchronous = FULL")
        with db:
            db.execute("BEGIN")
            db.execute("CREATE TABLE document (name TEXT PRIMARY KEY, json BLOB, crc INTEGER)")
            db.execute(f"CREATE TABLE poll (seq INTEGER PRIMARY KEY, crc INTEGER, events BLOB, {blocks})")
            write_document(db, "header", packed(kept))
    except sqlite3.Error:
        db.close()
        raise
    return db


def write_document(db: sqlite3.Connection, name: str, content: bytes) -> None:
    db.execute("INSERT OR REPLACE INTO document VALUES (?, ?, ?)", (name, content, zlib.crc32(content)))
