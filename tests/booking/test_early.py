"""A chain that goes on after a technique that had no time to be done: something else ended it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hand_made import book, cp, geis, info, loop, points, program, reading, rest, rows
from hypothesis import given
from hypothesis import strategies as st

from nakctl.booking import layout
from nakctl.booking.ledger import Ledger
from nakctl.device.channel import Flag, Visit
from nakctl.device.program import Segment

SWEEP = geis(1, frequencies=10)
CUT = "step 1 step was left after 4 of 10 frequencies, and no test explains it"


def told(segment: Segment, *readings) -> str:
    ledger = Ledger(program(segment, steps=[info(1), info(2)]), layout.SAMPLES.dtype)
    ledger.open_segment(segment, 100.0, False)
    for each in readings:
        book(ledger, each)
    return ledger.left_early


def swept(count: int, every_s: float = 0.4) -> np.ndarray:
    return points(*((every_s * (n + 1), 1e3 / (n + 1), 0, 0) for n in range(count)))


@pytest.mark.parametrize(
    ("count", "later_s", "text"),
    [
        (10, 0.0, ""),
        (4, 0.1, CUT),
        (4, 2.4, ""),  # there was time: rows are lost, and their driver says so
        (9, 0.1, CUT.replace("4", "9")),
        (9, 0.3, ""),
        (1, 0.04, CUT.replace("4", "1")),
        (1, 3.7, ""),
    ],
)
def test_a_sweep_whose_frequencies_had_no_time(count: int, later_s: float, text: str) -> None:
    points_ = swept(count)
    after = rows((0.4 * count + later_s, 0, 0, 1, 0))
    assert told(Segment((SWEEP, rest(2))), reading(after, points_)) == text


def test_a_sweep_that_goes_up_is_not_judged() -> None:
    """Its further frequencies may take a part of what its first ones took."""
    upward = replace(SWEEP, f_first_Hz=10.0, f_last_Hz=1e3)
    assert told(Segment((upward, rest(2))), reading(rows((1.7, 0, 0, 1, 0)), swept(4))) == ""


@pytest.mark.parametrize(("later_s", "text"), [(0.1, "1 of 3"), (9.0, "1 of 3"), (20.0, "")])
def test_no_frequency_takes_less_than_its_periods(later_s: float, text: str) -> None:
    slow = replace(SWEEP, f_first_Hz=10.0, f_last_Hz=0.1, n_frequencies=3)
    found = told(Segment((slow, rest(2))), reading(rows((0.4 + later_s, 0, 0, 1, 0)), swept(1)))
    assert text in found
    assert bool(found) == bool(text)


def test_a_row_whose_time_was_none_tells_of_nothing() -> None:
    after = rows((1.7, 0, 0, 1, 0), flag=Flag.BAD_TIME)
    assert told(Segment((SWEEP, rest(2))), reading(after, swept(4))) == ""


@given(cut=st.integers(0, 4), passes=st.integers(1, 3))
def test_how_reads_are_cut_does_not_matter(cut: int, passes: int) -> None:
    segment = Segment((SWEEP, rest(2), loop(0, 5)))
    whole = [points(*((20 * n + 0.4 * (k + 1), 100.0, 0, n) for k in range(10))) for n in range(passes)]
    ends = [rows((20 * n + 4, 0, 0, 1, n), (20 * n + 14, 0, 0, 1, n)) for n in range(passes)]
    before = [reading(end, sweep) for sweep, end in zip(whole, ends, strict=True)]
    last = points(*((20 * passes + 0.4 * (k + 1), 100.0, 0, passes) for k in range(4)))
    after = rows((20 * passes + 1.65, 0, 0, 1, passes))
    pieces = reading(rows(), last[:cut]), reading(after, last[cut:])
    assert told(segment, *before) == ""
    assert told(segment, *before, *pieces) == CUT


@pytest.mark.parametrize("later_s", [0.1, 4.0])
def test_what_had_no_time_for_its_first_row(later_s: float) -> None:
    """A hundred frequencies do not fit into 0.1 s."""
    segment = Segment((cp(1), geis(1, frequencies=100), rest(2)))
    found = told(segment, reading(rows((10, 0, 1e-3, 0, 0), (10 + later_s, 0, 0, 2, 0))))
    skipped = "what runs after step 1 step was left before its first row, and no test explains it"
    assert found == (skipped if later_s < 0.5 else "")


def test_a_loop_is_followed_back_for_what_was_skipped() -> None:
    segment = Segment((geis(1, frequencies=100), cp(1), loop(0, 5, passes=False)))
    parts = rows((60, 0, 1e-3, 1, 0), (70, 0, 1e-3, 1, 0), (80, 0, 1e-3, 1, 1)), points((50, 1e3, 0, 0))
    assert told(segment, reading(*parts)) == ""
    hasty = rows((60, 0, 1e-3, 1, 0), (70, 0, 1e-3, 1, 0), (70.1, 0, 1e-3, 1, 1))
    assert "before its first row" in told(segment, reading(hasty, parts[1]))


@pytest.mark.parametrize(
    ("start_s", "text"),
    [
        (10.0, ""),
        (9.5, "step 1 step was left after 9.55 of 10 s, and no test explains it"),
        (9.96, ""),  # its clock is told in single precision
        (0.0, ""),  # not between the rows: it means something else
        (11.0, ""),
    ],
)
def test_the_channel_says_when_a_sweep_began_whose_first_row_comes_late(start_s: float, text: str) -> None:
    segment = Segment((rest(1), SWEEP))
    data = rows((0, 0, 0, 0, 0), (9, 0, 0, 0, 0)), points((10.3, 1e3, 1, 0))
    newest = replace(reading(*data), visit=Visit(1, 0, start_s))
    assert told(segment, newest) == text
