"""Helpers of the compiler: the levels of a staircase, and the times of spectra that are not evenly apart."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nakctl.plan.sweeps import Env, Scope, resolve, spread
from nakctl.protocol import model as m
from nakctl.text.quantities import Quantities, Quantity, in_unit_of
from nakctl.text.reader import Loc

MOST_LEVELS = 5000
MOST_SPECTRA = 200


def levels_of(words: m.LevelRange | Quantities, loc: Loc, scope: Scope, env: Env) -> tuple[Quantity, ...]:
    """All levels, in order; from and to are hit without rounding errors."""
    if isinstance(words, Quantities):
        return words.values
    first, last = resolve(words.from_, env), resolve(words.to, env)
    values = [float(f"{value:.9g}") for value in _values(words, first.value, last.value, scope, loc, env)]
    return tuple(Quantity(value, first.dimension, in_unit_of(value, first)) for value in values)


def _values(
    words: m.LevelRange, first: float, last: float, scope: Scope, loc: Loc, env: Env
) -> tuple[float, ...]:
    if words.step is not None:
        count, spacing = 1 + round(abs(last - first) / abs(resolve(words.step, env).value)), "linear"
    elif words.factor is not None:
        count, spacing = 1 + round(abs(math.log(last / first) / math.log(words.factor))), "log"
    else:
        count, spacing = words.points or 1, words.spacing
    if count > MOST_LEVELS:
        scope.fault(loc, f"{count} levels are too many (at most {MOST_LEVELS})")
        return ()
    return spread(first, last, count, spacing)


def starts_of(use: m.SpectraUse, duration_s: float, loc: Loc, scope: Scope, env: Env) -> tuple[float, ...]:
    """When the spectra of a step begin, from its beginning; none: they are evenly apart."""
    if use.at is not None:
        starts_s = tuple(each.value for each in use.at.values)
        late = next((each for each in use.at.values if each.value >= duration_s), None)
        if late is not None:
            scope.fault((*loc, "at"), f"{late} is not within the step, which lasts {duration_s:g} s")
        return starts_s
    if use.growing_by is None or use.every is None:
        return ()
    starts_s = tuple(_growing(scope.value(use.every, env), use.growing_by, duration_s))
    if len(starts_s) > MOST_SPECTRA:
        scope.fault(
            (*loc, "growing_by"), f"more than {MOST_SPECTRA} spectra: let their distances grow faster"
        )
        return starts_s[:1]
    return starts_s


def _growing(distance_s: float, factor: float, duration_s: float) -> Iterator[float]:
    """0, and then further and further apart; one more than there may be, if there are too many."""
    start_s = 0.0
    for _ in range(MOST_SPECTRA + 1):
        if start_s >= duration_s:
            return
        yield start_s
        start_s, distance_s = start_s + distance_s, distance_s * factor
