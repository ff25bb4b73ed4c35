"""The loaded segment as a table: what each technique means, and what it means to come to one from another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.device.ends import End
from nakctl.device.program import Ca, Cp, Eis, Loop, Ocv, Program, Segment, Technique
from nakctl.run.proof import TICK_s
from nakctl.run.spectra import Sweep


@dataclass(frozen=True, slots=True)
class Chain:
    """The loaded segment: what each technique means, and what it means to come to one from another.

    leads_on    the ends that a technique goes on from by itself
    shortest_s  less than that is before its time
    between_s   what runs from one to the other, without a row, takes no less
    stays       from one to the other the step goes on as it was: to its sentinel or (parted) next part
    parted      a step that is longer than the instrument can count is several techniques
    sweeps      what those that are sweeps take at least; is_sweep: which they are
    """

    start_s: float
    step_id: npt.NDArray[np.uint32]  # (n,)
    control: npt.NDArray[np.float32]  # (n,)
    new_step: npt.NDArray[np.bool_]  # (n, n): from, to
    new_cycle: npt.NDArray[np.bool_]  # (n, n)
    leads_on: tuple[tuple[End, ...], ...]  # (n,)
    goes_on: npt.NDArray[np.bool_]  # (n,): whether there are any
    shortest_s: npt.NDArray[np.float64]  # (n,)
    between_s: npt.NDArray[np.float64]  # (n, n): from, to
    stays: npt.NDArray[np.bool_]  # (n, n): from, to
    parted: npt.NDArray[np.bool_]  # (n, n): from, to
    sweeps: tuple[Sweep | None, ...]  # (n,)
    is_sweep: npt.NDArray[np.bool_]  # (n,)


def chain_of(program: Program, segment: Segment, start_s: float) -> Chain:
    techniques = segment.techniques
    count = len(techniques)
    step_id = np.array([0 if isinstance(t, Loop) else t.step for t in techniques], np.uint32)
    new_step = np.zeros((count, count), np.bool_)
    new_cycle = np.zeros((count, count), np.bool_)
    stays, parted = np.zeros((count, count), np.bool_), np.zeros((count, count), np.bool_)
    between_s = np.zeros((count, count))
    played = [k for k, t in enumerate(techniques) if not isinstance(t, Loop)]
    for a in played:
        for b in played:
            loop = None if b > a else _loop_taken(techniques, a, b)
            between_s[a, b] = sum(_least_s(each) for each in _between(techniques, a, b, loop))
            levels = [program.step(int(step_id[k])).level for k in (a, b)]
            new_cycle[a, b] = loop.passes if loop else other_level(*levels)
            new_step[a, b] = new_cycle[a, b] or step_id[a] != step_id[b]
            stays[a, b] = b > a and _goes_on(techniques[a], techniques[b])
            parted[a, b] = stays[a, b] and not _is_sentinel(techniques[b])
    control = np.array([_control(t) for t in techniques], np.float32)
    led_on = tuple(leads_on(program, t) for t in techniques)
    goes_on = np.array([bool(ends) for ends in led_on], np.bool_)
    shortest_s = np.array([_shortest_s(t) for t in techniques])
    sweeps = tuple(Sweep.of(t) if isinstance(t, Eis) else None for t in techniques)
    is_sweep = np.array([sweep is not None for sweep in sweeps], np.bool_)
    return Chain(
        start_s, step_id, control, new_step, new_cycle, led_on, goes_on, shortest_s, between_s,
        stays, parted, sweeps, is_sweep,
    )  # fmt: skip


def leads_on(program: Program, technique: Technique) -> tuple[End, ...]:
    if not isinstance(technique, Cp | Ca) or technique.on_test != "next":
        return ()
    ends = (program.end(test.end) for test in technique.tests if test.end)
    return tuple(end for end in ends if end.then == "next step")


def _goes_on(technique: Technique, onward: Technique) -> bool:
    """The same step, under the same current or potential."""
    if not isinstance(technique, Cp | Ca) or type(onward) is not type(technique):
        return False
    same_step = not technique.sentinel and onward.step == technique.step
    return same_step and _control(onward) == _control(technique)


def _is_sentinel(technique: Technique) -> bool:
    return isinstance(technique, Cp | Ca) and technique.sentinel


def _shortest_s(technique: Technique) -> float:
    """Less than this to the first row behind it, and a technique was left before its time."""
    return technique.duration_s - TICK_s if isinstance(technique, Ocv | Cp | Ca) else 0.0


def _between(techniques: tuple[Technique, ...], a: int, b: int, loop: Loop | None) -> tuple[Technique, ...]:
    if loop is None:
        return techniques[a + 1 : b]
    return techniques[a + 1 : techniques.index(loop, a)] + techniques[loop.to : b]


def _least_s(technique: Technique) -> float:
    """Of a technique that no row came of: a test may end it at once."""
    if isinstance(technique, Eis):
        return float(Sweep.of(technique).left_s[0])
    if isinstance(technique, Cp | Ca) and technique.on_test == "next":
        return 0.0
    return max(0.0, _shortest_s(technique))


def other_level(before: int, after: int) -> bool:
    """From one level of a staircase to another; 0 is outside of any."""
    return 0 not in (before, after) and before != after


def _loop_taken(techniques: tuple[Technique, ...], a: int, b: int) -> Loop | None:
    """The loop by which a chain comes back from a to b: the first after a that reaches back far enough."""
    return next((t for t in techniques[a + 1 :] if isinstance(t, Loop) and t.to <= b), None)


def _control(technique: Technique) -> float:
    match technique:
        case Cp():
            return technique.I_A
        case Ca():
            return technique.E_V
        case Eis(vs_previous=False):
            return technique.bias
        case _:
            return float("nan")
