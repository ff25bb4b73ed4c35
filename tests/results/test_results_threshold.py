"""Where a staircase becomes unstable, and when a potential has come to rest: on curves with known answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nakctl.results.relaxation import plateau_s
from nakctl.results.threshold import linearity, slopes, threshold_mA_cm2

j = np.round(np.arange(0.05, 1.005, 0.01), 2)


@given(st.floats(0.2, 0.9), st.floats(3.0, 50.0))
def test_the_bend_of_a_bent_line_is_found(bend: float, factor: float) -> None:
    V = 0.3 * j + 0.3 * (factor - 1.0) * np.maximum(j - bend, 0.0)
    assert threshold_mA_cm2(j, V) == pytest.approx(bend, abs=0.03)


def test_a_straight_line_has_no_threshold() -> None:
    assert threshold_mA_cm2(j, 0.3 * j) is None
    assert linearity(j, 0.3 * j + 0.01) == pytest.approx(1.0)


def test_a_bump_that_passes_is_no_threshold() -> None:
    V = 0.3 * j + 0.2 * np.exp(-(((j - 0.3) / 0.03) ** 2)) + np.maximum(j - 0.7, 0.0)
    assert threshold_mA_cm2(j, V) == pytest.approx(0.7, abs=0.03)


@pytest.mark.parametrize(
    ("levels", "V"),
    [
        (j, np.zeros(len(j))),
        (j, -0.3 * j + 5 * np.maximum(j - 0.5, 0)),  # it falls first: nothing to compare with
        (np.append(j, j[::-1]), np.append(0.3 * j**3, 0.3 * j[::-1] ** 3)),  # up and down again
        (np.full(20, 0.1), np.arange(20.0)),
        (np.append(-j[::-1], j), 0.3 * np.append(-j[::-1], j) ** 3),
        (j, np.full(len(j), np.nan)),
    ],
)
def test_what_is_no_staircase_has_no_threshold(levels: np.ndarray, V: np.ndarray) -> None:
    assert threshold_mA_cm2(levels, V) is None


def test_a_threshold_of_plating_is_negative_and_a_lost_level_does_not_matter() -> None:
    V = 0.3 * j + 2 * np.maximum(j - 0.5, 0)
    assert threshold_mA_cm2(-j, -V) == pytest.approx(-0.5, abs=0.03)
    V[30] = np.nan
    assert threshold_mA_cm2(j, V) == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize("count", [0, 1, 4, 9])
def test_too_few_levels_have_no_threshold(count: int) -> None:
    assert threshold_mA_cm2(j[:count], 0.3 * j[:count] ** 3) is None


def test_slopes_are_resistances() -> None:
    assert slopes(j, 0.3 * j) == pytest.approx(300.0)  # 0.3 V per mA/cm2
    assert len(slopes(j, j)) == len(j) - 4


@given(st.floats(0.3, 2.0))
def test_an_exponential_relaxation_is_at_rest_after_its_time(tau_s: float) -> None:
    time_s = np.arange(0.01, 30.0, 0.01)
    Ewe_V = 0.012 + 0.1 * np.exp(-time_s / tau_s)
    assert plateau_s(time_s, Ewe_V) == pytest.approx(0.5 + tau_s * np.log(10.0), abs=0.03)


def test_a_rest_that_is_too_short_has_no_plateau() -> None:
    time_s = np.arange(0.01, 0.1, 0.01)
    assert plateau_s(time_s, np.exp(-time_s)) is None
