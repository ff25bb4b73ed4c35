"""The steps of a run as somebody means them: those of its table, and the one that is still under way."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from nakctl.record.read import Run

Array = npt.NDArray[Any]
_NAMES = ("step_count", "step_id", "cycle", "technique", "label", "t_start", "t_end")


def steps(run: Run) -> dict[str, Array]:
    """Columns of `run.steps`, each (n,). A step that is not over is in no table yet: the last one of these is
    that one then, as the plan has it. What the plan does not say is "".
    """
    table = {name: run.steps[name] for name in _NAMES}
    under_way = _under_way(run)
    return (
        {name: np.append(column, [under_way[name]]) for name, column in table.items()} if under_way else table
    )


def _under_way(run: Run) -> dict[str, Any]:
    """{}: none is."""
    samples, over = run.samples, run.steps["step_count"]
    if not len(samples) or samples["step_count"][-1] in over[-1:]:
        return {}
    step_id = int(samples["step_id"][-1])
    planned = (each for each in run.header.plan.get("steps", []) if each.get("step") == step_id)
    told: dict[str, Any] = next(planned, {})
    return {
        "step_count": samples["step_count"][-1],
        "step_id": samples["step_id"][-1],
        "cycle": samples["cycle"][-1],
        "technique": told.get("technique", ""),
        "label": told.get("label", ""),
        "t_start": run.steps["t_end"][-1] if len(over) else samples["time"][0],
        "t_end": samples["time"][-1],
    }
