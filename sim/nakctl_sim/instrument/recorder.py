"""What the potentiostat hands over, sorted into the groups of rows that the instrument stores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.device.channel import SAMPLE, Rows
from nakctl.device.instrument import Instrument
from nakctl.device.program import Ca, Cp, Draw, Segment
from nakctl_sim.instrument.abi import Board
from nakctl_sim.instrument.habits import Habits
from nakctl_sim.instrument.layout import point_words, sample_words
from nakctl_sim.instrument.memory import Group, Memory
from nakctl_sim.instrument.received import Received
from nakctl_sim.instrument.translate import Loaded, extras, timebase_of
from nakctl_sim.potentiostat import Floats, Output

SAMPLES, POINTS = 0, 1  # processes
SAME_s = 1e-9  # times closer than this are the same
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

    def __init__(self, instrument: Instrument, board: Board, habits: Habits) -> None:
        self._chain: list[Received] = []
        self._loaded = NOTHING
        self._instrument = instrument
        self._board = board
        self._habits = habits
        self._starts_s: dict[tuple[int, int], float] = {}  # by entry, and how often it was started before
        self._ahead = np.zeros(0, SAMPLE), np.zeros(0)  # samples of a time yet to come, and their starts

    def follow(self, chain: list[Received], loaded: Loaded) -> None:
        """The chain that the rows to come belong to."""
        self._chain, self._loaded = chain, loaded

    def record(self, output: Output, memory: Memory, reached_s: float) -> None:
        """In the order of visits, or in that of time: then nothing of what comes after reached_s."""
        if self._habits.rows_in_order_of == "visits":
            self._store(output.samples, output.sample_starts_s, output, memory)
            return
        samples = np.concatenate([self._ahead[0], output.samples], dtype=SAMPLE)
        starts_s = np.concatenate([self._ahead[1], output.sample_starts_s])
        order = np.argsort(samples["time_s"], kind="stable")
        samples, starts_s = samples[order], starts_s[order]
        ready = int(np.searchsorted(samples["time_s"], reached_s + SAME_s))
        self._ahead = samples[ready:], starts_s[ready:]
        self._store(samples[:ready], starts_s[:ready], output, memory)

    def finish(self, memory: Memory) -> None:
        """The chain is over: what is still to come was measured before."""
        for run in _runs(SAMPLES, *self._ahead):
            self._add(run, memory)
        self._ahead = np.zeros(0, SAMPLE), np.zeros(0)

    def _store(self, samples: Rows, starts_s: Floats, output: Output, memory: Memory) -> None:
        runs = [*_runs(SAMPLES, samples, starts_s), *_runs(POINTS, output.points, output.point_starts_s)]
        by_time = self._habits.rows_in_order_of == "time"
        for run in sorted(runs, key=lambda run: (0.0 if by_time else run.start_s, run.first_s)):
            self._add(run, memory)

    def _add(self, run: Run, memory: Memory) -> None:
        memory.add(self._group(run), self._words(run), run.rows["time_s"].copy())

    def _group(self, run: Run) -> Group:
        entry, passes = self._visit_of(run)
        if (entry, passes) not in self._starts_s:
            newest = list(self._starts_s.items())[-1:]  # of which a row may be late
            self._starts_s = dict([*newest, ((entry, passes), run.start_s)])
        received = self._chain[entry]
        file = received.file
        return Group(
            entry=entry,
            number=file.number,
            process=run.process,
            loop=self._loop(entry, passes),
            passes=passes,
            start_s=self._starts_s[entry, passes],
            timebase_s=timebase_of(received, self._instrument),
        )

    def _visit_of(self, run: Run) -> tuple[int, int]:
        """Entry of the chain, and how often it was started before."""
        part = self._loaded.parts[int(run.rows["technique"][0])]
        return part.entry, int(run.rows["passes"][0]) // part.cycles

    def _words(self, run: Run) -> npt.NDArray[np.uint32]:
        part = self._loaded.parts[int(run.rows["technique"][0])]
        received = self._chain[part.entry]
        file = received.file
        count = run.rows["passes"].astype(np.int64) % part.cycles + part.level
        if run.process == POINTS:
            as_float = self._habits.I_range_column == "float"
            return point_words(run.rows, file.name, self._board, count, float_range=as_float)
        return sample_words(
            run.rows,
            file.name,
            self._board,
            self._starts_s[self._visit_of(run)],
            timebase_of(received, self._instrument),
            count,
            self._set_to(run),
            iscan_control=self._habits.iscan_control,
            extras=extras(received),
        )

    def _set_to(self, run: Run) -> Floats:
        """What the amplifier was asked for at each row; 0 where nobody records it.

        Of a power or a load it is stated nowhere whether rows hold that or what was measured.
        """
        technique = self._loaded.segment.techniques[int(run.rows["technique"][0])]
        elapsed_s = run.rows["time_s"] - run.start_s
        match technique:
            case Cp(to=to) | Ca(to=to) if to not in (None, technique.level):
                return technique.level + (to - technique.level) * elapsed_s / technique.duration_s
            case Draw():
                return np.full(len(run.rows), technique.level)
            case _:
                return np.zeros(len(run.rows))

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
