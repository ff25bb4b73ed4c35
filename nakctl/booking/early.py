"""Why was a technique left, in a chain that went on: a cutoff, or something that the program does not know?

By the times of the rows, and by where the cell was. Where rows were lost, time passed all the same: so what
had no time to run was ended by something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.booking.chain import CLOCK_COARSE, Chain, ELAPSED_SLACK_s, TICK_s
from nakctl.booking.ending import Ending, ending_of, interrupted
from nakctl.booking.met import Met, met_by
from nakctl.booking.spectra import Swept
from nakctl.device.channel import Flag, Rows, Visit
from nakctl.device.ends import End
from nakctl.device.program import Program

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]


ABOUT_V, ABOUT_PART = 0.02, 0.1  # what a cell may do within the moment that lies before a sentinel's row


@dataclass(frozen=True, slots=True)
class Left:
    """Where one technique was left for another, in the rows of a read, n times.

    last, first      (n,) the last row of what was left, and the first one of what came next
    begun_s, over_s  (n,) when it began, and when it was over, at the latest, in the segment
    swept            what came of those that are sweeps, by their place from 0 to n - 1
    """

    last: Rows
    first: Rows
    begun_s: Floats
    over_s: Floats
    swept: Mapping[int, Swept]


Newest = Sequence[tuple[int, Visit | None]]


def over_at_s(rows: Rows, before: Rows, left: Ints, newest: Newest) -> Floats:
    """(n,): when what ran before these rows was over, at the latest: at the rows themselves.

    The first row of a sweep comes with its first frequency. What the channel says of its newest visit is
    nearer, if it lies between the rows, as far as its clock can tell. Of rows without a time of their own
    nothing is known.

    newest  of each read that these rows came in: where its rows end, and the visit that it named
    """
    time_s = rows["time_s"][left].copy()
    ends = np.searchsorted(left, [end for end, _ in newest]).tolist() if len(left) else []
    for begin, end, (_, visit) in zip([0, *ends], ends, newest, strict=False):
        if end == begin or visit is None:
            continue
        told_s = visit.start_s + ELAPSED_SLACK_s + CLOCK_COARSE * visit.start_s
        if before["time_s"][left[end - 1]] <= visit.start_s and told_s < time_s[end - 1]:
            time_s[end - 1] = told_s
    unknown = ((rows["flags"] | before["flags"])[left] & int(Flag.BAD_TIME)) != 0
    return np.where(unknown, np.inf, time_s)


def why_left(program: Program, chain: Chain, left: Left) -> tuple[dict[int, Ending], str]:
    """By place, the cutoff that the chain went on from, or that nothing explains it; and this as a sentence.

    A test was met if the row says so, or if the technique was left before its time near to it: whether a row
    is written where a test is met is the instrument's habit. Where the step goes on, to its sentinel or its
    next part, the row there tells where the cell was. By the next part it has not ended.
    """
    technique, onward = left.last["technique"], left.first["technique"]
    met = (left.last["flags"] & int(Flag.TEST_MET)) != 0
    early = left.first["time_s"] - left.begun_s < chain.shortest_s[technique]
    explained = chain.goes_on[technique] & (met | early)
    found: dict[int, Ending] = {}
    for place in np.flatnonzero(explained).tolist():
        stays = chain.stays[technique[place], onward[place]]
        watched = left.first[place] if stays and not met[place] else None
        cut = _cut_by(chain.leads_on[technique[place]], left.last[place], watched)
        if cut is None:
            explained[place] = False
        elif not chain.parted[technique[place], onward[place]]:
            found[place] = ending_of(cut.end, cut.value)
    unexplained = sorted(_unexplained(program, chain, left, explained))
    told = {place: f"{text}, and no test explains it" for place, text in reversed(unexplained)}
    found |= {place: interrupted(text) for place, text in told.items()}
    return found, told[min(told)] if told else ""


def _unexplained(program: Program, chain: Chain, left: Left, explained: Bools) -> Iterator[tuple[int, str]]:
    technique = left.last["technique"]

    def step(place: int) -> str:
        return f"step {program.step(int(chain.step_id[technique[place]])).label}"

    planned_s, lasted_s = chain.shortest_s[technique], left.over_s - left.begun_s
    for place in np.flatnonzero((lasted_s < planned_s) & ~explained).tolist():
        of_s = f"{lasted_s[place]:.4g} of {planned_s[place] + TICK_s:.4g} s"
        yield place, f"{step(place)} was left after {of_s}"
    between_s = chain.between_s[technique, left.first["technique"]]
    for place in np.flatnonzero(left.over_s - left.last["time_s"] < between_s - TICK_s).tolist():
        yield place, f"what runs after {step(place)} was left before its first row"
    for place, swept in left.swept.items():
        sweep = chain.sweeps[technique[place]]
        if sweep is not None and sweep.was_cut(swept, float(left.over_s[place])):
            yield place, f"{step(place)} was left after {swept.count} of {sweep.count} frequencies"


def _cut_by(ends: tuple[End, ...], last: np.void, watched: np.void | None) -> Met | None:
    """The End by which a technique was left; the one that lies nearest if none is within reach.

    last     its last row
    watched  the row of the sentinel behind it, which shows the cell at that moment: then it has to be one
             that this row, or the last one, has reached
    """
    met = met_by(ends, _reading(last))
    if met is None and watched is not None:
        return _about(ends, _reading(watched), _reading(last))
    return met or _nearest(ends, _reading(last))


def _about(ends: tuple[End, ...], reading: dict[str, float], last: dict[str, float]) -> Met | None:
    """Of readings that scatter, or move as fast, nothing can be said: then the nearest is believed."""
    met = met_by(ends, reading)
    if met is not None:
        return met
    nearest = _nearest(ends, reading)
    quantity = nearest.end.quantity
    moved = abs(reading[quantity] - last[quantity])
    within = max(ABOUT_V if quantity == "Ewe" else 0.0, ABOUT_PART * abs(nearest.end.value), moved)
    return nearest if abs(nearest.end.value - nearest.value) <= within else None


def _nearest(ends: tuple[End, ...], reading: dict[str, float]) -> Met:
    end = min(ends, key=lambda each: abs(each.value - reading[each.quantity]))
    return Met(end, reading[end.quantity])


def _reading(row: np.void) -> dict[str, float]:
    Ewe_V, I_A = values(row)
    return {"Ewe": Ewe_V, "|I|": I_A}


def values(row: np.void) -> tuple[float, float]:
    """Ewe_V, |I| in A."""
    return float(row["Ewe_V"]), abs(float(row["I_A"]))
