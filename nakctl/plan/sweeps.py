"""Helpers of the compiler: values in their scope, and the frequencies of a sweep."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from nakctl.errors import Fault, Mark
from nakctl.plan import plan as p
from nakctl.protocol import model as m
from nakctl.protocol.load import Loaded
from nakctl.text.quantities import Quantity, Ref
from nakctl.text.reader import Loc

Env = Mapping[str, Quantity]  # levels of the staircases around a step, by name
MOST_FREQUENCIES = 10_000


class Scope:
    """Resolves quantities for one cell, and collects what is wrong with them.

    That every quantity has a dimension fit for its place, levels of staircases included, is the language's
    business and was checked before.
    """

    def __init__(self, loaded: Loaded, area_cm2: float) -> None:
        self.loaded = loaded
        self.area_cm2 = area_cm2
        self.faults: list[Fault] = []
        self.level = (0, 0)  # of the nearest staircase, from 0, and how many it has; (0, 0): there is none

    def mark(self, loc: Loc) -> Mark:
        return self.loaded.mark(*loc)

    def fault(self, loc: Loc, message: str) -> None:
        self.fault_at(self.mark(loc), message)

    def fault_at(self, mark: Mark, message: str) -> None:
        self.faults.append(self.loaded.document.fault(mark, message))

    def value(self, value: Quantity | Ref, env: Env) -> float:
        """SI: a time in s, a potential in V, a frequency in Hz, a fraction."""
        return resolve(value, env).value

    def current_A(self, value: Quantity | Ref, env: Env) -> float:
        """Of an areal quantity that of the whole cell: a current in A, its rate in A/s, a power in W."""
        quantity = resolve(value, env)
        return quantity.value * (self.area_cm2 if quantity.dimension.startswith("areal ") else 1.0)

    def current_rate(self, value: Quantity | Ref, env: Env) -> float:
        """In A/s."""
        quantity = resolve(value, env)
        return quantity.value * (self.area_cm2 if quantity.dimension == "areal current rate" else 1.0)

    def charge_C(self, value: Quantity | Ref, env: Env) -> float:
        quantity = resolve(value, env)
        return quantity.value * (self.area_cm2 if quantity.dimension == "areal charge" else 1.0)


def resolve(value: Quantity | Ref, env: Env) -> Quantity:
    """The quantity, or the level that `$name` stands for in this pass."""
    return env[value.name] if isinstance(value, Ref) else value


def compile_sweep(
    name: str,
    control: Literal["geis", "peis"],
    words: m.Sweep,
    loc: Loc,
    scope: Scope,
    env: Env,
) -> p.Sweep:
    """The sweep in SI, with its frequencies written out."""
    amplitude = (
        scope.current_A(words.amplitude, env) if control == "geis" else scope.value(words.amplitude, env)
    )
    listed = words.frequencies is not None
    return p.Sweep(
        name=name,
        control=control,
        amplitude_peak=abs(amplitude),
        frequencies_Hz=_frequencies_Hz(words, loc, scope, env),
        spacing="list" if listed else words.spacing,
        average=words.average,
        wait_periods=words.wait_periods,
        drift_correction=words.drift_correction,
        ranges=p.Ranges(words.ranges.I, words.ranges.E, words.ranges.bandwidth),
        mark=scope.mark(loc),
    )


def _frequencies_Hz(words: m.Sweep, loc: Loc, scope: Scope, env: Env) -> tuple[float, ...]:
    if words.frequencies is not None:
        return tuple(quantity.value for quantity in words.frequencies.values)
    if words.from_ is None or words.to is None:
        return (1.0,)
    first_Hz = scope.value(words.from_, env)
    last_Hz = scope.value(words.to, env)
    count = words.points or 1 + round((words.per_decade or 0) * abs(math.log10(first_Hz / last_Hz)))
    if count > MOST_FREQUENCIES:
        scope.fault(loc, f"{count} frequencies are too many (at most {MOST_FREQUENCIES})")
        return (first_Hz,)
    return spread(first_Hz, last_Hz, count, words.spacing)


def spread(first_Hz: float, last_Hz: float, count: int, spacing: str) -> tuple[float, ...]:
    """count frequencies from first to last, both included, even in log f or in f (as real instruments do)."""
    if count == 1:
        return (first_Hz,)
    parts = [k / (count - 1) for k in range(count)]
    if spacing == "linear":
        return tuple(first_Hz + part * (last_Hz - first_Hz) for part in parts)
    return tuple(first_Hz * (last_Hz / first_Hz) ** part for part in parts)
