"""Where a run ends that somebody asked to end after the step, the cycle or the spectrum."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hand_made import cp, geis, info, loop, program, rest
from hypothesis import given
from hypothesis import strategies as st
from walking import Walked, walk

from nakctl.booking.ending import Ending
from nakctl.decide.after import (
    Place,
    Wish,
    ending,
    entered,
    instead,
    is_over,
    is_too_late,
    met,
    place_of,
    steps_around,
)
from nakctl.decide.engine import (
    Begin,
    ChainEnded,
    EngineState,
    Finish,
    Interrupted,
    Load,
    Replaced,
    react,
    went_round,
)
from nakctl.device.channel import Visit
from nakctl.device.program import HostLoop, Node, Program, Segment, SetPoint, played
from nakctl.errors import NO_MARK

# rest, [strip, plate] x 3 by the instrument, rest | [strip | plate] x 2 by the host | rest
INNER = Segment((rest(1), cp(2), cp(3), loop(1, 3), rest(4)))
BY_HOST = HostLoop((Segment((cp(5),)), Segment((cp(6),))), 2)
PROGRAM = Program(
    "SP-300", 1.0, (INNER, BY_HOST, Segment((rest(7),))), tuple(info(number) for number in range(1, 8))
)
NESTED = program(
    Segment((cp(1), cp(2), loop(0, 2), cp(3), loop(0, 4), rest(4))),
    steps=[info(number) for number in range(1, 5)],
)
LEVELS = program(
    Segment((rest(1), cp(2), cp(3), cp(4), cp(5), rest(6))),
    steps=[info(1), info(2, 1), info(3, 1), info(4, 2), info(5, 2), info(6)],
)


def wish(after: str, step: int = 2, cycle: int = 1, spectra: int = 0, step_id: int = 2) -> Wish:
    return Wish(after, "ada@pc", Place(step, cycle, spectra, step_id))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "place", "over"),
    [
        (wish("step"), Place(2, 1, 9, 2), False),
        (wish("step"), Place(3, 1, 0, 3), True),
        (wish("step"), Place(3, 2, 0, 2), True),  # the same step in the next pass
        (wish("cycle"), Place(3, 1, 9, 3), False),
        (wish("cycle"), Place(4, 2, 0, 2), True),
        (wish("cycle"), Place(4, 1, 0, 4), True),  # out of its loop
        (wish("cycle", step=1, step_id=1), Place(2, 1, 0, 2), False),  # from outside into one: in its first pass
        (wish("cycle", step=1, step_id=1), Place(4, 2, 0, 2), True),
        (wish("cycle", step=20, cycle=3, step_id=7), Place(20, 3, 0, 7), False),
        (wish("cycle", step=9, cycle=4, step_id=5), Place(10, 4, 0, 6), False),
        (wish("cycle", step=9, cycle=5, step_id=6), Place(10, 5, 0, 7), True),
        (wish("spectrum", spectra=2), Place(7, 7, 2, 4), False),
        (wish("spectrum", spectra=2), Place(2, 1, 3, 2), True),
    ],
)  # fmt: skip
def test_whether_the_boundary_lies_before_a_place(asked: Wish, place: Place, over: bool) -> None:
    assert is_over(PROGRAM, asked, place) is over


@pytest.mark.parametrize(
    ("of", "step", "around"),
    [
        (PROGRAM, 1, None),
        (PROGRAM, 3, {2, 3}),
        (PROGRAM, 4, None),
        (PROGRAM, 6, {5, 6}),
        (PROGRAM, 7, None),
        (NESTED, 1, {1, 2}),  # the innermost
        (NESTED, 3, {1, 2, 3}),
        (NESTED, 4, None),
        (LEVELS, 1, None),
        (LEVELS, 3, {2, 3}),
        (LEVELS, 4, {4, 5}),
    ],
)
def test_the_steps_of_the_loop_or_level_around_a_step(
    of: Program, step: int, around: set[int] | None
) -> None:
    assert steps_around(of, step) == around


def test_loops_that_are_no_cycles_do_not_count() -> None:
    several = program(Segment((geis(1), loop(0, 5, passes=False), rest(2))), steps=[info(1), info(2)])
    assert steps_around(several, 1) is None
    once = Program(
        "SP-300", 1.0, (HostLoop((Segment((cp(1),)),), 1), Segment((rest(2),))), (info(1), info(2))
    )
    assert steps_around(once, 1) is None


@pytest.mark.parametrize(
    ("place", "segment", "new_cycle", "then"),
    [
        (Place(0, 1, 0, 0), Segment((rest(1),)), False, Place(1, 1, 0, 1)),
        (Place(3, 2, 0, 2), Segment((cp(3),)), False, Place(4, 2, 0, 3)),
        (Place(3, 2, 0, 2), Segment((cp(2),)), False, Place(3, 2, 0, 2)),  # the step goes on
        (Place(3, 2, 0, 2), Segment((cp(2),), tops_up=True), False, Place(3, 2, 0, 2)),
        (Place(3, 2, 0, 2), Segment((cp(2),)), True, Place(4, 3, 0, 2)),
        (Place(3, 2, 0, 2), Segment((cp(2),), new_cycle=(0,)), False, Place(4, 3, 0, 2)),
    ],
)
def test_the_place_with_the_first_row_of_a_chain(
    place: Place, segment: Segment, new_cycle: bool, then: Place
) -> None:
    assert entered(PROGRAM, place, segment, new_cycle=new_cycle) == then


def test_from_one_level_to_the_next_a_cycle_begins() -> None:
    assert entered(LEVELS, Place(3, 2, 0, 3), Segment((cp(4),)), new_cycle=False) == Place(4, 3, 0, 4)


@pytest.mark.parametrize(
    ("at", "passes", "ends"),
    [(1, 0, False), (1, 1, True), (0, 0, True)],
    ids=["a pass", "the last", "a hold"],
)
def test_the_last_spectrum_of_a_chain_needs_no_stop(at: int, passes: int, ends: bool) -> None:
    """A hold behind a spectrum would go on; where nothing does, what follows is decided at the chain's end."""
    segment = Segment((cp(1), geis(2), loop(0, 2)))
    of = program(segment, steps=[info(1), info(2)])
    found = met(of, [wish("spectrum")], Place(2, 1, 1, 2), segment, Visit(at, passes, 0.0))
    assert (found is None) is (ends and at == 1)
    if found is not None:
        assert found == Ending("end run", "stopped by ada@pc after spectrum 1", "aborted", "operator")


