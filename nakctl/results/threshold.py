"""How Ewe follows the current through a staircase, and from which current on it runs away."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nakctl.record.read import Run
from nakctl.results.areal import area_cm2, current_mA_cm2
from nakctl.results.current import current_steps

Floats = npt.NDArray[np.float64]

OVER_LEVELS = 5  # a local slope rests on so many
STEEPER = 2.0  # times the first slope: unstable


def levels(run: Run) -> tuple[Floats, Floats]:
    """Each current level in its order (mA/cm2, signed), and Ewe_V at its last sample. Or UnknownArea."""
    steps = current_steps(run)
    j_mA_cm2 = np.round(current_mA_cm2(steps.I_A, area_cm2(run)), 6)
    last_of_level = np.append(np.diff(j_mA_cm2) != 0, True)[: len(j_mA_cm2)]
    return j_mA_cm2[last_of_level], run.samples["Ewe"][steps.last[last_of_level]].astype(np.float64)


def slopes(j_mA_cm2: Floats, Ewe_V: Floats) -> Floats:
    """dEwe/dj in ohm cm2 by straight lines through OVER_LEVELS neighbours: one value per middle level."""
    i = np.lib.stride_tricks.sliding_window_view(j_mA_cm2, OVER_LEVELS)
    V = np.lib.stride_tricks.sliding_window_view(Ewe_V, OVER_LEVELS)
    i = i - i.mean(axis=1, keepdims=True)
    return np.asarray(1e3 * (i * V).sum(axis=1) / (i * i).sum(axis=1))


def threshold_mA_cm2(j_mA_cm2: Floats, Ewe_V: Floats) -> float | None:
    """The lowest current from which on the slope stays at STEEPER times that of the first levels, or above.

    None if it never does, or there are too few levels.
    """
    if len(j_mA_cm2) < 2 * OVER_LEVELS:
        return None
    slope = slopes(j_mA_cm2, Ewe_V)
    flat = np.flatnonzero(slope < STEEPER * slope[0])
    first = int(flat[-1]) + 1
    if first == len(slope):
        return None
    return float(j_mA_cm2[first + OVER_LEVELS // 2])


def linearity(j_mA_cm2: Floats, Ewe_V: Floats) -> float:
    """R squared of a straight line through the levels."""
    return float(np.corrcoef(j_mA_cm2, Ewe_V)[0, 1] ** 2)
