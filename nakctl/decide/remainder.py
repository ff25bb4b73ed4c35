"""What is left of a program from some place in it on, as a program. Pure: one function for going on after a
pause, skipping a step and continuing a run that was interrupted.

A chain begins with its first technique, so what is left of it is unrolled (`unrolled.py`): the rest of the
pass, then the loop with the passes that are left, and so on outwards, on to the loops of the host around it.

    [A, B, C, Loop(0, 5)] after B in pass 2   ->   [C, A, B, C, Loop(1, 2)]   (a cycle begins at 1)

Ids of steps and ends stay what they are, and `end loop` leaves what it would have left.

What the program cannot say, whoever goes on has to know: cycle, level, step and charge so far (a ledger that
goes on counts on, and the cutoffs of a charge rest on it), the time of the run, and what the host has set
beside the cell. That nothing goes on after a limit is decided before anybody asks what is left.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import dropwhile

from nakctl.decide.engine import Frame, loop_around, node_of
from nakctl.decide.unrolled import Place, done_at, fewer, unrolled
from nakctl.device.ends import Then
from nakctl.device.instrument import Instrument, instrument
from nakctl.device.program import Branch, HostLoop, Node, Program, Segment, beginning_a_cycle, played


def remainder(
    program: Program,
    position: tuple[Frame, ...],
    technique: int | None = None,
    passes: int = 0,
    *,
    lasted_s: float | None = None,
    step_s: float | None = None,
    then: Then | None = None,
    chain_length: int | None = None,
    loaded: Segment | None = None,
) -> Program:
    """The program of what follows technique `technique` of the segment at `position`, in its pass `passes`.

    technique     its place in the chain; None: the whole segment was done
    passes        how often it was started before in this segment, as rows say
    lasted_s      it was cut after so long, and what is missing comes first; None: it was done
    step_s        how long its step has lasted in all, as the guard counts it: has to be told where the step
                  was given a time (its End is `asked`) and goes on
    then          what ended it, if something did: `next step` leaves out what is left of its step (a cutoff
                  was met, or somebody skips it), `end loop` leaves its loop, `end run` leaves nothing
    loaded        the segment with what only the run knew of it; None: there is nothing
    chain_length  techniques that one chain may hold; None: as many as the program's channel can

    No nodes: nothing is left. ValueError: the program has no such place.
    """
    if not position or then == "end run":
        return replace(program, nodes=())
    segment = node_of(program.nodes, position)
    if not isinstance(segment, Segment):
        raise ValueError(f"there is no segment at {position}")
    segment = loaded or segment
    first: tuple[Node, ...] = ()
    if then == "end loop":
        position = loop_around(program.nodes, position)
    elif technique is not None:
        device = instrument(program.instrument)
        most = chain_length or program.chain_length or device.chain_length
        device = replace(device, chain_length=most, feeds=program.feeds)
        place = Place(technique, passes, lasted_s if then is None else None, then == "next step")
        first = _left_of(program, segment, place, device)
    after = _behind(program.nodes, position)
    if then is not None and not first:
        after = tuple(dropwhile(_tops_up, after))
    left = _counted(program, (*first, *after), done_at(segment, technique).step, step_s)
    for depth in range(len(position) - 1, 0, -1):
        left = _out_of(program, left, position[:depth])
    return replace(program, nodes=left)


def behind(program: Program, position: tuple[Frame, ...]) -> Program:
    """The program of what follows the node at a position, which is no segment: somebody was asked there."""
    left = _behind(program.nodes, position)
    if _begins_a_cycle(program, position):
        left = beginning_a_cycle(left)
    for depth in range(len(position) - 1, 0, -1):
        left = _out_of(program, left, position[:depth])
    return replace(program, nodes=left)


def _begins_a_cycle(program: Program, position: tuple[Frame, ...]) -> bool:
    """Whether a loop went round to come here, and nothing was loaded since."""
    for depth in range(len(position), 1, -1):
        siblings, index = _siblings(program.nodes, position[:depth])
        if any(isinstance(node, Segment | HostLoop | Branch) for node in siblings[:index]):
            return False
        if position[depth - 2].passes:
            return True
    return False


def _left_of(program: Program, segment: Segment, place: Place, device: Instrument) -> tuple[Node, ...]:
    """What is left of a segment: one chain, or several if the instrument cannot hold it, nor be fed."""
    if segment.tops_up:  # how much is missing of the step is asked when it is loaded
        return () if place.lasted_s is None else (segment,)
    chains = unrolled(program, segment, place, device)
    if program.ends_of(done_at(segment, place.technique).step, "asked"):
        # the host ends such a step as a whole, and has it topped up: the rest of a pass is not worth a chain
        chains = chains[-1:]
    if segment.loop and len(chains) == 1:
        return (replace(chains[0], loop=True),)
    return _once(tuple(chains)) if segment.loop else tuple(chains)


def _counted(program: Program, nodes: tuple[Node, ...], step: int, step_s: float | None) -> tuple[Node, ...]:
    """Where a step that was given a time goes on: with how long it has lasted."""
    first = nodes[0] if nodes else None
    if not isinstance(first, Segment) or 0 in first.new_cycle or played(first.techniques)[0].step != step:
        return nodes
    if not program.ends_of(step, "asked"):
        return nodes
    if step_s is None:
        raise ValueError(f"step {program.step(step).label} was given a time: how long has it lasted?")
    return (replace(first, step_s=step_s), *nodes[1:])


def _tops_up(node: Node) -> bool:
    return isinstance(node, Segment) and node.tops_up


# --- the loops of the host ------------------------------------------------------------------------------


def _siblings(nodes: tuple[Node, ...], position: tuple[Frame, ...]) -> tuple[tuple[Node, ...], int]:
    """The list that the node at a position stands in, and its place there."""
    index = position[-1].index
    if len(position) == 1:
        return nodes, index
    around = node_of(nodes, position[:-1])
    if isinstance(around, Branch):
        return around.side(index)
    assert isinstance(around, HostLoop)
    return around.body, index


def _behind(nodes: tuple[Node, ...], position: tuple[Frame, ...]) -> tuple[Node, ...]:
    siblings, index = _siblings(nodes, position)
    return siblings[index + 1 :]


def _out_of(program: Program, left: tuple[Node, ...], position: tuple[Frame, ...]) -> tuple[Node, ...]:
    """What is left of the list in which the loop or branch at a position stands. left: of what was under way
    in it."""
    around, after = node_of(program.nodes, position), _behind(program.nodes, position)
    if isinstance(around, Branch):
        return (*left, *after)
    assert isinstance(around, HostLoop)
    done = position[-1].passes
    if around.times is not None and done >= around.times:
        raise ValueError(f"there is no pass {done} of {around.times}")
    if left == around.body:  # nothing was done of this pass
        return (replace(around, times=fewer(around.times, done)), *after)
    more = fewer(around.times, done + 1)
    if more != 0:
        again: Node = replace(around, body=beginning_a_cycle(around.body), times=more)
        if around.until is not None:  # which is asked at the end of this pass as well
            again = Branch(around.until, (), (again,))
        left = (*left, again)
    return (*_once(left), *after)


def _once(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """As one loop that is done once, so that what leaves the loop leaves all of them."""
    is_loop = len(nodes) == 1 and isinstance(nodes[0], HostLoop)
    return nodes if is_loop or not nodes else (HostLoop(nodes, 1),)
