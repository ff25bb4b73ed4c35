"""dQ/dV of a half cycle: where the electrode takes up and gives off its charge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from nakctl.record.read import Run
from nakctl.results.current import current_steps
from nakctl.results.maxima import maxima

Floats = npt.NDArray[np.float64]

STEP_V = 0.005
OVER = 3  # neighbours that a value is the mean of
STANDS_OUT = 0.05  # of the highest value: a peak


@dataclass(frozen=True, slots=True)
class DqDv:
    """dQ/dV against Ewe, each (n,), at the middles of equal steps of Ewe; E rising, dQ/dV >= 0.

    dQ_dV_Ah_V  charge moved while Ewe went through the step, over the step, mean of `over` neighbours
    step_V, over  the smoothing: features narrower than step_V * over are not resolved
    peak_V, peak_Ah_V  its peaks, by rising E: those that stand out by STANDS_OUT of the highest. +- step_V
    """

    E_V: Floats
    dQ_dV_Ah_V: Floats
    step_V: float
    over: int
    peak_V: Floats
    peak_Ah_V: Floats


def dq_dv(
    run: Run,
    cycle: int,
    direction: Literal["strip", "plate"],
    step_V: float = STEP_V,
    over: int = OVER,
) -> DqDv:
    """Of the steps under a constant current in that cycle, as numbered in the file; strip: I > 0.

    Empty where there are none, or Ewe goes through fewer than `over` steps. At a held potential nothing can
    be said.
    """
    return _dq_dv(*_curve(run, cycle, direction), step_V, over)


def _curve(run: Run, cycle: int, direction: Literal["strip", "plate"]) -> tuple[Floats, Floats]:
    """Ewe_V along the direction, each value not below the one before, and the charge (Ah) until then,
    (n,)."""
    steps = current_steps(run)
    sign = 1.0 if direction == "strip" else -1.0
    mine = np.flatnonzero((run.steps["cycle"][steps.place] == cycle) & (np.sign(steps.I_A) == sign))
    parts_V, parts_Ah, done_Ah = [np.zeros(0)], [np.zeros(0)], 0.0
    for k in mine:
        rows = slice(int(steps.first[k]), int(steps.last[k]) + 1)
        Q_Ah = sign * run.samples["Q"][rows]
        parts_V.append(sign * run.samples["Ewe"][rows].astype(np.float64))
        parts_Ah.append(done_Ah + Q_Ah - Q_Ah[0])
        done_Ah = float(parts_Ah[-1][-1])
    E_V, Q_Ah = np.concatenate(parts_V), np.concatenate(parts_Ah)
    known = np.isfinite(E_V) & np.isfinite(Q_Ah)
    return sign * np.maximum.accumulate(E_V[known]), Q_Ah[known]


def _dq_dv(E_V: Floats, Q_Ah: Floats, step_V: float, over: int) -> DqDv:
    """E_V goes one way, Q_Ah rises."""
    nothing = DqDv(np.zeros(0), np.zeros(0), step_V, over, np.zeros(0), np.zeros(0))
    if len(E_V) < 2 or np.ptp(E_V) < over * step_V:
        return nothing
    falls = E_V[-1] < E_V[0]
    E_V, Q_Ah = (E_V[::-1], -Q_Ah[::-1]) if falls else (E_V, Q_Ah)
    edges_V = np.arange(np.ceil(E_V[0] / step_V), np.floor(E_V[-1] / step_V) + 1) * step_V
    moved_Ah = np.diff(np.interp(edges_V, E_V, Q_Ah))
    if len(moved_Ah) < over:
        return nothing
    dQ_dV = np.convolve(moved_Ah / step_V, np.ones(over) / over, "valid")
    middles_V = np.convolve((edges_V[1:] + edges_V[:-1]) / 2, np.ones(over) / over, "valid")
    at = maxima(dQ_dV, STANDS_OUT * float(dQ_dV.max(initial=0.0)))
    return DqDv(middles_V, dQ_dV, step_V, over, middles_V[at], dQ_dV[at])
