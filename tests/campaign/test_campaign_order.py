"""Which run may begin next: never two on a channel, nothing where nobody knows how the cell is."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nakctl.campaign.model import OnFailure, Order
from nakctl.campaign.order import Stands, State, held_up, is_over, may_begin

M, R, D, F = State.MISSING, State.RUNNING, State.DONE, State.FAILED
ORDERS, RULES = get_args(Order), get_args(OnFailure)

runs = st.lists(
    st.builds(
        Stands,
        st.sampled_from(["A1", "A2", None]),
        st.sampled_from([M, R, D, F, State.DEAD, State.HELD]),
        st.booleans(),
    ).filter(lambda run: run.channel is not None or run.state is not State.DEAD),
    max_size=8,
)
order, rule = st.sampled_from(ORDERS), st.sampled_from(RULES)

ROWS = [
    # runs as (channel, state) or (channel, state, is safe); together: which begin; one after another
    ([("A1", M), ("A1", M), ("A2", M)], [0, 2], [0]),
    ([("A1", R), ("A1", M), ("A2", M)], [2], []),
    ([("A1", D), ("A1", M), ("A2", M)], [1, 2], [1]),
    ([(None, M), (None, M), ("A1", M)], [0, 1, 2], [0, 1, 2]),
    ([(None, M), ("A1", R), (None, M)], [0, 2], [0, 2]),
    ([("A1", State.DEAD), ("A1", M), ("A2", M)], [2], []),
]


@pytest.mark.parametrize(("rows", "together", "in_turn"), ROWS)
def test_on_each_channel_one(
    rows: list[tuple[str | None, State]], together: list[int], in_turn: list[int]
) -> None:
    stand = [Stands(*row) for row in rows]
    assert may_begin(stand, "together", "go on") == together
    assert may_begin(stand, "one after another", "go on") == in_turn


def test_after_a_failure() -> None:
    failed = [Stands("A1", F), Stands("A1", M), Stands("A2", M), Stands(None, M)]
    assert may_begin(failed, "together", "stop") == []
    assert may_begin(failed, "together", "go on") == [1, 2, 3]
    unsafe = [replace(failed[0], is_safe=False), *failed[1:]]
    assert may_begin(unsafe, "together", "go on") == [2, 3]
    assert held_up(unsafe, "together", "go on") == {1: "nobody knows how the cell on A1 is"}
    assert held_up(failed, "together", "stop") == dict.fromkeys((1, 2, 3), "another run failed")
    of_another = [replace(unsafe[0], state=State.HELD), *failed[1:]]
    assert may_begin(of_another, "together", "stop") == [2, 3]
    dead = [Stands("A1", State.DEAD), *failed[1:]]
    assert may_begin(dead, "together", "stop") == []
    assert {*held_up(dead, "together", "stop").values()} == {"a run whose program is gone has not ended"}


@given(runs, order, rule)
def test_what_begins_is_missing_and_safe(runs: list[Stands], order: Order, rule: OnFailure) -> None:
    begun = may_begin(runs, order, rule)
    channels = [runs[n].channel for n in begun if runs[n].channel is not None]
    assert all(runs[n].state is M for n in begun)
    assert len(channels) == len(set(channels))
    for run in runs:
        unknown = run.state is State.DEAD or (run.state in (F, State.HELD) and not run.is_safe)
        if run.channel is not None and (unknown or run.state is R):
            assert run.channel not in channels
    if rule == "stop" and any(run.state in (F, State.DEAD) for run in runs):
        assert begun == []
    if order == "one after another":
        assert len(channels) + sum(run.state is R for run in runs if run.channel) <= max(
            1, sum(run.state is R for run in runs if run.channel)
        )


@given(runs, order, rule, st.data())
def test_in_the_end_each_is_over_or_held(
    runs: list[Stands], order: Order, rule: OnFailure, data: st.DataObject
) -> None:
    """Whatever becomes of those that begin."""
    runs = list(runs)
    for _ in range(3 * len(runs) + 1):
        for number in may_begin(runs, order, rule):
            runs[number] = replace(runs[number], state=R)
        going = [number for number, run in enumerate(runs) if run.state is R]
        if not going:
            break
        number = data.draw(st.sampled_from(going))
        runs[number] = replace(
            runs[number], state=data.draw(st.sampled_from([D, F])), is_safe=data.draw(st.booleans())
        )
    assert is_over(runs, order, rule)
    missing = {number for number, run in enumerate(runs) if run.state is M}
    assert set(held_up(runs, order, rule)) == missing
