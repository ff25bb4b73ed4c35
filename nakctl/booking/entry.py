"""What happened, as the journal holds it: one entry after the other, in one order.

Everything else is computed from these (`book`). An entry is a fact: what was meant, what was done, what was
said. A rule that is mended later cannot change it.

    writer  who writes from here on: pid, boot id, version, why
    program what is left of the program, from here on the one in force: its nodes, as `program_json` has them;
            waits: nothing of it is loaded before somebody resumes the run; why; asks: what for, "": nothing;
            capacity_C: that it is said for, if something of it goes with one that is measured
    meant   verb load, start, set, stop or end, before it is done. load: position, new_cycle, lasting_s, mark,
            known: the potentials that only the run knew, in the order of `Segment.later`, or
            the charge in C of `Segment.charge`;
            stop and end: the ending, and the step whose row asked for it
    done    the same verb afterwards: called_s, returned_s, or refused
    began   the start of a chain is settled: at time_s of the run, +- error_s
    said    one read of the channel that brought something: its rows, and what they were made of
    over    a chain is over, and why; ending null: it was done
    tie     the same moment on the channel's clock and on the run's
    sensed  readings of a sensor, as its own journal has them
    asked   what somebody asked for and who: verb stop, withdraw, note, pause, resume or skip; by a signal
            with its reason, through the mailbox with id, when, the answer, and text, why or after. place:
            from where on that is waited for; resumed: the run is paused no longer; withdrawn: nor is to be
    event   something worth a line
    booked  rows that were booked already: journals of the first version held nothing else
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from nakctl.booking.ending import Ending
from nakctl.booking.event import Event
from nakctl.device.channel import POINT, SAMPLE, Look, Notice, Reading, Rows, State, Visit

Kind = Literal[
    "writer", "program", "meant", "done", "began", "said", "over", "tie", "sensed", "asked", "event", "booked"
]
Facts = Mapping[str, Any]
NO_SAMPLES, NO_POINTS = np.zeros(0, SAMPLE), np.zeros(0, POINT)
NO_FACTS: Facts = {}


class Entry(NamedTuple):
    """One of them.

    segment   number of the chain that it belongs to, from 1 in the order in which they were meant; 0: none
    time_s    of the run; unix_s: of the wall clock, NaN where time is virtual
    raw       said: what the rows were made of; sensed: packed readings
    samples, points  said: (n,) of SAMPLE and (m,) of POINT
    memo      said: what a successor has to know; only the newest is kept
    block     said: its number among the blocks that brought something, from 1
    seq       its number, from 1, given by the journal; epoch: of the writer
    """

    kind: Kind
    segment: int = 0
    time_s: float = 0.0
    unix_s: float = math.nan
    facts: Facts = NO_FACTS
    raw: bytes = b""
    samples: Rows = NO_SAMPLES
    points: Rows = NO_POINTS
    memo: Facts = NO_FACTS
    block: int = 0
    seq: int = 0
    epoch: int = 0
    tables: Mapping[str, npt.NDArray[np.void]] = NO_FACTS
    events: Sequence[Event] = ()

    @property
    def size(self) -> int:
        """Bytes, about."""
        return self.samples.nbytes + self.points.nbytes + len(self.raw) + 200


def said(reading: Reading, *, segment: int, block: int, time_s: float, unix_s: float = math.nan) -> Entry:
    """What one read brought."""
    facts: dict[str, Any] = {}
    if reading.state is State.STOPPED:
        facts["stopped"] = True
        if reading.ends_before is not None:
            facts["ends_before"] = reading.ends_before
    if reading.look is not None:
        facts["look"] = _look_json(reading.look)
    if reading.visit is not None:
        facts["visit"] = list(_visit_json(reading.visit))
    if reading.notices:
        facts["notices"] = [
            [_or_none(one.time_s), one.severity, one.code, one.message, dict(one.facts)]
            for one in reading.notices
        ]
    return Entry(
        "said", segment, time_s, unix_s, facts, reading.raw, reading.samples, reading.points, reading.memo,
        block,
    )  # fmt: skip


def brings(reading: Reading) -> bool:
    """Whether there is anything in it that has to be kept."""
    rows = len(reading.samples) + len(reading.points)
    return bool(rows or reading.raw or reading.notices) or reading.state is State.STOPPED


def is_stopped(entry: Entry) -> bool:
    return bool(entry.facts.get("stopped", False))


def ends_before(entry: Entry) -> int | None:
    """As in Reading."""
    told: int | None = entry.facts.get("ends_before")
    return told


def visit_of(entry: Entry) -> Visit | None:
    """That of the newest row of the chain, as the channel said."""
    told = entry.facts.get("visit")
    return None if told is None else Visit(*told)


def look_of(entry: Entry) -> Look | None:
    told = entry.facts.get("look")
    return None if told is None else Look(bool(told[0]), *map(_number, told[1:]))


def notices_of(entry: Entry) -> tuple[Notice, ...]:
    return tuple(
        Notice(_number(time_s), severity, code, message, facts)
        for time_s, severity, code, message, facts in entry.facts.get("notices", ())
    )


def ending_in(entry: Entry) -> Ending | None:
    """That of an entry `over`, or of a stop or end that was meant."""
    told = entry.facts.get("ending")
    return None if told is None else Ending.from_json(told)


def event_entry(event: Event, *, segment: int = 0, unix_s: float = math.nan) -> Entry:
    """step_count is counted when it is booked."""
    facts = {
        "severity": event.severity,
        "code": event.code,
        "message": event.message,
        "facts": event.facts,
    }
    return Entry("event", segment, event.time_s, unix_s, facts)


def _look_json(look: Look) -> list[Any]:
    values = (look.Ewe_V, look.I_A, look.elapsed_s, look.filled)
    third = () if math.isnan(look.Ece_V) else (look.Ece_V,)
    return [int(look.running), *map(_or_none, (*values, *third))]


def _visit_json(visit: Visit) -> tuple[int, int, float]:
    return visit.technique, visit.passes, visit.start_s


def _or_none(value: float) -> float | None:
    """JSON has no word for what is no number."""
    return float(value) if math.isfinite(value) else None


def _number(value: float | None) -> float:
    return math.nan if value is None else value
