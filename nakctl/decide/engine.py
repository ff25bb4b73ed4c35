"""Who decides what happens next: a table `(phase, event) -> (state, commands)`. No clock, no I/O.

    ready    --Begin-->       running   load and start the first segment
    running  --ChainEnded-->  running   load and start the next one, or finish
    running  --Tripped-->     stopping  stop the channel, then go on as the cutoff says
    running  --Interrupted--> stopping  stop the channel, then finish
    stopping --ChainEnded-->  running or ended
    any      --Replaced-->    running or paused: what is left is the program now, begun with at once or later
    any      on the way to a segment stands somebody to be asked: paused
    paused   --Begin-->       running
    paused   --Interrupted, Tripped--> ended: the cell is open
    ended    nothing more happens

Whatever is not in the table is an IllegalEvent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from nakctl.booking.ending import Ending, gravest
from nakctl.device.program import Ask, HostLoop, Node, Program, Segment, SetPoint, node_at
from nakctl.errors import IllegalEvent


class Phase(Enum):
    READY = "ready"
    RUNNING = "running"
    STOPPING = "stopping"
    PAUSED = "paused"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Begin:
    pass


@dataclass(frozen=True, slots=True)
class ChainEnded:
    """The channel stopped and all its rows are here. ending: what that means; None: the chain was done."""

    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class Replaced:
    """Nothing is loaded, and the program is another one than before: what is left of it.

    waits      it is not begun with before somebody says so
    otherwise  how the run ends if nothing is left
    """

    waits: bool = False
    otherwise: Ending | None = None


@dataclass(frozen=True, slots=True)
class Tripped:
    """The guard wants the step, the loop or the run to end now."""

    ending: Ending


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Somebody asked for the end."""

    ending: Ending


Event = Begin | ChainEnded | Replaced | Tripped | Interrupted


@dataclass(frozen=True, slots=True)
class Load:
    segment: Segment


@dataclass(frozen=True, slots=True)
class Stop:
    reason: str


@dataclass(frozen=True, slots=True)
class Finish:
    ending: Ending


@dataclass(frozen=True, slots=True)
class Apply:
    set_point: SetPoint


@dataclass(frozen=True, slots=True)
class Wait:
    """A person is asked; what follows is begun with as after a pause."""

    ask: Ask


Command = Load | Stop | Finish | Apply | Wait


@dataclass(frozen=True, slots=True)
class Frame:
    """Where we are in one list of nodes, and in which pass of the loop around it (from 0)."""

    index: int
    passes: int = 0


@dataclass(frozen=True, slots=True)
class EngineState:
    phase: Phase = Phase.READY
    position: tuple[Frame, ...] = ()
    ending: Ending | None = None


Reaction = tuple[EngineState, tuple[Command, ...]]
ALL_DONE = Ending("end run", "all steps done", kind="steps done")


def react(program: Program, state: EngineState, event: Event) -> Reaction:
    """The next state, and what to do now. IllegalEvent if the table has no such row."""
    rule = _TABLE.get((state.phase, type(event)))
    if rule is None:
        raise IllegalEvent(f"{_WORDS[type(event)]} while the run is {state.phase.value}")
    return rule(program, state, event)


def _begin(program: Program, state: EngineState, event: Event) -> Reaction:
    if state.position:
        return _go_to(program, _advance(program.nodes, state.position))
    return _go_to(program, _enter(program.nodes, ()) if program.nodes else None)


def _replace(program: Program, state: EngineState, event: Event) -> Reaction:
    assert isinstance(event, Replaced)
    if event.waits and (program.nodes or state.phase is Phase.PAUSED):
        return EngineState(Phase.PAUSED), ()
    begin = _enter(program.nodes, ()) if program.nodes else None
    return _go_to(program, begin, event.otherwise or ALL_DONE)


def _leave(program: Program, state: EngineState, event: Event) -> Reaction:
    """Of a run that is paused: there is nothing to stop."""
    assert isinstance(event, Tripped | Interrupted)
    return EngineState(Phase.ENDED, (), event.ending), (Finish(event.ending),)


def _chain_ended(program: Program, state: EngineState, event: Event) -> Reaction:
    assert isinstance(event, ChainEnded)
    return _follow(program, state, gravest(state.ending, event.ending))


def _trip(program: Program, state: EngineState, event: Event) -> Reaction:
    assert isinstance(event, Tripped | Interrupted)
    stopping = EngineState(Phase.STOPPING, state.position, event.ending)
    return stopping, (Stop(event.ending.reason),)


