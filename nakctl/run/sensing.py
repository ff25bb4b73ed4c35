"""What the host watches on the bench: limits of sensors, and steps that wait for one to settle.

Values come in the sensors' own units and are compared in SI. Between two looks a sensor's extremes count, not
only its last value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from nakctl.device.program import Loop, Program, Segment, SensorLimit, Settle
from nakctl.device.sensor import Latest, Look, Sensors, SensorSpec
from nakctl.run.engine import Ending, Status

SOONEST_LOOK_s = 0.2  # as the guard of Ewe: how often a channel in virtual time hands over
SILENT_AFTER = 5  # readings that fail in a row, and a sensor's last value says nothing any more


class NoSensors:
    """A run without any."""

    specs: Mapping[str, SensorSpec] = {}

    def look(self, now_s: Callable[[], float]) -> Look:
        return Look({})

    def set(self, name: str, value: float) -> None:
        raise KeyError(name)

    def close(self) -> Look:
        return Look({})


class SensorGuard:
    """Watches one run."""

    def __init__(self, program: Program, sensors: Sensors) -> None:
        self.program, self.specs = program, sensors.specs
        self.guarding = {limit.sensor for limit in program.limits.sensors}
        self.settling: _Settling | None = None

    def open_segment(self, segment: Segment) -> None:
        settle = self._settle(segment)
        self.settling = None if settle is None else _Settling(settle, self.specs[settle.sensor])

    @property
    def every_s(self) -> float | None:
        """How often to look, in the channel's own time; None: nothing to look at."""
        watched = set(self.guarding)
        if self.settling is not None:
            watched.add(self.settling.settle.sensor)
        rates_s = [max(SOONEST_LOOK_s, self.specs[name].every_s) for name in watched]
        return min(rates_s, default=None)

    def look(self, latest: Mapping[str, Latest]) -> Ending | None:
        """The ending that the sensors ask for, if any: a limit before anything else."""
        beyond = [ending for limit in self.program.limits.sensors for ending in self._beyond(limit, latest)]
        if beyond:
            return beyond[0]
        if self.settling is not None and self.settling.look(latest):
            return Ending("next step", str(self.settling.settle))
        return None

    def _beyond(self, limit: SensorLimit, latest: Mapping[str, Latest]) -> Iterator[Ending]:
        seen = latest.get(limit.sensor)
        if seen is None:
            return
        spec = self.specs[limit.sensor]
        if spec.to_si(seen.high) > limit.high:
            reason = f"limit: {limit.sensor} above {limit.high_text}"
            yield Ending("end run", reason, "stopped")
        elif spec.to_si(seen.low) < limit.low:
            yield Ending("end run", f"limit: {limit.sensor} below {limit.low_text}", "stopped")

    def timed_out(self) -> Ending | None:
        """What it means that a waiting step lasted as long as it might; None if it was no such step."""
        if self.settling is None:
            return None
        settle = self.settling.settle
        status: Status = "stopped" if settle.then == "end run" else "completed"
        return Ending(settle.then, f"timed out: {settle}", status)

    def _settle(self, segment: Segment) -> Settle | None:
        """A step that waits is a segment of its own."""
        first = next(each for each in segment.techniques if not isinstance(each, Loop))
        return self.program.step(first.step).settle


class _Settling:
    """One wait: since when all readings have been within the band."""

    def __init__(self, settle: Settle, spec: SensorSpec) -> None:
        self.settle, self.spec = settle, spec
        self.within_since_s: float | None = None
        self.silent_after_s = SILENT_AFTER * spec.every_s + spec.timeout_s

    def look(self, latest: Mapping[str, Latest]) -> bool:
        """Whether it has settled. A silence counts when the sensor is back: nobody knows what it did."""
        seen = latest.get(self.settle.sensor)
        if seen is None:
            return False
        furthest = max(abs(self.spec.to_si(value) - self.settle.of) for value in (seen.low, seen.high))
        if seen.trouble or seen.gap_s > self.silent_after_s or furthest > self.settle.within:
            self.within_since_s = None
        elif self.within_since_s is None:
            self.within_since_s = seen.time_s
        return self.within_since_s is not None and seen.time_s - self.within_since_s >= self.settle.for_s
