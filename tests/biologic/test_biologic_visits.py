"""Which pass a row belongs to, whatever the instrument tells; what is missing; what has to be noticed."""

from __future__ import annotations

import math

import pytest
from biologic_bench import SP300, block, c3x, c3x_single, ca, chain, cp, eis, ocv

from nakctl.device.channel import Flag, Notice, Visit
from nakctl.device.program import Loop, Segment, Test
from nakctl_biologic import params
from nakctl_biologic.codes import Board
from nakctl_biologic.errors import RowError
from nakctl_biologic.rows import Block
from nakctl_biologic.visits import Taken, Visits, successors

TICK_s = SP300.timebase_s["CPLIMIT"]
NAN = math.nan


def visits_of(segment: Segment) -> Visits:
    return Visits(segment, params.chain(segment, SP300, Board.PREMIUM), SP300, Board.PREMIUM)


def rest(at: int, loop: int, start_s: float, tick: int = 1) -> Block:
    return block([[0, tick, c3x(0.5)]], 100, technique=at, loop=loop, start_s=start_s, timebase_s=2e-5)


def driven(at: int, loop: int, start_s: float, E_V: float = 0.5, I_A: float = 2e-4, id: int = 155) -> Block:
    row = [0, 1, c3x_single(E_V), c3x_single(I_A), 0]
    return block([row], id, technique=at, loop=loop, start_s=start_s, timebase_s=TICK_s)


def points(
    at: int, loop: int, start_s: float, n: int, t_s: float, E_amp: float = 0.05, I_amp: float = 5e-5
) -> Block:
    rows = [
        [c3x(1000.0), c3x_single(E_amp), c3x_single(I_amp), c3x(0.0), c3x(0.0), c3x(0.0)]
        + [7] * 7
        + [c3x(t_s + k)]
        for k in range(n)
    ]
    return block(rows, 107, process=1, technique=at, loop=loop, start_s=start_s, timebase_s=2.4e-5)


def handed(visits: Visits, block: Block, unanswered: int = 0) -> Taken:
    """By the read of a block, and by one that finds no other."""
    return visits.take(block, unanswered) + visits.release()


def passes(visits: Visits, blocks: list[Block]) -> list[tuple[int, int]]:
    """Technique and pass of every row; nothing may be noticed on the way."""
    found = []
    for each in blocks:
        taken = handed(visits, each)
        assert taken.notices == []
        rows = taken.points if each.process else taken.samples
        found += [(int(row["technique"]), int(row["passes"])) for row in rows]
    return found


PULSE = chain(cp(), ocv(), Loop(0, 3, passes=True))


@pytest.mark.parametrize(
    "start", [lambda t: t, lambda t: NAN if t == 0 else t, lambda t: NAN], ids=["times", "first", "none"]
)
@pytest.mark.parametrize(
    "count", [lambda n: n, lambda n: n + 1, lambda n: 0], ids=["from 0", "from 1", "no counter"]
)
def test_two_techniques_in_a_loop(start: object, count: object) -> None:
    """By the counter, by the start times, or by coming back."""
    blocks = []
    for n in range(3):
        blocks += [driven(0, count(n), start(4.0 * n)), rest(1, count(n), start(4.0 * n + 2))]  # type: ignore[operator]
    visits = visits_of(PULSE)
    found = []
    for each in blocks:
        taken = handed(visits, each)
        assert {notice.code for notice in taken.notices} <= {"time-order"}
        found.append((int(taken.samples["technique"][0]), int(taken.samples["passes"][0])))
    assert found == [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)]


@pytest.mark.parametrize("count", [lambda n: n, lambda n: 0], ids=["counter", "no counter"])
def test_spectra_in_a_loop_of_their_own(count: object) -> None:
    """A loop of one technique shows in the counter, or in its start time, or in its frequencies coming again."""
    segment = chain(eis(n=3), Loop(0, 4, passes=False))
    blocks = [points(0, count(n), 10.0 * n, 3, 10.0 * n) for n in range(4)]  # type: ignore[operator]
    assert passes(visits_of(segment), blocks) == [(0, n) for n in range(4) for _ in range(3)]
    blocks = [points(0, 0, NAN, 3, 10.0 * n) for n in range(4)]
    assert passes(visits_of(segment), blocks) == [(0, n) for n in range(4) for _ in range(3)]
    assert passes(visits_of(segment), [points(0, 0, NAN, 12, 0.0)]) == [
        (0, n) for n in range(4) for _ in range(3)
    ]


