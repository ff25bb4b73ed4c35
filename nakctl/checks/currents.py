"""Checks of what a step imposes on the cell: currents and potentials."""

from __future__ import annotations

from collections.abc import Iterator

from nakctl.checks.findings import Finding, error, warning
from nakctl.plan import plan as p
from nakctl.plan.scene import Leaf, Scene, dc_A, drives_current, ends_V, peak_A
from nakctl.text.numbers import areal_current, si

ABSURD_A_cm2 = 1.0
HIGH_A_cm2 = 0.05  # far above any current density reported for a solid electrolyte at room temperature
COARSE_STEPS = 20  # a value of fewer resolution steps is off by more than a few per cent


def current(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """|DC| + amplitude against the instrument and against the run's own limit."""
    needed_A, limit = peak_A(leaf), scene.plan.limits.limit("|I|", "above")
    if needed_A is None:
        return
    what = f"{leaf.label}: |I| reaches {si(needed_A, 'A')}"
    if needed_A > scene.instrument.I_max_A * (1 + 1e-9):
        most = f"at most {si(scene.instrument.I_max_A, 'A')}"
        yield error("current", leaf.mark, f"{what}, a channel of the {scene.instrument.name} gives {most}")
    if limit is not None and needed_A > limit.value * (1 + 1e-9):
        help = f"the run would stop here: raise limits.I to {si(needed_A, 'A')} or more"
        yield error("current-limit", leaf.mark, f"{what}, above {limit.named}", help)


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
    current_A = abs(dc_A(leaf) or 0.0)  # of a ramp its end: it begins at 0 more often than not
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


def voltage_limit(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """Under current control nothing but a limit of Ewe protects the cell."""
    if not drives_current(leaf):
        return
    current_A, limits = dc_A(leaf) or 0.0, scene.plan.limits
    for side, way, missing, drives_there in (
        ("above", "up", limits.Ewe_max_V is None, current_A >= 0),
        ("below", "down", limits.Ewe_min_V is None, current_A <= 0),
    ):
        drives_there = drives_there or (isinstance(leaf, p.Hold) and leaf.kind == "power")
        covered = any(each.quantity == "Ewe" and each.side == side for each in leaf.cutoffs)
        if missing and drives_there and not covered:
            message = f"{leaf.label}: nothing ends this current when Ewe goes {way}"
            yield error("voltage-limit", leaf.mark, message, "give both ends of limits.Ewe")


def potential(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """A potential that the run's own limits forbid."""
    limits = scene.plan.limits
    if not ends_V(leaf):
        return
    low_V, high_V = ends_V(leaf)
    over = limits.Ewe_max_V is not None and high_V > limits.Ewe_max_V
    if over or (limits.Ewe_min_V is not None and low_V < limits.Ewe_min_V):
        message = f"{leaf.label}: Ewe reaches {si(high_V if over else low_V, 'V')}, "
        message += f"outside of limits.Ewe, {limits.window_text}"
        yield error("potential", leaf.mark, message, "the run would stop here")


CURRENT_CHECKS = (
    current,
    density,
    resolution,
    voltage_limit,
    potential,
)
