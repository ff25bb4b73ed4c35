"""What happened -> the tables of the record. A pure replay: guard, screen, live view, sealing and recovery
all book with this, and get the same rows from the same entries.

It books and never judges: why a step was left by the host, and why a chain was over, are entries. Only what a
chain did by itself is told from its rows (`early`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from nakctl.booking import layout
from nakctl.booking.cleaning import Cleaning
from nakctl.booking.early import Newest
from nakctl.booking.ending import Ending
from nakctl.booking.entry import (
    NO_POINTS,
    NO_SAMPLES,
    Entry,
    ending_in,
    is_stopped,
    notices_of,
    visit_of,
)
from nakctl.booking.event import Event, event_of_asked
from nakctl.booking.ledger import UNCLOSED, Booked, Ledger, write_end
from nakctl.booking.table import cut
from nakctl.device import program_json
from nakctl.device.channel import Rows
from nakctl.device.known import knowing, lasting, with_capacity
from nakctl.device.program import Branch, Loop, Program, Segment, node_at

CLOCK_ROW_EVERY_s = 60.0
AT_ONCE = 64 * 1024  # rows of reads that are booked together, at the most


@dataclass(frozen=True, slots=True)
class Page:
    """What some entries came to. tables: new rows by table, those without any left out; events: as they came.

    newest           what the last read among them was booked as
    samples, points  its rows as the channel gave them, cleaned
    """

    tables: Mapping[str, Rows]
    events: tuple[Event, ...]
    newest: Booked
    samples: Rows
    points: Rows


@dataclass(slots=True)
class _Chain:
    """One that was meant.

    meant_s, returned_s  of its start, in the time of the run; error_s: by how much it may be earlier
    next_step  with which the chain behind it begins, if that goes on with a step; 0: none does
    """

    segment: Segment
    new_cycle: bool
    next_step: int
    meant_s: float = 0.0
    returned_s: float = 0.0
    error_s: float = 0.0


class Book:
    """Of one run. program None: of a journal that holds booked rows only.

    planned  the program as it was begun with; program: the one in force, which may be what is left of it
    """

    def __init__(self, program: Program | None, samples: np.dtype[np.void]) -> None:
        self.planned = self.program = program
        self.ledger = Ledger(program or NO_PROGRAM, samples)
        self.chains = 0
        self.start_s = 0.0  # of the chain under way, in the time of the run
        self._cleaning = Cleaning()
        self._loaded: _Chain | None = None
        self._begun = False  # the start of the loaded chain is settled
        self._early: list[Entry] = []  # what it said before
        self._rows_came = False  # of the loaded chain
        self._is_done = False  # the step that is open, as far as it is known: its chain was over
        self._met: tuple[int, Ending] | None = None  # a step, and the ending that its row asked for
        self._closed = layout.STEPS.empty()  # why these ended may not have been told yet
        self._next_clock_row_s = -math.inf
        self._page = _Gathered()
        self._page.add("ends", _ends(program or NO_PROGRAM))

    @property
    def coming(self) -> tuple[Segment, bool] | None:
        """The chain that was meant last, as long as no row of it came; whether the host goes round to it."""
        chain = self._loaded
        return None if chain is None or self._rows_came else (chain.segment, chain.new_cycle)

    # --- taking entries --------------------------------------------------------------------------------

    def take(self, entries: Iterable[Entry]) -> Page:
        """Book them, in their order."""
        together: list[Entry] = []
        rows = 0
        for entry in entries:
            if entry.kind == "said" and self._begun and _goes_together(entry) and rows < AT_ONCE:
                together.append(entry)
                rows += len(entry.samples)
                continue
            self._book_together(together)
            together, rows = [], 0
            self._note_clock(entry)
            self._TAKES.get(entry.kind, Book._pass)(self, entry)
        self._book_together(together)
        return self._turn()

    def settle(self) -> Page:
        """Nothing further is said of the steps that have ended."""
        self._hand_over_closed()
        return self._turn()

    def close(self, *, unclosed: bool) -> Page:
        """Nothing further comes: the last spectrum, the last step. unclosed: nobody said why."""
        if self._early:
            self._open_by_stamp()
        self._hand_over_closed()
        self._page.add("spectra", self.ledger.spectra.close())
        if unclosed and not self._is_done and self.ledger.ending is None:
            self.ledger.note_end(UNCLOSED)
        self._page.add("steps", self.ledger.finish())
        return self._turn()

    def _turn(self) -> Page:
        """The page is full."""
        page, self._page = self._page, _Gathered()
        return page.turned(self.ledger.dtype)

    def _pass(self, entry: Entry) -> None:
        """What is no matter of tables."""

    # --- chains ----------------------------------------------------------------------------------------

    def _meant(self, entry: Entry) -> None:
        verb = entry.facts["verb"]
        if verb == "load":
            self._load(entry)
        elif verb == "start" and self._loaded is not None:
            self._loaded.returned_s = self._loaded.meant_s = entry.time_s
        elif verb == "stop" and entry.facts.get("step_count"):
            ending = ending_in(entry)
            assert ending is not None
            self._met = entry.facts["step_count"], ending
            self._tell_met()

    def _replaced(self, entry: Entry) -> None:
        assert self.program is not None
        self.program = self.ledger.program = in_force(self.program, entry)

    def _load(self, entry: Entry) -> None:
        if self._early:
            self._open_by_stamp()
        assert self.program is not None
        segment, behind = segment_of(self.program, entry), _segment_behind(self.program, entry)
        next_step = 0 if behind is None or 0 in behind.new_cycle else _first_step(behind)
        self._loaded = _Chain(segment, bool(entry.facts["new_cycle"]), next_step)
        self._begun = self._rows_came = False

    def _done(self, entry: Entry) -> None:
        if entry.facts["verb"] == "start" and self._loaded is not None:
            # one that was refused, or not answered, may have begun all the same
            called_s = entry.facts.get("called_s", self._loaded.meant_s)
            self._loaded.returned_s = entry.facts.get("returned_s", entry.time_s)
            self._loaded.error_s = self._loaded.returned_s - called_s

    def _began(self, entry: Entry) -> None:
        """The start is settled; now what was said before can be booked."""
        self._open_chain(entry.facts["time_s"], entry.facts["error_s"])
        early, self._early = self._early, []
        for each in early:
            self._said(each)

    def _open_by_stamp(self) -> None:
        """Nobody settled the start: the call of it is all that is known."""
        assert self._loaded is not None
        early, self._early = self._early, []
        self._open_chain(self._loaded.returned_s, self._loaded.error_s)
        for each in early:
            self._said(each)

    def _open_chain(self, start_s: float, error_s: float) -> None:
        """Between it and the one before the cell lay open."""
        chain, last = self._loaded, self.ledger.last_sample[0]
        assert chain is not None
        open_from_s = float(last["time"]) if self.chains else 0.0
        open_s = start_s - open_from_s
        self.chains, self.start_s, self._begun = self.chains + 1, start_s, True
        row = (
            self.chains, start_s, error_s, open_from_s, open_s,
            int(last["step_count"]), _first_step(chain.segment), float(last["I"]),
        )  # fmt: skip
        self._page.add("chains", np.array([row], layout.CHAINS.dtype))
        self._cleaning.open_segment()
        self.ledger.open_segment(chain.segment, start_s, chain.new_cycle)
        text = f"chain of {len(chain.segment.techniques)} techniques; cell open for {open_s:.3g} s"
        self._event(start_s, 0, "segment", text, {"open_s": open_s, "start_error_s": error_s})

    # --- what was said ---------------------------------------------------------------------------------

    def _said(self, entry: Entry) -> None:
        if not self._begun:
            self._early.append(entry)
            return
        self._book(
            entry.samples, entry.points, [(len(entry.samples) + len(entry.points), visit_of(entry))],
            stopped=is_stopped(entry),
        )  # fmt: skip
        for notice in notices_of(entry):
            time_s = self.start_s + notice.time_s
            self._event(time_s, notice.severity, notice.code, notice.message, notice.facts)

    def _book_together(self, entries: list[Entry]) -> None:
        """Reads that brought samples and nothing else, as one: the tables are the same."""
        if len(entries) > 1:
            samples = np.concatenate([entry.samples for entry in entries], dtype=NO_SAMPLES.dtype)
            times_s = np.append(self._cleaning.last_s, samples["time_s"])
            if np.all(times_s[1:] >= times_s[:-1]):  # else rows of one read would be sorted into another
                ends = np.cumsum([len(entry.samples) for entry in entries]).tolist()
                newest = list(zip(ends, map(visit_of, entries), strict=True))
                self._book(samples, NO_POINTS, newest, stopped=False)
                for entry in entries:
                    self._note_clock(entry)
                return
        for entry in entries:
            self._note_clock(entry)
            self._said(entry)

    def _book(self, samples: Rows, points: Rows, newest: Newest, *, stopped: bool) -> None:
        clean_samples, clean_points = self._cleaning.samples(samples), self._cleaning.points(points)
        booked = self.ledger.book(clean_samples, clean_points, newest, stopped=stopped)
        if len(booked.samples):
            self._rows_came, self._is_done = True, False
        self._hand_over_closed()
        self._page.read(booked, clean_samples, clean_points)
        for name in ("samples", "impedance", "spectra"):
            self._page.add(name, getattr(booked, name))
        self._closed = booked.steps
        self._tell_met()

    def _hand_over_closed(self) -> None:
        """A read later: why they ended is known now."""
        self._page.add("steps", self._closed)
        self._closed = self._closed[:0]

    # --- ends ------------------------------------------------------------------------------------------

    def _tell_met(self) -> None:
        """The step whose row it was is over, and its row not handed over yet."""
        if self._met is not None:
            for place in np.flatnonzero(self._closed["step_count"] == self._met[0]):
                write_end(self._closed[place], self._met[1])
            self.ledger.was_met(*self._met)

    def _over(self, entry: Entry) -> None:
        """The chain is over for this reason. It stands at the step whose row met it; the next is `left`.

        Of a paused run that is ended it is told twice. A step that was cut goes on, until then; one that was
        done with its chain keeps the end it had.
        """
        ending = ending_in(entry)
        met, running = self._met, self.ledger.open["step_count"].tolist()
        self._met = None
        if not self._is_of_open_step() or self._is_done or (ending is not None and ending.then == "go on"):
            return
        self._is_done = ending is None and (
            self._loaded is None or self._loaded.next_step not in self._open()
        )
        if ending is None:
            return
        if met is not None and entry.facts.get("is_met") and met[0] not in (0, *running):
            ending = replace(ending, kind="left", end_id=0, value=math.nan)
        self.ledger.note_end(ending)

    def _is_of_open_step(self) -> bool:
        """Whether what becomes of the loaded chain is the end of the step that is open: it has rows of it, or
        was to go on with it. Else that step was over with its own chain.
        """
        chain = self._loaded
        if chain is None or self._rows_came:
            return True
        begins_a_cycle = chain.new_cycle or 0 in chain.segment.new_cycle
        return not begins_a_cycle and _first_step(chain.segment) in self._open()

    def _open(self) -> list[int]:
        """The step that is open, if there is one."""
        return [int(step) for step in self.ledger.open["step_id"]]

    # --- the rest --------------------------------------------------------------------------------------

    def _tie(self, entry: Entry) -> None:
        row = (self.chains, entry.facts["elapsed_s"], entry.facts["time_s"], entry.facts["error_s"])
        self._page.add("ties", np.array([row], layout.TIES.dtype))

    def _told(self, entry: Entry) -> None:
        told = entry.facts
        self._event(entry.time_s, told["severity"], told["code"], told["message"], told["facts"])

    def _asked(self, entry: Entry) -> None:
        """Through the mailbox."""
        event = event_of_asked(entry.time_s, self._step_count, entry.facts)
        if event is not None:
            self._page.events.append(event)

    @property
    def _step_count(self) -> int:
        return int(self.ledger.last_sample["step_count"][0])

    def _event(
        self, time_s: float, severity: int, code: str, message: str, facts: Mapping[str, object]
    ) -> None:
        self._page.events.append(Event(time_s, severity, code, self._step_count, message, dict(facts)))

    def _note_clock(self, entry: Entry) -> None:
        """Once a minute: which wall-clock time belongs to which time of the run."""
        if math.isfinite(entry.unix_s) and entry.time_s >= self._next_clock_row_s:
            self._next_clock_row_s = entry.time_s + CLOCK_ROW_EVERY_s
            self._page.add("clock", np.array([(entry.time_s, entry.unix_s)], layout.CLOCK.dtype))

    def _booked(self, entry: Entry) -> None:
        for name, rows in entry.tables.items():
            self._page.add(name, rows)
        self._page.events += entry.events

    _TAKES: Mapping[str, Callable[[Book, Entry], None]] = {
        "program": _replaced,
        "meant": _meant,
        "done": _done,
        "began": _began,
        "said": _said,
        "over": _over,
        "tie": _tie,
        "asked": _asked,
        "event": _told,
        "booked": _booked,
    }


class _Gathered:
    """A page that is being written."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._tables: dict[str, list[Rows]] = {}
        self._newest: tuple[Booked, Rows, Rows] | None = None

    def add(self, name: str, rows: Rows) -> None:
        if len(rows):
            self._tables.setdefault(name, []).append(rows)

    def read(self, booked: Booked, samples: Rows, points: Rows) -> None:
        self._newest = booked, samples, points

    def turned(self, samples: np.dtype[np.void]) -> Page:
        tables = {
            name: parts[0] if len(parts) == 1 else np.concatenate(parts, dtype=parts[0].dtype)
            for name, parts in self._tables.items()
        }
        newest = self._newest or (Booked.nothing(samples), NO_SAMPLES, NO_POINTS)
        return Page(tables, tuple(self.events), *newest)


