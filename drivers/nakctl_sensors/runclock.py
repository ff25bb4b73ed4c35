"""Time of the run as the logging process knows it."""

from __future__ import annotations

import time

from nakctl_sensors.timemap import TimeMap


class RunClock:
    """What a simulated sensor lives in, too."""

    def __init__(self) -> None:
        self.map = TimeMap()

    def now_s(self) -> float:
        return self.map.time_s(time.perf_counter())

    def horizon_s(self) -> float:
        return self.now_s()

    def advance_to(self, time_s: float) -> None:
        pass

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def speed(self) -> float:
        return self.map.speed
