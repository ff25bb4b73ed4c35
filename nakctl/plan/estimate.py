"""How long, how much charge, how many rows: computed from the program, before anything starts.

Repeats are numbers here: a program is walked once, however often its loops go round.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from operator import add, attrgetter

from nakctl.device.instrument import Instrument
from nakctl.device.program import (
    Ask,
    Branch,
    Ca,
    Capacity,
    Cp,
    Draw,
    Eis,
    HostLoop,
    Loop,
    Node,
    Ocv,
    Program,
    Segment,
    SetPoint,
    Technique,
    Timed,
)
from nakctl.device.techniques import loaded_as, timebase_of
from nakctl.plan import plan as p
from nakctl.plan.holds import SURELY
from nakctl.plan.sweeps import spread
from nakctl.plan.techniques import lasts_s

# Measured on sealed files of shipped dry runs (HDF5 columns, gzip 4, shuffle), within 12 %: a row at rest has
# no current and no charge to tell; an impedance point has more columns, and noise in all of them, and a row
# of its own besides; each step done has a row in the table of steps. The rest is what a file holds before its
# first row. Of pulses within a third: how well their times are compressed depends on the time base. All of it
# holds what the tables were booked from, too. A real instrument is read every so often: each read that brings
# a row is an entry, with what its rows were made of.
BYTES_PER_QUICK_ROW, BYTES_PER_ROW = 4.6, 6.1  # once a second or more often; every 4 s or less often
BYTES_PER_RESTING_ROW = 0.65
BYTES_PER_POINT = 94.0
BYTES_PER_VISIT = 25.0
BYTES_PER_FILE = 168e3
BYTES_PER_READ, BYTES_OF_WORDS = 14.0, 5.0  # of a read, and of a row of it

# The journal is not compressed.
JOURNAL_BYTES_PER_ROW, JOURNAL_BYTES_PER_POINT, JOURNAL_BYTES_PER_FILE = 30.1, 29.0, 50e3
JOURNAL_BYTES_PER_READ, JOURNAL_BYTES_OF_WORDS = 185.0, 20.0


@dataclass(frozen=True, slots=True)
class Amount:
    """What something takes; amounts add up, and a repeat multiplies them.

    duration_s  time of its techniques, without the gaps between chains
    charge_C    net, > 0 strips WE; moved_C in both directions together
    free_s      time under potential control, when only the cell knows the charge
    samples     at least: a criterion of dE or dI may add some. One per impedance point is among them
    resting     those of them at open circuit
    visits      techniques begun
    chains      chains loaded
    """

    duration_s: float = 0.0
    charge_C: float = 0.0
    moved_C: float = 0.0
    free_s: float = 0.0
    samples: float = 0.0
    resting: float = 0.0
    visits: float = 0.0
    spectra: float = 0.0
    points: float = 0.0
    chains: float = 0.0

    def __add__(self, other: Amount) -> Amount:
        return Amount(*map(add, _numbers(self), _numbers(other)))

    def __mul__(self, times: float) -> Amount:
        return Amount(*(number * times for number in _numbers(self)))

    def __truediv__(self, parts: float) -> Amount:
        return Amount(*(number / parts for number in _numbers(self)))

    @property
    def row_bytes(self) -> float:
        """What it adds to a sealed file of a dry run; `file_bytes` is the size of that."""
        every_s = self.duration_s / self.samples if self.samples else 0.0
        slow = min(max(math.log(every_s, 4.0), 0.0), 1.0) if every_s > 0 else 0.0
        row = BYTES_PER_QUICK_ROW + (BYTES_PER_ROW - BYTES_PER_QUICK_ROW) * slow
        rows = (self.samples - self.resting) * row + self.resting * BYTES_PER_RESTING_ROW
        return rows + self.points * BYTES_PER_POINT + self.visits * BYTES_PER_VISIT

    def file_bytes(self, poll_s: float | None = None) -> float:
        """Size of the sealed file of a run that takes this. poll_s: how often its channel is read; None: as
        much as there is at once, because its time is virtual.
        """
        words = 0.0 if poll_s is None else self.samples * BYTES_OF_WORDS
        return BYTES_PER_FILE + self.row_bytes + words + self._reads(poll_s) * BYTES_PER_READ

    def journal_bytes(self, poll_s: float | None = None) -> float:
        """What the disk has to hold beside that until the file is sealed."""
        rows = self.samples * JOURNAL_BYTES_PER_ROW + self.points * JOURNAL_BYTES_PER_POINT
        words = 0.0 if poll_s is None else self.samples * JOURNAL_BYTES_OF_WORDS
        return JOURNAL_BYTES_PER_FILE + rows + words + self._reads(poll_s) * JOURNAL_BYTES_PER_READ

    def _reads(self, poll_s: float | None) -> float:
        """Those that bring rows."""
        return 0.0 if poll_s is None else min(self.samples, self.duration_s / poll_s)


_numbers = attrgetter(*(field.name for field in fields(Amount)))


@dataclass(frozen=True, slots=True)
class StepEstimate:
    """One step: what doing it once takes, and how often it is done.

    times    by the finite repeats around it; endless: a repeat without end is among them besides
    """

    step_id: int
    once: Amount
    times: int
    endless: bool


@dataclass(frozen=True, slots=True)
class Estimate:
    """The whole run.

    steps     by step_id, which counts from 1
    finite    everything outside of endless repeats
    per_pass  one pass of the endless repeats; None if there are none
    load_s    gap between two chains, at open circuit
    limit_s   limits.time of the run
    poll_s    how often the channel is read; None: its time is virtual
    is_open   a step has no time but limits.time, so the run may take all of that
    """

    steps: tuple[StepEstimate, ...]
    finite: Amount
    per_pass: Amount | None
    load_s: float
    limit_s: float | None
    poll_s: float | None = None
    is_open: bool = False

    def step(self, step_id: int) -> StepEstimate:
        return self.steps[step_id - 1]

    @property
    def total(self) -> Amount | None:
        """All of a run that no cutoff shortens: to its last step, or to limits.time in an endless repeat.

        None: an endless repeat without limits.time, so only the cell knows.
        """
        if self.per_pass is None:
            longest_s, all_s = self.limit_s, self.seconds(self.finite)
            is_cut = self.is_open and longest_s is not None and all_s > longest_s
            return self.finite * (longest_s / all_s) if is_cut and longest_s is not None else self.finite
        if self.limit_s is None:
            return None
        left_s = max(0.0, self.limit_s - self.seconds(self.finite))
        return self.finite + self.per_pass * (left_s / self.pass_s)

    @property
    def pass_s(self) -> float:
        """One pass of the endless repeats, gaps included; 0 if there are none."""
        return 0.0 if self.per_pass is None else self.per_pass.duration_s + self.per_pass.chains * self.load_s

    @property
    def duration_s(self) -> float | None:
        """Gaps included. None where `total` is."""
        total = self.total
        return None if total is None else self.seconds(total)

    def seconds(self, amount: Amount) -> float:
        """Time of an amount with the gaps between its chains."""
        return amount.duration_s + max(0, amount.chains - 1) * self.load_s


@dataclass(frozen=True, slots=True)
class _Occurrence:
    """A technique, or the loading of a chain (None), with the loops around it multiplied out. counts: it
    belongs to the longer side of each branch around it."""

    technique: Technique | None
    times: int
    endless: bool
    counts: bool = True


def estimate(plan: p.Plan, program: Program, instrument: Instrument, poll_s: float | None = None) -> Estimate:
    """What the run takes if no cutoff and no rule ends anything before its time."""
    finite, per_pass, endless_somewhere = Amount(), Amount(), False
    by_step = dict.fromkeys((leaf.step_id for leaf in p.leaves(plan.steps)), Amount())
    endless_steps: set[int] = set()
    holds = (leaf for leaf in p.leaves(plan.steps) if isinstance(leaf, p.Hold) and leaf.spectra is None)
    asked = {hold.step_id: _asked(hold) for hold in holds}
    for found in _occurrences(program.nodes, 1, False, instrument):
        amount = _amount(_as_asked(found.technique, asked), instrument) * found.times
        if not found.counts:
            pass
        elif found.endless:
            per_pass, endless_somewhere = per_pass + amount, True
        else:
            finite += amount
        if found.technique is not None and not isinstance(found.technique, Loop):
            by_step[found.technique.step] += amount
            endless_steps |= {found.technique.step} if found.endless else set()
    times = dict(_times(plan.steps, 1))
    return Estimate(
        steps=tuple(
            StepEstimate(step_id, by_step[step_id] / times[step_id], times[step_id], step_id in endless_steps)
            for step_id in sorted(by_step)
        ),
        finite=finite,
        per_pass=per_pass if endless_somewhere else None,
        load_s=instrument.load_s,
        limit_s=plan.limits.time_s,
        poll_s=poll_s,
        is_open=any(isinstance(leaf, p.Hold) and _is_open(leaf) for leaf in p.leaves(plan.steps)),
    )


def _is_open(hold: p.Hold) -> bool:
    return hold.alone_s is not None or (hold.same is not None and not hold.same.is_known)


def _asked(hold: p.Hold) -> float:
    """Which part of its techniques was asked for; of a step without a time, the capacity is likely."""
    if hold.alone_s is not None:
        return 1 / SURELY if hold.known else 1.0
    if hold.same is not None:
        return hold.same.likely
    return hold.duration_s / lasts_s(hold)


def _as_asked(technique: Technique | None, asked: dict[int, float]) -> Technique | None:
    """Without what it is longer for the host's sake. asked: by step, how much of it was asked for."""
    if isinstance(technique, Cp) and not technique.sentinel:
        return replace(technique, duration_s=technique.duration_s * asked.get(technique.step, 1.0))
    return technique


