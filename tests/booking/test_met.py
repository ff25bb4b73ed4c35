"""Which End did a reading meet?"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hand_made import end

from nakctl.booking.met import NEAR_V, Readings, first_met, met_by
from nakctl.device.ends import End


def readings(quantity: str, *values: float) -> Readings:
    given = {name: np.zeros(len(values)) for name in ("time", "Ewe", "|I|", "charge")}
    given[quantity] = np.array(values)
    step_id = np.ones(len(values), np.uint32)
    return Readings(given["time"], given["Ewe"], given["|I|"], given["charge"], step_id)


@pytest.mark.parametrize(
    ("met", "values", "row"),
    [
        (end(1, "Ewe", "above", 1.0), (0.9, 1.0, 1.1), 2),  # beyond it, and not where it is
        (end(1, "Ewe", "below", 0.0), (0.1, 0.0, -0.1), 2),
        (end(1, "charge", "above", 2.0), (1.9, 2.0, 2.1), 1),  # what only grows is there where it is reached
        (end(1, "time", "above", 60.0, kind="limit"), (59.0, 60.0, 61.0), 1),
        (end(1, "|I|", "above", 1e-3, kind="limit"), (1e-3, 1.005e-3, 1.02e-3), 2),  # read with noise
        (end(1, "|I|", "above", 1e-3), (1e-3, 1.005e-3, 1.02e-3), 1),
        (end(1, "Ewe", "above", 1.0, step=2), (1.1, 1.1, 1.1), None),  # of another step
        (end(1, "Ewe", "above", 1.0), (math.nan, 0.0, math.nan), None),
    ],
)
def test_the_first_row_that_meets_an_end(met: End, values: tuple[float, ...], row: int | None) -> None:
    found = first_met([met], readings(met.quantity, *values))
    assert (None if found is None else (found.row, found.value)) == (
        None if row is None else (row, values[row])
    )


def test_the_earliest_row_counts_and_of_one_row_the_gravest_end() -> None:
    cutoff, limit = end(1, "Ewe", "above", 1.0), end(2, "Ewe", "above", 2.0, kind="limit")
    early = first_met([cutoff, limit], readings("Ewe", 1.5, 2.5))
    at_once = first_met([cutoff, limit], readings("Ewe", 0.5, 2.5))
    assert early is not None and early.end is cutoff
    assert at_once is not None and at_once.end is limit


def test_a_single_reading_stands_for_the_gravest_it_exceeds_else_the_nearest() -> None:
    cutoff, limit = end(1, "Ewe", "above", 1.0), end(2, "Ewe", "above", 1.002, kind="limit")
    for Ewe_V, expected in ((1.1, limit), (1.001, cutoff), (0.999, cutoff), (0.9, None)):
        found = met_by([cutoff, limit], {"Ewe": Ewe_V})
        assert (found and found.end) is expected
    assert met_by([end(1, "Ewe", "below", 0.0)], {"Ewe": NEAR_V * 0.9}) is not None