def test_a_spectrum_with_losses_is_told_from_the_next_by_the_counter() -> None:
    """Without start times, and with too few frequencies to tell."""
    visits = visits_of(chain(eis(n=3), Loop(0, 3, passes=False)))
    rows = [handed(visits, points(0, n, NAN, 2, 10.0 * n)) for n in range(3)]
    assert [taken.points["passes"].tolist() for taken in rows] == [[0, 0], [1, 1], [2, 2]]
    assert [len(taken.notices) for taken in rows] == [0, 1, 1]


def test_one_technique_in_several_reads_is_one_pass() -> None:
    segment = chain(eis(n=5, hold_s=1.0), ocv())
    held = block([[0, 1, c3x(0.5), c3x(0.0)]], 107, timebase_s=2.4e-5)
    blocks = [held, points(0, 0, NAN, 2, 2.0), points(0, 0, NAN, 3, 4.0), rest(1, 0, 8.0)]
    assert passes(visits_of(segment), blocks) == [(0, 0)] * 6 + [(1, 0)]


def test_rows_of_the_hold_between_frequencies() -> None:
    segment = chain(ocv(), eis(n=2, hold_s=1.0))
    held = [
        block([[0, k, c3x(0.5), c3x(0.0)]], 107, technique=1, start_s=2.0, timebase_s=2.4e-5)
        for k in (1, 200_000)
    ]
    blocks = [rest(0, 0, NAN), held[0], points(1, 0, 2.0, 1, 4.0), held[1], points(1, 0, 2.0, 1, 8.0)]
    assert passes(visits_of(segment), blocks) == [(0, 0)] + [(1, 0)] * 4


@pytest.mark.parametrize("nested", ["innermost", "outermost"])
def test_nested_loops(nested: str) -> None:
    segment = chain(ocv(), cp(), Loop(1, 2, passes=False), Loop(0, 2, passes=True))
    blocks, t_s = [], 0.0
    for outer in range(2):
        blocks.append(rest(0, outer if nested == "outermost" else 0, t_s or NAN))
        for inner in range(2):
            t_s += 2.0
            blocks.append(driven(1, outer if nested == "outermost" else inner, t_s))
        t_s += 2.0
    assert passes(visits_of(segment), blocks) == [(0, 0), (1, 0), (1, 1), (0, 1), (1, 2), (1, 3)]


# what is missing


def news(visits: Visits, *blocks: Block) -> list[Notice]:
    return [notice for each in blocks for notice in handed(visits, each).notices]


def test_a_spectrum_that_lacks_frequencies() -> None:
    visits = visits_of(chain(eis(n=5), ocv()))
    (notice,) = news(visits, points(0, 0, NAN, 3, 0.0), rest(1, 0, 8.0))
    assert (notice.code, notice.severity) == ("gap", 1)
    assert notice.message == "2 of 5 frequencies did not come"
    assert notice.facts == {"technique": 0, "passes": 0, "missing": 2}


def test_the_last_spectrum_is_counted_at_the_end() -> None:
    visits = visits_of(chain(eis(n=5)))
    assert news(visits, points(0, 0, NAN, 4, 0.0)) == []
    assert [notice.facts["missing"] for notice in visits.finish()] == [1]
    complete = visits_of(chain(eis(n=4)))
    assert news(complete, points(0, 0, NAN, 4, 0.0)) + complete.finish() == []


def test_readings_that_the_instrument_skipped() -> None:
    visits = visits_of(chain(ocv()))
    lossy = [block([[0, k, c3x(0.5)]], 100, lost=lost) for k, lost in ((1, 0), (2, 7), (3, 7), (4, 9))]
    assert [notice.facts["skipped"] for notice in news(visits, *lossy)] == [7, 9]


def test_a_technique_without_rows() -> None:
    visits = visits_of(chain(ocv(), cp(), ocv()))
    (notice,) = news(visits, rest(0, 0, NAN), rest(2, 0, 4.0))
    assert (notice.code, notice.facts) == ("gap", {"before": 0, "technique": 2})


@pytest.mark.parametrize(("before", "expected"), [(-1, {0}), (0, {1}), (1, {1, 3}), (3, {0, 5}), (5, set())])
def test_what_may_follow(before: int, expected: set[int]) -> None:
    nested = (ocv(), cp(), Loop(1, 2, passes=False), ca(), Loop(0, 2, passes=True), ocv())
    assert successors(nested, before) == expected


# flags


