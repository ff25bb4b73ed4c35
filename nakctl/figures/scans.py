"""Scans of the potential: voltammograms, with their peaks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nakctl.figures.choice import ALL, Choice, evenly
from nakctl.figures.figure import DISTINCT, INK, Axis, Figure, Line, Mark, Panel, Scale
from nakctl.figures.sight import Sight, curve, sights, simulated, title_of
from nakctl.record.read import Run
from nakctl.results.part import in_ranges
from nakctl.results.voltammetry import TECHNIQUES, Scan, scans

NAMED = 6  # so few cycles have names, more have a scale
MOST = 20


def lacks_scans(run: Run) -> str:
    return "" if scans(run) else "scans of the potential (cv, lsv)"


def voltammogram(runs: Sequence[Run], choice: Choice = ALL) -> Figure:
    """Current against potential, by cycle, with the peaks that stand out."""
    seen = sights(runs, choice)
    lines: list[Line] = []
    scale = None
    for one in seen:
        every = scans(one.run)
        meant = in_ranges(np.array([scan.number for scan in every]), choice.cycles)
        found = [scan for scan, is_meant in zip(every, meant, strict=True) if is_meant]
        most = choice.curves or (MOST if len(seen) == 1 else 1)
        shown = [found[k] for k in evenly(np.arange(len(found)), most)]
        if len(seen) == 1 and len(shown) > NAMED:
            scale = Scale("cycle", float(shown[0].number), float(shown[-1].number))
        for k, scan in enumerate(shown):
            colour = one.colour if len(seen) > 1 else DISTINCT[k % len(DISTINCT)]
            lines.append(_scan(one, scan, None if scale else colour, len(seen) > 1, len(shown) > 1))
        lines += _peaks(one, shown)
    axis = Axis(seen[0].current_label)
    panel = Panel(Axis("Ewe / V"), axis, (Mark("", y=0.0), *lines), scale=scale)
    return Figure("cv", title_of(runs), ((panel,),), simulated(runs))


def _scan(one: Sight, scan: Scan, colour: str | None, several: bool, numbered: bool) -> Line:
    steps = one.run.steps
    mine = np.isin(steps["technique"], TECHNIQUES) & (steps["cycle"] == scan.number)
    first, count = steps["first_row"][mine].astype(np.intp), steps["row_count"][mine].astype(np.intp)
    rows = np.concatenate([np.arange(a, a + n) for a, n in zip(first, count, strict=True)])
    E_V, I_A = one.run.samples["Ewe"][rows], one.run.samples["I"][rows]
    told = [one.name] if several else []
    told += [f"cycle {scan.number}"] if numbered or not several else []
    place = float(scan.number) if colour is None else None
    line = curve(E_V, one.current(I_A), ", ".join(told), colour, legend=place is None)
    return Line(line.x, line.y, line.name, colour, place, legend=line.legend)


def _peaks(one: Sight, shown: Sequence[Scan]) -> list[Line]:
    peaks = [peak for scan in shown for peak in (scan.anodic, scan.cathodic) if peak is not None]
    if not peaks:
        return []
    E_V, I_A = np.array([(peak.E_V, peak.I_A) for peak in peaks]).T
    return [Line(E_V, one.current(I_A), "peaks", INK, style="points")]
