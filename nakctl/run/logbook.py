"""What a run says to its record, entry by entry, and what it has booked of it so far.

Each entry is handed over before anything else is done with it: a fault of the booking loses nothing.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from nakctl.booking.book import Book, Page
from nakctl.booking.ending import Ending
from nakctl.booking.entry import NO_POINTS, NO_SAMPLES, Entry, brings, event_entry, said
from nakctl.booking.event import Event
from nakctl.booking.ledger import Booked, LastRows
from nakctl.booking.table import Table
from nakctl.decide.engine import Frame
from nakctl.decide.ties import Start, Tie
from nakctl.device import program_json
from nakctl.device.channel import Notice, Reading, Rows, Visit
from nakctl.device.program import Program, StepInfo
from nakctl.errors import NakctlError, RecordError, place_of
from nakctl.run.recording import Nowhere, Recording
from nakctl.run.successor import Left

AT_ONCE_s = 6e-3  # a step that a cutoff ended sooner (its sentinel included) has ended at its first row
DURABLE_WITHIN_s = 10.0  # the cell is open meanwhile; then it is told, and gone on


@dataclass(frozen=True, slots=True)
class Progress:
    """What a screen may show after a read.

    Q_Ah is net, + stripped; step None before the first row; news: events since the last time that are worth
    a look (severity 1 and up); bench: what the sensors show, as text; slopes: how fast Ewe or |I| change, by
    the id of the End that is judged by it.
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
    slopes: Mapping[int, float] = field(default_factory=dict)
    Ece_V: float = math.nan  # of a cell with three electrodes, where rows have it


