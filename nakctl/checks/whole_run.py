"""Checks of the run as a whole: its limits and rules, its chains, its time."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nakctl.checks.findings import Finding, error, warning
from nakctl.device.ends import OF_THREE, way
from nakctl.device.feeding import ring_of
from nakctl.device.program import Done, Eis, Ocv, played, segments, size_of
from nakctl.plan import plan as p
from nakctl.plan.ends import opposite
from nakctl.plan.estimate import eis_seconds, estimate
from nakctl.plan.gaps import FOREVER, Gap, gaps
from nakctl.plan.same_charge import Earlier
from nakctl.plan.scene import Leaf, Scene, dc_A
from nakctl.text.numbers import duration, plural, si


def window(scene: Scene) -> Iterator[Finding]:
    """limits.Ewe: a window, and one that the instrument can see. Of Ece: a window; see `electrodes`."""
    limits, widest = scene.plan.limits, scene.instrument.E_ranges[-1]
    for of in OF_THREE:
        low, high = limits.value(of, "below"), limits.value(of, "above")
        if low is not None and high is not None and low >= high:
            message = f"limits of {of} from {limits.window_of(of)} are no window"
            yield error("window", scene.plan.limits_mark, message, "the lower end comes first")
    low_V, high_V = limits.Ewe_min_V, limits.Ewe_max_V
    ends = [each for each in limits.all if each.quantity == "Ewe"]
    if low_V is not None and high_V is not None and low_V >= high_V:
        message = f"limits.Ewe from {' to '.join(each.value_text for each in ends)} is no window"
        yield error("window", scene.plan.limits_mark, message, "the lower end comes first")
    for end in ends:
        if not widest.shows(end.value):
            message = f"limits.Ewe: {end.value_text} is more than a {scene.instrument.name} sees"
            message += f" (its readings stop at {si(widest.high_V if end.value > 0 else widest.low_V, 'V')})"
            nearest = si(widest.most_V if end.value > 0 else widest.least_V, "V")
            yield error("window", end.mark, message, f"{nearest} is the nearest limit that is seen to act")


def goals(scene: Scene) -> Iterator[Finding]:
    """A wanted end that a limit comes before, or that all of the window meets."""
    for goal in scene.plan.goals:
        limit = scene.plan.limits.limit("Ewe", goal.side)
        if limit is not None and way(goal.side) * (goal.value_V - limit.value) > 0:
            message = f"stop_when {goal.text} is beyond {limit.named}"
            help = "the run would end as a violated limit, not as wanted"
            yield warning("rule", goal.mark, message, help)
        across = scene.plan.limits.limit("Ewe", opposite(goal.side))
        if across is not None and way(goal.side) * (across.value - goal.value_V) > 0:
            message = f"stop_when {goal.text} is met by all that {across.named} allows"
            yield warning("rule", goal.mark, message, "the run would end at its first row")


def wrong_goals(scene: Scene) -> Iterator[Finding]:
    """A wanted end on the side that every current of the run drives Ewe away from."""
    currents_A = [dc_A(leaf) for leaf in p.leaves(scene.plan.steps)]
    ways = {None if each is None else math.copysign(1, each) for each in currents_A if each != 0}
    if ways not in ({1.0}, {-1.0}):
        return  # both, nothing that drives it, or a potential: where that drives it to is the cell's business
    up = ways == {1.0}
    drives, wrong = ("up", "below") if up else ("down", "above")
    for goal in scene.plan.goals:
        if goal.side == wrong:
            message = f"all currents of this run drive Ewe {drives}, and stop_when {goal.text} is on the "
            message += "other side"
            help = f"if Ewe is {wrong} it already, the run ends at its first row; else it does not get there"
            yield warning("wrong-side", goal.mark, message, help)


def chains(scene: Scene) -> Iterator[Finding]:
    """What one chain, and one technique, can hold. The lowering splits; this sees that nothing slipped."""
    most = scene.instrument.chain_length
    for segment in segments(scene.program.nodes):
        fed = scene.instrument.feeds and ring_of(segment.techniques, scene.instrument) is not None
        if (size := size_of(segment.techniques)) > most and not fed:
            mark = scene.program.step(played(segment.techniques)[0].step).mark
            message = f"one step needs a chain of {size} techniques"
            if pulses := size - len(segment.techniques):
                message += f", {pulses} of them the trigger pulse"
            yield error("chain", mark, message, f"the {scene.instrument.name} holds {most}")
        for technique in played(segment.techniques):
            yield from _too_long(technique, scene)


def _too_long(technique: Done, scene: Scene) -> Iterator[Finding]:
    is_eis = isinstance(technique, Eis)
    seconds = eis_seconds(technique, scene.instrument) if isinstance(technique, Eis) else technique.duration_s
    if seconds > scene.instrument.longest_s:
        step = scene.program.step(technique.step)
        what = "a sweep" if is_eis else "one technique"
        message = f"{step.label}: {what} of {duration(seconds)} is longer than the instrument counts"
        message += f" ({duration(scene.instrument.longest_s)})"
        yield error("too-long", step.mark, message, "leave out the lowest frequencies" if is_eis else "")


def total_time(scene: Scene) -> Iterator[Finding]:
    """limits.time that cuts the planned steps off (an endless repeat is meant to be cut off)."""
    plan = scene.plan
    takes = estimate(plan, scene.program, scene.instrument)
    limit = plan.limits.limit("time", "above")
    if takes.per_pass is not None or takes.duration_s is None or limit is None or takes.is_open:
        return
    if takes.duration_s > limit.value:
        message = f"the steps take {duration(takes.duration_s)}, limits.time is {limit.value_text}"
        yield warning("time", plan.limits_mark, message, "the run would end before its last step")


def reachable(scene: Scene) -> Iterator[Finding]:
    """Steps after a repeat without end, which only its own cutoff can reach."""
    for earlier, later in zip(scene.plan.steps, scene.plan.steps[1:], strict=False):
        if isinstance(earlier, p.Repeat) and earlier.times is None and not _has_way_out(earlier):
            message = f"nothing leads out of {earlier.label}, so this step is never reached"
            yield warning("unreachable", later.mark, message)


def _has_way_out(repeat: p.Repeat) -> bool:
    return repeat.until is not None or p.may_leave(repeat.steps)


def conditions(scene: Scene) -> Iterator[Finding]:
    """What is asked of a step that can never have ended like that, or not yet."""
    leaves = {leaf.step_id: leaf for leaf in p.leaves(scene.plan.steps)}
    for when in p.conditions(scene.plan.steps):
        steps = [leaves[step] for step in p.labelled(scene.plan.steps, when.label)]
        if steps and not any(_may_end_by(leaf, when.by) for leaf in steps):
            needs = {"settled": "it waits for no sensor", "timeout": "it waits for no sensor"}
            why = needs.get(when.by, "it has no such `until`")
            yield warning("condition", when.mark, f"{when}: that never comes true", why)
    yield from _too_early(scene)


def _may_end_by(leaf: Leaf, by: str) -> bool:
    match by:
        case "cutoff":
            return bool(leaf.cutoffs)
        case "short":
            return any(cutoff.quantity == "short" for cutoff in leaf.cutoffs)
        case "settled" | "timeout":
            return isinstance(leaf, p.Hold) and leaf.settle is not None
        case _:
            return True


def _too_early(scene: Scene) -> Iterator[Finding]:
    """A branch that comes before the step that it asks for, with no loop around both."""
    plan = scene.plan
    order = [*p.walk(plan.steps)]
    loops = [{id(each) for each in p.walk(loop.steps)} for loop in p.repeats(plan.steps)]
    for place, step in enumerate(order):
        if not isinstance(step, p.If):
            continue
        asked = [
            (at, id(each))
            for at, each in enumerate(order)
            if isinstance(each, p.Hold | p.Spectrum) and each.label.partition(" ")[2] == step.when.label
        ]
        together = any(id(step) in loop and key in loop for loop in loops for _, key in asked)
        if asked and min(asked)[0] > place and not together:
            text = f"{step.when}: that step comes later, so this never comes true"
            yield warning("condition", step.when.mark, text)


def references(scene: Scene) -> Iterator[Finding]:
    """What is counted from something that no step before can have measured, or moved."""
    yield from _charges(scene)
    order = list(p.leaves(scene.plan.steps))
    loops = [{leaf.step_id for leaf in p.leaves(loop.steps)} for loop in p.repeats(scene.plan.steps)]
    for place, leaf in enumerate(order):
        if leaf.relative is None:
            continue
        around = {step for loop in loops if leaf.step_id in loop for step in loop}
        before = [*order[:place], *(each for each in order[place:] if each.step_id in around)]
        if leaf.relative.of == "OCV":
            before = [each for each in before if any(isinstance(t, Ocv) for t in scene.techniques(each))]
        if not before:
            what = "no rest comes" if leaf.relative.of == "OCV" else "no step comes"
            text = f"{leaf.relative.text}: {what} before this step that could have measured it"
            yield error("reference", leaf.relative.mark, text, "begin with a rest")


def _charges(scene: Scene) -> Iterator[Finding]:
    earlier = Earlier(scene.plan.steps)
    for leaf in p.leaves(scene.plan.steps):
        if isinstance(leaf, p.Hold) and leaf.same is not None and not earlier.of(leaf):
            text = f"{leaf.same}: that step does not come before this one"
            yield error("reference", leaf.same.mark, text, "give a charge, or the label of a step before")


def interruptions(scene: Scene) -> Iterator[Finding]:
    """Chains that are cut where the cell is driven on: nobody asked for that rest."""
    insisted = [scope.steps for scope in scene.plan.gapless]
    for gap in gaps(scene.program):
        if gap.under_current and not any({gap.before, gap.after} <= steps for steps in insisted):
            before, after = scene.program.step(gap.before), scene.program.step(gap.after)
            often = ", in every pass" if gap.times == FOREVER else f", {plural(gap.times, 'time')}"
            message = f"between {before.label} and {after.label} the cell is open for about "
            message += f"{duration(scene.instrument.load_s)}{'' if gap.times == 1 else often}, "
            message += "while the next chain is loaded"
            yield warning("interruption", after.mark, message, "the record has a row of each")


def gapless(scene: Scene) -> Iterator[Finding]:
    """What somebody insists on, and cannot have: each place with its length, and why."""
    under_current = [gap for gap in gaps(scene.program) if gap.under_current]
    for scope in scene.plan.gapless:
        found = [gap for gap in under_current if {gap.before, gap.after} <= scope.steps]
        for gap in found[:MOST_PLACES]:
            before, after = (scene.program.step(step).label for step in (gap.before, gap.after))
            open_s = duration(scene.instrument.load_s)
            message = f"{scope.label} is to be gapless, and between {before} and {after} the cell is open "
            message += f"for about {open_s}: {_why_open(gap, scene)}"
            more = len(found) - MOST_PLACES
            help = f"and {plural(more, 'place')} more" if more > 0 and gap is found[MOST_PLACES - 1] else ""
            yield error("gapless", scope.mark, message, help)


def _why_open(gap: Gap, scene: Scene) -> str:
    """Why a chain ends there."""
    program, before = scene.program, scene.program.step(gap.before).label
    ends = program.ends_of(gap.before)
    if any(end.kind == "asked" for end in ends):
        return f"{before} has spectra, whose time nobody knows: the host ends it (not so a geis step)"
    by_host = [end.text for end in ends if end.by == "host" and end.then != "end run"]
    if by_host:
        return f"the host ends {before} ({', '.join(by_host)}), and loads what follows"
    device = scene.instrument
    if any(len(chain.techniques) * 2 > device.chain_length for chain in segments(program.nodes)):
        given = "its kinds of techniques do not repeat" if device.feeds else "it is given nothing on the way"
        return f"the {device.name} holds {device.chain_length} techniques, and {given}"
    return "the host has to do something in between"


MOST_PLACES = 3  # of one scope: the others are alike
RUN_CHECKS = (window, goals, wrong_goals, chains, gapless, total_time, reachable, conditions, references)
