"""A peak is told where there is one, as large as it is, and none where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from circuits_exact import COARSE_Hz, Complex, Floats, LONG_Hz, PAPER_Hz, arc, coil, noise, three_arcs
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from nakctl.results.drt import FAST_INTERFACE, LAMBDA, Drt, Grid, drt, taus_s
from nakctl.results.nonneg import nonnegative, one_at_a_time
from nakctl.results.peaks import STEP, Peak

WINDOWS = {"7 MHz to 5 Hz": PAPER_Hz, "1 MHz to 0.1 Hz": COARSE_Hz, "1 MHz to 10 mHz": LONG_Hz}
# R, tau_s, exponent: apart by two decades or more, so that each has a resistance of its own
ARCS: dict[str, list[tuple[float, float, float]]] = {
    "RC": [(100, 1.3e-4, 1.0)],
    "RC off the grid": [(100, 3.5e-4, 1.0)],
    "two RC": [(100, 1.3e-5, 1.0), (50, 2.1e-3, 1.0)],
    "small and large RC": [(100, 1.3e-5, 1.0), (20, 2.1e-3, 1.0)],
    "ZARC 0.9": [(100, 1.3e-4, 0.9)],
    "ZARC 0.8": [(100, 1.3e-4, 0.8)],
    "ZARC 0.7": [(100, 1.3e-4, 0.7)],
    "two ZARC": [(100, 4e-6, 0.92), (150, 1.3e-3, 0.9)],
}


def of(f_Hz: Floats, arcs: list[tuple[float, float, float]]) -> Complex:
    return np.asarray(20.0 + coil(f_Hz) + sum((arc(f_Hz, *one) for one in arcs), np.zeros(len(f_Hz))))


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("name", ARCS)
def test_positions_and_areas_of_exact_circuits_are_within_5_percent(window: str, name: str) -> None:
    f_Hz, arcs = WINDOWS[window], ARCS[name]
    found = drt(f_Hz, of(f_Hz, arcs)).peaks()
    assert len(found) == len(arcs)
    total = sum(R for R, *_ in arcs)
    for peak, (R, tau_s, _) in zip(found, arcs, strict=True):
        assert peak.tau_s == pytest.approx(tau_s, rel=0.05)
        assert peak.area == pytest.approx(R, rel=0.05)
        assert peak.share == pytest.approx(R / total, abs=0.03)
        assert not peak.extrapolated


def test_where_arcs_overlap_their_sum_is_right_and_their_positions_are() -> None:
    found = drt(PAPER_Hz, three_arcs(PAPER_Hz)).peaks()
    assert [peak.tau_s for peak in found] == pytest.approx([1e-6, 5e-4, 0.016], rel=0.05)
    assert sum(peak.area for peak in found) == pytest.approx(300, rel=0.03)


NOTHING: dict[str, Complex] = {
    "a resistance": np.full(93, 20.0 + 0j),
    "and a coil": 20.0 + coil(PAPER_Hz),
    "with noise": (20.0 + coil(PAPER_Hz)) * noise(5e-3, 93),
    "noise alone": 1e-3 * (noise(1.0, 93) - 1.0),
    "a loop of a coil": 20.0 - arc(PAPER_Hz, 15, 1e-3),
    "a capacitor": 20.0 + 1.0 / (2j * np.pi * PAPER_Hz * 1e-3),
    "zero": np.zeros(93, np.complex128),
    "no numbers": np.full(93, np.nan + 0j),
    "one that is none": np.where(np.arange(93) == 40, np.nan, three_arcs(PAPER_Hz)),
}


@pytest.mark.parametrize("name", NOTHING)
def test_there_is_no_peak_where_there_is_no_process(name: str) -> None:
    assert drt(PAPER_Hz, NOTHING[name]).peaks() == ()


@pytest.mark.parametrize("count", range(5))
def test_too_few_points_determine_nothing(count: int) -> None:
    f_Hz = np.geomspace(1e5, 1e2, count)
    found = drt(f_Hz, of(f_Hz, ARCS["RC"]))
    assert not found.determined
    assert np.isnan(found.gamma).all()
    assert found.peaks() == ()


def test_a_window_without_a_peak_has_none_though_it_has_a_highest_point() -> None:
    found = drt(PAPER_Hz, of(PAPER_Hz, [(100, 1e-6, 0.9), (150, 0.016, 0.9)]) * noise(1e-3, 93))
    assert len(found.peaks()) == 2
    assert found.peaks(FAST_INTERFACE) == ()
    assert found.top(FAST_INTERFACE).height_ohm_cm2 > 0


def test_a_small_process_is_seen_beside_a_large_one_that_is_far_enough() -> None:
    found = drt(PAPER_Hz, of(PAPER_Hz, [(40, 1e-6, 0.92), (1500, 5e-4, 0.92)])).peaks()
    assert [peak.tau_s for peak in found] == pytest.approx([1e-6, 5e-4], rel=0.05)


def test_noise_makes_few_peaks() -> None:
    z = of(PAPER_Hz, ARCS["two ZARC"])
    counts = [len(drt(PAPER_Hz, z * noise(5e-3, 93, seed)).peaks()) for seed in range(40)]
    assert min(counts) == 2
    assert np.mean(counts) < 2.15


@pytest.mark.parametrize(("f_Hz", "tau_s"), [(PAPER_Hz, 1e-3), (COARSE_Hz, 1e-2), (LONG_Hz, 0.1)])
def test_diffusion_into_a_finite_depth_has_its_peak_where_its_authors_print_it(
    f_Hz: Floats, tau_s: float
) -> None:
    """Boukamp, Electrochim. Acta 252, 2017, 154 (abstract): at tau / (pi^2 (k - 1/2)^2), k = 1, 2, ..., each 2/pi^2/(k -
    1/2)^2 of the whole, so 81 % in the first. It is the series tanh(x)/x = sum of 2/(x^2 + pi^2 (k - 1/2)^2).
    """
    root = np.sqrt(2j * np.pi * f_Hz * tau_s)
    found = drt(f_Hz, 20.0 + 100.0 * np.tanh(root) / root).peaks()
    assert np.log10(found[-1].tau_s / (4 * tau_s / np.pi**2)) == pytest.approx(0.0, abs=0.1)
    assert found[-1].area == pytest.approx(81, rel=0.06)


def test_peaks_are_where_the_authors_of_pyimpspec_print_them() -> None:
    """Its guide to distributions (docs/source/guide_drt.rst of version 5.1.3): circuits with the noise of its
    mock data, peaks that are 0.43 decades apart, and such as are far apart.
    """
    f_Hz = np.logspace(5, -1, 61)
    given = (
        100 + arc(f_Hz, 300, 1.5e-3) + arc(f_Hz, 450, 4.5e-3),
        140 + arc(f_Hz, 230, 2.3e-4) + arc(f_Hz, 576, 0.0576),
    )
    near, far = (z + mock_noise(5e-4 * np.abs(z)) for z in given)
    found = drt(f_Hz, near, lam=1e-5, unit="ohm").peaks()  # 1e-3 flattens so much that the two are one
    assert np.log10([peak.tau_s for peak in found]) == pytest.approx(
        np.log10([1.55063e-3, 4.19888e-3]), abs=0.1
    )
    assert [peak.area for peak in found] == pytest.approx([280.396, 470.508], rel=0.06)
    found = drt(f_Hz, far, unit="ohm").peaks()
    assert np.log10([peak.tau_s for peak in found]) == pytest.approx(
        np.log10([2.30559e-4, 0.0574022]), abs=0.02
    )
    assert [peak.area for peak in found] == pytest.approx([230.233, 574.438], rel=0.02)


def mock_noise(size: Floats) -> Complex:
    random = np.random.RandomState(42)  # as pyimpspec's
    return random.normal(0, size) + 1j * random.normal(0, size)


@pytest.mark.parametrize("lam", [1e-6, 1e-9])
def test_no_lambda_makes_a_distribution_that_is_negative(lam: float) -> None:
    f_Hz = np.logspace(5, -1, 61)
    z = 100 + arc(f_Hz, 300, 1.5e-3) + arc(f_Hz, 450, 4.5e-3)
    found = drt(f_Hz, z + mock_noise(5e-4 * np.abs(z)), lam=lam, unit="ohm")
    assert found.gamma.min() >= 0
    assert [peak.area for peak in found.peaks()] == pytest.approx([300, 450], rel=0.03)


def test_a_peak_beyond_the_measured_window_is_said_to_be() -> None:
    arcs = [(100, 1e-6, 0.92), (150, 0.07, 0.9)]  # the last one at 2.3 Hz, measured down to 5 Hz
    inside, beyond = drt(PAPER_Hz, of(PAPER_Hz, arcs)).peaks()
    assert (inside.extrapolated, beyond.extrapolated) == (False, True)
    assert beyond.tau_s == pytest.approx(0.07, rel=0.3)
    assert not any(peak.extrapolated for peak in drt(COARSE_Hz, of(COARSE_Hz, arcs)).peaks())


def test_what_is_in_series_is_found_beside_it() -> None:
    found = drt(PAPER_Hz, of(PAPER_Hz, ARCS["ZARC 0.8"]))
    assert pytest.approx(20.0, rel=0.01) == found.R
    assert pytest.approx(1e-7, rel=0.01) == found.L
    assert found.polarisation == pytest.approx(100.0, rel=0.01)
    assert found.residual < 1e-3


@settings(max_examples=10)
@given(st.floats(1e-6, 1e6), st.sampled_from([1e-5, 1e-3, 0.1]))
def test_the_size_of_a_cell_scales_its_peaks_and_nothing_else(scale: float, lam: float) -> None:
    z = three_arcs(PAPER_Hz) * noise(2e-3, 93)
    one, other = (drt(PAPER_Hz, size * z, lam, "ohm").peaks() for size in (1.0, scale))

    def plain(peak: Peak, size: float) -> list[float]:
        return [peak.tau_s, peak.height / size, peak.area / size, peak.share]

    assert [plain(peak, scale) for peak in other] == [
        pytest.approx(plain(peak, 1.0), rel=1e-5) for peak in one
    ]


def test_a_larger_lambda_is_flatter_and_wider() -> None:
    sharp, flat = (drt(PAPER_Hz, of(PAPER_Hz, ARCS["RC"]), lam).peaks()[0] for lam in (1e-5, 0.1))
    assert sharp.height > 1.5 * flat.height
    assert sharp.area == pytest.approx(flat.area, rel=0.05)


def test_gamma_in_ohm_is_never_given_as_areal() -> None:
    found = drt(PAPER_Hz, three_arcs(PAPER_Hz), unit="ohm")
    with pytest.raises(LookupError, match="in ohm only"):
        found.gamma_ohm_cm2  # noqa: B018
    assert found.unit == "ohm"


def test_the_solution_is_that_of_scipy() -> None:
    grid = Grid(PAPER_Hz, taus_s(5.0, 7e6))
    penalty = np.sqrt(LAMBDA) * np.eye(len(grid.tau_s), len(grid.tau_s) + 2)
    rows = np.vstack([grid.equations, penalty])
    start = None
    for seed in range(5):
        z = three_arcs(PAPER_Hz) * noise(3e-3, 93, seed)
        expected, _ = nnls(rows, np.concatenate([z.real, z.imag, np.zeros(len(penalty))]))
        right = np.concatenate([z.real, z.imag]) @ grid.equations
        found, start = nonnegative(grid.gram, right, start)
        assert found == pytest.approx(expected, abs=1e-4 * expected.max())


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 30))
def test_least_squares_without_negative_values_meets_its_conditions(seed: int, n: int) -> None:
    """At the minimum the gradient vanishes where x > 0, and is not negative where x = 0."""
    random = np.random.default_rng(seed)
    rows = random.standard_normal((2 * n, n))
    gram, right = rows.T @ rows, rows.T @ random.standard_normal(2 * n)
    x, free = nonnegative(gram, right, random.random(n) > 0.5)
    gradient = gram @ x - right
    assert (x >= 0).all()
    assert (x[~free] == 0).all()
    assert gradient[free] == pytest.approx(np.zeros(free.sum()), abs=1e-6)
    assert (gradient >= -1e-6).all()


@pytest.mark.parametrize(("seed", "n"), [(12674, 3), (18342, 5)])
def test_least_squares_come_to_an_end_where_a_full_exchange_goes_round_in_circles(seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    assert random.integers(3, 9) == n
    rows = random.standard_normal((n + 1, n))
    gram, right = rows.T @ rows, 3 * random.standard_normal(n)
    x, free = nonnegative(gram, right, random.random(n) > 0.5)
    gradient = gram @ x - right
    assert (x >= 0).all()
    assert gradient[free] == pytest.approx(np.zeros(free.sum()), abs=1e-6)
    assert (gradient >= -1e-6).all()


@settings(max_examples=60)
@given(
    st.integers(0, 10_000),
    st.integers(1, 25),
    st.integers(0, 25),
    st.sampled_from(["any", "positive", "uneven"]),
)
def test_one_at_a_time_comes_where_scipy_does(seed: int, n: int, more: int, kind: str) -> None:
    random = np.random.default_rng(seed)
    rows, known = random.standard_normal((n + more, n)), random.standard_normal(n + more)
    if kind == "positive":
        rows = np.abs(rows)
    elif kind == "uneven":
        rows = rows * 10.0 ** random.uniform(-3, 3, n)
    expected, residual = nnls(rows, known)
    found, free = one_at_a_time(rows, known)
    assert (found >= 0).all() and (found[~free] == 0).all()
    assert np.linalg.norm(rows @ found - known) == pytest.approx(residual, rel=1e-9, abs=1e-9)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-6 * expected.max(initial=1e-300))


def test_one_at_a_time_comes_to_an_end_where_columns_are_alike() -> None:
    random = np.random.default_rng(3)
    rows, known = random.standard_normal((12, 8)), random.standard_normal(12)
    rows[:, 1], rows[:, 2] = rows[:, 0] * (1 + 1e-13), 2 * rows[:, 0]
    found, _ = one_at_a_time(rows, known)
    assert (found >= 0).all()
    assert np.linalg.norm(rows @ found - known) == pytest.approx(nnls(rows, known)[1], rel=1e-9)


@pytest.mark.parametrize("lam", [1e-8, 1e-12])
def test_where_digits_do_not_suffice_the_solution_is_that_of_scipy(lam: float) -> None:
    grid = Grid(PAPER_Hz, taus_s(5.0, 7e6), lam)
    z = three_arcs(PAPER_Hz) * noise(3e-3, 93)
    right = np.concatenate([z.real, z.imag]) @ grid.equations
    size, base = np.linalg.eigh(grid.gram)
    root = np.sqrt(np.maximum(size, np.finfo(np.float64).eps * size.max()))
    expected, _ = nnls(root[:, None] * base.T, (base.T @ right) / root)
    found, _ = nonnegative(grid.gram, right)
    assert found == pytest.approx(expected, abs=1e-6 * expected.max())


def test_the_grid_follows_the_frequencies_and_keeps_its_places() -> None:
    paper, low = taus_s(5.0, 7e6), taus_s(1e-3, 1e7)
    assert (paper[0], paper[-1], len(paper)) == (pytest.approx(10**-7.5), pytest.approx(10.0), 86)
    assert low[0] < paper[0] < paper[-1] < low[-1]
    assert np.isin(np.round(np.log10(paper), 6), np.round(np.log10(low), 6)).all()
    assert np.diff(np.log(low)) == pytest.approx(STEP)


def test_a_flank_at_the_end_of_the_grid_is_no_peak() -> None:
    tau_s = taus_s(5.0, 7e6)
    assert Drt(tau_s, np.linspace(0.0, 1.0, len(tau_s))).peaks() == ()
