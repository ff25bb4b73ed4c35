"""The rule that calls a short circuit by the fall of Ewe (in the paper's Fig. 1a it drops to near 0 V)."""

from __future__ import annotations

from collections import deque

import numpy as np

from nakctl.device.channel import Rows
from nakctl.device.program import ShortRule


class ShortWatch:
    """Looks for what a ShortRule describes. Only samples under current count.

    Ewe is counted along the current (positive while stripping at > 0 V, and while plating at < 0 V): after a
    change of polarity it passes through zero, and that is a rise, not a fall.
    """

    def __init__(self, rule: ShortRule) -> None:
        self.rule = rule
        self.past: deque[tuple[float, float]] = deque()  # (time, Ewe along the current) of the present step
        self.step_count = -1
        self.in_a_row = 0

    def look(self, samples: Rows) -> int | None:
        """The row at which the short is certain."""
        under_current = np.flatnonzero(samples["I"] != 0)
        if len(under_current) == 0:
            return None
        rows = samples[under_current]
        along_V = rows["Ewe"] * np.sign(rows["I"])
        if self.in_a_row == 0 and not (np.abs(along_V) < self.rule.below_V).any():
            self._remember_last_step(rows, along_V)
            return None
        for row, one, value in zip(under_current, rows, along_V, strict=True):
            if self._count(float(one["time"]), int(one["step_count"]), float(value)):
                return int(row)
        return None

    def _count(self, time_s: float, step_count: int, along_V: float) -> bool:
        """One sample. A fall once begun is counted on into the next step: a short does not heal there."""
        self._forget(time_s, step_count)
        highest_V = max((value for _, value in self.past), default=0.0)
        fallen = highest_V > self.rule.below_V and along_V <= (1 - self.rule.fall) * highest_V
        low = abs(along_V) < self.rule.below_V
        self.in_a_row = self.in_a_row + 1 if low and (fallen or self.in_a_row) else 0
        self.past.append((time_s, along_V))
        return self.in_a_row >= self.rule.samples

    def _forget(self, time_s: float, step_count: int) -> None:
        if step_count != self.step_count:
            self.step_count = step_count
            self.past.clear()
        while self.past and self.past[0][0] < time_s - self.rule.within_s:
            self.past.popleft()

    def _remember_last_step(self, rows: Rows, along_V: Rows) -> None:
        """Nothing low in this read: only its last step, and of that the last window, can matter later."""
        self._forget(float(rows["time"][-1]), int(rows["step_count"][-1]))
        since_s = rows["time"][-1] - self.rule.within_s
        keep = (rows["step_count"] == rows["step_count"][-1]) & (rows["time"] >= since_s)
        self.past.extend(zip(rows["time"][keep].tolist(), along_V[keep].tolist(), strict=True))
