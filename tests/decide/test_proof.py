"""Why a chain is over: done, a test, or something that the program does not know."""

from __future__ import annotations

import math

import pytest
from hand_made import ca, cp, end, geis, info, loop, program, rest

from nakctl.booking.ending import Ending
from nakctl.booking.met import met_by
from nakctl.booking.spectra import Swept
from nakctl.decide.proof import LastRows, why_over
from nakctl.device.channel import Visit
from nakctl.device.ends import End
from nakctl.device.program import Segment, Test

LIMIT = end(1, "Ewe", "above", 3.0, kind="limit", by="instrument")
BELOW = end(2, "Ewe", "below", 0.02, kind="limit", by="instrument")
CUT = end(3, "Ewe", "below", -1.0, by="instrument")
TAPER = end(4, "|I|", "below", 1e-4, by="instrument", step=2)
ENDS = (LIMIT, BELOW, CUT, TAPER)
STOPPING = cp(1, tests=(Test("Ewe", "above", 3.0, 1), Test("Ewe", "below", 0.02, 2)))
UNKNOWN = math.nan


def last(
    technique: int,
    time_s: float,
    *,
    start_s: float = 0.0,
    passes: int = 0,
    Ewe_V: float = 0.5,
    I_A: float = 1e-3,
    before: tuple[float, float, float] | None = None,
    points: int = 0,
) -> LastRows:
    return LastRows(Visit(technique, passes, start_s), time_s, Ewe_V, I_A, before, Swept(points))


def over(
    segment: Segment, rows: LastRows | None, elapsed_s: float = UNKNOWN, ends: tuple[End, ...] = ENDS
) -> Ending | None:
    return why_over(program(segment, steps=[info(1), info(2)], ends=ends), segment, rows, elapsed_s)


def kind(ending: Ending | None) -> str:
    return "done" if ending is None else ending.kind


TWO = Segment((STOPPING, cp(2)))
LOOPED = Segment((STOPPING, rest(2), loop(0, 20)))
ENDLESS = Segment((STOPPING, rest(2), loop(0, None)))  # type: ignore[arg-type]
NESTED = Segment((cp(1), rest(2), loop(0, 3, passes=False), loop(0, 4)))
SWEEP = Segment((STOPPING, geis(2)))

