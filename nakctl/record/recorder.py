"""What a run records with: the journal, and a helper process that turns it into HDF5 while the run goes on.

    recorder = Recorder.create(path, header, program)
    recorder.append([entry, ...])                        # see `booking.entry`
    finished = recorder.finish("completed", "all steps done", end_kind="steps done")

Keys of the header (JSON values): format, run_id, start_time (ISO 8601 with zone), title, simulated; as far as
they are known user, sample, instrument, protocol, plan, program, params, rules, limits, environment,
command_line, git, note, seed, three_electrode, I_ranges {code: name}, sensors, expected_bytes, speed of the
run's clock, place {name, driver, instrument, channel, options} of a channel that outlives its program,
campaign {name, file_name, data, sha256, run, made_of} to which it belongs.

This module and all it imports stay clear of h5py: a full disk can crash libhdf5, never the process that
controls the cell.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nakctl import __version__
from nakctl.booking.entry import Entry, event_entry
from nakctl.booking.event import Event
from nakctl.errors import RecordError, typed
from nakctl.record import files
from nakctl.record.boot import boot_id
from nakctl.record.journal import Journal
from nakctl.record.process import Helper, Outcome
from nakctl.record.room import Room
from nakctl.record.sensor_reader import SensorReader
from nakctl.record.slot import Slot
from nakctl.record.store import reason_of

_RESTARTS = 5
_RESTART_AFTER_S = 1.0
_SENSED_EVERY_S = 0.5
_DOES = {"live": "the live view", "sealer": "the sealing"}  # what a helper keeps up while the run goes on


@dataclass(frozen=True, slots=True)
class Finished:
    """How the record ended. path: the file to open; message: a sentence for the user, "" if all is well.

    found  what the rows mean, as it stands in /entry/results
    """

    path: Path
    sealed: bool
    message: str
    found: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Legacy:
    """What a recorder has to know of the one before it.

    why           what the one that goes on is here for
    time_s        of the run, now; unix_s: of the wall clock
    block         the newest one that the journal has; sensor_block: the same of the sensors' own
    events        what is to be told of the time in between
    """

    run_id: str
    why: str
    time_s: float
    unix_s: float
    block: int = 0
    sensor_block: int = 0
    events: Sequence[Event] = ()


class Recorder:
    """The record of one run."""

    def __init__(
        self, path: Path, journal: Journal, slot: Slot, helper: str, sensors: SensorReader,
        ahead: Helper | None = None,
    ) -> None:  # fmt: skip
        """helper: what keeps up with the run, "" if nothing does; ahead: the first such, if there is one."""
        self.path, self.run_id = path, ""
        self._helper, self._does = helper, _DOES.get(helper, "")
        self._journal, self._slot = journal, slot
        self._sensors = sensors
        self._restarts_left = _RESTARTS
        self._time_s, self._unix_s = 0.0, math.nan
        self._refused = ""
        self._unwritten: list[Event] = []  # made by the last append, after it had written
        self._sensed_at = 0.0
        self._room = Room(path)
        self._blocks = 0  # that were handed over; those of them that are safe: `slot`
        self._live = self._new_live(ahead)

    @classmethod
    def create(
        cls,
        path: Path,
        header: Mapping[str, Any],
        program: Mapping[str, Any],
        *,
        watched: bool = True,
        ahead: Helper | None = None,
    ) -> Recorder:
        """Start recording into NAME.h5. Nothing is overwritten.

        program  as `device.program_json` writes it
        watched  others may look at NAME.h5 while the run goes on; else there is none until it is sealed,
                 which then takes less time
        ahead    a sealer that waits (`process.waiting`), if it is not watched
        Raises InputError if the file or an unsealed run of that name exists, RecordError if the disk cannot
        hold what is expected.
        """
        journal = Journal.create(path, header, program)
        try:
            slot = Slot(path)
        except OSError as error:
            journal.close()
            files.remove_journal(path)
            raise RecordError(f"{files.slot_of(path)} cannot be written: {error.strerror}") from error
        recorder = cls(path, journal, slot, "live" if watched else "sealer", SensorReader(path), ahead)
        recorder.run_id = str(header["run_id"])
        recorder.append([_writer("start")])
        return recorder

    @classmethod
    def resume(cls, path: Path, journal: Journal, left: Legacy, *, watched: bool = False) -> Recorder:
        """Go on recording a run whose program is gone. watched: with a live view. RecordError as above."""
        writer = _writer(left.why)._replace(time_s=left.time_s, unix_s=left.unix_s)
        events = [event_entry(event, unix_s=left.unix_s) for event in left.events]
        try:
            journal.append([writer, *events], durable=True)
            slot = Slot.reopen(path, left.block)
        except (OSError, RecordError) as error:
            journal.close()
            raise RecordError(f"{path} cannot be gone on with: {error}") from error
        recorder = cls(path, journal, slot, "live" if watched else "", SensorReader(path, left.sensor_block))
        recorder.run_id, recorder._blocks = left.run_id, left.block
        recorder._time_s, recorder._unix_s = left.time_s, left.unix_s
        return recorder

    @property
    def time_s(self) -> float:
        """Of the run, of the newest entry."""
        return self._time_s

    def begin_block(self, block: int) -> None:
        """The channel is asked for the block of that number, see `slot`. Of any thread."""
        self._slot.begin(block)

    def tell(self, state: Mapping[str, Any]) -> None:
        """How the run stands, for whoever looks from outside (`slot`). Of any thread; waits for nothing."""
        self._slot.tell(state)

    @property
    def is_full(self) -> bool:
        """What was appended last waits in memory: no disk takes it."""
        return bool(self._journal.waiting)

    def append(self, entries: Sequence[Entry], *, durable: bool = False) -> tuple[Event, ...]:
        """Keep entries. durable: they are on the disk when this returns, if it takes them.

        Returns what the record itself has to report (it is recorded too): the live view was restarted, or
        the disk does not take the entries, which then go elsewhere or wait. RecordError when 64 MB wait.
        """
        self._time_s = max([self._time_s, *(each.time_s for each in entries if math.isfinite(each.time_s))])
        self._unix_s = next((e.unix_s for e in reversed(entries) if math.isfinite(e.unix_s)), self._unix_s)
        try:
            about = self._look()
        except RecordError:  # the end of the run; what is handed over now has been fetched already
            self._journal.append(entries, durable=durable)
            raise
        self._blocks = max([self._blocks, *(entry.block for entry in entries)])
        events = [self._entry(event) for event in (*self._unwritten, *about)]
        self._journal.append([*entries, *self._sensed(), *events], durable=durable)
        if not self._journal.waiting:
            self._slot.keep(self._blocks)
        self._unwritten = self._watch_disk()
        return (*about, *self._unwritten)

    def tick(self) -> tuple[Event, ...]:
        """To be called now and then while nothing comes: what happens to the files is noticed."""
        sensed = self._sensed()
        if sensed or self._journal.waiting or self._journal.elsewhere or self._unwritten:
            return self.append(sensed)
        about = self._look()
        if about:
            self._journal.append([self._entry(event) for event in about])
        self._journal.confirm()
        return tuple(about)

    def note(self, severity: int, code: str, message: str, facts: Mapping[str, Any] | None = None) -> None:
        """Keep an event at the time of the latest entry. RecordError as for `append`."""
        self.append([self._entry(self._event(severity, code, message, facts))])

    def finish(
        self,
        status: str,
        end_reason: str,
        facts: Mapping[str, Any] | None = None,
        *,
        end_kind: str = "",
        end_id: int = 0,
        end_value: float = math.nan,
        exit_code: int | None = None,
        cell_open: bool | None = None,
        error: str = "",
        hangs: bool = False,
    ) -> Finished:
        """End the record and seal the file; returns when that is done or cannot be done now.

        status     completed, stopped, aborted or interrupted
        facts      for /entry/results: name -> number, text or {"value": number, "units": text}
        end_kind   a code of `device.ends.ENDED_BY`, "" if none is known
        end_id     row of the table `ends` that ended the run, 0: none of them
        end_value  what was read of its quantity, in SI; NaN if no reading ended the run
        exit_code  with which the program will leave if the file is sealed; cell_open: the channel was seen
                   stopped; error: the trouble behind it, as a sentence; hangs: a call of the channel never
                   came back. For whoever waits for the run, or shows its end
        """
        value = None if math.isnan(end_value) else end_value
        end: dict[str, Any] = {"status": status, "end_reason": end_reason, "facts": dict(facts or {})}
        end |= {"exit_code": exit_code, "cell_open": cell_open, "error": error, "hangs": hangs}
        end |= {"end_kind": end_kind, "end_id": end_id, "end_value": value}
        try:
            with suppress(RecordError):  # that too much waits is no reason not to try
                self.append(self._sensed(now=True))
            self._journal.end(end)
            self._slot.keep(self._blocks)
        except RecordError as error:
            lost = self._lost()
            self.abandon()
            return Finished(self.path, False, f"{error}; {lost}")
        self._journal.close()
        self._close()
        said = self._sealed()
        if isinstance(said, Outcome):
            return Finished(said.path, said.sealed, said.message, said.found)
        return Finished(self.path, False, f"not sealed ({said}); try: nakctl recover {typed(self.path)}")

    def abandon(self) -> None:
        """Let go of everything as it is; `nakctl recover` makes a file of it."""
        self._journal.close()
        self._close()
        if self._live:
            self._live.give_up()
            self._live = None

    def _close(self) -> None:
        self._sensors.close()
        self._slot.close()

    def _lost(self) -> str:
        """What no place took, and what recovery will give, as a sentence."""
        recover = f"when there is room: nakctl recover {typed(self.path)}"
        rows = [entry.samples["time_s"] for entry in self._journal.waiting if len(entry.samples)]
        if not rows:
            return recover
        spans = f"{len(np.concatenate(rows))} samples of the last {len(rows)} reads"
        return f"{spans} could be kept nowhere and are lost; {recover} gives what came before"

    def _sealed(self) -> Outcome | str:
        """What the helper came to that seals at the end; if it died or stood still, another one does.

        One that began to seal before the end may have failed for a reason that is gone: that proves nothing.
        """
        live, self._live = self._live, None
        said = live.wait(Outcome.from_json) if live else ""
        if isinstance(said, Outcome) and (said.sealed or self._helper == "live"):
            return said
        try:
            return Helper("sealer", str(self.path)).wait(Outcome.from_json)
        except OSError as error:
            return reason_of(error)

    def _new_live(self, ahead: Helper | None = None) -> Helper | None:
        """None if the system cannot start a process now: the run goes on without being seen."""
        self._live_since = time.monotonic()
        if not self._helper:
            return None
        if ahead is not None:
            ahead.ask([str(self.path)])
            return ahead
        try:
            return Helper(self._helper, str(self.path))
        except OSError:
            return None

    def _look(self) -> list[Event]:
        """What happened to the files and to the helper."""
        return [*self._watch_journal(), *self._watch_live(), *self._watch_room()]

    def _sensed(self, *, now: bool = False) -> list[Entry]:
        """What the sensors' process has written into its own journal since the last time."""
        at = time.monotonic()
        if not now and at - self._sensed_at < _SENSED_EVERY_S:
            return []
        self._sensed_at = at
        found = self._sensors.entries()
        return [entry._replace(time_s=self._time_s, unix_s=self._unix_s) for entry in found]

    def _watch_journal(self) -> list[Event]:
        """A journal of which something was moved or deleted is written anew, and the live view with it."""
        if not self._journal.has_vanished():
            return []
        self._journal.restore()
        if self._live:
            self._live.give_up()
            self._live = self._new_live()
        text = (
            "the journal, its log or its lock was moved or deleted under the run; a whole new one stands in "
            "its place"
        )
        return [self._event(2, "journal_vanished", text)]

    def _watch_live(self) -> list[Event]:
        """Restart the live view if it died or stands still, a few times at most; nothing waits for it."""
        if self._live is None:
            return []
        silence = self._live.silence()
        if self._live.is_running() and not silence:
            return []
        if time.monotonic() - self._live_since < _RESTART_AFTER_S:
            return []
        if silence:
            self._live.give_up()
        reason = silence or self._live.complaint()
        self._live = self._new_live() if self._restarts_left else None
        if self._live is None:
            text = f"{self._does} has ended, and the record goes on without: {reason}"
            return [self._event(1, "live_view_lost", text)]
        self._restarts_left -= 1
        return [self._event(0, "live_view_restarted", f"{self._does} was restarted: {reason}")]

    def _watch_room(self) -> list[Event]:
        """Whether the disk will be full soon."""
        low = self._room.look()
        return [] if low is None else [self._event(1, "low_disk", str(low), low.facts)]

    def _watch_disk(self) -> list[Event]:
        """Whether the disk stopped taking what is recorded, or takes it again."""
        elsewhere, trouble = self._journal.elsewhere, self._journal.trouble
        where = f"in {elsewhere[-1]}" if elsewhere else "in memory" if trouble else ""
        if where == self._refused:
            return []
        self._refused = where
        if where:
            why = f": {trouble}" if trouble else ""
            text = f"the disk takes no more{why}; what is recorded is kept {where} meanwhile"
            return [self._event(2, "disk_refuses", text)]
        return [self._event(1, "disk_accepts", "what the disk did not take is in the journal now")]

    def _entry(self, event: Event) -> Entry:
        return event_entry(event, unix_s=self._unix_s)

    def _event(self, severity: int, code: str, message: str, facts: Mapping[str, Any] | None = None) -> Event:
        return Event(self._time_s, severity, code, 0, message, dict(facts or {}))


def _writer(why: str) -> Entry:
    """Who writes from here on, and when this is by the clock that runs on while the other one is set."""
    facts = {
        "pid": os.getpid(), "boot": boot_id(), "version": __version__, "why": why,
        "monotonic_s": time.monotonic(), "unix_s": time.time(),
    }  # fmt: skip
    return Entry("writer", facts=facts)
