"""What a cell delivered under current, and what its voltage did meanwhile."""

from __future__ import annotations

import numpy as np

from nakctl.record.read import Run
from nakctl.results.summary import SHORT, CurrentSteps, current_steps, moved

SETTLED_s = 60.0  # of a half cycle: by then the fast processes are over


def on_time_charge_mAh_cm2(run: Run) -> float:
    """Charge stripped while current flowed; rests add nothing."""
    return moved(1e3 * run.samples["Q"] / (run.header.area_cm2 or 1.0))[0]


def critical_capacity_mAh_cm2(run: Run) -> float | None:
    """The on-time charge at which a stripping run met its cutoff potential; None if it did not meet it."""
    met = run.header.end_reason.startswith("Ewe above")
    return on_time_charge_mAh_cm2(run) if met else None


def shorted(run: Run) -> bool:
    return run.header.end_reason == SHORT


def rises(run: Run) -> dict[float, float]:
    """Relative rise of Ewe in the first stripping step of each level, from SETTLED_s on: {mA/cm2: share}."""
    steps = current_steps(run, run.header.area_cm2 or 1.0)
    time, Ewe = run.samples["time"], run.samples["Ewe"]
    found: dict[float, float] = {}
    for k in np.flatnonzero(steps.j_mA_cm2 > 0):
        rows = slice(int(steps.first[k]), int(steps.last[k]) + 1)
        settled_V = float(np.interp(_began_s(run, steps, k) + SETTLED_s, time[rows], Ewe[rows]))
        found.setdefault(round(float(steps.j_mA_cm2[k]), 4), float(Ewe[steps.last[k]]) / settled_V - 1.0)
    return found


def _began_s(run: Run, steps: CurrentSteps, k: np.intp) -> float:
    """A step begins with the last sample of the one before it."""
    return float(run.samples["time"][max(int(steps.first[k]) - 1, 0)])


def seconds_to_cutoff(run: Run) -> float | None:
    """From the first current to the end of a run that a potential ended; None if it ended otherwise."""
    steps = current_steps(run, run.header.area_cm2 or 1.0)
    if "Ewe above" not in run.header.end_reason or len(steps.first) == 0:
        return None
    return float(run.samples["time"][steps.last[-1]]) - _began_s(run, steps, np.intp(0))
