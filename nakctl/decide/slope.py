"""How fast does Ewe or |I| change? The slope of a straight line through the last minutes of a step."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nakctl.booking.met import Met
from nakctl.device.channel import Rows
from nakctl.device.ends import LEAST_ROWS_OF_SLOPE, End, Quantity

Floats = npt.NDArray[np.float64]

BINS = 512  # the window begins where one of so many parts of it does, so nothing grows with the rate of rows
LOOKS = 20  # in a window: what is fitted to it is the slope of its middle, which is half of it ago anyway
COLUMNS: dict[Quantity, str] = {"dEwe/dt": "Ewe", "dI/dt": "I"}


class SlopeWatch:
    """Looks for what an End of a slope describes: by least squares over the rows of the last `over_s`.

    Not judged before so long has passed since the first row of the step. However rows are cut into reads, the
    slope at each row is the same.
    """

    def __init__(self, end: End) -> None:
        self.end = end
        self.now: float | None = None  # |slope| at the newest row, if it could be judged
        self.forget()

    def forget(self) -> None:
        """What was seen before counts no more: the cell lay open meanwhile."""
        self.step_count, self.first_s, self.bin = -1, 0.0, -1.0
        self.now = None
        self.at_s, self.at = 0.0, 0.0  # sums count from there, so that they stay small
        # (5,): rows, sum of t, of y, of t^2, of t y; of all rows, and (5, bins) of those before each bin
        self.sums: Floats = np.zeros(5)
        self.before: Floats = np.zeros((5, 0))
        self.starts_s: Floats = np.zeros(0)  # (bins,): of the first row of each

    def may_wait_s(self, time_s: float) -> float:
        """How long nobody has to look. time_s: of the newest row.

        In the first window of a step nothing is known.
        """
        begun_s = time_s if self.step_count < 0 else self.first_s
        return max(self.end.over_s / LOOKS, begun_s + self.end.over_s - time_s)

    def look(self, samples: Rows) -> Met | None:
        """The row at which it is met. A reading that is no number says nothing."""
        values = samples[COLUMNS[self.end.quantity]].astype(np.float64)
        values = np.abs(values) if self.end.quantity == "dI/dt" else values
        places = np.flatnonzero((samples["step_id"] == self.end.step) & np.isfinite(values))
        steps = samples["step_count"][places]
        for each in np.unique(steps):
            mine = places[steps == each]
            met = self._of_step(int(each), samples["time"][mine], values[mine])
            if met is not None:
                return Met(self.end, met[1], int(mine[met[0]]))
        return None

    def _of_step(self, step_count: int, time_s: Floats, y: Floats) -> tuple[int, float] | None:
        """(place, |slope|) of the first row that meets the End."""
        if step_count != self.step_count:
            self.forget()
            self.step_count, self.first_s = step_count, float(time_s[0])
            self.at_s, self.at = self.first_s, float(y[0])
        slope, is_known = self._slopes(time_s, y)
        self.now = float(slope[-1]) if is_known[-1] else None
        beyond = slope > self.end.value if self.end.side == "above" else slope < self.end.value
        found = np.flatnonzero(is_known & beyond)
        return (int(found[0]), float(slope[found[0]])) if len(found) else None

    def _slopes(self, time_s: Floats, y: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """(n,): |slope| at each row, and whether it is known by then. The rows are remembered."""
        bins = np.floor((time_s - self.first_s) * (BINS / self.end.over_s))
        begins = bins != np.append(self.bin, bins[:-1])
        t, y = time_s - self.at_s, y - self.at
        each = np.stack([np.ones_like(t), t, y, t * t, t * y])
        sums = self.sums[:, None] + np.cumsum(each, axis=1)
        self.starts_s = np.append(self.starts_s, time_s[begins])
        self.before = np.concatenate([self.before, (sums - each)[:, begins]], axis=1)
        first = np.searchsorted(self.starts_s, time_s - self.end.over_s * (1 + 1e-9))
        n, t1, y1, t2, ty = sums - self.before[:, first]
        spread = n * t2 - t1 * t1
        is_long = time_s - self.first_s >= self.end.over_s * (1 - 1e-9)
        is_known = is_long & (n >= LEAST_ROWS_OF_SLOPE) & (spread > 0)
        slope = np.abs(n * ty - t1 * y1) / np.where(spread > 0, spread, 1.0)
        self._remember(float(bins[-1]), float(time_s[-1]), sums[:, -1])
        return slope, is_known

    def _remember(self, last_bin: float, last_s: float, sums: Floats) -> None:
        """Only what a later window may hold, counted from about its beginning."""
        keep = int(np.searchsorted(self.starts_s, last_s - self.end.over_s * (1 + 1e-9)))
        gone = self.before[:, keep].copy()
        self.bin, self.starts_s = last_bin, self.starts_s[keep:]
        self.before, self.sums = self.before[:, keep:] - gone[:, None], sums - gone
        later_s = float(self.starts_s[0]) - self.at_s
        if later_s > self.end.over_s:
            later = (self.sums[2] / self.sums[0]) if self.sums[0] else 0.0
            self.before, self.sums = _moved(self.before, later_s, later), _moved(self.sums, later_s, later)
            self.at_s, self.at = self.at_s + later_s, self.at + later


def _moved(sums: Floats, by_s: float, by: float) -> Floats:
    """The same sums, with times and values counted from later and higher on."""
    n, t1, y1, t2, ty = sums
    return np.stack([
        n, t1 - n * by_s, y1 - n * by, t2 - 2 * by_s * t1 + n * by_s**2,
        ty - by_s * y1 - by * t1 + n * by_s * by,
    ])  # fmt: skip
