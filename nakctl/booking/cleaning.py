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
    """Of one run; `open_segment` with every chain. last_s: time of the last row."""

    def __init__(self) -> None:
        self._visit: np.void | None = None  # technique and passes of the last row
        self.last_s = 0.0
        self._highest_s = -math.inf  # of the times that its visit had so far

    def open_segment(self) -> None:
        self._visit, self.last_s, self._highest_s = None, 0.0, -math.inf

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
        """Across visits times prove nothing."""
        times_s: npt.NDArray[np.float64] = rows["time_s"]
        visits = rows[["technique", "passes"]]
        same = np.append(self._visit is not None and visits[0] == self._visit, visits[1:] == visits[:-1])
        before_s = np.append(self._highest_s, times_s[:-1])
        if bool(np.isfinite(times_s).all()) and not bool((same & (times_s < before_s)).any()):
            self.last_s = self._highest_s = float(times_s[-1])
        else:
            rows = self._mended(rows, same)
        self._visit = visits[-1].copy()
        return rows

    def _mended(self, rows: Rows, same: npt.NDArray[np.bool_]) -> Rows:
        """Row by row. same: (n,), whether each is of the same visit as the one before."""
        times_s, bad = rows["time_s"].tolist(), np.zeros(len(rows), np.bool_)
        for k, (time_s, goes_on) in enumerate(zip(times_s, same.tolist(), strict=True)):
            highest_s = self._highest_s if goes_on else -math.inf
            bad[k] = not math.isfinite(time_s) or time_s < highest_s - BACK_s
            times_s[k] = self.last_s if bad[k] else time_s
            self._highest_s = highest_s if bad[k] else max(highest_s, time_s)
            self.last_s = times_s[k]
        if bad.any():
            rows = rows.copy()
            rows["time_s"] = times_s
            rows["flags"][bad] |= np.uint16(Flag.BAD_TIME)
        return rows
