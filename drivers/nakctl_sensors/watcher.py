"""One thread per sensor: it asks, waits, and reconnects. Whatever hangs here hangs alone."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable

from nakctl.device.driver import ClockLike
from nakctl.device.sensor import Ramp, SensorKind, SensorNotice, SensorSpec, SensorTrouble, Source
from nakctl.errors import place_of
from nakctl_sensors.health import Health
from nakctl_sensors.ramping import Ramping
from nakctl_sensors.reply import value_of

SOONEST_AGAIN_s, LATEST_AGAIN_s = 0.2, 10.0
NAP_s = 0.2
EARLY = 0.1  # of a period
# Without a sign of life for so long, the longer one, it stands still. Half a period is left for telling it.
STILL_PERIODS, STILL_s = 2.5, 1.0
OPENING_s = 5.0  # the same while it connects: libraries are loaded
HANGS_AFTER_s = 3.0  # beyond the time-out, in which every call should have returned


class Watcher(threading.Thread):
    """Reads one sensor until `stop`.

    readings  (asked, answered, value), values in the sensor's unit, NaN where a gap begins
    now       the clock that readings are timed with; speed: seconds of the run per second of it
    """

    def __init__(
        self,
        spec: SensorSpec,
        kind: SensorKind,
        clock: ClockLike,
        speed: Callable[[], float],
    ) -> None:
        super().__init__(name=spec.name, daemon=True)
        self.spec, self.kind, self.clock, self.speed = spec, kind, clock, speed
        self.readings: deque[tuple[float, float, float]] = deque()
        self.notices: deque[SensorNotice] = deque()
        self.health = Health(spec)
        self.set_points: deque[float | Ramp] = deque()
        self.ramp = Ramping()
        self.stopping = threading.Event()
        self.begun = self.lived_at = time.perf_counter()  # last sign of life: a reading, or a fault
        self.busy_since = self.begun  # when its call began; inf while it waits
        self.opening = False
        self.pause_s = SOONEST_AGAIN_s
        self.next = -math.inf
        self.died_of = ""

    def stop(self) -> None:
        self.stopping.set()

    def stands_still(self, now: float) -> tuple[str, str, float]:
        """Code, text, and since when; code "" if it does not."""
        if not self.is_alive():
            return "sensor_died", f"is read anew after an unforeseen error: {self.died_of}", now
        still_s = now - self.lived_at
        if still_s <= self._patience_s():
            return "", "", now
        return "sensor_hangs", f"stands still: no reading for {still_s:.2g} s", self.lived_at

    def is_lost(self, now: float) -> bool:
        """Its call should have returned long ago: it will not, and another thread has to take over."""
        patience_s = max(self._patience_s(), self.spec.timeout_s + HANGS_AFTER_s)
        return not self.is_alive() or now - self.busy_since > patience_s

    def _patience_s(self) -> float:
        """Whatever the time-out: that is how long an answer may take before the link is made anew."""
        return max(STILL_PERIODS * self._period(), OPENING_s if self.opening else STILL_s)

    def run(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001  whatever a maker's library throws: another thread takes over
            self.died_of = f"{error} ({place_of(error)})"

    def _work(self) -> None:
        while not self.stopping.is_set():
            source = self._connected()
            if source is not None:
                try:
                    self._serve(source)
                finally:
                    self._closed(source)

    def _connected(self) -> Source | None:
        """The open instrument; None, after a pause that grows, if it cannot be reached."""
        self.busy_since, self.opening = time.perf_counter(), True
        try:
            return self.kind.open(self.spec, self.clock)
        except SensorTrouble as trouble:
            self._failed(trouble)
        finally:
            self.opening, self.lived_at = False, time.perf_counter()
        self._back_off()
        return None

    def _back_off(self) -> None:
        self._rest(self.pause_s)
        self.pause_s = twice_as_long(self.pause_s)

    def _rest(self, seconds: float) -> None:
        self.busy_since = math.inf
        self.stopping.wait(seconds)
        self.busy_since = time.perf_counter()

    def _serve(self, source: Source) -> None:
        """Readings at their rate, until the link has to be made anew."""
        self.next = time.perf_counter()
        while not self.stopping.is_set():
            self.busy_since = time.perf_counter()
            if not source.listens:
                self._wait_for_turn()
            try:
                self._write_set_points(source)
                self._read(source)
            except SensorTrouble as trouble:
                self._failed(trouble)
                if trouble.reopen:
                    self._back_off()
                    return

    def _read(self, source: Source) -> None:
        raw = source.read()
        self.lived_at = time.perf_counter()
        value = value_of(raw, self.spec)
        self.pause_s = SOONEST_AGAIN_s
        if not source.listens or self._is_due(raw.answered):
            self.readings.append((raw.asked, raw.answered, value))
        self.health.shows(raw.shown_unit, raw.answered)
        self.health.well(value, raw.answered, self.speed())
        self._tell()

    def _wait_for_turn(self) -> None:
        """To the next beat; beats that were missed are not made up for."""
        while (left_s := self._left_s(time.perf_counter())) > 0 and not self.stopping.is_set():
            self._rest(min(left_s, NAP_s))
        now, period = time.perf_counter(), self._period()
        self.next = self.next + period if now < self.next + period else now + period

    def _left_s(self, now: float) -> float:
        """Never more than a period, which gets shorter when the speed of the run becomes known."""
        self.next = min(self.next, now + self._period())
        return self.next - now

    def _is_due(self, answered: float) -> bool:
        """Of lines that come by themselves, one per period; a little early is not early."""
        period = self._period()
        if self._left_s(answered) > EARLY * period:
            return False
        self.next = max(self.next + period, answered)
        return True

    def _period(self) -> float:
        return self.spec.every_s / max(self.speed(), 1e-9)

    def _write_set_points(self, source: Source) -> None:
        """The newest one asked for; what it replaces was never in force. Else the next step of a ramp."""
        while len(self.set_points) > 1:
            self.set_points.popleft()
        if not self.set_points:
            self._ramp_on(source)
            return
        value, failure = self.set_points.popleft(), "an unforeseen error"
        self.ramp.begin(value)
        if isinstance(value, Ramp):
            self._ramp_on(source)
            return
        try:
            source.set(self.spec.raw(value))
            failure = ""
        except SensorTrouble as trouble:
            failure = str(trouble)
            raise
        finally:
            self.lived_at = time.perf_counter()
            self.health.set_point(value, failure)
            self._tell()

    def _ramp_on(self, source: Source) -> None:
        if self.ramp.along is None:
            return
        try:
            self.ramp.move(source, self.health, self.clock.now_s())
        finally:
            self.lived_at = time.perf_counter()
            self._tell()

    def _failed(self, trouble: SensorTrouble) -> None:
        now = self.lived_at = time.perf_counter()
        if self.health.ill(trouble.code, str(trouble), now):
            self.readings.append((now, now, math.nan))
        self._tell()

    def _closed(self, source: Source) -> None:
        try:
            source.close()
        except (SensorTrouble, OSError) as error:
            self.notices.append(SensorNotice(self.spec.name, 0, "sensor_close", f"{self.spec.name}: {error}"))

    def _tell(self) -> None:
        self.notices.extend(self.health.taken())


def twice_as_long(pause_s: float) -> float:
    return min(2 * pause_s, LATEST_AGAIN_s)
