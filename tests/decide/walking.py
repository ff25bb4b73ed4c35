"""What a program does, one execution after the other: a walk through it that knows nothing of the engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

from nakctl.decide.engine import Frame
from nakctl.device.program import Done, HostLoop, Loop, Node, Program, Segment, SetPoint, Technique

MOST = 150  # of a loop for ever


@dataclass(frozen=True)
class Walked:
    """One execution of a technique, or a set-point (then `at` is -1). segment: the one that it is of."""

    position: tuple[Frame, ...]
    at: int
    passes: int
    what: Done | SetPoint
    segment: Segment | None = None


def walk(program: Program, start: tuple[Frame, ...] = (), most: int = MOST) -> list[Walked]:
    """From the segment or set-point at `start` on."""
    return list(islice(_nodes(program.nodes, (), start), most))


def played(program: Program, start: tuple[Frame, ...] = (), most: int = MOST) -> list[Done | SetPoint]:
    return [each.what for each in walk(program, start, most)]


def _nodes(nodes: Sequence[Node], outer: tuple[Frame, ...], start: tuple[Frame, ...]) -> Iterator[Walked]:
    first = start[0] if start else Frame(0)
    for index in range(first.index, len(nodes)):
        node, here = nodes[index], (*outer, Frame(index))
        if isinstance(node, HostLoop):
            begin, inner = (first.passes, start[1:]) if index == first.index else (0, ())
            for passes in count(begin) if node.times is None else range(begin, node.times):
                yield from _nodes(node.body, (*outer, Frame(index, passes)), inner if passes == begin else ())
        elif isinstance(node, SetPoint):
            yield Walked(here, -1, 0, node)
        else:
            yield from (Walked(here, at, n, each, node) for at, n, each in chain(node.techniques))


def chain(techniques: Sequence[Technique]) -> Iterator[tuple[int, int, Done]]:
    """(place, how often it was started before, technique) as an instrument runs them."""
    at, done, started = 0, Counter[int](), Counter[int]()
    while at < len(techniques):
        technique = techniques[at]
        if not isinstance(technique, Loop):
            yield at, started[at], technique
            started[at] += 1
            at += 1
            continue
        done[at] += 1
        if technique.times is None or done[at] < technique.times:
            at = technique.to
        else:
            done[at] = 0
            at += 1
