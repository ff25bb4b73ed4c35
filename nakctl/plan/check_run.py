"""Checks of the run as a whole: its limits and rules, its chains, its time."""

from __future__ import annotations

from collections.abc import Iterator

from nakctl.device.ends import way
from nakctl.device.program import Done, Eis, played, segments
from nakctl.plan import plan as p
from nakctl.plan.estimate import eis_seconds, estimate
from nakctl.plan.findings import Finding, Scene, error, warning
from nakctl.plan.gaps import FOREVER, gaps
from nakctl.plan.numbers import duration, plural, si


def window(scene: Scene) -> Iterator[Finding]:
    """limits.Ewe: a window, and one that the instrument can see."""
    limits, widest, mark = scene.plan.limits, scene.instrument.E_ranges[-1], scene.plan.limits_mark
    low_V, high_V = limits.Ewe_min_V, limits.Ewe_max_V
    if low_V is not None and high_V is not None and low_V >= high_V:
        message = f"limits.Ewe from {si(low_V, 'V')} to {si(high_V, 'V')} is no window"
        yield error("window", mark, message, "the lower end comes first")
    for value_V in (low_V, high_V):
        if value_V is not None and not widest.low_V <= value_V <= widest.high_V:
            message = f"limits.Ewe: {si(value_V, 'V')} is more than a {scene.instrument.name} sees"
            yield error("window", mark, message, f"{si(widest.low_V, 'V')} to {si(widest.high_V, 'V')}")


def goals(scene: Scene) -> Iterator[Finding]:
    """A wanted end that a limit comes before."""
    for goal in scene.plan.goals:
        limit_V = scene.plan.limits.value("Ewe", goal.side)
        if limit_V is not None and way(goal.side) * (goal.value_V - limit_V) > 0:
            message = f"stop_when {goal.text} is beyond limits.Ewe, {si(limit_V, 'V')}"
            help = "the run would end as a violated limit, not as wanted"
            yield warning("rule", goal.mark, message, help)


def chains(scene: Scene) -> Iterator[Finding]:
    """What one chain, and one technique, can hold. The lowering splits; this sees that nothing slipped."""
    most = scene.instrument.chain_length
    for segment in segments(scene.program.nodes):
        if len(segment.techniques) > most:
            mark = scene.program.step(played(segment.techniques)[0].step).mark
            message = f"one step needs a chain of {len(segment.techniques)} techniques"
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
    if takes.per_pass is not None or takes.duration_s is None or plan.limits.time_s is None:
        return
    if takes.duration_s > plan.limits.time_s:
        message = (
            f"the steps take {duration(takes.duration_s)}, limits.time is {duration(plan.limits.time_s)}"
        )
        yield warning("time", plan.limits_mark, message, "the run would end before its last step")


def reachable(scene: Scene) -> Iterator[Finding]:
    """Steps after a repeat without end, which only its own cutoff can reach."""
    for earlier, later in zip(scene.plan.steps, scene.plan.steps[1:], strict=False):
        if isinstance(earlier, p.Repeat) and earlier.times is None and not p.may_leave(earlier.steps):
            message = f"nothing leads out of {earlier.label}, so this step is never reached"
            yield warning("unreachable", later.mark, message)


def interruptions(scene: Scene) -> Iterator[Finding]:
    """Chains that are cut where the cell is driven on: nobody asked for that rest."""
    for gap in gaps(scene.program):
        if gap.under_current:
            before, after = scene.program.step(gap.before), scene.program.step(gap.after)
            often = ", in every pass" if gap.times == FOREVER else f", {plural(gap.times, 'time')}"
            message = f"between {before.label} and {after.label} the cell is open for about "
            message += f"{duration(scene.instrument.load_s)}{'' if gap.times == 1 else often}, "
            message += "while the next chain is loaded"
            yield warning("interruption", after.mark, message, "the record has a row of each")


RUN_CHECKS = (window, goals, chains, total_time, reachable)
