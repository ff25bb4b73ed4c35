"""What a run hands over to its record, and what it shows of it: booked rows, events, progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from nakctl.device.channel import Notice, Reading, Rows
from nakctl.device.program import Program, Segment, StepInfo
from nakctl.record import layout
from nakctl.record.journal import Event
from nakctl.run.ledger import Booked, Ledger

CLOCK_ROW_EVERY_s = 60.0


class Sink(Protocol):
    """Keeps tables (of `record.layout`, by name) and events; one call is one transaction.

    Returns what it had to note of itself (and keeps): the disk refuses, the live view was restarted.
    """

    def append(self, tables: Mapping[str, npt.NDArray[Any]], events: Sequence[Event]) -> Sequence[Event]: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """What a screen may show after a read.

    Q_Ah is net, + stripped; step None before the first row; news: events of this read worth a look
    (severity 1 and up); bench: what the sensors show, as text.
    """

    time_s: float
    step: StepInfo | None
    cycle: int
    Ewe_V: float
    I_A: float
    Q_Ah: float
    samples: int
    spectra: int
    points: Rows
    news: tuple[Event, ...]
    bench: tuple[str, ...]


class Keeper:
    """Books what is read, collects what is noted, and gives both to the sink, one call per read.

    now_s: time of the run; unix_time_s: wall-clock time, None where time is virtual.
    """

    def __init__(
        self,
        program: Program,
        sink: Sink,
        samples: layout.Table,
        now_s: Callable[[], float],
        unix_time_s: Callable[[], float | None],
    ) -> None:
        self.program, self.sink, self.now_s, self.unix_time_s = program, sink, now_s, unix_time_s
        self.ledger = Ledger(program, samples.dtype)
        self.segment_start_s = 0.0
        self.events: list[Event] = []  # not yet handed over
        self.news: tuple[Event, ...] = ()
        self.next_clock_row_s = 0.0

    def open_segment(self, segment: Segment, start_s: float, new_cycle: bool) -> None:
        self.segment_start_s = start_s
        self.ledger.open_segment(segment, start_s, new_cycle)

    def keep(self, reading: Reading) -> Booked:
        """Book what was read, and hand it over with everything noted since the last time."""
        booked = self.ledger.book(reading)
        self.events += map(self._event_of, reading.notices)
        tables = {
            "samples": booked.samples,
            "impedance": booked.impedance,
            "spectra": booked.spectra,
            "steps": booked.steps,
            "clock": self._clock_rows(),
        }
        self.news = self._hand_over(tables)
        return booked

    def finish(self) -> None:
        """The last spectrum, the last step, the last events."""
        self._hand_over({"spectra": self.ledger.spectra.close(), "steps": self.ledger.finish()})

    def note(self, severity: int, code: str, message: str, facts: Mapping[str, Any] | None = None) -> None:
        self.note_at(self.now_s(), severity, code, message, facts or {})

    def note_at(
        self, time_s: float, severity: int, code: str, message: str, facts: Mapping[str, Any]
    ) -> None:
        step_count = int(self.ledger.last_sample["step_count"][0])
        self.events.append(Event(time_s, severity, code, step_count, message, dict(facts)))

    def progress(self, points: Rows, bench: tuple[str, ...]) -> Progress:
        row = self.ledger.last_sample[0]
        step_id = int(row["step_id"])
        return Progress(
            time_s=float(row["time"]),
            step=self.program.step(step_id) if step_id else None,
            cycle=int(row["cycle"]),
            Ewe_V=float(row["Ewe"]),
            I_A=float(row["I"]),
            Q_Ah=float(row["Q"]),
            samples=self.ledger.rows,
            spectra=self.ledger.spectra.count,
            points=points,
            news=self.news,
            bench=bench,
        )

    def _hand_over(self, tables: Mapping[str, Rows]) -> tuple[Event, ...]:
        """Nothing is handed over if there is nothing. Returns the events that are worth a look."""
        filled = {name: rows for name, rows in tables.items() if len(rows)}
        if not filled and not self.events:
            return ()
        noted = [*self.events, *self.sink.append(filled, self.events)]
        self.events = []
        return tuple(event for event in noted if event.severity > 0)

    def _clock_rows(self) -> Rows:
        """Once a minute: which wall-clock time belongs to which time of the run."""
        unix_s, now_s = self.unix_time_s(), self.now_s()
        if unix_s is None or now_s < self.next_clock_row_s:
            return np.empty(0, layout.CLOCK.dtype)
        self.next_clock_row_s = now_s + CLOCK_ROW_EVERY_s
        return np.array([(now_s, unix_s)], layout.CLOCK.dtype)

    def _event_of(self, notice: Notice) -> Event:
        step_count = int(self.ledger.last_sample["step_count"][0])
        time_s = self.segment_start_s + notice.time_s
        return Event(time_s, notice.severity, notice.code, step_count, notice.message, dict(notice.facts))
