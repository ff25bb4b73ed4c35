"""Writes the set-points of a ramp step by step, and tells when one fails and when the last one is there."""

from __future__ import annotations

from dataclasses import dataclass

from nakctl.device.sensor import Ramp, SensorTrouble, Source
from nakctl_sensors.health import Health


@dataclass
class Ramping:
    """Of one sensor. along: the ramp it is on; None: none. last: what the instrument was told last of it."""

    along: Ramp | None = None
    last: float | None = None
    failing: bool = False

    def begin(self, target: float | Ramp) -> None:
        """What was asked for last takes the place of what was under way."""
        self.along = target if isinstance(target, Ramp) else None
        self.last, self.failing = None, False

    def move(self, source: Source, health: Health, time_s: float) -> None:
        """Write the newest step, if it is another one. time_s: of the run. A step that fails is written again
        at the next reading; that it does not work is told once, and the ramp goes on."""
        ramp = self.along
        if ramp is None:
            return
        value = ramp.written(time_s)
        if value == self.last and not self.failing:
            return
        try:
            source.set(health.spec.raw(value))
        except SensorTrouble as trouble:
            if not self.failing:
                health.set_point(value, str(trouble))
            self.failing = True
            raise
        self.last, self.failing = value, False
        if ramp.is_over(time_s):
            self.along = None
            health.set_point(value, "")
