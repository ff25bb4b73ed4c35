"""Does the bench have the sensors that a plan names, and do they show what it expects of them?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from nakctl.checks.findings import Finding, error, warning
from nakctl.errors import Mark
from nakctl.plan import plan as p
from nakctl.text.sentences import did_you_mean
from nakctl.text.units import DIMENSIONS, SENSED, parse

if TYPE_CHECKING:
    from nakctl.device.sensor import SensorSpec

_IN_VAIN = {
    "limit": "no reading of {use.sensor} ever counts as beyond {use.value}: see its `plausible`",
    "wait": "no reading of {use.sensor} ever counts as {use.value}: see its `plausible`",
    "set": "{use.sensor} is to go to {use.value}, which no reading of it can be: see its `plausible`",
}


@dataclass(frozen=True, slots=True)
class Use:
    """A place that names a sensor with a value of it, as written. what: it is there for."""

    sensor: str
    value: str
    mark: Mark
    what: Literal["limit", "wait", "set"]


def uses(plan: p.Plan) -> Iterator[Use]:
    """Every use of a sensor in a plan."""
    for limit in plan.limits.sensors:
        yield Use(limit.sensor, limit.value_text, limit.mark, "limit")
    for leaf in p.leaves(plan.steps):
        if isinstance(leaf, p.Hold) and leaf.settle is not None:
            yield Use(leaf.settle.sensor, leaf.settle.of_text, leaf.mark, "wait")
    for point in p.set_points(plan.steps):
        yield Use(point.sensor, point.text, point.mark, "set")
        if point.slope is not None and point.slope.start_text:
            yield Use(point.sensor, point.slope.start_text, point.mark, "set")


def check_sensors(plan: p.Plan, sensors: Mapping[str, SensorSpec], where: str) -> tuple[Finding, ...]:
    """All findings, by line. where: the file that names the sensors, or what there is instead of one."""
    found = [finding for use in uses(plan) for finding in _use(use, sensors, where)]
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: finding.mark))


def _use(use: Use, sensors: Mapping[str, SensorSpec], where: str) -> Iterator[Finding]:
    spec = sensors.get(use.sensor)
    if spec is None:
        hint = did_you_mean(use.sensor, sensors) or ";"
        known = ", ".join(sensors) or "none"
        yield error("sensor", use.mark, f"there is no sensor {use.sensor} {where}{hint} sensors are: {known}")
        return
    asked = parse(use.value, SENSED)
    if asked.dimension != spec.dimension:
        message = f"{use.value} is {DIMENSIONS[asked.dimension].noun}, and {use.sensor} shows {spec.unit}"
        yield error("sensor-unit", use.mark, message, f"write {DIMENSIONS[spec.dimension].noun}")
        return
    if not spec.is_plausible(spec.raw(spec.from_si(asked.value))):
        yield warning("sensor-range", use.mark, f"{_IN_VAIN[use.what].format(use=use)} in rig.yaml")
    if use.what == "set" and not spec.settable:
        message = f"{use.sensor} cannot be set: rig.yaml says not how"
        yield error("sensor-set", use.mark, message, "give it the word `set` (modbus: `set_register`)")
