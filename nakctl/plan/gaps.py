"""Where the cell lies open while the next chain is loaded: computed from the program, before the start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from nakctl.device.program import Done, HostLoop, Node, Program, Segment, played
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


def _between(nodes: tuple[Node, ...], times: int) -> Iterator[Gap]:
    """Gaps inside these nodes, done `times` times."""
    before: Segment | None = None
    for node in _planned(nodes):
        first, last = _ends(node)
        if before is not None:
            yield _gap(before, first, times)
        if isinstance(node, HostLoop):
            inner = FOREVER if FOREVER in (times, node.times or FOREVER) else times * (node.times or 1)
            yield from _between(node.body, inner)
            if node.times is None or node.times > 1:
                again = FOREVER if inner == FOREVER else inner - times
                yield _gap(last, first, again)
        before = last


def _planned(nodes: Sequence[Node]) -> list[Segment | HostLoop]:
    """What surely loads chains: a step is topped up only if the estimate was wrong."""
    loads = (node for node in nodes if isinstance(node, Segment | HostLoop))
    return [node for node in loads if isinstance(node, HostLoop) or not node.tops_up]


def _ends(node: Segment | HostLoop) -> tuple[Segment, Segment]:
    """The first and the last chain of a node."""
    if isinstance(node, Segment):
        return node, node
    inner = _planned(node.body)
    return _ends(inner[0])[0], _ends(inner[-1])[1]


def _gap(before: Segment, after: Segment, times: int) -> Gap:
    last, first = played(before.techniques)[-1], played(after.techniques)[0]
    return Gap(last.step, first.step, times, under_current=interrupts(last, first))


def interrupts(last: Done, first: Done) -> bool:
    """An open circuit between these two is none that the experiment asked for."""
    ways = drives(last), drives(first)
    return None not in ways and (ways[0] == ways[1] or bool({"potential", "power"} & {*ways}))