def in_force(program: Program, entry: Entry) -> Program:
    """The one in force after an entry `program`, which tells what is left of the one before."""
    capacity_C = entry.facts.get("capacity_C")
    if capacity_C is not None:  # its ends go with it
        program = with_capacity(program, capacity_C)
    return replace(program, nodes=program_json.load_nodes(entry.facts["program"]))


def segment_of(program: Program, entry: Entry) -> Segment:
    """The chain that an entry meant to load. program: the one in force by then."""
    node = node_at(program.nodes, [index for index, _ in entry.facts["position"]])
    assert isinstance(node, Segment)
    if node.is_open:
        node = knowing(node, entry.facts["known"])
    lasting_s = entry.facts.get("lasting_s")
    return node if lasting_s is None else lasting(node, lasting_s)


def _segment_behind(program: Program, entry: Entry) -> Segment | None:
    """The chain that comes next without any loop of the host going round."""
    *outer, index = (index for index, _ in entry.facts["position"])
    around = node_at(program.nodes, outer) if outer else None
    nodes = program.nodes if around is None else getattr(around, "body", ())
    if isinstance(around, Branch):
        nodes, index = around.side(index)
    node = nodes[index + 1] if index + 1 < len(nodes) else None
    return node if isinstance(node, Segment) else None


def _goes_together(entry: Entry) -> bool:
    return not (len(entry.points) or entry.facts.get("notices") or entry.facts.get("stopped"))


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


NO_PROGRAM = Program("", 1.0, (), ())
