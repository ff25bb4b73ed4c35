"""Symmetric and blocking cells: their files say what has to come out."""

from __future__ import annotations

import numpy as np
import pytest
from cell_runs import advance, voltage
from potential_steps import held

from nakctl_sim.cell import catalog
from nakctl_sim.cell.models import Floats, Model, load_model

APPLIED_V = 0.01


def polarised(model: Model, x: Floats, E_V: float, until_s: float) -> tuple[Floats, Floats]:
    """Times and currents while Ewe is held: each step a tenth of the time that went by before it."""
    at_s, I_A = [0.0], []
    while at_s[-1] < until_s:
        step_s = max(1e-3, 0.1 * at_s[-1])
        I_A.append(held(model, x, E_V, step_s))
        at_s.append(at_s[-1] + step_s)
    return np.array(at_s[1:]), np.array(I_A)


def interface_ohm(model: Model, x: Floats) -> float:
    """Between the electrolyte and the diffusion, as read off the spectrum."""
    z = model.impedance(x, np.array([1e6, 3.0]))
    return z[1].real - z[0].real


@pytest.mark.parametrize("fresh", [True, False])
@pytest.mark.parametrize("t_plus", [0.1, 0.2, 0.5])
def test_polarisation_finds_the_transference_number(tmp_path, fresh, t_plus):
    """Bruce and Vincent, whether the film still grows or not."""
    text = (catalog.HERE / "symmetric.yaml").read_text(encoding="utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace("t_plus: {value: 0.2", f"t_plus: {{value: {t_plus}"), encoding="utf-8")
    model = load_model(str(path))
    x = model.state()
    advance(model.kind, model.p, x, 0.0, 0.0 if fresh else 1e6)
    before_ohm = interface_ohm(model, x)
    at_s, I_A = polarised(model, x, APPLIED_V, 20_000.0)
    first_A, steady_A = I_A[at_s > 5e-3][0], I_A[-1]
    after_ohm = interface_ohm(model, x)
    assert after_ohm / before_ohm == pytest.approx(1.145 if fresh else 1.0, abs=0.02)
    assert (I_A[1:] < I_A[:-1] * (1 + 1e-9)).all()
    found = steady_A * (APPLIED_V - first_A * before_ohm) / (first_A * (APPLIED_V - steady_A * after_ohm))
    assert found == pytest.approx(t_plus, rel=0.01)


def test_the_first_current_is_that_of_the_spectrum():
    model = load_model("Li-symmetric")
    x = model.state()
    z = model.impedance(x, np.array([3.0]))[0].real
    at_s, I_A = polarised(model, x, APPLIED_V, 0.02)
    assert I_A[at_s > 5e-3][0] == pytest.approx(APPLIED_V / z, rel=0.01)


def test_beyond_the_limiting_current_the_salt_is_used_up():
    model = load_model("Li-symmetric")
    below, beyond = model.state(), model.state()
    I_A = 1e-3 * model.area_cm2
    assert advance(model.kind, model.p, below, 0.9 * I_A, 7200.0) < 0.5
    assert advance(model.kind, model.p, beyond, 1.1 * I_A, 7200.0) > 5.0
    assert advance(model.kind, model.p, beyond, 0.0, 7200.0) == pytest.approx(0.0, abs=1e-6)


def test_a_blocking_cell_ends_at_its_electronic_current():
    """0.1 to 1 V in steps of 0.1 V, each for 10 min; 1e-7 S/cm at 0 V, times exp(Ewe/0.15 V) further up."""
    model = load_model("blocking")
    x = model.state()
    per_cm = 0.785 / 0.1
    bulk_ohm = model.impedance(x, np.array([1e6]))[0].real
    R = 1.0 / (2e-3 * per_cm) + 1.0 / (1e-3 * per_cm)
    assert bulk_ohm == pytest.approx(1.0 / (2e-3 * per_cm), rel=0.06)  # of the grains; the rest is an arc
    for E_V in np.arange(0.1, 1.05, 0.1):
        at_s, I_A = polarised(model, x, E_V, 600.0)
        steady_A = 1e-7 * per_cm * 0.15 * np.expm1((E_V - I_A[-1] * R) / 0.15)
        assert I_A[-1] == pytest.approx(steady_A, rel=0.01)
        assert I_A[at_s > 0.1][0] > 3.0 * I_A[-1]
        assert (I_A[1:] < I_A[:-1]).all()


def test_its_slope_at_no_potential_is_the_electronic_conductivity():
    model = load_model("blocking")
    x = model.state()
    polarised(model, x, 1e-4, 2000.0)
    I_A = polarised(model, x, 1e-4, 2000.0)[1][-1]
    assert pytest.approx(1e-7 * 0.785 / 0.1, rel=2e-3) == I_A / 1e-4
    assert 1.0 / model.impedance(x, np.array([1e-7]))[0].real == pytest.approx(1e-7 * 0.785 / 0.1, rel=2e-3)


def test_its_spectrum_shows_the_ions():
    model = load_model("blocking")
    z = model.impedance(model.state(), np.array([1e4, 10.0]))
    ions_ohm = 0.1 / 0.785 * (1 / 2e-3 + 1 / 1e-3)
    assert z[0].real == pytest.approx(ions_ohm, rel=0.01)
    assert -z[1].imag > 5.0 * ions_ohm


@pytest.mark.parametrize(("name", "file"), [("Li-symmetric", "symmetric"), ("blocking", "blocking")])
def test_warmer_ions_are_faster_by_the_activation_energy(tmp_path, name, file):
    text = (catalog.HERE / f"{file}.yaml").read_text(encoding="utf-8")
    cool = load_model(name)
    T_K, kilojoules = (333.15, 60.0) if file == "symmetric" else (298.15, 35.0)
    path = tmp_path / "warm.yaml"
    path.write_text(text.replace(f"T: {{value: {T_K}", f"T: {{value: {T_K + 20.0}"), encoding="utf-8")
    warm = load_model(str(path))
    f_Hz = np.array([1e8])
    ratio = cool.impedance(cool.state(), f_Hz)[0].real / warm.impedance(warm.state(), f_Hz)[0].real
    assert ratio == pytest.approx(
        np.exp(1e3 * kilojoules / 8.314462 * (1 / T_K - 1 / (T_K + 20.0))), rel=1e-3
    )


@pytest.mark.parametrize("name", ["Li-symmetric", "blocking"])
def test_a_potential_is_found_however_far_the_cell_is_driven(name):
    """Where the profile is used up Ewe runs away, steadily: no current is impossible."""
    model = load_model(name)
    for I_A in (-1e-2, -1e-4, 1e-4, 1e-2):
        x = model.state()
        for _ in range(20):
            advance(model.kind, model.p, x, I_A, 100.0)
        Ewe_V = [voltage(model.kind, model.p, x, each) for each in (-1e-3, 0.0, 1e-3)]
        assert np.isfinite(Ewe_V).all()
        assert Ewe_V == sorted(Ewe_V)
