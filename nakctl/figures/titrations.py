"""Galvanostatic intermittent titration: potentials at rest, and how fast the electrode takes charge up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nakctl.figures.choice import ALL, Choice
from nakctl.figures.figure import DISTINCT, INK, Axis, Drawn, Figure, Line, Panel
from nakctl.figures.sight import curve, is_wide, sights, simulated, time_unit, title_of
from nakctl.record.read import Run
from nakctl.results.current import charge_before_Ah
from nakctl.results.gitt import titration

LEAST_PULSES = 2
DECADES_FROM = 5.0  # times, from the lowest to the highest


def lacks_titration(run: Run) -> str:
    I_A = titration(run).I_A
    if len(I_A) < LEAST_PULSES:
        return f"current pulses between rests, of which it has {len(I_A) or 'none'}"
    one_way = np.sign(I_A[1:]) == np.sign(I_A[:-1])  # half cycles with rests between them are no titration
    return (
        "" if one_way.any() else "pulses that go on in one direction: each goes back what the one before went"
    )


def titrations(runs: Sequence[Run], choice: Choice = ALL) -> Figure:
    """Potential against time with the ends of the rests; these against charge; D over the squared length."""
    seen = sights(runs, choice)
    end_s = max(float(one.run.samples["time"][one.rows][-1]) for one in seen)
    size_s, unit = time_unit(end_s)
    time: list[Drawn] = []
    rest: list[Drawn] = []
    fast: list[Line] = []
    for one in seen:
        found, samples, rows = titration(one.run), one.run.samples, one.rows
        colour = one.colour if len(seen) > 1 else DISTINCT[0]
        place = np.searchsorted(one.run.steps["t_start"], found.start_s - 1e-9)
        Q_Ah = charge_before_Ah(one.run, one.run.steps["first_row"][place].astype(np.int64))
        time.append(curve(samples["time"][rows] / size_s, samples["Ewe"][rows], one.name, colour))
        time.append(Line(found.start_s / size_s, found.before_V, "end of rest", INK, style="points"))
        rest.append(Line(one.charge(Q_Ah), found.before_V, one.name, colour, style="both"))
        middle_V = (found.before_V + found.after_V) / 2
        fast.append(Line(middle_V, found.D_per_L2_s, one.name, colour, style="both"))
    charge = Axis(f"net charge / {seen[0].charge_unit}")
    rows_of = (
        (Panel(Axis(f"time / {unit}"), Axis("Ewe / V"), tuple(time), height=0.8),),
        (
            Panel(charge, Axis("Ewe at rest / V"), tuple(rest), height=0.8),
            Panel(
                Axis("Ewe / V"),
                Axis("D/L² / s⁻¹", log=is_wide([line.y for line in fast], DECADES_FROM)),
                tuple(fast),
                height=0.8,
            ),
        ),
    )
    return Figure("gitt", title_of(runs), rows_of, simulated(runs), wide=True)
