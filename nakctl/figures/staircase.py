"""Potential and relaxation times against the current of a staircase: the paper's Fig. 3b, 5b, S4 and S6."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nakctl.figures.choice import ALL, Choice
from nakctl.figures.figure import DISTINCT, FAINT, Axis, Drawn, Figure, Line, Mark, Panel
from nakctl.figures.maps import TAU, heat, one_scale
from nakctl.figures.sight import Sight, sights, simulated, title_of
from nakctl.figures.sweeps import Sweeps, lacks_spectra
from nakctl.record.read import Run
from nakctl.results.staircases import Staircase
from nakctl.results.staircases import staircase as levels_of
from nakctl.results.threshold import rise

LEVELS = 3  # of one direction, each above the one before
SAME_mA_cm2 = 2e-3
CURRENT = "current"


def lacks_staircase(run: Run) -> str:
    if not run.header.area_cm2:
        return "the area of its electrode, which levels are compared by"
    found = staircase_of(run)
    ended_at_once = len(found) > 0 and "staircase" in run.header.protocol
    if (len(found) >= LEVELS or ended_at_once) and rise(found.j_mA_cm2):
        return ""
    count = len(np.unique(found.j_mA_cm2))
    return f"a staircase: {count} level{'s' if count != 1 else ''} of current in one direction"


def staircase(runs: Sequence[Run], choice: Choice = ALL) -> Figure:
    """Potential at the end of each level; below it, of one run, γ as colour against the current."""
    seen = sights(runs, choice)
    several = len(seen) > 1
    drawn: list[Drawn] = []
    for one in seen:
        found = staircase_of(one.run)
        colour = one.colour if several else DISTINCT[0]
        drawn.append(Line(np.abs(found.j_mA_cm2), found.Ewe_V, one.name, colour, style="both"))
        drawn += _threshold(found, one.colour if several else FAINT)
    axis = Axis(_label(seen))
    rows: list[tuple[Panel, ...]] = [
        (Panel(axis, Axis("Ewe / V"), tuple(drawn), linked=CURRENT, height=0.75),)
    ]
    if not several and not lacks_spectra(seen[0].run):
        rows += _map(seen[0], axis, [each for each in drawn if isinstance(each, Mark)])
    return Figure("staircase", title_of(runs), tuple(rows), simulated(runs))


def staircase_of(run: Run) -> Staircase:
    """In the direction in which there are more levels."""
    return max(levels_of(run, "strip"), levels_of(run, "plate"), key=len)


def _threshold(found: Staircase, colour: str) -> list[Mark]:
    at = found.threshold_mA_cm2
    return [] if at is None else [Mark(f"threshold {abs(at):.2g} mA cm⁻²", x=abs(at), colour=colour)]


def _label(seen: Sequence[Sight]) -> str:
    ways = {staircase_of(one.run).direction for one in seen}
    word = {"strip": "stripping current", "plate": "plating current"}[ways.pop()] if len(ways) == 1 else "|j|"
    return f"{word} / mA cm⁻²"


def _map(one: Sight, axis: Axis, marks: list[Mark]) -> list[tuple[Panel, ...]]:
    """Of the last spectrum of each level."""
    found = Sweeps(one)
    j_mA_cm2 = staircase_of(one.run).j_mA_cm2
    places = [np.flatnonzero(np.isclose(found.I, level, atol=SAME_mA_cm2)) for level in j_mA_cm2]
    met = [(abs(float(j)), int(each[-1])) for j, each in zip(j_mA_cm2, places, strict=True) if len(each)]
    if len(met) < 2:
        return []
    x = np.array([level for level, _ in met])
    drawn = heat(x, found.among(np.array([k for _, k in met])))
    plain = tuple(Mark("", x=mark.x, colour=mark.colour) for mark in marks)
    return one_scale([(Panel(axis, TAU, (drawn, *plain), linked=CURRENT, height=0.75),)])
