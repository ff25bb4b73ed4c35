"""What physics demands of any parameter set."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cell_runs import advance, built, capacity, run, staircase, threshold, voltage
from hypothesis import given, settings
from hypothesis import strategies as st

from nakctl_sim.cell.models import load_model, names
from nakctl_sim.cell.nak import CHARGE, FAST, FILAMENT, PLATED, Q_R, R_0, R_SHORT, SLOW, bulk_ratio

NAK_CELLS = ("NaK50", "NaK65", "NaK80", "K", "Na-symmetric")
CIRCUITS = ("dummy", "randles", "open-lead", "shorted-lead", "double-layer")

currents = st.sampled_from([0.0]) | st.floats(1e-3, 2.0) | st.floats(-2.0, -1e-3)  # mA/cm2
holds = st.lists(st.tuples(currents, st.floats(1e-3, 2000.0)), min_size=1, max_size=12)


def volts_of(name: str, sequence: list[tuple[float, float]], sign: float) -> list[float]:
    model = load_model(name)
    x = model.state()
    scale = 1e-3 * model.area_cm2 * sign
    return [advance(model.kind, model.p, x, j * scale, seconds) for j, seconds in sequence]


@given(name=st.sampled_from(("Na-symmetric", *CIRCUITS)), sequence=holds)
def test_a_symmetric_cell_answers_reversed_current_with_reversed_voltage(name, sequence):
    forward, backward = volts_of(name, sequence, 1.0), volts_of(name, sequence, -1.0)
    assert backward == pytest.approx([-volts for volts in forward], rel=1e-12, abs=1e-9)


@pytest.mark.parametrize("name", [*NAK_CELLS, *CIRCUITS])
@pytest.mark.parametrize("I_A", [1e-31, -1e-310, 5e-324])
def test_a_current_at_the_end_of_the_numbers_is_none(name, I_A):
    model = load_model(name)
    driven, left = model.state(), model.state()
    assert advance(model.kind, model.p, driven, I_A, 10.0) == advance(model.kind, model.p, left, 0.0, 10.0)
    assert voltage(model.kind, model.p, driven, I_A) == voltage(model.kind, model.p, left, 0.0)
    assert driven.tolist() == left.tolist()


def test_nak_bears_plating_and_starves_when_stripped():
    model = load_model("NaK50")
    stripped, plated = model.state(), model.state()
    rest_V = voltage(model.kind, model.p, stripped, 0.0)
    strip_V = run(model, stripped, 1.0, 60.0)[1] - rest_V
    plate_V = rest_V - run(model, plated, -1.0, 60.0)[1]
    assert strip_V > 1.5 * plate_V > 0.0


@given(name=st.sampled_from(NAK_CELLS), sequence=holds)
def test_charge_is_conserved(name, sequence):
    """What flowed is what the liquid and the plated metal have gained or lost together."""
    model = load_model(name)
    x = model.state()
    flowed, moved = [], 0.0
    for j, seconds in sequence:
        advance(model.kind, model.p, x, 1e-3 * j * model.area_cm2, seconds)
        if x[FILAMENT] >= 1.0:
            break
        flowed.append(j * seconds)
        moved += abs(j) * seconds
        assert x[CHARGE] == pytest.approx(math.fsum(flowed), rel=1e-9, abs=1e-9 * max(moved, 1e-12))


@given(charge=st.floats(-5e4, 5e4), plated=st.floats(0.0, 1e4))
def test_sodium_in_liquid_and_metal_is_what_was_there_less_what_was_stripped(charge, plated):
    p = load_model("NaK50").p
    liquid = bulk_ratio(p, charge, plated) * p[Q_R]
    assert liquid + plated == pytest.approx(p[R_0] * p[Q_R] - charge, rel=1e-9)


@given(area_cm2=st.floats(1e-3, 1e3), sequence=holds)
def test_the_same_areal_current_gives_the_same_voltage_on_any_area(area_cm2, sequence):
    no_cable = {"L": 0.0}
    small = built("NaK50", no_cable, area_cm2=0.5, NaK_volume_cm3=0.04)
    other = built("NaK50", no_cable, area_cm2=area_cm2, NaK_volume_cm3=0.08 * area_cm2)
    x, y = small.state(), other.state()
    for j, seconds in sequence:
        expected = advance(small.kind, small.p, x, 1e-3 * j * small.area_cm2, seconds)
        found = advance(other.kind, other.p, y, 1e-3 * j * area_cm2, seconds)
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)
    f_Hz = np.array([1e5, 100.0, 5.0])
    assert other.impedance(y, f_Hz) * area_cm2 == pytest.approx(small.impedance(x, f_Hz) * small.area_cm2)


@settings(max_examples=3)  # each is some hundred thousand pulses
@given(rests=st.lists(st.floats(0.05, 4.0), min_size=2, max_size=2))
def test_longer_rests_never_lower_the_capacity(rests):
    capacities = [capacity(rest) for rest in sorted(rests)]
    assert capacities == sorted(capacities)
    assert capacities[0] > capacity(0.0)


@settings(max_examples=15)
@given(percents=st.lists(st.floats(46.0, 85.0), min_size=2, max_size=4))
def test_more_potassium_never_raises_the_threshold(percents):
    thresholds = [threshold(built(composition_wt_percent_K=percent)) for percent in sorted(percents)]
    assert thresholds == sorted(thresholds, reverse=True)


def test_thresholds_spread_with_composition():
    found = [threshold(built(composition_wt_percent_K=percent)) for percent in (50.0, 58.0, 65.0, 80.0)]
    assert found == sorted(set(found), reverse=True)


@given(sequence=holds)
def test_a_short_is_for_good(sequence):
    model = load_model("NaK50")
    x = model.state()
    run(model, x, -1.5, 7200.0)
    assert x[FILAMENT] == 1.0
    stripped = x[CHARGE]
    for j, seconds in sequence:
        I_A = 1e-3 * j * model.area_cm2
        volts = advance(model.kind, model.p, x, I_A, seconds)
        assert volts == pytest.approx(I_A * model.p[R_SHORT] / model.area_cm2)
        assert x[FILAMENT] == 1.0
    assert x[CHARGE] == stripped  # the filament carries the current past the electrode
    assert model.impedance(x, np.array([5.0])).real * model.area_cm2 == pytest.approx(model.p[R_SHORT])


def test_a_filament_that_did_not_get_through_is_alloyed_away():
    model = load_model("NaK50")
    x = model.state()
    run(model, x, -0.7, 1800.0)
    before = x[FILAMENT]
    run(model, x, 0.0, 14400.0)
    assert 0.0 < x[FILAMENT] == pytest.approx(before / math.e)


@settings(max_examples=200)
@given(
    name=st.sampled_from(NAK_CELLS), sequence=st.lists(st.tuples(currents, st.floats(0.0, 1e5)), max_size=20)
)
def test_no_experiment_leaves_the_possible(name, sequence):
    """Whatever is asked, also far beyond the sodium there is, in steps far too long."""
    model = load_model(name)
    x = model.state()
    for j, seconds in sequence:
        volts = advance(model.kind, model.p, x, 1e-3 * j * model.area_cm2, seconds)
        assert math.isfinite(volts)
        assert np.isfinite(x).all()
        assert 0.0 <= x[SLOW] < 1.0
        assert x[FAST] >= 0.0
        assert x[PLATED] >= 0.0
        assert 0.0 <= x[FILAMENT] <= 1.0
    assert np.isfinite(model.impedance(x, np.array([1e6, 1.0]))).all()


@pytest.mark.parametrize("name", names())
def test_asking_for_the_voltage_changes_nothing(name):
    model = load_model(name)
    x = model.state()
    advance(model.kind, model.p, x, 1e-4, 10.0)
    before = x.copy()
    for I_A in (0.0, 1e-3, -1e-3):
        voltage(model.kind, model.p, x, I_A)
    assert x.tobytes() == before.tobytes()
    assert model.state().tobytes() == model.x0.tobytes()


def test_plating_buries_what_rest_would_heal():
    model = load_model("NaK50")
    x = model.state()
    run(model, x, 1.0, 1200.0)
    stripped = x[SLOW]
    run(model, x, -0.3, 3600.0)
    assert x[SLOW] == stripped > 0.1
    run(model, x, 0.0, 3600.0)
    assert x[SLOW] < 0.95 * stripped


def test_plated_metal_is_stripped_first_and_never_below_none():
    model = load_model("NaK50")
    x = model.state()
    run(model, x, -0.4, 1800.0)
    before = x[PLATED]
    run(model, x, 0.4, 600.0)
    assert 0.0 < x[PLATED] < before - 0.39 * 600.0
    run(model, x, 0.4, 3600.0)
    assert x[PLATED] == 0.0


def test_a_pristine_cell_rests_at_its_equilibrium():
    """Ideal solution: 12, 19 and 31 mV against sodium for x_Na = 0.630, 0.478 and 0.298."""
    rest_V = {name: voltage(m.kind, m.p, m.state(), 0.0) for name in NAK_CELLS for m in [load_model(name)]}
    assert [round(1e3 * rest_V[name]) for name in ("NaK50", "NaK65", "NaK80")] == [12, 19, 31]
    assert abs(rest_V["Na-symmetric"]) < 1e-9


def test_sodium_has_no_threshold():
    assert staircase(load_model("Na-symmetric"))[1][-1] == pytest.approx(0.15, rel=1e-6)  # 150 ohm cm2
