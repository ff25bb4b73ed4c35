"""Points that an amplitude did not reach tell nothing, and the offset of an instrument is no current."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import results_runs as runs
from circuits_exact import COARSE_Hz, arc, noise

import nakctl
from nakctl.record.read import open_run
from nakctl.results.current import current_steps
from nakctl.results.cycling import cycles
from nakctl.results.excitation import reached
from nakctl.results.spectra import Spectra
from nakctl.results.spectral_summary import spectra_told, spectral_figures

f_Hz = np.geomspace(1e6, 10.0, 6)
FULL, V = np.full(6, 5e-5), np.full(6, 5e-3)


@pytest.mark.parametrize(
    ("E_amp_V", "I_amp_A", "left_out"),
    [
        (V, FULL, []),
        (V * [0.04, 0.2, 1, 1, 1, 1], FULL * [0.05, 0.46, 1, 1, 1, 1], [0, 1]),  # a VMP3, see the module
        (V * [0.04, 1, 1, 1, 1, 1], FULL, []),  # a current that flows through little
        (V, FULL * [0.1, 0.2, 0.4, 1, 2, 4], []),  # a potential across much
        (V * [1, 1, 1, 1, 0.1, 0.1], FULL * [1, 1, 1, 1, 0.1, 0.1], []),  # of a half cell, at low frequency
        (V * np.nan, FULL * [0.05, 1, 1, 1, 1, 1], []),
        (V * 0, FULL * 0, []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", [1, -1])
def test_only_the_end_of_the_band_is_left_out(
    E_amp_V: np.ndarray, I_amp_A: np.ndarray, left_out: list[int], order: int
) -> None:
    found = reached(f_Hz[::order], E_amp_V[None, ::order], I_amp_A[None, ::order])[0, ::order]
    assert np.flatnonzero(~found).tolist() == left_out
    assert reached(f_Hz[:0], np.zeros((2, 0)), np.zeros((2, 0))).shape == (2, 0)


def recorded(path: Path, *, weak: bool) -> Path:
    """Three spectra of an arc, as others recorded them: the reading of the current stands for what was set."""
    z = (20 + arc(COARSE_Hz, 150, 5e-4, 0.85)) * noise(1e-3, len(COARSE_Hz))
    z[:2] = [-40 - 80j, 1 - 43j] if weak else z[:2]
    more = runs.spectra(*((10.0 * k, 3e-8 * (-1) ** k, COARSE_Hz, z, True) for k in range(3)))
    points = more["impedance"]
    points["I_amp"], points["E_amp"], points["step_count"] = (
        5e-5,
        5e-5 * np.abs(np.tile(z, 3)),
        points["spectrum"],
    )
    if weak:
        points["I_amp"][points["frequency"] > COARSE_Hz[2]] = 1e-6
        points["E_amp"][points["frequency"] > COARSE_Hz[2]] = 1e-5
    given = [
        runs.Step("GEIS", I_A, [0.0] * 10, cycle=k // 2)
        for k, I_A in enumerate([3e-8, -3e-8, 3e-8, -3e-8][:3])
    ]
    return runs.written(path, given, more=more)


def test_a_spectrum_is_judged_by_the_points_that_were_reached(tmp_path: Path) -> None:
    with open_run(recorded(tmp_path / "weak.h5", weak=True)) as run:
        spectra = Spectra(run)
        assert [one.verdict for one in spectra.validities] == ["valid"] * 3
        for one in (spectra[1].drt(), spectra.drts()[1]):
            assert [peak.tau_s for peak in one.peaks()] == pytest.approx([5e-4], rel=0.1)
        assert spectra[1].validity.verdict == "valid"
        found = spectral_figures(run)
        assert found["spectra_unreached_points"] == 6
        assert "not used: 6 points from 681 kHz up" in "\n".join(spectra_told(found))
    with nakctl.open(tmp_path / "weak.h5") as told:
        assert told.spectra[2].validity.verdict == "valid"
        assert len(told.spectra[2].drt().peaks()) == 1
        assert len(told.spectra[2].f_Hz) == len(COARSE_Hz)
    with open_run(recorded(tmp_path / "full.h5", weak=False)) as run:
        assert "spectra_unreached_points" not in spectral_figures(run)


def test_the_offset_beside_a_spectrum_is_no_current(tmp_path: Path) -> None:
    with open_run(recorded(tmp_path / "run.h5", weak=False)) as run:
        assert Spectra(run).at_rest().all()
        assert len(current_steps(run)) == 0
        assert not cycles(run).both_ways.any()
        assert not any("gamma" in name for name in spectral_figures(run))
