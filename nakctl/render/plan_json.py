"""A plan as one machine-readable object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from nakctl.checks.findings import Finding
from nakctl.device.ends import OF_THREE, End, Side
from nakctl.device.instrument import Instrument
from nakctl.device.program import Ask, Program, SetPoint
from nakctl.plan import plan as p
from nakctl.plan.boundaries import furthest
from nakctl.plan.estimate import Amount, Estimate
from nakctl.plan.gaps import gaps
from nakctl.plan.scene import Leaf, Scene, dc_A, dc_V, sweep_of
from nakctl.text.numbers import clock_time

SIDES: dict[str, Side] = {"min": "below", "max": "above"}


def plan_json(
    plan: p.Plan,
    program: Program,
    estimate: Estimate,
    findings: Sequence[Finding],
    instrument: Instrument,
    now: datetime,
    simulated: bool,
) -> dict[str, Any]:
    """What `plan_text` says, for machines: units in the names, None for what is not known before."""
    scene, duration_s = Scene(plan, program, instrument), estimate.duration_s
    total, per_pass = estimate.total, estimate.per_pass
    ends = None if duration_s is None else clock_time(now, duration_s)
    return {
        "name": plan.name,
        "file": plan.file,
        "source": plan.source,
        "params": plan.params,
        "instrument": instrument.name,
        "simulated": simulated,
        "cell": plan.cell,
        "area_cm2": plan.area_cm2,
        **({"three_electrodes": True} if plan.three_electrodes else {}),
        **_capacity(plan, scene),
        "starts": now.isoformat(timespec="seconds"),
        "ends": None if ends is None else ends.isoformat(timespec="seconds"),
        "duration_s": duration_s,
        "endless": estimate.per_pass is not None,
        "total": total and _amount(total, plan.area_cm2) | _sizes(total, estimate.poll_s),
        "per_pass": per_pass and _amount(per_pass, plan.area_cm2),
        "limits": limits_json(plan.limits),
        "rules": rules_json(plan),
        "conditions": [end_json(end) for end in program.ends],
        "furthest_boundary": asdict(furthest(program, estimate, instrument)),
        "gaps": [asdict(gap) for gap in gaps(program)],
        "handed_over": [{"techniques": each.total, "slots": each.length} for each in scene.rings],
        "structure": [_structure(step) for step in plan.steps],
        "steps": [_step(leaf, scene, estimate) for leaf in p.leaves(plan.steps)],
        "findings": [_finding(finding) for finding in findings],
    }


def _capacity(plan: p.Plan, scene: Scene) -> dict[str, Any]:
    """One that is measured, and the steps of which something goes with it; nothing if there is none."""
    of = plan.capacity
    if of is None:
        return {}
    told = {"measured_in": of.label, "about_C": of.about_C, "within": of.within}
    return {"capacity": told | {"steps": sorted(scene.with_capacity)}}


def _sizes(total: Amount, poll_s: float | None) -> dict[str, int]:
    return {
        "file_bytes": round(total.file_bytes(poll_s)),
        "journal_bytes": round(total.journal_bytes(poll_s)),
    }


def _structure(step: p.Step) -> dict[str, Any]:
    """The tree, with steps by their number."""
    match step:
        case p.Repeat():
            inner = [_structure(each) for each in step.steps]
            until = (
                {} if step.until is None
                else {"until": {"step": step.until.label, "ended_by": step.until.by}}
            )  # fmt: skip
            return {"label": step.label, "repeat": step.times, "steps": inner, **until}
        case p.Staircase():
            passes = [[_structure(each) for each in one_pass] for one_pass in step.passes]
            return {"label": step.label, "levels": list(step.levels), "passes": passes}
        case p.If():
            sides = {
                word: [_structure(each) for each in side]
                for word, side in (("then", step.then), ("else", step.otherwise))
            }
            return {"label": step.label, "if": {"step": step.when.label, "ended_by": step.when.by}, **sides}
        case Ask():
            return {"label": step.label, "ask": step.text}
        case SetPoint():
            slope = {} if step.slope is None else {"rate_SI": step.slope.rate, "start_SI": step.slope.start}
            return {"label": step.label, "set": step.sensor, "value_SI": step.value, **slope}
        case _:
            return {"label": step.label, "step": step.step_id}


def _step(leaf: Leaf, scene: Scene, estimate: Estimate) -> dict[str, Any]:
    info, takes = scene.program.step(leaf.step_id), estimate.step(leaf.step_id)
    sweep = sweep_of(leaf)
    return {
        "step": leaf.step_id,
        "label": leaf.label,
        "line": leaf.mark.line,
        "technique": info.technique,
        "current_A": dc_A(leaf),
        "potential_V": dc_V(leaf),
        **_same_charge(leaf, scene),
        "I_ranges": list(dict.fromkeys(each.hardware.I_range for each in scene.techniques(leaf))),
        "E_ranges": list(dict.fromkeys(each.hardware.E_range for each in scene.techniques(leaf))),
        "sweep": None if sweep is None else _sweep(sweep),
        "cutoffs": [end_json(end) for end in scene.program.ends_of(leaf.step_id, "cutoff")],
        "wait": None if info.settle is None else asdict(info.settle),
        "trigger_out_s": leaf.trigger_s or None,
        "times": None if takes.endless else takes.times,
        "once": _amount(takes.once, scene.plan.area_cm2),
    }


def _same_charge(leaf: Leaf, scene: Scene) -> dict[str, Any]:
    """Of which steps, by their number, one was done last; nothing of any other step."""
    charge = scene.chain(leaf).charge
    if not isinstance(leaf, p.Hold) or leaf.same is None or charge is None:
        return {}
    told = {"label": leaf.same.label, "steps": list(charge.steps), "at_most_C": charge.planned_C}
    return {"same_charge": told | {"is_known": leaf.same.is_known}}


def _sweep(sweep: p.Sweep) -> dict[str, Any]:
    return {
        "name": sweep.name,
        "control": sweep.control,
        "amplitude_peak": sweep.amplitude_peak,
        "first_Hz": sweep.frequencies_Hz[0],
        "last_Hz": sweep.frequencies_Hz[-1],
        "points": len(sweep.frequencies_Hz),
    }


def end_json(end: End) -> dict[str, Any]:
    return {key: value for key, value in asdict(end).items() if key != "mark"} | {"line": end.mark.line}


def limits_json(limits: p.Limits) -> dict[str, Any]:
    """By name, with units; None: not asked for."""
    sensors: dict[str, dict[str, Any]] = {}
    for each in limits.sensors:
        one = sensors.setdefault(each.sensor, {"sensor": each.sensor})
        word = "high" if each.side == "above" else "low"
        one |= {word: each.value, f"{word}_text": each.value_text}
    of_three = {
        f"{of.replace('-', '_minus_')}_{word}_V": limits.value(of, side)
        for of in OF_THREE
        if limits.window_of(of)
        for word, side in SIDES.items()
    }
    return {
        "Ewe_min_V": limits.Ewe_min_V,
        "Ewe_max_V": limits.Ewe_max_V,
        **of_three,
        "I_max_A": limits.I_max_A,
        "time_s": limits.time_s,
        "sensors": list(sensors.values()),
    }


def rules_json(plan: p.Plan) -> list[dict[str, Any]]:
    """What ends the run as wanted, or a step by the short."""
    goals = [{"rule": "EweRule", "side": goal.side, "value_V": goal.value_V} for goal in plan.goals]
    rule = plan.short or plan.short_of_steps
    short = [] if rule is None else [{"rule": "ShortRule", **asdict(rule)}]
    return goals + short


def _finding(finding: Finding) -> dict[str, Any]:
    return {key: value for key, value in asdict(finding).items() if key != "mark"} | asdict(finding.mark)


def _amount(amount: Amount, area_cm2: float) -> dict[str, Any]:
    return {
        "duration_s": amount.duration_s,
        "charge_C": amount.charge_C,
        "charge_mAh_cm2": amount.charge_C / 3.6 / area_cm2,
        "moved_mAh_cm2": amount.moved_C / 3.6 / area_cm2,
        "samples_at_least": round(amount.samples),
        "spectra": round(amount.spectra),
        "points": round(amount.points),
        "chains": round(amount.chains),
        "row_bytes": round(amount.row_bytes),
    }
