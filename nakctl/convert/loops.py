"""Loops that jump back to an earlier place, as others write them, become steps inside of `repeat`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nakctl.convert.draft import Step
from nakctl.errors import Mark


@dataclass(frozen=True, slots=True)
class Jump:
    """After the item at `after` go back to the item at `to`: its steps are done `passes` times in all."""

    after: int
    to: int
    passes: int
    mark: Mark
    remark: str = ""


class Crossing(ValueError):
    """Two loops overlap, and neither lies within the other."""

    def __init__(self, jump: Jump, other: Jump) -> None:
        super().__init__("this loop overlaps another one, and neither lies within the other")
        self.mark, self.other = jump.mark, other.mark


def nested(items: Sequence[list[Step]], jumps: Sequence[Jump]) -> list[Step]:
    """The steps of all items in order, those of a loop inside of a `repeat`. Crossing."""
    for i, one in enumerate(jumps):
        for other in jumps[i + 1 :]:
            if one.to < other.to <= one.after < other.after or other.to < one.to <= other.after < one.after:
                raise Crossing(other, one)
    # Of two loops that begin at one place the longer is outside; of two that are alike, the later.
    order = sorted(enumerate(jumps), key=lambda each: (each[1].to - each[1].after, -each[0]))
    return _within(items, [jump for _, jump in order], 0, len(items))


def _within(items: Sequence[list[Step]], jumps: list[Jump], first: int, end: int) -> list[Step]:
    steps: list[Step] = []
    at = first
    while at < end:
        outer = next((jump for jump in jumps if jump.to == at and jump.after < end), None)
        if outer is None:
            steps += items[at]
            at += 1
            continue
        rest = jumps[jumps.index(outer) + 1 :]
        inner = _within(items, rest, outer.to, outer.after + 1)
        if outer.passes == 1 or not inner:
            steps += inner
        else:
            repeat: Step = {"repeat": outer.passes, "steps": inner}
            steps.append(repeat | ({"#": [outer.remark]} if outer.remark else {}))
        at = outer.after + 1
        jumps = [jump for jump in jumps if jump.to >= at]
    return steps
