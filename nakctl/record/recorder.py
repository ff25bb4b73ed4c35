"""What a run records with: the journal, and a helper process that turns it into HDF5 while the run goes on.

    recorder = Recorder.create(path, header)
    recorder.append({"samples": rows, ...}, events)      # once per poll
    finished = recorder.finish("completed", "all steps done", end_kind="steps done")

Keys of the header (JSON values): format, run_id, start_time (ISO 8601 with zone), title, simulated; as far as
they are known user, sample, instrument, protocol, plan, program, params, rules, limits, environment,
command_line, git, note, seed, three_electrode, I_ranges {code: name}, expected_rows.

This module and all it imports stay clear of h5py: a full disk can crash libhdf5, never the process that
controls the cell.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nakctl.errors import RecordError
from nakctl.record.journal import Journal
from nakctl.record.poll import Event
from nakctl.record.process import Helper, Outcome

_RESTARTS = 5
_RESTART_AFTER_S = 1.0
_DOES = {"live": "the live view", "seal": "the sealing"}  # what a helper keeps up while the run goes on


@dataclass(frozen=True, slots=True)
class Finished:
    """How the record ended. path: the file to open; message: a sentence for the user, "" if all is well.

    found  what the rows mean, as it stands in /entry/results
    """

    path: Path
    sealed: bool
    message: str
    found: Mapping[str, Any] = field(default_factory=dict)


class Recorder:
    """The record of one run."""

    def __init__(self, path: Path, journal: Journal, helper: str) -> None:
        self.path = path
        self._helper, self._does = helper, _DOES[helper]
        self._journal = journal
        self._restarts_left = _RESTARTS
        self._time_s = 0.0
        self._waits = False
        self._unwritten: list[Event] = []  # made by the last append, after it had written
        self._live = self._new_live()

    @classmethod
    def create(cls, path: Path, header: Mapping[str, Any], *, watched: bool = True) -> Recorder:
        """Start recording into NAME.h5. Nothing is overwritten.

        watched  others may look at NAME.h5 while the run goes on; else there is none until it is sealed,
                 which then takes less time
        Raises InputError if the file or an unsealed run of that name exists, RecordError if the disk cannot
        hold what is expected.
        """
        return cls(path, Journal.create(path, header), "live" if watched else "seal")

    def append(
        self, tables: Mapping[str, npt.NDArray[np.void]], events: Sequence[Event] = ()
    ) -> tuple[Event, ...]:
        """Keep what one poll brought; tables as in `layout`, by name, any of them left out or empty.

        Returns what the record itself has to report (it is recorded too): the live view was restarted, or
        the disk does not take the rows, which then wait in memory. RecordError when 64 MB of them wait.
        """
        self._time_s = _latest(tables, events, self._time_s)
        about = [*self._watch_journal(), *self._watch_live()]
        trouble = self._journal.append(tables, [*events, *self._unwritten, *about])
        self._unwritten = self._watch_disk(trouble)
        return (*about, *self._unwritten)

    def note(self, severity: int, code: str, message: str) -> None:
        """Keep an event at the time of the latest row. RecordError as for `append`."""
        self.append({}, [self._event(severity, code, message)])

    def finish(
        self,
        status: str,
        end_reason: str,
        facts: Mapping[str, Any] | None = None,
        *,
        end_kind: str = "",
        end_id: int = 0,
        end_value: float = math.nan,
    ) -> Finished:
        """End the record and seal the file; returns when that is done or cannot be done now.

        status     completed, stopped, aborted or interrupted
        facts      for /entry/results: name -> number, text or {"value": number, "units": text}
        end_kind   a code of `device.ends.ENDED_BY`, "" if none is known
        end_id     row of the table `ends` that ended the run, 0: none of them
        end_value  what was read of its quantity, in SI; NaN if no reading ended the run
        """
        try:
            events = [*self._unwritten, *self._watch_journal()]
            self._journal.end(
                status,
                end_reason,
                facts or {},
                end_kind=end_kind,
                end_id=end_id,
                end_value=end_value,
                events=events,
            )
        except RecordError as error:
            rest = self._set_aside()
            self.abandon()
            return Finished(self.path, False, f"{error}; {rest}")
        self._journal.close()
        said = self._sealed()
        if isinstance(said, Outcome):
            return Finished(said.path, said.sealed, said.message, said.found)
        return Finished(self.path, False, f"not sealed ({said}); try: nakctl recover {self.path}")

    def abandon(self) -> None:
        """Let go of everything as it is; `nakctl recover` makes a file of it."""
        self._journal.close()
        if self._live:
            self._live.give_up()
            self._live = None

    def _set_aside(self) -> str:
        """What becomes of the rows that wait, and what recovery will give, as a sentence."""
        times_s, aside = self._journal.waiting_times_s(), self._journal.set_aside()
        recover = f"nakctl recover {self.path}"
        if not times_s:
            return f"when there is room: {recover}"
        span = f"{min(times_s):.6g} s to {max(times_s):.6g} s"
        waited = f"{len(times_s)} samples that waited in memory ({span})"
        if aside is not None:
            return f"{waited} are kept in {aside}; when there is room, {recover} takes them in"
        lost = f"{waited} could be kept nowhere and are lost"
        return f"{lost}; when there is room, {recover} gives what came before"

    def _sealed(self) -> Outcome | str:
        """What the helper came to that seals at the end; if it died or stood still, another one does.

        One that began to seal before the end may have failed for a reason that is gone: that proves nothing.
        """
        live, self._live = self._live, None
        said = live.wait(Outcome.from_json) if live else ""
        if isinstance(said, Outcome) and (said.sealed or self._helper == "live"):
            return said
        try:
            return Helper("seal", str(self.path)).wait(Outcome.from_json)
        except OSError as error:
            return str(error)

    def _new_live(self) -> Helper | None:
        """None if the system cannot start a process now: the run goes on without being seen."""
        self._live_since = time.monotonic()
        try:
            return Helper(self._helper, str(self.path))
        except OSError:
            return None

    def _watch_journal(self) -> list[Event]:
        """A journal of which something was moved or deleted is written anew, and the live view with it."""
        if not self._journal.has_vanished():
            return []
        self._journal.restore()
        if self._live:
            self._live.give_up()
            self._live = self._new_live()
        text = (
            "the journal or its log was moved or deleted under the run; a whole new one stands in its place"
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

    def _watch_disk(self, trouble: str | None) -> list[Event]:
        """Whether the disk stopped taking rows, or takes them again."""
        if (trouble is not None) == self._waits:
            return []
        self._waits = trouble is not None
        if trouble is not None:
            return [self._event(2, "disk_refuses", f"rows wait in memory: {trouble}")]
        return [self._event(0, "disk_accepts", "the rows that waited in memory are written")]

    def _event(self, severity: int, code: str, message: str) -> Event:
        return Event(self._time_s, severity, code, 0, message)


def _latest(tables: Mapping[str, npt.NDArray[np.void]], events: Sequence[Event], before_s: float) -> float:
    rows = tables.get("samples")
    sample_s = float(rows["time"][-1]) if rows is not None and len(rows) else before_s
    times_s = (sample_s, *(event.time_s for event in events))
    return max([before_s, *(time_s for time_s in times_s if math.isfinite(time_s))])
