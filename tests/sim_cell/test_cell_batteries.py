"""Cells that store charge, and the capacitor: what a lab would find on them is what stands in their files."""

from __future__ import annotations

import numpy as np
import pytest
from cell_runs import advance, counter_voltage, voltage
from potential_steps import held

from nakctl.errors import CellError
from nakctl_sim.cell import battery, catalog
from nakctl_sim.cell.models import Floats, Model, load_model

C_PER_mAh = 3.6
REST_s = 7200.0  # long against diffusion, short against what leaks
FILE = (catalog.HERE / "batteries.yaml").read_text(encoding="utf-8")


def go(model: Model, x: Floats, I_A: float, seconds: float) -> float:
    return advance(model.kind, model.p, x, I_A, seconds)


def until(model: Model, x: Floats, I_A: float, E_V: float) -> float:
    """The charge (mAh) that flows until Ewe is beyond E_V."""
    assert I_A != 0.0
    seconds = 0
    while (voltage(model.kind, model.p, x, I_A) - E_V) * I_A < 0.0:
        go(model, x, I_A, 1.0)
        seconds += 1
        assert seconds < 1e6
    return seconds * abs(I_A) / C_PER_mAh


def at_rate(model: Model, rate: float) -> float:
    return rate * model.cell.capacity_C / 3600.0


def half_charged() -> tuple[Model, Floats]:
    model = load_model("full-cell")
    x = model.state()
    go(model, x, at_rate(model, 0.1), 5 * 3600.0)
    go(model, x, 0.0, REST_s)
    return model, x


@pytest.fixture
def copy(tmp_path):
    """A cell of a changed copy of the shipped file."""

    def write(name: str, *changes: tuple[str, str]) -> str:
        text = FILE
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        return f"{path}#{name}"

    return write


def test_what_the_cells_declare():
    cell = catalog.describe("full-cell")
    assert cell.capacity_C == pytest.approx(2.1 * C_PER_mAh)
    assert (cell.working_is, cell.three_electrodes) == ("positive", False)
    assert (cell.working, cell.counter, cell.reference) == ("NMC811", "Li", "Li")
    three = catalog.describe("three-electrode")
    assert (three.three_electrodes, three.counter, three.reference) == (True, "graphite", "Li")
    assert catalog.describe("NaK50").capacity_C is None


def test_charged_and_discharged_slowly_it_has_the_capacity_that_it_declares():
    model = load_model("full-cell")
    x = model.state()
    charged = until(model, x, at_rate(model, 0.02), 4.2)
    discharged = until(model, x, at_rate(model, -0.02), 3.0)
    assert charged == pytest.approx(2.1, rel=0.02)
    assert discharged == pytest.approx(charged, rel=0.02)


def test_capacity_falls_and_overpotential_rises_with_the_rate():
    model = load_model("full-cell")
    full = model.state()
    until(model, full, at_rate(model, 0.1), 4.2)
    go(model, full, 0.0, 3600.0)
    rest_V = voltage(model.kind, model.p, full, 0.0)
    found, lost_V = [], []
    for rate in (0.1, 0.2, 0.5, 1.0, 2.0):
        x = full.copy()
        found.append(until(model, x, at_rate(model, -rate), 3.0))
        x = full.copy()
        lost_V.append(rest_V - go(model, x, at_rate(model, -rate), 60.0))
    assert found == sorted(found, reverse=True)
    assert found[0] > 1.8
    assert 0.5 < found[-1] / found[0] < 0.8
    assert lost_V == sorted(lost_V)


def test_what_was_lost_by_current_comes_back_at_constant_potential():
    """CC-CV: at 1 C the cutoff is met early; held at it until C/20 the cell takes up the rest."""
    model = load_model("full-cell")
    x = model.state()
    fast = until(model, x, at_rate(model, 1.0), 4.2)
    I_A, taken = at_rate(model, 1.0), 0.0
    while at_rate(model, 0.05) < I_A:
        I_A = held(model, x, 4.2, 10.0)
        taken += 10.0 * I_A / C_PER_mAh
    slow_x = model.state()
    slow = until(model, slow_x, at_rate(model, 0.05), 4.2)
    assert fast < 0.9 * slow
    assert fast + taken == pytest.approx(slow, rel=0.02)


