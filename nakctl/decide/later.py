"""What only the run knows, potentials and charges: what they come to when they are needed."""

from __future__ import annotations

import math
from collections.abc import Mapping

from nakctl.booking.ending import Ending
from nakctl.booking.ledger import LastTime, Measured, newest
from nakctl.device.known import MORE
from nakctl.device.program import Capacity, Later, LaterCharge, Program, Segment
from nakctl.text.numbers import si

_NOT_MEASURED = {
    "OCV": "no rest came before it",
    "start": "the run has no row yet",
    "last": "no step came before it",
}


def values_of(
    program: Program, segment: Segment, measured: Measured, known: Mapping[int, LastTime]
) -> tuple[tuple[float, ...], Ending | None]:
    """One for each of `later`, or the charge; and how the run ends if one of them is none, or beyond what was
    planned. known: what steps came to when they were done last."""
    if segment.charge is not None:
        return _charge_C(segment.charge, known)
    last_V = measured.before_V if segment.tops_up else measured.last_V
    known_V = {"OCV": measured.OCV_V, "start": measured.start_V, "last": last_V}
    values = tuple(known_V[each.of] + each.add_V for each in segment.later)
    for later, value_V in zip(segment.later, values, strict=True):
        trouble = _trouble(program, later, value_V)
        if trouble is not None:
            return values, trouble
    return values, None


def _charge_C(later: LaterCharge, known: Mapping[int, LastTime]) -> tuple[tuple[float, ...], Ending | None]:
    last = newest(later.steps, known)
    if last is None:
        return (), _nothing(f"{later.text} is not known: that step was not done before")
    charge_C = abs(last.charge_C)
    if charge_C > later.planned_C * (1 + MORE):
        moved, planned = (si(each / 3600, "Ah") for each in (charge_C, later.planned_C))
        return (), _nothing(f"{later.text} came to {moved}, more than the {planned} that were planned for")
    return (charge_C,), None


def capacity_C(asked: Capacity, known: Mapping[int, LastTime]) -> tuple[float, Ending | None]:
    """That a step has measured; and how the run ends if it is not what it may be."""
    last = known.get(asked.step)
    if last is None:
        return math.nan, _nothing(f"the capacity is not known: {asked.label} was not done before")
    found_C = abs(last.charge_C)
    if abs(found_C - asked.about_C) > asked.within * asked.about_C:
        found, planned = (si(each / 3600, "Ah") for each in (found_C, asked.about_C))
        off = f"more than {asked.within * 100:.3g} % off the {planned} that were planned for"
        return found_C, _nothing(f"{asked.label} measured a capacity of {found}, {off}")
    return found_C, None


def _nothing(text: str) -> Ending:
    return Ending("end run", f"{text}; nothing was loaded", "interrupted", "interrupted")


def _trouble(program: Program, later: Later, value_V: float) -> Ending | None:
    if math.isnan(value_V):
        return _nothing(f"{later.text} is not known: {_NOT_MEASURED[later.of]}")
    side = "below" if value_V < later.low_V else "above" if value_V > later.high_V else ""
    if not side:
        return None
    limit = next((e for e in program.ends_of(0, "limit") if e.quantity == "Ewe" and e.side == side), None)
    text = f"limit: {later.text} came to {si(value_V, 'V')}, {side} what limits.Ewe allow; nothing was loaded"
    return Ending("end run", text, "stopped", "limit", 0 if limit is None else limit.id, value_V)
