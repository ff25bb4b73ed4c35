"""What a cell delivered under current, and what its voltage did meanwhile.

UnknownArea where the area is needed and the file does not say it.
"""

from __future__ import annotations

import numpy as np

from nakctl.record.read import Run
from nakctl.results.areal import area_cm2, charge_mAh_cm2, current_mA_cm2
from nakctl.results.current import began_s, current_steps, moved

SETTLED_s = 60.0  # of a half cycle: by then the fast processes are over
_WANTED = ("cutoff", "goal")  # kinds of an end that is a result, and not a matter of safety


def on_time_charge_mAh_cm2(run: Run) -> float:
    """Charge stripped while current flowed; rests add nothing."""
    return moved(charge_mAh_cm2(run.samples["Q"], area_cm2(run)))[0]


def critical_capacity_mAh_cm2(run: Run) -> float | None:
    """The on-time charge at which a stripping run met its cutoff potential; None if it did not meet it."""
    end = run.header.end
    met = end.kind in _WANTED and (end.quantity, end.side) == ("Ewe", "above")
    stripped = len(run.samples) > 0 and float(run.samples["I"][-1]) > 0
    return on_time_charge_mAh_cm2(run) if met and stripped else None


def rises(run: Run) -> dict[float, float]:
    """Relative rise of Ewe in the first stripping step of each level, from SETTLED_s on: {mA/cm2: share}.

    Without the levels whose step was shorter, or whose Ewe is no number, or none to compare with.
    """
    steps = current_steps(run)
    j_mA_cm2 = current_mA_cm2(steps.I_A, area_cm2(run))
    time, Ewe = run.samples["time"], run.samples["Ewe"]
    found: dict[float, float] = {}
    for k in np.flatnonzero(steps.I_A > 0):
        rows = slice(int(steps.first[k]), int(steps.last[k]) + 1)
        settled_s = began_s(run, int(steps.first[k])) + SETTLED_s
        known = np.isfinite(Ewe[rows])
        if not known.any() or time[steps.last[k]] < settled_s:
            continue
        settled_V = float(np.interp(settled_s, time[rows][known], Ewe[rows][known]))
        if settled_V != 0:
            found.setdefault(round(float(j_mA_cm2[k]), 4), float(Ewe[rows][known][-1]) / settled_V - 1.0)
    return found


def seconds_to_cutoff(run: Run) -> float | None:
    """From the first current to the end of a run that a potential ended; None if it ended otherwise."""
    steps = current_steps(run)
    if (run.header.end.quantity, run.header.end.side) != ("Ewe", "above") or len(steps) == 0:
        return None
    return float(run.samples["time"][steps.last[-1]]) - began_s(run, int(steps.first[0]))
