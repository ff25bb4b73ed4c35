"""Cycles: capacity and efficiency from one to the next, and where the charge goes in (dQ/dV)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from nakctl.figures.choice import ALL, Choice, evenly
from nakctl.figures.figure import DISTINCT, Axis, Figure, Floats, Line, Mark, Panel, Scale
from nakctl.figures.sight import Sight, sights, simulated, title_of
from nakctl.record.read import Run
from nakctl.results.current import current_steps
from nakctl.results.cycling import Cycles, cycles
from nakctl.results.dqdv import dq_dv
from nakctl.results.part import in_ranges

LEAST = 2
LEAST_ROWS = 10  # of a half cycle
LEAST_STEPS = 30  # of the potential, 0.15 V: less is an electrode that polarises, and no capacity
NAMED = 6  # so few cycles have names, more have a scale
CYCLE = "cycle"

Way = Literal["strip", "plate"]
WAYS: tuple[Way, Way] = ("strip", "plate")


def lacks_cycles(run: Run) -> str:
    count = int(np.count_nonzero(cycles(run).both_ways))
    if count >= LEAST:
        return ""
    return f"cycles with charge both ways, of which it has {count or 'none'}"


def lacks_dq_dv(run: Run) -> str:
    numbers = _numbers(run)
    if not numbers:
        return "cycles with a current"
    steps = current_steps(run)
    rows = int((steps.last - steps.first).max(initial=0)) + 1
    ends = (dq_dv(run, number, way) for number in (numbers[0], numbers[-1]) for way in WAYS)
    if rows < LEAST_ROWS or not any(len(each.E_V) >= LEAST_STEPS for each in ends):
        return "a half cycle through which the potential changes by 0.15 V, in more than a few rows"
    return ""


def capacities(runs: Sequence[Run], choice: Choice = ALL) -> Figure:
    """Charge each way against the number of the cycle; of several runs one way. Efficiencies below."""
    seen = sights(runs, choice)
    several = len(seen) > 1
    charge: list[Line] = []
    efficiency: list[Line] = []
    for one in seen:
        found, shown = cycles(one.run), _shown(one, choice)
        charge += _charges(one, found, shown, several=several)
        efficiency += _efficiencies(one, found, shown, several=several)
    axis = Axis("cycle", whole=True)
    above = Panel(axis, Axis(f"capacity / {seen[0].charge_unit}", low=0.0), tuple(charge), height=0.75)
    shares = np.concatenate([np.array([99.0, 101.0]), *(line.y for line in efficiency)])
    low, high = float(np.nanmin(shares)), float(np.nanmax(shares))
    room = 0.05 * (high - low)
    percent = Axis("efficiency / %", low=low - room, high=high + room)  # less than 1 % is noise
    below = Panel(axis, percent, (Mark("", y=100.0), *efficiency), height=0.55)
    panels = [above, below] if efficiency else [above]
    rows = tuple((replace(panel, linked=CYCLE),) for panel in panels)
    return Figure("cycling", title_of(runs), rows, simulated(runs))


def dq_dvs(runs: Sequence[Run], choice: Choice = ALL) -> Figure:
    """dQ/dV against potential, of some cycles; below zero while plating."""
    seen = sights(runs, choice)
    lines: list[Line] = []
    scale = None
    for one in seen:
        numbers = evenly(np.array(_numbers(one.run, choice)), choice.curves or NAMED).tolist()
        if len(numbers) > NAMED and len(seen) == 1:
            scale = Scale("cycle", float(numbers[0]), float(numbers[-1]))
        for k, number in enumerate(numbers):
            name = f"{one.name}, cycle {number}" if len(seen) > 1 else f"cycle {number}"
            colour = one.colour if len(seen) > 1 else DISTINCT[k % len(DISTINCT)]
            lines += _of_cycle(one, number, name, None if scale else colour, number if scale else None)
    label = f"dQ/dV / {seen[0].charge_unit} V⁻¹"
    panel = Panel(Axis("Ewe / V"), Axis(label), (Mark("", y=0.0), *lines), scale=scale)
    return Figure("dqdv", title_of(runs), ((panel,),), simulated(runs))


def _numbers(run: Run, choice: Choice = ALL) -> list[int]:
    """Of cycles through which a current flowed."""
    found = cycles(run)
    flows = (found.strip_Ah > 0) | (found.plate_Ah > 0)
    mine = found.number[flows & found.both_ways] if found.both_ways.any() else found.number[flows]
    return [int(number) for number in mine[in_ranges(mine, choice.cycles)]]


def _shown(one: Sight, choice: Choice) -> np.ndarray:
    """Which cycles, (n,): those with both ways, that are whole, of the part that is asked for."""
    found = cycles(one.run)
    shown = found.both_ways & found.whole & in_ranges(found.number, choice.cycles)
    if choice.from_s is not None:
        shown &= found.start_s >= choice.from_s
    if choice.to_s is not None:
        shown &= found.start_s + found.duration_s <= choice.to_s
    return shown


def _charges(one: Sight, found: Cycles, shown: np.ndarray, *, several: bool) -> list[Line]:
    by_way = {"strip": found.strip_Ah, "plate": found.plate_Ah}
    number = found.number[shown].astype(np.float64)
    if several:
        way: Way = "strip" if found.charge_is == "plate" else "plate"
        y = one.charge(by_way[way][shown])
        return [Line(number, y, f"{one.name}, {_word(found, way)}", one.colour, style="both")]
    return [
        Line(number, one.charge(by_way[way][shown]), _word(found, way), DISTINCT[k], style="both")
        for k, way in enumerate(WAYS)
    ]


def _word(found: Cycles, way: Way) -> str:
    """As of a battery, where the file says which of its electrodes is the working one."""
    if not found.charge_is:
        return {"strip": "stripped", "plate": "plated"}[way]
    return "charged" if found.charge_is == way else "discharged"


def _efficiencies(one: Sight, found: Cycles, shown: np.ndarray, *, several: bool) -> list[Line]:
    prefix = f"{one.name}, " if several else ""
    number = found.number[shown].astype(np.float64)
    given: list[tuple[str, Floats]] = [("coulombic", found.coulombic_efficiency)]
    given += [] if several else [("energy", found.energy_efficiency)]
    return [
        Line(
            number,
            100 * y[shown],
            f"{prefix}{name}",
            one.colour if several else DISTINCT[2 + k],
            style="both",
        )
        for k, (name, y) in enumerate(given)
        if np.isfinite(y[shown]).any()
    ]


def _of_cycle(one: Sight, number: int, name: str, colour: str | None, place: int | None) -> list[Line]:
    lines = []
    for way, sign in zip(WAYS, (1.0, -1.0), strict=True):
        found = dq_dv(one.run, number, way)
        if len(found.E_V):
            y = sign * one.charge(found.dQ_dV_Ah_V)
            lines.append(Line(found.E_V, y, name, colour, place, legend=place is None))
    return lines
