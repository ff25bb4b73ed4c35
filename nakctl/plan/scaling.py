"""What of a program goes with a capacity that is measured in the run, found by planning with others.

The same protocol is lowered for the planned capacity, and for the least and the most that it may come to.
What differs between the three has to go with the capacity in a way that a program can say: a current, a
charge or a value in proportion, a time in proportion or against it. All else (another number of passes or of
spectra, a ramp, a limit that acts before another one) is refused, so that nothing is done half.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from nakctl.device.ends import End
from nakctl.device.program import (
    Branch,
    Cp,
    Eis,
    HostLoop,
    Node,
    Program,
    Segment,
    Technique,
    Test,
    Tested,
    played,
    segments,
)

_EQUAL = 1e-9
_POWERS = (0, 1, -1)
Dataclass = TypeVar("Dataclass")
# What is found out of a technique, or what does not matter to what it does.
_FOUND = {"I_A", "duration_s", "every_s", "tests", "hardware", "bias", "of_capacity", "time_power"}


@dataclass(frozen=True, slots=True)
class Misfit:
    """What a program cannot say. step: of which step, by its id; 0: of the run."""

    step: int
    what: str


class _Unfit(Exception):
    """what: see `Misfit`."""


@dataclass(frozen=True)
class _Three:
    """The capacities that the three programs were lowered for, in parts of the planned one."""

    less: float
    more: float

    def power(self, base: float, less: float, more: float) -> int | None:
        """Of the capacity, with which a value goes; None: with none."""
        for power in _POWERS:
            if _same(less, base * self.less**power) and _same(more, base * self.more**power):
                return power
        return None

    def part(self, base: float, less: float, more: float) -> float | None:
        """Which part of a value goes with the capacity; None: it does not go evenly."""
        part = (more - base) / (self.more - 1)
        part = 0.0 if _same(base + part, base) else part
        return part if _same(less, base + part * (self.less - 1)) else None


def compared(base: Program, less: Program, more: Program, within: float) -> tuple[Program, list[Misfit]]:
    """The program that says what of it goes with the capacity, with ranges for the most that this may be; and
    what it cannot say."""
    three, nodes = _Three(1 - within, 1 + within), base.nodes
    misfits: list[Misfit] = []
    try:
        nodes = _nodes(base.nodes, less.nodes, more.nodes, three, misfits)
    except _Unfit as unfit:
        misfits.append(Misfit(0, str(unfit)))
    ends = list(base.ends)
    if len({len(each.ends) for each in (base, less, more)}) > 1:
        misfits.append(Misfit(0, "what ends it"))
    else:
        for at, (one, low, high) in enumerate(zip(base.ends, less.ends, more.ends, strict=True)):
            try:
                ends[at] = _end(one, low, high, three)
            except _Unfit as unfit:
                misfits.append(Misfit(one.step, str(unfit)))
    return replace(base, nodes=nodes, ends=tuple(ends)), misfits


def goes_with_capacity(techniques: Sequence[Technique]) -> bool:
    """Whether anything of them does."""
    return any(
        (isinstance(each, Cp) and (each.of_capacity or each.time_power))
        or (isinstance(each, Eis) and each.of_capacity)
        or (isinstance(each, Tested) and any(test.of_capacity for test in each.tests))
        for each in techniques
    )


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_EQUAL, abs_tol=1e-15)


def _nodes(
    base: tuple[Node, ...],
    less: tuple[Node, ...],
    more: tuple[Node, ...],
    three: _Three,
    misfits: list[Misfit],
) -> tuple[Node, ...]:
    if len({len(each) for each in (base, less, more)}) > 1:
        raise _Unfit("which chains there are")
    return tuple(_node(*nodes, three, misfits) for nodes in zip(base, less, more, strict=True))


def _node(base: Node, less: Node, more: Node, three: _Three, misfits: list[Misfit]) -> Node:
    match base, less, more:
        case Segment(), Segment(), Segment():
            return _segment(base, less, more, three, misfits)
        case HostLoop(), HostLoop(), HostLoop():
            if {less.times, more.times} != {base.times}:
                raise _Unfit("how often a loop is done")
            return replace(base, body=_nodes(base.body, less.body, more.body, three, misfits))
        case Branch(), Branch(), Branch():
            then = _nodes(base.then, less.then, more.then, three, misfits)
            otherwise = _nodes(base.otherwise, less.otherwise, more.otherwise, three, misfits)
            return Branch(base.when, then, otherwise)
        case _ if type(base) is type(less) is type(more) and not isinstance(
            base, Segment | HostLoop | Branch
        ):
            return base
        case _:
            raise _Unfit("which chains there are")


def _segment(base: Segment, less: Segment, more: Segment, three: _Three, misfits: list[Misfit]) -> Segment:
    if (
        len({len(each.techniques) for each in (base, less, more)}) > 1
        or len({each.loop for each in (base, less, more)}) > 1
    ):
        misfits.append(Misfit(played(base.techniques)[0].step, "which techniques its chain has"))
        return base
    made: list[Technique] = []
    for one, low, high in zip(base.techniques, less.techniques, more.techniques, strict=True):
        try:
            made.append(_technique(one, low, high, three))
        except _Unfit as unfit:
            misfits.append(Misfit(getattr(one, "step", played(base.techniques)[0].step), str(unfit)))
            made.append(one)
    return replace(base, techniques=tuple(made))


def _technique(base: Technique, less: Technique, more: Technique, three: _Three) -> Technique:
    """Everything else of them is the same, or they are refused."""
    if not type(base) is type(less) is type(more):
        raise _Unfit("which techniques its chain has")
    for field in fields(base):
        if field.name not in _FOUND and not _alike(
            *(getattr(each, field.name) for each in (base, less, more))
        ):
            raise _Unfit(_SAID.get(field.name, "what it does"))
    found: dict[str, Any] = {}
    if hasattr(base, "hardware"):
        found["hardware"] = more.hardware  # type: ignore[union-attr]
    if isinstance(base, Tested):
        found["tests"] = _tests(base.tests, less.tests, more.tests, three)  # type: ignore[union-attr]
    if isinstance(base, Eis):
        power = three.power(base.bias, less.bias, more.bias)  # type: ignore[union-attr]
        found["of_capacity"] = _one_of(power, "its current") == 1
    durations = [getattr(each, "duration_s", 0.0) for each in (base, less, more)]
    lasts = _one_of(three.power(*durations), "how long it lasts", _POWERS)
    if isinstance(base, Cp):
        power = three.power(base.I_A, less.I_A, more.I_A)  # type: ignore[union-attr]
        found |= {"of_capacity": _one_of(power, "its current") == 1, "time_power": lasts}
        if base.to_A is not None and (found["of_capacity"] or lasts):
            raise _Unfit("its ramp")
    elif lasts:
        raise _Unfit("how long it lasts")
    return replace(base, **found)


_SAID = {"times": "how often a loop is done", "to_A": "its ramp", "dI_A": "its record (dI)"}


def _one_of(power: int | None, what: str, powers: Sequence[int] = (0, 1)) -> int:
    if power is None or power not in powers:
        raise _Unfit(what)
    return power


def _alike(one: object, *others: object) -> bool:
    if isinstance(one, float):
        return all(isinstance(other, float) and _same(one, other) for other in others)
    return all(one == other for other in others)


def _tests(
    base: tuple[Test, ...], less: tuple[Test, ...], more: tuple[Test, ...], three: _Three
) -> tuple[Test, ...]:
    said = [[(test.quantity, test.side, test.end) for test in tests] for tests in (base, less, more)]
    if said[1] != said[0] or said[2] != said[0]:
        raise _Unfit("which of its ends the instrument tests")
    made = []
    for tests in zip(base, less, more, strict=True):
        part = three.part(*(test.value for test in tests))
        if part is None:
            raise _Unfit("where it is ended")
        made.append(replace(tests[0], of_capacity=part))
    return tuple(made)


def _end(base: End, less: End, more: End, three: _Three) -> End:
    for name in ("kind", "quantity", "side", "then", "by", "step", "over_s"):
        if not _alike(*(getattr(each, name) for each in (base, less, more))):
            raise _Unfit("what ends it")
    part = three.part(base.value, less.value, more.value)
    if part is None or (part and (not base.step or base.kind == "asked")):
        raise _Unfit("how long it lasts" if base.kind == "asked" else f"{base.quantity} {base.side}")
    return replace(base, of_capacity=part)


def steps_with_capacity(program: Program) -> frozenset[int]:
    """The steps of which something goes with the capacity."""
    found = {end.step for end in program.ends if end.of_capacity}
    for segment in segments(program.nodes):
        found |= {each.step for each in played(segment.techniques) if goes_with_capacity([each])}
    return frozenset(found)
