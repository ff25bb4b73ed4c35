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
from nakctl.results.threshold import Floats, levels, threshold_mA_cm2

LEVELS = 3  # of one direction, each above the one before
CURRENT = "current"


def lacks_staircase(run: Run) -> str:
    if not run.header.area_cm2:
        return "the area of its electrode, which levels are compared by"
    j, _ = staircase_of(run)
    ended_at_once = len(j) and len(j) == len(levels(run)[0]) and "staircase" in run.header.protocol
    if len(j) >= LEVELS or ended_at_once:
        return ""
    return f"a staircase: {len(j)} rising level{'s' if len(j) != 1 else ''} of current in one direction"


def staircase(runs: Sequence[Run], choice: Choice = ALL) -> Figure:
    """Potential at the end of each level; below it, of one run, γ as colour against the current."""
    seen = sights(runs, choice)
    several = len(seen) > 1
    drawn: list[Drawn] = []
    for one in seen:
        j, Ewe_V = staircase_of(one.run)
        drawn.append(Line(np.abs(j), Ewe_V, one.name, one.colour if several else DISTINCT[0], style="both"))
        threshold = threshold_mA_cm2(j, Ewe_V)
        if threshold is not None:
            drawn.append(
                Mark(
                    f"threshold {abs(threshold):.2g} mA cm⁻²",
                    x=abs(threshold),
                    colour=one.colour if several else FAINT,
                )
            )
    axis = Axis(_label(seen))
    rows: list[tuple[Panel, ...]] = [
        (Panel(axis, Axis("Ewe / V"), tuple(drawn), linked=CURRENT, height=0.75),)
    ]
    if not several and not lacks_spectra(seen[0].run):
        rows += _map(seen[0], axis, [each for each in drawn if isinstance(each, Mark)])
    return Figure("staircase", title_of(runs), tuple(rows), simulated(runs))


def staircase_of(run: Run) -> tuple[Floats, Floats]:
    """Levels (mA/cm2, signed) and Ewe_V of the first staircase: as long as each is above the one before."""
    j, Ewe_V = levels(run)
    rising = (np.diff(np.abs(j)) > 0) & (np.sign(j[1:]) == np.sign(j[:-1]))
    fallen = np.flatnonzero(~rising)
    count = int(fallen[0]) + 1 if len(fallen) else len(j)
    return j[:count], Ewe_V[:count]


def _label(seen: Sequence[Sight]) -> str:
    signs = {float(np.sign(staircase_of(one.run)[0][0])) for one in seen}
    word = (
        {1.0: "stripping current", -1.0: "plating current"}.get(signs.pop(), "") if len(signs) == 1 else "|j|"
    )
    return f"{word} / mA cm⁻²"


def _map(one: Sight, axis: Axis, marks: list[Mark]) -> list[tuple[Panel, ...]]:
    """Of the last spectrum of each level."""
    found = Sweeps(one)
    j = staircase_of(one.run)[0]
    places = [np.flatnonzero(np.isclose(found.I, level, atol=2e-3)) for level in j]
    met = [(abs(float(level)), int(each[-1])) for level, each in zip(j, places, strict=True) if len(each)]
    if len(met) < 2:
        return []
    x = np.array([level for level, _ in met])
    drawn = heat(x, found.among(np.array([k for _, k in met])))
    plain = tuple(Mark("", x=mark.x, colour=mark.colour) for mark in marks)
    return one_scale([(Panel(axis, TAU, (drawn, *plain), linked=CURRENT, height=0.75),)])
