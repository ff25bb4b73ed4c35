"""How long the potential needs to come to rest after a pulse."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nakctl.record.read import Run

OHMIC_s = 0.5  # by then all but the slow relaxation is over
LEFT = 0.1  # of that: a plateau for the eye


def mean_relaxation(
    run: Run, every_s: float = 0.05
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Time since the end of a pulse (s) and Ewe_V, averaged over all the rests between pulses of a run."""
    steps, samples = run.steps, run.samples
    rests = np.flatnonzero(
        (steps["technique"] == "OCV") & (steps["step_count"] > 1) & (steps["row_count"] > 1)
    )
    if len(rests) == 0:
        return np.zeros(0), np.zeros(0)
    length_s = float(np.median(steps["t_end"][rests] - steps["t_start"][rests]))
    grid_s = np.arange(every_s, length_s, every_s)
    total = np.zeros(len(grid_s))
    for k in rests:
        first = int(steps["first_row"][k])
        rows = slice(first, first + int(steps["row_count"][k]))
        total += np.interp(grid_s, samples["time"][rows] - steps["t_start"][k], samples["Ewe"][rows])
    return grid_s, total / len(rests)


def plateau_s(time_s: npt.NDArray[np.float64], Ewe_V: npt.NDArray[np.float64]) -> float | None:
    """When LEFT of the relaxation that goes on at OHMIC_s is left; None if the rest ends before."""
    later = time_s >= OHMIC_s
    if np.count_nonzero(later) < 2:
        return None
    left = (Ewe_V[later] - Ewe_V[-1]) / (Ewe_V[later][0] - Ewe_V[-1])
    return float(time_s[later][np.flatnonzero(left <= LEFT)[0]])
