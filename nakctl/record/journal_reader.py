"""The reading end of the journal: what happened in a run so far, or until it was killed."""

from __future__ import annotations

import json
import sqlite3
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from nakctl.booking import layout
from nakctl.booking.book import Book
from nakctl.booking.entry import Entry, Kind
from nakctl.booking.table import Table
from nakctl.device import program_json
from nakctl.errors import RecordError
from nakctl.record import files, journal_v1, packing
from nakctl.record.packing import VERSION, Unlike

_BATCH = 256
_END = {"status", "end_reason", "facts", "entries"}

# The latter: of a damaged file SQLite may quote names that are no text in its errors.
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)


class JournalDamage(RecordError):
    """The journal cannot be read beyond entry `good`."""

    def __init__(self, good: int, reason: str) -> None:
        self.good = good
        self.reason = reason
        super().__init__(f"the journal is damaged after entry {good}: {reason}")


def is_empty(path: Path) -> bool:
    """Whether the journal of NAME.h5 never got its header: its run was killed while it was being started."""
    return _holds_nothing(files.journal_of(path))


def _holds_nothing(file: Path) -> bool:
    try:
        with closing(sqlite3.connect(file)) as db:
            return bool(db.execute("SELECT count(*) = 0 FROM sqlite_master").fetchone()[0])
    except _UNREADABLE:
        return False


