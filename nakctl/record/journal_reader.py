"""The reading end of the journal: what a run has recorded so far, or had when it was killed."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from nakctl.errors import RecordError
from nakctl.record import files
from nakctl.record.poll import Poll, block_columns
from nakctl.record.table import from_json

_BATCH = 64
_END = {"status", "end_reason", "facts", "polls"}


# The latter: of a damaged file SQLite may quote names that are no text in its errors.
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)


class JournalDamage(RecordError):
    """The journal cannot be read beyond poll `good`."""

    def __init__(self, good: int, reason: str) -> None:
        self.good = good
        self.reason = reason
        super().__init__(f"the journal is damaged after poll {good}: {reason}")


def is_empty(path: Path) -> bool:
    """Whether the journal of NAME.h5 never got its header: its run was killed while it was being started."""
    try:
        with closing(sqlite3.connect(files.journal_of(path))) as db:
            return bool(db.execute("SELECT count(*) = 0 FROM sqlite_master").fetchone()[0])
    except _UNREADABLE:
        return False


class JournalReader:
    """The reading end: while the run goes on, and afterwards.

    header  as it was given to `create`, with the number of the process that writes (pid)
    tables  the layout of the rows at the time they were written
    Raises JournalDamage, a RecordError, if not even the header can be read.
    """

    def __init__(self, path: Path, *, exclusive: bool = False) -> None:
        """exclusive: keep every other sealer out until `close` (or until this process is gone)."""
        self.path = path
        mode = "rw" if exclusive else "ro"
        uri = f"{files.journal_of(path).resolve().as_uri()}?mode={mode}"
        try:
            self._db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=60.0)
        except _UNREADABLE as error:
            raise JournalDamage(0, str(error)) from error
        try:
            self._start(exclusive)
        except RecordError:
            self._db.close()
            raise

    def _start(self, exclusive: bool) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE" if exclusive else "PRAGMA query_only = 1")
        except _UNREADABLE as error:
            raise JournalDamage(0, str(error)) from error
        header = self._document("header")
        if header is None:
            raise JournalDamage(0, "it ends before its header")
        self.header: dict[str, Any] = header
        try:
            self.tables = from_json(header["tables"])
        except (KeyError, TypeError, AttributeError) as error:
            raise JournalDamage(0, "its header does not describe its tables") from error
        self._columns = block_columns(self.tables)
        self._select = (
            f"SELECT seq, crc, events, {', '.join(self._columns)} FROM poll "
            f"WHERE seq > ? ORDER BY seq LIMIT {_BATCH}"
        )

    def end(self) -> dict[str, Any] | None:
        """status, end_reason, facts, polls, and unless the journal is older than these end_kind, end_id,
        end_value. None as long as the run was not ended in order.
        """
        end = self._document("end")
        if end is not None and not (end.keys() >= _END and isinstance(end["facts"], dict)):
            raise JournalDamage(0, "its end is not that of a run")
        return end

    def polls(self, after: int = 0) -> Iterator[Poll]:
        """All polls there are after number `after`, in order; JournalDamage at the first bad one."""
        while True:
            try:
                batch = self._db.execute(self._select, (after,)).fetchall()
            except _UNREADABLE as error:
                raise JournalDamage(after, str(error)) from error
            for row in batch:
                yield self._checked(row, after)
                after += 1
            if len(batch) < _BATCH:
                return

    def close(self) -> None:
        self._db.close()

    def _checked(self, row: tuple[Any, ...], after: int) -> Poll:
        seq, crc, *parts = row
        if seq != after + 1:
            raise JournalDamage(after, f"the next poll is number {seq}")
        if not all(part is None or isinstance(part, bytes) for part in parts):
            raise JournalDamage(after, "the next poll is of another type than it was written")
        events, *blocks = parts
        named = zip(self._columns, blocks, strict=True)
        present = {name: block for name, block in named if block is not None}
        poll = Poll(seq, events or b"", present)
        if poll.crc != crc:
            raise JournalDamage(after, "the checksum of the next poll is wrong")
        return poll

    def _document(self, name: str) -> dict[str, Any] | None:
        """JournalDamage if it is there and not as it was written."""
        try:
            row = self._db.execute("SELECT json, crc FROM document WHERE name = ?", (name,)).fetchone()
        except _UNREADABLE as error:
            raise JournalDamage(0, str(error)) from error
        if row is None:
            return None
        if not isinstance(row[0], bytes) or zlib.crc32(row[0]) != row[1]:
            raise JournalDamage(0, f"the checksum of its {name} is wrong")
        try:
            found = json.loads(row[0])
        except ValueError as error:
            raise JournalDamage(0, f"its {name} is no JSON") from error
        if not isinstance(found, dict):
            raise JournalDamage(0, f"its {name} is no table of values")
        return found