def _times(steps: tuple[p.Step, ...], times: int) -> Iterator[tuple[int, int]]:
    """(step_id, how often the finite repeats around it do it)."""
    for step in steps:
        match step:
            case p.Repeat():
                yield from _times(step.steps, times * (step.times or 1))
            case p.Staircase():
                for one_pass in step.passes:
                    yield from _times(one_pass, times)
            case SetPoint() | Ask():
                pass
            case p.If():
                yield from _times((*step.then, *step.otherwise), times)
            case _:
                yield step.step_id, times


def _longer(branch: Branch, instrument: Instrument) -> tuple[Node, ...]:
    """The side of it that takes longer."""
    return max(branch.then, branch.otherwise, key=lambda side: _lasts_s(side, instrument))


def _lasts_s(nodes: tuple[Node, ...], instrument: Instrument) -> float:
    found = _occurrences(nodes, 1, False, instrument)
    of_side = (each for each in found if each.counts)
    return sum(_amount(each.technique, instrument).duration_s * each.times for each in of_side)


def _occurrences(
    nodes: tuple[Node, ...], times: int, endless: bool, instrument: Instrument
) -> Iterator[_Occurrence]:
    for node in nodes:
        if isinstance(node, Branch):
            longer = _longer(node, instrument)
            for side in (node.then, node.otherwise):
                for each in _occurrences(side, times, endless, instrument):
                    yield replace(each, counts=each.counts and side is longer)
            continue
        if isinstance(node, HostLoop):
            inner = times * (node.times or 1)
            yield from _occurrences(node.body, inner, endless or node.times is None, instrument)
            continue
        if (
            isinstance(node, SetPoint | Ask | Capacity) or node.tops_up
        ):  # a step is topped up if the estimate was wrong
            continue
        yield _Occurrence(None, times, endless)
        for position, technique in enumerate(node.techniques):
            loops = loops_around(node, position)
            inside = 1
            for loop in loops:
                inside *= loop.times or 1
            yield _Occurrence(technique, times * inside, endless or any(loop.times is None for loop in loops))


