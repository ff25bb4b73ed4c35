"""What only a run knows is put into its program: potentials, charges, a capacity, what a step still lacks.

Pure, like the program: each function gives another one, which is what is loaded, and what the journal keeps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from nakctl.device.program import (
    Branch,
    Ca,
    Cp,
    Eis,
    HostLoop,
    LaterCharge,
    Loop,
    Node,
    Program,
    Segment,
    Technique,
    Tested,
    Timed,
)  # fmt: skip

# A scan that begins at its end, and the charge of a step that moved none, take so long.
SHORTEST_s = 0.01
MORE = 0.05  # of a planned charge may be asked for beside it: a reading is not that exact


def knowing(segment: Segment, values: Sequence[float]) -> Segment:
    """With what only the run knew: a potential for each of `later`, or the charge in C."""
    if segment.charge is not None:
        [charge_C] = values
        return _moving(segment, segment.charge, charge_C)
    techniques = list(segment.techniques)
    for later, value_V in zip(segment.later, values, strict=True):
        match techniques[later.at]:
            case Ca(to_V=to_V) as scan if later.rate and to_V is not None:
                lasts_s = max(abs(to_V - value_V) / later.rate, SHORTEST_s)
                every_s = min(scan.every_s, lasts_s)
                techniques[later.at] = replace(scan, E_V=value_V, duration_s=lasts_s, every_s=every_s)
            case Ca() as hold:
                techniques[later.at] = replace(hold, E_V=value_V)
            case Eis() as sweep:
                techniques[later.at] = replace(sweep, bias=value_V)
            case _:
                raise ValueError(f"technique {later.at} has no potential")
    return replace(segment, techniques=tuple(techniques), later=())


def _moving(segment: Segment, later: LaterCharge, charge_C: float) -> Segment:
    """As few techniques of the step as that takes, or as few passes of one. The chain begins with them."""
    first, behind = later.at[0], later.at[-1] + 1
    hold, after = segment.techniques[first], segment.techniques[behind : behind + 1]
    assert isinstance(hold, Cp)
    loop = after[0] if after and isinstance(after[0], Loop) and after[0].to == first else None
    planned = len(later.at) if loop is None else loop.times or 1
    lasts_s = max(hold.duration_s * planned * charge_C / later.planned_C, SHORTEST_s)
    parts = min(planned, max(1, math.ceil(lasts_s / (hold.duration_s * (1 + MORE)))))
    part = held_for(hold, lasts_s / parts)
    if loop is None:
        made: tuple[Technique, ...] = (replace(part, trigger_s=hold.trigger_s), *(part,) * (parts - 1))
    else:
        made, behind = ((part, replace(loop, times=parts)) if parts > 1 else (part,)), behind + 1
    fewer = behind - first - len(made)
    rest = (
        replace(each, to=each.to - fewer) if isinstance(each, Loop) else each
        for each in segment.techniques[behind:]
    )
    return replace(segment, techniques=(*segment.techniques[:first], *made, *rest), charge=None)


def with_capacity(program: Program, capacity_C: float) -> Program:
    """The same for another capacity: what goes with it, and nothing else."""
    factor = capacity_C / program.capacity_C
    ends = tuple(
        replace(end, value=end.value + end.of_capacity * (factor - 1), of_capacity=end.of_capacity * factor)
        for end in program.ends
    )
    return replace(program, nodes=_scaled(program.nodes, factor), ends=ends, capacity_C=capacity_C)


def _scaled(nodes: tuple[Node, ...], factor: float) -> tuple[Node, ...]:
    made: list[Node] = []
    for node in nodes:
        match node:
            case HostLoop():
                made.append(replace(node, body=_scaled(node.body, factor)))
            case Branch():
                sides = (_scaled(side, factor) for side in (node.then, node.otherwise))
                made.append(Branch(node.when, *sides))
            case Segment():
                made.append(_scaled_chain(node, factor))
            case _:
                made.append(node)
    return tuple(made)


def _scaled_chain(segment: Segment, factor: float) -> Segment:
    techniques = tuple(_scaled_one(each, factor) for each in segment.techniques)
    charge = segment.charge
    if charge is not None:
        before, after = (each[charge.at[0]] for each in (segment.techniques, techniques))
        assert isinstance(before, Cp) and isinstance(after, Cp)
        by = (after.I_A * after.duration_s) / (before.I_A * before.duration_s)
        charge = replace(charge, planned_C=charge.planned_C * by)
    return replace(segment, techniques=techniques, charge=charge)


def _scaled_one(technique: Technique, factor: float) -> Technique:
    if isinstance(technique, Eis):
        return replace(technique, bias=technique.bias * factor) if technique.of_capacity else technique
    if not isinstance(technique, Tested):
        return technique
    tests = tuple(
        replace(
            test, value=test.value + test.of_capacity * (factor - 1), of_capacity=test.of_capacity * factor
        )
        for test in technique.tests
    )
    if isinstance(technique, Ca):
        return replace(technique, tests=tests)
    lasts_s = technique.duration_s * factor**technique.time_power
    I_A = technique.I_A * factor if technique.of_capacity else technique.I_A
    every_s = min(technique.every_s, lasts_s)
    return replace(technique, I_A=I_A, duration_s=lasts_s, every_s=every_s, tests=tests)


def lasting(segment: Segment, seconds: float) -> Segment:
    """A top-up with what is missing."""
    technique = segment.techniques[0]
    assert isinstance(technique, Timed)
    return replace(segment, techniques=(held_for(technique, seconds),))


def held_for(hold: Timed, seconds: float) -> Timed:
    """The same for this long; a row comes all the same. Of a ramp its last part. It begins nothing."""
    made = replace(hold, duration_s=seconds, every_s=min(hold.every_s, seconds), trigger_s=0.0)
    match made:
        case Cp(to_A=to) if to is not None:
            return replace(made, I_A=to - (to - made.I_A) * seconds / hold.duration_s)
        case Ca(to_V=to) if to is not None:
            return replace(made, E_V=to - (to - made.E_V) * seconds / hold.duration_s)
        case _:
            return made
