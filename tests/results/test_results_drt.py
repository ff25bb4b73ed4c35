"""The distribution of relaxation times finds what a circuit is made of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nakctl.results.drt import FAST_INTERFACE, GRAIN_BOUNDARY, INTERFACE, Complex, Floats, drt

f_Hz = np.geomspace(7e6, 5.0, 93)


def zarc(R: float, tau_s: float, n: float = 1.0) -> Complex:
    return np.asarray(R / (1.0 + (2j * np.pi * f_Hz * tau_s) ** n))


def cell(R_gb: float, R_fast: float, R_int: float, tau_int_s: float = 0.016) -> Complex:
    inductance = 2j * np.pi * f_Hz * 1e-7
    return 50.0 + inductance + zarc(R_gb, 1e-6, 0.92) + zarc(R_fast, 5e-4, 0.92) + zarc(R_int, tau_int_s, 0.9)


@settings(max_examples=25)
@given(st.floats(20, 500), st.floats(20, 2000), st.floats(20, 500))
def test_each_arc_is_found_where_it_is_and_as_large_as_it_is(
    R_gb: float, R_fast: float, R_int: float
) -> None:
    found = drt(f_Hz, cell(R_gb, R_fast, R_int))
    leak = 0.06 * (R_gb + R_fast + R_int)  # the feet of one arc reach into the window of the next
    for window, R in ((GRAIN_BOUNDARY, R_gb), (FAST_INTERFACE, R_fast), (INTERFACE, R_int)):
        peak = found.top(window)
        assert peak.area_ohm_cm2 == pytest.approx(R, abs=leak)
    assert found.top(FAST_INTERFACE).tau_s == pytest.approx(5e-4, rel=0.6) or R_fast < leak


@given(st.floats(1e-3, 1e4))
@settings(max_examples=10)
def test_a_larger_cell_has_the_same_distribution_scaled(scale: float) -> None:
    one, other = drt(f_Hz, cell(100, 50, 150)), drt(f_Hz, scale * cell(100, 50, 150))
    assert other.gamma_ohm_cm2 == pytest.approx(scale * one.gamma_ohm_cm2, rel=1e-6, abs=1e-6 * scale)


def test_nothing_is_negative_and_noise_makes_no_peak() -> None:
    random = np.random.default_rng(1)
    noise: Floats = 1e-3 * random.standard_normal((2, len(f_Hz)))
    found = drt(f_Hz, cell(100, 0, 150, 0.1) * (1 + noise[0] + 1j * noise[1]))
    assert (found.gamma_ohm_cm2 >= 0).all()
    assert found.top(FAST_INTERFACE).area_ohm_cm2 < 8.0
    assert found.top(INTERFACE).tau_s == pytest.approx(0.1, rel=0.4)


def test_the_order_of_the_frequencies_does_not_matter() -> None:
    up, down = drt(f_Hz[::-1], cell(100, 50, 150)[::-1]), drt(f_Hz, cell(100, 50, 150))
    assert up.gamma_ohm_cm2 == pytest.approx(down.gamma_ohm_cm2, abs=1e-6)


def test_the_penalty_is_the_papers() -> None:
    """Where gamma is not 0, the gradient of |A x - b|^2 + 1e-3 |gamma|^2 vanishes: at no other lambda does it."""
    z = cell(100, 50, 150)
    gamma = drt(f_Hz, z).gamma_ohm_cm2
    w = 2 * np.pi * f_Hz
    tau_s = np.logspace(-7.5, 1.0, 86)
    kernel = np.log(10) / 10 / (1 + 1j * np.outer(w, tau_s))
    others = np.column_stack([np.ones_like(w), 1j * w])  # R and L, without a penalty
    design, rest = (np.vstack([part.real, part.imag]) for part in (kernel, others))
    missing = np.concatenate([z.real, z.imag]) - design @ gamma
    missing -= rest @ np.linalg.lstsq(rest, missing, rcond=None)[0]
    on = gamma > 1e-6 * gamma.max()
    assert (design.T @ missing)[on] == pytest.approx(1e-3 * gamma[on], rel=1e-3, abs=1e-6)
