"""What happened since somebody looked last."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class Extremes:
    """The newest value and when it was read; since `clear` the extremes, and the longest time between two."""

    at: float = math.nan
    gap: float = 0.0
    value: float = math.nan
    low: float = math.inf
    high: float = -math.inf

    @property
    def known(self) -> bool:
        return self.low <= self.high

    def add(self, at: float, value: float) -> None:
        if not math.isnan(value):
            if not math.isnan(self.at):
                self.gap = max(self.gap, at - self.at)
            self.at, self.value = at, value
            self.low, self.high = min(self.low, value), max(self.high, value)

    def clear(self) -> None:
        self.low, self.high, self.gap = math.inf, -math.inf, 0.0
