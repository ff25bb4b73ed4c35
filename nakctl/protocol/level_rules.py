"""Rules of staircases from one level to another: by steps, by factors, or so many points."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from nakctl.protocol.model import LEVELS
from nakctl.protocol.written import one_of, quantity, words
from nakctl.text.faults import Problem
from nakctl.text.quantities import Quantity, as_ref, in_unit_of
from nakctl.text.reader import Loc

_MOST_LEVELS = 10_000


def staircase(levels: Any, loc: Loc) -> Iterator[Problem]:
    """Levels given by their ends: fixed, alike, apart, and reached in whole steps."""
    given = words(levels)
    for word in ("from", "to", "step"):
        if as_ref(given.get(word)):
            yield Problem((*loc, word), f"{word} must be fixed, not the level of a staircase around it")
    yield from one_of(levels, loc, ("step", "factor", "points"), "a staircase from one level to another")
    if "spacing" in given and "points" not in given:
        yield Problem((*loc, "spacing"), "spacing says how points are spaced: give points", at_key=True)
    ends = (quantity(given.get(word), LEVELS) for word in ("from", "to"))
    first, last = ends
    if first is None or last is None:
        return
    if first.dimension != last.dimension:
        yield Problem(loc, f"from {first} and to {last} must be of one dimension")
    elif first.value == last.value:
        yield Problem(loc, f"from {first} to {last} there is one level: write `staircase: {first}`")
    elif "step" in given:
        yield from _step_of(given["step"], first, last, (*loc, "step"))
    elif "factor" in given or given.get("spacing") == "log":
        yield from _ratio(given.get("factor"), first, last, loc)


def _step_of(written: Any, first: Quantity, last: Quantity, loc: Loc) -> Iterator[Problem]:
    step = quantity(written, LEVELS)
    if step is None:
        return
    if step.dimension != first.dimension:
        yield Problem(loc[:-1], f"from {first}, to {last} and step {step} must be of one dimension")
        return
    if step.dimension == "temperature" and not step.text.endswith("K"):
        yield Problem(loc, f"{step} is a place on a scale: the step between temperatures is written in K")
        return
    if step.value <= 0:
        yield Problem(loc, f"{step}: the step is a distance, above zero; from and to tell the direction")
        return
    count = abs(last.value - first.value) / step.value
    way = step.value if last.value > first.value else -step.value
    if count > _MOST_LEVELS:
        yield Problem(loc, f"{step}: more than {_MOST_LEVELS} levels between {first} and {last}")
    elif count < 1 or abs(count - round(count)) > 1e-6:
        near = (first.value + way * math.floor(count), first.value + way * math.ceil(count))
        yield Problem(loc, f"steps of {step} from {first} do not end at {last}: {_nearest_to(near, first)}")


def _ratio(factor: Any, first: Quantity, last: Quantity, loc: Loc) -> Iterator[Problem]:
    """Levels that are multiples of each other."""
    if first.dimension == "temperature" or first.value * last.value <= 0:
        why = "a scale of temperature" if first.dimension == "temperature" else "zero, or to the other sign"
        yield Problem(loc, f"no factors lead from {first} to {last}, over {why}: give step or points")
        return
    if not isinstance(factor, int | float) or isinstance(factor, bool) or factor <= 0:
        return
    if factor == 1:
        yield Problem((*loc, "factor"), "a factor of 1 leads nowhere: 2 doubles each level")
        return
    count = abs(math.log(last.value / first.value) / math.log(factor))
    ratio = max(factor, 1 / factor) if abs(last.value) > abs(first.value) else min(factor, 1 / factor)
    if count > _MOST_LEVELS:
        yield Problem((*loc, "factor"), f"more than {_MOST_LEVELS} levels between {first} and {last}")
    elif count < 1 or abs(count - round(count)) > 1e-6:
        near = (first.value * ratio ** math.floor(count), first.value * ratio ** math.ceil(count))
        message = f"factors of {factor:g} from {first} do not come to {last}: {_nearest_to(near, first)}"
        yield Problem((*loc, "factor"), message)


def _nearest_to(near: tuple[float, float], like: Quantity) -> str:
    told = " or ".join(dict.fromkeys(in_unit_of(value, like) for value in near if value != like.value))
    return f"write `to: {told}`, or points instead"
