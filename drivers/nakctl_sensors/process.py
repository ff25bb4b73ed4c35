"""The run's end of the logging process: what its control thread holds, and never waits for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from nakctl.device.sensor import Latest, Look, Ramp, SensorNotice, SensorSpec
from nakctl_sensors.awake import Sight
from nakctl_sensors.child import MOST_WAITING
from nakctl_sensors.journal import clear_away
from nakctl_sensors.steward import Steward

TIE_EVERY_s, FIRST_TIES_s = 0.5, 0.05
READY_s = 10.0  # how long a run waits for it to begin, before it begins itself
MOST_AT_ONCE = 500  # beats taken in one look; they are told 25 times in a second
_ANSWERS = ("sensor_set", "sensor_not_set")


class SensorProcess:
    """Obeys `nakctl.device.sensor.Sensors`. What is read before the first look is no part of the run.

    goes_on  of a run that another process began, whatever became of that and of its sensors' process: the
             journal goes on behind what they left. Ties between the clocks are made anew: the old ones may be
             from before the computer was started.
    """

    def __init__(self, path: Path, specs: tuple[SensorSpec, ...], *, goes_on: bool = False) -> None:
        self._specs = {spec.name: spec for spec in specs}
        self._last_now_s: Callable[[], float] | None = None
        if not goes_on:
            clear_away(path)
        self._sight = Sight(self._specs)
        self._tied, self._next_tie = 0, 0.0
        self._dropped = 0
        self._steward = Steward(path, specs)
        self._steward.start()
        self._steward.ready.wait(READY_s)

    @property
    def specs(self) -> Mapping[str, SensorSpec]:
        return self._specs

    @property
    def unseen_s(self) -> Mapping[str, float]:
        return self._sight.unseen_s

    @property
    def pid(self) -> int | None:
        """None while there is no process."""
        child = self._steward.child
        return None if child is None else child.process.pid

    def look(self, now_s: Callable[[], float]) -> Look:
        self._last_now_s = now_s
        self._tie(now_s)
        look = self._taken(MOST_AT_ONCE)
        self._sight.look(look.latest)
        return look

    def set(self, name: str, value: float | Ramp) -> None:
        self._steward.ask(name, value)

    def close(self) -> Look:
        """Waits for the process, up to a bound: by then the run is over, and so are its rows."""
        if self._last_now_s is not None:
            self._next_tie = 0.0
            self._tie(self._last_now_s)
        self._steward.leave()
        look = self._taken(MOST_WAITING)
        unanswered = [
            SensorNotice(name, 2, "sensor_not_set", f"{name}: it is not known whether it went to {value:g}")
            for name, value in self._steward.asked.items()
            if not isinstance(value, Ramp)  # of which the run tells where it is left
        ]
        self._steward.asked.clear()
        return Look(look.latest, (*look.notices, *unanswered))

    def _tie(self, now_s: Callable[[], float]) -> None:
        """Name the same moment on both clocks, twice soon and then regularly."""
        before = time.perf_counter()
        if before < self._next_tie:
            return
        run_s = now_s()
        after = time.perf_counter()
        error = (after - before) / 2 + time.get_clock_info("monotonic").resolution
        self._steward.tie([(before + after) / 2, run_s, error])
        self._tied += 1
        self._next_tie = after + (FIRST_TIES_s if self._tied < 3 else TIE_EVERY_s)

    def _taken(self, most: int) -> Look:
        """What was told since the last time, merged; at most so many beats and notices."""
        inbox = self._steward.inbox
        latest: dict[str, Latest] = {}
        for _ in range(min(len(inbox.latest), most)):
            for name, newer in inbox.latest.popleft().items():
                if name in self._specs:
                    latest[name] = _merged(latest.get(name), newer)
        notices = [inbox.notices.popleft() for _ in range(min(len(inbox.notices), most))]
        for notice in notices:
            if notice.code in _ANSWERS:
                self._steward.answered(notice)
        return Look(latest, (*notices, *self._about_dropped()))

    def _about_dropped(self) -> tuple[SensorNotice, ...]:
        """Said at the first such line, and at each tenfold number of them."""
        dropped = self._steward.inbox.dropped
        if dropped == 0 or dropped < 10 * self._dropped:
            return ()
        self._dropped = dropped
        text = f"{dropped} lines of the sensors' process made no sense and were left out"
        return (SensorNotice("", 1, "sensors_garbled", text, None, {"lines": dropped}),)


def _merged(seen: Latest | None, newer: Latest) -> Latest:
    if seen is None:
        return newer
    low, high, gap_s = min(seen.low, newer.low), max(seen.high, newer.high), max(seen.gap_s, newer.gap_s)
    return Latest(newer.time_s, newer.value, low, high, newer.trouble, gap_s)
