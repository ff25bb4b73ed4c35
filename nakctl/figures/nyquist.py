"""Spectra as they were measured: Nyquist and Bode, the paper's Fig. S2, S5 and S8."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nakctl.figures.choice import ALL, Choice
from nakctl.figures.figure import DISTINCT, Axis, Figure, Floats, Line, Panel, Scale
from nakctl.figures.sight import Sight, sights, simulated, time_unit, title_of
from nakctl.figures.sweeps import Sweep, Sweeps, chosen, first_or_chosen, names
from nakctl.record.read import Run

USUAL = 12
IN_OVERVIEW = 40
NAMED = 6  # so few curves have names, more have a scale
FAR = 1.0  # times the width of the spectra that they may lie from 0
BELOW = 0.12  # of the height above it: what is shown of an inductive part
FREQUENCY = "frequency"


def nyquist(runs: Sequence[Run], choice: Choice = ALL) -> Figure:
    """−Im Z against Re Z."""
    panel = nyquist_panel(sights(runs, choice), choice, USUAL)
    return Figure("nyquist", title_of(runs), ((panel,),), simulated(runs))


def bode(runs: Sequence[Run], choice: Choice = ALL) -> Figure:
    """|Z| and phase against frequency."""
    seen = sights(runs, choice)
    shown, scale, note = _shown(seen, choice, USUAL)
    f_Hz = Axis("f / Hz", log=True)
    sizes = tuple(one.line(one.sweep.f_Hz, np.abs(one.sweep.Z)) for one in shown)
    phases = tuple(
        replace(one.line(one.sweep.f_Hz, -np.angle(one.sweep.Z, deg=True)), legend=False) for one in shown
    )
    above = Panel(f_Hz, Axis(f"|Z| / {seen[0].ohm_unit}", log=True), sizes, scale=scale, note=note)
    below = Panel(f_Hz, Axis("−phase / °"), phases, scale=scale)
    rows = tuple((replace(panel, linked=FREQUENCY, height=0.7),) for panel in (above, below))
    return Figure("bode", title_of(runs), rows, simulated(runs))


def nyquist_panel(seen: Sequence[Sight], choice: Choice, usual: int = IN_OVERVIEW) -> Panel:
    """Equal axes; what is of no interest of an inductive part is not shown."""
    shown, scale, note = _shown(seen, choice, usual)
    lines: list[Line] = []
    for one in shown:
        lines.append(one.line(one.sweep.Z.real, -one.sweep.Z.imag))
        if one.sweep.Z_ce is not None:
            lines.append(one.line(one.sweep.Z_ce.real, -one.sweep.Z_ce.imag, counter=True))
    if any(one.sweep.Z_ce is not None for one in shown):
        note = "; ".join(filter(None, [note, "dashed: counter electrode"]))
    x, y = (np.concatenate([getattr(each, name) for each in lines]) for name in "xy")
    known = np.isfinite(x) & np.isfinite(y)
    left, low = _corner(x[known], y[known])
    unit = seen[0].ohm_unit
    return Panel(
        Axis(f"Re Z / {unit}", low=left),
        Axis(f"−Im Z / {unit}", low=low),
        tuple(lines),
        scale=scale,
        equal=True,
        note=note,
    )


def _corner(x: Floats, y: Floats) -> tuple[float, float]:
    """Where Re Z and -Im Z begin, which are numbers. Re Z at 0, but where that would leave more of the axis
    empty than there is to be seen; -Im Z a little below 0 at most, but where there is nothing above.
    """
    if len(x) == 0:
        return 0.0, 0.0
    top = float(y.max())
    low = min(0.0, max(float(y.min()), -BELOW * top) if top > 0 else float(y.min()))
    seen = x[y >= low]
    left, width = float(seen.min()), float(np.ptp(seen))
    return left - 0.05 * width if left > FAR * width > 0 else min(left, 0.0), low


@dataclass(frozen=True, slots=True)
class _Shown:
    """One spectrum, and how its curves are drawn."""

    sweep: Sweep
    name: str
    colour: str | None
    place: float | None = None

    def line(self, x: Floats, y: Floats, *, counter: bool = False) -> Line:
        return Line(
            x,
            y,
            f"{self.name}, counter electrode" if counter else self.name,
            self.colour,
            self.place,
            "both",
            "dashed" if counter else "solid",
            legend=self.place is None and not counter,
        )


def _shown(seen: Sequence[Sight], choice: Choice, usual: int) -> tuple[list[_Shown], Scale | None, str]:
    """With what the colours stand for, and what was left out."""
    if len(seen) > 1:
        several = [(one, zip(*first_or_chosen(one, choice), strict=True)) for one in seen]
        return [_Shown(sweep, name, one.colour) for one, each in several for sweep, name in each], None, ""
    one = seen[0]
    found, in_all = chosen(one, choice, usual), len(Sweeps(one))
    told = names(list(found), unit=one.current_unit)
    note = f"{len(found)} of {in_all} spectra" if len(found) < in_all else ""
    if len(found) <= NAMED:
        shown = [_Shown(*each) for each in zip(found, told, DISTINCT[: len(found)], strict=True)]
        return shown, None, note
    places, scale = scaled(one, found)
    shown = [_Shown(each, name, None, x) for each, name, x in zip(found, told, places, strict=True)]
    return shown, scale, note


def scaled(one: Sight, found: Sweeps) -> tuple[list[float], Scale]:
    """What colours stand for: the current of a staircase, else the time."""
    if len(found.rising):
        sizes = np.abs(found.I)
        label = f"|{one.current_label[0]}| / {one.current_unit}"
        return sizes.tolist(), Scale(label, 0.0, float(sizes.max()))
    size_s, unit = time_unit(float(found.time_s[-1] - min(found.time_s[0], 0.0)))
    places = found.time_s / size_s
    low, high = float(places.min()), float(places.max())
    return places.tolist(), Scale(f"time / {unit}", low, high if high > low else low + 1.0)
