"""The table of the engine, row by row, on small programs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nakctl.decide.engine import (
    ALL_DONE,
    Begin,
    ChainEnded,
    Ending,
    EngineState,
    Event,
    Finish,
    Frame,
    Interrupted,
    Load,
    Phase,
    Replaced,
    Stop,
    Tripped,
    react,
    went_round,
)
from nakctl.device.program import Hardware, HostLoop, Node, Ocv, Program, Segment, SetPoint
from nakctl.errors import IllegalEvent, Mark

HARDWARE = Hardware("1 mA", "5 V", 8)
NEXT = Ending("next step", "Ewe above 1 V")
LEAVE = Ending("end loop", "Ewe above 2 V")
END = Ending("end run", "limit", "stopped")
OPERATOR = Ending("end run", "stopped by the operator", "aborted")


def segment(step: int, loop: bool = False, tops_up: bool = False) -> Segment:
    return Segment((Ocv(step, 1.0, 1.0, None, HARDWARE),), loop, tops_up)


def program(*nodes: Node) -> Program:
    return Program("SP-300", 1.0, nodes, ())


def played(script: list[Event], *nodes: Node) -> list[object]:
    """Steps of loaded segments, "stop", and the ending, as the engine commands them."""
    state, seen = EngineState(), []
    for event in [Begin(), *script]:
        state, commands = react(program(*nodes), state, event)
        for command in commands:
            match command:
                case Load(one):
                    seen.append(one.techniques[0].step)
                case Stop():
                    seen.append("stop")
                case Finish(ending):
                    seen.append(ending)
    return seen


ENDED = ChainEnded()
TOP_UP = segment(1, tops_up=True)
INNER = HostLoop((segment(2), segment(3)), 2)

ROWS = [
    ("one after another", [ENDED, ENDED], (segment(1), segment(2)), [1, 2, ALL_DONE]),
    ("a loop, twice", [ENDED] * 5, (INNER, segment(4)), [2, 3, 2, 3, 4, ALL_DONE]),
    ("a loop in a loop", [ENDED] * 8, (HostLoop((INNER,), 2),), [2, 3, 2, 3, 2, 3, 2, 3, ALL_DONE]),
    ("next step", [Tripped(NEXT), ENDED, ENDED], (segment(1), segment(2)), [1, "stop", 2, ALL_DONE]),
    ("leave a host loop", [ENDED, ChainEnded(LEAVE), ENDED], (INNER, segment(4)), [2, 3, 4, ALL_DONE]),
    ("leave from its first", [ChainEnded(LEAVE), ENDED], (INNER, segment(4)), [2, 4, ALL_DONE]),
    ("leave only the inner", [ChainEnded(LEAVE), ENDED] * 2, (HostLoop((INNER, segment(4)), 2),),
     [2, 4, 2, 4, ALL_DONE]),
    ("a chain that is a loop", [ChainEnded(LEAVE), ENDED], (HostLoop((segment(1, True), segment(2)), 1),),
     [1, 2, ALL_DONE]),
    ("end run", [ChainEnded(END)], (INNER, segment(4)), [2, END]),
    ("guard ends the run", [Tripped(END), ENDED], (INNER, segment(4)), [2, "stop", END]),
    ("operator", [Interrupted(OPERATOR), ENDED], (INNER,), [2, "stop", OPERATOR]),
    ("operator while stopping for a cutoff", [Tripped(NEXT), Interrupted(OPERATOR), ENDED], (INNER,),
     [2, "stop", OPERATOR]),
    ("the first end of the run counts", [Tripped(END), Interrupted(OPERATOR), ENDED], (INNER,),
     [2, "stop", END]),
    ("a cutoff while stopping for the end of the run", [Tripped(END), ChainEnded(NEXT)], (INNER,),
     [2, "stop", END]),
    ("a limit seen in the last row of a chain that was stopped for less", [Tripped(NEXT), ChainEnded(END)],
     (segment(1), segment(2)), [1, "stop", END]),
    ("a chain over early is topped up", [ENDED] * 3, (segment(1), TOP_UP, segment(2)), [1, 1, 2, ALL_DONE]),
    ("a step that was ended is not", [Tripped(NEXT), ENDED, ENDED], (segment(1), TOP_UP, segment(2)),
     [1, "stop", 2, ALL_DONE]),
    ("in a loop neither", [Tripped(NEXT), ENDED, ENDED], (HostLoop((segment(1), TOP_UP), 2), segment(2)),
     [1, "stop", 1, 1]),
    ("endless", [ENDED] * 5, (HostLoop((segment(1),), None),), [1] * 6),
]  # fmt: skip


@pytest.mark.parametrize(
    ("script", "nodes", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_rows(script: list[Event], nodes: tuple[Node, ...], expected: list[object]) -> None:
    assert played(script, *nodes) == expected


WAYS = [
    ("into a loop", [(0, 0)], [(1, 0), (0, 0)], False),
    ("on in a loop", [(1, 2), (0, 0)], [(1, 2), (1, 0)], False),
    ("round", [(1, 2), (1, 0)], [(1, 3), (0, 0)], True),
    ("round from a loop in it", [(1, 2), (1, 4), (0, 0)], [(1, 3), (0, 0)], True),
    ("round within a loop", [(1, 2), (0, 0), (0, 0)], [(1, 2), (0, 1), (0, 0)], True),
    ("out of a loop", [(1, 2), (1, 0)], [(2, 0)], False),
    ("out of one into another", [(1, 2), (1, 0)], [(2, 0), (0, 0)], False),
    ("the begin", [], [(0, 0)], False),
]


@pytest.mark.parametrize(
    ("before", "after", "expected"), [row[1:] for row in WAYS], ids=[row[0] for row in WAYS]
)
def test_a_loop_goes_round(
    before: list[tuple[int, int]], after: list[tuple[int, int]], expected: bool
) -> None:
    assert (
        went_round(tuple(Frame(*each) for each in before), tuple(Frame(*each) for each in after)) == expected
    )


SKIPPED = Ending("end run", "the last step was skipped", "aborted")
PAUSE, GO_ON = Replaced(waits=True), Replaced(otherwise=SKIPPED)
SET = SetPoint("chamber", 300.0, "300 K", "set", Mark(1, 1))


@pytest.mark.parametrize(
    ("events", "left", "loaded", "phase"),
    [
        ([Tripped(NEXT), PAUSE], (segment(2),), [], Phase.PAUSED),
        ([PAUSE], (segment(2),), [], Phase.PAUSED),
        ([PAUSE, Begin()], (HostLoop((segment(2),), 2),), [2], Phase.RUNNING),
        ([PAUSE, Begin()], (SET, segment(2)), [2], Phase.RUNNING),
        ([PAUSE, Begin(), ENDED, ENDED], (HostLoop((segment(2),), 2),), [2, 2, ALL_DONE], Phase.ENDED),
        ([Tripped(NEXT), GO_ON], (segment(2),), [2], Phase.RUNNING),
        ([PAUSE, Interrupted(OPERATOR)], (segment(2),), [OPERATOR], Phase.ENDED),
        ([PAUSE, Tripped(END)], (segment(2),), [END], Phase.ENDED),
        ([PAUSE], (), [ALL_DONE], Phase.ENDED),  # nothing is left
        ([GO_ON], (), [SKIPPED], Phase.ENDED),
        ([GO_ON], (SET,), [SKIPPED], Phase.ENDED),
    ],
)
def test_what_is_left_takes_the_place_of_the_program(
    events: list[Event], left: tuple[Node, ...], loaded: list[object], phase: Phase
) -> None:
    of, seen = program(segment(1), segment(2)), []
    state, _ = react(of, EngineState(), Begin())
    for event in events:
        of = program(*left) if isinstance(event, Replaced) else of
        state, commands = react(of, state, event)
        seen += [each.segment.techniques[0].step for each in commands if isinstance(each, Load)]
        seen += [each.ending for each in commands if isinstance(each, Finish)]
    assert (seen, state.phase) == (loaded, phase)


def test_a_run_that_is_paused_hears_of_no_chain() -> None:
    with pytest.raises(IllegalEvent, match="a chain ended while the run is paused"):
        react(program(segment(1)), EngineState(Phase.PAUSED), ENDED)


@pytest.mark.parametrize("event", [Begin(), GO_ON, ENDED, Tripped(END), Interrupted(OPERATOR)])
def test_nothing_happens_after_the_end(event: Event) -> None:
    with pytest.raises(IllegalEvent, match="ended"):
        react(program(segment(1)), EngineState(Phase.ENDED), event)


EVENTS = st.sampled_from(
    [
        ENDED,
        ChainEnded(LEAVE),
        ChainEnded(END),
        Tripped(NEXT),
        Tripped(END),
        Interrupted(OPERATOR),
        PAUSE,
        GO_ON,
    ]
)


@given(st.lists(EVENTS, max_size=30))
def test_any_order_of_events_ends_in_a_named_state(events: list[Event]) -> None:
    """Whatever a channel reports, the engine goes on or ends with one Finish, after which nothing loads."""
    nodes = (segment(1), HostLoop((INNER, segment(4)), 2), segment(5))
    state, finished = EngineState(), 0
    for event in [Begin(), *events]:
        if state.phase is Phase.ENDED:
            break
        if isinstance(event, ChainEnded | Replaced) and state.phase is Phase.PAUSED:
            event = Begin()  # nothing runs that could end
        state, commands = react(program(*nodes), state, event)
        finished += sum(isinstance(command, Finish) for command in commands)
    assert finished == (state.phase is Phase.ENDED)
