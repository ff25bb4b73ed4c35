"""Results of runs whose answer is known: staircases, cycles, scans, titrations, held potentials, temperatures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import results_experiments as known
import results_runs as runs
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import find_peaks

from nakctl.record.read import open_run
from nakctl.results import cycling
from nakctl.results.arrhenius import activation, activation_energy_kJ_mol
from nakctl.results.cycling import cycles, rate_capability
from nakctl.results.dqdv import _dq_dv, dq_dv
from nakctl.results.gitt import titration
from nakctl.results.maxima import maxima
from nakctl.results.pulses import pulse_resistances
from nakctl.results.relaxation import mean_relaxation, plateau_s, relaxations
from nakctl.results.resistance import resistances
from nakctl.results.shorts import verdict
from nakctl.results.staircases import staircase
from nakctl.results.summary import figures, summary, told
from nakctl.results.transport import bruce_vincent, hebb_wagner, transference
from nakctl.results.voltammetry import scans

Kinds = dict[str, Path]

# --- staircases and shorts -----------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["strip", "plate"])
def test_a_staircase_has_resistances_and_a_threshold(direction: str, kinds: Kinds) -> None:
    found = staircase(open_run(kinds["staircases"]), direction)  # type: ignore[arg-type]
    assert len(found) == 20
    assert found.resistance_ohm_cm2[:10] == pytest.approx(known.OHM_cm2, rel=1e-3)
    assert found.step_ohm_cm2[1:10] == pytest.approx(known.OHM_cm2, rel=1e-2)
    assert found.step_ohm_cm2[11:] == pytest.approx(5 * known.OHM_cm2, rel=1e-2)
    assert np.isnan(found.step_ohm_cm2[0])
    assert abs(found.threshold_mA_cm2 or 0) == pytest.approx(known.BEND_mA_cm2, abs=0.051)
    assert found.threshold_error_mA_cm2 == pytest.approx(0.1)


def test_show_tells_the_threshold_with_its_error(kinds: Kinds) -> None:
    said = told(figures(open_run(kinds["staircases"])))
    assert (
        "stripping, 20 levels of 0.05 to 1 mA/cm2, 300 to 900 ohm cm2: unstable from 0.5 +- 0.1 mA/cm2 on"
        in said
    )
    assert any(line.startswith("plating, 20 levels of 0.05 to 1 mA/cm2") for line in said)


def test_a_staircase_without_a_rest_before_it_has_no_resistance(tmp_path: Path) -> None:
    run = open_run(
        runs.written(tmp_path / "run.h5", [runs.strip(1e-3 * k, [0.1 * k] * 3) for k in (1, 2, 3)])
    )
    found = staircase(run)
    assert np.isnan(found.resistance_ohm_cm2).all()
    assert found.step_ohm_cm2[1:] == pytest.approx(50.0)
    assert (found.threshold_mA_cm2, len(staircase(run, "plate"))) == (None, 0)
    assert "strip_levels_ohm_cm2" not in figures(run)
    assert "stripping, 3 levels of 2 to 6 mA/cm2: too few for a threshold" in told(figures(run))


def test_levels_that_go_down_are_no_staircase(tmp_path: Path) -> None:
    steps = [known.rest(3), *(runs.strip(1e-3 * k, [0.1 * k] * 3) for k in range(12, 0, -1))]
    run = open_run(runs.written(tmp_path / "run.h5", steps))
    assert staircase(run).threshold_mA_cm2 is None
    assert "strip_levels_mA_cm2" not in figures(run)


def test_the_critical_current_density_and_where_the_cell_shorted(kinds: Kinds) -> None:
    run = open_run(kinds["ccd"])
    found = summary(run)
    assert (found["ccd_mA_cm2"], found["short_at_mA_cm2"], found["short_while"]) == (4.0, 8.0, "plating")
    assert (found["short_cycle"], found["short_half_cycle"]) == (4, 8)
    assert found["short_at_mAh_cm2"] == pytest.approx(4.0)  # 8 mA/cm2 for 30 min
    assert found["plate_levels_mA_cm2"] == [-1.0, -2.0, -4.0]  # the cell of the last one was another
    assert found["plate_levels_ohm_cm2"] == pytest.approx([25.0] * 3)


def test_without_a_short_the_largest_current_is_known(kinds: Kinds) -> None:
    run = open_run(kinds["staircases"])
    said = verdict(run)
    assert said is not None
    assert said.unshorted_A == pytest.approx(5e-4)
    assert figures(run)["no_short_up_to_mA_cm2"] == pytest.approx(1.0)


# --- cycles --------------------------------------------------------------------------------------------


def test_cycles_have_charge_energy_and_efficiency(kinds: Kinds) -> None:
    run = open_run(kinds["battery"])
    found = cycles(run)
    assert (found.number.tolist(), found.charge_is) == ([1, 2, 3], "strip")
    assert found.strip_mAh_cm2[:2] == pytest.approx([1.0, 1.0])
    assert found.plate_mAh_cm2[:2] == pytest.approx([0.9, 0.9])
    assert found.coulombic_efficiency[:2] == pytest.approx([0.9, 0.9])
    assert found.net_Ah[:2] == pytest.approx([5e-5, 5e-5])
    assert found.plate_A[:2] == pytest.approx([-1e-3, -2e-3])
    for k in (0, 1):  # the same again from the rows, another way
        rows = np.flatnonzero(run.samples["cycle"] == k + 1)
        for sign, energy_Wh in ((1, found.strip_Wh[k]), (-1, found.plate_Wh[k])):
            mine = rows[np.sign(run.samples["I"][rows]) == sign]
            E, I_A, t = (run.samples[name][mine].astype(float) for name in ("Ewe", "I", "time"))
            by_hand = np.trapezoid(E * I_A, t) + E[0] * I_A[0] * (t[1] - t[0])
            assert energy_Wh == pytest.approx(by_hand / 3600, rel=1e-6)
    assert found.energy_efficiency[0] == pytest.approx(-found.plate_Wh[0] / found.strip_Wh[0])
    assert (found.strip_V[0], found.plate_V[0]) == (
        pytest.approx(3.8, abs=0.02),
        pytest.approx(3.6, abs=0.02),
    )
    assert found.duration_s.sum() + 1 == pytest.approx(run.header.duration_s)


@pytest.mark.parametrize("kind", ["battery", "ccd", "pulses", "three_electrodes"])
def test_blocks_of_rows_change_nothing(kind: str, kinds: Kinds, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = cycles(open_run(kinds[kind]))
    for block in (1, 7, 64):
        monkeypatch.setattr(cycling, "BLOCK", block)
        found = cycles(open_run(kinds[kind]))
        for name in ("number", "strip_Ah", "plate_Ah", "strip_Wh", "plate_Wh", "strip_s", "duration_s"):
            assert getattr(found, name) == pytest.approx(getattr(whole, name), rel=1e-9, abs=1e-18)


def test_energy_is_that_of_the_cell_between_its_two_electrodes(kinds: Kinds) -> None:
    found = cycles(open_run(kinds["three_electrodes"]))
    assert found.strip_V == pytest.approx([2.5])


def test_a_cycle_that_the_end_cut_is_not_whole(kinds: Kinds, tmp_path: Path) -> None:
    assert cycles(open_run(kinds["ccd"])).whole.tolist() == [True, True, True, False]
    assert "its last cycle is not whole" in told(figures(open_run(kinds["ccd"])))
    steps = [runs.strip(1e-3, [0.1] * 9, cycle=1), runs.strip(-1e-3, [-0.1] * 9, cycle=1)]
    done = open_run(runs.written(tmp_path / "done.h5", [*steps, *steps]))
    half = open_run(runs.written(tmp_path / "half.h5", [*steps, runs.strip(1e-3, [0.1] * 9, cycle=2)]))
    assert (cycles(done).whole.tolist(), cycles(half).whole.tolist()) == ([True], [True, False])


def test_a_symmetric_cell_gives_off_no_energy(kinds: Kinds) -> None:
    found = cycles(open_run(kinds["ccd"]))
    assert np.isnan(found.energy_efficiency).all()
    assert found.coulombic_efficiency[:3] == pytest.approx(1.0)
    assert (found.strip_Wh > 0).all()


def test_the_negative_electrode_is_charged_by_plating(tmp_path: Path) -> None:
    steps = [runs.strip(-1e-3, [0.1] * 10, 90.0), runs.strip(1e-3, [0.5] * 8, 90.0)]
    sample = {"name": "cell", "working_is": "negative"}
    found = cycles(open_run(runs.written(tmp_path / "run.h5", steps, sample=sample)))
    assert (found.charge_is, found.first_is) == ("plate", "plate")
    assert found.coulombic_efficiency == pytest.approx([0.8])
    assert np.isnan(found.strip_mAh_cm2).all()


def test_a_spectrum_at_rest_is_no_half_cycle(kinds: Kinds) -> None:
    assert np.isnan(cycles(open_run(kinds["pulses"])).coulombic_efficiency).all()
    assert "cycles_number" not in figures(open_run(kinds["pulses"]))


def test_rates_of_whole_cycles(tmp_path: Path) -> None:
    steps = []
    for cycle, (I_A, count) in enumerate(((1e-3, 20), (1e-3, 18), (2e-3, 8)), 1):
        steps.append(runs.strip(1e-3, [3.6] * 20, 90.0, cycle=cycle))
        steps.append(runs.strip(-I_A, [3.5] * count, 90.0, cycle=cycle))
    run = open_run(runs.written(tmp_path / "run.h5", steps, sample=known.BATTERY))
    found = rate_capability(run)
    assert pytest.approx([-1e-3, -2e-3]) == found.I_A
    assert found.capacity_Ah == pytest.approx([0.475e-3, 0.4e-3])
    assert found.spread_Ah == pytest.approx([np.std([0.5e-3, 0.45e-3], ddof=1), np.nan], nan_ok=True)
    assert (found.count.tolist(), found.kept[1]) == ([2, 1], pytest.approx(0.4 / 0.475))
    assert any("capacity by rate: 0.475 mAh at 1 mA, 0.4 mAh at 2 mA" in line for line in told(figures(run)))


def test_steps_of_a_pulse_test_show_no_capacity(tmp_path: Path) -> None:
    steps = []
    for cycle, I_A in enumerate((1e-3, 2e-3, 3e-3), 1):
        steps.append(runs.strip(1e-3, [3.6], 10.0, cycle=cycle))
        steps.append(runs.strip(-I_A, [3.5] * 20, 90.0, cycle=cycle))
    run = open_run(runs.written(tmp_path / "run.h5", steps, sample=known.BATTERY))
    assert len(rate_capability(run).I_A) == 0
    assert not any("capacity by rate" in line for line in told(figures(run)))


def test_a_long_table_shows_its_ends(tmp_path: Path) -> None:
    steps = [
        runs.strip(sign * 1e-3, [sign * 0.1] * 3, cycle=cycle) for cycle in range(1, 31) for sign in (1, -1)
    ]
    lines = told(figures(open_run(runs.written(tmp_path / "run.h5", steps))))
    first = next(k for k, line in enumerate(lines) if line.startswith("cycle"))
    assert [line.split()[0] for line in lines[first + 1 : first + 10]] == [
        *map(str, range(1, 5)), "...", *map(str, range(27, 31)),
    ]  # fmt: skip
    assert len(lines) < 14


# --- dQ/dV, peaks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("falls", [False, True])
def test_dq_dv_finds_the_plateau_and_loses_no_charge(falls: bool) -> None:
    E_V = np.linspace(3.0, 4.0, 4001)
    curve = 1e-3 + 0.01 * np.exp(-(((E_V - 3.702) / 0.03) ** 2))
    Q_Ah = np.cumsum(curve) * (E_V[1] - E_V[0])
    found = _dq_dv(E_V[::-1], Q_Ah[-1] - Q_Ah[::-1], 0.005, 3) if falls else _dq_dv(E_V, Q_Ah, 0.005, 3)
    assert found.peak_V == pytest.approx([3.702], abs=0.005)
    assert found.peak_Ah_V == pytest.approx([0.011], rel=0.02)
    assert found.dQ_dV_Ah_V == pytest.approx(np.interp(found.E_V, E_V, curve), rel=0.03, abs=2e-4)
    assert found.dQ_dV_Ah_V.sum() * found.step_V == pytest.approx(Q_Ah[-1], rel=0.02)


def test_dq_dv_of_a_half_cycle(kinds: Kinds) -> None:
    run = open_run(kinds["battery"])
    found = dq_dv(run, 1, "plate")
    assert found.dQ_dV_Ah_V == pytest.approx(0.45e-3 * 19 / 20 / 0.4, rel=1e-3)  # a straight line
    assert (np.diff(found.E_V) > 0).all()
    assert len(found.peak_V) == 0
    for nothing in (dq_dv(run, 7, "strip"), dq_dv(open_run(kinds["held"]), 1, "strip")):
        assert (len(nothing.E_V), len(nothing.peak_V)) == (0, 0)


@given(st.lists(st.integers(0, 9), min_size=3, max_size=40), st.integers(1, 5))
def test_maxima_are_those_that_scipy_finds(values: list[int], least: int) -> None:
    y = np.array(values, float)
    ours, theirs = maxima(y, least), find_peaks(y, prominence=least, plateau_size=1)
    assert ours.tolist() == theirs[1]["left_edges"].tolist()  # of a flat top we take the first point


# --- scans ---------------------------------------------------------------------------------------------


def test_peaks_of_scans_stand_above_a_baseline(kinds: Kinds) -> None:
    run = open_run(kinds["scans"])
    found = scans(run)
    assert [one.number for one in found] == [1, 2]
    for one in found:
        assert one.anodic is not None
        assert one.cathodic is not None
        assert (
            pytest.approx(0.63, abs=0.005),
            pytest.approx(0.57, abs=0.005),
        ) == (one.anodic.E_V, one.cathodic.E_V)
        assert (one.anodic.I_A, one.anodic.height_A) == (pytest.approx(1.1e-4), pytest.approx(1e-4, rel=1e-3))
        assert one.cathodic.height_A == pytest.approx(-1e-4, rel=1e-3)
        assert one.separation_V == pytest.approx(0.06, abs=0.01)
        assert one.half_wave_V == pytest.approx(0.6, abs=0.005)
        assert one.rate_V_s == pytest.approx(0.01)
        by_hand = np.sum(known.scan_curve(np.linspace(0, 1, 201)[1:], 0.63, 1.0)) * 0.5 / 3600
        assert (one.anodic_Ah, one.cathodic_Ah) == (pytest.approx(by_hand), pytest.approx(by_hand, rel=0.01))
    assert figures(run)["scans_separation_V"] == pytest.approx([0.06, 0.06], abs=0.01)


@pytest.mark.parametrize("noise_A", [0.0, 1e-7])
def test_a_double_layer_has_no_peak(noise_A: float, tmp_path: Path) -> None:
    up = np.linspace(0, 1, 201)[1:]
    tables = runs.tables_of([runs.Step("CV", 0.0, up.tolist(), 0.5, control=np.nan)])
    known.with_current(tables["samples"], 1e-5 + noise_A * np.random.default_rng(1).standard_normal(200))
    run = open_run(runs.written(tmp_path / "run.h5", [], tables=tables))
    assert (scans(run)[0].anodic, scans(run)[0].cathodic) == (None, None)
    assert "no peak stands out of the scans" in told(figures(run))


# --- titration, pulses, relaxation -----------------------------------------------------------------------


def test_titration_gives_d_over_l_squared(kinds: Kinds) -> None:
    run = open_run(kinds["battery"])
    found = titration(run, length_cm=1e-3)
    assert found.D_per_L2_s[:4] == pytest.approx(1 / known.L2_PER_D_s, rel=1e-3)
    assert found.D_cm2_s[:4] == pytest.approx(1e-6 / known.L2_PER_D_s, rel=1e-3)
    assert found.dEs_V[:4] == pytest.approx(known.dEs_V, abs=1e-6)
    assert (found.relative_error[:4] < 1e-3).all()
    assert np.isnan(titration(run).D_cm2_s).all()
    assert figures(run)["gitt_D_per_L2_Hz"] == pytest.approx([1e-5] * 4, rel=1e-3)  # not of the short pulses
    assert any("(L, the diffusion length, is in no file)" in line for line in told(figures(run)))


def test_whole_half_cycles_between_rests_are_no_titration(tmp_path: Path) -> None:
    steps = [known.rest(5, 3.5)]
    for sign in (1, -1, 1, -1):  # half of the capacity each
        steps += [runs.strip(sign * 1e-3, np.linspace(3.6, 3.7, 40), 90.0), known.rest(40, 3.5, 90.0)]
    run = open_run(runs.written(tmp_path / "run.h5", steps, sample=known.BATTERY))
    assert len(titration(run)) == 4
    assert "gitt_A" not in figures(run)


def test_pulses_show_resistances(kinds: Kinds) -> None:
    run = open_run(kinds["battery"])
    found = pulse_resistances(run, longest_s=10.5)
    assert pytest.approx([-2e-3] * 3 + [1e-3] * 3) == found.I_A
    assert found.first_ohm == pytest.approx(40.0, rel=1e-3)
    assert found.end_ohm == pytest.approx(80.0, rel=1e-3)
    assert "3 pulses of 2 mA (plating): 40 to 40 ohm at once, 80 to 80 ohm after 10 s" in told(figures(run))


def test_every_rest_after_a_pulse_relaxes(kinds: Kinds) -> None:
    run = open_run(kinds["pulses"])
    found = relaxations(run)
    assert len(found) == 5
    assert found.plateau_s == pytest.approx(0.5 + np.log(10), abs=0.06)
    assert (found.I_A.tolist(), found.first_V) == (pytest.approx([1e-3] * 5), pytest.approx(0.095, abs=1e-3))
    assert "voltage plateau after a pulse: 2.85 s, 5 rests of 10 s" in told(figures(run))


def test_a_rest_that_was_cut_has_no_plateau(tmp_path: Path) -> None:
    run = open_run(known.pulses(tmp_path, tau_s=5.0, rest_s=3.0))
    assert np.isnan(relaxations(run).plateau_s).all()
    assert plateau_s(*mean_relaxation(run)) is None
    assert "voltage plateau after a pulse: not determined within 5 rests of 3 s" in told(figures(run))


def test_other_rests_and_readings_that_are_none_do_not_count(tmp_path: Path) -> None:
    times = np.arange(0.1, 10.01, 0.1)
    relaxes = (0.1 * np.exp(-times)).tolist()
    lost = [np.nan if k % 3 == 0 else E for k, E in enumerate(relaxes)]
    pulse = runs.strip(1e-3, [0.5] * 4, 0.25)

    def resting(Ewe_V: list[float]) -> runs.Step:
        return runs.Step("OCV", 0.0, Ewe_V, 0.1, control=np.nan)

    steps = [known.rest(9), pulse, resting(relaxes), pulse, resting(lost), pulse, resting(relaxes[:3])]
    steps += [pulse, resting([np.nan] * 100), resting([0.3] * 100)]
    run = open_run(runs.written(tmp_path / "run.h5", steps))
    assert relaxations(run).plateau_s == pytest.approx([2.8, 2.9, np.nan, np.nan], abs=0.11, nan_ok=True)
    time_s, Ewe_V = mean_relaxation(run)
    assert plateau_s(time_s, Ewe_V) == pytest.approx(2.8, abs=0.1)
    late = time_s > 5.0
    assert Ewe_V[late] == pytest.approx(
        0.1 * np.exp(-time_s[late]), rel=0.02, abs=2e-5
    )  # without the one that was cut
    assert len(mean_relaxation(run, most=1)[0]) == len(time_s)


@pytest.mark.parametrize(
    "Ewe_V", [np.zeros(100), np.full(100, np.nan), 1e-5 * np.exp(-np.arange(100.0)), np.full(100, 0.3)]
)
def test_what_does_not_relax_has_no_plateau(Ewe_V: np.ndarray) -> None:
    assert plateau_s(np.arange(100) * 0.1, Ewe_V) is None


# --- held potentials, temperatures ---------------------------------------------------------------------


def test_the_transference_number_is_that_of_the_cell(kinds: Kinds) -> None:
    found = transference(open_run(kinds["polarised"]))
    assert found is not None
    assert (found.R_0_ohm, found.R_ss_ohm) == (pytest.approx(10.0, rel=0.01), pytest.approx(10.0, rel=0.01))
    assert found.t_plus == pytest.approx(known.T_PLUS, rel=0.02)
    assert found.t_plus_error == pytest.approx(0.0, abs=1e-3)
    assert figures(open_run(kinds["polarised"]))["transference_number"] == pytest.approx(0.3, rel=0.02)


def test_a_spectrum_that_shows_too_little_gives_no_transference_number(tmp_path: Path) -> None:
    run = open_run(known.polarised(tmp_path, high_Hz=3e3))
    found = transference(run)
    assert found is not None
    assert (found.R_0_ohm, found.t_plus) == (None, None)
    told_of = transference(run, electrolyte_ohm=known.R_ELECTROLYTE)
    assert told_of is not None
    assert told_of.t_plus == pytest.approx(known.T_PLUS, rel=0.02)
    assert "transference_number" not in figures(run)
    assert any("transference number: not determined" in line for line in told(figures(run)))


def test_without_interfaces_the_currents_are_the_number() -> None:
    assert bruce_vincent(0.01, 1e-4, 3e-5, 0.0, 0.0) == pytest.approx(0.3)


def test_steady_currents_are_a_conductance(kinds: Kinds) -> None:
    found = hebb_wagner(open_run(kinds["held"]), thickness_cm=0.1)
    assert found.conductance_S == pytest.approx(1e-6, rel=1e-3)
    assert found.conductivity_S_cm == pytest.approx(2e-7, rel=1e-3)
    assert np.isnan(hebb_wagner(open_run(kinds["held"])).conductivity_S_cm).all()
    assert "steady currents at 5 held potentials: 100 nA at 0.1 V to 500 nA at 0.5 V" in told(
        figures(open_run(kinds["held"]))
    )


def test_an_activation_energy_with_its_error(kinds: Kinds) -> None:
    run = open_run(kinds["sensed"])
    found = activation(run)
    assert pytest.approx([298.15, 318.15, 338.15]) == found.T_K
    assert found.kJ_mol == pytest.approx(known.E_A_kJ_mol, rel=0.01)
    assert found.eV == pytest.approx(known.E_A_kJ_mol / 96.485, rel=0.01)
    assert 0 <= found.error_kJ_mol < 0.5
    assert any(line.startswith("activation energy: 40") for line in told(figures(run)))
    assert activation(open_run(kinds["held"])).kJ_mol is None


def test_two_temperatures_have_no_error_and_one_has_no_slope() -> None:
    kJ_mol, error = activation_energy_kJ_mol(np.array([300.0, 310.0]), np.array([100.0, 50.0]))
    assert kJ_mol == pytest.approx(8.314462e-3 * np.log(2) / (1 / 300 - 1 / 310))
    assert np.isnan(error)
    assert activation_energy_kJ_mol(np.full(5, 300.0), np.arange(1, 6.0))[0] is None


def test_resistances_of_a_spectrum_that_blocks() -> None:
    f_Hz = np.logspace(6, -1, 80)
    two_arcs = 10 + 20 / (1 + 2j * np.pi * f_Hz * 1e-5)
    found = resistances(f_Hz, two_arcs + 1 / (2j * np.pi * f_Hz * 1e-3))
    assert found.low_ohm == pytest.approx(30.0, rel=0.02)
    assert resistances(f_Hz, two_arcs[::-1] * 0 + 1 / (2j * np.pi * f_Hz * 1e-3)).low_ohm is None
    assert resistances(f_Hz[:0], two_arcs[:0]).low_ohm is None


# --- files that no shipped protocol makes ----------------------------------------------------------------


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [known.rest(1)],
        [known.rest(1, np.nan)],
        [runs.strip(1e-3, [np.nan] * 5)],
        [runs.strip(1e-3, [0.1])],
        [runs.Step("CV", 0.0, [0.1], control=np.nan), runs.Step("CV", 0.0, [0.2] * 9, control=np.nan)],
        [runs.Step("CA", 1e-6, [np.nan], control=0.1), runs.Step("CA", np.nan, [0.1] * 3, control=0.2)],
        [known.rest(3), runs.strip(1e-3, [0.1] * 3), known.rest(1), runs.strip(1e-3, []), known.rest(0)],
        [runs.strip(1e-3 * k, [np.nan] * 2) for k in range(1, 15)],
        [runs.strip(-1e-3 * k, [0.0] * 2) for k in range(1, 15)],
    ],
)
def test_figures_of_whatever_there_is(steps: list[runs.Step], tmp_path: Path) -> None:
    sample = known.BATTERY if len(steps) % 2 else {"name": "cell"}
    path = runs.written(tmp_path / "run.h5", steps or [known.rest(0)], sample=sample)
    assert "trouble" not in open_run(path).header.results
    run = open_run(path)
    told(figures(run))
    for of in (
        cycles,
        relaxations,
        titration,
        pulse_resistances,
        scans,
        transference,
        hebb_wagner,
        activation,
    ):
        of(run)  # type: ignore[operator]


def test_rows_without_a_step_that_is_over(tmp_path: Path) -> None:
    """A run that goes on: its first step is not in the table yet."""
    tables = runs.tables_of([runs.strip(1e-3, [0.1] * 9), runs.strip(-1e-3, [-0.1] * 9)])
    tables["steps"] = tables["steps"][:0]
    run = open_run(runs.written(tmp_path / "run.h5", [], tables=tables))
    assert cycles(run).strip_Ah == pytest.approx(cycles(run).plate_Ah)
    assert len(staircase(run)) == len(relaxations(run)) == 0
    told(figures(run))
