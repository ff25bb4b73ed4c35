"""Rows that can be booked: nothing is invented, no row is dropped, and what the channel gave stays as it is."""

from __future__ import annotations

import math

import numpy as np
from hand_made import rows

from nakctl.booking.cleaning import BACK_s, Cleaning
from nakctl.device.channel import Flag

NAN = math.nan


def at(*times_s: float, passes: int = 0) -> np.ndarray:
    return rows(*((time_s, 0.1, 1e-3, 0, passes) for time_s in times_s))


def bad(cleaned: np.ndarray) -> list[bool]:
    return ((cleaned["flags"] & Flag.BAD_TIME) != 0).tolist()


def test_a_time_that_goes_back_or_is_none_becomes_that_of_the_row_before() -> None:
    given = at(1.0, NAN, 3.0, 2.0, 4.0)
    was = given.tobytes()
    cleaned = Cleaning().samples(given)
    assert cleaned["time_s"].tolist() == [1.0, 1.0, 3.0, 3.0, 4.0]
    assert bad(cleaned) == [False, True, False, True, False]
    assert given.tobytes() == was


def test_also_across_reads_but_not_from_one_visit_to_the_next() -> None:
    cleaning = Cleaning()
    cleaning.samples(at(3.0))
    assert cleaning.samples(at(2.0))["time_s"].tolist() == [3.0]
    assert cleaning.samples(at(2.0, passes=1))["time_s"].tolist() == [2.0]


def test_clocks_of_two_processes_may_differ_a_little() -> None:
    assert bad(Cleaning().samples(at(1.0, 1.0 - 0.9 * BACK_s, 1.0 - 1.1 * BACK_s))) == [False, False, True]


def test_a_new_chain_begins_at_0() -> None:
    cleaning = Cleaning()
    cleaning.samples(at(100.0))
    cleaning.open_segment()
    assert cleaning.samples(at(NAN, 1.0))["time_s"].tolist() == [0.0, 1.0]


def test_a_value_that_is_no_number_stays_one_and_is_flagged() -> None:
    given = rows((1, NAN, 1e-3, 0, 0), (2, 0.1, math.inf, 0, 0), (3, 0.1, 1e-3, 0, 0))
    was = given.tobytes()
    cleaned = Cleaning().samples(given)
    assert ((cleaned["flags"] & Flag.NO_VALUE) != 0).tolist() == [True, True, False]
    assert np.isnan(cleaned["Ewe_V"][0]) and given.tobytes() == was
