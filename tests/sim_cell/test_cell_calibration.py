"""The cell alone against the numbers its parameters were found with. Later changes of the physics show here
first; whole experiments are compared with the paper elsewhere."""

from __future__ import annotations

import pytest
from cell_runs import built, capacity, interface, run, staircase, threshold

from nakctl_sim.cell.models import load_model
from nakctl_sim.cell.nak import FILAMENT, PLATED, Q_R, R_0


@pytest.mark.parametrize(
    ("rest_s", "mAh_cm2"), [(0.0, 0.463), (0.1, 0.56), (1.0, 2.57), (2.0, 8.42), (5.0, 12.6), (10.0, 14.3)]
)
def test_capacity_of_pulses(rest_s, mAh_cm2):
    assert capacity(rest_s) == pytest.approx(mAh_cm2, rel=0.02)


@pytest.mark.parametrize(("name", "low", "high"), [("NaK50", 0.50, 0.70), ("NaK65", 0.11, 0.20)])
def test_threshold_of_stripping(name, low, high):
    assert low <= threshold(load_model(name)) <= high


def test_nak50_bends_up_and_still_completes_the_staircase():
    levels, volts, _ = staircase(load_model("NaK50"))
    assert levels[-1] == 1.0
    assert volts[-1] == pytest.approx(2.65, rel=0.02)
    assert volts[-1] / volts[45] == pytest.approx(14.0, rel=0.03)


def test_nak80_fails_in_its_first_spectrum():
    model = load_model("NaK80")
    held, _, _ = run(model, model.state(), 0.05, 40.0, sample_s=0.1, limit_V=3.0)
    assert held == pytest.approx(6.3, abs=0.1)


@pytest.mark.parametrize(("mA_cm2", "mAh_cm2"), [(0.7, 0.50), (1.0, None)])
def test_plating_shorts(mA_cm2, mAh_cm2):
    model = load_model("NaK50")
    x = model.state()
    held, volts, _ = run(model, x, -mA_cm2, 36000.0)
    assert x[FILAMENT] == 1.0
    assert abs(volts) < 0.01
    if mAh_cm2 is not None:
        assert held * mA_cm2 / 3600.0 == pytest.approx(mAh_cm2, rel=0.02)


def test_plating_below_the_critical_current_does_not_short():
    model = load_model("NaK50")
    x = model.state()
    held, _, _ = run(model, x, -0.4, 36000.0)
    assert held * 0.4 / 3600.0 == pytest.approx(4.0)
    assert x[FILAMENT] == 0.0


def test_symmetric_sodium_shorts_at_its_critical_current():
    assert critical_current("Na-symmetric", [0.2 * step for step in range(1, 25)]) == pytest.approx(3.4)


def test_nak50_cycled_with_growing_current_shorts_while_plating_at_0_4():
    assert critical_current("NaK50", [0.05, 0.1, 0.2, 0.4, 0.6]) == 0.4


def critical_current(name: str, levels: list[float]) -> float:
    """First level of 1 h stripping and 1 h plating at which the cell is shorted; stripping must not do it."""
    model = load_model(name)
    x = model.state()
    for level in levels:
        run(model, x, level, 3600.0)
        assert x[FILAMENT] < 1.0
        run(model, x, -level, 3600.0)
        if x[FILAMENT] == 1.0:
            return level
    raise AssertionError("no short")


@pytest.mark.parametrize(
    ("mA_cm2", "rise", "within"),
    [(0.05, 0.0, 0.005), (0.1, 0.047, 0.01), (0.2, 0.117, 0.01), (0.4, 0.36, 0.02)],
)
def test_rise_of_voltage_while_stripping_in_cycles(mA_cm2, rise, within):
    model = load_model("NaK50")
    x = model.state()
    for level in (0.05, 0.1, 0.2, 0.4):
        _, early, _ = run(model, x, level, 60.0)
        _, late, _ = run(model, x, level, 3540.0)
        run(model, x, -level, 3600.0)
        if level == mA_cm2:
            assert late / early - 1.0 == pytest.approx(rise, abs=within)


def test_gentle_stripping_stays_low_up_to_20_mAh_cm2():
    """Its 288 000 pulses are a row of `sim compare`."""
    model = load_model("NaK50")
    _, _, highest = run(model, model.state(), 0.25, 288000.0, sample_s=60.0)
    assert highest == pytest.approx(0.54, rel=0.02)


def test_interface_after_the_staircase_heals_over_hours():
    model = load_model("NaK50")
    _, _, states = staircase(model)
    x, pristine = states[-1], interface(model, model.state())["R_int"]
    run(model, x, 0.0, 35.0, sample_s=35.0)
    assert interface(model, x)["R_int"] / pristine == pytest.approx(1.51, rel=0.02)
    run(model, x, 0.0, 54000.0, sample_s=54000.0)
    assert interface(model, x)["R_int"] / pristine == pytest.approx(1.06, rel=0.01)


def test_potassium_takes_up_plated_sodium_over_hours():
    model = load_model("K")
    x, pristine = model.state(), interface(model, model.state())["R_int"]
    run(model, x, -0.1, 7200.0)
    assert x[PLATED] > 0.0
    assert interface(model, x)["R_int"] / pristine == pytest.approx(0.66, abs=0.02)
    run(model, x, 0.0, 54000.0, sample_s=54000.0)
    assert interface(model, x)["R_int"] / pristine == pytest.approx(0.99, abs=0.01)


def test_sodium_in_the_cell():
    """46.8 mAh/cm2 in all; 40.4 until the bulk is at 88 wt% K."""
    start, end = built(), built(composition_wt_percent_K=88.0)
    per_mAh = start.p[Q_R] / 3600.0
    assert start.p[R_0] * per_mAh == pytest.approx(46.8, rel=0.002)
    assert (start.p[R_0] - end.p[R_0]) * per_mAh == pytest.approx(40.4, rel=0.002)
