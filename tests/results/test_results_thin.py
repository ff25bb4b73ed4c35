"""Fewer points for a picture: no spike is lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nakctl.results.thin import thin


@settings(deadline=None)
@given(
    arrays.arrays(np.float32, st.integers(0, 3000), elements=st.floats(-10, 10, width=32)),
    st.integers(20, 400),
)
def test_the_highest_and_the_lowest_are_always_drawn(values: Any, most: int) -> None:
    rows = thin(values, most)
    assert len(rows) <= max(most, 1)
    assert (np.diff(rows) > 0).all()
    if len(values):
        assert values[rows].max() == values.max()
        assert values[rows].min() == values.min()
    if len(values) <= most:
        assert rows.tolist() == list(range(len(values)))


@pytest.mark.parametrize("place", [0, 1, 4999, 5000, 9998, 9999])
@pytest.mark.parametrize("height", [1.0, -1.0])
def test_a_single_spike_stays_also_beside_a_reading_that_is_none(place: int, height: float) -> None:
    values = np.zeros(10_000, np.float32)
    values[place] = height
    assert place in thin(values, 100)
    values[place - 1 if place else 1] = np.nan
    assert place in thin(values, 100)


def test_every_part_of_a_long_curve_is_drawn() -> None:
    rows = thin(np.sin(np.arange(100_000.0)), 1000)
    assert rows[0] < 200 and rows[-1] >= 100_000 - 200
    assert np.diff(rows).max() < 400