class JournalReader:
    """The reading end: while the run goes on, and afterwards. What a full disk did not take, and lies
    elsewhere, is read with it.

    header  as it was given to `create`, with the number of the process that writes (pid)
    tables  the layout of the rows that are booked from it
    Raises JournalDamage, a RecordError, if not even the header can be read.
    """

    def __init__(self, path: Path, *, exclusive: bool = False) -> None:
        """exclusive: keep every other sealer out until `close` (or until this process is gone)."""
        self.path = path
        self._db = _connected(files.journal_of(path), exclusive=exclusive)
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
        header = _document(self._db, "header")
        if header is None:
            raise JournalDamage(0, "it ends before its header")
        self.header: dict[str, Any] = header
        self._unpacking: packing.Unpacking | journal_v1.Unpacking
        try:
            if "journal" not in header:
                self._unpacking = journal_v1.Unpacking(header)
                self.tables: dict[str, Table] = self._unpacking.tables
            elif header["journal"] == VERSION:
                self._unpacking = packing.Unpacking(header.get("rows") or {})
                self.tables = layout.tables(header)
            else:
                reason = f"it is of version {header['journal']}: a newer nakctl wrote it"
                raise JournalDamage(0, reason)
        except Unlike as error:
            raise JournalDamage(0, str(error)) from error

    def program(self) -> dict[str, Any] | None:
        """As it can be loaded again; None in a journal of the first version."""
        return _document(self._db, "program") if "journal" in self.header else None

    def book(self) -> Book:
        """An empty one for this run. JournalDamage: its program cannot be read."""
        told = self.program()
        if told is None and "journal" in self.header:
            raise JournalDamage(0, "it ends before its program")
        try:
            program = None if told is None else program_json.load(told)
        except RecordError as error:
            raise JournalDamage(0, str(error)) from error
        return Book(program, self.tables["samples"].dtype)

    def end(self) -> dict[str, Any] | None:
        """status, end_reason, facts, entries, and unless the journal is older than these end_kind, end_id,
        end_value. None as long as the run was not ended in order.
        """
        end = _document(self._db, "end")
        if end is None:
            end = next((each for rest in self._rests() if (each := _document_in(rest, "end"))), None)
        if end is None:
            return None
        if "polls" in end:  # as the first version called them
            end["entries"] = end.pop("polls")
        if not (end.keys() >= _END and isinstance(end["facts"], dict)):
            raise JournalDamage(0, "its end is not that of a run")
        return end

    def memo(self) -> dict[str, Any] | None:
        """seq, segment and memo of the newest block that has one."""
        memos = (_document(self._db, "memo"), *(_document_in(rest, "memo") for rest in self._rests()))
        return max((memo for memo in memos if memo), key=lambda memo: int(memo["seq"]), default=None)

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """All entries there are after number `after`, in order; JournalDamage at the first bad one."""
        while True:
            rests = self._rests()
            try:
                for entry in self._entries_in(self._db, after):
                    after = entry.seq
                    yield entry
                for rest in rests:
                    with closing(_connected(rest)) as db:
                        for entry in self._entries_in(db, after):
                            after = entry.seq
                            yield entry
            except JournalDamage:
                if self._rests() == rests:
                    raise
                continue  # one was brought home meanwhile
            return

    def latest(self, *kinds: Kind) -> Iterator[Entry]:
        """Entries of these kinds, the newest first, whatever lies in between. JournalDamage at a bad one."""
        before = sys.maxsize
        for file in (*reversed(self.elsewhere()), None):
            with closing(_connected(file or files.journal_of(self.path))) as db:
                for entry in self._latest_in(db, kinds, before):
                    before = entry.seq
                    yield entry

    def elsewhere(self) -> list[Path]:
        """Files with what the journal's disk did not take, in the order of what they hold."""
        return self._rests()

    def rests(self) -> list[Path]:
        """Files of the same run with what its disk did not take, or that were made for it."""
        places = files.rests_of(self.path, str(self.header.get("run_id", "")))
        found = self._rests()
        others = (place for place in places if place.exists() and place not in found)
        return [*found, *(place for place in others if _holds_nothing(place))]

    def close(self) -> None:
        self._db.close()

    def _rests(self) -> list[Path]:
        """Those that hold something, in the order of what they hold."""
        found: list[tuple[int, Path]] = []
        for place in files.rests_of(self.path, str(self.header.get("run_id", ""))):
            if not place.exists() or place == files.journal_of(self.path):
                continue
            try:
                with closing(_connected(place)) as db:
                    header = _document(db, "header")
                    if header is not None and header.get("run_id") == self.header.get("run_id"):
                        table = "entry" if "journal" in self.header else "poll"
                        first = db.execute(f"SELECT min(seq) FROM {table}").fetchone()[0]
                        found.append((first or 0, place))
            except (RecordError, *_UNREADABLE):  # one that is being made, or is no store
                continue
        return [place for _, place in sorted(found)]

    def _latest_in(self, db: sqlite3.Connection, kinds: tuple[Kind, ...], before: int) -> Iterator[Entry]:
        marks = ", ".join("?" * len(kinds))
        select = f"SELECT {packing.COLUMNS} FROM entry WHERE seq < ? AND kind IN ({marks}) ORDER BY seq DESC"
        try:
            for row in db.execute(select, (before, *kinds)):
                yield self._unpacking.entry(row)
        except (*_UNREADABLE, ValueError, TypeError, OverflowError) as error:
            raise JournalDamage(0, str(error)) from error

    def _entries_in(self, db: sqlite3.Connection, after: int) -> Iterator[Entry]:
        select = getattr(self._unpacking, "select", packing.SELECT)
        while True:
            try:
                batch = db.execute(select, (after, _BATCH)).fetchall()
            except _UNREADABLE as error:
                raise JournalDamage(after, str(error)) from error
            for row in batch:
                try:
                    entry = self._unpacking.entry(row)
                except (Unlike, ValueError, TypeError, OverflowError) as error:
                    reason = str(error) if isinstance(error, Unlike) else "its content makes no sense"
                    raise JournalDamage(after, f"the next one is not as it was written: {reason}") from error
                if entry.seq != after + 1:
                    raise JournalDamage(after, f"the next one is number {entry.seq}")
                after = entry.seq
                yield entry
            if len(batch) < _BATCH:
                return


def _connected(file: Path, *, exclusive: bool = False) -> sqlite3.Connection:
    """JournalDamage: it cannot be opened."""
    uri = f"{file.resolve().as_uri()}?mode={'rw' if exclusive else 'ro'}"
    try:
        return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=60.0)
    except _UNREADABLE as error:
        raise JournalDamage(0, str(error)) from error


def _document_in(rest: Path, name: str) -> dict[str, Any] | None:
    """None as well if the file is no longer there: what it held was brought home."""
    try:
        db = _connected(rest)
    except JournalDamage:
        if rest.exists():
            raise
        return None
    with closing(db):
        return _document(db, name)


def _document(db: sqlite3.Connection, name: str) -> dict[str, Any] | None:
    """JournalDamage if it is there and not as it was written."""
    try:
        row = db.execute("SELECT json, crc FROM document WHERE name = ?", (name,)).fetchone()
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
