"""The steps of a run in which a current was controlled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.record.read import Run
from nakctl.results.excitation import sweeps_at_rest

WHOLE = "duration"  # end_kind of a step that lasted, or moved as much charge, as was asked for
CONTROLLED = ("CP", "GEIS")


@dataclass(frozen=True, slots=True)
class CurrentSteps:
    """Steps under a constant current, in order, each (n,).

    I_A         as it was set, > 0 strips the working electrode
    charge_Ah   that was moved in the step, absolute; whole: it lasted as planned
    first, last rows in samples; place: row in steps
    """

    I_A: npt.NDArray[np.float64]
    charge_Ah: npt.NDArray[np.float64]
    whole: npt.NDArray[np.bool_]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    place: npt.NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.I_A)


def current_steps(run: Run) -> CurrentSteps:
    """By their set value, not by the noise of the reading. At open circuit there is none: 0 or NaN.

    Where another program recorded a spectrum, its reading stands for the value that was set.
    """
    steps, samples = run.steps, run.samples
    first = steps["first_row"].astype(np.int64)
    last = first + steps["row_count"].astype(np.int64) - 1
    place = np.flatnonzero(np.isin(steps["technique"], CONTROLLED) & (last >= first))
    I_A = samples["control"][last[place]].astype(np.float64)
    flows = np.isfinite(I_A) & (I_A != 0) & ~sweeps_at_rest(run)[place]
    place, I_A = place[flows], I_A[flows]
    first, last = first[place], last[place]
    return CurrentSteps(
        I_A=I_A,
        charge_Ah=np.abs(samples["Q"][last] - charge_before_Ah(run, first)),
        whole=steps["end_kind"][place] == WHOLE,
        first=first,
        last=last,
        place=place,
    )


def charge_before_Ah(run: Run, first: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Net charge before these rows, (n,): a step begins with the last sample of the one before it."""
    return np.where(first > 0, run.samples["Q"][np.maximum(first - 1, 0)], 0.0)


def began_s(run: Run, first: int) -> float:
    """Time at which the step with this first row began."""
    return float(run.samples["time"][max(first - 1, 0)])


def moved(Q: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Charge in each direction on its own, of a net charge (n,) that began at 0."""
    change = np.diff(Q, prepend=0.0)
    return float(change[change > 0].sum()), float(np.abs(change[change < 0]).sum())
