"""What a page draws of a long curve shows what all of its rows would."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nakctl.page.pyramid import DRAWN, is_rising, levels

MOST = 9000


@given(rows=st.integers(1, 60_000), seed=st.integers(0, 99), none=st.floats(0, 0.99))
def test_each_level_holds_the_least_and_the_greatest(rows: int, seed: int, none: float) -> None:
    draw = np.random.default_rng(seed)
    x, y = np.arange(rows, dtype=float), draw.normal(size=rows).astype(np.float32)
    y[draw.random(rows) < none] = np.nan
    found = levels(x, y, MOST)
    assert len(found[0]) <= max(MOST, DRAWN)
    assert len(found[-1]) <= DRAWN
    for finer, coarser in pairwise(found):
        assert len(coarser) < len(finer)
        assert set(coarser.x) <= set(finer.x)
    for level in found:
        at = level.x.astype(int)
        assert (np.diff(at) > 0).all()
        np.testing.assert_array_equal(level.y, y[at])  # rows of the curve, nothing invented
        if np.isfinite(y).any():
            assert (np.nanmin(level.y), np.nanmax(level.y)) == (np.nanmin(y), np.nanmax(y))


def test_every_group_of_rows_keeps_its_extremes() -> None:
    rows = 50_000
    y = np.random.default_rng(1).normal(size=rows).astype(np.float32)
    finest = levels(np.arange(rows, dtype=float), y, MOST)[0]
    edges = np.append(np.arange(0, rows, -(-rows // (MOST // 2))), rows)
    group = np.searchsorted(edges, finest.x, side="right")
    for k in range(0, len(edges) - 1, 97):
        mine, all_rows = finest.y[group == k + 1], y[edges[k] : edges[k + 1]]
        assert (mine.min(), mine.max()) == (all_rows.min(), all_rows.max())


@pytest.mark.parametrize("place", [0, 24_999, 49_999])
def test_a_single_spike_is_in_every_level(place: int) -> None:
    y = np.zeros(50_000, np.float32)
    y[place] = 1.0
    for level in levels(np.arange(50_000.0), y, MOST):
        assert level.y.max() == 1.0


def test_a_curve_that_goes_back_is_known() -> None:
    x = np.arange(2_100_000.0)
    assert is_rising(x)
    x[1 << 20] = 0.0
    assert not is_rising(x)
