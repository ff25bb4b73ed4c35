"""One sensor in the logging process: who reads it, what waits for its time, whether it stands still."""

from __future__ import annotations

import math

from nakctl.device.sensor import Latest, SensorKind, SensorNotice, SensorSpec
from nakctl_sensors.extremes import Extremes
from nakctl_sensors.health import Health
from nakctl_sensors.runclock import RunClock
from nakctl_sensors.watcher import SOONEST_AGAIN_s, Watcher, twice_as_long

MOST_GIVEN_UP = 3  # threads that hang in a call at once; more of them would not help either
LASTED_s = 60.0


class Minder:
    """hole: since when nobody read this sensor, on `time.perf_counter`, if another process was to do it. Its
    journal says where readings broke off; here that is a time without any.
    """

    def __init__(self, spec: SensorSpec, kind: SensorKind, clock: RunClock, hole: float | None) -> None:
        self.spec, self.kind, self.clock = spec, kind, clock
        self.waiting: list[tuple[float, float, float]] = []
        self.extremes = Extremes() if hole is None else Extremes(at=hole)
        self.notices: list[SensorNotice] = []
        self._told = Health(spec)  # what is said of its threads, and not more than a record can bear
        self._given_up: list[Watcher] = []
        self._still_since: float | None = None
        self._again_at, self._pause_s = -math.inf, SOONEST_AGAIN_s
        self.watcher = self._new_watcher()

    def _new_watcher(self) -> Watcher:
        watcher = Watcher(self.spec, self.kind, self.clock, self.clock.speed)
        watcher.start()
        return watcher

    def turn(self, now: float, judges: bool) -> None:
        """Collect what its thread has, and look after the thread unless all of us were asleep."""
        self._collect(now)
        if judges:
            self._look_after(now)

    def latest(self) -> Latest | None:
        """None if nothing was read since `extremes` were cleared."""
        seen, known = self.extremes, self.clock.map
        if known.newest is None or not seen.known:
            return None
        trouble, gap_s = self.watcher.health.trouble, seen.gap * known.speed
        return Latest(known.time_s(seen.at), seen.value, seen.low, seen.high, trouble, gap_s)

    def stop(self) -> None:
        """Ask its thread to let go of the instrument, and do not wait for that."""
        self.watcher.stop()

    def stopped(self, within_s: float) -> None:
        """Wait for it."""
        self.watcher.join(within_s)

    def _collect(self, now: float) -> None:
        watcher = self.watcher
        while watcher.notices:
            self.notices.append(watcher.notices.popleft())
            self._moves_again()
        while watcher.readings:
            asked, answered, value = watcher.readings.popleft()
            self.waiting.append((asked, answered, value))
            self.extremes.add((asked + answered) / 2, value)
            if not math.isnan(value):
                self._is_back(now)

    def _is_back(self, now: float) -> None:
        if self._still_since is not None:
            still_s = now - self._still_since
            self._say(0, "sensor_back", f"is back after {still_s:.3g} s", now, {"seconds": still_s})
        self._moves_again()

    def _moves_again(self) -> None:
        """Well or not: what its thread says of it counts again."""
        self._still_since = None

    def _look_after(self, now: float) -> None:
        """A call that does not return, a thread that died of something unforeseen. One that is ill has said
        so, and may take its time to find its instrument again."""
        code, text, since = self.watcher.stands_still(now)
        if not code or (self.watcher.health.is_ill and not self.watcher.is_lost(now)):
            return
        if self._still_since is None:
            self._still_since = since
            self.waiting.append((since, since, math.nan))
            self._say(1, code, text, now)
        if self.watcher.is_lost(now):
            self._replace(now)

    def _replace(self, now: float) -> None:
        """Read it with a new thread, after a pause that grows if the one before did not last."""
        self._given_up = [each for each in self._given_up if each.is_alive()]
        if now < self._again_at or len(self._given_up) >= MOST_GIVEN_UP:
            return
        self.watcher.stop()
        self._given_up.append(self.watcher)
        if now - self.watcher.begun > LASTED_s:
            self._pause_s = SOONEST_AGAIN_s
        self._again_at, self._pause_s = now + self._pause_s, twice_as_long(self._pause_s)
        not_begun = tuple(self.watcher.set_points)  # one that hangs is not among them
        along = self.watcher.ramp.along
        self.watcher = self._new_watcher()
        if along is not None and not not_begun:
            self.watcher.set_points.append(along)
        self.watcher.set_points.extend(not_begun)

    def _say(
        self, severity: int, code: str, text: str, now: float, facts: dict[str, object] | None = None
    ) -> None:
        self._told.say(severity, code.removeprefix("sensor_"), text, now, facts)
        self.notices.extend(self._told.taken())
