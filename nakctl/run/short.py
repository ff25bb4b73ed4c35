"""The rule that calls a short circuit by the fall of |Ewe| (the paper's Fig. 1a: it drops to near zero)."""

from __future__ import annotations

from collections import deque

import numpy as np

from nakctl.device.channel import Rows
from nakctl.device.program import ShortRule


class ShortWatch:
    """Looks for the fall of |Ewe| that a ShortRule describes. Only samples under current count."""

    def __init__(self, rule: ShortRule) -> None:
        self.rule = rule
        self.past: deque[tuple[float, float]] = deque()  # (time, |Ewe|) of the present step
        self.step_count = -1
        self.in_a_row = 0

    @property
    def armed(self) -> bool:
        """A fall is possible: |Ewe| has been above the floor, or a fall is being counted."""
        return self.in_a_row > 0 or any(value > self.rule.below_V for _, value in self.past)

    def look(self, samples: Rows) -> int | None:
        """The row at which the short is certain."""
        under_current = np.flatnonzero(samples["I"] != 0)
        if len(under_current) == 0:
            return None
        Ewe_V = np.abs(samples["Ewe"][under_current])
        low = Ewe_V < self.rule.below_V
        if not low.any() and self.in_a_row == 0:
            self._remember_tail(samples[under_current], Ewe_V)
            return None
        for row, value in zip(under_current, Ewe_V, strict=True):
            if self._count(samples[row], float(value)):
                return int(row)
        return None

    def _count(self, row: np.void, Ewe_V: float) -> bool:
        """One sample. A fall once begun is counted on into the next step: a short does not heal there."""
        time_s = float(row["time"])
        self._forget(time_s, int(row["step_count"]))
        highest_V = max((value for _, value in self.past), default=0.0)
        fallen = highest_V > self.rule.below_V and Ewe_V <= (1 - self.rule.fall) * highest_V
        self.in_a_row = self.in_a_row + 1 if Ewe_V < self.rule.below_V and (fallen or self.in_a_row) else 0
        self.past.append((time_s, Ewe_V))
        return self.in_a_row >= self.rule.samples

    def _forget(self, time_s: float, step_count: int) -> None:
        if step_count != self.step_count:
            self.step_count = step_count
            self.past.clear()
        while self.past and self.past[0][0] < time_s - self.rule.within_s:
            self.past.popleft()

    def _remember_tail(self, rows: Rows, Ewe_V: Rows) -> None:
        """Nothing low in this read: only its last step, and of that the last window, can matter later."""
        self._forget(float(rows["time"][-1]), int(rows["step_count"][-1]))
        since_s = rows["time"][-1] - self.rule.within_s
        keep = (rows["step_count"] == rows["step_count"][-1]) & (rows["time"] >= since_s)
        self.past.extend(zip(rows["time"][keep].tolist(), Ewe_V[keep].tolist(), strict=True))
