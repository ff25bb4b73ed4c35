"""What the spectra of a run tell, on files whose answer is known: arcs that come and go with the current."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import results_runs as runs
from circuits_exact import COARSE_Hz, Complex, Floats, PAPER_Hz, arc, noise
from hypothesis import given, settings
from hypothesis import strategies as st

from nakctl.record.read import Run, open_run
from nakctl.results.areal import UnknownArea
from nakctl.results.conclude import conclusions
from nakctl.results.drt import drt
from nakctl.results.spectra import Spectra
from nakctl.results.spectral_summary import spectra_told, spectral_figures
from nakctl.results.summary import summary, told
from nakctl.results.tracks import (
    GAMMA_GB,
    GAMMA_INT,
    GAMMA_INT_FAST,
    Track,
    gone_after_s,
    telling_places,
    there_from,
    tracks,
)

AREA_cm2 = runs.AREA_cm2
LEVELS_mA_cm2 = (0.2, 0.4, 0.6, 0.8)
Given = tuple[float, float, Floats, Complex, bool]


def cell(f_Hz: Floats, fast: float = 0.0, slow: float = 150.0, seed: int = 0) -> Complex:
    """In ohm: 12, grain boundaries of 100 at 1 us, the fast process at 0.5 ms, the interface at 60 ms, all ohm cm2."""
    z = 12.0 + arc(f_Hz, 100, 1e-6, 0.92) + arc(f_Hz, fast, 5e-4, 0.92) + arc(f_Hz, slow, 0.06, 0.92)
    return np.asarray(z * noise(1e-3, len(f_Hz), seed) / AREA_cm2)


def staircase(f_Hz: Floats = COARSE_Hz, sign: int = 1) -> list[Given]:
    """At rest; at four currents, the fast process from 0.6 mA/cm2 on; at rest, where it is gone at once."""
    currents = [1e-3 * sign * j * AREA_cm2 for j in LEVELS_mA_cm2]
    driven = [
        (220.0 + 100 * k, I_A, f_Hz, cell(f_Hz, 0 if k < 2 else 80 * k, 150, k), True)
        for k, I_A in enumerate(currents)
    ]
    rested = [(610.0 + 50 * k, 0.0, f_Hz, cell(f_Hz, 0, 225 - 20 * k, 9 + k), True) for k in range(4)]
    return [(50.0, 0.0, f_Hz, cell(f_Hz), True), *driven, *rested]


def written(path: Path, given: Sequence[Given], sign: int = 1, **about: Any) -> Run:
    steps = [
        runs.rest(200),
        *(runs.strip(1e-3 * sign * j * AREA_cm2, [0.1] * 100) for j in LEVELS_mA_cm2),
        runs.rest(300),
    ]
    return open_run(
        runs.written(path / "run.h5", steps, more=runs.spectra(*given) if given else None, **about)
    )


def test_three_processes_are_followed_and_are_none_where_they_are_not(tmp_path: Path) -> None:
    found = tracks(Spectra(written(tmp_path, staircase())))
    assert found[GAMMA_GB].tau_s == pytest.approx(1e-6, rel=0.2)
    assert found[GAMMA_GB].area == pytest.approx(100, rel=0.05)
    assert found[GAMMA_INT].tau_s == pytest.approx(0.06, rel=0.05)
    assert found[GAMMA_INT].area[[0, -1]] == pytest.approx([150, 165], rel=0.05)
    fast = found[GAMMA_INT_FAST]
    assert fast.there.tolist() == [False] * 3 + [True] * 2 + [False] * 4
    assert fast.area[3:5] == pytest.approx([160, 240], rel=0.06)
    assert fast.share[3] == pytest.approx(160 / 410, abs=0.02)
    assert np.isnan(fast.height[:3]).all()
    assert fast.current.tolist() == [0.0, 0.2, 0.4, 0.6, 0.8, 0, 0, 0, 0]
    assert not any(track.extrapolated.any() for track in found.values())


def test_of_two_peaks_in_one_window_the_larger_is_the_process(tmp_path: Path) -> None:
    both = cell(COARSE_Hz, 0, 40) + arc(COARSE_Hz, 90, 0.9, 0.95) / AREA_cm2
    found = tracks(Spectra(written(tmp_path, [(50.0, 0.0, COARSE_Hz, both, True)])))[GAMMA_INT]
    assert found.tau_s == pytest.approx(0.9, rel=0.15)


@pytest.mark.parametrize("sign", [1, -1])
def test_from_which_current_and_after_how_long_a_rest(tmp_path: Path, sign: int) -> None:
    spectra = Spectra(written(tmp_path, staircase(sign=sign), sign))
    fast = tracks(spectra)[GAMMA_INT_FAST]
    assert (there_from(fast, sign), there_from(fast, -sign)) == (0.6, None)
    # the current ended at 600 s, the last of 43 points came at 652 s
    assert gone_after_s(fast, spectra) == pytest.approx(52.0, abs=1.0)


def test_the_figures_and_the_sentences(tmp_path: Path) -> None:
    run = written(tmp_path, staircase())
    found = spectral_figures(run)
    assert found["spectra_valid"] == 9
    assert found["high_frequency_resistance_ohm_cm2"] == pytest.approx(12, rel=0.1)
    assert (found["peaks"], found["peak_1_extrapolated"], found["peak_2_extrapolated"]) == (2, False, False)
    assert found["peak_2_tau_s"] == pytest.approx(0.06, rel=0.05)
    assert found["peak_2_ohm_cm2"] == pytest.approx(150, rel=0.05)
    assert found["gamma_int_fast_from_mA_cm2"] == 0.6
    assert found["gamma_int_rested_over_pristine"] == pytest.approx(165 / 150, rel=0.05)
    lines = list(spectra_told(found))
    assert lines[0] == "Kramers-Kronig: 9 of 9 spectra valid"
    assert "ohm cm2 at high frequency; peaks of its DRT at 1 us (" in lines[1]
    assert lines[2].startswith(
        "gamma'_int from 0.6 mA/cm2 on, gone after 52 s of rest, gamma_int after the rest 1."
    )
    assert found.items() <= summary(run).items()
    assert set(lines) <= set(told(summary(run)))


def test_they_stand_in_the_file_with_units(tmp_path: Path) -> None:
    run = written(tmp_path, staircase())
    kept = run.header.results
    assert kept["gamma_int_fast_from_mA_cm2"] == {"value": 0.6, "units": "mA/cm^2"}
    assert kept["peak_2_ohm_cm2"]["units"] == "ohm*cm^2"
    assert kept["peak_2_tau_s"]["units"] == "s"
    assert "gamma'_int from 0.6 mA/cm2 on" in kept["text"]
    assert conclusions(tmp_path / "run.h5")["text"]["value"] == kept["text"]


def test_without_an_area_they_are_in_ohm_and_nothing_is_areal(tmp_path: Path) -> None:
    run = written(tmp_path, staircase(), sample={"name": "cell"})
    spectra, found = Spectra(run), spectral_figures(run)
    assert not [name for name in found if "cm2" in name]
    assert found["peak_2_ohm"] == pytest.approx(300, rel=0.05)
    assert found["gamma_int_fast_from_mA"] == pytest.approx(0.3)
    assert found["gamma_int_fast_gone_after_s"] == pytest.approx(52.0, abs=1.0)
    assert not any("cm2" in line for line in spectra_told(found))
    assert (spectra.unit, spectra[0].unit, spectra[0].drt().unit) == ("ohm", "ohm", "ohm")
    assert conclusions(tmp_path / "run.h5")["peak_2_ohm"]["units"] == "ohm"
    for areal in (
        lambda: spectra.j_mA_cm2,
        lambda: spectra[0].z_ohm_cm2,
        lambda: spectra[0].j_mA_cm2,
        lambda: spectra[0].drt().gamma_ohm_cm2,
    ):
        with pytest.raises(UnknownArea):
            areal()


f = COARSE_Hz
ODD: dict[str, list[Given]] = {
    "none": [],
    "not complete": [(50.0, 0.0, f[:7], cell(f)[:7], False)],
    "three points": [(50.0, 0.0, f[:3], cell(f)[:3], True)],
    "one point": [(50.0, 0.0, f[:1], cell(f)[:1], True)],
    "no numbers": [(50.0, 0.0, f, np.full(43, np.nan + 0j), True)],
    "a current that is none": [(50.0, np.nan, f, cell(f), True), (250.0, 1e-4, f, cell(f), True)],
    "zero": [(50.0, 0.0, f, np.zeros(43, np.complex128), True)],
    "a frequency that is none": [(50.0, 0.0, np.where(f > 1e5, np.nan, f), cell(f), True)],
    "negative frequencies": [(50.0, 0.0, -f, cell(f), True)],
    "noise as large as it": [(50.0, 0.0, f, cell(f) * noise(2.0, 43, 3), True)],
    "only under current": [(250.0, 1e-4, f, cell(f, 300), True)],
    "other frequencies": [(50.0, 0.0, f, cell(f), True), (250.0, 1e-4, PAPER_Hz, cell(PAPER_Hz), True), (450.0, 0.0, f[:4], cell(f)[:4], True)],
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("about", [{}, {"sample": {"name": "cell"}}])
def test_odd_files_have_no_invented_numbers(tmp_path: Path, name: str, about: dict[str, Any]) -> None:
    run = written(tmp_path, ODD[name], **about)
    found = spectral_figures(run)
    assert all(np.isfinite(value) for value in found.values() if isinstance(value, float))
    assert list(spectra_told(found)) or not found
    spectra = Spectra(run)
    assert len(spectra.drts()) == len(spectra.validities) == len(spectra.changes()) == len(spectra)
    assert {track.places.shape for track in tracks(spectra).values()} == {(len(spectra),)}
    if name in ("three points", "one point", "no numbers", "zero"):
        assert found["spectra_undetermined"] == 1
    assert (found.get("peaks") == "not determined") == (name == "noise as large as it")
    assert ("peaks" in found) == (
        name
        not in (
            "none",
            "not complete",
            "three points",
            "one point",
            "no numbers",
            "a frequency that is none",
            "negative frequencies",
        )
    )


def test_spectra_of_several_lists_of_frequencies_share_their_relaxation_times(tmp_path: Path) -> None:
    spectra = Spectra(written(tmp_path, ODD["other frequencies"]))
    assert sorted(map(list, spectra.same_frequencies)) == [[0], [1], [2]]
    lengths = {len(one.tau_s) for one in spectra.drts()}
    assert len(lengths) == 1
    assert [one.determined for one in spectra.drts()] == [True, True, False]


def test_together_is_the_same_as_one_by_one(tmp_path: Path) -> None:
    spectra = Spectra(written(tmp_path, staircase()))
    for one, together, valid in zip(spectra, spectra.drts(), spectra.validities, strict=True):
        assert together.gamma == pytest.approx(one.drt().gamma, abs=1e-6)
        alone = drt(one.f_Hz, one.z_ohm_cm2)
        assert [peak.tau_s for peak in alone.peaks()] == pytest.approx(
            [peak.tau_s for peak in together.peaks()], rel=1e-4
        )
        assert valid.verdict == one.validity.verdict
    assert len(spectra.drts([0], lam=0.1)[0].peaks()) == 2
    assert spectra.drts([0], lam=0.1)[0].gamma.max() < spectra[0].drt().gamma.max()


def test_a_cell_that_changes_while_it_is_measured_is_told(tmp_path: Path) -> None:
    lost = cell(f) * np.where(f < 1, 1.2, 1)
    run = written(tmp_path, [(50.0, 0.0, f, cell(f), True), (150.0, 0.0, f, lost, True)])
    found = spectral_figures(run)
    assert (found["spectra_valid"], found["spectra_drifting"]) == (1, 1)
    assert found["spectra_not_stationary"] == "2"
    assert found["spectra_largest_change"] == pytest.approx(0.2 / 1.1, rel=0.1)
    assert found["spectra_largest_change_at_s"] == 150.0
    lines = list(spectra_told(found))
    assert lines[0].startswith("Kramers-Kronig: 1 of 2 spectra valid, 1 drifting (")
    assert "spectra that drift or are distorted: 2" in lines


def test_of_many_spectra_those_are_looked_at_that_tell(tmp_path: Path) -> None:
    stairs = [(1.0 + k, 1e-5 * (k + 1), f[:5], cell(f)[:5], True) for k in range(30)]
    resting = [(100.0 + k, 0.0, f[:5], cell(f)[:5], True) for k in range(400)]
    spectra = Spectra(written(tmp_path, [*stairs, *resting]))
    places = telling_places(spectra, 100)
    assert places[:32] == list(range(32))  # all levels, and the first ones at rest
    assert places[-1] == 429
    assert len(places) < 60
    assert telling_places(spectra, 20)[-1] == 429
    assert len(telling_places(spectra, 20)) == 20
    assert telling_places(spectra, 500) == list(range(430))


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.4, 0.6]), st.booleans()), max_size=12))
def test_from_a_current_on_means_at_all_above_it(levels: list[tuple[float, bool]]) -> None:
    current = np.array([round(level, 3) for level, _ in levels])
    tau_s = np.array([1e-3 if there else np.nan for _, there in levels])
    nothing = np.full(len(levels), np.nan)
    track = Track(**{**BARE_FIELDS, "current": current, "tau_s": tau_s, "height": nothing})
    found = there_from(track)
    shares = {
        level: np.mean(np.isfinite(tau_s[current == level])) for level in np.unique(current[current > 0.002])
    }
    expected = [
        level for level in shares if all(share > 0.5 for other, share in shares.items() if other >= level)
    ]
    assert found == (min(expected) if expected else None)


BARE_FIELDS: dict[str, Any] = {
    "name": "", "unit": "ohm", "places": np.zeros(0, np.intp), "time_s": np.zeros(0), "current": np.zeros(0), "tau_s": np.zeros(0),
    "height": np.zeros(0), "area": np.zeros(0), "share": np.zeros(0), "extrapolated": np.zeros(0, np.bool_),
}  # fmt: skip
