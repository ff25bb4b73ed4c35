"""The loaded segment as a table: what each technique means, and what it means to come to one from another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nakctl.booking.spectra import Sweep
from nakctl.device.ends import End
from nakctl.device.program import Eis, Loop, Program, Segment, Technique, Tested, Timed, is_sentinel
from nakctl.device.techniques import level_of

TICK_s = 2e-3  # of rounding, over any chain
ELAPSED_SLACK_s, CLOCK_COARSE = 0.05, 1e-6  # the instrument's clock is told in single precision

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int_]


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
    """Whoever reads the channel waits for it: no pair of techniques is looked at by itself."""
    techniques = segment.techniques
    place = np.arange(len(techniques))
    step_id = np.array([0 if isinstance(t, Loop) else t.step for t in techniques], np.uint32)
    level = np.array([program.step(step).level if step else 0 for step in step_id.tolist()])
    sweeps = tuple(Sweep.of(t) if isinstance(t, Eis) else None for t in techniques)
    least_s = [_least_s(t, sweep) for t, sweep in zip(techniques, sweeps, strict=True)]
    begun_s = np.append(0.0, np.cumsum(least_s))  # (n + 1,): what runs before each, without loops

    new_cycle = other_level(level[:, None], level)
    between_s = np.maximum(begun_s[:-1] - begun_s[1:, None], 0.0)
    for at in reversed(np.flatnonzero([isinstance(t, Loop) for t in techniques]).tolist()):
        loop = techniques[at]
        assert isinstance(loop, Loop)
        # of several that lead back from one to another the first is taken
        back = (place[:, None] < at) & (place >= loop.to) & (place <= place[:, None])
        new_cycle[back] = loop.passes
        new_cycle[: loop.to, loop.to : at] |= loop.begins
        around_s = (begun_s[at] - begun_s[1:])[:, None] + (begun_s[:-1] - begun_s[loop.to])
        between_s[back] = around_s[back]
    for at in segment.new_cycle:
        new_cycle[:at, at:] = True

    control = np.array([level_of(t) for t in techniques], np.float32)
    sentinel = np.array([is_sentinel(t) for t in techniques], np.bool_)
    stays = _stays(techniques, sentinel)
    led_on = tuple(leads_on(program, t) for t in techniques)
    return Chain(
        start_s=start_s,
        step_id=step_id,
        control=control,
        new_step=new_cycle | (step_id[:, None] != step_id),
        new_cycle=new_cycle,
        leads_on=led_on,
        goes_on=np.array([bool(ends) for ends in led_on], np.bool_),
        shortest_s=np.array([_shortest_s(t) for t in techniques]),
        between_s=between_s,
        stays=stays,
        parted=stays & ~sentinel,
        sweeps=sweeps,
        is_sweep=np.array([sweep is not None for sweep in sweeps], np.bool_),
    )


def _stays(techniques: tuple[Technique, ...], sentinel: Bools) -> Bools:
    """(n, n): on to a later one of its step, under the same current or potential, or further on a scan."""
    tested = [t if isinstance(t, Tested) else None for t in techniques]
    moving = {t.step for t in tested if t is not None and t.to is not None}
    held = [None if t is None else (type(t), t.step, None if t.step in moving else t.level) for t in tested]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(held))}
    alike = np.array([numbers[key] for key in held])
    known = np.array([key is not None for key in held], np.bool_) & ~sentinel
    return np.asarray(np.triu(alike[:, None] == alike, 1) & known[:, None])


def leads_on(program: Program, technique: Technique) -> tuple[End, ...]:
    if not isinstance(technique, Tested) or technique.on_test != "next":
        return ()
    ends = (program.end(test.end) for test in technique.tests if test.end)
    return tuple(end for end in ends if end.then == "next step")


def _shortest_s(technique: Technique) -> float:
    """Less than this to the first row behind it, and a technique was left before its time."""
    return technique.duration_s - TICK_s if isinstance(technique, Timed) else 0.0


def _least_s(technique: Technique, sweep: Sweep | None) -> float:
    """Of a technique that no row came of: a test may end it at once."""
    if sweep is not None:
        return float(sweep.left_s[0])
    if isinstance(technique, Tested) and technique.on_test == "next":
        return 0.0
    return max(0.0, _shortest_s(technique))


def other_level(before: Ints | int, after: Ints | int) -> Any:
    """From one level of a staircase to another; 0 is outside of any."""
    return (before != 0) & (after != 0) & (before != after)
