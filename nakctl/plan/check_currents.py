"""Checks of what a step imposes on the cell: currents, potentials, and the ranges they are set in."""

from __future__ import annotations

from collections.abc import Iterator

from nakctl.device.program import Ca, Done, Eis
from nakctl.plan import plan as p
from nakctl.plan.ends import HEADROOM
from nakctl.plan.findings import (
    Finding,
    Leaf,
    Scene,
    dc_A,
    dc_V,
    drives_current,
    error,
    peak_A,
    sweep_of,
    warning,
)
from nakctl.plan.numbers import areal_current, listed, si

ABSURD_A_cm2 = 1.0
HIGH_A_cm2 = 0.05  # far above any current density reported for a solid electrolyte at room temperature
COARSE_STEPS = 20  # a value of fewer resolution steps is off by more than a few per cent


def current(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """|DC| + amplitude against the instrument and against the run's own limit."""
    needed_A, limit_A = peak_A(leaf), scene.plan.limits.I_max_A
    if needed_A is None:
        return
    what = f"{leaf.label}: |I| reaches {si(needed_A, 'A')}"
    if needed_A > scene.instrument.I_max_A * (1 + 1e-9):
        most = f"at most {si(scene.instrument.I_max_A, 'A')}"
        yield error("current", leaf.mark, f"{what}, a channel of the {scene.instrument.name} gives {most}")
    if limit_A is not None and needed_A > limit_A * (1 + 1e-9):
        help = f"the run would stop here: raise limits.I to {si(needed_A, 'A')} or more"
        yield error("current-limit", leaf.mark, f"{what}, above limits.I of {si(limit_A, 'A')}", help)


def density(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """A current density that nobody means."""
    area_cm2 = scene.plan.area_cm2
    density_A_cm2 = abs(dc_A(leaf) or 0.0) / area_cm2
    what = f"{leaf.label}: {areal_current(density_A_cm2, 1.0)} on {area_cm2:.4g} cm2"
    if density_A_cm2 > ABSURD_A_cm2:
        yield error("density", leaf.mark, f"{what} is more than any such cell carries", "is the area right?")
    elif density_A_cm2 > HIGH_A_cm2:
        yield warning("density", leaf.mark, f"{what} is very much", "are current and area right?")


def resolution(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """A constant current of only a few steps of the range it is set in."""
    current_A = abs(dc_A(leaf) or 0.0)
    for name in dict.fromkeys(each.hardware.I_range for each in scene.techniques(leaf)):
        found = scene.I_range(name)
        if found is None or current_A == 0:
            continue
        step_A = found.full_A * scene.instrument.I_step
        what = f"{leaf.label}: {si(current_A, 'A')} in the {name} range, resolution {si(step_A, 'A', 2)}"
        if current_A < step_A:
            yield error("resolution", leaf.mark, what, "the instrument would set 0 A")
        elif current_A < COARSE_STEPS * step_A:
            help = f"the current may be wrong by {step_A / current_A:.0%}"
            yield warning("resolution", leaf.mark, what, help)


def ranges(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """Ranges that the user fixed: they must exist, and hold what is asked."""
    for hardware in dict.fromkeys(each.hardware for each in scene.techniques(leaf)):
        yield from _current_range(leaf, hardware.I_range, scene)
        yield from _potential_range(leaf, hardware.E_range, scene)
        if hardware.bandwidth > scene.instrument.bandwidth_max:
            message = f"{leaf.label}: bandwidth {hardware.bandwidth}; the {scene.instrument.name} has "
            message += f"1 to {scene.instrument.bandwidth_max}"
            yield error("bandwidth", leaf.mark, message)


def _current_range(leaf: Leaf, name: str, scene: Scene) -> Iterator[Finding]:
    found, needed_A = scene.I_range(name), peak_A(leaf)
    if found is None:
        there_are = listed([each.name for each in scene.instrument.I_ranges])
        yield error(
            "I-range",
            leaf.mark,
            f"{name} is no current range of the {scene.instrument.name}",
            there_are,
        )
    elif needed_A is not None and found.full_A * (1 + 1e-9) < needed_A <= scene.instrument.I_max_A:
        fits = next(each.name for each in scene.instrument.I_ranges if needed_A <= each.full_A * (1 + 1e-9))
        message = f"{leaf.label}: |I| reaches {si(needed_A, 'A')}, beyond the {name} range"
        yield error("I-range", leaf.mark, message, f"{fits} would hold it")
    elif needed_A is not None and found.full_A * (1 - HEADROOM) < needed_A <= found.full_A * (1 + 1e-9):
        message = f"{leaf.label}: |I| reaches {si(needed_A, 'A')} and fills the {name} range"
        yield warning("I-range-full", leaf.mark, message, "many rows will be flagged as overloads")


def _potential_range(leaf: Leaf, name: str, scene: Scene) -> Iterator[Finding]:
    found, limits = scene.E_range(name), scene.plan.limits
    if found is None:
        there_are = listed([each.name for each in scene.instrument.E_ranges])
        yield error(
            "E-range",
            leaf.mark,
            f"{name} is no potential range of the {scene.instrument.name}",
            there_are,
        )
        return
    if name == scene.instrument.E_ranges[-1].name:
        return  # what the widest range does not hold is said once, of limits.Ewe
    for value_V in (limits.Ewe_min_V, limits.Ewe_max_V, dc_V(leaf)):
        if value_V is not None and not found.low_V <= value_V <= found.high_V:
            message = f"{leaf.label}: {si(value_V, 'V')} is outside of the {name} range"
            yield error("E-range", leaf.mark, message, "leave the range out, and one that fits is chosen")


def unknown_current(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """Under potential control the current is not known before; without a hint it gets the largest range."""
    widest, sweep = scene.instrument.I_ranges[-1], sweep_of(leaf)
    fixed = [leaf.ranges.I] if isinstance(leaf, p.Hold) else []
    fixed += [sweep.ranges.I] if sweep is not None else []
    if scene.plan.limits.I_max_A is not None or any(fixed):
        return
    if any(_is_potential_control(each) for each in scene.techniques(leaf)):
        step = si(widest.full_A * scene.instrument.I_step, "A", 2)
        message = f"{leaf.label}: nothing says how large the current gets, so its range is {widest.name}"
        help = f"resolution {step}: give limits.I, or the range"
        yield warning("unknown-current", leaf.mark, message, help)


def range_of_limit(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """Under potential control limits.I chooses the range, which has to show more than the limit."""
    limit_A = scene.plan.limits.I_max_A
    used = [each.hardware.I_range for each in scene.techniques(leaf) if _is_potential_control(each)]
    if limit_A is None or not used:
        return
    filled = next((each for each in scene.instrument.I_ranges if limit_A <= each.full_A), None)
    if filled is not None and limit_A > filled.full_A * (1 - HEADROOM) and used[0] != filled.name:
        message = f"{leaf.label}: limits.I of {si(limit_A, 'A')} fills the {filled.name} range, "
        message += f"so the current is measured in the {used[0]} range"
        help = f"a limit of {si(filled.full_A * (1 - HEADROOM), 'A')} or less keeps the {filled.name} range"
        yield warning("range-of-limit", leaf.mark, message, help)


def _is_potential_control(technique: Done) -> bool:
    return isinstance(technique, Ca) or (isinstance(technique, Eis) and technique.control == "PEIS")


def voltage_limit(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """Under current control nothing but a limit of Ewe protects the cell."""
    if not drives_current(leaf):
        return
    current_A, limits = dc_A(leaf) or 0.0, scene.plan.limits
    for side, way, missing, drives_there in (
        ("above", "up", limits.Ewe_max_V is None, current_A >= 0),
        ("below", "down", limits.Ewe_min_V is None, current_A <= 0),
    ):
        covered = any(each.quantity == "Ewe" and each.side == side for each in leaf.cutoffs)
        if missing and drives_there and not covered:
            message = f"{leaf.label}: nothing ends this current when Ewe goes {way}"
            yield error("voltage-limit", leaf.mark, message, "give both ends of limits.Ewe")


def potential(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """A potential that the run's own limits forbid."""
    level_V, limits, sweep = dc_V(leaf), scene.plan.limits, sweep_of(leaf)
    if level_V is None:
        return
    swing_V = sweep.amplitude_peak if sweep is not None else 0.0
    low_V, high_V = level_V - swing_V, level_V + swing_V
    over = limits.Ewe_max_V is not None and high_V > limits.Ewe_max_V
    if over or (limits.Ewe_min_V is not None and low_V < limits.Ewe_min_V):
        message = f"{leaf.label}: Ewe reaches {si(high_V if over else low_V, 'V')}, outside of limits.Ewe"
        yield error("potential", leaf.mark, message, "the run would stop here")


CURRENT_CHECKS = (
    current,
    density,
    resolution,
    ranges,
    unknown_current,
    range_of_limit,
    voltage_limit,
    potential,
)
