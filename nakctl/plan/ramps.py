"""Set-points that ramp: from where, how long each takes, and how long it has before the plan is over.

Where a ramp begins that says no `from` is known as far as the plan has set its sensor before; what a sensor
shows is known only in the run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nakctl.device.program import Ask, SetPoint
from nakctl.plan import plan as p
from nakctl.plan.estimate import Estimate


@dataclass(frozen=True, slots=True)
class PlannedRamp:
    """One ramp as the plan comes to it.

    start       where it begins, in SI; None: where its sensor is then. start_text: as written
    duration_s  None: not known, because start is not
    left_s      from its beginning to the next `set` of its sensor, or to the end of the plan
    replaced    it is a `set` that comes then
    """

    point: SetPoint
    start: float | None
    start_text: str
    duration_s: float | None
    left_s: float
    replaced: bool


def ramps(steps: Sequence[p.Step], estimate: Estimate) -> Iterator[PlannedRamp]:
    """Every ramp in the order of the plan; one in a loop as the first and the second pass come to it."""
    points, end_s = _walk(steps, estimate, 0.0)
    for k, (at_s, point) in enumerate(points):
        if point.slope is None:
            continue
        before = next((other for _, other in reversed(points[:k]) if other.sensor == point.sensor), None)
        start, text = point.slope.start, point.slope.start_text
        if start is None and before is not None:
            start, text = before.value, before.text
        duration_s = None if start is None else abs(point.value - start) / point.slope.rate
        after = next((later_s for later_s, other in points[k + 1 :] if other.sensor == point.sensor), None)
        left_s = (end_s if after is None else after) - at_s
        yield PlannedRamp(point, start, text, duration_s, left_s, after is not None)


def _walk(
    steps: Sequence[p.Step], estimate: Estimate, time_s: float
) -> tuple[list[tuple[float, SetPoint]], float]:
    """The set-points with the times at which they come, and when the steps are over; inf: without end."""
    found: list[tuple[float, SetPoint]] = []
    for step in steps:
        match step:
            case SetPoint():
                found.append((time_s, step))
                continue
            case Ask():
                continue
            case p.Repeat():
                points, end_s = _passes(step, estimate, time_s)
            case p.Staircase():
                each = [inner for one_pass in step.passes for inner in one_pass]
                points, end_s = _walk(each, estimate, time_s)
            case p.If():
                sides = [_walk(side, estimate, time_s) for side in (step.then, step.otherwise)]
                points, end_s = max(sides, key=lambda side: side[1])
            case _:
                points, end_s = [], time_s + _once_s(step, estimate)
        found, time_s = [*found, *points], end_s
    return found, time_s


def _passes(
    repeat: p.Repeat, estimate: Estimate, time_s: float
) -> tuple[list[tuple[float, SetPoint]], float]:
    """The first pass, and the second for what it sets anew."""
    points, end_s = _walk(repeat.steps, estimate, time_s)
    times = math.inf if repeat.times is None else repeat.times
    if times > 1:
        points += _walk(repeat.steps, estimate, end_s)[0]
    pass_s = end_s - time_s
    return points, time_s + pass_s * times if pass_s else time_s


def _once_s(leaf: p.Hold | p.Spectrum, estimate: Estimate) -> float:
    """A step that lasts until something is met may last for ever, as far as a ramp is concerned."""
    if isinstance(leaf, p.Hold) and (leaf.alone_s is not None or leaf.settle is not None):
        return math.inf
    return estimate.step(leaf.step_id).once.duration_s
