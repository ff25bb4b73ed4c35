"""Two clocks, and when a chain began."""

from __future__ import annotations

import pytest

from nakctl.decide.ties import Start, Tie, TIE_EVERY_s, Ties, start_of, tie
from nakctl.device.channel import Look


def look(elapsed_s: float, running: bool = True) -> Look:
    return Look(running, 0.0, 0.0, elapsed_s)


@pytest.mark.parametrize("said", [None, look(float("nan")), look(0.0), look(5.0, running=False)])
def test_what_says_nothing_ties_nothing(said: Look | None) -> None:
    assert tie(said, 1.0, 2.0) is None


def test_a_tie_is_as_good_as_the_call_and_the_instrument_s_digits() -> None:
    found = tie(look(1.8e6), 100.0, 100.2)
    assert found is not None
    assert found.time_s == pytest.approx(100.1)
    assert found.error_s == pytest.approx(0.1 + 1.8e6 / 2**24)


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (None, Start(10.2, pytest.approx(0.2))),
        (Tie(1.0, 11.1, 0.01), Start(pytest.approx(10.1), 0.01)),  # within the call, and better known
        (Tie(1.0, 11.1, 0.5), Start(10.2, pytest.approx(0.2))),  # no better than the stamps
        (Tie(5.0, 14.95, 0.1), Start(10.0, 0.1)),  # as far as it can tell before the call, but not really
        (Tie(0.5, 14.0, 0.01), Start(pytest.approx(13.5), 0.01)),  # it began long after the call
        (Tie(99.0, 11.0, 0.01), Start(10.2, pytest.approx(0.2))),  # its clock counts from somewhere else
    ],
)
def test_when_a_chain_began(first: Tie | None, expected: Start) -> None:
    assert start_of(10.0, 10.2, first) == expected


def test_the_best_tie_of_ten_minutes_is_kept() -> None:
    ties = Ties()
    kept = [ties.add(Tie(t, t, 0.1 - 0.01 * (t == 300))) for t in range(0, int(2 * TIE_EVERY_s), 100)]
    assert [each.time_s for each in kept if each is not None] == [300]
    last = ties.take()
    assert last is not None and last.time_s > 600
