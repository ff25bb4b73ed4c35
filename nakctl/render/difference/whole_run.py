"""What a plan says of the whole run: what ends it, and what it takes."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nakctl.plan import plan as p
from nakctl.plan.gaps import FOREVER, gaps
from nakctl.render.difference.changes import NEAR
from nakctl.render.difference.facts import UNITS, weighs
from nakctl.render.difference.value import Fact
from nakctl.render.leaf_text import net_charge
from nakctl.render.view import View
from nakctl.text.numbers import duration, plural, si


def limits(plan: p.Plan) -> tuple[Fact, ...]:
    """All that ends the whole run, as facts."""
    return (*map(_limit, plan.limits.all), *_rules(plan))


def _limit(limit: p.Limit) -> Fact:
    name = "time" if limit.quantity == "time" else f"{limit.sensor or limit.quantity} {limit.side}"
    return Fact(name, (limit.value,), limit.value_text, UNITS.get(limit.quantity, ""), weighs(limit.side))


def _rules(plan: p.Plan) -> Iterator[Fact]:
    for goal in plan.goals:
        text = goal.text.rpartition(f"{goal.side} ")[2]
        yield Fact(f"ends when Ewe goes {goal.side}", (goal.value_V,), text, "V", weighs(goal.side))
    for name, rule in (("ends at a short", plan.short), ("a short of a step", plan.short_of_steps)):
        if rule is not None and (rule is plan.short or rule != plan.short):
            said = (
                f"-{100 * rule.fall:.4g} % within {duration(rule.within_s)}, below {si(rule.below_V, 'V')}, "
            )
            said += plural(rule.samples, "sample")
            # The deeper it has to fall, in less time, and for more samples, the later a short is one.
            yield Fact(name, (rule.fall, -rule.within_s, -rule.below_V, rule.samples), said, "", "more")
    if plan.capacity is not None:
        capacity = plan.capacity
        said = f"{capacity.text} of {capacity.label}, within {100 * capacity.within:.3g} %"
        yield Fact("capacity measured", (capacity.label, capacity.about_C, capacity.within), said)


def run(view: View) -> Iterator[Fact]:
    """What all of it takes, and on what."""
    scene, estimate = view.scene, view.estimate
    yield Fact("instrument", (scene.instrument.name,), scene.instrument.name)
    yield Fact("area", (scene.plan.area_cm2,), f"{scene.plan.area_cm2:.6g} cm2", "cm2")
    yield Fact(
        "three electrodes", (scene.plan.three_electrodes,), "yes" if scene.plan.three_electrodes else "no"
    )
    seconds, amount = estimate.duration_s, estimate.total
    yield Fact("total time", (seconds,), "without end" if seconds is None else duration(seconds), "s")
    if amount is None:
        amount = estimate.per_pass
        yield Fact("a pass", (estimate.pass_s,), duration(estimate.pass_s), "s")
    if amount is not None:
        if amount.moved_C:
            area_cm2 = scene.plan.area_cm2
            moved = tuple(
                0.0 if abs(each) < NEAR * amount.moved_C else each / area_cm2
                for each in (amount.charge_C, amount.moved_C)
            )
            yield Fact("charge", moved, net_charge(amount, area_cm2), "C/cm2")
        yield Fact("rows", (round(amount.samples),), f"at least {plural(amount.samples, 'row')}")
        yield Fact("spectra", (round(amount.spectra),), plural(amount.spectra, "spectrum", "spectra"))
    yield from _gaps(view)


def _gaps(view: View) -> Iterator[Fact]:
    """How often the cell lies open to load a chain, and how often under current."""
    found = gaps(view.scene.program)
    for name, those in (("gaps", found), ("gaps under current", [gap for gap in found if gap.under_current])):
        endless = any(gap.times == FOREVER for gap in those)
        number = math.inf if endless else sum(gap.times for gap in those)
        said = "in every pass" if endless else plural(number, "gap")
        yield Fact(name, (number,), said, "", "often" if name == "gaps under current" else "")
