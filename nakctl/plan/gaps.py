"""Where the cell lies open while the next chain is loaded: computed from the program, before the start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from nakctl.device.program import Ask, Branch, Done, HostLoop, Node, Program, Segment, played
from nakctl.device.techniques import drives

FOREVER = 0  # as `times`


@dataclass(frozen=True, slots=True)
class Gap:
    """From the end of one chain to the start of the next.

    before, after  step_ids; times: how often it comes (0: a loop without end brings it again and again)
    under_current  what drives the cell before drives it on afterwards, so this is an interruption that the
                   experiment did not ask for; a rest or a change of sign lies on one side otherwise
    """

    before: int
    after: int
    times: int
    under_current: bool


def gaps(program: Program) -> tuple[Gap, ...]:
    """All of them, in order of first appearance; those between the same two steps together."""
    merged: dict[tuple[int, int], Gap] = {}
    for gap in _between(program.nodes, 1):
        key = gap.before, gap.after
        known = merged.get(key)
        endless = known is not None and FOREVER in (known.times, gap.times)
        total = FOREVER if endless else gap.times + (known.times if known is not None else 0)
        under = gap.under_current or (known is not None and known.under_current)
        merged[key] = replace(gap, times=total, under_current=under)
    return tuple(merged.values())


@dataclass(frozen=True, slots=True)
class _Edge:
    """A chain that may come first or last in some nodes. asked: a person stands between it and what is
    outside, so an open circuit there is what the experiment asks for."""

    chain: Segment
    asked: bool = False


def _between(nodes: tuple[Node, ...], times: int) -> Iterator[Gap]:
    """Gaps inside these nodes, done `times` times."""
    before: list[_Edge] = []
    for node in nodes:
        if isinstance(node, Ask):
            before = [replace(edge, asked=True) for edge in before]
        yield from (_gap(last, first, times) for last in before for first in _edges((node,), first=True))
        if isinstance(node, HostLoop):
            inner = FOREVER if FOREVER in (times, node.times or FOREVER) else times * (node.times or 1)
            yield from _between(node.body, inner)
            if node.times is None or node.times > 1:
                again = FOREVER if inner == FOREVER else inner - times
                ends, begins = _edges(node.body, first=False), _edges(node.body, first=True)
                yield from (_gap(last, first, again) for last in ends for first in begins)
        elif isinstance(node, Branch):
            yield from _between(node.then, times)
            yield from _between(node.otherwise, times)
        passed = _may_pass(node)
        before = [*_edges((node,), first=False), *(before if passed else ())]


def _edges(nodes: Sequence[Node], *, first: bool) -> list[_Edge]:
    """The chains with which these nodes may begin, or end: a branch has two sides, and one may be empty."""
    asked = False
    found: list[_Edge] = []
    for node in nodes if first else reversed(nodes):
        new: list[_Edge] = []
        match node:
            case Ask():
                asked = True
            case Segment(tops_up=False):
                new = [_Edge(node)]
            case HostLoop():
                new = _edges(node.body, first=first)
            case Branch():
                new = [*_edges(node.then, first=first), *_edges(node.otherwise, first=first)]
        found += [replace(edge, asked=True) if asked else edge for edge in new]
        if not _may_pass(node):
            break
    return found


def _may_pass(node: Node) -> bool:
    """Whether it may be that nothing is loaded for it; a step is topped up only if the estimate was wrong."""
    match node:
        case Segment():
            return node.tops_up
        case HostLoop():
            return all(map(_may_pass, node.body))
        case Branch():
            return any(all(map(_may_pass, side)) for side in (node.then, node.otherwise))
        case _:
            return True


def _gap(before: _Edge, after: _Edge, times: int) -> Gap:
    last, first = played(before.chain.techniques)[-1], played(after.chain.techniques)[0]
    asked = before.asked or after.asked
    return Gap(last.step, first.step, times, under_current=not asked and interrupts(last, first))


def interrupts(last: Done, first: Done) -> bool:
    """An open circuit between these two is none that the experiment asked for."""
    ways = drives(last), drives(first)
    return None not in ways and (ways[0] == ways[1] or bool({"potential", "power"} & {*ways}))