def loops_around(segment: Segment, position: int) -> list[Loop]:
    """The loops of a chain that repeat the technique at this position, the innermost first."""
    later = segment.techniques[position + 1 :]
    return [loop for loop in later if isinstance(loop, Loop) and loop.to <= position]


def _amount(technique: Technique | None, instrument: Instrument) -> Amount:
    match technique:
        case None:
            return Amount(chains=1)
        case Ocv():
            rows = _rows(technique, instrument)
            return Amount(duration_s=technique.duration_s, samples=rows, resting=rows, visits=1)
        case Cp():
            mean_A = technique.I_A if technique.to_A is None else (technique.I_A + technique.to_A) / 2
            charge_C = mean_A * technique.duration_s
            return Amount(
                technique.duration_s, charge_C, abs(charge_C), samples=_rows(technique, instrument), visits=1
            )
        case Ca() | Draw():
            return Amount(
                technique.duration_s,
                free_s=technique.duration_s,
                samples=_rows(technique, instrument),
                visits=1,
            )
        case Eis():
            return _eis_amount(technique, instrument)
        case Loop():
            return Amount()


def _rows(technique: Timed, instrument: Instrument) -> float:
    """One after the first time base, then one every_s, and one at the end.

    Both times are whole numbers of time bases, so there may be one more than the times of the plan say.
    """
    known = loaded_as(technique) in instrument.timebase_s  # or `check` refuses it
    base_s = timebase_of(technique, instrument) if known else technique.every_s
    ticks, every = (max(1, round(each / base_s)) for each in (technique.duration_s, technique.every_s))
    return 1.0 + math.ceil(ticks / every)


def _eis_amount(eis: Eis, instrument: Instrument) -> Amount:
    seconds = eis_seconds(eis, instrument)
    charge_C = eis.bias * seconds if eis.control == "GEIS" else 0.0
    under_potential = eis.control == "PEIS" and not eis.vs_previous
    return Amount(
        duration_s=seconds,
        charge_C=charge_C,
        moved_C=abs(charge_C),
        free_s=seconds if under_potential else 0.0,
        samples=eis.hold_s / eis.every_s + eis.n_frequencies,
        visits=1,
        spectra=0 if eis.continues else 1,
        points=eis.n_frequencies,
    )


def eis_seconds(eis: Eis, instrument: Instrument) -> float:
    """Time of one sweep as a technique, its DC hold included."""
    frequencies_Hz = spread(eis.f_first_Hz, eis.f_last_Hz, eis.n_frequencies, eis.spacing)
    return eis.hold_s + sum(
        instrument.eis_seconds(f_Hz, eis.average, eis.wait_periods) for f_Hz in frequencies_Hz
    )
