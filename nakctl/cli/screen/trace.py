"""What a curve on a screen needs of a run of any length: the least and the greatest within bins of time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

BINS = 600  # at the most: more than any terminal has columns
_NARROWEST_s = 0.05

# Least and greatest of Ewe_V, then of I_A.
Bin = list[float]


class Trace:
    """Ewe and I against time.

    keep_s  how far back; inf: all of it, in bins that become wider by halves; 0: nothing
    """

    def __init__(self, keep_s: float = math.inf) -> None:
        self.keep_s = keep_s
        self.width_s = _NARROWEST_s if math.isinf(keep_s) else keep_s / BINS
        self._bins: dict[int, Bin] = {}
        self._newest = -1

    def add(self, rows: Iterable[tuple[float, float, float]]) -> None:
        """rows: time_s, Ewe_V, I_A, in any order."""
        if self.keep_s <= 0.0:
            return
        for time_s, Ewe_V, I_A in rows:
            if not (math.isfinite(time_s) and math.isfinite(Ewe_V) and math.isfinite(I_A)):
                continue
            number = int(time_s / self.width_s)
            known = self._bins.get(number)
            if known is None:
                self._bins[number] = [Ewe_V, Ewe_V, I_A, I_A]
                self._newest = max(self._newest, number)
                self._make_room()
            else:
                _widen(known, (Ewe_V, Ewe_V, I_A, I_A))

    def _make_room(self) -> None:
        if math.isinf(self.keep_s):
            while len(self._bins) > BINS:
                self._halve()
        elif len(self._bins) > 2 * BINS:
            first = self._newest - BINS
            self._bins = {number: each for number, each in self._bins.items() if number >= first}

    def _halve(self) -> None:
        wider: dict[int, Bin] = {}
        for number, each in self._bins.items():
            if number // 2 in wider:
                _widen(wider[number // 2], each)
            else:
                wider[number // 2] = each
        self._bins, self._newest, self.width_s = wider, self._newest // 2, 2 * self.width_s

    @property
    def span_s(self) -> tuple[float, float]:
        """From when to when it is shown: all of it begins at 0."""
        end_s = (self._newest + 1) * self.width_s
        return (0.0 if math.isinf(self.keep_s) else max(0.0, end_s - self.keep_s)), end_s

    def bins(self, what: int) -> Iterator[tuple[float, float, float]]:
        """Time of the middle, least and greatest, in the order of time. what: 0 Ewe, 1 I."""
        first_s, _ = self.span_s
        for number in sorted(self._bins):
            middle_s = (number + 0.5) * self.width_s
            if middle_s >= first_s:
                each = self._bins[number]
                yield middle_s, each[2 * what], each[2 * what + 1]


def _widen(known: Bin, more: Iterable[float]) -> None:
    least_V, greatest_V, least_A, greatest_A = more
    known[0] = min(known[0], least_V)
    known[1] = max(known[1], greatest_V)
    known[2] = min(known[2], least_A)
    known[3] = max(known[3], greatest_A)
