"""Potentials that only the run knows: what they come to when their chain is loaded, and whether they may."""

from __future__ import annotations

import math

from nakctl.booking.ending import Ending
from nakctl.booking.ledger import Measured
from nakctl.device.program import Later, Program, Segment
from nakctl.text.numbers import si

_NOT_MEASURED = {
    "OCV": "no rest came before it",
    "start": "the run has no row yet",
    "last": "no step came before it",
}


def values_of(
    program: Program, segment: Segment, measured: Measured
) -> tuple[tuple[float, ...], Ending | None]:
    """One for each of `later`; and how the run ends if one of them is none, or beyond the limits."""
    last_V = measured.before_V if segment.tops_up else measured.last_V
    known_V = {"OCV": measured.OCV_V, "start": measured.start_V, "last": last_V}
    values = tuple(known_V[each.of] + each.add_V for each in segment.later)
    for later, value_V in zip(segment.later, values, strict=True):
        trouble = _trouble(program, later, value_V)
        if trouble is not None:
            return values, trouble
    return values, None


def _trouble(program: Program, later: Later, value_V: float) -> Ending | None:
    if math.isnan(value_V):
        text = f"{later.text} is not known: {_NOT_MEASURED[later.of]}"
        return Ending("end run", f"{text}; nothing was loaded", "interrupted", "interrupted")
    side = "below" if value_V < later.low_V else "above" if value_V > later.high_V else ""
    if not side:
        return None
    limit = next((e for e in program.ends_of(0, "limit") if e.quantity == "Ewe" and e.side == side), None)
    text = f"limit: {later.text} came to {si(value_V, 'V')}, {side} what limits.Ewe allow; nothing was loaded"
    return Ending("end run", text, "stopped", "limit", 0 if limit is None else limit.id, value_V)
