"""Which pass a row belongs to, whatever the instrument tells; what is missing; what has to be noticed."""

from __future__ import annotations

import math

import pytest
from biologic_bench import SP300, block, c3x, c3x_single, ca, chain, cp, eis, ocv

from nakctl.device.channel import Flag, Notice
from nakctl.device.program import Loop, Segment, Test
from nakctl_biologic import params
from nakctl_biologic.codes import Board
from nakctl_biologic.errors import RowError
from nakctl_biologic.rows import Block
from nakctl_biologic.visits import Visits, successors

TIMEBASE = {100: 2e-5, 155: 4e-5, 157: 4e-5, 107: 2.4e-5, 104: 2.4e-5}
NAN = math.nan


def visits_of(segment: Segment) -> Visits:
    return Visits(segment, params.chain(segment, SP300, Board.PREMIUM), SP300, Board.PREMIUM)


def rest(at: int, loop: int, start_s: float, tick: int = 1) -> Block:
    return block([[0, tick, c3x(0.5)]], 100, technique=at, loop=loop, start_s=start_s, timebase_s=2e-5)


def driven(at: int, loop: int, start_s: float, E_V: float = 0.5, I_A: float = 2e-4, id: int = 155) -> Block:
    row = [0, 1, c3x_single(E_V), c3x_single(I_A), 0]
    return block([row], id, technique=at, loop=loop, start_s=start_s, timebase_s=4e-5)


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


def passes(visits: Visits, blocks: list[Block]) -> list[tuple[int, int]]:
    """Technique and pass of every row; nothing may be noticed on the way."""
    found = []
    for each in blocks:
        taken = visits.take(each)
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
        taken = visits.take(each)
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
    rows = [visits.take(points(0, n, NAN, 2, 10.0 * n)) for n in range(3)]
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
    return [notice for each in blocks for notice in visits.take(each).notices]


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
        (Test("Ewe", "above", 0.2), 0.2, 1e-4, False),
        (Test("Ewe", "above", 0.0), 0.001, 1e-4, True),
        (Test("Ewe", "below", 0.0), -0.001, 1e-4, True),
        (Test("|I|", "below", 1e-4), 0.1, -9e-5, True),
        (Test("|I|", "above", 1e-4), 0.1, -1.1e-4, True),
        (Test("|I|", "above", 1e-4), 0.1, 0.0, False),
    ],
)
def test_the_row_that_met_a_test(test: Test, E_V: float, I_A: float, met: bool) -> None:
    rows = visits_of(chain(ca(0.1, 5.0, test))).take(driven(0, 0, NAN, E_V, I_A, id=157)).samples
    assert bool(rows["flags"][0] & Flag.TEST_MET) is met


@pytest.mark.parametrize(
    ("E_V", "I_A", "flags"), [(5.0, 0.0, 2), (-5.0, 0.0, 2), (0.0, 1e-3, 1), (0.0, -1e-3, 1), (4.9, 9e-4, 0)]
)
def test_a_reading_at_the_end_of_its_range(E_V: float, I_A: float, flags: int) -> None:
    taken = visits_of(chain(cp())).take(driven(0, 0, NAN, E_V, I_A))
    assert taken.samples["flags"].tolist() == [flags]
    assert [notice.code for notice in taken.notices] == ["overload"] * bool(flags)


def test_an_overload_is_told_once_per_technique() -> None:
    visits = visits_of(PULSE)
    blocks = [driven(0, 0, NAN, 5.0), rest(1, 0, 2.0), driven(0, 1, 4.0, 5.0)]
    assert [notice.facts for notice in news(visits, *blocks)] == [{"technique": 0, "flags": 2}]


def test_too_little_excitation() -> None:
    visits = visits_of(chain(eis(n=2)))
    rows = [
        visits.take(points(0, 0, NAN, 1, t, I_amp=I)).points["flags"][0]
        for t, I in ((0.0, 2.6e-5), (1.0, 2.4e-5))
    ]
    assert rows == [0, Flag.LOW_AMPLITUDE]


# times


def test_a_point_never_lies_behind_what_follows_it() -> None:
    """Its time is a single: at 40 000 s that is 4 ms, a hundred time bases of the technique that follows."""
    exact_s = 40_000.001
    visits = visits_of(chain(eis(n=1), cp()))
    before = visits.take(points(0, 0, NAN, 1, float(c3x_value(exact_s)))).points["time_s"][0]
    after = visits.take(driven(1, 0, exact_s)).samples["time_s"][0]
    assert before <= exact_s < after
    assert exact_s - before < 0.01


def test_a_point_never_lies_before_its_technique() -> None:
    visits = visits_of(chain(ocv(), eis(n=1)))
    start_s = visits.take(rest(0, 0, NAN, 50_000 * 40_000)).samples["time_s"][0] + 0.5
    assert visits.take(points(1, 0, start_s, 1, start_s)).points["time_s"][0] == start_s


def c3x_value(value: float) -> float:
    import numpy as np

    return float(np.float32(value))


@pytest.mark.parametrize(
    ("told_s", "time_s", "noticed"),
    [
        (4e-5, 4e-5, False),
        (2e-5, 4e-5, False),  # that of a later technique
        (0.0, 4e-5, False),
        (NAN, 4e-5, False),
        (3e-5, 3e-5, True),  # nobody's: then the instrument has another one than was known
    ],
)
def test_the_time_base_of_the_rows(told_s: float, time_s: float, noticed: bool) -> None:
    visits = visits_of(chain(cp(), ocv()))
    row = [0, 1, c3x(0.5), c3x(0.0), 0]
    taken = visits.take(block([row], 155, timebase_s=told_s))
    assert taken.samples["time_s"].tolist() == [time_s]
    assert [notice.code for notice in taken.notices] == ["timebase"] * noticed


def test_times_that_go_back_are_told() -> None:
    visits = visits_of(chain(ocv()))
    assert [n.code for n in news(visits, rest(0, 0, NAN, 100), rest(0, 0, NAN, 50), rest(0, 0, NAN, 10))] == [
        "time-order"
    ]


# what does not belong to the chain


@pytest.mark.parametrize("wrong", [rest(1, 0, NAN), rest(7, 0, NAN), rest(-1, 0, NAN), rest(2, 0, NAN)])
def test_rows_of_something_else(wrong: Block) -> None:
    with pytest.raises(RowError, match="another program"):
        visits_of(chain(ocv(), cp(), Loop(0, 2, passes=True))).take(wrong)
