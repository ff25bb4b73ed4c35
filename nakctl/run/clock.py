"""Time is an object: the same run takes a wall-clock night or no time at all.

`horizon_s` is how far the world may have gone by now. A simulated channel runs its cell up to there; on a
free clock there is no horizon, the channel goes as fast as it can and tells the clock how far it got.
"""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Seconds since the clock was made."""

    def now_s(self) -> float: ...

    def horizon_s(self) -> float: ...

    def advance_to(self, time_s: float) -> None:
        """The world went on to time_s. Only a free clock is moved by that."""

    def sleep(self, seconds: float) -> None:
        """Let `seconds` of wall-clock time go by, where there is a wall clock."""

    def unix_time_s(self) -> float | None:
        """Wall-clock time that belongs to now_s; None where time is virtual."""


class WallClock:
    """Real time, for hardware, or `speed` times as fast, for a paced simulation."""

    def __init__(self, speed: float = 1.0) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be positive, not {speed}")
        self._speed = speed
        self._start_s = time.monotonic()

    def now_s(self) -> float:
        return (time.monotonic() - self._start_s) * self._speed

    def horizon_s(self) -> float:
        return self.now_s()

    def advance_to(self, time_s: float) -> None:
        pass

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def unix_time_s(self) -> float | None:
        return datetime.now(UTC).timestamp()


class FreeClock:
    """Virtual time: it stands still until a channel says how far the world went."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def now_s(self) -> float:
        return self._now_s

    def horizon_s(self) -> float:
        return math.inf

    def advance_to(self, time_s: float) -> None:
        self._now_s = max(self._now_s, time_s)

    def sleep(self, seconds: float) -> None:
        pass

    def unix_time_s(self) -> float | None:
        return None
