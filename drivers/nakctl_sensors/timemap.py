"""Two clocks and what ties them: `time.perf_counter`, which readings are timed with, and the run's own.

The control process names the same moment on both once in a while; between two ties time runs evenly, so a
reading is placed between them. How wrong that can be is known: each tie took a moment to make, and each new
one shows how far the line through the two before it had gone astray.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tie:
    """One moment. error_s: how far apart the two times may have been taken, in s of the run."""

    monotonic: float
    time_s: float
    error_s: float


@dataclass(frozen=True, slots=True)
class TimeMap:
    """The last two ties; astray_s: how far the newest lay from where the ones before it led."""

    before: Tie | None = None
    newest: Tie | None = None
    astray_s: float = 0.0

    def tied(self, tie: Tie) -> TimeMap:
        astray_s = abs(self.time_s(tie.monotonic) - tie.time_s) if self.before is not None else 0.0
        return TimeMap(self.newest, tie, astray_s)

    def heard(self, monotonic: float, time_s: float, error: float) -> TimeMap:
        """As the control process says it: error in s of the first clock."""
        return self.tied(Tie(monotonic, time_s, error * self.speed))

    @property
    def speed(self) -> float:
        """Seconds of the run per second of the other clock."""
        if self.before is None or self.newest is None or self.newest.monotonic <= self.before.monotonic:
            return 1.0
        return (self.newest.time_s - self.before.time_s) / (self.newest.monotonic - self.before.monotonic)

    def time_s(self, monotonic: float) -> float:
        """Time of the run, before the newest tie or straight on after it."""
        if self.newest is None:
            return 0.0
        return self.newest.time_s + self.speed * (monotonic - self.newest.monotonic)

    @property
    def error_s(self) -> float:
        """Bound of what `time_s` is off between the last two ties."""
        ties = [tie.error_s for tie in (self.before, self.newest) if tie is not None]
        return max(ties, default=0.0) + self.astray_s


def placed(
    readings: Iterable[tuple[float, float, float]], known: TimeMap, reached_s: float
) -> list[tuple[float, float, float]]:
    """Readings (asked, answered, value) on the run's clock, as (time, value, bound of the time's error) in s.

    A reading stands half-way between question and answer. Times never go back, not before reached_s either:
    where a new tie would turn them a reading is moved up, and its error grows by that.
    """
    found = []
    for asked, answered, value in readings:
        time_s = known.time_s((asked + answered) / 2)
        reached_s = max(reached_s, time_s)
        error_s = known.speed * (answered - asked) / 2 + known.error_s + reached_s - time_s
        found.append((reached_s, value, error_s))
    return found
