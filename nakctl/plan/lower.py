"""Plan + instrument -> program: techniques with ranges and tests, in chains that the instrument runs alone.

How a step that something must end early is lowered decides who watches it:

- what one technique can test (up to three conditions with one consequence) is left to the instrument, with a
  sentinel behind a technique that goes on, and before a sweep (see `ends`);
- what it cannot (a cutoff at open circuit, during a spectrum, of a charge; a second current; the time of a
  step with spectra) is left to the host. If the run goes on after such an end, the step becomes a segment of
  its own, and the repeats around it become host loops: the host can only go on where a chain begins.

What the host does beside the cell (waiting for a sensor, setting a chamber) splits chains in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from nakctl.device.ends import End
from nakctl.device.instrument import Instrument
from nakctl.device.program import (
    Ask,
    Branch,
    Ca,
    Capacity,
    Cp,
    Eis,
    Ended,
    HostLoop,
    Later,
    LaterCharge,
    Loop,
    Node,
    Program,
    Segment,
    SetPoint,
    StepInfo,
    Technique,
    Tested,
    beginning_a_cycle,
    segments,
    size_of,
)
from nakctl.plan import plan as p
from nakctl.plan.chains import Piece, chained, joined
from nakctl.plan.ends import Context, EndTable
from nakctl.plan.same_charge import Earlier
from nakctl.plan.scaling import Misfit, compared
from nakctl.plan.techniques import Lowered, lower_hold, lower_spectrum, triggered

_Item = Piece | Node
NO_PIECE = Piece(())


def lower(plan: p.Plan, instrument: Instrument) -> Program:
    """The program of a plan on one kind of instrument. Pure; `check` says whether it fits."""
    return with_misfits(plan, instrument)[0]


def with_misfits(plan: p.Plan, instrument: Instrument) -> tuple[Program, list[Misfit]]:
    """And what does not simply go with a capacity that is measured."""
    program, capacity = _lowered(plan, instrument), plan.capacity
    if capacity is None or capacity.less is None or capacity.more is None:
        return program, []
    less, more = (_lowered(each, instrument) for each in (capacity.less, capacity.more))
    made, misfits = compared(program, less, more, capacity.within)
    return replace(made, capacity_C=capacity.about_C), misfits


def _lowered(plan: p.Plan, instrument: Instrument) -> Program:
    table = EndTable()
    of_run = table.of_run(plan.limits, plan.goals, plan.short, plan.limits_mark)
    three = plan.three_electrodes
    Ece_V = tuple(_ends_of_counter(plan)) if three else ()
    lowering = _Lowering(plan, Context(instrument, plan.limits, table, of_run, three, Ece_V))
    items = lowering.steps(plan.steps, level=0)
    nodes = _assemble(items, instrument)
    return Program(
        instrument=instrument.name,
        area_cm2=plan.area_cm2,
        nodes=nodes,
        steps=tuple(sorted(lowering.infos, key=lambda info: info.step_id)),
        ends=_watched(table.all, nodes),
        short=plan.short or plan.short_of_steps,
        feeds=instrument.feeds,
    )


def _ends_of_counter(plan: p.Plan) -> Iterator[float]:
    """Values of Ece that end the run or a step."""
    yield from (each.value for each in plan.limits.all if each.quantity == "Ece")
    for leaf in p.leaves(plan.steps):
        yield from (each.value for each in leaf.cutoffs if each.quantity == "Ece")


def _watched(ends: Sequence[End], nodes: tuple[Node, ...]) -> tuple[End, ...]:
    """An end of the run that some technique tests is held by the instrument there, elsewhere by the host."""
    tested = {
        test.end
        for segment in segments(nodes)
        for technique in segment.techniques
        if isinstance(technique, Tested)
        for test in technique.tests
    }
    return tuple(replace(end, by="instrument") if end.id in tested else end for end in ends)


class _Lowering:
    def __init__(self, plan: p.Plan, context: Context) -> None:
        self.plan, self.context = plan, context
        self.earlier = Earlier(plan.steps)
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
            case SetPoint() | Ask():
                return [step]
            case p.Repeat():
                return self.repeat(step, level)
            case p.Staircase():
                return self.staircase(step, level)
            case p.If():
                device = self.context.instrument
                sides = [_assemble(self.steps(side, level), device) for side in (step.then, step.otherwise)]
                return [Branch(self.ended(step.when), *sides)]

    def leaf(self, step: p.Hold | p.Spectrum, lowered: Lowered, level: int) -> list[_Item]:
        settle = step.settle if isinstance(step, p.Hold) else None
        lowered = replace(lowered, techniques=triggered(lowered.techniques, step.trigger_s))
        self.infos.append(StepInfo(step.step_id, step.label, lowered.technique, level, step.mark, settle))
        measured = self.measured(step)
        later, charge = self.later(step, lowered.techniques), self.charge(step, lowered.techniques)
        if not lowered.alone:
            return [Piece(lowered.techniques, later=later, charge=charge), *measured]
        main = Segment(lowered.techniques, later=later, charge=charge)
        if lowered.top_up is None:
            return [main, *measured]
        again = (lowered.top_up,)
        return [main, Segment(again, tops_up=True, later=self.later(step, again)), *measured]

    def measured(self, step: p.Hold | p.Spectrum) -> list[Capacity]:
        """What follows a step that measures the capacity."""
        capacity = self.plan.capacity
        if capacity is None or p.label_of(step) != capacity.label:
            return []
        return [Capacity(step.step_id, capacity.label, capacity.about_C, capacity.within, capacity.mark)]

    def later(self, step: p.Hold | p.Spectrum, techniques: Sequence[Technique]) -> tuple[Later, ...]:
        """What only the run knows of them. It must stay within the limits, with all that swings around it."""
        if step.relative is None:
            return ()
        limits, of, text = self.plan.limits, step.relative, f"{step.label}: {step.relative.text}"
        low_V = -math.inf if limits.Ewe_min_V is None else limits.Ewe_min_V
        high_V = math.inf if limits.Ewe_max_V is None else limits.Ewe_max_V
        made = []
        for at, each in enumerate(techniques):
            if isinstance(each, Eis) and each.control == "PEIS":
                swing_V = each.amplitude_peak
                made.append(Later(at, of.of, of.add_V, 0.0, low_V + swing_V, high_V - swing_V, text))
            elif isinstance(each, Ca) and not (
                each.sentinel and isinstance(step, p.Hold) and step.to is not None
            ):
                made.append(Later(at, of.of, of.add_V, of.rate, low_V, high_V, text))
        return tuple(made)

    def charge(self, step: p.Hold | p.Spectrum, techniques: Sequence[Technique]) -> LaterCharge | None:
        """That of an earlier step, which these move; a sentinel is a moment, however long they last."""
        if not isinstance(step, p.Hold) or step.same is None:
            return None
        at = tuple(k for k, each in enumerate(techniques) if isinstance(each, Cp) and not each.sentinel)
        steps = tuple(sorted(leaf.step_id for leaf in self.earlier.of(step)))
        return LaterCharge(at, steps, abs(step.level or 0.0) * step.duration_s, f"{step.label}: {step.same}")

    def repeat(self, step: p.Repeat, level: int) -> list[_Item]:
        items = self.steps(step.steps, level)
        chain, first = _join(items)
        until = None if step.until is None else self.ended(step.until)
        may_be_known = not first.begins or (step.times == 1 and not step.begins)
        if (
            chain is None
            or until is not None
            or not may_be_known
            or size_of(chain) + 1 > self.context.instrument.chain_length
        ):
            body = _assemble(items, self.context.instrument)
            return [HostLoop(beginning_a_cycle(body) if step.begins else body, step.times, until)]
        if step.times != 1 or step.begins:
            chain = (*chain, Loop(to=0, times=step.times, passes=True, begins=step.begins))
        return (
            [Segment(chain, loop=True, later=first.later, charge=first.charge)]
            if p.may_leave(step.steps)
            else [Piece(chain, later=first.later, charge=first.charge)]
        )

    def ended(self, when: p.EndedBy) -> Ended:
        return Ended(p.labelled(self.plan.steps, when.label), when.by, str(when))

    def staircase(self, step: p.Staircase, level: int) -> list[_Item]:
        items: list[_Item] = []
        for one_pass in step.passes:
            self.levels += not step.is_table
            first, *others = self.steps(one_pass, level if step.is_table else self.levels)
            items += [replace(first, first_of_level=True) if isinstance(first, Piece) else first, *others]
        if step.is_loop and any(p.may_leave(one_pass) for one_pass in step.passes):
            return [HostLoop(_assemble(items, self.context.instrument), 1)]
        return items


def _join(items: Iterable[_Item]) -> tuple[tuple[Technique, ...] | None, Piece]:
    """All pieces as one chain, and the first of them; None if one of the items cannot be part of a chain, or
    has to begin one."""
    pieces: list[Piece] = []
    for item in items:
        if not isinstance(item, Piece) or (pieces and item.begins):
            return None, NO_PIECE
        pieces.append(item)
    return joined(pieces), pieces[0] if pieces else NO_PIECE


def _assemble(items: Iterable[_Item], instrument: Instrument) -> tuple[Node, ...]:
    """Pieces side by side become segments that the instrument can hold, or is fed; nodes stay as they are."""
    nodes: list[Node] = []
    pieces: list[Piece] = []
    for item in items:
        if isinstance(item, Piece):
            pieces.append(item)
            continue
        nodes += [*chained(pieces, instrument), item]
        pieces = []
    return (*nodes, *chained(pieces, instrument))
