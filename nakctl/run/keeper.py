"""What a run hands over to its record, and what it shows of it: booked rows, events, progress."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nakctl.device.channel import Notice, Reading, Rows
from nakctl.device.program import Loop, Program, Segment, StepInfo
from nakctl.errors import RecordError
from nakctl.record import layout
from nakctl.record.poll import Event
from nakctl.record.table import Table, cut
from nakctl.run.engine import Ending
from nakctl.run.ledger import Booked, Ledger, write_end
from nakctl.run.recording import Nowhere, Recording
from nakctl.run.ties import Start, Tie

CLOCK_ROW_EVERY_s = 60.0
AT_ONCE_s = 6e-3  # a step that a cutoff ended sooner (its sentinel included) has ended at its first row


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
    """Books what is read, collects what is noted, and hands both over, one call per read.

    now_s: time of the run; unix_time_s: wall-clock time, None where time is virtual.
    """

    def __init__(
        self,
        program: Program,
        recording: Recording,
        samples: Table,
        now_s: Callable[[], float],
        unix_time_s: Callable[[], float | None],
    ) -> None:
        self.program, self.recording = program, recording
        self.now_s, self.unix_time_s = now_s, unix_time_s
        self.ledger = Ledger(program, samples.dtype)
        self.met: tuple[int, Ending] | None = None  # a step, and the ending that its row asked for
        self.chains = 0
        self.segment_start_s = 0.0
        self.events: list[Event] = []  # not yet handed over
        self.news: tuple[Event, ...] = ()
        self.tables: dict[str, Rows] = {"ends": _ends(program)}  # not yet handed over, beside what is booked
        self.next_clock_row_s = 0.0
        self.lost: RecordError | None = None  # why the record takes nothing any more

    def open_segment(self, segment: Segment, start: Start, new_cycle: bool) -> None:
        """A chain began. Between it and the one before the cell lay open."""
        last = self.ledger.last_sample[0]
        open_from_s = float(last["time"]) if self.chains else 0.0
        open_s = start.time_s - open_from_s
        self.chains += 1
        self.segment_start_s = start.time_s
        row = (
            self.chains, start.time_s, start.error_s, open_from_s, open_s,
            int(last["step_count"]), _first_step(segment), float(last["I"]),
        )  # fmt: skip
        self._add("chains", np.array([row], layout.CHAINS.dtype))
        self.ledger.open_segment(segment, start.time_s, new_cycle)
        text = f"chain of {len(segment.techniques)} techniques; cell open for {open_s:.3g} s"
        self.note_at(start.time_s, 0, "segment", text, {"open_s": open_s, "start_error_s": start.error_s})

    def tie(self, tie: Tie) -> None:
        row = (self.chains, tie.elapsed_s, tie.time_s, tie.error_s)
        self._add("ties", np.array([row], layout.TIES.dtype))

    def keep(self, reading: Reading) -> Booked:
        """Book what was read, and hand it over with everything noted since the last time."""
        booked = self.ledger.book(reading)
        self.events += map(self._event_of, reading.notices)
        self._note_steps(booked.steps)
        self._add("clock", self._clock_rows())
        self._hand_over({"samples": booked.samples, "impedance": booked.impedance, "spectra": booked.spectra})
        self._add("steps", booked.steps)  # a read later: why they ended may not have been judged yet
        self._tell_met()
        return booked

    def note_met(self, step_count: int, ending: Ending) -> None:
        """A row of this step asks for the end of the chain, which goes on until it has stopped."""
        self.met = step_count, ending
        self._tell_met()

    def _tell_met(self) -> None:
        """The step whose row it was is over, and its row not handed over yet."""
        if self.met is not None and "steps" in self.tables:
            steps = self.tables["steps"]
            for place in np.flatnonzero(steps["step_count"] == self.met[0]):
                write_end(steps[place], self.met[1])

    def note_end(self, ending: Ending) -> None:
        """The chain is over for this reason. It stands at the step whose row met it; the next is `left`."""
        met, running = self.met, self.ledger.open["step_count"].tolist()
        self.met = None
        if met is not None and met[1] is ending and met[0] not in (0, *running):
            ending = replace(ending, kind="left", end_id=0, value=math.nan)
        self.ledger.note_end(ending)

    def finish(self) -> None:
        """The last spectrum, the last step, the last events; returns when all is kept, or lost."""
        spectra, steps = self.ledger.spectra.close(), self.ledger.finish()
        self._note_steps(steps)
        self._add("steps", steps)
        self._hand_over({"spectra": spectra})
        try:
            self.recording.finish()
        except RecordError as error:
            self.lost = error

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

    def hand_over_notes(self) -> None:
        """What was noted while nothing was read."""
        self._hand_over({})

    def _add(self, name: str, rows: Rows) -> None:
        known = self.tables.get(name)
        self.tables[name] = rows if known is None else np.concatenate([known, rows], dtype=rows.dtype)

    def _hand_over(self, booked: Mapping[str, Rows]) -> None:
        """Nothing is handed over if there is nothing; then `news` are the events that are worth a look."""
        tables = {name: rows for name, rows in {**self.tables, **booked}.items() if len(rows)}
        events, self.events, self.tables = self.events, [], {}
        if tables or events:
            self.hand_over(tables, events)
        noted = [*events, *self.recording.noted()]
        self.news = tuple(event for event in noted if event.severity > 0)

    def hand_over(self, tables: Mapping[str, Rows], events: Sequence[Event]) -> None:
        """To the record. One that is lost gets nothing any more, and nobody waits for it."""
        try:
            self.recording.put(tables, events)
        except RecordError as error:
            self.lost, self.recording = error, Nowhere()

    def _note_steps(self, steps: Rows) -> None:
        """Steps that a cutoff ended at their first row: hardly what was meant."""
        for row in steps:
            if row["end_kind"] == b"cutoff" and row["t_end"] - row["t_start"] < AT_ONCE_s:
                text = f"step {row['label'].decode()} ended at its first row: {row['end_reason'].decode()}"
                self.note_at(
                    float(row["t_end"]), 1, "ended_at_once", text, {"value": float(row["end_value"])}
                )

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


def _ends(program: Program) -> Rows:
    """The table of ends, which says what the codes of steps and run mean."""
    return np.array(
        [
            (
                end.id, end.kind.encode(), end.quantity.encode(), end.side.encode(), end.value,
                end.then.encode(),
                end.by.encode(), end.step, end.mark.line, cut(end.text, 64),
            )
            for end in program.ends
        ],
        layout.ENDS.dtype,
    )  # fmt: skip


def _first_step(segment: Segment) -> int:
    return next(each.step for each in segment.techniques if not isinstance(each, Loop))
