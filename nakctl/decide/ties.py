"""Two clocks: the instrument counts from the start of a chain, the host from the start of the run.

The start of a chain is stamped before and after the call; where the instrument's own clock says that it began
later, that counts. Once it is settled, before the first row is booked, nothing moves it any more: further
ties are rows of their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from nakctl.device.channel import Look

TIE_EVERY_s = 600.0  # clocks drift: the best tie of ten minutes is kept


@dataclass(frozen=True, slots=True)
class Start:
    """When a chain began, in the run's time, to within error_s."""

    time_s: float
    error_s: float


@dataclass(frozen=True, slots=True)
class Tie:
    """The same moment on both clocks; error_s: of time_s."""

    elapsed_s: float
    time_s: float
    error_s: float


def tie(look: Look | None, before_s: float, after_s: float) -> Tie | None:
    """What one answer says; before_s, after_s: the host's clock around the call."""
    if look is None or not look.running or not math.isfinite(look.elapsed_s) or look.elapsed_s <= 0:
        return None
    rounding_s = abs(look.elapsed_s) * 2.0**-24  # it is told in single precision
    return Tie(look.elapsed_s, (before_s + after_s) / 2, (after_s - before_s) / 2 + rounding_s)


def start_of(called_s: float, returned_s: float, first: Tie | None) -> Start:
    """When a chain began whose start was called at called_s and returned at returned_s."""
    stamped = Start(returned_s, returned_s - called_s)
    if first is None:
        return stamped
    told_s = first.time_s - first.elapsed_s
    began_before_the_call = told_s < called_s - first.error_s  # so its clock means something else
    began_later = told_s > returned_s + first.error_s
    if not began_before_the_call and (began_later or first.error_s < stamped.error_s):
        return Start(max(told_s, called_s), first.error_s)
    return stamped


class Ties:
    """Keeps the best of each ten minutes."""

    def __init__(self) -> None:
        self._best: Tie | None = None
        self._since_s = 0.0

    def add(self, found: Tie | None) -> Tie | None:
        """The tie to be kept now, if ten minutes are over."""
        if found is None:
            return None
        if self._best is None:
            self._best, self._since_s = found, found.time_s
        elif found.error_s < self._best.error_s:
            self._best = found
        return self.take() if found.time_s - self._since_s >= TIE_EVERY_s else None

    def take(self) -> Tie | None:
        """The best so far; a new time begins."""
        best, self._best = self._best, None
        return best