@pytest.mark.parametrize(
    ("leaks", "pulse_s", "within"),
    [(False, 100.0, 0.001), (False, 300.0, 0.005), (False, 600.0, 0.05), (True, 600.0, 0.06)],
)
def test_titration_finds_the_diffusion_coefficient(leaks, pulse_s, within):
    """Weppner and Huggins: D = 4 L^2/(pi tau) (dEs/dEt)^2 for plates, while tau is short against L^2/D, which is
    1440 s here, and the curve of the potential straight: after 600 s their formula is 5 % low."""
    model = load_model("full-cell")
    if not leaks:
        model.p[battery.LEAK] = 0.0
    x = model.state()
    x[battery.FRACTION] = 0.3
    before_V = go(model, x, 0.0, REST_s)
    at_s = np.arange(1.0, pulse_s + 0.5)
    E_V = np.array([go(model, x, at_rate(model, 0.1), 1.0) for _ in at_s])
    begins_V = np.polyfit(np.sqrt(at_s[1:50]), E_V[1:50], 1)[1]  # what follows at once is not diffusion
    steady_V = go(model, x, 0.0, REST_s) - before_V
    L_cm = 2.4e-4
    found = 4.0 * L_cm**2 / (np.pi * pulse_s) * (steady_V / (E_V[-1] - begins_V)) ** 2
    assert found == pytest.approx(4e-11, rel=within)


def test_self_discharge_loses_a_twentieth_in_thirty_days():
    model, x = half_charged()
    before = x[battery.FRACTION]
    go(model, x, 0.0, 30 * 86400.0)
    assert x[battery.FRACTION] == pytest.approx(before * np.exp(-0.0017 * 30), rel=1e-9)


def test_a_pulse_shows_the_resistance_that_the_spectrum_shows():
    """HPPC: what the voltage did after 1 s of current, and the impedance at about that time."""
    model, x = half_charged()
    rest_V = voltage(model.kind, model.p, x, 0.0)
    z = model.impedance(x, np.array([1e5, 0.16]))
    I_A = at_rate(model, 0.01)
    at_once = (voltage(model.kind, model.p, x, I_A) - rest_V) / I_A
    after = (go(model, x, I_A, 1.0) - rest_V) / I_A
    assert at_once == pytest.approx(z[0].real, rel=0.03)
    assert after == pytest.approx(abs(z[1]), rel=0.03)


def test_the_spectrum_ends_at_what_the_cell_stores():
    model, x = half_charged()
    model.p[battery.LEAK] = 0.0
    f_Hz = np.array([1e-6])
    z = model.impedance(x, f_Hz)[0]
    before_V = voltage(model.kind, model.p, x, 0.0)
    go(model, x, 1e-5, 3600.0)
    go(model, x, 0.0, REST_s)
    slope_V_C = (voltage(model.kind, model.p, x, 0.0) - before_V) / 3.6e-2
    assert -z.imag * 2 * np.pi * f_Hz[0] == pytest.approx(slope_V_C, rel=0.01)


def test_both_half_cells_together_are_the_whole(copy):
    halves = load_model("three-electrode")
    whole = load_model(
        copy(
            "three-electrode",
            ("three_electrodes: true", "three_electrodes: false"),
            ("    reference: Li\n", ""),
        )
    )
    assert whole.cell.reference == "graphite"
    x, y = halves.state(), whole.state()
    f_Hz = np.logspace(4, -3, 20)
    for I_A, seconds in ((3e-4, 3600.0), (0.0, 600.0), (-2e-3, 60.0)):
        Ewe_V, E_V = go(halves, x, I_A, seconds), go(whole, y, I_A, seconds)
        Ece_V = counter_voltage(halves.kind, halves.p, x, I_A)
        assert pytest.approx(Ewe_V - Ece_V, abs=1e-12) == E_V
        assert counter_voltage(whole.kind, whole.p, y, I_A) == 0.0
        both = halves.impedance(x, f_Hz) + halves.counter_impedance(x, f_Hz)
        assert whole.impedance(y, f_Hz) == pytest.approx(both, rel=1e-12)
        assert not whole.counter_impedance(y, f_Hz).any()
        assert (halves.counter_impedance(x, f_Hz).real > 0.0).all()


def test_the_counter_electrode_answers_a_current_with_minus_its_impedance():
    model = load_model("three-electrode")
    x = model.state()
    go(model, x, 3e-4, 3600.0)
    go(model, x, 0.0, REST_s)
    before_V = counter_voltage(model.kind, model.p, x, 0.0)
    I_A = 1e-7
    at_once_V = counter_voltage(model.kind, model.p, x, I_A) - before_V
    z = model.counter_impedance(x, np.array([1e6]))[0]
    assert -at_once_V / I_A == pytest.approx(z.real, rel=0.03)


