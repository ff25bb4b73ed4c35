"""What a successor has to know: all of it, never more than 4 kB, and nothing that is damaged."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from biologic_bench import (
    LONG,
    NOTHING,
    PULSES,
    SP300,
    Bench,
    bench,
    block,
    chain,
    cp,
    eis,
    ocv,
    successor,
    through_json,
    under_current,
    visits_of,
)
from hypothesis import given
from hypothesis import strategies as st

from nakctl.device.channel import State, Visit
from nakctl.device.program import Loop, Segment
from nakctl.errors import ChannelError
from nakctl_biologic.link import LONGEST_MARK
from nakctl_biologic.raw import NO_ROWS
from nakctl_biologic.visits import MOST_HELD_WORDS


def damaged(memo: dict[str, Any]) -> list[dict[str, Any]]:
    """Each word missing, or nonsense; but for the mark, and what is a yes or a no."""
    visits = memo["visits"]
    found = [without(name, memo) for name in memo.keys() - {"mark"}]
    found += [memo | {name: "x"} for name in memo.keys() - {"mark", "over", "unfit"}]
    found += [memo | {"visits": without(name, visits)} for name in visits]
    return found + [memo | {"visits": visits | {name: "x"}} for name in visits]


def without(name: str, words: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in words.items() if key != name}


def test_a_damaged_memo_is_refused_in_plain_words() -> None:
    one = under_current()
    memo = through_json(one.channel.read(NOTHING).memo)
    for each in damaged(memo):
        with pytest.raises(ChannelError, match=r"does not belong to this segment, or to this nakctl$"):
            successor(one).adopt(LONG, each)
    successor(one).adopt(LONG, memo)


def test_the_memo_of_another_segment_is_refused() -> None:
    one = bench()
    memo = run_and_remember(one, chain(ocv(1.0), cp(1e-4, 1.0)))
    with pytest.raises(ChannelError, match="does not belong to this segment"):
        successor(one).adopt(chain(ocv(1.0)), memo)


def run_and_remember(one: Bench, segment: Segment) -> dict[str, Any]:
    one.channel.load(segment)
    one.channel.start()
    reading = one.channel.read(NOTHING)
    while reading.state is State.RUNNING:
        one.clock.sleep(0.1)
        reading = one.channel.read(NOTHING)
    return through_json(reading.memo)


def overloaded(at: int, loop: int, start_s: float, rows: int = 1) -> Any:
    """A block at the end of every range, with times that go back."""
    row = [0, 5, 0x027FFFFF, 0x027FFFFF, 0]
    return block([row] * rows, 155, technique=at, loop=loop, start_s=start_s, timebase_s=7e-5, lost=2**31 - 1)


def test_the_largest_memo_there_is() -> None:
    """The longest chain, numbers with all their digits, everything told, a block held, the longest mark."""
    segment = chain(*[cp(1e-4, 2.0)] * (SP300.chain_length - 1), Loop(0, None, passes=True))
    visits, last = visits_of(segment), SP300.chain_length - 2
    for loop in range(2):
        for at in range(last + 1):
            start_s = math.pi * 1e5 * (1 + loop + at / 100.0)
            visits.take(overloaded(at, -(2**31) + loop, start_s))
            visits.release()
    held = overloaded(0, 2**31 - 1, math.pi * 1e6, rows=MOST_HELD_WORDS // 5)
    visits.take(held)
    assert visits.holds
    memo = {
        "mark": "m" * LONGEST_MARK,
        "over": False,
        "unfit": False,
        "unanswered": 2**31,
        "course": [False, False, False],
        "told": [-(2**31), -(2**31)],
        "visits": visits.memo(),
    }
    assert set(memo) == set(under_current().channel.read(NOTHING).memo)
    assert 3600 < len(json.dumps(memo)) <= 4096


def test_large_blocks_are_not_held() -> None:
    visits = visits_of(chain(cp(), ocv()))
    visits.take(block([[0, 1, 0, 0, 0]], 155, timebase_s=4e-5))
    rows = [[0, 1 + n, 0] for n in range(MOST_HELD_WORDS // 3 + 1)]
    first = block(rows, 100, technique=1, start_s=2.0, timebase_s=2e-5)
    assert len(visits.take(first).samples) == len(rows)


# Blocks as they may come, in any order: whoever recalls a memo takes the next one as the first would have.
places = st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from([math.nan, 0.0, 1.0, 2.0, 4.0]))
BY_CHANCE = chain(cp(), eis(n=2, hold_s=0.5), cp(), Loop(0, 3, passes=True))


@st.composite
def some_block(draw: st.DrawFn) -> Any:
    at, loop, start_s = draw(places)
    n, tick = draw(st.integers(1, 3)), draw(st.sampled_from([1, 20_000, 50_000]))
    lost = draw(st.sampled_from([0, 0, 3]))
    if at != 1:
        rows = [[0, tick + k, 0, 0, 0] for k in range(n)]
        return block(rows, 155, technique=at, loop=loop, start_s=start_s, timebase_s=4e-5, lost=lost)
    if draw(st.booleans()):
        rows = [[0, tick + k, 0, 0] for k in range(n)]
        return block(rows, 107, technique=at, loop=loop, start_s=start_s, timebase_s=2.4e-5, lost=lost)
    time = draw(st.sampled_from([0x00000000, 0x01000000, 0x02000000]))  # 1, 2 and 4 s
    rows = [[0x09000000, 0, 0, 0, 0, 0, *[7] * 7, time]] * n
    return block(rows, 107, process=1, technique=at, loop=loop, start_s=start_s, timebase_s=2.4e-5, lost=lost)


@given(st.lists(st.tuples(some_block(), st.integers(0, 2), st.booleans()), max_size=12))
def test_whatever_came_before(blocks: list[tuple[Any, int, bool]]) -> None:
    one, other = visits_of(BY_CHANCE), visits_of(BY_CHANCE)
    for each, unanswered, silent in blocks:
        for _ in range(2 if silent else 1):
            memo = through_json(other.memo())
            other = visits_of(BY_CHANCE)
            other.recall(memo)
            assert other.memo() == memo
            took, takes = one.hear(each, unanswered), other.hear(each, unanswered)
            assert took.samples.tobytes() == takes.samples.tobytes()
            assert took.points.tobytes() == takes.points.tobytes()
            assert repr(took.notices) == repr(takes.notices)
            assert (one.newest, one.last_s, one.holds) == (other.newest, other.last_s, other.holds)
            each = NO_ROWS
    assert one.finish() == other.finish()


def test_the_pass_before_is_remembered() -> None:
    """Its late row is told, and makes no pass of its own."""
    segment = chain(cp(), Loop(0, 3, passes=True))
    visits, recalled = visits_of(segment), visits_of(segment)
    for loop, start_s in ((0, 1.0), (1, 3.0)):
        row = block([[0, 50_000, 0, 0, 0]], 155, loop=loop, start_s=start_s, timebase_s=4e-5)
        visits.take(row)
        visits.release()
    recalled.recall(through_json(visits.memo()))
    late = recalled.take(block([[0, 50_001, 0, 0, 0]], 155, loop=0, start_s=1.0, timebase_s=4e-5))
    assert (len(late.samples), [notice.code for notice in late.notices]) == (0, ["gap"])


def test_the_newest_visit_is_remembered() -> None:
    one = bench()
    memo = run_and_remember(one, PULSES)
    channel = successor(one)
    channel.adopt(PULSES, memo)
    reading = channel.read(NOTHING)
    assert reading.visit is not None
    assert reading.visit == Visit(1, 4, reading.visit.start_s)
    assert (reading.state, reading.memo) == (State.STOPPED, memo)
