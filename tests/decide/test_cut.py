"""Where a chain was cut, and what is left behind it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hand_made import cp, geis, info, loop, program, rest

from nakctl.booking.ending import Ending
from nakctl.booking.ledger import LastRows
from nakctl.booking.spectra import Swept
from nakctl.decide.cut import Cut, cut_at, is_cut, is_whole, left_behind
from nakctl.decide.engine import Frame
from nakctl.device.channel import Visit
from nakctl.device.program import Segment

# a rest, a hold and a spectrum of three frequencies, twice; holds take 10 s
CHAIN = Segment((rest(1), cp(2), geis(3), loop(0, 2)))
OF = program(CHAIN, Segment((rest(4),)), steps=[info(number) for number in range(1, 5)])
HERE = (Frame(0),)
PAUSED = Ending("go on", "paused by ada@pc", "aborted", "operator")
SKIPPED = Ending("next step", "skipped by ada@pc", "aborted", "skipped")


def last(technique: int, passes: int, start_s: float, time_s: float, points: int = 0) -> LastRows:
    return LastRows(Visit(technique, passes, start_s), time_s, 0.0, 0.0, None, Swept(points))


@pytest.mark.parametrize(
    ("rows", "elapsed_s", "cut"),
    [
        (None, 0.0, Cut(0, 0, 0.0)),  # no row came
        (None, 0.3, Cut(0, 0, 0.3)),
        (last(0, 0, 0.0, 4.0), 4.5, Cut(0, 0, 4.5)),  # it was seen to run on after its last row
        (last(0, 0, 0.0, 4.0), 3.0, Cut(0, 0, 4.0)),  # nobody looked since
        (last(1, 0, 10.0, 12.0), 12.0, Cut(1, 0, 2.0)),
        (last(1, 1, 40.0, 49.999), 49.999, Cut(1, 1, None)),  # there is no shorter technique
        (last(2, 0, 20.0, 21.0, 2), 21.0, Cut(2, 0, 0.0)),  # a sweep begins anew
        (last(2, 0, 20.0, 22.0, 3), 22.0, Cut(2, 0, None)),
    ],
)
def test_where_it_was_cut(rows: LastRows | None, elapsed_s: float, cut: Cut) -> None:
    assert cut_at(CHAIN, rows and rows.visit, rows, elapsed_s) == cut


@pytest.mark.parametrize(
    ("cut", "whole"),
    [(Cut(2, 1, None), True), (Cut(2, 0, None), False), (Cut(2, 1, 0.0), False), (Cut(1, 1, None), False)],
)
def test_whether_it_was_done_all_the_same(cut: Cut, whole: bool) -> None:
    assert is_whole(CHAIN, cut) is whole


@pytest.mark.parametrize(
    ("cut", "ending", "first"),
    [
        (Cut(1, 1, 4.0), PAUSED, replace(cp(2), duration_s=6.0)),
        (Cut(1, 1, None), PAUSED, geis(3)),
        (Cut(1, 1, 4.0), SKIPPED, geis(3)),
        (Cut(2, 1, 0.0), SKIPPED, rest(4)),
        (None, None, rest(4)),  # it was done
        (None, Ending("next step", "Ewe above 1 V"), rest(4)),
        (None, Ending("end loop", "Ewe above 1 V"), rest(4)),
    ],
)
def test_what_is_left(cut: Cut | None, ending: Ending | None, first: object) -> None:
    left = left_behind(OF, HERE, cut, ending, 0.0)
    assert isinstance(left.nodes[0], Segment)
    assert left.nodes[0].techniques[0] == first
    assert (left.steps, left.ends) == (OF.steps, OF.ends)


def test_what_somebody_cut() -> None:
    assert is_cut(PAUSED)
    assert is_cut(SKIPPED)
    assert is_cut(replace(SKIPPED, then="go on"))  # too late
    assert not is_cut(None)
    assert not is_cut(Ending("next step", "Ewe above 1 V", kind="cutoff"))
    assert not is_cut(Ending("end run", "stopped by ada@pc", "aborted", "operator"))
