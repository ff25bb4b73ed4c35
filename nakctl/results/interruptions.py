"""When the experiment was interrupted: the cell lay open between one chain of the instrument and the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.record.read import Run

# A current smaller than this part of that on the other side of the interruption is none: PEIS at open circuit
# holds a potential, and a little current flows.
DRIVEN_PART = 0.01
_FIRST_ROWS = 5  # of a step, whose middle reading is the current that it drives


@dataclass(frozen=True, slots=True)
class Interruptions:
    """In order of time, each (n,). from_s, length_s: when the cell was opened, and for how long.

    before, after  the numbers that the plan gives the steps on both sides ("2.1")
    under_current  current of the same direction was driven on both sides; nobody asked for a rest between.
                   Where the direction changes the cell passes through none anyway.
    """

    from_s: npt.NDArray[np.float64]
    length_s: npt.NDArray[np.float64]
    before: tuple[str, ...]
    after: tuple[str, ...]
    under_current: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.from_s)


def interruptions(run: Run) -> Interruptions | None:
    """None for a file that does not tell: it is older than the table of chains, or nothing was started."""
    chains = run.chains
    if len(chains) == 0:
        return None
    rows = np.flatnonzero(chains["step_before"] != 0)
    before_A = chains["I_before"][rows].astype(np.float64)
    after_A = np.array([_current_from_A(run, float(time_s)) for time_s in chains["time"][rows]])
    small_A = np.minimum(np.abs(before_A), np.abs(after_A))
    large_A = np.maximum(np.abs(before_A), np.abs(after_A))
    return Interruptions(
        from_s=chains["open_from"][rows],
        length_s=chains["open"][rows],
        before=tuple(_number(run, "step_count", each) for each in chains["step_before"][rows]),
        after=tuple(_number(run, "step_id", each) for each in chains["step_after"][rows]),
        under_current=(small_A > DRIVEN_PART * large_A) & (before_A * after_A > 0),
    )


def _current_from_A(run: Run, time_s: float) -> float:
    """The current that the step drives which begins then; 0 if none was recorded."""
    first = int(np.searchsorted(run.samples["time"], time_s))
    rows = slice(first, first + _FIRST_ROWS)
    mine = run.samples["step_count"][rows] == run.samples["step_count"][first : first + 1]
    known = run.samples["I"][rows][mine].astype(np.float64)
    known = np.sort(known[np.isfinite(known)])
    return float(known[len(known) // 2]) if len(known) else 0.0


def _number(run: Run, column: str, value: int) -> str:
    """As in the label of the step, "2.1 strip 0.05 mA/cm2"; the step's own number if it was never reached."""
    place = np.flatnonzero(run.steps[column] == value)
    return str(run.steps["label"][place[0]]).partition(" ")[0] if len(place) else str(value)
