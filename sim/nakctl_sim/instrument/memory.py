"""A channel's memory: rows wait there, in order, until they are fetched; a row fetched is gone."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl_sim.instrument.abi import DATA_WORDS
from nakctl_sim.instrument.c3x import Words

WORD_BYTES = 4
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that may share a buffer: of one technique, process and loop.

    entry    position of the technique in the loaded chain
    passes   how often it was started before
    start_s  of this pass, from the start of the chain
    """

    entry: int
    number: int
    process: int
    loop: int
    passes: int
    start_s: float
    timebase_s: float


@dataclass(slots=True)
class _Rows:
    group: Group
    words: Words  # (n, columns)
    times_s: Floats


class Memory:
    """Of a given size in bytes. room: how many may be filled."""

    def __init__(self, size: int) -> None:
        self.size = self.room = size
        self.filled = 0
        self._rows: deque[_Rows] = deque()

    def add(self, group: Group, words: Words, times_s: Floats) -> None:
        self._rows.append(_Rows(group, words, times_s))
        self.filled += words.size * WORD_BYTES

    def clear(self) -> None:
        self._rows.clear()
        self.filled, self.room = 0, self.size

    def be_full(self) -> None:
        """There is no room for a row more, also once rows are fetched, until a chain is loaded anew."""
        self.room = self.filled

    def take(self) -> tuple[Group, Words] | None:
        """The oldest rows, as many as fit into one buffer and belong together."""
        if not self._rows:
            return None
        is_full = self.room < self.size
        group, taken = self._rows[0].group, [self._rows[0].words[:0]]
        wanted = DATA_WORDS // taken[0].shape[1]
        while wanted and self._rows and self._rows[0].group == group:
            words = self._cut(wanted)
            wanted -= len(words)
            taken.append(words)
        if is_full:
            self.room = self.filled
        return group, np.concatenate(taken)

    def _cut(self, n: int) -> Words:
        """At most n rows from the front of the oldest lot."""
        first = self._rows[0]
        words = first.words[:n]
        first.words, first.times_s = first.words[n:], first.times_s[n:]
        if not len(first.words):
            self._rows.popleft()
        self.filled -= words.size * WORD_BYTES
        return words

    def make_room(self) -> int:
        """Drop the oldest rows until the rest fits; how many."""
        dropped = 0
        while self.filled > self.room:
            row_bytes = self._rows[0].words.shape[1] * WORD_BYTES
            dropped += len(self._cut(-(-(self.filled - self.room) // row_bytes)))
        return dropped

    def drop_newest(self) -> int:
        """Drop the newest rows until the rest fits; how many."""
        dropped = 0
        while self.filled > self.room:
            last = self._rows[-1]
            row_bytes = last.words.shape[1] * WORD_BYTES
            n = min(len(last.words), -(-(self.filled - self.room) // row_bytes))
            kept = len(last.words) - n
            last.words, last.times_s = last.words[:kept], last.times_s[:kept]
            self.filled -= n * row_bytes
            dropped += n
            if not kept:
                self._rows.pop()
        return dropped

    def expire(self, process: int, before_s: float) -> int:
        """Drop the rows of one process that are older than that; how many."""
        dropped = 0
        for rows in self._rows:
            if rows.group.process == process:
                old = int(np.searchsorted(rows.times_s, before_s))
                self.filled -= rows.words[:old].size * WORD_BYTES
                rows.words, rows.times_s = rows.words[old:], rows.times_s[old:]
                dropped += old
        if dropped:
            self._rows = deque(rows for rows in self._rows if len(rows.words))
        return dropped