def _trip_again(program: Program, state: EngineState, event: Event) -> Reaction:
    """While stopping only a graver ending counts: the end of the run over the end of a step."""
    assert isinstance(event, Tripped | Interrupted)
    return replace(state, ending=gravest(state.ending, event.ending)), ()


_WORDS: dict[type, str] = {
    Begin: "the beginning came",
    ChainEnded: "a chain ended",
    Replaced: "another program came",
    Tripped: "an end was met",
    Interrupted: "the end was asked for",
}
_TABLE: dict[tuple[Phase, type], Callable[[Program, EngineState, Event], Reaction]] = {
    (Phase.READY, Begin): _begin,
    (Phase.READY, Replaced): _replace,
    (Phase.RUNNING, ChainEnded): _chain_ended,
    (Phase.RUNNING, Replaced): _replace,
    (Phase.RUNNING, Tripped): _trip,
    (Phase.RUNNING, Interrupted): _trip,
    (Phase.STOPPING, ChainEnded): _chain_ended,
    (Phase.STOPPING, Replaced): _replace,
    (Phase.STOPPING, Tripped): _trip_again,
    (Phase.STOPPING, Interrupted): _trip_again,
    (Phase.PAUSED, Begin): _begin,
    (Phase.PAUSED, Replaced): _replace,
    (Phase.PAUSED, Tripped): _leave,
    (Phase.PAUSED, Interrupted): _leave,
}


def _follow(program: Program, state: EngineState, ending: Ending | None) -> Reaction:
    if ending is not None and ending.then == "end run":
        return EngineState(Phase.ENDED, state.position, ending), (Finish(ending),)
    if ending is not None and ending.then == "end loop":
        return _go_to(program, _leave_loop(program, state.position))
    on = _advance(program.nodes, state.position)
    while ending is not None and on is not None and _tops_up(node_of(program.nodes, on)):
        on = _advance(program.nodes, on)  # the step is over: nothing is missing of it
    return _go_to(program, on)


def node_of(nodes: tuple[Node, ...], position: tuple[Frame, ...]) -> Node:
    return node_at(nodes, [frame.index for frame in position])


def _tops_up(node: Node) -> bool:
    return isinstance(node, Segment) and node.tops_up


def _go_to(program: Program, position: tuple[Frame, ...] | None, otherwise: Ending = ALL_DONE) -> Reaction:
    """On to the next segment; set-points on the way there are applied. otherwise: there is none."""
    commands: list[Command] = []
    while position is not None:
        node = node_of(program.nodes, position)
        if isinstance(node, Segment):
            return EngineState(Phase.RUNNING, position), (*commands, Load(node))
        if isinstance(node, Ask):
            return EngineState(Phase.PAUSED, position), (*commands, Wait(node))
        assert isinstance(node, SetPoint)
        commands.append(Apply(node))
        position = _advance(program.nodes, position)
    return EngineState(Phase.ENDED, (), otherwise), (*commands, Finish(otherwise))


def went_round(before: tuple[Frame, ...], after: tuple[Frame, ...]) -> bool:
    """Whether a loop that both lie in has come to its next pass in between."""
    for one, other in zip(before, after, strict=False):
        if one != other:
            return one.index == other.index
    return False


def _enter(nodes: tuple[Node, ...], outer: tuple[Frame, ...], index: int = 0) -> tuple[Frame, ...]:
    """The first segment, set-point or question at or inside node `index`; a loop's body is never empty."""
    position = (*outer, Frame(index))
    node = nodes[index]
    return _enter(node.body, position) if isinstance(node, HostLoop) else position


def _advance(nodes: tuple[Node, ...], position: tuple[Frame, ...]) -> tuple[Frame, ...] | None:
    """What comes after this node: the next in its list, in the next pass of its loop, or behind the loop."""
    *outer, last = position
    around = node_of(nodes, tuple(outer)) if outer else None
    siblings = around.body if isinstance(around, HostLoop) else nodes
    if last.index + 1 < len(siblings):
        return _enter(siblings, tuple(outer), last.index + 1)
    if not isinstance(around, HostLoop):
        return None
    loop_frame = outer[-1]
    if around.times is None or loop_frame.passes + 1 < around.times:
        again = replace(loop_frame, passes=loop_frame.passes + 1)
        return _enter(around.body, (*outer[:-1], again))
    return _advance(nodes, tuple(outer))


def _leave_loop(program: Program, position: tuple[Frame, ...]) -> tuple[Frame, ...] | None:
    """What follows the innermost loop: a segment that is a loop itself, else the host loop around it."""
    node = node_of(program.nodes, position)
    is_loop = isinstance(node, Segment) and node.loop
    return _advance(program.nodes, position if is_loop or len(position) == 1 else position[:-1])
