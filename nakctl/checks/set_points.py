"""Can what stands beside the cell go where the plan sets it, and does a ramp come to its end?"""

from __future__ import annotations

from collections.abc import Iterator

from nakctl.checks.findings import Finding, error, warning
from nakctl.plan import plan as p
from nakctl.plan.estimate import estimate
from nakctl.plan.ramps import PlannedRamp, ramps
from nakctl.plan.scene import Scene
from nakctl.text.numbers import duration


def set_beyond_limit(scene: Scene) -> Iterator[Finding]:
    """What comes to a limit of its own sensor ends the run there."""
    for point in p.set_points(scene.plan.steps):
        slope = point.slope
        ends = [(point.value, point.text)]
        if slope is not None and slope.start is not None:
            ends.append((slope.start, slope.start_text))
        how = f"{point.sensor} is set" if slope is None else f"the ramp of {point.sensor} goes"
        for limit in scene.plan.limits.sensors:
            for value, text in ends if limit.sensor == point.sensor else ():
                if value > limit.value if limit.side == "above" else value < limit.value:
                    message = f"{how} to {text}, beyond its limit of {limit.value_text}"
                    yield error("set-limit", point.mark, message, "the run would end there")


def ramp_without_end(scene: Scene) -> Iterator[Finding]:
    """A ramp that has not come to its end when it is replaced, or the run is over."""
    if not any(point.slope for point in p.set_points(scene.plan.steps)):
        return
    known = estimate(scene.plan, scene.program, scene.instrument, None)
    for ramp in ramps(scene.plan.steps, known):
        finding = _unfinished(ramp, scene.plan.limits.time_s)
        if finding is not None:
            yield finding


def _unfinished(ramp: PlannedRamp, most_s: float | None) -> Finding | None:
    lasts_s, point = ramp.duration_s, ramp.point
    if lasts_s is None or lasts_s <= 0:
        return None
    ramps = f"the ramp of {point.sensor} from {ramp.start_text} to {point.text} takes {duration(lasts_s)}"
    if most_s is not None and lasts_s > most_s:
        return error(
            "ramp-time", point.mark, f"{ramps}, and the run at most {duration(most_s)} (limits.time)"
        )
    if lasts_s > ramp.left_s:
        left = "the next `set` of it comes" if ramp.replaced else "the run is over"
        message = f"{ramps}, and {left} after {duration(ramp.left_s)}"
        return warning("ramp-time", point.mark, message, "it will not come to its end")
    return None


SET_POINT_CHECKS = (set_beyond_limit, ramp_without_end)
