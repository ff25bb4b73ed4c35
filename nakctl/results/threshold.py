"""How Ewe follows the current through a staircase, and from which current on it runs away."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nakctl.record.read import Run
from nakctl.results.areal import area_cm2, current_mA_cm2
from nakctl.results.current import CurrentSteps, current_steps

Floats = npt.NDArray[np.float64]

OVER_LEVELS = 5  # a local slope rests on so many
STEEPER = 2.0  # times the first slope: unstable
FEWEST_LEVELS = 2 * OVER_LEVELS


def levels(run: Run) -> tuple[Floats, Floats]:
    """Each current level in its order (mA/cm2, signed), and Ewe_V at its last sample that is a number; NaN
    where it has none. Or UnknownArea."""
    steps = current_steps(run)
    j_mA_cm2 = np.round(current_mA_cm2(steps.I_A, area_cm2(run)), 6)
    places = np.flatnonzero(last_of_each(j_mA_cm2))
    return j_mA_cm2[places], end_V(run, steps, places)


def last_of_each(values: Floats) -> npt.NDArray[np.bool_]:
    """Where a row of equal values ends, (n,)."""
    return np.append(np.diff(values) != 0, True)[: len(values)]


def end_V(run: Run, steps: CurrentSteps, places: npt.NDArray[np.intp]) -> Floats:
    """Ewe at the last sample of these steps that is a number; NaN where none is."""
    Ewe_V = run.samples["Ewe"][steps.last[places]].astype(np.float64)
    for k in np.flatnonzero(~np.isfinite(Ewe_V)):
        place = places[k]
        Ewe_V[k] = _last_number(run.samples["Ewe"][steps.first[place] : steps.last[place] + 1])
    return Ewe_V


def _last_number(values: npt.NDArray[np.floating]) -> float:
    known = values[np.isfinite(values)]
    return float(known[-1]) if len(known) else np.nan


def slopes(j_mA_cm2: Floats, Ewe_V: Floats) -> Floats:
    """dEwe/dj in ohm cm2 by straight lines through OVER_LEVELS neighbours: one value per middle level.

    None (an empty array) of fewer levels than that.
    """
    if len(j_mA_cm2) < OVER_LEVELS:
        return np.zeros(0)
    i = np.lib.stride_tricks.sliding_window_view(j_mA_cm2, OVER_LEVELS)
    V = np.lib.stride_tricks.sliding_window_view(Ewe_V, OVER_LEVELS)
    i = i - i.mean(axis=1, keepdims=True)
    return np.asarray(1e3 * (i * V).sum(axis=1) / (i * i).sum(axis=1))


def threshold_mA_cm2(j_mA_cm2: Floats, Ewe_V: Floats) -> float | None:
    """The lowest current from which on the slope stays at STEEPER times that of the first levels, or above.

    Signed as the levels are, which go up in one direction. None if it never does, if there are fewer than
    FEWEST_LEVELS, or if the levels do not rise from one to the next. Uncertain by `threshold_error_mA_cm2`.
    """
    known = np.isfinite(j_mA_cm2) & np.isfinite(Ewe_V)
    j_mA_cm2, Ewe_V = j_mA_cm2[known], Ewe_V[known]
    if len(j_mA_cm2) < FEWEST_LEVELS or not rise(j_mA_cm2):
        return None
    slope = slopes(j_mA_cm2, Ewe_V)
    if not slope[0] > 0:  # Ewe does not follow the current from the beginning: nothing to compare with
        return None
    flat = np.flatnonzero(slope < STEEPER * slope[0])
    first = int(flat[-1]) + 1
    if first == len(slope):
        return None
    return float(j_mA_cm2[first + OVER_LEVELS // 2])


def threshold_error_mA_cm2(j_mA_cm2: Floats, threshold: float) -> float:
    """+- of it: half the span of the levels that its slope rests on."""
    at = int(np.argmin(np.abs(j_mA_cm2 - threshold)))
    half = OVER_LEVELS // 2
    around = j_mA_cm2[max(at - half, 0) : at + half + 1]
    return float(abs(around[-1] - around[0])) / 2


def rise(j_mA_cm2: Floats) -> bool:
    """Whether all levels go one way, each beyond the one before."""
    away = np.abs(j_mA_cm2)
    one_way = bool((j_mA_cm2 > 0).all() or (j_mA_cm2 < 0).all())
    return one_way and bool((np.diff(away) > 0).all())


def linearity(j_mA_cm2: Floats, Ewe_V: Floats) -> float:
    """R squared of a straight line through the levels; NaN of fewer than three, or of levels that are one."""
    if len(j_mA_cm2) < 3 or np.ptp(j_mA_cm2) == 0 or np.ptp(Ewe_V) == 0:
        return float("nan")
    return float(np.corrcoef(j_mA_cm2, Ewe_V)[0, 1] ** 2)
