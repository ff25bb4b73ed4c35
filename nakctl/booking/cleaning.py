"""Rows as a channel gave them -> rows that can be booked.

Nothing is invented and no row is dropped: a value that is no number stays one and is flagged, a time that is
none, or goes back, becomes that of the row before and is flagged.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from nakctl.device.channel import Flag, Rows

BACK_s = 1e-3  # times of one visit may lie in disorder by less: the clocks of its processes


class Cleaning:
    """Of one run; `open_segment` with every chain."""

    def __init__(self) -> None:
        self._visit: np.void | None = None  # technique and passes of the last row
        self._last_s = 0.0

    def open_segment(self) -> None:
        self._visit, self._last_s = None, 0.0

    def samples(self, rows: Rows) -> Rows:
        return self._clean(rows, "Ewe_V", "I_A")

    def points(self, rows: Rows) -> Rows:
        return self._clean(rows, "E_dc_V", "I_dc_A")

    def _clean(self, rows: Rows, E: str, I: str) -> Rows:
        """What is right already is not copied."""
        if len(rows) == 0:
            return rows
        timed = self._timed(rows)
        no_value = ~(np.isfinite(timed[E]) & np.isfinite(timed[I]))
        if no_value.any():
            timed = timed.copy() if timed is rows else timed
            timed["flags"][no_value] |= np.uint16(Flag.NO_VALUE)
        return timed

    def _timed(self, rows: Rows) -> Rows:
        times_s: npt.NDArray[np.float64] = rows["time_s"]
        known = np.isfinite(times_s)
        visits = rows[["technique", "passes"]]
        same = np.append(self._visit is not None and visits[0] == self._visit, visits[1:] == visits[:-1])
        before_s = self._last_s if same[0] else -np.inf
        earlier = np.maximum.accumulate(np.append(before_s, np.where(known, times_s, -np.inf)))[:-1]
        bad = ~known | (same & (times_s < earlier - BACK_s))
        if bad.any():
            rows = rows.copy()
            start_s = self._last_s if math.isfinite(self._last_s) else 0.0
            filled = np.where(bad, -np.inf, times_s)
            rows["time_s"] = np.where(bad, np.maximum(np.maximum.accumulate(filled), start_s), times_s)
            rows["flags"][bad] |= np.uint16(Flag.BAD_TIME)
        self._last_s, self._visit = float(rows["time_s"][-1]), visits[-1].copy()
        return rows
