"""Impedance from the linearised state, against what the same cell does in time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cell_runs import KERNEL, Floats, advance, built, interface, run, staircase

from nakctl_sim.cell.circuit import PAIR_N
from nakctl_sim.cell.models import Model, load_model, names
from nakctl_sim.cell.nak import CHARGE, PLATED, bulk_ratio, equilibrium_V

# In time the interface is a resistor and a capacitor, and grain boundary and fast arc follow at once: with
# all exponents 1 and up to 10 Hz, where those time constants (1 us, 0.5 ms) do not count, both must agree.
PLAIN_ARCS = {"n_int": 1.0, "n_gb": 1.0, "n_f1": 1.0, "L": 0.0}
PER_PERIOD = 2000
PERIODS = 6


def answer_to_sine(
    kind: int, p: Floats, x: Floats, still: Floats, bias_A: float, peak_A: float, f_Hz: float
) -> tuple[float, float]:
    """Re and Im of the impedance seen by a sine, less what the cell does without it."""
    step = 1.0 / f_Hz / PER_PERIOD
    p, x, still = (KERNEL.numbers(each) for each in (p, x, still))
    in_phase, quadrature = 0.0, 0.0
    for k in range(PERIODS * PER_PERIOD):
        middle, end = 2 * math.pi * (k + 0.5) / PER_PERIOD, 2 * math.pi * (k + 1.0) / PER_PERIOD
        KERNEL.advance(kind, p, x, bias_A + peak_A * math.sin(middle), step)
        KERNEL.advance(kind, p, still, bias_A, step)
        if k >= (PERIODS - 1) * PER_PERIOD:
            moved_V = KERNEL.voltage(kind, p, x, bias_A + peak_A * math.sin(end))
            volts = moved_V - KERNEL.voltage(kind, p, still, bias_A)
            in_phase += volts * math.sin(end)
            quadrature += volts * math.cos(end)
    return 2.0 * in_phase / PER_PERIOD / peak_A, 2.0 * quadrature / PER_PERIOD / peak_A


def seen_in_time(model: Model, x: Floats, bias_mA_cm2: float, f_Hz: float) -> complex:
    scale = 1e-3 * model.area_cm2
    re, im = answer_to_sine(model.kind, model.p, x.copy(), x.copy(), bias_mA_cm2 * scale, 1e-5 * scale, f_Hz)
    return complex(re, im)


@pytest.mark.parametrize(
    ("name", "past", "bias_mA_cm2", "within"),
    [
        ("NaK50", [(0.0, 1.0)], 0.0, 1e-3),
        ("NaK65", [(0.0, 1.0)], 0.0, 1e-3),
        ("NaK50", [(1.0, 600.0), (0.0, 35.0)], 0.0, 1e-3),
        ("NaK50", [(-0.5, 600.0)], -0.5, 0.01),
        ("NaK50", [(0.2, 600.0)], 0.2, 0.01),
        ("NaK50", [(0.5, 100.0)], 0.5, 0.01),
        # beyond the threshold the depletion answers the sine with open voids, a little also at 5 Hz
        ("NaK50", [(0.9, 100.0)], 0.9, 0.04),
        ("NaK65", [(0.2, 60.0)], 0.2, 0.01),
    ],
)
@pytest.mark.parametrize("f_Hz", [5.0, 10.0])
def test_a_small_sine_sees_the_impedance(name, past, bias_mA_cm2, within, f_Hz):
    model = built(name, PLAIN_ARCS)
    x = model.state()
    for mA_cm2, seconds in past:
        run(model, x, mA_cm2, seconds)
    expected = seen_in_time(model, x, bias_mA_cm2, f_Hz)
    assert abs(model.impedance(x, np.array([f_Hz]))[0] / expected - 1.0) < within


@pytest.mark.parametrize("f_Hz", [0.05, 0.2, 1.0, 5.0])
def test_at_rest_that_holds_at_any_low_frequency(f_Hz):
    model = built("NaK50", PLAIN_ARCS)
    x = model.state()
    expected = seen_in_time(model, x, 0.0, f_Hz)
    assert abs(model.impedance(x, np.array([f_Hz]))[0] / expected - 1.0) < 1e-3


@pytest.mark.parametrize("name", ["dummy", "randles"])
def test_a_circuit_of_plain_arcs_is_its_impedance(name):
    model = load_model(name)
    model.p[PAIR_N:] = 1.0
    for f_Hz in (0.5, 2.0):
        x = model.state()
        expected = seen_in_time(model, x, 0.0, f_Hz)
        assert abs(model.impedance(x, np.array([f_Hz]))[0] / expected - 1.0) < 1e-3


@pytest.mark.parametrize(
    ("name", "past_A", "f_Hz", "within"),
    [
        # plates: in time 32 modes of diffusion, the spectrum has all of them
        ("full-cell", 2e-4, 0.01, 2e-3),
        ("full-cell", 2e-4, 0.1, 5e-3),
        ("full-cell", 2e-4, 10.0, 0.02),
        ("three-electrode", 2e-4, 0.01, 2e-3),
        ("three-electrode", 2e-4, 0.1, 5e-3),
        # the film and the grain boundaries follow at once in time
        ("Li-symmetric", 1e-4, 1e-3, 1e-3),
        ("Li-symmetric", 1e-4, 0.1, 1e-3),
        ("Li-symmetric", 1e-4, 20.0, 0.01),
        ("blocking", 1e-6, 1e-3, 1e-3),
        ("blocking", 1e-6, 1.0, 0.01),  # six periods are not yet settled
    ],
)
def test_cells_that_store_or_polarise_answer_a_sine_as_their_spectrum_says(name, past_A, f_Hz, within):
    model = load_model(name)
    x = model.state()
    advance(model.kind, model.p, x, past_A, 3600.0)
    advance(model.kind, model.p, x, 0.0, 7200.0 if name != "Li-symmetric" else 1e6)  # until its film is grown
    re, im = answer_to_sine(model.kind, model.p, x.copy(), x.copy(), 0.0, 1e-3 * past_A, f_Hz)
    assert abs(model.impedance(x, np.array([f_Hz]))[0] / complex(re, im) - 1.0) < within


def test_under_current_the_charge_transfer_is_easier():
    model = load_model("full-cell")
    x = model.state()
    z = []
    for I_A in (1e-8, 4e-3):
        advance(model.kind, model.p, x, 2e-4, 7200.0)
        advance(model.kind, model.p, x, I_A, 2.0)
        fast, slow = model.impedance(x, np.array([1e5, 5.0]))
        z.append((slow - fast).real)
    assert z[1] < 0.7 * z[0]


@pytest.mark.parametrize("name", ["NaK50", "NaK65", "Na-symmetric"])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_at_low_frequency_the_impedance_is_the_slope_of_the_chord(name, sign):
    model = load_model(name)
    levels, ends, states = staircase(model, sign)
    for level, volts, x in zip(levels, ends, states, strict=True):
        rest_V = equilibrium_V(model.p, bulk_ratio(model.p, x[CHARGE], x[PLATED]))
        chord_ohm = (volts - rest_V) / (1e-3 * sign * level * model.area_cm2)
        assert model.impedance(x, np.array([1e-6]))[0].real == pytest.approx(chord_ohm, rel=0.1)


@pytest.mark.parametrize("name", names())
def test_cells_are_passive_and_capacitive_below_the_cable(name):
    model = load_model(name)
    z = model.impedance(model.state(), np.logspace(4, -2, 30))
    assert z.shape == (30,)
    assert (z.real > 0.0).all()
    assert (z.imag <= 0.0).all()


def test_one_state_per_frequency():
    model = load_model("NaK50")
    x = model.state()
    f_Hz = np.array([1e4, 100.0, 5.0])
    states = []
    for _ in f_Hz:
        run(model, x, 1.0, 20.0)
        states.append(x.copy())
    together = model.impedance(np.array(states), f_Hz)
    apart = [model.impedance(state, f_Hz[k : k + 1])[0] for k, state in enumerate(states)]
    assert together.tolist() == apart


def test_stripping_grows_the_interface_shifts_it_and_opens_the_fast_arc():
    model = load_model("NaK50")
    x = model.state()
    pristine = interface(model, x)
    run(model, x, 1.0, 1200.0)
    stripped = interface(model, x)
    assert stripped["R_int"] > pristine["R_int"]
    assert stripped["tau_int"] < 0.5 * pristine["tau_int"]
    assert stripped["R_fast"] > stripped["R_int"]
    run(model, x, 0.0, 35.0)
    rested = interface(model, x)
    assert rested["R_fast"] < 0.01 * rested["R_int"]
    assert rested["tau_int"] == pytest.approx(pristine["tau_int"])
    assert rested["R_int"] > 1.15 * pristine["R_int"]


def test_pristine_arcs_are_those_of_the_parameters():
    model = load_model("NaK50")
    z = model.impedance(model.state(), np.array([1e9, 1e3, 1e-6])) * model.area_cm2
    assert z[0].real == pytest.approx(50.0, rel=0.01)
    assert z[1].real == pytest.approx(150.0, rel=0.01)
    assert z[2].real == pytest.approx(300.0 + interface(model, model.state())["R_W"], rel=1e-3)