def test_the_first_of_several_wishes_that_has_come_counts() -> None:
    both = [wish("cycle"), replace(wish("step"), who="bob@pc")]
    found = met(PROGRAM, both, Place(3, 1, 0, 3), INNER, Visit(2, 0, 0.0))
    assert found is not None
    assert found.reason == "stopped by bob@pc after step 2 step"
    assert met(PROGRAM, both, Place(2, 1, 0, 2), INNER, Visit(1, 0, 0.0)) is None


PAUSE = replace(wish("step"), verb="pause", why="cup empty")
SKIP = replace(wish("now"), verb="skip")


def test_a_pause_at_a_boundary_leaves_all_of_the_program() -> None:
    found = met(PROGRAM, [PAUSE], Place(3, 1, 0, 3), INNER, Visit(2, 0, 0.0))
    reason = "paused by ada@pc after step 2 step: cup empty"
    assert found == Ending("go on", reason, "aborted", "operator")
    assert met(PROGRAM, [PAUSE], Place(2, 1, 0, 2), INNER, Visit(1, 0, 0.0)) is None


def test_now_is_a_boundary_everywhere() -> None:
    now = replace(PAUSE, after="now", why="")
    found = met(PROGRAM, [now], Place(2, 1, 0, 2), INNER, Visit(1, 0, 0.0))
    assert found == Ending("go on", "paused by ada@pc", "aborted", "operator")


def test_a_step_is_skipped_as_long_as_it_goes_on() -> None:
    found = met(PROGRAM, [SKIP], Place(2, 1, 0, 2), INNER, Visit(1, 0, 0.0))
    assert found == Ending("next step", "skipped by ada@pc", "aborted", "skipped")
    assert met(PROGRAM, [SKIP], Place(3, 1, 0, 3), INNER, Visit(2, 0, 0.0)) is None
    assert is_too_late(SKIP, Place(3, 1, 0, 3))
    assert not is_too_late(SKIP, Place(2, 1, 0, 2))
    assert not is_too_late(PAUSE, Place(3, 1, 0, 3))


@pytest.mark.parametrize("wishes", [[SKIP, PAUSE, wish("step")], [PAUSE, SKIP, wish("step")]])
def test_of_several_the_gravest_counts(wishes: list[Wish]) -> None:
    now = [replace(each, after="now") for each in wishes]
    found = met(PROGRAM, now, Place(2, 1, 0, 2), INNER, Visit(1, 0, 0.0))
    assert found is not None
    assert found.then == "end run"
    found = met(PROGRAM, now[:2], Place(2, 1, 0, 2), INNER, Visit(1, 0, 0.0))
    assert found is not None
    assert found.then == "go on"


@pytest.mark.parametrize("event", [ChainEnded(), Replaced()])
def test_between_two_chains_a_pause_comes_before_what_is_next(event: ChainEnded | Replaced) -> None:
    """Also where what is left of the program would go on."""
    here = Place(7, 3, 0, 4)
    asked = replace(PAUSE, place=here)
    found = instead(PROGRAM, at(0), event, [SKIP, asked], here)
    assert found == ChainEnded(ending(PROGRAM, asked))


def at(*indices: int, of: Program = PROGRAM) -> EngineState:
    state, _ = react(of, EngineState(), Begin())
    while tuple(frame.index for frame in state.position) != indices:
        state, _ = react(of, state, ChainEnded())
    return state


SET = SetPoint("oven", 300.0, "300 K", "set", NO_MARK)


