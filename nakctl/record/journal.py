"""The journal: everything a run records, safe on the disk before anything else is done with it.

A SQLite database in WAL mode, `NAME.h5.journal`. One poll of the instrument is one row and one transaction,
so all tables of the poll become visible together; each table of the poll is one block of packed rows,
which is as fast as appending to a plain file. SQLite repairs torn writes, full disks and power cuts by
itself; a checksum per poll finds what it does not look for.

    document(name, json, crc)                     header, and end once the run is over
    poll(seq, crc, events, samples, impedance, …)  blocks of rows as `layout` describes them; NULL: none

Loss: kill -9 takes what was not yet appended. A power cut takes at most the last second.
"""

from __future__ import annotations

import math
import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from nakctl.errors import RecordError
from nakctl.record import files, layout, lock
from nakctl.record.journal_file import (
    claim,
    connected,
    files_of,
    is_no_room,
    place_of,
    places_of,
    prepared,
    write_document,
)
from nakctl.record.poll import Event, Poll, block_columns, packed
from nakctl.record.table import Table

MEMORY_BUDGET_BYTES = 64 << 20
# How long a commit may wait for the disk to confirm it: ordinary rows, and ends of steps and events. A dry
# run ends thousands of steps a second, which is why even those are not confirmed one by one.
_DURABLE_S = 1.0
_URGENT_S = 0.1
_PATIENCE_AT_THE_END_S, _PAUSE_S = 10.0, 0.1  # with whoever else locks the journal
_REQUIRED = {"format", "run_id", "start_time", "title"}


