"""The virtual potentiostat against what circuits must show."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sim_bench import ca, cp, dummy_V, eis, execute, ocv, on, potentiostat

from nakctl.device.channel import Flag, Watch
from nakctl.device.instrument import instrument
from nakctl.device.program import Loop, Segment, Test
from nakctl.errors import LimitError


def crossing_s(limit_V: float, I_A: float) -> float:
    low_s, high_s = 0.0, 60.0
    while high_s - low_s > 1e-6:
        middle_s = (low_s + high_s) / 2
        low_s, high_s = (middle_s, high_s) if dummy_V(middle_s, I_A) < limit_V else (low_s, middle_s)
    return high_s


def test_cp_follows_the_circuit() -> None:
    samples, _, _ = execute(potentiostat("dummy"), cp(0.5e-3, 1.0, 0.01))
    expected = [dummy_V(row["time_s"], 0.5e-3) for row in samples]
    assert np.allclose(samples["Ewe_V"], expected, atol=0.4e-3)


def test_ca_follows_the_circuit() -> None:
    """randles: 150 ohm at once, and 150 ohm more with 0.1 s."""
    samples, _, _ = execute(potentiostat(), ca(0.1, 1.0, 0.01, hardware=on("1 mA")))
    expected = 0.1 / 300 * (1 + np.exp(-samples["time_s"] / 0.05))
    assert np.allclose(samples["Ewe_V"], 0.1, atol=0.3e-3)
    assert np.allclose(samples["I_A"][1:], expected[1:], rtol=0.02)
    charge_C = np.trapezoid(samples["I_A"], samples["time_s"])
    assert charge_C == pytest.approx(0.1 / 300 * (1 + 0.05), rel=0.01)


@pytest.mark.parametrize("every_s", [0.05, 10.0])
@pytest.mark.parametrize("limit_V", [0.4, 0.8, 1.03])
def test_a_test_is_met_when_the_circuit_gets_there(limit_V: float, every_s: float) -> None:
    samples, _, _ = execute(potentiostat("dummy"), cp(0.5e-3, 60.0, every_s, Test("Ewe", "above", limit_V)))
    assert samples["time_s"][-1] == pytest.approx(crossing_s(limit_V, 0.5e-3), abs=3e-3)
    assert samples["Ewe_V"][-1] == pytest.approx(limit_V, abs=20e-3)


def test_a_pulse_that_starts_beyond_its_limit_ends_with_the_first_reading() -> None:
    samples, _, _ = execute(potentiostat(), cp(0.5e-3, 60.0, 1.0, Test("Ewe", "above", 0.01)))
    assert list(samples["time_s"]) == [instrument("SP-300").timebase_s["CPLIMIT"]]


def test_rows_by_time_and_by_change() -> None:
    """A row is there because dE or every_s asked for it, or because it is first or last."""
    samples, _, _ = execute(potentiostat("dummy"), cp(0.5e-3, 2.0, 0.4, dE_V=0.01))
    steps_V, steps_s = np.abs(np.diff(samples["Ewe_V"])), np.diff(samples["time_s"])
    by_change = steps_V >= 0.01 - 1e-6
    by_time = np.isclose(steps_s, 0.4, atol=1e-4)
    assert np.all((by_change | by_time)[1:-1])
    assert by_change.sum() >= 12
    assert by_time.sum() >= 3


def test_times_stand_on_the_time_base() -> None:
    samples, _, _ = execute(potentiostat(), cp(1e-4, 0.5004, 0.1001))
    ticks = samples["time_s"] / instrument("SP-300").timebase_s["CPLIMIT"]
    assert np.allclose(ticks, np.round(ticks), atol=1e-6)
    assert len(samples) == 6


def test_peis_after_rest_stands_at_the_potential_of_the_rest() -> None:
    bench = potentiostat("NaK50")
    samples, points, _ = execute(bench, ocv(5.0), eis("PEIS", vs_previous=True, amplitude_peak=5e-3))
    assert np.allclose(points["E_dc_V"], samples["Ewe_V"][-1], atol=0.2e-3)
    assert np.allclose(points["I_dc_A"], 0.0, atol=1e-6)


def test_peis_bias_adds_to_the_potential_before() -> None:
    sweep = eis("PEIS", vs_previous=True, bias=0.05, amplitude_peak=5e-3, hold_s=1.0)
    _, points, _ = execute(potentiostat("NaK50"), cp(1e-4, 5.0), ocv(30.0), sweep)
    assert np.allclose(points["E_dc_V"], 0.0119 + 0.05, atol=1e-3)


def test_a_loop_within_a_loop_is_done_anew_in_each_pass() -> None:
    techniques = ocv(1.0), cp(1e-4, 1.0), Loop(1, 2, passes=True), Loop(0, 3, passes=True)
    samples, _, _ = execute(potentiostat(), *techniques)
    starts = np.flatnonzero(np.diff(samples["technique"], prepend=9) | np.diff(samples["passes"], prepend=9))
    assert samples["technique"][starts].tolist() == [0, 1, 1] * 3
    assert samples["passes"][starts].tolist() == [0, 0, 1, 1, 2, 3, 2, 4, 5]
    assert samples["time_s"][-1] == pytest.approx(9.0, abs=1e-3)


@pytest.mark.parametrize("like", ["SP-300", "VMP-3"])
def test_spectra_take_the_time_of_the_estimate(like: str) -> None:
    sweep = eis(hold_s=2.0, average=3, wait_periods=1.5, f_last_Hz=0.5)
    _, points, _ = execute(potentiostat(like=like), sweep)
    nominal = np.geomspace(1e5, 0.5, 9)
    expected = [instrument(like).eis_seconds(float(f), 3, 1.5) for f in nominal]
    assert np.allclose(points["time_s"], 2.0 + np.cumsum(expected), atol=1e-3)
    assert np.allclose(points["frequency_Hz"], nominal, rtol=1e-4)


def test_linear_spacing() -> None:
    _, points, _ = execute(
        potentiostat(), eis(spacing="linear", f_first_Hz=1e3, f_last_Hz=1e4, n_frequencies=4)
    )
    assert np.allclose(points["frequency_Hz"], [1e3, 4e3, 7e3, 1e4], rtol=1e-4)


def test_the_bias_goes_on_during_a_sweep() -> None:
    """The cell drifts under it, and each frequency sees the cell of its own time."""
    sweep = eis(bias=0.44e-3, amplitude_peak=5e-6, hold_s=0.0, n_frequencies=60)
    _, points, _ = execute(potentiostat("NaK50"), sweep)
    assert np.allclose(points["I_dc_A"], 0.44e-3, rtol=1e-3)
    E_V = points["E_dc_V"][:: len(points) // 5]
    assert np.all(np.diff(E_V) > 0)


def test_a_short_is_seen_within_the_sweep_in_which_it_comes() -> None:
    sweep = eis(bias=-0.4e-3, hold_s=0.0, n_frequencies=9, f_last_Hz=1e3)
    _, points, _ = execute(potentiostat("NaK50"), sweep, Loop(0, 1500, passes=False))
    Z = np.abs(points["Z_re_ohm"] + 1j * points["Z_im_ohm"])
    shorted = np.abs(points["E_dc_V"]) < 0.02
    assert 0 < shorted.argmax() < len(Z)
    assert np.all(Z[shorted] < 15)
    assert np.all(Z[~shorted] > 15)


# overloads


def test_more_current_than_the_amplifier_has() -> None:
    samples, _, notices = execute(potentiostat("shorted-lead"), ca(1.0, 5.0))
    assert np.all(samples["flags"] & Flag.I_OVERLOAD)
    assert np.all(samples["I_A"] == np.float32(1e-3))
    assert np.all(samples["Ewe_V"] < 0.02)  # 0.5 A through 20 mohm
    assert [notice.code for notice in notices] == ["overload"]


def test_each_chain_tells_its_overloads() -> None:
    bench = potentiostat("shorted-lead")
    told = [execute(bench, ca(1.0, 5.0), ocv(1.0))[2] for _ in range(2)]
    assert [[notice.facts["technique"] for notice in notices] for notices in told] == [[0], [0]]


def test_more_voltage_than_the_amplifier_has() -> None:
    """An open lead: the current that was asked for cannot flow."""
    samples, _, notices = execute(
        potentiostat("open-lead"), cp(1e-6, 100.0, hardware=on("10 uA", "10 V")), ocv(1.0)
    )
    driven = samples[samples["technique"] == 0]
    assert driven["Ewe_V"][-1] == 10.0
    assert driven["flags"][-1] & Flag.E_OVERLOAD
    assert abs(driven["I_A"][-1]) < 2e-9
    assert len(notices) == 2  # both techniques: the capacitance keeps its charge


@pytest.mark.parametrize(("like", "most_V"), [("SP-300", 12.0), ("VMP-3", 10.0)])
@pytest.mark.parametrize("I_A", [1e-6, -1e-6])
def test_there_is_as_much_voltage_as_the_amplifier_has(like: str, most_V: float, I_A: float) -> None:
    bench = potentiostat("open-lead", like)
    bench.load(Segment((cp(I_A, 100.0, hardware=on("10 uA", "10 V")),)))
    bench.start()
    bench.run(90.0, Watch())
    assert bench.peek(90.0)[0] == pytest.approx(math.copysign(most_V, I_A), abs=1e-3)


def test_a_spectrum_beyond_the_range_is_flagged() -> None:
    _, points, notices = execute(potentiostat(), eis(bias=0.97e-3, amplitude_peak=50e-6))
    assert np.all(points["flags"] & Flag.I_OVERLOAD)
    assert [notice.code for notice in notices] == ["overload"]


# chains that cannot be


@pytest.mark.parametrize(
    ("techniques", "phrase"),
    [
        ((cp(1e-3, 1.0, hardware=on("3 A")),), "no range 3 A"),
        ((cp(1e-3, 1.0, hardware=on("1 mA", "7 V")),), "no range 7 V"),
        ((Loop(0, 2, passes=True),), "loops over nothing"),
        ((ocv(1.0), Loop(0, 2, passes=True), Loop(1, None, passes=True)), "loops over nothing"),
    ],
)
def test_what_cannot_be_loaded(techniques: tuple, phrase: str) -> None:
    with pytest.raises(LimitError, match=phrase):
        potentiostat().load(Segment(techniques))


def test_a_horizon_in_the_past_changes_nothing() -> None:
    bench = potentiostat()
    bench.load(Segment((ocv(10.0),)))
    bench.start()
    assert len(bench.run(-1.0, Watch()).samples) == 0
    assert len(bench.run(math.inf, Watch()).samples) == 11
