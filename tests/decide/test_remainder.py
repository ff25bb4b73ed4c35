"""What is left of a program: by hand, and against a walk through the whole of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import pytest
from compiling import CELL
from generated import protocol
from hand_made import ca, cp, end, geis, info, rest
from hypothesis import assume, given
from hypothesis import strategies as st
from walking import MOST, Walked, played, walk

from nakctl.booking.chain import chain_of, other_level
from nakctl.decide.engine import (
    Apply,
    Begin,
    ChainEnded,
    Ending,
    EngineState,
    Frame,
    Phase,
    react,
    went_round,
)
from nakctl.decide.remainder import remainder
from nakctl.device.instrument import instrument, instruments
from nakctl.device.program import (
    Ca,
    Cp,
    Done,
    Eis,
    Hardware,
    HostLoop,
    Loop,
    Node,
    Ocv,
    Program,
    Segment,
    SetPoint,
    Settle,
    Technique,
    Test,
    segments,
)
from nakctl.errors import Mark
from nakctl.plan.compile import compile_protocol
from nakctl.plan.lower import lower
from nakctl.plan.techniques import OCV_BEFORE_PEIS_s, SENTINEL_s
from nakctl.protocol.load import understand
from nakctl.render.program_text import program_text
from nakctl.text.reader import read_text

LEAVE = Ending("end loop", "Ewe above 2 V")
LEVELS = {1: 0, 2: 1, 3: 2, 4: 0, 5: 2}  # of a staircase, by step
SET = SetPoint("chamber", 300.0, "300 K", "set", Mark(1, 1))
SETTLE = Settle("chamber", 300.0, 1.0, 60.0, "end run", "300 K", "1 K", "1 min")
LIMIT = end(1, "Ewe", "above", 3.0, kind="limit")
CUTOFF = end(2, "Ewe", "above", 1.0, step=2)
ASKED = end(3, "time", "above", 100.0, kind="asked", step=5)


def program(*nodes: Node) -> Program:
    """Of steps 1 to 5. Step 4 waits for a sensor, step 5 was given a time."""
    steps = [info(step, level) for step, level in LEVELS.items()]
    steps[3] = replace(steps[3], settle=SETTLE)
    return Program("SP-300", 0.5, nodes, tuple(steps), (LIMIT, CUTOFF, ASKED))


def at(*frames: int | tuple[int, int]) -> tuple[Frame, ...]:
    """A position; a loop with its pass."""
    return tuple(Frame(*each) if isinstance(each, tuple) else Frame(each) for each in frames)


# --- by hand -------------------------------------------------------------------------------------------

A, B, C = rest(1), cp(2), cp(3, -1e-3)
FIVE = (A, B, C, Loop(0, 5, True))
NESTED = (A, B, Loop(1, 3, False), C, Loop(0, 2, True))
ONE, TWO = Segment((A,)), Segment((B,))
ONE_ANEW = Segment((A,), new_cycle=(0,))
HOST = HostLoop((ONE, TWO), 5)
IS_LOOP = Segment((A, B, Loop(0, 3, True)), loop=True)

ROWS: list[tuple[str, tuple[Node, ...], tuple[Any, ...], dict[str, Any], tuple[Node, ...]]] = [
    ("on in the chain", (Segment((A, B, C)),), (at(0), 0), {}, (Segment((B, C)),)),
    ("on with the next", (Segment((A, B)), TWO, SET), (at(0), 1), {}, (TWO, SET)),
    ("nothing", (Segment((A, B)),), (at(0), 1), {}, ()),
    ("the run was over", (ONE,), ((),), {}, ()),
    ("the whole segment", (ONE, SET, TWO), (at(0),), {}, (SET, TWO)),
    ("within a pass", (Segment(FIVE),), (at(0), 1, 2), {}, (Segment((C, A, B, C, Loop(1, 2, True)), new_cycle=(1,)),)),
    ("at its end", (Segment(FIVE),), (at(0), 2, 2), {}, (Segment((A, B, C, Loop(0, 2, True)), new_cycle=(0,)),)),
    ("one pass is left", (Segment(FIVE),), (at(0), 1, 3), {}, (Segment((C, A, B, C), new_cycle=(1,)),)),
    ("no pass is left", (Segment(FIVE),), (at(0), 1, 4), {}, (Segment((C,)),)),
    ("for ever", (Segment((A, B, Loop(0, None, True)),),), (at(0), 0, 1000), {}, (Segment((B, A, B, Loop(1, None, True)), new_cycle=(1,)),)),
    ("in a loop in a loop", (Segment(NESTED),), (at(0), 1, 1), {}, (Segment((B, C, A, B, Loop(3, 3, False), C), new_cycle=(2,)),)),
    ("in its second pass", (Segment(NESTED),), (at(0), 1, 3), {}, (Segment((B, Loop(0, 2, False), C)),)),
    ("a pass that is begun anew", (Segment(FIVE),), (at(0), 0, 1), {"lasted_s": 0.0}, (Segment((A, B, C, Loop(0, 4, True))),)),
    ("all of it", (HOST, Segment(NESTED)), (at((0, 0), 0), 0), {"lasted_s": 0.0}, (HOST, Segment(NESTED))),
    ("before a loop", (Segment((A, B, C, Loop(1, 2, True))),), (at(0), 0), {}, (Segment((B, C, Loop(0, 2, True))),)),
    ("behind a loop", (Segment((A, Loop(0, 2, True), B, C)),), (at(0), 2), {}, (Segment((C,)),)),
    ("of the host's loop", (HOST, ONE), (at((0, 2), 0), 0), {}, (HostLoop((TWO, HostLoop((ONE_ANEW, TWO), 2)), 1), ONE)),
    ("at the end of its pass", (HOST, ONE), (at((0, 2), 1), 0), {}, (HostLoop((ONE_ANEW, TWO), 2), ONE)),
    ("its last pass", (HOST, ONE), (at((0, 4), 0), 0), {}, (HostLoop((TWO,), 1), ONE)),
    ("the end of its last pass", (HOST, ONE), (at((0, 4), 1), 0), {}, (ONE,)),
    ("the host's, for ever", (HostLoop((ONE, TWO), None),), (at((0, 9), 1),), {}, (HostLoop((ONE_ANEW, TWO), None),)),
    ("with a set-point", (HostLoop((SET, ONE), 3),), (at((0, 0), 1), 0), {}, (HostLoop((SET, ONE_ANEW), 2),)),
    ("the host's in the host's", (HostLoop((HOST, TWO), 2),), (at((0, 0), (0, 4), 0),), {},
     (HostLoop((HostLoop((TWO,), 1), TWO, HostLoop((HostLoop((ONE_ANEW, TWO), 5), TWO), 1)), 1),)),
    ("a loop to be left", (IS_LOOP,), (at(0), 0), {}, (Segment((B, A, B, Loop(1, 2, True)), loop=True, new_cycle=(1,)),)),
    ("too long for one chain", (IS_LOOP, ONE), (at(0), 0), {"chain_length": 3},
     (HostLoop((TWO, Segment((A, B, Loop(0, 2, True)), new_cycle=(0,))), 1), ONE)),
    ("too long, and no loop to be left", (replace(IS_LOOP, loop=False),), (at(0), 0), {"chain_length": 3},
     (TWO, Segment((A, B, Loop(0, 2, True)), new_cycle=(0,)))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("nodes", "where", "words", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_what_is_left(
    nodes: tuple[Node, ...], where: tuple[Any, ...], words: dict[str, Any], expected: tuple[Node, ...]
) -> None:
    whole = program(*nodes)
    assert remainder(whole, *where, **words) == replace(whole, nodes=expected)


# What cannot simply go on. LEADS_ON is a hold of step 2 that goes on from a cutoff, and has a sentinel behind it.
FINE = Hardware("100 uA", "5 V", 8)
HELD, OWN = Test("Ewe", "above", 3.0, 1), Test("Ewe", "above", 1.0, 2)
BEFORE = cp(3, tests=(HELD,), sentinel=True, duration_s=SENTINEL_s)
GEIS = replace(geis(3), hardware=FINE)
SECOND = replace(GEIS, continues=True)
PUT_IN = replace(BEFORE, every_s=SENTINEL_s, hardware=FINE)
HOLDS_THE_SAME = cp(2, tests=(OWN, HELD))
LEADS_ON = cp(2, tests=(OWN,), on_test="next")
BEHIND = cp(2, tests=(HELD,), sentinel=True, duration_s=SENTINEL_s)
MOMENT = replace(LEADS_ON, duration_s=SENTINEL_s, every_s=SENTINEL_s)
REST = Ocv(3, OCV_BEFORE_PEIS_s, 1.0, None, FINE)
PEIS = replace(GEIS, control="PEIS", bias=0.0, vs_previous=True)
AT_ZERO = replace(PEIS, vs_previous=False)
SHORT = replace(B, duration_s=4.0)
WAITS = rest(4)

RUN_UPS: list[tuple[str, tuple[Technique, ...], int, float | None, tuple[Technique, ...]]] = [
    ("a hold that was cut", (A, B, C), 1, 6.0, (SHORT, C)),
    ("a rest that was cut", (A, B), 0, 9.5, (replace(A, duration_s=0.5, every_s=0.5), B)),
    ("a hold that lacks nothing", (A, B, C), 1, 9.996, (C,)),
    ("a hold that lasted too long", (A, B, C), 1, 11.0, (C,)),
    ("a part of a long hold", (B, B, B, C), 1, 6.0, (SHORT, B, C)),
    ("a step that waits for a sensor", (WAITS, B), 0, 6.0, (WAITS, B)),
    ("a sweep that was cut", (A, BEFORE, GEIS, C), 2, 0.1, (BEFORE, GEIS, C)),
    ("a sweep without a sentinel", (A, GEIS, C), 1, 0.1, (GEIS, C)),
    ("the sentinel before it", (A, BEFORE, GEIS), 1, 0.001, (BEFORE, GEIS)),
    ("after that", (A, BEFORE, GEIS), 1, None, (BEFORE, GEIS)),
    ("the sweep was done", (A, BEFORE, GEIS, C), 2, None, (C,)),
    ("the second sweep of a spectrum", (A, BEFORE, GEIS, SECOND, C), 3, 0.1, (BEFORE, GEIS, SECOND, C)),
    ("after its first", (A, BEFORE, GEIS, SECOND, C), 2, None, (BEFORE, GEIS, SECOND, C)),
    ("after its last", (A, BEFORE, GEIS, SECOND, C), 3, None, (C,)),
    ("after a hold of the same current", (HOLDS_THE_SAME, GEIS, C), 0, None, (PUT_IN, GEIS, C)),
    ("a sweep behind one", (HOLDS_THE_SAME, GEIS, C), 1, 0.1, (PUT_IN, GEIS, C)),
    ("after a sentinel of the same current", (LEADS_ON, BEHIND, GEIS), 1, None, (PUT_IN, GEIS)),
    ("after a hold of another current", (replace(HOLDS_THE_SAME, I_A=2e-3), GEIS), 0, None, (GEIS,)),
    ("after a hold of the same potential", (ca(2, 0.0, (HELD,)), AT_ZERO), 0, None,
     (Ca(3, 0.0, SENTINEL_s, SENTINEL_s, None, (HELD,), "stop", FINE, sentinel=True), AT_ZERO)),
    ("the rest before a spectrum at open circuit", (A, REST, PEIS), 1, 0.6, (REST, PEIS)),
    ("after that rest", (A, REST, PEIS), 1, None, (REST, PEIS)),
    ("the spectrum at open circuit", (A, REST, PEIS, B), 2, 0.6, (REST, PEIS, B)),
    ("one without a rest", (A, PEIS, B), 0, None, (REST, PEIS, B)),
    ("a rest before that rest", (A, REST, PEIS), 0, 6.0, (replace(A, duration_s=4.0), REST, PEIS)),
    ("a hold that leads on", (LEADS_ON, BEHIND, C), 0, 6.0, (replace(LEADS_ON, duration_s=4.0), BEHIND, C)),
    ("after it", (LEADS_ON, BEHIND, C), 0, None, (MOMENT, BEHIND, C)),
    ("the sentinel behind it", (LEADS_ON, BEHIND, C), 1, 0.001, (MOMENT, BEHIND, C)),
    ("after that sentinel", (LEADS_ON, BEHIND, C), 1, None, (C,)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("chain", "technique", "lasted_s", "expected"),
    [row[1:] for row in RUN_UPS],
    ids=[row[0] for row in RUN_UPS],
)
def test_what_cannot_simply_go_on(
    chain: tuple[Technique, ...], technique: int, lasted_s: float | None, expected: tuple[Technique, ...]
) -> None:
    left = remainder(program(Segment(chain)), at(0), technique, lasted_s=lasted_s)
    assert left.nodes == (Segment(expected),)


def test_a_run_up_belongs_to_the_cycle_that_it_leads_to() -> None:
    chain = (HOLDS_THE_SAME, GEIS, Loop(1, 3, True))
    left = remainder(program(Segment(chain)), at(0), 1)
    assert left.nodes == (Segment((PUT_IN, GEIS, Loop(1, 2, True)), new_cycle=(0,)),)


def test_a_cycle_that_began_before_the_cut_does_not_begin_again() -> None:
    left = remainder(program(Segment(FIVE)), at(0), 2, 2)
    assert remainder(left, at(0), 0, lasted_s=6.0).nodes == (
        Segment((replace(A, duration_s=4.0), B, C, A, B, C), new_cycle=(3,)),
    )
    assert remainder(left, at(0), 0).nodes == (Segment((B, C, A, B, C), new_cycle=(2,)),)
    left = remainder(program(Segment((BEFORE, GEIS, C, Loop(0, 3, True)))), at(0), 2)
    assert left.nodes == (Segment((BEFORE, GEIS, C, Loop(0, 2, True)), new_cycle=(0,)),)
    assert remainder(left, at(0), 1, lasted_s=0.1).nodes == (Segment((BEFORE, GEIS, C, Loop(0, 2, True))),)


# --- a step that is over -------------------------------------------------------------------------------

SPECTRA = (replace(BEFORE, step=5), replace(GEIS, step=5), cp(5), Loop(0, 4, False), cp(5))
TOP_UP = Segment((cp(5),), tops_up=True)

OVER: list[tuple[str, tuple[Node, ...], tuple[Any, ...], tuple[Node, ...]]] = [
    ("its parts and its sentinel", (Segment((LEADS_ON, LEADS_ON, BEHIND, C)),), (at(0), 0), (Segment((C,)),)),
    ("its spectra and its top-up", (Segment(SPECTRA), TOP_UP, ONE), (at(0), 1, 2), (ONE,)),
    ("within its last hold", (Segment(SPECTRA), TOP_UP, ONE), (at(0), 4), (ONE,)),
    ("its top-up", (Segment(SPECTRA), TOP_UP, ONE), (at(1), 0), (ONE,)),
    ("the whole chain, and its top-up", (Segment(SPECTRA), TOP_UP, ONE), (at(0),), (ONE,)),
    ("in the host's loop", (HostLoop((Segment(SPECTRA), TOP_UP), 2),), (at((0, 1), 0), 1), ()),
    ("not the step of the next pass", (Segment((B, B, Loop(0, 3, True))),), (at(0), 0),
     (Segment((B, B, Loop(0, 2, True)), new_cycle=(0,)),)),
    ("not the other steps of the pass", (Segment((B, B, C, Loop(0, 2, True))),), (at(0), 0, 1), (Segment((C,)),)),
    ("not a loop that it only begins", (Segment((B, B, C, Loop(1, 2, True))),), (at(0), 0), (Segment((B, C, Loop(0, 2, True))),)),
    ("not the top-up of another", (Segment((B, cp(5))), TOP_UP), (at(0), 0), (Segment((cp(5),)), TOP_UP)),
    ("the run-up to the next stays", (Segment((HOLDS_THE_SAME, GEIS)),), (at(0), 0), (Segment((PUT_IN, GEIS)),)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("nodes", "where", "expected"), [row[1:] for row in OVER], ids=[row[0] for row in OVER]
)
@pytest.mark.parametrize("lasted_s", [None, 0.001])
def test_a_step_that_is_over(
    nodes: tuple[Node, ...], where: tuple[Any, ...], expected: tuple[Node, ...], lasted_s: float | None
) -> None:
    left = remainder(program(*nodes), *where, then="next step", lasted_s=lasted_s)
    assert left.nodes == expected


# --- a step that was given a time ----------------------------------------------------------------------

SENT, SWEPT, GAP, AGAIN, END = SPECTRA
REST_OF_GAP = replace(cp(5), duration_s=4.0)
TIMED: list[tuple[str, tuple[Node, ...], tuple[Any, ...], float | None, tuple[Node, ...]]] = [
    ("in its hold", (Segment(SPECTRA), TOP_UP, ONE), (at(0), 2, 1), 6.0,
     (Segment((REST_OF_GAP, SENT, SWEPT, GAP, Loop(1, 2, False), END), step_s=40.0), TOP_UP, ONE)),
    ("in its sweep", (Segment(SPECTRA), TOP_UP), (at(0), 1, 1), 6.0,
     (Segment((SENT, SWEPT, GAP, Loop(0, 3, False), END), step_s=40.0), TOP_UP)),
    ("at its end", (Segment(SPECTRA), TOP_UP, ONE), (at(0), 4), None, (replace(TOP_UP, step_s=40.0), ONE)),
    ("as a whole", (Segment(SPECTRA), TOP_UP, ONE), (at(0),), None, (replace(TOP_UP, step_s=40.0), ONE)),
    ("in its top-up", (Segment(SPECTRA), TOP_UP, ONE), (at(1), 0), 6.0, (replace(TOP_UP, step_s=40.0), ONE)),
    ("after its top-up", (Segment(SPECTRA), TOP_UP, ONE), (at(1), 0), None, (ONE,)),
    ("before the next pass of the chain", (Segment((cp(5), Loop(0, 3, True))),), (at(0), 0), None,
     (Segment((cp(5), Loop(0, 2, True)), new_cycle=(0,)),)),
    ("before the next pass", (HostLoop((Segment(SPECTRA), TOP_UP), 3),), (at((0, 1), 1), 0), None,
     (HostLoop((Segment(SPECTRA, new_cycle=(0,)), TOP_UP), 1),)),
    ("at its begin, in a loop", (HostLoop((Segment(SPECTRA), TOP_UP), 2),), (at((0, 0), 0), 1), 6.0,
     (HostLoop((Segment(SPECTRA, step_s=40.0), TOP_UP, HostLoop((Segment(SPECTRA, new_cycle=(0,)), TOP_UP), 1)), 1),)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("nodes", "where", "lasted_s", "expected"), [row[1:] for row in TIMED], ids=[row[0] for row in TIMED]
)
def test_a_step_that_was_given_a_time(
    nodes: tuple[Node, ...], where: tuple[Any, ...], lasted_s: float | None, expected: tuple[Node, ...]
) -> None:
    left = remainder(program(*nodes), *where, lasted_s=lasted_s, step_s=40.0)
    assert left.nodes == expected


def test_a_loop_is_left_with_the_step_that_was_given_a_time() -> None:
    left = remainder(program(HostLoop((Segment(SPECTRA), TOP_UP), 3), ONE), at((0, 1), 0), 1, then="end loop")
    assert left.nodes == (ONE,)


def test_the_time_has_to_be_told() -> None:
    with pytest.raises(ValueError, match="step 5 step was given a time: how long has it lasted"):
        remainder(program(Segment(SPECTRA), TOP_UP), at(0), 2, 1)


def test_of_its_chain_one_is_left_because_the_host_ends_it_as_a_whole() -> None:
    """`next step` would go on with the other one."""
    left = remainder(program(Segment(SPECTRA), TOP_UP), at(0), 2, lasted_s=6.0, step_s=40.0, chain_length=5)
    assert left.nodes == (Segment((SENT, SWEPT, GAP, Loop(0, 3, False), END), step_s=40.0), TOP_UP)


# --- what is no place ----------------------------------------------------------------------------------

NOWHERE = [
    ("a loop", (at(0), 3), "there is no technique 3"),
    ("beyond the end", (at(0), 9), "there is no technique 9"),
    ("too many passes", (at(0), 1, 5), "technique 1 of the chain is not started as often"),
    ("a set-point", (at(1),), "there is no segment at"),
    ("a pass too many", (at((2, 5), 0), 0), "there is no pass 5 of 5"),
]


@pytest.mark.parametrize(("where", "said"), [row[1:] for row in NOWHERE], ids=[row[0] for row in NOWHERE])
def test_what_is_no_place(where: tuple[Any, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        remainder(program(Segment(FIVE), SET, HOST), *where)


def test_loops_lie_within_each_other() -> None:
    with pytest.raises(ValueError, match="do not lie within each other"):
        remainder(program(Segment((A, B, Loop(0, 2, True), C, Loop(1, 2, True)))), at(0), 1)


# --- any program ---------------------------------------------------------------------------------------

STEPS = st.sampled_from([1, 2, 3])
HOLDS = st.one_of(
    st.builds(rest, STEPS),
    st.builds(cp, STEPS, st.sampled_from([1e-3, -1e-3]), duration_s=st.floats(1.0, 50.0)),
    st.builds(ca, STEPS, st.floats(-1.0, 1.0)),
)
TIMES = st.sampled_from([1, 2, 2, 3, 3, None])
CHOICES = st.integers(0, 10**6)


def moved(chain: list[Technique], by: int) -> list[Technique]:
    return [replace(each, to=each.to + by) if isinstance(each, Loop) else each for each in chain]


@st.composite
def chains(draw: st.DrawFn, depth: int = 2) -> list[Technique]:
    """Holds and loops, within each other. A pass is no cycle only within a step; loops of one body are alike."""
    chain: list[Technique] = []
    for _ in range(draw(st.integers(1, 3))):
        if depth == 0 or draw(st.booleans()):
            chain.append(draw(HOLDS))
            continue
        body = draw(chains(depth - 1))
        at_begin = [each.passes for each in body if isinstance(each, Loop) and each.to == 0]
        one_step = len({each.step for each in body if not isinstance(each, Loop)}) == 1
        passes = not one_step or (at_begin[0] if at_begin else draw(st.booleans()))
        chain += [*moved(body, len(chain)), Loop(len(chain), draw(TIMES), passes)]
    return chain


SEGMENTS = st.builds(lambda chain, is_loop: Segment(tuple(chain), loop=is_loop), chains(), st.booleans())


def lists(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[tuple[Node, ...]]:
    """With a segment in each, because a loop over set-points alone never comes to one."""
    parts = st.tuples(st.lists(inner, max_size=2), SEGMENTS, st.lists(inner, max_size=2))
    return parts.map(lambda given_: (*given_[0], given_[1], *given_[2]))


NODES = st.recursive(
    SEGMENTS | st.just(SET), lambda inner: st.builds(HostLoop, lists(inner), TIMES), max_leaves=4
)
PROGRAMS = lists(NODES).map(lambda nodes: program(*nodes))


@dataclass(frozen=True)
class Case:
    """A program, and the k-th of what it does."""

    whole: Program
    k: int

    @cached_property
    def walked(self) -> list[Walked]:
        return walk(self.whole, most=3 * MOST)

    @property
    def here(self) -> Walked:
        return self.walked[self.k]

    @property
    def later(self) -> list[Walked]:
        return self.walked[self.k + 1 :]

    def left(self, **words: Any) -> Program:
        return after(self.whole, self.here, **words)

    def __repr__(self) -> str:
        return f"{program_text(self.whole)}after {self.here.position}, {self.here.at}, {self.here.passes}"


def after(whole: Program, where: Walked, **words: Any) -> Program:
    return remainder(whole, where.position, where.at, where.passes, **words)


def places(walked: list[Walked]) -> list[int]:
    """Of what is done by the channel."""
    return [k for k, each in enumerate(walked) if each.segment is not None]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    whole = draw(PROGRAMS)
    return Case(whole, draw(st.sampled_from(places(walk(whole)))))


def whats(walked: list[Walked]) -> list[Done | SetPoint]:
    return [each.what for each in walked[:MOST]]


def longest(*wholes: Program) -> int:
    return max(len(segment.techniques) for whole in wholes for segment in segments(whole.nodes))


def follows(whole: Program, where: Walked, ending: Ending | None = None) -> list[Done | SetPoint]:
    """What is done after the chain there is over, as the engine has it."""
    state, commands = react(whole, EngineState(Phase.RUNNING, where.position), ChainEnded(ending))
    applied = [command.set_point for command in commands if isinstance(command, Apply)]
    return [*applied, *(played(whole, state.position) if state.position else [])][:MOST]


@given(PROGRAMS)
def test_the_walk_goes_where_the_engine_goes(whole: Program) -> None:
    state, commands = react(whole, EngineState(), Begin())
    came: list[object] = []
    while state.phase is Phase.RUNNING and len(came) < 50:
        came += [command.set_point for command in commands if isinstance(command, Apply)] + [state.position]
        state, commands = react(whole, state, ChainEnded())
    went: list[object] = []
    for each in walk(whole):
        place = each.what if each.segment is None else each.position
        if each.segment is None or not went or went[-1] != place:
            went.append(place)
    least = min(len(came), len(went))
    assert came[:least] == went[:least]


@given(cases(), st.integers(0, 5))
def test_what_was_done_and_what_is_left_are_the_whole(case: Case, shorter: int) -> None:
    """Also where the instrument holds no longer chain than the program has."""
    most = longest(case.whole) + shorter
    left = case.left(chain_length=most)
    assert played(left) == whats(case.later)
    assert longest(case.whole, left) <= most
    assert replace(left, nodes=case.whole.nodes) == case.whole
    told = replace(case, whole=replace(case.whole, chain_length=most))  # by the program itself
    assert told.left().nodes == left.nodes


@given(cases(), st.floats(0.0, 0.9))
def test_what_was_cut_goes_on_with_what_is_missing(case: Case, part: float) -> None:
    cut = case.here.what
    assert isinstance(cut, Ocv | Cp | Ca)
    left_s = cut.duration_s - part * cut.duration_s
    first, *others = played(case.left(lasted_s=part * cut.duration_s))
    assert first == replace(cut, duration_s=left_s, every_s=min(cut.every_s, left_s))
    assert others == whats(case.later)[: MOST - 1]


@given(cases(), CHOICES, st.integers(0, 5))
def test_what_is_left_of_what_is_left(case: Case, choice: int, shorter: int) -> None:
    most = longest(case.whole) + shorter
    left = case.left(chain_length=most)
    further = walk(left)
    assume(places(further))
    n = places(further)[choice % len(places(further))]
    again = after(left, further[n], chain_length=most)
    assert played(again) == whats(case.later[n + 1 :])
    assert longest(case.whole, again) <= most


@given(cases())
def test_after_a_whole_segment_as_the_engine_goes_on(case: Case) -> None:
    assert played(remainder(case.whole, case.here.position)) == follows(case.whole, case.here)


@given(cases(), st.sampled_from([None, 0.1]))
def test_after_the_end_of_a_loop_as_the_engine_goes_on(case: Case, lasted_s: float | None) -> None:
    left = case.left(then="end loop", lasted_s=lasted_s)
    assert played(left) == follows(case.whole, case.here, LEAVE)


def test_after_the_end_of_the_run_nothing_is_left() -> None:
    assert remainder(program(ONE, TWO), at(0), 0, then="end run").nodes == ()


def may_leave(where: Walked) -> bool:
    return where.segment is not None and (where.segment.loop or len(where.position) > 1)


@given(cases(), CHOICES)
def test_a_loop_is_left_to_where_it_would_have_been(case: Case, choice: int) -> None:
    left = case.left(chain_length=longest(case.whole))
    further = walk(left)
    leaving = [n for n in range(len(further)) if may_leave(case.later[n])]
    assume(leaving)
    n = leaving[choice % len(leaving)]
    assert may_leave(further[n])
    assert follows(left, further[n], LEAVE) == follows(case.whole, case.later[n], LEAVE)


def cycles(whole: Program, walked: list[Walked], step: int) -> Iterator[bool]:
    """Whether a cycle begins with each, as ledger and control count. step: that was done before."""
    before: Walked | None = None
    for each in walked:
        if each.segment is None:
            continue
        level, step = LEVELS[step], each.what.step  # type: ignore[union-attr]
        if before is not None and before.position == each.position:
            yield bool(chain_of(whole, each.segment, 0.0).new_cycle[before.at, each.at])
        else:
            goes_round = before is not None and went_round(before.position, each.position)
            yield goes_round or 0 in each.segment.new_cycle or bool(other_level(level, LEVELS[step]))
        before = each


@given(cases())
def test_cycles_are_counted_on(case: Case) -> None:
    left = case.left(chain_length=longest(case.whole))
    step, further = case.here.what.step, walk(left, most=60)  # type: ignore[union-attr]
    _, *expected = cycles(case.whole, [case.here, *case.later[: len(further)]], step)
    assert list(cycles(left, further, step)) == expected


# --- real programs -------------------------------------------------------------------------------------


def is_run_up(one: Done | SetPoint) -> bool:
    """What may be done once more: a sentinel and the moment before it, a rest, the sweeps of a spectrum."""
    return isinstance(one, Eis) or (isinstance(one, Ocv | Cp | Ca) and one.duration_s <= OCV_BEFORE_PEIS_s)


def is_tested(whole: Program, sweep: Eis, before: Technique | None) -> bool:
    """Whether the limits were tested right before it, under its own current or potential."""
    if not isinstance(before, Cp | Ca) or before.on_test != "stop":
        return False
    level = before.I_A if isinstance(before, Cp) else before.E_V
    return level == sweep.bias and any(whole.end(test.end).kind == "limit" for test in before.tests)


def sweeps_tested(whole: Program) -> dict[Eis, bool]:
    """Of each first sweep of a spectrum, wherever it stands in a chain."""
    found: dict[Eis, bool] = {}
    for segment in segments(whole.nodes):
        for before, each in pairwise([None, *segment.techniques]):
            if isinstance(each, Eis) and not each.continues:
                found[each] = found.get(each, True) and is_tested(whole, each, before)
    return found


@given(st.integers(0, 2**32), st.sampled_from(instruments()), CHOICES, st.sampled_from([None, 0.3]))
def test_real_programs(seed: int, on: str, choice: int, lasted_s: float | None) -> None:
    whole = lower(
        compile_protocol(understand(read_text(protocol(seed), "made.yaml"), {}), CELL), instrument(on)
    )
    walked = walk(whole)
    assume(len(walked) < MOST)
    k = places(walked)[choice % len(places(walked))]
    case = Case(whole, k)
    left = case.left(lasted_s=lasted_s, step_s=1.0)
    done = played(left)
    again = len(done) - len(case.later)  # what comes once more before that
    assert done[again:] == whats(case.later)
    rest_of_it = done[:again]
    cut, segment = case.here.what, case.here.segment
    assert segment is not None
    if lasted_s is not None and segment.tops_up:
        rest_of_it.remove(cut)
    elif lasted_s is not None and again and isinstance(cut, Ocv | Cp | Ca) and not is_run_up(cut):
        first = rest_of_it.pop(0)
        assert isinstance(first, Ocv | Cp | Ca)
        assert first.duration_s == pytest.approx(cut.duration_s - lasted_s)
    assert all(map(is_run_up, rest_of_it))
    assert longest(whole, left) <= instrument(on).chain_length
    tested = sweeps_tested(whole)
    for sweep, is_safe in sweeps_tested(left).items():
        assert is_safe or not tested[sweep]
    for segment in segments(left.nodes):
        first = segment.techniques[0]
        assert not isinstance(first, Eis) or not (first.vs_previous or first.continues)
        if isinstance(first, Cp | Ca) and first.sentinel:
            assert isinstance(segment.techniques[1], Eis)
