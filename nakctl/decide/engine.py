"""Who decides what happens next: a table `(phase, event) -> (state, commands)`. No clock, no I/O.

    ready    --Begin-->       running   load and start the first segment
    running  --ChainEnded-->  running   load and start the next one, or finish
    running  --Tripped-->     stopping  stop the channel, then go on as the cutoff says
    running  --Interrupted--> stopping  stop the channel, then finish
    stopping --ChainEnded-->  running or ended
    any      --Replaced-->    running or paused: what is left is the program now, begun with at once or later
    any      on the way to a segment stands somebody to be asked: paused
    any      on the way to a segment the capacity is measured: running, until what follows is replaced
    paused   --Begin-->       running
    paused   --Interrupted, Tripped--> ended: the cell is open
    ended    nothing more happens

Whatever is not in the table is an IllegalEvent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from nakctl.booking.ending import Ending, gravest
from nakctl.booking.ledger import LastTime, newest
from nakctl.device.program import (
    Ask,
    Branch,
    Capacity,
    Ended,
    HostLoop,
    Node,
    Program,
    Segment,
    SetPoint,
    node_at,
)
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


@dataclass(frozen=True, slots=True)
class Measure:
    """The capacity is known: what follows is done with it, as another program."""

    capacity: Capacity


Command = Load | Stop | Finish | Apply | Wait | Measure


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
Known = Mapping[int, LastTime]  # by step_id, of steps that the program refers to
NOTHING: Known = {}
ALL_DONE = Ending("end run", "all steps done", kind="steps done")


def react(program: Program, state: EngineState, event: Event, known: Known = NOTHING) -> Reaction:
    """The next state, and what to do now. known: what steps came to when they were done last. IllegalEvent if
    the table has no such row."""
    rule = _TABLE.get((state.phase, type(event)))
    if rule is None:
        raise IllegalEvent(f"{_WORDS[type(event)]} while the run is {state.phase.value}")
    return rule(_Course(program, known), state, event)


def holds(program: Program, when: Ended, known: Known) -> bool:
    """Whether the step ended like this when it was done last; it did not where it never was."""
    last = newest(when.steps, known)
    return last is not None and when.by in (last.kind, last.quantity)


def _begin(course: _Course, state: EngineState, event: Event) -> Reaction:
    if state.position:
        return course.go_to(course.advance(state.position))
    return course.go_to(course.begin())


def _replace(course: _Course, state: EngineState, event: Event) -> Reaction:
    assert isinstance(event, Replaced)
    if event.waits and (course.program.nodes or state.phase is Phase.PAUSED):
        return EngineState(Phase.PAUSED), ()
    return course.go_to(course.begin(), event.otherwise or ALL_DONE)


def _leave(course: _Course, state: EngineState, event: Event) -> Reaction:
    """Of a run that is paused: there is nothing to stop."""
    assert isinstance(event, Tripped | Interrupted)
    return EngineState(Phase.ENDED, (), event.ending), (Finish(event.ending),)


def _chain_ended(course: _Course, state: EngineState, event: Event) -> Reaction:
    assert isinstance(event, ChainEnded)
    return course.follow(state, gravest(state.ending, event.ending))


def _trip(course: _Course, state: EngineState, event: Event) -> Reaction:
    assert isinstance(event, Tripped | Interrupted)
    stopping = EngineState(Phase.STOPPING, state.position, event.ending)
    return stopping, (Stop(event.ending.reason),)


def _trip_again(course: _Course, state: EngineState, event: Event) -> Reaction:
    """While stopping only a graver ending counts: the end of the run over the end of a step."""
    assert isinstance(event, Tripped | Interrupted)
    return replace(state, ending=gravest(state.ending, event.ending)), ()


def node_of(nodes: tuple[Node, ...], position: tuple[Frame, ...]) -> Node:
    return node_at(nodes, [frame.index for frame in position])


def _tops_up(node: Node) -> bool:
    return isinstance(node, Segment) and node.tops_up


@dataclass(frozen=True, slots=True)
class _Course:
    """The way through a program, with what is known of the steps that were done."""

    program: Program
    known: Known

    def follow(self, state: EngineState, ending: Ending | None) -> Reaction:
        if ending is not None and ending.then == "end run":
            return EngineState(Phase.ENDED, state.position, ending), (Finish(ending),)
        if ending is not None and ending.then == "end loop":
            return self.go_to(self.advance(loop_around(self.program.nodes, state.position)))
        on = self.advance(state.position)
        while ending is not None and on is not None and _tops_up(node_of(self.program.nodes, on)):
            on = self.advance(on)  # the step is over: nothing is missing of it
        return self.go_to(on)

    def go_to(self, position: tuple[Frame, ...] | None, otherwise: Ending = ALL_DONE) -> Reaction:
        """On to the next segment; set-points on the way there are applied. otherwise: there is none."""
        commands: list[Command] = []
        while position is not None:
            node = node_of(self.program.nodes, position)
            if isinstance(node, Segment):
                return EngineState(Phase.RUNNING, position), (*commands, Load(node))
            if isinstance(node, Ask):
                return EngineState(Phase.PAUSED, position), (*commands, Wait(node))
            if isinstance(node, Capacity):
                return EngineState(Phase.RUNNING, position), (*commands, Measure(node))
            assert isinstance(node, SetPoint)
            commands.append(Apply(node))
            position = self.advance(position)
        return EngineState(Phase.ENDED, (), otherwise), (*commands, Finish(otherwise))

    def begin(self) -> tuple[Frame, ...] | None:
        return self._enter((), 0) if self.program.nodes else None

    def _enter(self, outer: tuple[Frame, ...], index: int) -> tuple[Frame, ...] | None:
        """The first segment, set-point or question at or inside node `index`; a loop's body is never empty.
        What follows, where nothing is done of a branch."""
        position = (*outer, Frame(index))
        node = node_of(self.program.nodes, position)
        if isinstance(node, HostLoop):
            return self._enter(position, 0)
        if isinstance(node, Branch):
            is_so = holds(self.program, node.when, self.known)
            is_done = node.then if is_so else node.otherwise
            return (
                self._enter(position, 0 if is_so else len(node.then)) if is_done else self.advance(position)
            )
        return position

    def advance(self, position: tuple[Frame, ...]) -> tuple[Frame, ...] | None:
        """What comes after this node: the next in its list, in the next pass of its loop, or behind that."""
        *outer, last = position
        around = node_of(self.program.nodes, tuple(outer)) if outer else None
        siblings, index = self.program.nodes, last.index
        if isinstance(around, Branch):
            siblings, index = around.side(index)
        elif isinstance(around, HostLoop):
            siblings = around.body
        if index + 1 < len(siblings):
            return self._enter(tuple(outer), last.index + 1)
        if around is None:
            return None
        if isinstance(around, HostLoop) and self._goes_round(around, outer[-1].passes):
            again = replace(outer[-1], passes=outer[-1].passes + 1)
            return self._enter((*outer[:-1], again), 0)
        return self.advance(tuple(outer))

    def _goes_round(self, loop: HostLoop, passes: int) -> bool:
        if loop.until is not None and holds(self.program, loop.until, self.known):
            return False
        return loop.times is None or passes + 1 < loop.times


def loop_around(nodes: tuple[Node, ...], position: tuple[Frame, ...]) -> tuple[Frame, ...]:
    """What `end loop` leaves: a segment that is a loop itself, else the innermost loop of the host."""
    node = node_of(nodes, position)
    if isinstance(node, Segment) and node.loop:
        return position
    while len(position) > 1:
        position = position[:-1]
        if isinstance(node_of(nodes, position), HostLoop):
            break
    return position


def went_round(before: tuple[Frame, ...], after: tuple[Frame, ...]) -> bool:
    """Whether a loop that both lie in has come to its next pass in between."""
    for one, other in zip(before, after, strict=False):
        if one != other:
            return one.index == other.index
    return False


_WORDS: dict[type, str] = {
    Begin: "the beginning came",
    ChainEnded: "a chain ended",
    Replaced: "another program came",
    Tripped: "an end was met",
    Interrupted: "the end was asked for",
}
_TABLE: dict[tuple[Phase, type], Callable[[_Course, EngineState, Event], Reaction]] = {
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
