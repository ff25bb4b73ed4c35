"""When a chain began, and which ties of the two clocks are kept."""

from __future__ import annotations

import pytest
from hand_made import reading, rows

from nakctl.decide.ties import Start, Tie
from nakctl.run.starting import Started, Starts

NOTHING, ROW = reading(rows()), reading(rows((1.0, 0.1, 0.0, 0, 0)))


class Logbook:
    """As much of one as is needed here; unix_s None: time is virtual."""

    def __init__(self, unix_s: float | None) -> None:
        self.unix_s = unix_s
        self.ties: list[Tie] = []

    def unix_time_s(self) -> float | None:
        return self.unix_s

    def tie(self, tie: Tie) -> None:
        self.ties.append(tie)


def made(unix_s: float | None = 1.7e9) -> tuple[Starts, Logbook]:
    logbook = Logbook(unix_s)
    return Starts(logbook), logbook  # type: ignore[arg-type]


def test_a_start_is_settled_once_and_by_the_first_that_is_said() -> None:
    starts, _ = made()
    assert starts.settle(ROW, None) is None  # none was started
    starts.waiting = Started(10.0, 10.2)
    assert starts.settle(NOTHING, None) is None
    assert starts.settle(ROW, Tie(1.0, 11.1, 0.01)) == Start(pytest.approx(10.1), 0.01)
    assert starts.settle(ROW, Tie(2.0, 12.3, 0.001)) is None


@pytest.mark.parametrize(("unix_s", "kept_s"), [(1.7e9, [20.0]), (None, [])])
def test_the_best_tie_of_a_chain_is_kept_when_the_next_one_begins(
    unix_s: float | None, kept_s: list[float]
) -> None:
    """Afterwards the channel's clock counts from another moment."""
    starts, logbook = made(unix_s)
    for time_s, error_s in ((10.0, 0.1), (20.0, 0.01), (30.0, 0.1)):
        starts.settle(ROW, Tie(time_s, time_s, error_s))
    starts.waiting = Started(40.0, 40.1)
    starts.settle(ROW, Tie(1.0, 41.0, 0.001))
    assert [tie.time_s for tie in logbook.ties] == kept_s