@pytest.mark.parametrize(
    ("test", "E_V", "I_A", "met"),
    [
        (Test("Ewe", "above", 0.2), 0.21, 1e-4, True),
        (Test("Ewe", "above", 0.2), 0.2, 1e-4, True),  # as a single, like the row
        (Test("Ewe", "above", 0.2), 0.19999, 1e-4, False),
        (Test("Ewe", "below", -0.3), -0.3, 1e-4, True),
        (Test("Ewe", "above", 0.0), 0.001, 1e-4, True),
        (Test("Ewe", "below", 0.0), -0.001, 1e-4, True),
        (Test("|I|", "below", 1e-4), 0.1, -9e-5, True),
        (Test("|I|", "above", 1e-4), 0.1, -1.1e-4, True),
        (Test("|I|", "above", 1e-4), 0.1, 0.0, False),
    ],
)
def test_the_row_that_met_a_test(test: Test, E_V: float, I_A: float, met: bool) -> None:
    rows = handed(visits_of(chain(ca(0.1, 5.0, test))), driven(0, 0, NAN, E_V, I_A, id=157)).samples
    assert bool(rows["flags"][0] & Flag.TEST_MET) is met


@pytest.mark.parametrize(
    ("E_V", "I_A", "flags"), [(5.0, 0.0, 2), (-5.0, 0.0, 2), (0.0, 1e-3, 1), (0.0, -1e-3, 1), (4.9, 9e-4, 0)]
)
def test_a_reading_at_the_end_of_its_range(E_V: float, I_A: float, flags: int) -> None:
    taken = handed(visits_of(chain(cp())), driven(0, 0, NAN, E_V, I_A))
    assert taken.samples["flags"].tolist() == [flags]
    assert [notice.code for notice in taken.notices] == ["overload"] * bool(flags)


def test_an_overload_is_told_once_per_technique() -> None:
    visits = visits_of(PULSE)
    blocks = [driven(0, 0, NAN, 5.0), rest(1, 0, 2.0), driven(0, 1, 4.0, 5.0)]
    assert [notice.facts for notice in news(visits, *blocks)] == [{"technique": 0, "flags": 2}]


def test_too_little_excitation() -> None:
    visits = visits_of(chain(eis(n=2)))
    rows = [
        handed(visits, points(0, 0, NAN, 1, t, I_amp=I)).points["flags"][0]
        for t, I in ((0.0, 2.6e-5), (1.0, 2.4e-5))
    ]
    assert rows == [0, Flag.LOW_AMPLITUDE]


# times


def test_a_point_never_lies_behind_what_follows_it() -> None:
    """Its time is a single: at 40 000 s that is 4 ms, a hundred time bases of the technique that follows."""
    exact_s = 40_000.001
    visits = visits_of(chain(eis(n=1), cp()))
    before = handed(visits, points(0, 0, NAN, 1, float(c3x_value(exact_s)))).points["time_s"][0]
    after = handed(visits, driven(1, 0, exact_s)).samples["time_s"][0]
    assert before <= exact_s < after
    assert exact_s - before < 0.01


def test_a_point_never_lies_before_its_technique() -> None:
    visits = visits_of(chain(ocv(), eis(n=1)))
    start_s = handed(visits, rest(0, 0, NAN, 50_000 * 40_000)).samples["time_s"][0] + 0.5
    assert handed(visits, points(1, 0, start_s, 1, start_s)).points["time_s"][0] == start_s


def c3x_value(value: float) -> float:
    import numpy as np

    return float(np.float32(value))


@pytest.mark.parametrize(
    ("told_s", "time_s", "noticed"),
    [
        (TICK_s, TICK_s, False),
        (2e-5, TICK_s, False),  # that of a later technique
        (0.0, TICK_s, False),
        (NAN, TICK_s, False),
        (3e-5, 3e-5, True),  # nobody's: then the instrument has another one than was known
    ],
)
def test_the_time_base_of_the_rows(told_s: float, time_s: float, noticed: bool) -> None:
    visits = visits_of(chain(cp(), ocv()))
    row = [0, 1, c3x(0.5), c3x(0.0), 0]
    taken = handed(visits, block([row], 155, timebase_s=told_s))
    assert taken.samples["time_s"].tolist() == [time_s]
    assert [notice.code for notice in taken.notices] == ["timebase"] * noticed


def test_times_that_go_back_are_told_and_mended() -> None:
    """Within a visit the row keeps its place: it gets the time of the row before, and says so."""
    visits = visits_of(chain(ocv()))
    taken = [handed(visits, rest(0, 0, NAN, tick)) for tick in (100, 50, 10, 200)]
    assert [notice.code for each in taken for notice in each.notices] == ["time-order"]
    assert [each.samples["time_s"][0] for each in taken] == pytest.approx([2e-3, 2e-3, 2e-3, 4e-3])
    assert [each.samples["flags"][0] for each in taken] == [0, Flag.BAD_TIME, Flag.BAD_TIME, 0]


