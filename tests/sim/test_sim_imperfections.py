"""What the instrument adds: as much as its recordings say, and not more than the calibration bears."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sim_bench import cp, eis, execute, ocv, on, potentiostat

from nakctl.device.channel import Flag, Rows
from nakctl.device.instrument import instrument, instruments
from nakctl.errors import RigError
from nakctl_sim.imperfections import imperfections


@pytest.mark.parametrize("name", instruments())
def test_every_instrument_has_its_imperfections(name: str) -> None:
    assert imperfections(instrument(name)).as_facts()["noise"] > 0


def test_an_instrument_without_imperfections_is_refused() -> None:
    with pytest.raises(RigError, match="SP-300"):
        imperfections(replace(instrument("SP-300"), name="SP-9000"))


@pytest.mark.parametrize("like", ["SP-300", "VMP-3"])
def test_readings_of_ewe_have_resolution_and_noise(like: str) -> None:
    """At rest on the 5 V range: a few counts of 16 bits, below 0.1 mV."""
    samples, _, _ = execute(potentiostat(like=like), ocv(2000.0))
    counts = samples["Ewe_V"] / (instrument(like).E_step * 10.0)
    assert np.allclose(counts, np.round(counts), atol=1e-3)
    assert 2 <= len(np.unique(counts)) <= 5
    assert 10e-6 < samples["Ewe_V"].std() < 100e-6
    assert abs(samples["Ewe_V"].mean()) < 20e-6


@pytest.mark.parametrize(("I_range", "full_A"), [("1 mA", 1e-3), ("10 mA", 1e-2)])
def test_noise_of_the_current_grows_with_the_range(I_range: str, full_A: float) -> None:
    samples, _, _ = execute(potentiostat(like="VMP-3"), cp(0.38e-3, 2000.0, hardware=on(I_range)))
    assert 5e-6 < samples["I_A"].std() / full_A < 20e-6


@pytest.mark.parametrize(("like", "read_A"), [("SP-300", 0.380e-3), ("VMP-3", 0.3806e-3)])
def test_set_error_of_the_current(like: str, read_A: float) -> None:
    """A VMP3 set to 0.380 mA reads 0.3806 mA, and so much flows: Ewe shows it too."""
    samples, _, _ = execute(potentiostat(like=like), cp(0.38e-3, 500.0))
    assert samples["I_A"].mean() == pytest.approx(read_A, rel=1e-4)
    assert samples["Ewe_V"][-100:].mean() == pytest.approx(300 * read_A, rel=1e-3)


def scatter(points: Rows) -> np.ndarray:
    """Relative deviation of Z from that of the same frequency in the other sweeps."""
    Z = (points["Z_re_ohm"] + 1j * points["Z_im_ohm"]).reshape(-1, 9)
    return np.sqrt(np.mean(np.abs(Z / Z.mean(axis=0) - 1) ** 2, axis=0))


def sweeps(like: str = "SP-300", **words: object) -> np.ndarray:
    _, points, _ = execute(potentiostat(like=like), *([eis(f_last_Hz=1e3, **words)] * 50))
    return scatter(points)


def test_scatter_as_voltage_lies_within_the_recordings() -> None:
    """SP-300, 30 uA, two averages: 8 uV at 9.6 kHz to 41 uV at 200 kHz, sweep to sweep."""
    _, points, _ = execute(potentiostat(), eis(f_last_Hz=1e3))
    scatter_V = (
        sweeps(amplitude_peak=30e-6, average=2, hardware=on("100 uA")) * np.abs(points["E_amp_V"]) * 0.6
    )
    assert np.all(scatter_V > 4e-6)
    assert np.all(scatter_V < 41e-6)


def test_scatter_grows_when_the_amplitude_shrinks() -> None:
    strong, weak = sweeps(amplitude_peak=50e-6), sweeps(amplitude_peak=0.5e-6)
    assert np.all(weak > 5 * strong)


def test_scatter_shrinks_with_averages() -> None:
    once, often = sweeps(amplitude_peak=1e-6), sweeps(amplitude_peak=1e-6, average=16)
    assert np.allclose(once / often, 4.0, rtol=0.5)


def test_amplitude_collapses_at_the_edge_of_a_vmp3() -> None:
    """50 uA asked: at least 49 uA at 500 kHz, 2.7 uA at 1 MHz."""
    sweep = eis(f_first_Hz=1e6, f_last_Hz=5e5, n_frequencies=2)
    _, points, _ = execute(potentiostat(like="VMP-3"), sweep)
    assert points["I_amp_A"][0] == pytest.approx(2.7e-6, rel=0.1)
    assert points["I_amp_A"][1] == pytest.approx(50e-6, rel=0.02)
    assert [bool(flags & Flag.LOW_AMPLITUDE) for flags in points["flags"]] == [True, False]


def test_peis_drives_the_potential() -> None:
    sweep = eis("PEIS", amplitude_peak=5e-3, f_first_Hz=1e3, hardware=on("100 uA"))
    _, points, _ = execute(potentiostat(), sweep)
    assert np.allclose(points["E_amp_V"], 5e-3, rtol=0.02)


def test_every_segment_has_noise_of_its_own() -> None:
    bench = potentiostat()
    one, other = (execute(bench, ocv(100.0), eis()) for _ in range(2))
    assert np.any(one[0]["Ewe_V"] != other[0]["Ewe_V"])
    assert np.all(one[1]["Z_re_ohm"] != other[1]["Z_re_ohm"])
