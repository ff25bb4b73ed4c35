"""Kramers-Kronig: a cell that stays as it is, is valid; one that does not, is not; the fit is that of impedance.py."""

from __future__ import annotations

import time

import numpy as np
import pytest
from circuits_exact import COARSE_Hz, Complex, Floats, PAPER_Hz, arc, noise, three_arcs
from hypothesis import given, settings
from hypothesis import strategies as st

from nakctl.results.validity import LIMIT, changes, kramers_kronig, tally, validities


def swept(f_Hz: Floats) -> Floats:
    """How much of the sweep is over at each frequency, from high to low: about two periods each, and 0.4 s."""
    taken_s = np.cumsum(0.37 + 2.0 / f_Hz)
    return np.asarray(taken_s / taken_s[-1])


f_Hz = COARSE_Hz
w = 2 * np.pi * f_Hz
SMALL = noise(1e-3, len(f_Hz))
ROWS: dict[str, tuple[Complex, str]] = {
    "exact": (three_arcs(f_Hz), "valid"),
    "little noise": (three_arcs(f_Hz) * noise(5e-3, len(f_Hz)), "valid"),
    "a resistance": (np.full(len(f_Hz), 100.0 + 0j), "valid"),
    "one time constant": ((20 + arc(f_Hz, 1e3, 1e-4)) * SMALL, "valid"),
    "an inductive loop": ((three_arcs(f_Hz) - arc(f_Hz, 60, 0.1)) * SMALL, "valid"),
    "blocking": ((20 + arc(f_Hz, 100, 1e-5, 0.9) + 1 / (1e-4 * (1j * w) ** 0.9)) * SMALL, "valid"),
    "diffusion": ((20 + arc(f_Hz, 100, 1e-5, 0.9) + 100 / (1j * w) ** 0.5) * SMALL, "valid"),
    "a capacitor": ((0.1 + 1 / (1e-7j * w)) * SMALL, "valid"),
    "noise": (three_arcs(f_Hz) * noise(0.02, len(f_Hz)), "noisy"),
    "the interface doubles": (
        (three_arcs(f_Hz) + swept(f_Hz) * arc(f_Hz, 150, 0.016, 0.9)) * SMALL,
        "drifts",
    ),
    "contact lost near the end": (three_arcs(f_Hz) * np.where(f_Hz < 1, 1.15, 1) * SMALL, "drifts"),
    "a step in the middle": (three_arcs(f_Hz) * np.where(f_Hz < 1e3, 1.1, 1) * SMALL, "distorted"),
    "a hole": (np.where(w == w[7], np.nan, three_arcs(f_Hz)), "not determined"),
    "an open lead": (np.full(len(f_Hz), np.inf + 0j), "not determined"),
    "a short of no impedance": (np.zeros(len(f_Hz), np.complex128), "not determined"),
}


@pytest.mark.parametrize("name", ROWS)
def test_verdicts(name: str) -> None:
    z, verdict = ROWS[name]
    found = kramers_kronig(f_Hz, z)
    assert found.verdict == verdict
    assert (found.verdict == "valid") == (max(found.rms, found.low_rms) <= LIMIT)
    assert found.residual_re.shape == found.residual_im.shape == f_Hz.shape


def test_a_few_points_are_not_enough_to_blame_a_spectrum() -> None:
    for count in range(5):
        few = np.geomspace(1e5, 1.0, count)
        assert kramers_kronig(few, three_arcs(few)).verdict == "not determined"
    few = np.geomspace(1e5, 1.0, 12)  # an arc of one time constant between two points a decade
    assert kramers_kronig(few, 20 + arc(few, 1e3, 1e-4)).verdict == "not determined"
    assert kramers_kronig(few, 20 + arc(few, 100, 1e-3, 0.7)).verdict == "valid"
    same = np.full(8, 100.0)
    assert kramers_kronig(same, np.ones(8) * (1 - 1j)).verdict == "not determined"


@pytest.mark.parametrize("f_Hz", [PAPER_Hz, COARSE_Hz])
@pytest.mark.parametrize("size", [1e-3, 0.02])
def test_residuals_are_those_of_impedance_py_with_as_many_elements(f_Hz: Floats, size: float) -> None:
    from impedance import validation  # loads pandas and matplotlib: not for the other tests

    z = three_arcs(f_Hz) * noise(size, len(f_Hz), 3)
    found = kramers_kronig(f_Hz, z)
    with np.printoptions(legacy="1.25"):  # it writes numbers into a text, and evaluates that
        _, mu, _, re, im = validation.linKK(
            f_Hz, z, c=None, max_M=found.elements, fit_type="complex", add_cap=True
        )
    assert found.residual_re == pytest.approx(re, abs=1e-5)
    assert found.residual_im == pytest.approx(im, abs=1e-5)
    assert found.mu == pytest.approx(mu, abs=0.01)


@settings(max_examples=10)
@given(st.floats(1e-6, 1e9), st.randoms(use_true_random=False))
def test_neither_size_nor_order_of_the_points_matters(scale: float, random: object) -> None:
    z = three_arcs(f_Hz) * noise(5e-3, len(f_Hz))
    order = np.random.default_rng(random.randrange(1000)).permutation(len(f_Hz))  # type: ignore[attr-defined]
    one, other = kramers_kronig(f_Hz, z), kramers_kronig(f_Hz[order], scale * z[order])
    assert other.residual_re == pytest.approx(one.residual_re[order], abs=1e-7)
    assert (other.elements, other.verdict) == (one.elements, one.verdict)
    assert other.low_rms == pytest.approx(one.low_rms, abs=1e-7)


def test_many_at_once_are_what_each_is_alone() -> None:
    z = np.array([row for row, _ in ROWS.values()])
    together = validities(f_Hz, z)
    for one, alone in zip(together, (kramers_kronig(f_Hz, row) for row in z), strict=True):
        assert (one.verdict, one.elements) == (alone.verdict, alone.elements)
        assert one.residual_im == pytest.approx(alone.residual_im, abs=1e-6, nan_ok=True)
    assert sum(tally(together).values()) == len(ROWS)
    assert tally(together)["not determined"] == 3
    assert validities(f_Hz, z[:0]) == []


def test_a_spectrum_takes_less_than_50_ms() -> None:
    z = np.array([three_arcs(PAPER_Hz) * noise(2e-3, len(PAPER_Hz), seed) for seed in range(50)])
    validities(PAPER_Hz, z[:1])
    began = time.process_time()
    validities(PAPER_Hz, z)
    assert time.process_time() - began < 50 * 0.050


def test_the_change_from_one_spectrum_to_the_next() -> None:
    one = three_arcs(f_Hz)
    found = changes(f_Hz, np.array([one, one, 1.1 * one, one * np.where(f_Hz > 10, 2, 1)]))
    assert found == pytest.approx([0.0, 0.1 / 1.05, 0.1 / 1.05])
    assert changes(f_Hz, one[None, :]).shape == (0,)
