"""Are these readings that a limit can be judged by?

A guard that is fed nonsense guards nothing, so nonsense is told while it lasts. What became of it in the
book: `booking.cleaning`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.device.channel import Flag, Look, Notice, Rows
from nakctl.device.program import Ece_is_shown, Eis, Loop, Segment, Technique
from nakctl.device.techniques import set_A

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

# By the code of the event: how many bad rows in a row are an alarm, what it says, and when it is over.
TROUBLES = {
    "no_value": (3, "Ewe or I is no number: its limits guard nothing", "there are values again"),
    "bad_time": (1, "times of rows go back, or are none", "times of rows go on again"),
    "no_current": (5, "the current that is set does not flow: is a lead off?", "the current flows again"),
    "overload_lasts": (20, "every row is beyond the range", "rows are within the range again"),
}
LEAD_OFF = 0.1  # of the set current, or less: nothing flows
# Two rows alike to the last bit are normal for a quiet cell in a coarse range, how normal its own rows tell.
# `ALIKE` of `ALIKE_OF` is assumed of rows not seen yet; a run of equal rows this unlikely is none by chance.
# Quiet moments come in lumps, so at high rates that is not enough: it has to last.
ALIKE, ALIKE_OF, CHANCE, FROZEN_s = 18.0, 20.0, 1e-9, 5.0
NO_ECE = 3  # readings in a row that say nothing of Ece, in no row and beside none
ALIKE_POINTS = 3  # no two impedances are alike
SILENT_INTERVALS, SILENT_s = 3.0, 5.0  # no row for so many intervals and so long on top: nothing is seen


@dataclass(slots=True)
class Streak:
    """So many bad rows in a row that last so long are an alarm; told once, and once more when it is over."""

    code: str
    alarm: str
    over: str
    after: int
    least_s: float = 0.0
    count: int = 0
    since_s: float = 0.0  # time of the first of them
    told: bool = False

    def feed(self, bad: Bools, times_s: Floats) -> Iterator[Notice]:
        """bad: (n,) of the rows in order."""
        if len(bad) == 0 or not (self.count or bad.any()):
            return  # as nearly always: nothing begins, and nothing is over
        runs = _runs(bad, self.count)
        first = np.arange(len(bad)) - runs + 1  # of each run; negative: in an earlier read
        since_s = np.where(first < 0, self.since_s, times_s[np.clip(first, 0, len(bad) - 1)])
        over = (runs >= self.after) & (times_s - since_s >= self.least_s)
        self.since_s = float(since_s[-1])
        if not self.told and over.any():
            self.told = True
            at = int(np.argmax(over))
            yield Notice(float(times_s[at]), 2, self.code, self.alarm, {"rows": int(runs[at])})
        self.count = int(runs[-1])
        if self.told and self.count == 0:
            self.told = False
            yield Notice(float(times_s[-1]), 0, self.code, self.over)


class Gate:
    """Looks at every reading of one run."""

    def __init__(self) -> None:
        self.segment = Segment(())
        self.set_A: Floats = np.zeros(0)
        self.streaks = {
            code: Streak(code, alarm, over, after) for code, (after, alarm, over) in TROUBLES.items()
        }
        self.frozen = Streak(
            "frozen", "Ewe and I do not change by a bit: what is read?", "values move again", 0, FROZEN_s
        )
        self.frozen_points = Streak(
            "frozen",
            "impedances do not change by a bit: what is read?",
            "impedances differ again",
            ALIKE_POINTS,
        )
        self.no_Ece = Streak(
            "no_value", "nothing tells of Ece: its limits guard nothing", "Ece is told again", NO_ECE
        )
        self.has_third = False
        self.alike, self.alike_of = ALIKE, ALIKE_OF
        self.last: np.void | None = None
        self.last_Z: Floats = np.full(2, np.nan)
        self.last_s = 0.0
        self.silent = False

    def open_segment(self, segment: Segment) -> None:
        self.segment = segment
        self.has_third = Ece_is_shown(segment)
        self.set_A = np.array([set_A(each) for each in segment.techniques])
        self.last = None
        self.last_s, self.silent = 0.0, False

    def look_at(self, samples: Rows, points: Rows, look: Look | None) -> list[Notice]:
        """What is to be told of one read. samples, points: with the flags that `booking.cleaning` gives."""
        news: list[Notice] = []
        if len(samples):
            self._look_at(samples, samples["I_A"], news)
            news += self._alike(samples)
        if len(points):
            self._look_at(points, points["I_dc_A"], news)
            news += self._alike_points(points)
        if self.has_third and look is not None and look.running:
            news += self._third(samples, points, look)
        news += self._silence(look, len(samples) + len(points))
        return news

    def _look_at(self, rows: Rows, I_A: npt.NDArray[np.float32], news: list[Notice]) -> None:
        times_s, flags = rows["time_s"], rows["flags"]
        self.last_s = float(times_s[-1])
        news += self.streaks["bad_time"].feed((flags & int(Flag.BAD_TIME)) != 0, times_s)
        news += self.streaks["no_value"].feed((flags & int(Flag.NO_VALUE)) != 0, times_s)
        set_A = self.set_A[rows["technique"]]
        news += self.streaks["no_current"].feed(np.abs(I_A) < LEAD_OFF * np.abs(set_A), times_s)
        overload = (flags & int(Flag.I_OVERLOAD | Flag.E_OVERLOAD)) != 0
        news += self.streaks["overload_lasts"].feed(overload, times_s)

    def _third(self, samples: Rows, points: Rows, look: Look) -> Iterator[Notice]:
        told = (samples["Ece_V"], points["Ece_dc_V"], np.array([look.Ece_V]))
        is_told = any(bool(np.isfinite(each).any()) for each in told)
        return self.no_Ece.feed(np.array([not is_told]), np.array([self.last_s]))

    def _alike(self, rows: Rows) -> Iterator[Notice]:
        """Rows that are equal to the one before in all they say, while the cell is driven."""
        before = np.empty_like(rows)
        before[1:], before[0] = rows[:-1], rows[0] if self.last is None else self.last
        driven = ~np.isnan(self.set_A[rows["technique"]])
        equal = (rows["Ewe_V"] == before["Ewe_V"]) & (rows["I_A"] == before["I_A"])
        equal &= (rows["technique"] == before["technique"]) & driven
        if self.last is None:
            equal[0] = False
        running = self.frozen.count  # a run of equal rows counts as normal only when it is over
        self.frozen.after = max(10, math.ceil(math.log(CHANCE) / math.log(self.alike / self.alike_of)))
        yield from self.frozen.feed(equal, rows["time_s"])
        over = running - self.frozen.count
        self.alike += float(np.count_nonzero(equal) + over)
        self.alike_of += float(np.count_nonzero(driven) + over)
        self.last = rows[-1].copy()

    def _alike_points(self, points: Rows) -> Iterator[Notice]:
        Z = np.stack([points["Z_re_ohm"], points["Z_im_ohm"]])
        before = np.concatenate([self.last_Z[:, None], Z[:, :-1]], axis=1)
        self.last_Z = Z[:, -1]
        return self.frozen_points.feed(np.asarray((before == Z).all(axis=0)), points["time_s"])

    def _silence(self, look: Look | None, rows: int) -> Iterator[Notice]:
        """A channel that runs and makes no rows. One that is not heard at all: `reading`."""
        if rows:
            if self.silent:
                self.silent = False
                yield Notice(self.last_s, 0, "silent", "rows come again")
            return
        if look is None or not look.running or self.silent or math.isnan(look.elapsed_s):
            return
        waited_s = look.elapsed_s - self.last_s
        if waited_s > SILENT_INTERVALS * self._interval_s() + SILENT_s:
            self.silent = True
            text = f"the channel runs and has made no row for {waited_s:.3g} s: nothing is seen of the cell"
            yield Notice(look.elapsed_s, 2, "silent", text, {"silent_s": waited_s})

    def _interval_s(self) -> float:
        """The longest that may lie between two rows of this chain."""
        return max((_row_every_s(each) for each in self.segment.techniques), default=1.0)


def _runs(bad: Bools, before: int) -> npt.NDArray[np.int64]:
    """(n,): how many bad rows in a row end at each one; before: how many had ended at the row before."""
    places = np.arange(1, len(bad) + 1)
    last_good = np.maximum.accumulate(np.where(bad, 0, places))
    return np.asarray(np.where(last_good == 0, before + places, places - last_good) * bad)


def _row_every_s(technique: Technique) -> float:
    if isinstance(technique, Eis):
        slowest_Hz = min(technique.f_first_Hz, technique.f_last_Hz)
        return 2.0 + (technique.average + technique.wait_periods) / slowest_Hz
    return 0.0 if isinstance(technique, Loop) else technique.every_s
