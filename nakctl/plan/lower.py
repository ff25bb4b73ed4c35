"""Plan + instrument -> program: techniques with ranges and tests, in chains that the instrument runs alone.

How a step that something must end early is lowered decides who watches it:

- what one technique can test (up to three conditions with one consequence) is left to the instrument;
- what it cannot (a cutoff at open circuit, during a spectrum, of a charge; a fourth condition) is left to the
  host. If the run goes on after such a cutoff, the step becomes a segment of its own, and the repeats around
  it become host loops: the host can only go on where a chain begins.

What the host does beside the cell (waiting for a sensor, setting a chamber) splits chains in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from nakctl.device.limits import Instrument
from nakctl.device.program import (
    HostLoop,
    Loop,
    Node,
    Program,
    Segment,
    SetPoint,
    StepInfo,
    Technique,
)
from nakctl.plan import plan as p
from nakctl.plan.ends import Context
from nakctl.plan.techniques import Lowered, lower_hold, lower_spectrum


@dataclass(frozen=True, slots=True)
class _Piece:
    """Techniques that may share a chain with their neighbours; loops count from the piece's start."""

    techniques: tuple[Technique, ...]


_Item = _Piece | Node


def lower(plan: p.Plan, instrument: Instrument) -> Program:
    """The program of a plan on one kind of instrument. Pure; `check` says whether it fits."""
    lowering = _Lowering(Context(instrument, plan.limits, plan.rules))
    items = lowering.steps(plan.steps, level=0)
    return Program(
        instrument=instrument.name,
        area_cm2=plan.area_cm2,
        nodes=_assemble(items, instrument.chain_length),
        steps=tuple(sorted(lowering.infos, key=lambda info: info.step_id)),
        limits=plan.limits,
        rules=plan.rules,
    )


class _Lowering:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.infos: list[StepInfo] = []
        self.levels = 0

    def steps(self, steps: Iterable[p.Step], level: int) -> list[_Item]:
        return [item for step in steps for item in self.step(step, level)]

    def step(self, step: p.Step, level: int) -> list[_Item]:
        match step:
            case p.Hold():
                return self.leaf(step, lower_hold(step, self.context), level)
            case p.Spectrum():
                return self.leaf(step, lower_spectrum(step, self.context), level)
            case SetPoint():
                return [step]
            case p.Repeat():
                return self.repeat(step, level)
            case p.Staircase():
                return self.staircase(step)

    def leaf(self, step: p.Hold | p.Spectrum, lowered: Lowered, level: int) -> list[_Item]:
        settle = step.settle if isinstance(step, p.Hold) else None
        self.infos.append(
            StepInfo(step.step_id, step.label, lowered.technique, level, lowered.cutoffs, step.mark, settle)
        )
        return [Segment(lowered.techniques)] if lowered.alone else [_Piece(lowered.techniques)]

    def repeat(self, step: p.Repeat, level: int) -> list[_Item]:
        items = self.steps(step.steps, level)
        chain = _join(items)
        if chain is None or len(chain) + 1 > self.context.instrument.chain_length:
            return [HostLoop(_assemble(items, self.context.instrument.chain_length), step.times)]
        if step.times != 1:
            chain = (*chain, Loop(to=0, times=step.times, passes=True))
        return [Segment(chain, loop=True)] if _may_leave(step.steps) else [_Piece(chain)]

    def staircase(self, step: p.Staircase) -> list[_Item]:
        items: list[_Item] = []
        for one_pass in step.passes:
            self.levels += 1
            items += self.steps(one_pass, self.levels)
        if any(_may_leave(one_pass) for one_pass in step.passes):
            return [HostLoop(_assemble(items, self.context.instrument.chain_length), 1)]
        return items


def _may_leave(steps: Sequence[p.Step]) -> bool:
    """A step directly in this loop may end it (steps of inner loops end those)."""
    return any(
        cutoff.then == "end loop"
        for step in steps
        if isinstance(step, p.Hold | p.Spectrum)
        for cutoff in step.cutoffs
    )


def _join(items: Iterable[_Item]) -> tuple[Technique, ...] | None:
    """All pieces as one chain; None if one of the items cannot be part of a chain."""
    chain: tuple[Technique, ...] = ()
    for item in items:
        if not isinstance(item, _Piece):
            return None
        chain = _append(chain, item.techniques)
    return chain


def _append(chain: tuple[Technique, ...], more: tuple[Technique, ...]) -> tuple[Technique, ...]:
    moved = (replace(each, to=each.to + len(chain)) if isinstance(each, Loop) else each for each in more)
    return (*chain, *moved)


def _assemble(items: Iterable[_Item], chain_length: int) -> tuple[Node, ...]:
    """Pieces side by side become segments as long as the instrument can hold; nodes stay as they are."""
    nodes: list[Node] = []
    chain: tuple[Technique, ...] = ()
    for item in items:
        if isinstance(item, _Piece) and len(chain) + len(item.techniques) <= chain_length:
            chain = _append(chain, item.techniques)
            continue
        if chain:
            nodes.append(Segment(chain))
        if isinstance(item, _Piece):
            chain = item.techniques
        else:
            nodes.append(item)
            chain = ()
    if chain:
        nodes.append(Segment(chain))
    return tuple(nodes)
