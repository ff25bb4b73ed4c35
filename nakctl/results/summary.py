"""The key figures of a run: how it ended, and what that means for the cell.

Areal values are per geometric area. I > 0 strips the working electrode.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nakctl.record.read import Run
from nakctl.results.sensors import sensor_figures, sensors_told

SHORT = "short"  # end_reason of a run that the short rule ended
_WHOLE = "duration"  # end_reason of a step that lasted as long as planned
_MA, _MAH = 1e3, 1e3
_DIGITS = 6  # samples are stored in single precision; more would be noise


@dataclass(frozen=True, slots=True)
class CurrentSteps:
    """Steps under a constant current, in order. j signed, moved: |charge| of the step; whole: it lasted.

    first, last: their rows in samples.
    """

    j_mA_cm2: npt.NDArray[np.float64]
    moved_mAh_cm2: npt.NDArray[np.float64]
    whole: npt.NDArray[np.bool_]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]


def summary(run: Run) -> dict[str, Any]:
    """Plain numbers and texts, ready for JSON. Keys that do not apply to this run are left out."""
    header = run.header
    found: dict[str, Any] = {
        "title": header.title,
        "status": header.status,
        "end_reason": header.end_reason,
        "simulated": header.simulated,
        "sealed": header.sealed,
        "cell": header.cell,
        "area_cm2": header.area_cm2,
        "start_time": header.start_time,
        "duration_s": header.duration_s,
        "samples": len(run.samples),
        "spectra": len(run.spectra),
        "incomplete_spectra": int(np.count_nonzero(run.spectra["complete"] == 0)),
        "steps": len(run.steps),
        "gaps": header.gaps,
    }
    if header.recovery:
        found["recovery"] = header.recovery
    if len(run.samples) and header.area_cm2:
        found |= _rounded(_electrochemistry(run, header.area_cm2))
    if run.aux:
        found["sensors"] = sensor_figures(run)
    return found


def _rounded(found: dict[str, Any]) -> dict[str, Any]:
    return {k: float(f"{v:.{_DIGITS}g}") if isinstance(v, float) else v for k, v in found.items()}


def _electrochemistry(run: Run, area_cm2: float) -> dict[str, Any]:
    Q_mAh_cm2 = run.samples["Q"] / area_cm2 * _MAH
    stripped, plated = moved(Q_mAh_cm2)
    found: dict[str, Any] = {
        "charge_mAh_cm2": float(Q_mAh_cm2[-1]),
        "stripped_mAh_cm2": stripped,
        "plated_mAh_cm2": plated,
        "Ewe_min_V": float(run.samples["Ewe"].min()),
        "Ewe_max_V": float(run.samples["Ewe"].max()),
    }
    steps = current_steps(run, area_cm2)
    if run.header.end_reason == SHORT:
        found |= _short(steps)
    elif run.header.end_reason.startswith("Ewe above") and float(run.samples["I"][-1]) > 0:
        found["critical_capacity_mAh_cm2"] = stripped
    return found


def moved(Q: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Charge in each direction on its own."""
    change = np.diff(Q, prepend=0.0)
    return float(change[change > 0].sum()), float(np.abs(change[change < 0]).sum())


def current_steps(run: Run, area_cm2: float) -> CurrentSteps:
    """The steps in which a current was controlled (by their set value, not by the noise of the reading)."""
    steps, samples = run.steps, run.samples
    last = (steps["first_row"] + steps["row_count"]).astype(np.int64) - 1
    first = steps["first_row"].astype(np.int64)
    controlled = np.isin(steps["technique"], ["CP", "GEIS"]) & (last >= first)
    first, last = first[controlled], last[controlled]
    before = np.where(first > 0, samples["Q"][first - 1], 0.0)
    flows = samples["control"][last] != 0
    return CurrentSteps(
        j_mA_cm2=(samples["control"][last].astype(np.float64) / area_cm2 * _MA)[flows],
        moved_mAh_cm2=(np.abs(samples["Q"][last] - before) / area_cm2 * _MAH)[flows],
        whole=(steps["end_reason"][controlled] == _WHOLE)[flows],
        first=first[flows],
        last=last[flows],
    )


def _short(steps: CurrentSteps) -> dict[str, Any]:
    """Where the short came, and the critical current density: the last level held without shorting.

    A level counts as held if a whole step at it was done and the short came at a higher one.
    """
    if len(steps.j_mA_cm2) == 0:
        return {}
    levels = np.abs(steps.j_mA_cm2)
    held = levels[:-1][steps.whole[:-1] & (levels[:-1] < levels[-1] * (1 - 1e-6))]
    found: dict[str, Any] = {
        "short_at_mA_cm2": float(levels[-1]),
        "short_while": "stripping" if steps.j_mA_cm2[-1] > 0 else "plating",
        "short_at_mAh_cm2": float(steps.moved_mAh_cm2[-1]),
    }
    if len(held):
        found["ccd_mA_cm2"] = float(held.max())
    return found


def told(found: dict[str, Any]) -> list[str]:
    """The figures as sentences for the screen."""
    lines = []
    if "short_at_mA_cm2" in found:
        lines.append(
            f"short while {found['short_while']} at {found['short_at_mA_cm2']:.4g} mA/cm2, "
            f"after {found['short_at_mAh_cm2']:.3g} mAh/cm2 of that step"
        )
    if "ccd_mA_cm2" in found:
        lines.append(f"critical current density: {found['ccd_mA_cm2']:.4g} mA/cm2 (the last level held)")
    if "critical_capacity_mAh_cm2" in found:
        lines.append(f"critical stripping capacity: {found['critical_capacity_mAh_cm2']:.4g} mAh/cm2")
    if "charge_mAh_cm2" in found:
        lines.append(
            f"stripped {found['stripped_mAh_cm2']:.4g}, plated {found['plated_mAh_cm2']:.4g} mAh/cm2; "
            f"Ewe {found['Ewe_min_V']:.4g} to {found['Ewe_max_V']:.4g} V"
        )
    if "samples" in found:
        gaps = f", {found['gaps']} known gaps in the record" if found["gaps"] else ""
        lines.append(
            f"samples: {found['samples']}, spectra: {found['spectra']}, steps: {found['steps']}{gaps}"
        )
    lines += sensors_told(found.get("sensors", {}))
    return lines
