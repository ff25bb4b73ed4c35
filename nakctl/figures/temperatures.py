"""Resistance against temperature, and the activation energy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nakctl.figures.choice import ALL, Choice
from nakctl.figures.figure import DISTINCT, Axis, Drawn, Figure, Line, Panel
from nakctl.figures.sight import sights, simulated, title_of
from nakctl.record.read import Run
from nakctl.results.arrhenius import GAS_J_mol_K, activation


def lacks_temperatures(run: Run) -> str:
    count = len(activation(run))
    return "" if count else "spectra that show a resistance while one sensor shows a temperature"


def arrhenius(runs: Sequence[Run], choice: Choice = ALL) -> Figure:
    """Resistance against 1000 K/T, in decades; the slope is the activation energy."""
    seen = sights(runs, choice)
    drawn: list[Drawn] = []
    notes = []
    for one in seen:
        found = activation(one.run)
        R = found.R_ohm * (one.cm2 or 1.0)
        colour = one.colour if len(seen) > 1 else DISTINCT[0]
        drawn.append(Line(1e3 / found.T_K, R, one.name, colour, style="points"))
        if found.kJ_mol is None or found.eV is None:
            continue
        x = np.array([found.T_K.max(), found.T_K.min()])
        middle = np.exp(np.mean(np.log(R)) - 1e3 * found.kJ_mol / GAS_J_mol_K * np.mean(1 / found.T_K))
        y = middle * np.exp(1e3 * found.kJ_mol / (GAS_J_mol_K * x))
        drawn.append(Line(1e3 / x, y, f"{one.name}, fit", colour, legend=False))
        error = f" ± {found.error_kJ_mol:.2g}" if np.isfinite(found.error_kJ_mol) else ""
        prefix = f"{one.name}: " if len(seen) > 1 else ""
        notes.append(f"{prefix}Ea = {found.kJ_mol:.1f}{error} kJ/mol ({found.eV:.3f} eV)")
    note = "; ".join(notes) or "the temperatures are too near each other for an activation energy"
    panel = Panel(Axis("1000 K / T"), Axis(f"R / {seen[0].ohm_unit}", log=True), tuple(drawn), note=note)
    return Figure("arrhenius", title_of(runs), ((panel,),), simulated(runs))
