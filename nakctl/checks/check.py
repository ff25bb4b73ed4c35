"""Does the program fit the instrument, does the plan make sense? All findings at once, with their YAML lines.

Every check is one function from a step (or the whole scene) to its findings; the tables name them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from nakctl.checks.capacity import misfits
from nakctl.checks.currents import CURRENT_CHECKS
from nakctl.checks.electrodes import ELECTRODE_CHECKS, unseen
from nakctl.checks.findings import Finding
from nakctl.checks.ranges import RANGE_CHECKS
from nakctl.checks.set_points import SET_POINT_CHECKS
from nakctl.checks.spectra import SPECTRA_CHECKS
from nakctl.checks.times import TIME_CHECKS
from nakctl.checks.triggers import trigger
from nakctl.checks.whole_run import RUN_CHECKS, interruptions
from nakctl.device.instrument import Instrument
from nakctl.device.program import Program
from nakctl.plan import plan as p
from nakctl.plan.lower import lower
from nakctl.plan.scene import Scene


def check(plan: p.Plan, program: Program, instrument: Instrument) -> tuple[Finding, ...]:
    """All findings, errors first, then by line. An error means: do not start."""
    found = [*_found(plan, program, instrument), *misfits(plan, instrument)]
    known = {(each.severity, each.rule, each.mark) for each in found}
    for other, word in () if plan.capacity is None else plan.capacity.ends:
        for each in _found(other, lower(other, instrument), instrument):
            if (each.severity, each.rule, each.mark) not in known:
                known.add((each.severity, each.rule, each.mark))
                of = f"at the {word} that the measured capacity may come to"
                found.append(replace(each, message=f"{of}: {each.message}"))
    return tuple(sorted(found, key=lambda finding: (finding.severity, finding.mark)))


def _found(plan: p.Plan, program: Program, instrument: Instrument) -> list[Finding]:
    scene = Scene(plan, program, instrument)
    looks = (*RUN_CHECKS, *ELECTRODE_CHECKS, *SET_POINT_CHECKS)
    of_run = list(dict.fromkeys(finding for look_at in looks for finding in look_at(scene)))
    of_steps = [
        finding
        for leaf in p.leaves(plan.steps)
        for look_at in (*CURRENT_CHECKS, *RANGE_CHECKS, unseen, *TIME_CHECKS, *SPECTRA_CHECKS, trigger)
        for finding in look_at(leaf, scene)
    ]
    return [*of_run, *_merged([*interruptions(scene), *of_steps])]


def _merged(findings: Iterable[Finding]) -> list[Finding]:
    """One finding per rule and line: the levels of a staircase share their lines, and so do named sweeps."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.severity, finding.rule, finding.mark), []).append(finding)
    return [_one(list(dict.fromkeys(group))) for group in groups.values()]


def _one(group: list[Finding]) -> Finding:
    if len(group) == 1:
        return group[0]
    more = "1 more step" if len(group) == 2 else f"{len(group) - 1} more steps"
    return replace(group[0], message=f"{group[0].message} (and {more} of this line)")
