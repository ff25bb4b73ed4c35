"""Runs as a figure looks at them: with names that tell them apart, and all per area or none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nakctl.figures.choice import Choice, Ints, rows
from nakctl.figures.figure import DISTINCT, Floats, Line
from nakctl.record.read import Run
from nakctl.results.areal import charge_shown, current_shown, impedance_shown
from nakctl.results.thin import thin

Shown = Callable[[Floats], Floats]

NAMED = 8  # cells, in a title
MOST_POINTS = 4_000  # of a curve: two for each dot of a page 17.5 cm wide, at 300 dpi
_UNITS_OF_TIME = (
    (2 * 86400.0, 86400.0, "d"),
    (2 * 3600.0, 3600.0, "h"),
    (120.0, 60.0, "min"),
    (0.0, 1.0, "s"),
)


@dataclass(frozen=True, slots=True)
class Sight:
    """One of the runs of a figure. cm2: None where not all of them know their area.

    colour  its own, among several
    """

    run: Run
    name: str
    cm2: float | None
    choice: Choice
    colour: str

    @property
    def rows(self) -> Ints | slice:
        return rows(self.run, self.choice)

    def current(self, I_A: Floats) -> Floats:
        return current_shown(I_A, self.cm2)[0]

    def charge(self, Q_Ah: Floats) -> Floats:
        return charge_shown(Q_Ah, self.cm2)[0]

    @property
    def current_label(self) -> str:
        return current_shown(0.0, self.cm2)[1]

    @property
    def current_unit(self) -> str:
        return self.current_label.partition(" / ")[2]

    @property
    def charge_unit(self) -> str:
        return charge_shown(0.0, self.cm2)[1]

    @property
    def ohm_unit(self) -> str:
        return impedance_shown(0j, self.cm2)[1]


def sights(runs: Sequence[Run], choice: Choice) -> list[Sight]:
    is_areal = all(run.header.area_cm2 for run in runs)
    return [
        Sight(run, name, run.header.area_cm2 if is_areal else None, choice, DISTINCT[k % len(DISTINCT)])
        for k, (run, name) in enumerate(zip(runs, names_of(runs), strict=True))
    ]


def names_of(runs: Sequence[Run]) -> list[str]:
    """By the first that tells them all apart: the cell, the one parameter that is not the same, the file."""
    cells = [run.header.cell for run in runs]
    if len(set(cells)) == len(runs) and all(cells):
        return cells
    asked = [run.header.params for run in runs]
    shared = [name for name in asked[0] if all(name in each for each in asked)]
    differ = [name for name in shared if len({str(each[name]) for each in asked}) > 1]
    if len(differ) == 1 and len({str(each[differ[0]]) for each in asked}) == len(runs):
        return [f"{differ[0]} {each[differ[0]]}" for each in asked]
    stems = [run.path.stem for run in runs]
    return stems if len(set(stems)) == len(stems) else [str(run.path) for run in runs]


def title_of(runs: Sequence[Run]) -> str:
    """What was run, on which cell; without the word that says that it was simulated, which stands across."""
    titles = dict.fromkeys(run.header.title.removeprefix("SIMULATED").strip() for run in runs)
    cells = dict.fromkeys(run.header.cell for run in runs if run.header.cell)
    said = "; ".join(titles) if len(titles) <= 2 else f"{len(runs)} runs"
    named = ", ".join(cells) if len(cells) <= NAMED else f"{len(cells)} cells"
    return f"{said}: {named}" if cells else said


def simulated(runs: Iterable[Run]) -> bool:
    return any(run.header.simulated for run in runs)


def time_unit(duration_s: float) -> tuple[float, str]:
    """How many seconds a unit has in which a time of this length reads well, and its name."""
    return next((size_s, name) for least_s, size_s, name in _UNITS_OF_TIME if duration_s >= least_s)


def told_time(time_s: float, digits: int = 3) -> str:
    """35 s, 10 min, 1.5 h."""
    fitting = (unit[1:] for unit in _UNITS_OF_TIME if abs(time_s) >= unit[1])
    size_s, name = next(fitting, (1.0, "s"))
    return f"{time_s / size_s:.{digits}g} {name}"


def _as_it_is(values: Floats) -> Floats:
    return values


def curve(
    x: Floats, y: Floats, name: str, colour: str | None = None, *, legend: bool = True,
    x_per: float = 1.0, x_shown: Shown = _as_it_is, y_shown: Shown = _as_it_is,
) -> Line:  # fmt: skip
    """A line with as many points as can be seen. x_per, x_shown, y_shown: what is done with those, and no
    others: ten million rows need no copy."""
    kept = thin(y, MOST_POINTS)
    return Line(x_shown(x[kept]) / x_per, y_shown(y[kept]), name, colour, legend=legend)


def is_wide(values: Sequence[Floats], times: float) -> bool:
    """Whether they are better seen in decades: all above zero, the highest so many times the lowest."""
    known = np.concatenate([np.zeros(0), *(each[np.isfinite(each)] for each in values)])
    return len(known) > 0 and bool(known.min() > 0) and bool(known.max() > times * known.min())