class Logbook:
    """Of one run. now_s: time of the run; unix_time_s: wall-clock time, None where time is virtual.

    lost      why the record takes nothing any more
    unbooked  why what comes is no longer booked; it is recorded all the same
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
        self.book = Book(program, samples.dtype)
        self.lost: RecordError | None = None
        self.unbooked: NakctlError | None = None
        self.segment = 0  # number of the chain that was meant last
        self.block = 0  # number of the newest block that brought something
        self._last_step = 0  # that has ended
        self._met: tuple[int, Ending] | None = None  # the step whose row asked for an ending
        self._is_over = False  # it was told why the chain that was meant last is over
        self._nothing = Page({}, (), Booked.nothing(samples.dtype), NO_SAMPLES, NO_POINTS)
        self._news: list[Event] = []

    def go_on(self, left: Left) -> None:
        """In the place of another one, whose entries were booked."""
        self.book = left.book
        self.segment, self.block = left.chain.number, left.chain.block
        self._last_step = max(0, int(left.book.ledger.last_sample["step_count"][0]) - 1)

    # --- entries ---------------------------------------------------------------------------------------

    def begin_block(self) -> None:
        """The channel is about to be asked for the next one."""
        self.recording.begin_block(self.block + 1)

    def said(self, reading: Reading) -> Page:
        """What it brought, as it is booked; nothing as long as the start of its chain is not settled."""
        if not brings(reading):
            self.recording.begin_block(self.block)
            return self._nothing
        self.block += 1
        return self._write(
            said(reading, segment=self.segment, block=self.block, time_s=self.now_s(), unix_s=self._unix_s)
        )

    def meant(self, verb: str, *, durable: bool = False, **facts: Any) -> None:
        """Before it is done. durable: not before the disk has it, or shows that it takes its time."""
        self._write(self._entry("meant", {"verb": verb, **facts}), durable=durable)
        if durable and not self.recording.settle(DURABLE_WITHIN_s):
            self.turn()  # it may be lost, and not late
            text = f"the disk has not confirmed for {DURABLE_WITHIN_s:g} s that a {verb} was meant"
            if self.lost is None:
                self.note(1, "record_late", text)

    def meant_to_load(
        self,
        position: Sequence[Frame],
        *,
        new_cycle: bool,
        lasting_s: float | None,
        mark: str,
        known: Sequence[float] = (),
    ) -> None:
        """The next chain. mark: by which the channel will tell that it is this one."""
        self.segment, self._is_over = self.segment + 1, False
        place = [[frame.index, frame.passes] for frame in position]
        facts = {"known": list(known)} if known else {}
        self.meant(
            "load", durable=True, position=place, new_cycle=new_cycle, lasting_s=lasting_s, mark=mark, **facts
        )

    def replaced(self, left: Program, *, waits: bool, why: str, asks: str = "") -> None:
        """From here on what is left of the program is the one in force. What its newest chain came to may be
        told once more, if the run ends here.
        """
        self._is_over = False
        nodes = program_json.dump_nodes(left.nodes)
        facts: dict[str, Any] = {"program": nodes, "waits": waits, "why": why, "asks": asks}
        if left.capacity_C:
            facts["capacity_C"] = left.capacity_C
        self._write(self._entry("program", facts))

    def meant_to_stop(self, ending: Ending, step_count: int = 0) -> None:
        """Waits for nothing. step_count: of the step whose row asked for it, 0: no row did."""
        if step_count:
            self._met = step_count, ending
        self.meant("stop", ending=ending.as_json(), step_count=step_count)

    def done(self, verb: str, **facts: Any) -> None:
        self._write(self._entry("done", {"verb": verb, **facts}))

    def began(self, start: Start) -> Page:
        """The start of the chain is settled. Returns what it had said before."""
        return self._write(self._entry("began", {"time_s": start.time_s, "error_s": start.error_s}))

    def over(self, ending: Ending | None) -> None:
        """The chain is over for this reason; None: it was done. The first time it is told counts."""
        if self._is_over:
            return
        self._is_over = True
        is_met = ending is not None and self._met is not None and self._met[1] is ending
        self._met = None
        told = None if ending is None else ending.as_json()
        self._write(self._entry("over", {"ending": told, "is_met": is_met}))

    def tie(self, tie: Tie) -> None:
        facts = {"elapsed_s": tie.elapsed_s, "time_s": tie.time_s, "error_s": tie.error_s}
        self._write(self._entry("tie", facts))

    def asked(self, verb: str, who: str, **facts: Any) -> None:
        self._write(self._entry("asked", {"verb": verb, "who": who, **facts}))

    def note(self, severity: int, code: str, message: str, facts: Mapping[str, Any] | None = None) -> None:
        self.note_at(self.now_s(), severity, code, message, facts or {})

    def note_at(
        self, time_s: float, severity: int, code: str, message: str, facts: Mapping[str, Any]
    ) -> None:
        event = Event(time_s, severity, code, 0, message, dict(facts))
        self._write(event_entry(event, segment=self.segment, unix_s=self._unix_s))

    def notice(self, notice: Notice) -> None:
        """Of the chain under way, whose time it has."""
        time_s = self.book.start_s + notice.time_s
        self.note_at(time_s, notice.severity, notice.code, notice.message, notice.facts)

    def note_steps(self, steps: Rows) -> None:
        """Steps that a cutoff ended at their first row: hardly what was meant."""
        fresh = steps[steps["step_count"] > self._last_step]
        for row in fresh:
            self._last_step = int(row["step_count"])
            if row["end_kind"] == b"cutoff" and row["t_end"] - row["t_start"] < AT_ONCE_s:
                text = f"step {row['label'].decode()} ended at its first row: {row['end_reason'].decode()}"
                value = float(row["end_value"])
                self.note_at(float(row["t_end"]), 1, "ended_at_once", text, {"value": value})

    def tell(self, event: Event) -> None:
        """To the record alone: the loop stands still, and its book with it."""
        self._hand_over(event_entry(event, segment=self.segment, unix_s=self._unix_s))

    def last_rows(self, visit: Visit | None) -> LastRows | None:
        return self.book.ledger.last_rows(visit)

    # --- the record ------------------------------------------------------------------------------------

    def turn(self) -> None:
        """Once a round: what was written goes to the disk, where nobody else brings it there."""
        self._calling(self.recording.tick)

    def finish(self) -> None:
        """Returns when all is kept, or lost."""
        page = self._nothing if self.unbooked else self.book.close(unclosed=False)
        self.note_steps(page.tables.get("steps", self._nothing.newest.steps))
        self._calling(self.recording.finish)

    def let_go(self) -> None:
        """After a fault: what was handed over is kept, or lost, and nothing further is taken."""
        with suppress(Exception):  # the fault may be the record's own
            self.recording.finish()
        self.recording = Nowhere()

    def _entry(self, kind: Any, facts: Mapping[str, Any]) -> Entry:
        return Entry(kind, self.segment, self.now_s(), self._unix_s, facts)

    @property
    def _unix_s(self) -> float:
        unix_s = self.unix_time_s()
        return math.nan if unix_s is None else unix_s

    def _write(self, entry: Entry, *, durable: bool = False) -> Page:
        """To the record first, and then into the book."""
        self._hand_over(entry, durable=durable)
        page = self._booked(entry)
        self._news += (event for event in page.events if event.severity > 0)
        return page

    def _booked(self, entry: Entry) -> Page:
        if self.unbooked is None:
            try:
                return self.book.take([entry])
            except Exception as error:  # noqa: BLE001  (whatever it is: the run is ended in order)
                self.unbooked = _fault(error)
                self.note(2, "fault", str(self.unbooked), {"trace": traceback.format_exc()})
        if entry.kind != "event":
            return self._nothing
        told = entry.facts
        event = Event(entry.time_s, told["severity"], told["code"], 0, told["message"], dict(told["facts"]))
        return replace(self._nothing, events=(event,))

    def _hand_over(self, entry: Entry, *, durable: bool = False) -> None:
        self._calling(lambda: self.recording.put(entry, durable=durable))

    def _calling(self, call: Callable[[], None]) -> None:
        """A record that is lost gets nothing any more, and nobody waits for it."""
        try:
            call()
        except RecordError as error:
            self.lost, self.recording = error, Nowhere()

    # --- what there is to see --------------------------------------------------------------------------

    def progress(self, points: Rows, bench: tuple[str, ...]) -> Progress:
        noted = [event for event in self.recording.noted() if event.severity > 0]
        news, self._news = (*self._news, *noted), []
        return self.progress_with(news, points, bench)

    def progress_with(self, news: tuple[Event, ...], points: Rows, bench: tuple[str, ...]) -> Progress:
        """What else there is to tell waits: for whoever is not the loop itself."""
        ledger = self.book.ledger
        row = ledger.last_sample[0]
        step_id = int(row["step_id"])
        return Progress(
            time_s=float(row["time"]),
            step=self.program.step(step_id) if step_id else None,
            cycle=int(row["cycle"]),
            Ewe_V=float(row["Ewe"]),
            I_A=float(row["I"]),
            Q_Ah=float(row["Q"]),
            samples=ledger.rows,
            spectra=ledger.spectra.count,
            points=points,
            news=news,
            bench=bench,
            Ece_V=float(row["Ece"]) if "Ece" in (ledger.dtype.names or ()) else math.nan,
        )


def _fault(error: Exception) -> NakctlError:
    return NakctlError(
        f"what the channel said cannot be booked, through a fault of nakctl itself ({place_of(error)}); all "
        "of it is recorded"
    )
