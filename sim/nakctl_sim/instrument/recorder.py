"""What the potentiostat hands over, sorted into the groups of rows that the instrument stores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.device.channel import Rows
from nakctl.device.program import Segment
from nakctl_sim.executor.reading import Floats
from nakctl_sim.instrument.abi import Board
from nakctl_sim.instrument.habits import Habits
from nakctl_sim.instrument.layout import point_words, sample_words
from nakctl_sim.instrument.memory import Group, Memory
from nakctl_sim.instrument.received import Received
from nakctl_sim.instrument.translate import Loaded
from nakctl_sim.potentiostat import Output

SAMPLES, POINTS = 0, 1  # processes
NOTHING = Loaded(Segment(()), (), ())


@dataclass(frozen=True, slots=True)
class Run:
    """Rows in a row of one technique of the potentiostat, which began at start_s."""

    process: int
    rows: Rows
    start_s: float

    @property
    def first_s(self) -> float:
        return float(self.rows["time_s"][0])


class Recorder:
    """Of one start of one chain."""

    def __init__(self, timebase_s: dict[str, float], board: Board, habits: Habits) -> None:
        self._chain: list[Received] = []
        self._loaded = NOTHING
        self._timebase_s = timebase_s
        self._board = board
        self._habits = habits
        self._at = (-1, 0)  # entry of the chain, and how often it was started before
        self._start_s = 0.0

    def follow(self, chain: list[Received], loaded: Loaded) -> None:
        """The chain that the rows to come belong to."""
        self._chain, self._loaded = chain, loaded

    def record(self, output: Output, memory: Memory) -> None:
        """In the order of time."""
        runs = [
            *_runs(SAMPLES, output.samples, output.sample_starts_s),
            *_runs(POINTS, output.points, output.point_starts_s),
        ]
        for run in sorted(runs, key=lambda run: run.first_s):
            memory.add(self._group(run), self._words(run), run.rows["time_s"].copy())

    def _group(self, run: Run) -> Group:
        technique, passes = int(run.rows["technique"][0]), int(run.rows["passes"][0])
        part = self._loaded.parts[technique]
        at = part.entry, passes // part.cycles
        if at != self._at:
            self._at, self._start_s = at, run.start_s
        file = self._chain[part.entry].file
        return Group(
            entry=part.entry,
            number=file.number,
            process=run.process,
            loop=self._loop(*at),
            passes=at[1],
            start_s=self._start_s,
            timebase_s=self._timebase_s[file.timebase],
        )

    def _words(self, run: Run) -> npt.NDArray[np.uint32]:
        part = self._loaded.parts[int(run.rows["technique"][0])]
        file = self._chain[part.entry].file
        count = run.rows["passes"].astype(np.int64) % part.cycles + part.level
        if run.process == POINTS:
            as_float = self._habits.I_range_column == "float"
            return point_words(run.rows, file.name, self._board, count, float_range=as_float)
        timebase_s = self._timebase_s[file.timebase]
        return sample_words(run.rows, file.name, self._board, self._start_s, timebase_s, count)

    def _loop(self, entry: int, passes: int) -> int:
        """The loop counter, from how often the technique was started before."""
        around = [times for at, to, times in self._loaded.loops if to <= entry < at]  # the innermost first
        if not around:
            return self._habits.loop_from
        if self._habits.nested_loop == "innermost" and around[0] is not None:
            passes %= around[0]
        elif self._habits.nested_loop == "outermost":
            for times in around[:-1]:
                passes //= times or passes + 1
        return passes + self._habits.loop_from


def _runs(process: int, rows: Rows, starts_s: Floats) -> Iterator[Run]:
    if not len(rows):
        return
    changes = (np.diff(rows["technique"]) != 0) | (np.diff(rows["passes"]) != 0)
    firsts = [0, *(np.flatnonzero(changes) + 1)]
    for some, first in zip(np.split(rows, firsts[1:]), firsts, strict=True):
        yield Run(process, some, float(starts_s[first]))
