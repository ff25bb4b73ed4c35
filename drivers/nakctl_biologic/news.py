"""What is told of rows besides: what is missing, out of order, beyond the range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nakctl.device.channel import Flag, Notice, Rows
from nakctl.device.program import Done, Loop, Technique
from nakctl.device.techniques import change_of
from nakctl_biologic.flags import in_order

OVERLOADS = Flag.I_OVERLOAD | Flag.E_OVERLOAD


def successors(techniques: Sequence[Technique], before: int) -> set[int]:
    """The techniques with rows that may follow this one (-1: the start), loops taken or not."""
    found: set[int] = set()
    seen: set[int] = set()
    ahead = [before + 1]
    while ahead:
        at = ahead.pop()
        if at >= len(techniques) or at in seen:
            continue
        seen.add(at)
        technique = techniques[at]
        if isinstance(technique, Loop):
            ahead += [technique.to, at + 1]
        else:
            found.add(at)
    return found


def by_change(technique: Done) -> bool:
    """Whether it records not only by time."""
    return change_of(technique) is not None


def gap(time_s: float, text: str, **facts: int) -> Notice:
    """Rows are missing."""
    return Notice(time_s, 1, "gap", text, dict(facts))


class News:
    """What is told of the rows of one loaded segment once for each technique: thousands of it are no news.

    at_s everywhere: the time of the newest row so far.
    """

    def __init__(self) -> None:
        self._told: dict[str, int] = {}  # what was told: a bit for each technique, counted from -1
        self._skipped = 0

    def _is_fresh(self, what: str, technique: int = -1) -> bool:
        before, bit = self._told.get(what, 0), 1 << (technique + 1)
        self._told[what] = before | bit
        return not before & bit

    def memo(self) -> dict[str, Any]:
        """What needs not be told again, as JSON values."""
        return {"told": {what: f"{bits:x}" for what, bits in self._told.items()}, "skipped": self._skipped}

    def recall(self, memo: Mapping[str, Any]) -> None:
        """KeyError, TypeError, ValueError and their like: it was no such memo."""
        self._told = {str(what): int(bits, 16) for what, bits in memo["told"].items()}
        self._skipped = int(memo["skipped"])

    def skipped(self, readings: int, at_s: float) -> list[Notice]:
        """Readings that the instrument counts as lost; whether it counts them through is not known."""
        before, self._skipped = self._skipped, readings
        if readings <= 0 or readings == before:
            return []
        return [gap(at_s, f"the instrument skipped {readings} readings", skipped=readings)]

    def overload(self, time_s: float, flags: Flag, technique: int) -> list[Notice]:
        if not flags or not self._is_fresh("overload", technique):
            return []
        what = {Flag.E_OVERLOAD: "Ewe", Flag.I_OVERLOAD: "I"}.get(flags, "Ewe and I")
        facts = {"technique": technique, "flags": int(flags)}
        return [Notice(time_s, 1, "overload", f"{what} beyond the range", facts)]

    def overloads(self, rows: Rows) -> list[Notice]:
        overloaded = np.flatnonzero(rows["flags"] & int(OVERLOADS))
        if len(overloaded) == 0:
            return []
        row = rows[overloaded[0]]
        return self.overload(float(row["time_s"]), Flag(int(row["flags"])) & OVERLOADS, int(row["technique"]))

    def timebase(self, technique: int, told_s: float, known_s: float, at_s: float) -> list[Notice]:
        if not self._is_fresh("timebase", technique):
            return []
        text = f"the time base of technique {technique} is {told_s:g} s, not {known_s:g} s"
        return [Notice(at_s, 1, "timebase", text, {"timebase_s": told_s})]

    def in_disorder(self, rows: Rows, from_s: float, at_s: float, slack: float = 0.0) -> list[Notice]:
        """Put times that are none, or go back, to that of the row before, the first to from_s.

        slack: by how much of itself a time may go back, because it is coarse.
        """
        told_s = float(rows["time_s"][0])
        if not in_order(rows, from_s, slack) or not self._is_fresh("time-order"):
            return []
        return [Notice(at_s, 1, "time-order", "the times of rows go back", {"to_s": told_s})]

    def goes_back(self, technique: int, start_s: float, at_s: float) -> list[Notice]:
        """A visit that begins before the one before it: the instrument does not tell when it began."""
        if not self._is_fresh("time-order"):
            return []
        text = f"technique {technique} counts its time from {start_s:g} s, before what ran before it"
        return [Notice(at_s, 1, "time-order", text, {"to_s": start_s})]