def test_what_the_host_does_on_the_way_is_behind_the_boundary() -> None:
    of = Program("SP-300", 1.0, (Segment((rest(1),)), SET, Segment((rest(2),))), (info(1), info(2)))
    event = instead(of, at(0, of=of), ChainEnded(), [wish("step", 1, step_id=1)], Place(1, 1, 0, 1))
    _, commands = react(of, at(0, of=of), event)
    assert [type(each) for each in commands] == [Finish]


@pytest.mark.parametrize(
    "event",
    [ChainEnded(), ChainEnded(Ending("next step", "Ewe above 1 V", kind="cutoff"))],
    ids=["done", "cutoff"],
)
def test_where_nothing_follows_the_run_ends_as_it_does(event: ChainEnded) -> None:
    assert instead(PROGRAM, at(2), event, [wish("step", 9, step_id=7)], Place(9, 4, 0, 7)) == event


@pytest.mark.parametrize("kind", ["limit", "interrupted"])
def test_an_end_of_the_run_stays_what_it_is(kind: str) -> None:
    event = ChainEnded(Ending("end run", "for another reason", "stopped", kind))
    assert instead(PROGRAM, at(0), event, [wish("step")], Place(2, 1, 0, 2)) == event


def test_other_events_and_runs_that_nobody_asked_stay_as_they_are() -> None:
    asked = Interrupted(Ending("end run", "stopped by the operator", "aborted", "operator"))
    assert instead(PROGRAM, at(0), asked, [wish("step")], Place(2, 1, 0, 2)) == asked
    assert instead(PROGRAM, at(0), ChainEnded(), [], Place(2, 1, 0, 2)) == ChainEnded()


# --- any program --------------------------------------------------------------------------------------------


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Chains of one to three holds, some with a loop, in loops of the host that may lie in another."""
    steps = 0

    def chain() -> Segment:
        nonlocal steps
        count = draw(st.integers(1, 3))
        holds = tuple(cp(steps + number) for number in range(1, count + 1))
        steps += count
        times = draw(st.integers(1, 3))
        return Segment((*holds, loop(draw(st.integers(0, count - 1)), times)) if times > 1 else holds)

    def nodes(depth: int) -> tuple[Node, ...]:
        found: list[Node] = []
        for _ in range(draw(st.integers(1, 3))):
            host = depth < 2 and draw(st.booleans())
            found.append(HostLoop(nodes(depth + 1), draw(st.integers(2, 3))) if host else chain())
        return tuple(found)

    made = nodes(0)
    return Program("SP-300", 1.0, made, tuple(info(number) for number in range(1, steps + 1)))


def chains_until_it_ends(of: Program, asked_in: int, after: str) -> tuple[list[int], Ending]:
    """First steps of the chains that are loaded, where somebody asks in the chain of that number.

    In a chain that goes through several steps it is asked in the last one.
    """
    state, commands = react(of, EngineState(), Begin())
    place, wishes, loaded = Place(0, 1, 0, 0), [], []
    new_cycle = False
    for _ in range(2000):
        last = commands[-1]
        if isinstance(last, Finish):
            return loaded, last.ending
        assert isinstance(last, Load)
        loaded.append(played(last.segment.techniques)[0].step)
        place = entered(of, place, last.segment, new_cycle=new_cycle)
        more = len(played(last.segment.techniques)) - 1
        place = replace(place, step=place.step + more, step_id=played(last.segment.techniques)[-1].step)
        if len(loaded) == asked_in:
            wishes = [wish(after, place.step, place.cycle, 0, place.step_id)]
        before = state
        event = instead(of, state, ChainEnded(), wishes, place)
        state, commands = react(of, state, event)
        new_cycle = went_round(before.position, state.position)
    raise AssertionError("no end")


def chains_of(walked: list[Walked]) -> list[Walked]:
    """The first technique of each chain that a walk goes through."""
    first = walked[:1]
    for one, other in pairwise(walked):
        if other.position != one.position:
            first.append(other)
    return first


@given(programs(), st.data())
def test_after_the_step_no_further_chain_is_loaded_and_after_the_cycle_none_of_another_pass(
    of: Program, data: st.DataObject
) -> None:
    planned = [each.what.step for each in chains_of(walk(of, most=5000))]  # type: ignore[union-attr]
    asked_in = data.draw(st.integers(1, len(planned)))
    loaded, ending = chains_until_it_ends(of, asked_in, "step")
    assert loaded == planned[:asked_in]  # each step is of one chain
    assert (ending.status == "completed") is (asked_in == len(planned))
    loaded, ending = chains_until_it_ends(of, asked_in, "cycle")
    assert loaded == planned[: len(loaded)]
    assert len(loaded) >= asked_in
    assert (ending.status == "completed") is (len(loaded) == len(planned))
    again = [step for step in loaded[asked_in:] if step == loaded[asked_in - 1]]
    assert again == []  # another pass would have come to it again


def test_a_place_of_a_book_without_rows() -> None:
    from nakctl.booking import layout
    from nakctl.booking.ledger import Ledger

    assert place_of(Ledger(PROGRAM, layout.SAMPLES.dtype)) == Place(0, 1, 0, 0)
