"""Galvanostatic intermittent titration: how fast the working electrode takes up what is put into it.

W. Weppner and R. A. Huggins, J. Electrochem. Soc. 124 (1977) 1569, doi 10.1149/1.2133112:

    D = 4/pi (V_M I / (z F S))^2 ((dE/d delta) / (dE/d sqrt t))^2,   t << L^2/D

Of a short pulse dE/d delta is the change of the potential at rest, dEs, over what was put in, and V_M I / (z
F S) the length L times what was put in per second, so that D = 4/pi (L dEs / (tau dE/d sqrt t))^2. What a
file never knows is L: the molar volume over the area of the electrode's surface, for a plate its thickness.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.record.read import Run
from nakctl.results.current import current_steps

Floats = npt.NDArray[np.float64]

# Of the pulse: where E goes with sqrt t. Before lie resistances, later the profile has gone through.
EARLY = (0.02, 0.35)
FEWEST_ROWS = 5


@dataclass(frozen=True, slots=True)
class Titration:
    """Every pulse between two rests, in order, each (n,). I > 0 oxidises the working electrode.

    start_s, tau_s   when a pulse began, how long it lasted
    rest_s           how long the rest after it was
    I_A              as set
    before_V, after_V   Ewe at the end of the rest before it, and of the one after
    slope_V_sqrt_s   dE/d sqrt(t) by a straight line, EARLY in the pulse; slope_error_V_sqrt_s: its standard
                     error. NaN where there are fewer than FEWEST_ROWS rows
    length_cm        as it was given; None: D is not determined
    """

    start_s: Floats
    tau_s: Floats
    rest_s: Floats
    I_A: Floats
    before_V: Floats
    after_V: Floats
    slope_V_sqrt_s: Floats
    slope_error_V_sqrt_s: Floats
    length_cm: float | None = None

    def __len__(self) -> int:
        return len(self.start_s)

    @property
    def dEs_V(self) -> Floats:
        """How much the pulse changed the potential at rest."""
        return self.after_V - self.before_V

    @property
    def D_per_L2_s(self) -> Floats:
        """D/L^2 in 1/s: all that the file tells of D."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found = 4 / np.pi * (self.dEs_V / (self.slope_V_sqrt_s * self.tau_s)) ** 2
        return np.where(np.isfinite(found), found, np.nan)

    @property
    def D_cm2_s(self) -> Floats:
        """NaN without the length. Relative error: twice that of the slope, and of what L is known with."""
        return self.D_per_L2_s * (np.nan if self.length_cm is None else self.length_cm**2)

    @property
    def relative_error(self) -> Floats:
        """Of D, from the slope alone. That the rests ended before the potential stood still is not in it."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return 2 * np.abs(self.slope_error_V_sqrt_s / self.slope_V_sqrt_s)


def titration(run: Run, length_cm: float | None = None) -> Titration:
    """length_cm: molar volume x moles over the surface, for a plate its thickness; no file says it."""
    driven, steps = current_steps(run), run.steps
    between = [k for k in range(len(driven)) if _is_between_rests(run, int(driven.place[k]))]
    place = driven.place[between]
    fits = [_slope(run, int(k)) for k in place]
    return Titration(
        start_s=steps["t_start"][place],
        tau_s=steps["t_end"][place] - steps["t_start"][place],
        rest_s=steps["t_end"][place + 1] - steps["t_start"][place + 1],
        I_A=driven.I_A[between],
        before_V=np.array([_end_V(run, int(k) - 1) for k in place]),
        after_V=np.array([_end_V(run, int(k) + 1) for k in place]),
        slope_V_sqrt_s=np.array([slope for slope, _ in fits]),
        slope_error_V_sqrt_s=np.array([error for _, error in fits]),
        length_cm=length_cm,
    )


def _is_between_rests(run: Run, place: int) -> bool:
    if not 0 < place < len(run.steps) - 1:
        return False
    technique = run.steps["technique"]
    return bool(technique[place - 1] == technique[place + 1] == "OCV")


def _end_V(run: Run, place: int) -> float:
    first = int(run.steps["first_row"][place])
    Ewe_V = run.samples["Ewe"][first : first + int(run.steps["row_count"][place])]
    known = Ewe_V[np.isfinite(Ewe_V)]
    return float(known[-1]) if len(known) else np.nan


def _slope(run: Run, place: int) -> tuple[float, float]:
    """And its standard error."""
    steps = run.steps
    first = int(steps["first_row"][place])
    rows = slice(first, first + int(steps["row_count"][place]))
    since_s = run.samples["time"][rows] - steps["t_start"][place]
    Ewe_V = run.samples["Ewe"][rows].astype(np.float64)
    part = since_s / (steps["t_end"][place] - steps["t_start"][place])
    early = (part > EARLY[0]) & (part < EARLY[1]) & np.isfinite(Ewe_V)
    return line(np.sqrt(since_s[early]), Ewe_V[early])[:2]


def line(x: Floats, y: Floats) -> tuple[float, float, float]:
    """Slope of a straight line by least squares, its standard error, and its value at x = 0. NaN of too
    few."""
    if len(x) < FEWEST_ROWS or np.ptp(x) == 0:
        return np.nan, np.nan, np.nan
    slope, start = np.polyfit(x, y, 1)
    left = y - slope * x - start
    spread = float((left**2).sum()) / (len(x) - 2)
    error = float(np.sqrt(spread / ((x - x.mean()) ** 2).sum()))
    return float(slope), error, float(start)
