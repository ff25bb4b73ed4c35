"""The key figures of a run: how it ended, and what that means for the cell.

Names end in their unit. Areal values are per geometric area; without a known area there are none of them.
I > 0 strips the working electrode.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nakctl.record.read import Run
from nakctl.results.areal import charge_mAh_cm2, current_mA_cm2
from nakctl.results.capacity import critical_capacity_mAh_cm2
from nakctl.results.current import moved
from nakctl.results.experiments import experiment_figures
from nakctl.results.experiments_told import experiments_told
from nakctl.results.interruptions import interruptions
from nakctl.results.sensors import sensor_figures, sensors_told
from nakctl.results.shorts import Short, held_steps, verdict
from nakctl.results.spectral_summary import spectra_told, spectral_figures
from nakctl.text.numbers import duration, plural, si

_DIGITS = 6  # samples are stored in single precision; more would be noise


def summary(run: Run, known: dict[str, Any] | None = None) -> dict[str, Any]:
    """Plain numbers and texts, ready for JSON. Keys that do not apply to this run are left out.

    known  its figures, where somebody has them already; None: they are drawn from the rows
    """
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
    }
    if header.end.kind:
        found |= {"end_kind": header.end.kind, "end_id": header.end.id}
    if np.isfinite(header.end.value):
        found["end_value"] = header.end.value
    if header.recovery:
        found["recovery"] = header.recovery
    return found | (figures(run) if known is None else known)


def figures(run: Run) -> dict[str, Any]:
    """What follows from the rows: all of `summary` but what the file says of the run in so many words."""
    found: dict[str, Any] = {
        "duration_s": run.header.duration_s,
        "samples": len(run.samples),
        "spectra": len(run.spectra),
        "incomplete_spectra": int(np.count_nonzero(run.spectra["complete"] == 0)),
        "steps": len(run.steps),
        "gaps": run.header.gaps,
    }
    found |= _interrupted(run) | _taken_over(run)
    if len(run.samples):
        short = _short(run)
        kinds = experiment_figures(run, short.get("short_at_s"))
        found |= _rounded(_potential(run) | _areal(run) | short | kinds)
    found |= spectral_figures(run)
    if run.aux:
        found["sensors"] = sensor_figures(run)
    return found


def _rounded(found: dict[str, Any]) -> dict[str, Any]:
    return {name: _digits(value) for name, value in found.items()}


def _digits(value: Any) -> Any:
    if isinstance(value, list):
        return [_digits(each) for each in value]
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def _interrupted(run: Run) -> dict[str, Any]:
    found = interruptions(run)
    if found is None:
        return {}
    told: dict[str, Any] = {"interruptions": len(found)}
    if len(found):
        told["interruptions_shortest_s"] = float(found.length_s.min())
        told["interruptions_longest_s"] = float(found.length_s.max())
        told["interruptions_under_current"] = int(np.count_nonzero(found.under_current))
        k = int(np.argmax(found.under_current))  # the one to look at: the first under current, else the first
        told["interruption_after_step"] = found.before[k]
        told["interruption_before_step"] = found.after[k]
        told["interruption_at_s"] = float(found.from_s[k])
        told["interruption_place"] = found.place(k)
    return _rounded(told)


def _taken_over(run: Run) -> dict[str, Any]:
    """How often another program went on with the run, and when it did first."""
    at_s = run.events["time"][run.events["code"] == "taken_over"]
    return _rounded({"taken_over": len(at_s), "taken_over_first_s": float(at_s[0])}) if len(at_s) else {}


def _potential(run: Run) -> dict[str, Any]:
    Ewe_V = run.samples["Ewe"][np.isfinite(run.samples["Ewe"])]
    found = {"Ewe_min_V": float(Ewe_V.min()), "Ewe_max_V": float(Ewe_V.max())} if len(Ewe_V) else {}
    Ece_V = run.samples["Ece"] if run.has_third_electrode else np.empty(0)
    Ece_V = Ece_V[np.isfinite(Ece_V)]
    return found | ({"Ece_min_V": float(Ece_V.min()), "Ece_max_V": float(Ece_V.max())} if len(Ece_V) else {})


def _areal(run: Run) -> dict[str, Any]:
    if not run.header.area_cm2:
        return {}
    Q_mAh_cm2 = charge_mAh_cm2(run.samples["Q"], run.header.area_cm2)
    stripped, plated = moved(Q_mAh_cm2)
    found = {"charge_mAh_cm2": float(Q_mAh_cm2[-1]), "stripped_mAh_cm2": stripped, "plated_mAh_cm2": plated}
    critical = critical_capacity_mAh_cm2(run)
    return found if critical is None else found | {"critical_capacity_mAh_cm2": critical}


def _short(run: Run) -> dict[str, Any]:
    """Where the short came, and the critical current density: the last level held without shorting.

    A level counts as held if a whole step at it was done and the short came at a higher one.
    """
    said, held = verdict(run), held_steps(run)
    found: dict[str, Any] = {"short_not_looked_for_steps": held} if held else {}
    if said is None:
        return found
    found |= {"short_rule_set": said.rule_set, "short_visible": said.visible}
    if said.unshorted_A is not None and run.header.area_cm2:
        found["no_short_up_to_mA_cm2"] = float(current_mA_cm2(said.unshorted_A, run.header.area_cm2))
    if said.looked_for is not None:
        found["short_looked_for_below_V"] = said.looked_for.below_V
        if said.blind_apart_s is not None:
            found["short_rule_within_s"] = said.looked_for.within_s
            found["short_rows_apart_s"] = said.blind_apart_s
    return found if said.short is None else found | _place(said.short, run.header.area_cm2)


def _place(short: Short, area_cm2: float | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "short_found_by": short.found_by,
        "short_while": "stripping" if short.I_A > 0 else "plating",
        "short_at_s": short.time_s,
        "short_cycle": short.cycle,
        "short_half_cycle": short.half_cycle,
    }
    if area_cm2:
        found["short_at_mA_cm2"] = float(current_mA_cm2(abs(short.I_A), area_cm2))
        found["short_at_mAh_cm2"] = float(charge_mAh_cm2(short.charge_Ah, area_cm2))
        if len(short.held_A):
            found["ccd_mA_cm2"] = float(current_mA_cm2(short.held_A.max(), area_cm2))
    return found


def told(found: dict[str, Any]) -> list[str]:
    """The figures as sentences for the screen."""
    return [
        *_short_told(found),
        *_charge_told(found),
        *experiments_told(found),
        *_rows_told(found),
        *spectra_told(found),
        *_interruptions_told(found),
        *_taken_over_told(found),
        *sensors_told(found.get("sensors", {})),
    ]


def _short_told(found: dict[str, Any]) -> Iterator[str]:
    if "short_while" in found:
        level = f" at {found['short_at_mA_cm2']:.4g} mA/cm2" if "short_at_mA_cm2" in found else ""
        charge = (
            f", after {found['short_at_mAh_cm2']:.3g} mAh/cm2 of that step"
            if "short_at_mAh_cm2" in found
            else ""
        )
        yield f"short while {found['short_while']}{level}{charge}{_found_in_data(found)}"
    elif "short_rule_set" in found and not found["short_rule_set"]:
        below = si(found["short_looked_for_below_V"], "V")
        unseen = f"Ewe under current never was above {below}, where a short would begin to show"
        seen = "none is seen in the data"
        yield f"no short rule was set, and {seen if found['short_visible'] else unseen}"
    if "short_rows_apart_s" in found:
        window, apart = duration(found["short_rule_within_s"]), duration(found["short_rows_apart_s"])
        rows = f"holds less than two rows, which are {apart} apart"
        yield f"the short rule was blind: its window of {window} {rows}"
    held = found.get("short_not_looked_for_steps", 0)
    if held and "short_while" not in found:
        steps = plural(held, "step")
        yield f"shorts are not looked for in {steps} at a held potential, where Ewe cannot fall"
    if "ccd_mA_cm2" in found:
        yield f"critical current density: {found['ccd_mA_cm2']:.4g} mA/cm2 (the last level held)"


def _found_in_data(found: dict[str, Any]) -> str:
    if found["short_found_by"] != "data":
        return ""
    rule = "the short rule did not end the run" if found["short_rule_set"] else "no short rule was set"
    place = f"in cycle {found['short_cycle']} at {duration(found['short_at_s'])}"
    return f", {place}: seen in the data, {rule}"


def _charge_told(found: dict[str, Any]) -> Iterator[str]:
    if "critical_capacity_mAh_cm2" in found:
        yield f"critical stripping capacity: {found['critical_capacity_mAh_cm2']:.4g} mAh/cm2"
    said = []
    if "charge_mAh_cm2" in found:
        said.append(f"stripped {found['stripped_mAh_cm2']:.4g}, plated {found['plated_mAh_cm2']:.4g} mAh/cm2")
    if "Ewe_min_V" in found:
        said.append(f"Ewe {found['Ewe_min_V']:.4g} to {found['Ewe_max_V']:.4g} V")
    if "Ece_min_V" in found:
        said.append(f"Ece {found['Ece_min_V']:.4g} to {found['Ece_max_V']:.4g} V")
    if said:
        yield "; ".join(said)


def _rows_told(found: dict[str, Any]) -> Iterator[str]:
    if "samples" in found:
        gaps = f", {found['gaps']} known gaps in the record" if found["gaps"] else ""
        yield f"samples: {found['samples']}, spectra: {found['spectra']}, steps: {found['steps']}{gaps}"


def _taken_over_told(found: dict[str, Any]) -> Iterator[str]:
    count = found.get("taken_over", 0)
    if count:
        times, first = ("once", "") if count == 1 else (f"{count} times", "the first time ")
        at = duration(found["taken_over_first_s"])
        yield f"taken over {times} from a program that had died, {first}at {at}: see its events"


def _interruptions_told(found: dict[str, Any]) -> Iterator[str]:
    count = found.get("interruptions", 0)
    if not count:
        return
    shortest, longest = (duration(found[f"interruptions_{which}_s"]) for which in ("shortest", "longest"))
    lengths = longest if shortest == longest else f"{shortest} to {longest}"
    driven = found["interruptions_under_current"]
    if count > 1:
        under_current = f"{driven or 'none'} of them under current"
    else:
        under_current = "under current" if driven else "not under current"
    first = "the first " if (driven or count) > 1 else ""
    yield (
        f"{plural(count, 'interruption')} of {lengths}, {under_current}: "
        f"{first}{found['interruption_place']} at {duration(found['interruption_at_s'])}"
    )
