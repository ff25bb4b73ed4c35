"""The rule that calls a short circuit by the fall of Ewe (in the paper's Fig. 1a it drops to near 0 V)."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from nakctl.device.channel import Rows
from nakctl.device.program import ShortRule

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.integer]

LONG = 16  # rows; fewer are counted sooner than they are passed over


class ShortWatch:
    """Looks for what a ShortRule describes. Only samples under current count.

    Ewe is counted along the current (positive while stripping at > 0 V, and while plating at < 0 V): after a
    change of polarity it passes through zero, and that is a rise, not a fall.
    """

    def __init__(self, rule: ShortRule) -> None:
        self.rule = rule
        # (time, Ewe along the current) of the present step: only what nothing later exceeds, so the first is
        # the highest of the window, and every sample comes and goes once.
        self.highest: deque[tuple[float, float]] = deque()
        self.step_count = -1
        self.in_a_row = 0

    def forget(self) -> None:
        """The cell lay open: Ewe begins low and rises once more, which is no fall. One begun counts on."""
        self.highest.clear()

    def look(self, samples: Rows) -> int | None:
        """The row at which the short is certain. A reading that is no number says nothing."""
        under_current = np.flatnonzero((samples["I"] != 0) & np.isfinite(samples["Ewe"]))
        if len(under_current) == 0:
            return None
        time_s, step_count = samples["time"][under_current], samples["step_count"][under_current]
        along_V = samples["Ewe"][under_current] * np.sign(samples["I"][under_current])
        place = self._counted(time_s, step_count, along_V)
        return None if place is None else int(under_current[place])

    def _counted(self, time_s: Floats, step_count: Ints, along_V: Floats) -> int | None:
        """Row by row where Ewe is low; long stretches between are passed over at once."""
        low = np.abs(along_V) < self.rule.below_V
        turns = np.flatnonzero(low[1:] != low[:-1]) + 1
        for first, last in pairwise((0, *turns.tolist(), len(low))):
            stretch = slice(first, last)
            if not low[first] and last - first > LONG:
                self.in_a_row = 0
                self._remember(time_s[stretch], step_count[stretch], along_V[stretch])
                continue
            each = (time_s[stretch].tolist(), step_count[stretch].tolist(), along_V[stretch].tolist())
            for place, (at_s, step, value_V) in enumerate(zip(*each, strict=True), first):
                if self._count(at_s, step, value_V):
                    return place
        return None

    def _count(self, time_s: float, step_count: int, along_V: float) -> bool:
        """One sample. A fall once begun is counted on into the next step: a short does not heal there."""
        self._forget(time_s, step_count)
        highest_V = self.highest[0][1] if self.highest else 0.0
        fallen = highest_V > self.rule.below_V and along_V <= (1 - self.rule.fall) * highest_V
        low = abs(along_V) < self.rule.below_V
        self.in_a_row = self.in_a_row + 1 if low and (fallen or self.in_a_row) else 0
        self._add(time_s, along_V)
        return self.in_a_row >= self.rule.samples

    def _add(self, time_s: float, along_V: float) -> None:
        while self.highest and self.highest[-1][1] <= along_V:
            self.highest.pop()
        self.highest.append((time_s, along_V))

    def _forget(self, time_s: float, step_count: int) -> None:
        if step_count != self.step_count:
            self.step_count = step_count
            self.highest.clear()
        while self.highest and self.highest[0][0] < time_s - self.rule.within_s:
            self.highest.popleft()

    def _remember(self, time_s: Floats, step_count: Ints, along_V: Floats) -> None:
        """Nothing is low here: only the last step, and of that the last window, can matter later."""
        self._forget(float(time_s[-1]), int(step_count[-1]))
        keep = (step_count == step_count[-1]) & (time_s >= time_s[-1] - self.rule.within_s)
        time_s, along_V = time_s[keep], along_V[keep]
        later_V = np.maximum.accumulate(along_V[::-1])[::-1]
        peaks = np.append(along_V[:-1] > later_V[1:], True)
        for at_s, value_V in zip(time_s[peaks].tolist(), along_V[peaks].tolist(), strict=True):
            self._add(at_s, value_V)
