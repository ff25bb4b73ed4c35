"""V(i): what each current level of a run asked of the cell, in one direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from nakctl.record.read import Run
from nakctl.results.areal import area_cm2, current_mA_cm2
from nakctl.results.current import CurrentSteps, current_steps
from nakctl.results.threshold import end_V, last_of_each, threshold_error_mA_cm2, threshold_mA_cm2

Floats = npt.NDArray[np.float64]
Direction = Literal["strip", "plate"]
AT_REST = ("OCV", "PEIS", "GEIS")  # a spectrum before the first current is taken at open circuit


@dataclass(frozen=True, slots=True)
class Staircase:
    """The levels of one direction, in their order, each (n,). Current > 0 strips the working electrode.

    j_mA_cm2           as it was set; levels that follow one another and are the same are one
    Ewe_V              at the end of the level
    time_s             when it ended
    overpotential_V    Ewe less that of the rest before the first current; NaN where no rest was before.
                       That potential does not drift in symmetric cells; in a battery it does
    resistance_ohm_cm2 overpotential over current: all that the cell puts up, electrolyte and interfaces.
                       +- resolution of Ewe (0.1 mV, as recorded) over the current
    step_ohm_cm2       change of Ewe over change of current, from the level before; NaN of the first
    threshold_mA_cm2   from where on the slope stays at twice that of the first levels, see
                       `threshold.threshold_mA_cm2`; None: not determined, or never. Source: Wu & Hatzell
                       2025, Fig. 3b and S6, where the voltage begins to run away
    threshold_error_mA_cm2  +-: half the span of the levels that one slope rests on
    """

    direction: Direction
    j_mA_cm2: Floats
    Ewe_V: Floats
    time_s: Floats
    overpotential_V: Floats
    threshold_mA_cm2: float | None
    threshold_error_mA_cm2: float | None

    def __len__(self) -> int:
        return len(self.j_mA_cm2)

    @property
    def resistance_ohm_cm2(self) -> Floats:
        return 1e3 * self.overpotential_V / self.j_mA_cm2

    @property
    def step_ohm_cm2(self) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            found = 1e3 * np.diff(self.Ewe_V) / np.diff(self.j_mA_cm2)
        return np.append(np.full(min(len(self), 1), np.nan), np.where(np.isfinite(found), found, np.nan))


def staircase(run: Run, direction: Direction = "strip") -> Staircase:
    """Or UnknownArea. Without a level in this direction all arrays are empty."""
    steps = current_steps(run)
    j_mA_cm2 = np.round(current_mA_cm2(steps.I_A, area_cm2(run)), 6)
    mine = np.flatnonzero(j_mA_cm2 > 0 if direction == "strip" else j_mA_cm2 < 0)
    j_mA_cm2 = j_mA_cm2[mine]
    last = last_of_each(j_mA_cm2)
    places, j_mA_cm2 = mine[last], j_mA_cm2[last]
    Ewe_V = end_V(run, steps, places)
    found = threshold_mA_cm2(j_mA_cm2, Ewe_V)
    return Staircase(
        direction=direction,
        j_mA_cm2=j_mA_cm2,
        Ewe_V=Ewe_V,
        time_s=run.samples["time"][steps.last[places]],
        overpotential_V=Ewe_V - rest_before_V(run, steps),
        threshold_mA_cm2=found,
        threshold_error_mA_cm2=None if found is None else threshold_error_mA_cm2(j_mA_cm2, found),
    )


def rest_before_V(run: Run, steps: CurrentSteps) -> float:
    """Ewe of the rest before the first current; NaN if there was none, or it shows no number."""
    if len(steps) == 0 or steps.place[0] == 0:
        return float("nan")
    before = int(steps.place[0]) - 1
    if run.steps["technique"][before] not in AT_REST:
        return float("nan")
    first = int(run.steps["first_row"][before])
    Ewe_V = run.samples["Ewe"][first : first + int(run.steps["row_count"][before])]
    known = Ewe_V[np.isfinite(Ewe_V)]
    return float(known[-1]) if len(known) else float("nan")
