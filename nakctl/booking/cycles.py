"""How many cycles a run will have if no end comes early: counted as its rows will be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

from nakctl.booking.chain import other_level
from nakctl.device.program import Branch, HostLoop, Loop, Node, Program, Segment

_MOST = 50_000  # techniques that are gone through

Visit = tuple[int, bool]  # level; whether a loop went round to come here


def cycles_of(program: Program) -> int | None:
    """None: some loop has no number of passes, or there are too many to be counted through."""
    if _is_endless(program.nodes):
        return None
    visits = list(islice(_through(program, program.nodes), _MOST + 1))
    if not visits or len(visits) > _MOST:
        return None
    begun = (again or bool(other_level(before, level)) for (before, _), (level, again) in pairwise(visits))
    return 1 + sum(begun)


def _is_endless(nodes: Sequence[Node]) -> bool:
    """Or nobody knows before."""
    for node in nodes:
        if isinstance(node, Branch) or (isinstance(node, HostLoop) and node.until is not None):
            return True
        if isinstance(node, HostLoop) and (node.times is None or _is_endless(node.body)):
            return True
        if isinstance(node, Segment):
            loops = (each for each in node.techniques if isinstance(each, Loop))
            if any(loop.times is None for loop in loops):
                return True
    return False


def _through(program: Program, nodes: Sequence[Node]) -> Iterator[Visit]:
    for node in nodes:
        if isinstance(node, Segment):
            yield from _through_chain(program, node)
        elif isinstance(node, HostLoop):
            for done in range(node.times or 1):
                again = done > 0
                for level, round_inside in _through(program, node.body):
                    yield level, again or round_inside
                    again = False


def _through_chain(program: Program, segment: Segment) -> Iterator[Visit]:
    techniques, done = segment.techniques, [0] * len(segment.techniques)
    at, again = 0, False
    while at < len(techniques):
        each = techniques[at]
        again = again or at in segment.new_cycle
        if not isinstance(each, Loop):
            yield program.step(each.step).level, again
            at, again = at + 1, False
            continue
        done[at] += 1
        if each.times is not None and done[at] < each.times:
            at, again = each.to, again or each.passes
        else:
            done[at] = 0
            at += 1
