"""Was a technique left before its time, in a chain that went on? By the times of the rows.

Where a test of the program explains it, that is a cutoff. Where rows were lost, time passed all the same. So
what had no time to run was ended by something that the program does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.device.channel import Flag, Rows, Visit
from nakctl.device.program import Program
from nakctl.run.chain import Chain
from nakctl.run.proof import CLOCK_COARSE, ELAPSED_SLACK_s, TICK_s
from nakctl.run.spectra import Swept

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Left:
    """Where one technique was left for another, in the rows of a read, n times.

    technique, onward  (n,) which was left, and for which
    explained          (n,) a test of the program may have ended it
    begun_s, last_s    (n,) when it began, at the latest, and its last row, in the segment
    over_s             (n,) when it was over, at the latest
    swept              what came of those that are sweeps, by their place from 0 to n - 1
    """

    technique: Rows
    onward: Rows
    explained: Bools
    begun_s: Floats
    last_s: Floats
    over_s: Floats
    swept: Mapping[int, Swept]


def over_at_s(rows: Rows, before: Rows, left: Ints, newest: Visit | None) -> Floats:
    """(n,): when what ran before these rows was over, at the latest: at the rows themselves.

    The first row of a sweep comes with its first frequency. What the channel says of its newest visit is
    nearer, if it lies between the rows, as far as its clock can tell. Of rows without a time of their own
    nothing is known.
    """
    time_s = rows["time_s"][left].copy()
    if newest is not None and len(left):
        told_s = newest.start_s + ELAPSED_SLACK_s + CLOCK_COARSE * newest.start_s
        if before["time_s"][left[-1]] <= newest.start_s and told_s < time_s[-1]:
            time_s[-1] = told_s
    unknown = ((rows["flags"] | before["flags"])[left] & int(Flag.BAD_TIME)) != 0
    return np.where(unknown, np.inf, time_s)


def left_early(program: Program, chain: Chain, left: Left) -> tuple[int, str] | None:
    """The first that was left early with nothing in the program to explain it: its place, and a sentence."""
    found = min(_told(program, chain, left), default=None)
    return None if found is None else (found[0], f"{found[1]}, and no test explains it")


def _told(program: Program, chain: Chain, left: Left) -> Iterator[tuple[int, str]]:
    def step(place: int) -> str:
        return f"step {program.step(int(chain.step_id[left.technique[place]])).label}"

    planned_s, lasted_s = chain.shortest_s[left.technique], left.over_s - left.begun_s
    for place in np.flatnonzero((lasted_s < planned_s) & ~left.explained).tolist():
        of_s = f"{lasted_s[place]:.4g} of {planned_s[place] + TICK_s:.4g} s"
        yield place, f"{step(place)} was left after {of_s}"
    between_s = chain.between_s[left.technique, left.onward]
    for place in np.flatnonzero(left.over_s - left.last_s < between_s - TICK_s).tolist():
        yield place, f"what runs after {step(place)} was left before its first row"
    for place, swept in left.swept.items():
        sweep = chain.sweeps[left.technique[place]]
        if sweep is not None and sweep.was_cut(swept, float(left.over_s[place])):
            yield place, f"{step(place)} was left after {swept.count} of {sweep.count} frequencies"
