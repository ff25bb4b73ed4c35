"""A clock that goes on only when somebody sleeps on it: paced time without waiting."""

from __future__ import annotations


class StepClock:
    """Obeys nakctl.device.driver.ClockLike. The world may go as far as has been slept."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def now_s(self) -> float:
        return self._now_s

    def horizon_s(self) -> float:
        return self._now_s

    def advance_to(self, time_s: float) -> None:
        """How far the world went does not move it."""

    def sleep(self, seconds: float) -> None:
        self._now_s += seconds

    def unix_time_s(self) -> float | None:
        return None