def test_the_graphite_is_full_before_the_positive_electrode_is_charged():
    model = load_model("three-electrode")
    x = model.state()
    I_A = at_rate(model, 0.1)
    while counter_voltage(model.kind, model.p, x, I_A) > 0.0:
        Ewe_V = go(model, x, I_A, 10.0)
    assert 3.9 < Ewe_V < 4.15
    assert x[battery.FRACTION] * 2.9 * 0.785 == pytest.approx(1.6, abs=0.06)


def test_with_the_negative_electrode_on_we_the_voltage_is_the_other_way_round(copy):
    model = load_model("full-cell")
    turned = load_model(copy("full-cell", ("working_is: positive", "working_is: negative")))
    assert (turned.cell.working, turned.cell.counter) == ("Li", "NMC811")
    x, y = model.state(), turned.state()
    for I_A, seconds in ((1e-3, 3000.0), (0.0, 100.0), (-5e-4, 100.0)):
        assert go(turned, y, -I_A, seconds) == -go(model, x, I_A, seconds)
    assert y[battery.FRACTION] == x[battery.FRACTION]


def test_and_against_a_third_electrode_each_keeps_its_own(copy):
    model = load_model("three-electrode")
    second = FILE.rindex("working_is: positive")
    turned_text = FILE[second : second + 60]
    turned = load_model(
        copy("three-electrode", (turned_text, turned_text.replace("positive", "negative", 1)))
    )
    x, y = model.state(), turned.state()
    Ewe_V = go(model, x, 1e-4, 100.0)
    assert counter_voltage(turned.kind, turned.p, y, 0.0) == counter_voltage(
        turned.kind, turned.p, turned.state(), 0.0
    )
    assert go(turned, y, -1e-4, 100.0) == counter_voltage(model.kind, model.p, x, 1e-4)
    assert counter_voltage(turned.kind, turned.p, y, -1e-4) == Ewe_V


def test_warmer_it_resists_less(copy):
    warm = load_model(copy("full-cell", ("T: {value: 298.15", "T: {value: 318.15")))
    cool = load_model("full-cell")
    f_Hz = np.array([1e6])
    ratio = cool.impedance(cool.state(), f_Hz)[0].real / warm.impedance(warm.state(), f_Hz)[0].real
    assert ratio == pytest.approx(np.exp(30000 / 8.314462 * (1 / 298.15 - 1 / 318.15)), rel=1e-3)


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("full-cell", ("negative: Li\n", "negative: lithium\n"), "cell full-cell has no electrode lithium"),
        ("full-cell", ("positive: NMC811", "positive: Li"), "needs Q"),
        ("full-cell", ("values: [0]", "values: [1, 0]"), "0 stands after 1"),
        ("full-cell", ("values: [0]", "values: []"), "at least 1"),
        ("full-cell", ("area: 0.785 cm2", "state_of_charge: 120 %\n    area: 0.785 cm2"), "at most 100 %"),
        ("full-cell", ("capacity: 2.1 mAh ", "capacity: 2.1 mA "), "2.1 mA is a current"),
        ("full-cell", ("working_is: positive", "working_is: cathode"), "positive or negative"),
    ],
)
def test_faults_of_a_file_are_told(copy, name, change, told):
    with pytest.raises(CellError) as caught:
        catalog.describe(copy(name, change))
    assert told in str(caught.value) + " ".join(map(str, caught.value.faults))


def test_a_capacity_per_area_is_that_of_the_whole_cell(copy):
    cell = catalog.describe(copy("full-cell", ("capacity: 2.1 mAh ", "capacity: 2 mAh/cm2 ")))
    assert cell.capacity_C == pytest.approx(2.0 * 0.785 * C_PER_mAh)


@pytest.mark.parametrize("rate_V_s", [1e-3, 1e-2, 0.1])
def test_the_area_of_a_voltammogram_is_the_capacitance(rate_V_s):
    """Third cycle between 0 and 0.5 V; its leak flows both ways alike, and adds nothing to the area but the little
    by which its double layer lags. At 0.1 V/s 60 ms of RC blunt the corners."""
    model = load_model("double-layer")
    x = model.state()
    up = np.linspace(0.0, 0.5, 501)
    step_s = (up[1] - up[0]) / rate_V_s
    E = np.concatenate([up[1:], up[-2::-1]])
    for _ in range(3):
        I = np.array([held(model, x, target, step_s) for target in E])
    capacitance_F = np.sum(np.abs(np.diff(np.concatenate([[0.0], E]))) * I * np.sign(np.repeat([1, -1], 500)))
    capacitance_F /= 2 * 0.5 * rate_V_s
    assert capacitance_F == pytest.approx(2e-3, rel=0.03 if rate_V_s > 0.05 else 0.01)