def test_a_row_that_is_late_spoils_no_other_of_its_block() -> None:
    rows = [[0, tick, c3x(0.5)] for tick in (100, 50, 150)]
    taken = handed(visits_of(chain(ocv())), block(rows, 100, timebase_s=2e-5))
    assert taken.samples["time_s"] == pytest.approx([2e-3, 2e-3, 3e-3])
    assert taken.samples["flags"].tolist() == [0, Flag.BAD_TIME, 0]


def test_a_last_row_behind_the_next_technique_is_normal() -> None:
    """Rows are in order within a visit only."""
    visits = visits_of(chain(ocv(), cp()))
    late = handed(visits, rest(0, 0, NAN, 100_001))
    early = handed(visits, driven(1, 0, 2.0 - TICK_s))
    assert late.samples["time_s"][0] > early.samples["time_s"][0]
    assert late.notices + early.notices == []
    assert early.samples["flags"].tolist() == [0]


MINUS_INFINITY = 0x7F800000  # what a C3x word can hold and a single cannot


@pytest.mark.parametrize(("E_word", "I_word"), [(MINUS_INFINITY, c3x(0.0)), (c3x(0.5), MINUS_INFINITY)])
def test_a_row_without_a_value_is_passed_on(E_word: int, I_word: int) -> None:
    taken = handed(visits_of(chain(cp())), block([[0, 1, E_word, I_word, 0]], 155, timebase_s=TICK_s))
    assert taken.samples["flags"][0] & Flag.NO_VALUE


@pytest.mark.parametrize("nowhere", [math.inf, -math.inf])
def test_a_start_that_is_no_number_counts_as_none(nowhere: float) -> None:
    visits = visits_of(chain(ocv()))
    taken = handed(visits, rest(0, 0, nowhere))
    assert taken.samples["time_s"].tolist() == [0.0]
    assert taken.samples["flags"].tolist() == [Flag.BAD_TIME]


def test_points_that_come_too_early_or_have_no_time() -> None:
    visits = visits_of(chain(ocv(), eis(n=3)))
    handed(visits, rest(0, 0, NAN, 100_000))
    rows = [handed(visits, points(1, 0, 2.0, 1, t_s)).points[0] for t_s in (4.0, 3.0, 5.0)]
    assert [row["time_s"] for row in rows] == pytest.approx([4.0, 4.0, 5.0])
    assert [row["flags"] for row in rows] == [0, Flag.BAD_TIME, 0]


def test_the_newest_visit() -> None:
    visits = visits_of(PULSE)
    assert visits.newest is None
    seen = []
    for each in (driven(0, 0, NAN), rest(1, 0, 2.0), driven(0, 1, 4.0)):
        handed(visits, each)
        seen.append(visits.newest)
    assert seen == [Visit(0, 0, 0.0), Visit(1, 0, 2.0), Visit(0, 1, 4.0)]


# reads that were not answered


def every(tick: int, at: int = 0, start_s: float = NAN) -> Block:
    return rest(at, 0, start_s, tick)


HALF = 25_000  # ticks of an OCV that is recorded every 0.5 s


@pytest.mark.parametrize(
    ("first", "then", "missing"),
    [
        (every(HALF), every(2 * HALF), False),
        (every(HALF), every(3 * HALF), True),
        (every(4 * HALF), every(1, 1, 2.0), False),
        (every(3 * HALF), every(1, 1, 2.0), True),  # its last row may have gone
        (every(4 * HALF), every(HALF, 1, 2.0), True),  # its first one
    ],
)
def test_whether_a_block_is_missing_shows_in_the_times(first: Block, then: Block, missing: bool) -> None:
    visits = visits_of(chain(ocv(), ocv()))
    handed(visits, first)
    notices = handed(visits, then, unanswered=2).notices
    assert [(notice.code, notice.facts["blocks"]) for notice in notices] == [("gap", 2)] * missing


def test_nothing_is_certain_of_rows_that_come_by_change() -> None:
    visits = visits_of(chain(ocv(dE_V=1e-3)))
    handed(visits, every(HALF))
    assert [notice.code for notice in handed(visits, every(2 * HALF), unanswered=1).notices] == ["gap"]


def test_frequencies_are_counted_anyway() -> None:
    visits = visits_of(chain(eis(n=3)))
    handed(visits, points(0, 0, NAN, 1, 2.0))
    assert handed(visits, points(0, 0, NAN, 1, 6.0), unanswered=1).notices == []
    assert [notice.facts["missing"] for notice in visits.finish()] == [1]


# what does not belong to the chain


@pytest.mark.parametrize("wrong", [rest(1, 0, NAN), rest(7, 0, NAN), rest(-1, 0, NAN), rest(2, 0, NAN)])
def test_rows_of_something_else(wrong: Block) -> None:
    with pytest.raises(RowError, match="another program"):
        visits_of(chain(ocv(), cp(), Loop(0, 2, passes=True))).take(wrong)