ROWS = [
    ("the last technique lasted", TWO, last(1, 20, start_s=10), UNKNOWN, "done"),
    ("no row at its end", TWO, last(1, 19, start_s=10), UNKNOWN, "done"),
    ("half of it", TWO, last(1, 15, start_s=10), UNKNOWN, "interrupted"),
    ("the last technique but one", TWO, last(0, 10), UNKNOWN, "interrupted"),
    ("all passes", LOOPED, last(1, 400, start_s=390, passes=19), UNKNOWN, "done"),
    ("pass 2 of 20", LOOPED, last(1, 40, start_s=30, passes=1), UNKNOWN, "interrupted"),
    ("a loop without end", ENDLESS, last(1, 40, start_s=30, passes=1), UNKNOWN, "interrupted"),
    ("all passes of all loops", NESTED, last(1, 240, start_s=230, passes=11), UNKNOWN, "done"),
    ("all passes of the inner one", NESTED, last(1, 60, start_s=50, passes=2), UNKNOWN, "interrupted"),
    ("as many as the outer one has", NESTED, last(1, 80, start_s=70, passes=3), UNKNOWN, "interrupted"),
    ("a whole sweep", SWEEP, last(1, 20, start_s=10, points=3), UNKNOWN, "done"),
    ("a sweep with a frequency less", SWEEP, last(1, 20, start_s=10, points=2), UNKNOWN, "interrupted"),
    ("no row at all", TWO, None, UNKNOWN, "interrupted"),
    # the instrument's clock refutes, and proves nothing
    ("it stood still at the end", TWO, last(1, 19, start_s=10), 20.0, "done"),
    ("it stood still before", TWO, last(1, 19, start_s=10), 19.4, "interrupted"),
    ("it went on after a stop", TWO, last(1, 15, start_s=10), 99.0, "interrupted"),
    ("it was set to zero", TWO, last(1, 20, start_s=10), 0.0, "done"),
    # tests
    ("a limit met", TWO, last(0, 5, Ewe_V=3.001), UNKNOWN, "limit"),
    ("a limit met, with noise", TWO, last(0, 5, Ewe_V=2.9997), UNKNOWN, "limit"),
    ("far from any test", TWO, last(0, 5, Ewe_V=2.0), UNKNOWN, "interrupted"),
    ("no row where it was met", TWO, last(0, 5, Ewe_V=2.8, before=(4, 2.5, 1e-3)), UNKNOWN, "limit"),
    ("not going there", TWO, last(0, 5, Ewe_V=2.8, before=(4, 2.9, 1e-3)), UNKNOWN, "interrupted"),
    ("too soon to get there", TWO, last(0, 5, Ewe_V=2.8, before=(4, 2.5, 1e-3)), 5.1, "interrupted"),
    ("a technique that goes on does not end a chain",
     Segment((cp(1, tests=(Test("Ewe", "below", -1.0, 3),), on_test="next"), cp(2))),
     last(0, 5, Ewe_V=-1.1), UNKNOWN, "interrupted"),
    ("unless it is the last",
     Segment((cp(1, tests=(Test("Ewe", "below", -1.0, 3),), on_test="next"),)),
     last(0, 5, Ewe_V=-1.1), UNKNOWN, "cutoff"),
    ("a current that fell", Segment((ca(2, tests=(Test("|I|", "below", 1e-4, 4),)),)),
     last(0, 5, I_A=0.99e-4), UNKNOWN, "cutoff"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("segment", "rows", "elapsed_s", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_rows(segment: Segment, rows: LastRows | None, elapsed_s: float, expected: str) -> None:
    assert kind(over(segment, rows, elapsed_s)) == expected


def test_an_interruption_says_how_far_it_came_and_starts_nothing_further() -> None:
    ending = over(LOOPED, last(0, 35, start_s=30, passes=1))
    assert ending is not None
    assert (ending.then, ending.status) == ("end run", "interrupted")
    assert "in step 1 step, 5 of 10 s into it, pass 2 of 20" in ending.reason


ITS_TESTS = "or before a second row one of its tests: Ewe above 3 V, Ewe below 0.02 V"


@pytest.mark.parametrize(
    ("segment", "rows", "named"),
    [
        (TWO, None, True),
        (TWO, last(0, 0), True),
        (TWO, last(0, 5, before=(4, 0.5, 1e-3)), False),  # these rows would show it
        (TWO, last(1, 15, start_s=10), False),  # nothing is tested there
        (SWEEP, last(1, 15, start_s=10), False),
        (Segment((rest(1), *TWO.techniques)), None, False),
    ],
)
def test_where_rows_cannot_tell_a_test_is_named(segment: Segment, rows: LastRows | None, named: bool) -> None:
    """With an instrument that writes no row where a test is met."""
    ending = over(segment, rows)
    assert ending is not None and ending.status == "interrupted"
    assert (ITS_TESTS in ending.reason) == named


def test_at_plus_87_mV_it_is_the_limit_of_20_mV_and_not_the_cutoff_of_minus_1_V() -> None:
    """Distance counts on the side that was exceeded."""
    limit = end(1, "Ewe", "above", 0.02, kind="limit", by="instrument")
    cut = end(2, "Ewe", "below", -1.0, by="instrument")
    segment = Segment((cp(1, tests=(Test("Ewe", "above", 0.02, 1), Test("Ewe", "below", -1.0, 2))),))
    ending = over(segment, last(0, 5, Ewe_V=0.087), ends=(limit, cut))
    assert ending is not None
    assert (ending.reason, ending.end_id, ending.value) == ("limit: Ewe above 0.02 V", 1, 0.087)


def test_of_several_exceeded_the_gravest_counts_and_else_the_nearest() -> None:
    limit, cut = end(1, "Ewe", "above", 2.0, kind="limit"), end(2, "Ewe", "above", 1.0)
    near = end(3, "Ewe", "above", 1.004)
    for reading, number in ((2.5, 1), (1.5, 2), (0.999, 2), (1.0035, 2)):
        met = met_by((limit, cut, near), {"Ewe": reading})
        assert met is not None and met.end.id == number
    assert met_by((limit, cut, near), {"Ewe": 0.9}) is None
    assert met_by((limit, cut, near), {"Ewe": math.nan}) is None
