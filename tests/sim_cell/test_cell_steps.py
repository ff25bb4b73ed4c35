"""The steps of a computation leave no trace in its result."""

from __future__ import annotations

import numpy as np
import pytest
from cell_runs import advance, built, capacity, counter_voltage, run, staircase, step_hint, voltage
from hypothesis import given
from hypothesis import strategies as st

from nakctl_sim.cell.kernel import NO_LIMIT_s
from nakctl_sim.cell.models import load_model, names
from nakctl_sim.cell.nak import ETA, FILAMENT, SLOW


@pytest.mark.parametrize("rest_s", [0.0, 0.1, 1.0, 2.0, 5.0])
def test_half_the_step_changes_no_capacity_by_a_percent(rest_s):
    assert capacity(rest_s, fine=0.5) == pytest.approx(capacity(rest_s), rel=0.01)


@pytest.mark.parametrize(("name", "sign"), [("NaK50", 1.0), ("NaK65", 1.0), ("NaK50", -1.0)])
def test_half_the_step_changes_no_voltage_of_a_staircase_by_a_percent(name, sign):
    levels, coarse, _ = staircase(load_model(name), sign)
    finer, fine, _ = staircase(load_model(name), sign, fine=0.5)
    assert finer.tolist() == levels.tolist()
    assert fine == pytest.approx(coarse, rel=0.01)


@given(
    past_mA_cm2=st.sampled_from([0.3, 0.7, 1.0, -0.5]),
    rests=st.lists(st.floats(0.0, 2e4), min_size=1, max_size=6),
)
def test_recovery_goes_on_through_any_chain_of_rests(past_mA_cm2, rests):
    model = load_model("NaK50")
    x = model.state()
    run(model, x, past_mA_cm2, 300.0)
    y = x.copy()
    for rest_s in rests:
        advance(model.kind, model.p, x, 0.0, rest_s)
    advance(model.kind, model.p, y, 0.0, sum(rests))
    assert np.delete(x, ETA) == pytest.approx(np.delete(y, ETA), rel=1e-9, abs=1e-12)
    # eta decays faster while the layer is depleted; that rate is a quadrature, good to 0.1 mV
    assert x[ETA] == pytest.approx(y[ETA], abs=2e-4)


def test_healing_lasts_for_hours():
    model = load_model("NaK50")
    x = model.state()
    run(model, x, 1.0, 1200.0)
    left = []
    for _ in range(4):
        left.append(x[SLOW])
        run(model, x, 0.0, 3600.0)
    assert left == sorted(left, reverse=True)
    assert left[1] / left[0] < left[3] / left[2] < 1.0


@given(
    name=st.sampled_from(names()),
    sequence=st.lists(st.tuples(st.floats(-1e-3, 1e-3), st.floats(0.0, 1e3)), min_size=2, max_size=12),
    data=st.data(),
)
def test_resuming_from_a_saved_state_is_not_to_be_told_from_going_on(name, sequence, data):
    model = load_model(name)
    whole = model.state()
    cut = data.draw(st.integers(1, len(sequence) - 1))
    for I_A, seconds in sequence[:cut]:
        advance(model.kind, model.p, whole, I_A, seconds)
    saved = whole.tobytes()
    again, resumed = load_model(name), np.frombuffer(saved).copy()
    for I_A, seconds in sequence[cut:]:
        went_on = advance(model.kind, model.p, whole, I_A, seconds)
        assert advance(again.kind, again.p, resumed, I_A, seconds) == went_on
    assert resumed.tobytes() == whole.tobytes()
    f_Hz = np.array([1e4, 10.0])
    assert again.impedance(resumed, f_Hz).tobytes() == model.impedance(whole, f_Hz).tobytes()


@pytest.mark.parametrize("name", names())
def test_a_step_of_no_length_changes_no_charge_and_no_voltage(name):
    model = load_model(name)
    x = model.state()
    advance(model.kind, model.p, x, 1e-4, 3.0)
    expected = voltage(model.kind, model.p, x, 1e-4)
    assert advance(model.kind, model.p, x, 1e-4, 0.0) == expected


def test_hints_grow_after_a_change_of_current_up_to_a_cap():
    model = load_model("NaK50")
    x = model.state()
    I_A = 1e-4
    strip = [step_hint(model.kind, model.p, x, I_A, since) for since in (0.0, 0.1, 1.0, 100.0, 1e5)]
    assert strip == sorted(strip)
    assert strip[0] < 0.05
    assert strip[-1] == 5.0
    assert step_hint(model.kind, model.p, x, -I_A, 1e5) == 30.0
    assert step_hint(model.kind, model.p, x, 0.0, 0.0) == NO_LIMIT_s
    dummy = load_model("dummy")
    assert step_hint(dummy.kind, dummy.p, dummy.state(), I_A, 0.0) == NO_LIMIT_s


def test_steps_end_where_the_filament_gets_through():
    """30 s late at most 0.02 s: the charge at which a cell shorts does not depend on the step."""
    model = built()
    x = model.state()
    held, _, _ = run(model, x, -0.7, 36000.0, sample_s=1e5)
    j = 0.7 / 0.16
    assert x[FILAMENT] == 1.0
    assert held == pytest.approx(985.0 / (1.0 - 2.7 / j), abs=0.03)


@given(
    name=st.sampled_from(("double-layer", "full-cell", "three-electrode", "Li-symmetric", "blocking")),
    mA_cm2=st.floats(-2.0, 2.0),
    parts=st.lists(st.floats(0.0, 2e3), min_size=2, max_size=8),
)
def test_one_long_step_is_many_short_ones(name, mA_cm2, parts):
    model = load_model(name)
    x = model.state()
    advance(model.kind, model.p, x, 1e-4, 500.0)
    y = x.copy()
    I_A = 1e-3 * mA_cm2 * model.area_cm2
    for seconds in parts:
        E_V = advance(model.kind, model.p, x, I_A, seconds)
    assert advance(model.kind, model.p, y, I_A, sum(parts)) == pytest.approx(E_V, rel=1e-9, abs=1e-9)
    assert y == pytest.approx(x, rel=1e-9, abs=1e-11)
    ece = [counter_voltage(model.kind, model.p, each, I_A) for each in (x, y)]
    assert ece[0] == pytest.approx(ece[1], rel=1e-9, abs=1e-9)


@given(
    name=st.sampled_from(("double-layer", "full-cell", "three-electrode", "Li-symmetric", "blocking")),
    past=st.lists(st.tuples(st.floats(-3e-3, 3e-3), st.floats(0.0, 3e3)), max_size=6),
    one_A=st.floats(-1e-2, 1e-2),
    more_A=st.floats(1e-9, 1e-2),
    seconds=st.floats(0.0, 1e3),
)
def test_ewe_rises_with_the_current_from_wherever_it_is(name, past, one_A, more_A, seconds):
    """That is what a held potential is found by."""
    model = load_model(name)
    x = model.state()
    for I_A, held_s in past:
        advance(model.kind, model.p, x, I_A, held_s)
    lower, higher = (advance(model.kind, model.p, x.copy(), I_A, seconds) for I_A in (one_A, one_A + more_A))
    assert higher - lower > -1e-9 * max(1.0, abs(lower))
    if more_A > 1e-6 and abs(lower) < 1e3:
        assert higher > lower
