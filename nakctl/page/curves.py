"""Potential, current and sensors against time, as a page shows them: every row, however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nakctl.figures.figure import DISTINCT, FAINT, Axis, Dash, Figure, Line, Mark, Panel
from nakctl.figures.sight import time_unit
from nakctl.record.read import Run
from nakctl.results.interruptions import interruptions

_MARKED = 200  # interruptions; of more the table of events tells
_LINKED = "time"
_DASHES: tuple[Dash, ...] = ("solid", "dashed", "dotted")


@dataclass(frozen=True, slots=True)
class Named:
    """A run and the name that stands for it in a comparison; "" if it is alone."""

    run: Run
    name: str = ""


def against_time(runs: Sequence[Named]) -> Figure | None:
    """None: no run holds a sample. Several runs are laid over each other, each from its own start."""
    there = [each for each in runs if len(each.run.samples)]
    if not there:
        return None
    size_s, unit = time_unit(max(each.run.header.duration_s for each in there))
    areal = all(each.run.header.area_cm2 for each in there)
    label = f"time / {unit}"
    potential = "E / V" if any(each.run.has_third_electrode for each in there) else "Ewe / V"
    marks = _marks(there, size_s)
    panels = [
        Panel(
            Axis(label), Axis(potential), (*_potentials(there, size_s), *marks), linked=_LINKED,
            note="dashed: the cell lay open between two chains of the instrument" if marks else "",
        ),
        Panel(
            Axis(label), Axis("j / mA cm⁻²" if areal else "I / mA"), tuple(_currents(there, size_s, areal)),
            linked=_LINKED, height=0.75, note="above zero strips the working electrode",
        ),
        *_sensors(there, size_s, label),
    ]  # fmt: skip
    simulated = any(each.run.header.simulated for each in there)
    return Figure("time", "", tuple((panel,) for panel in panels), simulated)


def _potentials(runs: Sequence[Named], size_s: float) -> list[Line]:
    lines = []
    for place, each in enumerate(runs):
        time = _time(each.run, size_s)
        colour = DISTINCT[place % len(DISTINCT)]
        lines.append(Line(time, each.run.samples["Ewe"], each.name or "Ewe", colour, dash=_dash(place)))
        if each.run.has_third_electrode:
            other = f"{each.name} Ece".strip()
            colour = colour if each.name else DISTINCT[2]
            lines.append(
                Line(time, each.run.samples["Ece"], other, colour, dash="dotted" if each.name else "solid")
            )
    return lines


def _currents(runs: Sequence[Named], size_s: float, areal: bool) -> list[Line]:
    lines = []
    for place, each in enumerate(runs):
        colour = DISTINCT[place % len(DISTINCT)] if each.name else DISTINCT[1]
        known_cm2 = each.run.header.area_cm2 if areal else None
        shown = each.run.samples["I"] * np.float32(1e3 / (known_cm2 or 1.0))
        lines.append(Line(_time(each.run, size_s), shown, each.name or "I", colour, dash=_dash(place)))
    return lines


def _dash(place: int) -> Dash:
    """Of a run whose colour an earlier one has as well."""
    return _DASHES[place // len(DISTINCT) % len(_DASHES)]


def _time(run: Run, size_s: float) -> np.ndarray:
    time = run.samples["time"]
    return time if size_s == 1.0 else time / size_s


def _marks(runs: Sequence[Named], size_s: float) -> list[Mark]:
    """Where the cell lay open between two chains of the instrument, of a run that is alone."""
    found = interruptions(runs[0].run) if len(runs) == 1 else None
    if found is None or len(found) > _MARKED:
        return []
    return [
        Mark("", x=float(at_s) / size_s, colour=DISTINCT[4] if driven else FAINT)
        for at_s, driven in zip(found.from_s, found.under_current, strict=True)
    ]


def _sensors(runs: Sequence[Named], size_s: float, label: str) -> list[Panel]:
    """Those of one name and unit share a panel."""
    lines: dict[tuple[str, str], list[Line]] = {}
    for place, each in enumerate(runs):
        for name, log in each.run.aux.items():
            colour = DISTINCT[(place + 3) % len(DISTINCT)]
            known = Line(log.time / size_s, log.value, each.name or name, colour, dash=_dash(place))
            lines.setdefault((name, log.units), []).append(known)
    return [
        Panel(Axis(label), Axis(f"{name} / {unit}"), tuple(each), linked=_LINKED, height=0.65)
        for (name, unit), each in lines.items()
    ]