class Journal:
    """The writing end. Made by `create`, used by one thread at a time."""

    def __init__(
        self,
        path: Path,
        held: BinaryIO,
        db: sqlite3.Connection,
        tables: dict[str, Table],
        header: Mapping[str, Any],
    ) -> None:
        self._path = path
        self._header = dict(header)
        self._lock = held
        self._places = places_of(path)
        self._ballast = files.ballast_of(path)
        self._db = db
        self._tables = tables
        self._written = 0  # number of the last poll that is in the file
        self._waiting: list[Poll] = []
        self._end: bytes | None = None  # the document, once the run is over
        self._durable_at = time.monotonic()
        self._urgent = False
        self._columns = block_columns(tables)
        marks = ", ".join("?" * (len(self._columns) + 3))
        # Ctrl-C may come after a commit and before it is booked: then the same is written once more.
        self._insert = (
            f"INSERT OR REPLACE INTO poll (seq, crc, events, {', '.join(self._columns)}) VALUES ({marks})"
        )

    @classmethod
    def create(cls, path: Path, header: Mapping[str, Any]) -> Journal:
        """Start the journal of NAME.h5, after all checks that can be made before a run.

        header  see `nakctl.record.recorder`; expected_rows is used for the check of the disk
        Raises InputError if NAME.h5 or its journal exists, RecordError if the disk cannot hold the run.
        """
        if missing := _REQUIRED - header.keys():
            raise ValueError(f"the header of a run needs {', '.join(sorted(missing))}")
        datetime.fromisoformat(header["start_time"])  # now, and not when the file is to be sealed
        files.refuse_existing(path)
        files.refuse_network_share(path)
        files.refuse_full_disk(path, int(header.get("expected_rows", 0)))
        tables = layout.tables(header)
        held = claim(path)
        try:
            files.make_ballast(path)
            return cls(path, held, prepared(path, tables, header), tables, header)
        except (sqlite3.Error, OSError) as error:
            held.close()
            files.remove_journal(path)
            raise RecordError(f"{files.journal_of(path)} could not be started: {error}") from error

    def append(self, tables: Mapping[str, npt.NDArray[np.void]], events: Sequence[Event] = ()) -> str | None:
        """Add what one poll brought, as one transaction.

        Returns None, or why it could not be written (a full disk): then it waits in memory, and every
        further append tries again. RecordError once more than 64 MB wait.
        """
        self._take(tables, events)
        return self._flush() if self._waiting else None

    def end(
        self,
        status: str,
        end_reason: str,
        facts: Mapping[str, Any],
        *,
        end_kind: str = "",
        end_id: int = 0,
        end_value: float = math.nan,
        events: Sequence[Event] = (),
    ) -> None:
        """Say that nothing more comes; what still waits is written with it. RecordError if that fails."""
        self._take({}, events)
        end = {"status": status, "end_reason": end_reason, "facts": dict(facts), "polls": self._last()}
        value = None if math.isnan(end_value) else end_value
        end |= {"end_kind": end_kind, "end_id": end_id, "end_value": value}
        self._end = packed(end)
        self._urgent, self._durable_at = True, -float("inf")
        until = time.monotonic() + _PATIENCE_AT_THE_END_S
        while trouble := self._flush(self._end):
            if time.monotonic() > until:
                raise RecordError(f"the end of the run could not be written: {trouble}")
            time.sleep(_PAUSE_S)

    def waiting_times_s(self) -> list[float]:
        """Of the samples that are not written."""
        table = self._tables["samples"]
        return [time_s for poll in self._waiting for time_s in poll.rows(table)["time"].tolist()]

    def set_aside(self) -> Path | None:
        """Write what waits, and the end, to a second journal wherever there is room, for `seal` to take in.

        None: nothing waits, or no place takes it.
        """
        if not self._waiting and self._end is None:
            return None
        for place in files.rests_of(self._path, str(self._header["run_id"])):
            try:
                os.close(os.open(files.journal_of(place), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except OSError:
                continue
            try:
                self._write_rest(place)
            except (sqlite3.Error, OSError):
                with suppress(OSError):
                    files.remove_rest(place)
            else:
                return files.journal_of(place)
        return None

    def _write_rest(self, place: Path) -> None:
        with closing(prepared(place, self._tables, self._header)) as db:
            with db:
                db.execute("BEGIN")
                db.executemany(self._insert, map(self._row, self._waiting))
                if self._end is not None:
                    write_document(db, "end", self._end)
            db.execute("PRAGMA journal_mode = DELETE")  # one file, which can be read and carried about

    def has_vanished(self) -> bool:
        """The file, or its log, was moved, deleted or replaced while it is written."""
        try:
            return places_of(self._path) != self._places
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:  # a disk that does not answer: what `restore` removes may well be there
            return False

    def restore(self) -> None:
        """Write all of a journal that vanished anew, where it was. RecordError if nothing can be written.

        The files that were opened are still whole, wherever their names went (Windows does not let go of a
        name in use): everything is copied from there, and has the name only once it is complete.
        """
        journal, whole = files.journal_of(self._path), files.restored_of(self._path)
        try:
            journal.parent.mkdir(parents=True, exist_ok=True)
            self._db.rollback()  # as in `_commit`
            whole.unlink(missing_ok=True)
            with closing(sqlite3.connect(whole)) as copy:
                self._db.backup(copy)
            files.sync_file(whole)
            if not files.lock_of(self._path).exists():
                gone, self._lock = self._lock, lock.hold(files.lock_of(self._path))
                gone.close()
            self._remove_logs(but_ours=True)
            whole.replace(journal)
            files.sync_folder(journal.parent)
            self._remove_logs(but_ours=False)
            fresh = connected(self._path)
            fresh.execute("PRAGMA journal_mode = WAL")
            fresh.execute("SELECT count(*) FROM document").fetchone()  # which makes the log
            places = places_of(self._path)
        except (sqlite3.Error, OSError) as error:
            with suppress(OSError):
                whole.unlink(missing_ok=True)
            if is_no_room(error) and self._give_up_ballast():
                self.restore()
                return
            reason = f"the journal vanished, and none can be written in its place: {error}"
            raise RecordError(reason) from error
        self._db.close()
        self._db, self._places = fresh, places

    def _remove_logs(self, *, but_ours: bool) -> None:
        """Beside a new journal another one's log would be taken for its own. Ours says what it says."""
        for log, place in zip(files_of(self._path)[1:], self._places[1:], strict=True):
            with suppress(FileNotFoundError):
                if not (but_ours and place_of(log) == place):
                    log.unlink()

    def close(self) -> None:
        """Let go of the files; the ballast is no longer needed."""
        self._db.close()
        self._lock.close()
        self._give_up_ballast()

    def _give_up_ballast(self) -> bool:
        """False: there is none, or Windows keeps it for another program that has it open."""
        try:
            self._ballast.unlink()
        except OSError:
            return False
        return True

    def _last(self) -> int:
        return self._waiting[-1].seq if self._waiting else self._written

    def _take(self, tables: Mapping[str, npt.NDArray[np.void]], events: Sequence[Event]) -> None:
        blocks = {name: self._block(name, rows) for name, rows in tables.items() if len(rows)}
        if blocks or events:
            self._urgent |= bool(events) or "steps" in blocks
            said = packed([asdict(event) for event in events])
            self._waiting.append(Poll(self._last() + 1, said, blocks))

    def _block(self, name: str, rows: npt.NDArray[np.void]) -> bytes:
        if rows.dtype != self._tables[name].dtype:
            raise TypeError(f"{name}: rows are {rows.dtype}, not {self._tables[name].dtype}")
        return rows.tobytes()

    def _flush(self, end: bytes | None = None) -> str | None:
        try:
            self._commit(end)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL and self._give_up_ballast():
                return self._flush(end)
            self._check_budget(error)
            return str(error)
        except sqlite3.DatabaseError as error:
            raise RecordError(f"the journal is no longer whole: {error}") from error
        self._written = self._last()
        self._waiting = []
        return None

    def _commit(self, end: bytes | None) -> None:
        """One transaction; on failure SQLite undoes it and `_waiting` stays as it is."""
        self._db.rollback()  # nothing, unless Ctrl-C came at a bad moment
        waited_s = time.monotonic() - self._durable_at
        durable = waited_s >= (_URGENT_S if self._urgent else _DURABLE_S)
        self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(self._insert, map(self._row, self._waiting))
            if end is not None:
                write_document(self._db, "end", end)
        if durable:
            self._durable_at, self._urgent = time.monotonic(), False

    def _row(self, poll: Poll) -> tuple[int | bytes | None, ...]:
        return (poll.seq, poll.crc, poll.events, *(poll.blocks.get(name) for name in self._columns))

    def _check_budget(self, cause: sqlite3.Error) -> None:
        waiting = sum(poll.size for poll in self._waiting)
        if waiting > MEMORY_BUDGET_BYTES:
            raise RecordError(f"{waiting / 1e6:.0f} MB wait to be written: {cause}") from cause
