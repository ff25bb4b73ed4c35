"""Readings that no limit can be judged by are told while they last, and nothing is invented."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hand_made import cp, geis, points, reading, rest, rows

from nakctl.booking.cleaning import Cleaning
from nakctl.decide.gate import Gate
from nakctl.device.channel import Flag, Look, Reading, State
from nakctl.device.program import Segment

CHAIN = Segment((cp(1), rest(2), geis(3)))


class Gated:
    """Readings on their way: cleaned, and looked at."""

    def __init__(self) -> None:
        self.gate, self.cleaning = Gate(), Cleaning()
        self.open_segment(CHAIN)

    def open_segment(self, segment: Segment) -> None:
        self.gate.open_segment(segment)
        self.cleaning.open_segment()

    def passed(self, given: Reading) -> Reading:
        samples, points = self.cleaning.samples(given.samples), self.cleaning.points(given.points)
        news = self.gate.look_at(samples, points, given.look)
        return replace(given, samples=samples, points=points, notices=(*given.notices, *news))


def gate() -> Gated:
    return Gated()


def driven(*Ewe: float, start_s: float = 1.0, I_A: float = 1e-3) -> np.ndarray:
    return rows(*((start_s + k, value, I_A, 0, 0) for k, value in enumerate(Ewe)))


def codes(*readings: Reading) -> list[tuple[str, int]]:
    return [(notice.code, notice.severity) for each in readings for notice in each.notices]


def moving(n: int, start_s: float = 1.0) -> np.ndarray:
    return driven(*(0.1 + 0.001 * k for k in range(n)), start_s=start_s)


def test_good_rows_pass_untouched() -> None:
    before = reading(moving(50))
    passed = gate().passed(before)
    assert passed.samples is before.samples and passed.notices == ()


def test_no_value_is_flagged_kept_and_after_three_an_alarm() -> None:
    made, data = gate(), moving(4)
    data["Ewe_V"][1:3] = math.nan
    passed = made.passed(reading(data))
    assert codes(passed) == []
    assert (passed.samples["flags"] & Flag.NO_VALUE > 0).tolist() == [False, True, True, False]
    data = moving(4, start_s=10)
    data["I_A"][:3] = math.nan
    assert codes(made.passed(reading(data))) == [("no_value", 2), ("no_value", 0)]


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_streaks_are_counted_on_into_the_next_read(cut: int) -> None:
    made, data = gate(), moving(5)
    data["Ewe_V"][1:4] = math.nan
    found = codes(made.passed(reading(data[:cut])), made.passed(reading(data[cut:])))
    assert found == [("no_value", 2), ("no_value", 0)]


def test_a_time_that_is_none_or_goes_back_becomes_that_of_the_row_before() -> None:
    data = moving(8)
    data["time_s"][2] = math.nan
    data["time_s"][4:6] -= 1.5
    passed = gate().passed(reading(data))
    assert passed.samples["time_s"].tolist() == [1, 2, 2, 4, 4, 4.5, 7, 8]
    assert (passed.samples["flags"] & Flag.BAD_TIME > 0).tolist() == [
        False, False, True, False, True, False, False, False,
    ]  # fmt: skip


def test_a_clock_that_is_set_back_for_good_is_an_alarm() -> None:
    made = gate()
    made.passed(reading(moving(10)))
    data = moving(5, start_s=9.5)
    data["time_s"] -= 3.0
    assert codes(made.passed(reading(data))) == [("bad_time", 2), ("bad_time", 0)]


def test_the_first_row_of_the_next_technique_may_lie_before_the_last_of_this_one() -> None:
    data = rows((1, 1, 1e-3, 0, 0), (10.00001, 1, 1e-3, 0, 0), (10.0, 0, 0, 1, 0))
    passed = gate().passed(reading(data))
    assert passed.samples["time_s"].tolist() == [1, 10.00001, 10.0]
    assert not (passed.samples["flags"] & Flag.BAD_TIME).any()


def test_a_lead_that_is_off() -> None:
    data = moving(6)
    data["I_A"] = 0.0
    assert codes(gate().passed(reading(data))) == [("no_current", 2)]


@pytest.mark.parametrize("flag", [Flag.I_OVERLOAD, Flag.E_OVERLOAD])
def test_overload_on_every_row(flag: Flag) -> None:
    made, data = gate(), moving(25)
    data["flags"] = flag
    assert codes(made.passed(reading(data))) == [("overload_lasts", 2)]
    assert codes(made.passed(reading(moving(3, start_s=40)))) == [("overload_lasts", 0)]


def test_frozen_readings_are_soon_an_alarm_where_rows_used_to_move() -> None:
    made = gate()
    assert codes(made.passed(reading(moving(500)))) == []
    assert codes(made.passed(reading(driven(*[0.3] * 15, start_s=501)))) == [("frozen", 2)]


def test_the_first_row_of_a_chain_may_be_like_the_last_one_before_it() -> None:
    made = gate()
    for k in range(300):
        made.open_segment(CHAIN)
        assert codes(made.passed(reading(driven(0.3, start_s=10.0 * k)))) == []


def test_a_quiet_cell_in_a_coarse_range_is_not_frozen() -> None:
    """Most rows are alike to the bit: then many more have to be, before it is no chance."""
    made, random = gate(), np.random.default_rng(1)
    data = driven(*np.where(random.random(4000) < 0.06, 0.1003, 0.1).tolist())
    assert codes(made.passed(reading(data))) == []
    assert codes(made.passed(reading(driven(*[0.1] * 600, start_s=5000)))) == [("frozen", 2)]


def test_a_lump_of_equal_rows_at_a_high_rate_is_not_frozen() -> None:
    made = gate()
    data = driven(*[0.3] * 3000)
    data["time_s"] = 1.0 + np.arange(3000) / 1000
    assert codes(made.passed(reading(data))) == []
    more = driven(*[0.3] * 3000)
    more["time_s"] = 4.0 + np.arange(3000) / 1000
    passed = made.passed(reading(more))
    assert codes(passed) == [("frozen", 2)]
    assert passed.notices[0].time_s == pytest.approx(6.0, abs=0.01)


def test_impedances_that_do_not_move() -> None:
    eis = points(*((float(k), 1e3 / k, 2, 0) for k in range(1, 7)))
    eis["Z_re_ohm"][:2] += [1.0, 2.0]
    made = gate()
    found = codes(made.passed(reading(rows(), eis[:3])), made.passed(reading(rows(), eis[3:])))
    assert found == [("frozen", 2)]
    other = points((7.0, 1.0, 2, 0))
    other["Z_im_ohm"] = -4.5
    assert codes(made.passed(reading(rows(), other))) == [("frozen", 0)]


def test_at_open_circuit_nothing_has_to_move() -> None:
    data = rows(*((float(k), 0.1, 0.0, 1, 0) for k in range(1, 2000)))
    assert codes(gate().passed(reading(data))) == []


def shown(elapsed_s: float, running: bool = True) -> Reading:
    return Reading(State.RUNNING, rows(), points(), look=Look(running, 0.1, 1e-3, elapsed_s))


def test_a_channel_that_runs_and_makes_no_rows() -> None:
    made = gate()
    made.passed(reading(moving(3)))
    assert codes(made.passed(shown(5.0))) == []
    assert codes(made.passed(shown(12.0, running=False))) == []
    assert codes(made.passed(shown(16.0)), made.passed(shown(20.0))) == [("silent", 2)]
    assert codes(made.passed(reading(moving(1, start_s=21.0)))) == [("silent", 0)]


def test_how_long_nothing_came_is_counted_from_the_start_of_the_chain() -> None:
    made = gate()
    made.passed(reading(moving(3, start_s=1000.0)))
    made.open_segment(CHAIN)
    assert codes(made.passed(shown(5.0)), made.passed(shown(16.0))) == [("silent", 2)]


def test_points_are_looked_at_too() -> None:
    eis = points((1, 1e3, 2, 0), (2, 1e2, 2, 0), (math.nan, 10, 2, 0))
    eis["E_dc_V"] = math.nan
    passed = gate().passed(reading(rows(), eis))
    assert codes(passed) == [("bad_time", 2), ("no_value", 2)]
    assert passed.points["time_s"].tolist() == [1, 2, 2]
