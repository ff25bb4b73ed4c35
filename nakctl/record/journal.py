"""The journal: what happens in a run, safe on the disk before anything else is done with it.

`NAME.h5.journal` is one `Store`, with a lock beside it that says who records. Bytes that the run will need
are set aside at its start, and given up as its disk becomes full. When there is no room left what comes is
written somewhere else, where a successor looks for it, and brought home as soon as there is room again.

Loss: kill -9 takes what was not yet appended. A power cut takes at most the last second.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import sqlite3
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from nakctl.booking.entry import Entry
from nakctl.errors import InputError, RecordError
from nakctl.record import files, lock
from nakctl.record.packing import VERSION, packed, row_of, row_types
from nakctl.record.store import Store, is_no_room, reason_of

MEMORY_BUDGET_BYTES = 64 << 20
# How long a commit may wait for the disk to confirm it: ordinary entries, and what was meant or told. A dry
# run ends thousands of steps a second, which is why even those are not confirmed one by one.
_DURABLE_S = 1.0
_URGENT_S = 0.1
_URGENT = frozenset({"writer", "program", "meant", "done", "over", "asked", "event"})
_PATIENCE_AT_THE_END_S, _PAUSE_S = 10.0, 0.1  # with whoever else locks the journal
_ELSEWHERE_AFTER_S = 1.0  # of a refusal that is no full disk: somebody locks the journal, and may let go
_HOME_EVERY_S = 1.0
_AT_A_TIME = 2000  # entries that are brought home in one go
_MARGIN_BYTES = 4 << 20  # that home must have left over before anything is brought there
_RELEASE_BYTES = 16 << 20
_REQUIRED = {"format", "run_id", "start_time", "title"}


class Journal:
    """The writing end. Made by `create` or `reopen`, used by one thread at a time.

    trouble    why the disk did not take what was appended last, "" if it did
    elsewhere  files that hold what the journal's disk did not take, in the order of what they hold
    epoch      how many had written it before: that of entries which have none
    """

    def __init__(self, path: Path, held: BinaryIO, home: Store, documents: Mapping[str, bytes]) -> None:
        self.trouble, self.epoch = "", 0
        self._path = path
        self._run_id = ""
        self._lock = held
        self._locked = files.lock_of(path).stat()
        self._can_lock = True  # as far as it was tried
        self._home = home
        self._rests: list[Store] = []
        self._documents = dict(documents)  # which every store of the run begins with
        self._reserve = files.reserve_of(path)
        self._written = 0  # number of the newest entry that a disk has
        self._waiting: list[Entry] = []
        self._end: dict[str, bytes] = {}  # the document, once the run is over
        self._durable_at = time.monotonic()
        self._urgent = False
        self._unconfirmed = False  # something was written that the disk has not confirmed
        self._refused_since: float | None = None
        self._tried_home_at = 0.0

    @classmethod
    def create(cls, path: Path, header: Mapping[str, Any], program: Mapping[str, Any]) -> Journal:
        """Start the journal of NAME.h5, after all checks that can be made before a run.

        header   see `nakctl.record.recorder`; expected_bytes are set aside
        program  as `device.program_json` writes it
        Raises InputError if NAME.h5 or its journal exists, RecordError if the disk cannot hold the run.
        """
        if missing := _REQUIRED - header.keys():
            raise ValueError(f"the header of a run needs {', '.join(sorted(missing))}")
        datetime.fromisoformat(header["start_time"])  # now, and not when the file is to be sealed
        files.refuse_existing(path)
        files.refuse_network_share(path)
        expected_bytes = int(header.get("expected_bytes", 0))
        files.refuse_full_disk(path, expected_bytes)
        kept = dict(header) | {"journal": VERSION, "rows": row_types(), "pid": os.getpid()}
        documents = {"header": packed(kept), "program": packed(program)}
        held = _claimed(path)
        try:
            files.set_aside(path, expected_bytes)
            journal = cls(path, held, Store.create(files.journal_of(path), documents), documents)
        except (sqlite3.Error, OSError) as error:
            held.close()
            files.remove_journal(path)
            raise RecordError(f"{files.journal_of(path)} could not be started: {reason_of(error)}") from error
        journal._run_id = str(header["run_id"])
        return journal

    @classmethod
    def reopen(cls, path: Path, held: BinaryIO, rests: Sequence[Path]) -> Journal:
        """Go on with the journal of a run whose program is gone, behind its last entry.

        held   its lock, which is the journal's from here on
        rests  what its disk had not taken, in order (`JournalReader.elsewhere`)
        RecordError if it cannot be written; then nothing has changed.
        """
        stores: list[Store] = []
        try:
            for file in (files.journal_of(path), *rests):
                stores.append(Store.reopen(file))
            home, *others = stores
            found = {name: home.document(name) for name in ("header", "program")}
            documents = {name: content for name, content in found.items() if content is not None}
            journal = cls(path, held, home, documents)
            journal._run_id = str(json.loads(documents["header"])["run_id"])
            journal._rests = others
            journal._written = max(store.last() for store in stores)
            journal.epoch = 1 + max(store.epoch() for store in stores)
        except (sqlite3.Error, OSError, KeyError, ValueError) as error:
            for store in stores:
                store.close()
            reason = reason_of(error)
            raise RecordError(f"{files.journal_of(path)} cannot be gone on with: {reason}") from error
        return journal

    @property
    def elsewhere(self) -> tuple[Path, ...]:
        return tuple(store.file for store in self._rests)

    @property
    def waiting(self) -> Sequence[Entry]:
        """What no disk took yet."""
        return self._waiting

    def append(self, entries: Sequence[Entry], *, durable: bool = False) -> None:
        """Add entries, as one transaction; `trouble` says whether they wait in memory instead, and every
        further append tries again. RecordError once more than 64 MB wait.

        durable  the disk has it when this returns, if it takes it
        """
        for entry in entries:  # Ctrl-C between any two words of this loses no number
            self._waiting.append(entry._replace(seq=self._last() + 1, epoch=entry.epoch or self.epoch))
            self._urgent |= entry.kind in _URGENT
        if durable:
            self._durable_at = -math.inf
        self._come_home()
        if not self._waiting:
            self.confirm()
        else:
            self._flush()
            waiting = sum(entry.size for entry in self._waiting)
            if waiting > MEMORY_BUDGET_BYTES:
                raise RecordError(f"{waiting / 1e6:.0f} MB wait to be written: {self.trouble}")

    def confirm(self) -> None:
        """As long as nothing comes: what was written last may wait for the disk only so long."""
        if not self._unconfirmed or not self._is_due():
            return
        with contextlib.suppress(sqlite3.Error, OSError):  # then the next time
            if all(store.confirm() for store in (self._home, *self._rests)):
                self._confirmed()

    def end(self, said: Mapping[str, Any]) -> None:
        """Say that nothing more comes, and how the run ended; what still waits is written with it.
        RecordError if no place takes it.
        """
        self._end = {"end": packed(dict(said) | {"entries": self._last()})}
        self._urgent, self._durable_at = True, -math.inf
        until = time.monotonic() + _PATIENCE_AT_THE_END_S
        while True:
            self._come_home(at_once=True)
            try:
                self._flush()
            except RecordError:  # it is no longer whole; another place may still take what waits
                if not self._go_elsewhere():
                    raise
            if not self.trouble:
                return
            if time.monotonic() > until:
                raise RecordError(f"the end of the run could not be written: {self.trouble}")
            time.sleep(_PAUSE_S)

    def _last(self) -> int:
        return self._waiting[-1].seq if self._waiting else self._written

    def _taken(self) -> None:
        """A disk has what waited."""
        self._written = self._last()
        self._waiting, self.trouble = [], ""

    # --- where it goes ---------------------------------------------------------------------------------

    def _flush(self) -> None:
        """What waits, to where there is room."""
        self.trouble = self._try(self._rests[-1] if self._rests else self._home)
        if not self.trouble:
            self._refused_since = None
            return
        now = time.monotonic()
        self._refused_since = self._refused_since or now
        if self._no_room or self._end or now - self._refused_since > _ELSEWHERE_AFTER_S:
            self._go_elsewhere()

    def _try(self, store: Store) -> str:
        """Why it does not take what waits, "" if it did."""
        durable = self._is_due()
        self._no_room = False
        while True:
            try:
                store.write(map(row_of, self._waiting), self._newest_documents(), durable=durable)
            except (sqlite3.OperationalError, OSError) as error:
                self._no_room = is_no_room(error)
                if self._no_room and store is self._home and self._release():
                    continue
                return reason_of(error)
            except sqlite3.DatabaseError as error:
                raise RecordError(f"the journal is no longer whole: {error}") from error
            if durable:
                self._confirmed()
            else:
                self._unconfirmed = True
            self._taken()
            return ""

    def _is_due(self) -> bool:
        """Whether the disk has to confirm what is written now."""
        return time.monotonic() - self._durable_at >= (_URGENT_S if self._urgent else _DURABLE_S)

    def _confirmed(self) -> None:
        self._durable_at, self._urgent, self._unconfirmed = time.monotonic(), False, False

    def _newest_documents(self) -> dict[str, bytes]:
        """The memo is that of the newest block, or none: an older one would have its rows read again."""
        newest = next((each for each in reversed(self._waiting) if each.kind == "said"), None)
        if newest is None:
            return self._end
        memo = {"seq": newest.seq, "segment": newest.segment, "memo": newest.memo}
        return self._end | {"memo": packed(memo)}

    def _go_elsewhere(self) -> bool:
        """To the first place that takes what waits, and what comes from now on. False: none does."""
        known = {store.file for store in self._rests}
        with contextlib.suppress(OSError):
            files.user_data_folder().mkdir(parents=True, exist_ok=True)
        for file in files.rests_of(self._path, self._run_id):
            if file in known:
                continue
            try:
                os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except OSError:
                continue
            if (store := self._stored_in(file)) is not None:
                self._rests.append(store)
                self._taken()
                return True
        return False

    def _stored_in(self, file: Path) -> Store | None:
        """A new store with what waits; None, and no file, if it cannot be made there."""
        try:
            store = Store.create(file, self._documents)
            try:
                store.write(map(row_of, self._waiting), self._newest_documents(), durable=True)
            except (sqlite3.Error, OSError):
                store.close()
                raise
        except (sqlite3.Error, OSError):
            with contextlib.suppress(OSError):
                files.remove_store(file)
            return None
        return store

    def _come_home(self, *, at_once: bool = False) -> None:
        """Bring back what is elsewhere, as far as there is room, a part at a time."""
        now = time.monotonic()
        if not self._rests or (not at_once and now - self._tried_home_at < _HOME_EVERY_S):
            return
        self._tried_home_at = now
        with contextlib.suppress(sqlite3.Error, OSError):
            while self._rests and self._has_room_for(self._rests[0].file):
                if self._bring(self._rests[0]):
                    self._rests.pop(0).remove()
                elif not at_once:
                    self._tried_home_at = 0.0  # and the next part with the next append
                    return

    def _bring(self, store: Store) -> bool:
        """A part of it; whether that was the last."""
        rows = store.rows(self._home.last(), _AT_A_TIME)
        is_last = len(rows) < _AT_A_TIME
        memo = store.document("memo") if is_last else None
        self._home.write(rows, {} if memo is None else {"memo": memo}, durable=True)
        return is_last

    def _has_room_for(self, file: Path) -> bool:
        free = shutil.disk_usage(self._path.parent).free
        return free > file.stat().st_size + _MARGIN_BYTES

    def _release(self) -> bool:
        """Give up a part of what was set aside. False: there is none, or another program has it open."""
        try:
            left = self._reserve.stat().st_size - _RELEASE_BYTES
            if left > 0:
                os.truncate(self._reserve, left)
            else:
                self._reserve.unlink()
        except OSError:
            return False
        return True

    # --- its files -------------------------------------------------------------------------------------

    def has_vanished(self) -> bool:
        """A file that it is written to, its log or its lock, was moved, deleted or replaced. Without its lock
        it would be taken for one that nobody writes, recovered, and removed.
        """
        return self._is_unlocked() or any(store.has_vanished() for store in (self._home, *self._rests))

    def restore(self) -> None:
        """Write all that vanished anew, where it was. RecordError if nothing can be written."""
        if self._home.file.parent.is_dir():
            try:
                self._lock_anew()  # at first, before anybody sees that it is gone
            except OSError:
                self._can_lock = False
        for store in (self._home, *self._rests):
            while store.has_vanished():
                try:
                    store.restore()
                    self._lock_anew()
                except (sqlite3.Error, OSError) as error:
                    if is_no_room(error) and self._release():
                        continue
                    reason = f"the journal vanished, and none can be written in its place: {reason_of(error)}"
                    raise RecordError(reason) from error

    def _lock_anew(self) -> None:
        if self._is_unlocked():
            gone, self._lock = self._lock, lock.hold(files.lock_of(self._path))
            self._locked = files.lock_of(self._path).stat()
            gone.close()

    def _is_unlocked(self) -> bool:
        """What is locked is no longer what others look at."""
        if not self._can_lock:
            return False
        try:
            return not os.path.samestat(files.lock_of(self._path).stat(), self._locked)
        except FileNotFoundError:
            return True
        except OSError:  # as for a store
            return False

    def close(self) -> None:
        """Let go of the files; what was set aside is no longer needed."""
        for store in (self._home, *self._rests):
            store.close()
        self._lock.close()
        with contextlib.suppress(OSError):
            self._reserve.unlink()


def _claimed(path: Path) -> BinaryIO:
    """Make the journal's file, empty, unless it is there: of two runs of one name only one may go on.

    Returns the lock. It is taken first: whoever meets a journal that is not locked may recover and remove it.
    """
    try:
        held = lock.hold(files.lock_of(path))
    except BlockingIOError as error:
        raise InputError(f"{path} is being recorded by another process") from error
    except OSError as error:
        raise RecordError(f"nothing can be written into {path.parent}: {reason_of(error)}") from error
    try:
        files.journal_of(path).open("xb").close()
    except OSError as error:
        held.close()
        files.refuse_existing(path)
        raise RecordError(f"nothing can be written into {path.parent}: {reason_of(error)}") from error
    return held
