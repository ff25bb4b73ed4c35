"""When the experiment was interrupted: the cell lay open between one chain of the instrument and the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.record.read import Run
from nakctl.results.current import WHOLE

# A current smaller than this part of that on the other side of the interruption is none: PEIS at open circuit
# holds a potential, and a little current flows.
DRIVEN_PART = 0.01
_LAST_AS_PLANNED = ("CP", "CA", "OCV")  # of a sweep the plan has an estimate
_FIRST_ROWS = 5  # of a step, whose middle reading is the current that it drives


@dataclass(frozen=True, slots=True)
class Interruptions:
    """In order of time, each (n,). from_s, length_s: when the cell was opened, and for how long.

    before, after  the numbers that the plan gives the steps on both sides ("2.1")
    same, onward  whether the step after is the same one of the plan; whether it is that one, which goes on
    under_current  current of the same direction was driven on both sides; nobody asked for a rest between.
                   Where the direction changes the cell passes through none anyway.
    """

    from_s: npt.NDArray[np.float64]
    length_s: npt.NDArray[np.float64]
    before: tuple[str, ...]
    after: tuple[str, ...]
    under_current: npt.NDArray[np.bool_]
    same: npt.NDArray[np.bool_]
    onward: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.from_s)

    def place(self, k: int) -> str:
        """Where the one number k was. All levels of a staircase have one number."""
        before, after = self.before[k], self.after[k]
        if before != after:
            return f"between steps {before} and {after}"
        if self.onward[k]:
            return f"within step {before}"
        return f"between {'rounds' if self.same[k] else 'levels'} of step {before}"


def interruptions(run: Run) -> Interruptions | None:
    """None for a file that does not tell: it is older than the table of chains, or nothing was started."""
    chains = run.chains
    if len(chains) == 0:
        return None
    rows = np.flatnonzero(chains["step_before"] != 0)
    before_A = chains["I_before"][rows].astype(np.float64)
    after_A = np.array([_current_from_A(run, float(time_s)) for time_s in chains["time"][rows]])
    count_before, id_after = chains["step_before"][rows], chains["step_after"][rows]
    same = np.array(
        [each in _ids(run, count) for count, each in zip(count_before, id_after, strict=True)], bool
    )
    count_after = np.array([_count_from(run, float(time_s)) for time_s in chains["time"][rows]], np.int64)
    small_A = np.minimum(np.abs(before_A), np.abs(after_A))
    large_A = np.maximum(np.abs(before_A), np.abs(after_A))
    onward = same & ((count_after == count_before) | (count_after == 0))
    from_s, until_s = chains["open_from"][rows], chains["open_from"][rows] + chains["open"][rows]
    over_s = np.array([_over_s(run, count) for count in count_before])
    over_s = np.where(~onward & (over_s > from_s) & (over_s <= until_s), over_s, from_s)
    return Interruptions(
        from_s=over_s,
        length_s=until_s - over_s,
        before=tuple(_number(run, "step_count", each) for each in count_before),
        after=tuple(_number(run, "step_id", each) for each in id_after),
        under_current=(small_A > DRIVEN_PART * large_A) & (before_A * after_A > 0),
        same=same,
        onward=onward,
    )


def _current_from_A(run: Run, time_s: float) -> float:
    """The current that the step drives which begins then; 0 if none was recorded."""
    first = int(np.searchsorted(run.samples["time"], time_s))
    rows = slice(first, first + _FIRST_ROWS)
    mine = run.samples["step_count"][rows] == run.samples["step_count"][first : first + 1]
    known = run.samples["I"][rows][mine].astype(np.float64)
    known = np.sort(known[np.isfinite(known)])
    return float(known[len(known) // 2]) if len(known) else 0.0


def _count_from(run: Run, time_s: float) -> int:
    """The number of the step that goes on or begins then; 0 if nothing of it was recorded."""
    first = int(np.searchsorted(run.samples["time"], time_s))
    found = run.samples["step_count"][first : first + 1]
    return int(found[0]) if len(found) else 0


def _over_s(run: Run, count: int) -> float:
    """When the step with that number was over by the plan, if it lasted as planned; else NaN.

    Not every instrument records a row where a step ends, and the last row may lie an interval before that.
    """
    steps = run.steps
    lasted = (steps["end_kind"] == WHOLE) & np.isin(steps["technique"], _LAST_AS_PLANNED)
    place = np.flatnonzero(lasted & (steps["step_count"] == count))
    if len(place) == 0:
        return np.nan
    step_id = int(steps["step_id"][place[0]])
    planned = (each for each in run.header.plan.get("steps", []) if each.get("step") == step_id)
    lasts_s = next((each.get("once", {}).get("duration_s") for each in planned), None)
    return np.nan if lasts_s is None else float(steps["t_start"][place[0]]) + float(lasts_s)


def _ids(run: Run, count: int) -> list[int]:
    """Of the step with that number, as the plan numbers it; none if it was never closed."""
    found: list[int] = run.steps["step_id"][run.steps["step_count"] == count].tolist()
    return found


def _number(run: Run, column: str, value: int) -> str:
    """As in the label of the step, "2.1 strip 0.05 mA/cm2"; the step's own number if it was never reached."""
    place = np.flatnonzero(run.steps[column] == value)
    return str(run.steps["label"][place[0]]).partition(" ")[0] if len(place) else str(value)
