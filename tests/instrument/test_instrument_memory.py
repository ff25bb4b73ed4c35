"""A channel's memory: rows come in order, and those that are gone leave nothing behind."""

from __future__ import annotations

import numpy as np

from nakctl_sim.instrument.memory import WORD_BYTES, Group, Memory

SAMPLES, POINTS = (Group(0, 0, process, 0, 0, 0.0, 2e-5) for process in (0, 1))


def memory(*lots: tuple[Group, list[float]]) -> Memory:
    """Rows of two words: the first one is their time."""
    made = Memory(1000)
    for group, times_s in lots:
        words = np.array([[int(time_s), 0] for time_s in times_s], np.uint32)
        made.add(group, words, np.array(times_s))
    return made


def taken(made: Memory) -> list[tuple[int, list[int]]]:
    """Process and times of what comes, until nothing does."""
    found = []
    while (lot := made.take()) is not None:
        found.append((lot[0].process, lot[1][:, 0].tolist()))
    return found


def test_rows_that_belong_together_come_together_and_in_their_order() -> None:
    made = memory((SAMPLES, [1, 2]), (SAMPLES, [3]), (POINTS, [4]), (SAMPLES, [5]))
    assert made.filled == 5 * 2 * WORD_BYTES
    assert taken(made) == [(0, [1, 2, 3]), (1, [4]), (0, [5])]
    assert made.filled == 0


def test_of_what_expires_nothing_is_left_not_even_an_empty_lot() -> None:
    made = memory((POINTS, [1, 2]), (SAMPLES, [1, 2]), (POINTS, [3, 4]))
    assert made.expire(1, 4.0) == 3
    assert made.filled == 3 * 2 * WORD_BYTES
    assert taken(made) == [(0, [1, 2]), (1, [4])]


def test_the_oldest_or_the_newest_are_dropped_until_the_rest_fits() -> None:
    for drop, left in (("make_room", [(1, [4])]), ("drop_newest", [(0, [1])])):
        made = memory((SAMPLES, [1, 2, 3]), (POINTS, [4]))
        made.room = 2 * WORD_BYTES
        assert getattr(made, drop)() == 3
        assert taken(made) == left
