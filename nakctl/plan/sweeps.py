"""Helpers of the compiler: values in their scope, and the frequencies of a sweep."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from nakctl.device.cell import Cell
from nakctl.errors import Fault, Mark
from nakctl.plan import plan as p
from nakctl.protocol import model as m
from nakctl.protocol.load import Loaded
from nakctl.text.numbers import si
from nakctl.text.quantities import Quantity, Ref, Relative
from nakctl.text.reader import Loc
from nakctl.text.units import OF_CAPACITY, parse

Env = Mapping[str, Quantity]  # levels of the staircases around a step, by name
MOST_FREQUENCIES = 10_000


class Scope:
    """Resolves quantities for one cell, and collects what is wrong with them.

    That every quantity has a dimension fit for its place, levels of staircases included, is the language's
    business and was checked before.
    """

    def __init__(self, loaded: Loaded, cell: Cell, of_planned: float = 1.0) -> None:
        """of_planned: the part of the planned capacity that one which is measured may come to."""
        self.loaded = loaded
        self.cell = cell
        self.area_cm2 = cell.area_cm2
        self.faults: list[Fault] = []
        self.level = (0, 0)  # of the nearest staircase, from 0, and how many it has; (0, 0): there is none
        self.here: Loc = ()  # the step or the cutoff whose values are resolved now
        stated = loaded.protocol.capacity
        self.measured = stated if isinstance(stated, m.MeasuredCapacity) else None
        self.known_C = cell.capacity_C
        if isinstance(stated, m.MeasuredCapacity):
            self.known_C = self.charge_C(stated.about, {}) * of_planned
        elif stated is not None:
            self.known_C = self.charge_C(stated, {})

    def mark(self, loc: Loc) -> Mark:
        return self.loaded.mark(*loc)

    def fault(self, loc: Loc, message: str) -> None:
        self.fault_at(self.mark(loc), message)

    def fault_at(self, mark: Mark, message: str) -> None:
        self.faults.append(self.loaded.document.fault(mark, message))

    def need_three_electrodes(self, loc: Loc, what: str) -> None:
        """A fault if the cell has two. what: the word that needs them."""
        if not self.cell.three_electrodes:
            self.fault(
                loc,
                f"{what}: cell {self.cell.name} has two electrodes, its counter electrode is the reference; "
                "if RE is an electrode of its own, write `three_electrodes: true` in its entry in "
                "rig.yaml",
            )

    def value(self, value: Quantity | Ref, env: Env) -> float:
        """SI: a time in s, a potential in V, a frequency in Hz, a fraction."""
        return resolve(value, env).value

    def potential(
        self, value: Quantity | Ref | Relative, env: Env, loc: Loc
    ) -> tuple[float, p.Relative | None]:
        """In V; or what is to be added to what the run will have measured, and to what."""
        if not isinstance(value, Relative):
            return self.value(value, env), None
        if isinstance(value.offset, Ref) and value.offset.name not in env:
            text = f"{value}: {value.offset} is no level of a staircase around this step: write the value"
            self.fault(loc, text)
            return 0.0, None
        add = None if value.offset is None else resolve(value.offset, env)
        text = value.of if add is None else f"{add.text} vs {value.of}"
        add_V = 0.0 if add is None else add.value
        return add_V, p.Relative(value.of, add_V, text, self.mark(loc))

    def current_A(self, value: Quantity | Ref, env: Env) -> float:
        """Of an areal quantity that of the whole cell: a current in A, its rate in A/s, a power in W."""
        quantity = resolve(value, env)
        if quantity.dimension == "charge":
            quantity = meant_as(quantity, m.CURRENT)
        if quantity.dimension == "C-rate":
            return _rounded(quantity.value * self.capacity_C(quantity) / 3600)
        return quantity.value * (self.area_cm2 if quantity.dimension.startswith("areal ") else 1.0)

    def current_rate(self, value: Quantity | Ref, env: Env) -> float:
        """In A/s."""
        quantity = resolve(value, env)
        return quantity.value * (self.area_cm2 if quantity.dimension == "areal current rate" else 1.0)

    def charge_C(self, value: Quantity | Ref, env: Env) -> float:
        quantity = meant_as(resolve(value, env), m.CHARGE)
        if quantity.dimension == "part of the capacity":
            return _rounded(quantity.value * self.capacity_C(quantity))
        return quantity.value * (self.area_cm2 if quantity.dimension == "areal charge" else 1.0)

    def capacity_C(self, quantity: Quantity) -> float:
        """The capacity that a quantity refers to; a fault where none is known."""
        if self.known_C is not None:
            return self.known_C
        self.fault(
            self.here,
            f"{quantity.text} is of a capacity, and none is known: write `capacity: 2.1 mAh` at the top of "
            f"the protocol, or in the entry of cell {self.cell.name} in rig.yaml (or in its own file)",
        )
        return 1.0

    def ranges(self, words: m.Ranges, loc: Loc) -> p.Ranges:
        """Of several ranges of the current that of this level. loc: the words that `ranges` stands among."""
        listed = [] if words.I is None else words.I.split(", ")
        if len(listed) < 2:
            return p.Ranges(words.I, words.E, words.bandwidth)
        at, of = self.level
        if len(listed) != of:
            there = f"the staircase around this step has {of} levels" if of else "no staircase is around it"
            self.fault((*loc, "ranges", "I"), f"{len(listed)} ranges, one for each level: {there}")
            return p.Ranges(listed[0], words.E, words.bandwidth)
        return p.Ranges(listed[at], words.E, words.bandwidth)

    def surely_C(self, is_rate: bool) -> float | None:
        """The capacity by which it is told how long a step may take that only a cutoff ends. Of one that is
        measured the most that it may come to, where the current does not go with it."""
        if self.measured is None or is_rate:
            return self.known_C
        return self.charge_C(self.measured.about, {}) * (1 + resolve(self.measured.within, {}).value)

    def told(self, value: Quantity | Ref, env: Env) -> str:
        """As written; what is of the capacity also in A or C: `C/20 (105 uA)`."""
        quantity = resolve(value, env)
        if quantity.dimension not in OF_CAPACITY or self.known_C is None:
            return quantity.text
        at = ""
        if self.measured is not None:
            at = f" at {resolve(self.measured.about, {}).text}, measured in {self.measured.measured_in}"
        if quantity.dimension == "C-rate":
            return f"{quantity.text} ({si(abs(self.current_A(quantity, env)), 'A')}{at})"
        return f"{quantity.text} ({si(self.charge_C(quantity, env) / 3600, 'Ah')}{at})"


def resolve(value: Quantity | Ref, env: Env) -> Quantity:
    """The quantity, or the level that `$name` stands for in this pass."""
    return env[value.name] if isinstance(value, Ref) else value


def meant_as(quantity: Quantity, dimensions: tuple[str, ...]) -> Quantity:
    """`1 C` as a level is a C-rate or a charge: the place where `$level` stands says which."""
    return quantity if quantity.dimension in dimensions else parse(quantity.text, dimensions)


def _rounded(value: float) -> float:
    """C/10 of 2.1 mAh is 210 uA, and not 210.00000000000003 uA."""
    return float(f"{value:.12g}")


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
        ranges=scope.ranges(words.ranges, loc),
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
