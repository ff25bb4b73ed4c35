"""Executions of techniques, as far as blocks of rows tell of them: the visits of one segment so far."""

from __future__ import annotations

import math
import struct
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nakctl_biologic.rows import Block

# technique, passes, loop, points, start, time of the newest row: 40 letters, so that letters can be joined
PAST = struct.Struct("<HIiIdd")


@dataclass(slots=True)
class Execution:
    """A visit under way or past. loop, start_s: as its blocks say. sample_s, point_s: of the newest row of
    each kind, or its start. points: frequencies so far."""

    technique: int
    loop: int
    start_s: float
    passes: int
    sample_s: float
    point_s: float
    points: int = 0

    @property
    def last_s(self) -> float:
        return max(self.sample_s, self.point_s)

    @property
    def place(self) -> tuple[int, int, float]:
        """What tells it from another: technique, loop, start."""
        return self.technique, self.loop, self.start_s

    def values(self) -> list[int | float]:
        """All of it."""
        times_s = (self.start_s, self.sample_s, self.point_s)
        return [self.technique, self.loop, self.passes, self.points, *times_s]

    def in_letters(self) -> str:
        """What is asked of it when others have followed."""
        counts = (self.technique, self.passes, self.loop, self.points)
        return b64encode(PAST.pack(*counts, self.start_s, self.last_s)).decode("ascii")


def start_of(block: Block) -> float:
    """0 where none is told."""
    return block.start_s if math.isfinite(block.start_s) else 0.0


def place_of(block: Block) -> tuple[int, int, float]:
    """As Execution.place."""
    return block.technique, block.loop, start_of(block)


def from_letters(letters: str) -> Iterator[Execution]:
    """Of any number of `in_letters`, joined. ValueError, struct.error: they are none."""
    packed = b64decode(letters, validate=True)
    for technique, passes, loop, points, start_s, last_s in PAST.iter_unpack(packed):
        yield Execution(technique, loop, start_s, passes, last_s, last_s, points)


class Executions:
    """The visits of one segment so far. under_way: that of the newest row; before: the one before it.

    most  of them are remembered, in a chain without loops that may be long; None: all
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self.under_way: Execution | None = None
        self.before: Execution | None = None
        self._latest: dict[int, Execution] = {}  # of each technique
        # A memo is made after every read, so what is over is put into letters once.
        self._letters: dict[int, str] = {}
        self._before = self._past = ""

    def latest(self, technique: int) -> Execution | None:
        """The newest one of this technique."""
        return self._latest.get(technique)

    def begin(self, block: Block) -> Execution:
        """A new one, which this block is the first of."""
        at, start_s, known = block.technique, start_of(block), self._latest.get(block.technique)
        self.before = self.under_way
        if self.before is not None:
            self._before = self._letters[self.before.technique] = self.before.in_letters()
            while self._most is not None and len(self._letters) > self._most:
                oldest = next(iter(self._letters))
                del self._letters[oldest], self._latest[oldest]
            self._past = "".join(self._letters.values())
        passes = 0 if known is None else known.passes + 1
        self.under_way = self._latest[at] = Execution(at, block.loop, start_s, passes, start_s, start_s)
        return self.under_way

    def memo(self) -> dict[str, Any]:
        """All of it, as JSON values. past: the newest of each technique that is over."""
        visit = self.under_way
        values = None if visit is None else visit.values()
        return {"visit": values, "before": self._before, "past": self._past}

    def recall(self, memo: Mapping[str, Any]) -> None:
        """Be as the memo says. KeyError, TypeError, ValueError, struct.error: it is none."""
        if memo["visit"] is not None:
            *counts, start_s, sample_s, point_s = map(float, memo["visit"])
            technique, loop, passes, points = map(int, counts)
            self.under_way = Execution(technique, loop, start_s, passes, sample_s, point_s, points)
        self.before = next(from_letters(memo["before"]), None)
        past = {each.technique: each for each in from_letters(memo["past"])}
        self._letters = {at: each.in_letters() for at, each in past.items()}
        self._before, self._past = memo["before"], memo["past"]
        self._latest = past if self.under_way is None else past | {self.under_way.technique: self.under_way}

    @property
    def techniques(self) -> set[int]:
        """That rows have come of."""
        return set(self._latest)
