"""What a figure holds, as numbers: those that follow from the arrays of the file without our functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import figure_runs as made
import h5py
import numpy as np
import pytest
import results_runs as runs
from scipy.optimize import nnls

from nakctl.device.sensor import SensorSpec
from nakctl.errors import InputError
from nakctl.figures.choice import Choice
from nakctl.figures.figure import Figure, Heat, Line, Mark, Panel
from nakctl.figures.kinds import KINDS
from nakctl.record.read import open_run

cm2 = runs.AREA_cm2


def drawn(kind: str, *paths: Path, **choice: Any) -> Figure:
    return KINDS[kind].make([open_run(path) for path in paths], Choice(**choice))


def lines(panel: Panel) -> dict[str, Line]:
    return {line.name: line for line in panel.lines}


def heats(figure: Figure) -> list[Heat]:
    return [each for panel in figure.panels for each in panel.drawn if isinstance(each, Heat)]


def marks(panel: Panel) -> list[Mark]:
    return [each for each in panel.drawn if isinstance(each, Mark) and each.text]


def stored(path: Path, name: str) -> Any:
    with h5py.File(path) as file:
        return file[f"entry/{name}"][()]


def spectrum(path: Path, number: int) -> tuple[Any, Any]:
    """Frequencies, and Z times the area."""
    mine = stored(path, "impedance/spectrum") == number
    Z_ohm = stored(path, "impedance/Z_re") + 1j * stored(path, "impedance/Z_im")
    return stored(path, "impedance/frequency")[mine], Z_ohm[mine] * cm2


def gamma(f_Hz: Any, z: Any) -> Any:
    """Ten points per decade from 10^-7.5 to 10 s, lambda 1e-3, beside a resistor and an inductance in uH."""
    tau_s, w = 10.0 ** np.linspace(-7.5, 1.0, 86), 2 * np.pi * f_Hz[:, None]
    model = np.hstack([np.log(10) / 10 / (1 + 1j * w * tau_s), np.ones_like(w), 1j * w * 1e-6])
    damping = np.sqrt(1e-3) * np.eye(86, 88)
    known = np.concatenate([z.real, z.imag, np.zeros(86)])
    return nnls(np.vstack([model.real, model.imag, damping]), known)[0][:86]


# --- against time and charge -----------------------------------------------------------------------------


def test_potential_and_current_are_those_of_the_samples(scan: Path) -> None:
    potential, current, charge = drawn("voltage", scan).panels
    time_min = stored(scan, "samples/time") / 60
    assert lines(potential)["Ewe"].x == pytest.approx(time_min)
    assert lines(potential)["Ewe"].y == pytest.approx(stored(scan, "samples/Ewe"))
    assert next(current.lines).y == pytest.approx(stored(scan, "samples/I") / cm2 * 1e3)
    assert next(charge.lines).y == pytest.approx(stored(scan, "samples/Q") / cm2 * 1e3)
    assert [panel.x.label for panel in (potential, current, charge)] == ["time / min"] * 3
    assert (current.y.label.split("\n")[0], potential.y.label) == ("j / mA cm⁻²", "Ewe / V")


def test_runs_lie_over_each_other_by_what_differs(folder: Path, train: Path) -> None:
    other = made.train(folder / "longer.h5", 4.0)
    potential = next(drawn("voltage", train, other).panels)
    assert list(lines(potential)) == ["rest 2 s", "rest 4 s"]
    cells = [made.scan(folder / f"{name}.h5", name) for name in ("NaK65", "NaK80")]
    assert list(lines(next(drawn("voltage", *cells).panels))) == ["NaK65", "NaK80"]


def test_a_part_of_the_time_a_step_or_a_cycle_is_drawn(scan: Path) -> None:
    time_s = stored(scan, "samples/time")
    for choice, wanted in (
        ({"from_s": 30.0, "to_s": 50.0}, (time_s >= 30) & (time_s <= 50)),
        ({"steps": ("3",)}, stored(scan, "samples/step_count") == 3),
        ({"cycles": ((1, 1),)}, time_s > 0),
        ({"steps": ("2", "3"), "from_s": 30.0}, (time_s >= 30) & (time_s <= 60)),
    ):
        potential = next(drawn("voltage", scan, **choice).panels)
        assert len(lines(potential)["Ewe"].x) == np.count_nonzero(wanted)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"from_s": 36e3}, "no samples of: from 10 h; it has the steps"),
        ({"cycles": ((7, 8),)}, "no samples of: cycle 7-8"),
        ({"steps": ("99",)}, "no step '99'; it has the steps '1.1 step"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(scan: Path, choice: Any, words: str) -> None:
    with pytest.raises(InputError, match=words.replace(".", r"\.")):
        drawn("voltage", scan, **choice)


def test_spectra_that_are_not_there_are_told_with_those_that_are(scan: Path) -> None:
    with pytest.raises(InputError, match=r"no complete spectra of: spectrum 50; it has .*spectra 1-23"):
        drawn("nyquist", scan, spectra=((50, 50),))


def test_charge_is_counted_the_way_that_it_went(folder: Path, train: Path) -> None:
    """Of a train of pulses, Ewe at the end of each."""
    panel = next(drawn("charge", train).panels)
    line = next(panel.lines)
    last = np.flatnonzero(np.append(np.diff(stored(train, "samples/step_count")) > 0, True))
    ends = last[stored(train, "samples/I")[last] > 0]
    assert panel.x.label == "stripped charge / mAh cm⁻²"
    assert line.x == pytest.approx(stored(train, "samples/Q")[ends] / cm2 * 1e3)
    assert line.y == pytest.approx(stored(train, "samples/Ewe")[ends])
    plated = runs.written(folder / "plated.h5", [runs.strip(-1e-3, [-0.1] * 5)])
    panel = next(drawn("charge", plated).panels)
    assert panel.x.label == "plated charge / mAh cm⁻²"
    assert next(panel.lines).x == pytest.approx(np.arange(1, 6) * 2 / 3600)
    both = runs.written(folder / "both.h5", [runs.strip(1e-3, [0.1] * 5), runs.strip(-1e-3, [-0.1] * 5)])
    assert next(drawn("charge", both).panels).x.label == "net charge / mAh cm⁻²"


def test_a_short_is_marked_where_it_was_certain(folder: Path) -> None:
    V = [0.2] * 30 + [0.001] * 30
    path = runs.written(folder / "short.h5", [runs.strip(1e-3, [0.1] * 30), runs.strip(2e-3, V)])
    potential = next(drawn("voltage", path).panels)
    [short] = marks(potential)
    assert (short.text, short.x) == ("short", pytest.approx(63.0))  # the third low row


def test_interruptions_are_points_on_the_curve(folder: Path) -> None:
    steps = [runs.strip(1e-3, [0.1] * 60), runs.strip(1e-3, [0.2] * 60), runs.rest(60)]
    more = {"chains": runs.chains((0, 0, 0, 1, 0), (60.0, 0.5, 1, 2, 1e-3), (120.0, 0.5, 2, 3, 1e-3))}
    path = runs.written(folder / "interrupted.h5", steps, more=more)
    found = lines(next(drawn("voltage", path).panels))
    one, other = found["interrupted (1)"], found["interrupted under current (1)"]
    assert (one.x.tolist(), other.x.tolist()) == ([2.0], [1.0])  # min
    assert (one.y[0], other.y[0]) == (pytest.approx(0.2), pytest.approx(0.1))


def test_sensors_stand_below_by_their_units(folder: Path) -> None:
    path = folder / "sensed.h5"
    specs = [
        SensorSpec(name, "serial", "COM3", unit, what, 1.0, 0.0, 1.0, 1.0)
        for name, unit, what in (("press", "MPa", "pressure"), ("oven", "degC", "temperature"))
    ]
    runs.sensed(path, "press", [(0.0, 10.0, 0.01), (1.0, 12.0, 0.01), (1.5, np.nan, 0.0), (9.0, 11.0, 0.01)])
    runs.sensed(path, "oven", [(0.5, 25.0, 0.01), (50.0, 26.0, 0.01)])
    path = runs.written(path, [runs.strip(1e-3, [0.1] * 12)], sensors=[spec.as_json() for spec in specs])
    press, oven = list(drawn("voltage", path).panels)[3:]
    assert (press.y.label, oven.y.label) == ("press\n/ MPa", "oven\n/ °C")
    assert next(press.lines).x.tolist() == [1.0, 1.5, 9.0]  # while the run has samples
    assert next(press.lines).y == pytest.approx([12.0, np.nan, 11.0], nan_ok=True)
    assert press.linked == oven.linked == next(drawn("voltage", path).panels).linked


def test_a_long_run_is_drawn_with_its_maximum(folder: Path) -> None:
    Ewe_V = np.full(50_000, 0.1)
    Ewe_V[31_415] = 2.0
    path = runs.written(folder / "long.h5", [runs.strip(1e-3, Ewe_V.tolist())])
    for kind in ("run", "charge"):
        for panel in (panel for panel in drawn(kind, path).panels if panel.y.label == "Ewe / V"):
            line = next(panel.lines)
            assert len(line.x) <= 4_000
            assert line.y.max() == 2.0


def test_without_a_known_area_nothing_is_areal(folder: Path) -> None:
    more = runs.spectra((1.0, 0.0, made.f_Hz, made.arcs(100.0, 0.05), True))
    path = runs.written(
        folder / "no-area.h5", [runs.strip(1e-3, [0.1] * 4)], more=more, sample={"name": "cell"}
    )
    figure = drawn("run", path)
    _, current, _, nyquist = figure.panels
    assert "area unknown" in figure.title
    assert next(current.lines).y == pytest.approx([1.0] * 4)
    assert next(nyquist.lines).x == pytest.approx(made.arcs(100.0, 0.05).real)
    for kind in ("voltage", "charge", "nyquist", "bode", "drt", "drt-map"):
        for panel in drawn(kind, path).panels:
            assert "cm" not in panel.x.label + panel.y.label
    assert "area" in KINDS["staircase"].lacks(open_run(path))
    assert "area" in KINDS["capacity"].lacks(open_run(path))


# --- spectra ---------------------------------------------------------------------------------------------


def test_nyquist_points_are_those_of_the_impedance(scan: Path) -> None:
    panel = next(drawn("nyquist", scan, spectra=((1, 1), (5, 5), (22, 22))).panels)
    assert panel.equal and panel.x.low == 0 and panel.y.low is not None and panel.y.low <= 0
    for line, number in zip(panel.lines, (1, 5, 22), strict=True):
        _, z = spectrum(scan, number)
        assert line.x + 1j * line.y == pytest.approx(z.conj())
    assert [line.name.split(",")[0] for line in panel.lines] == ["1 s", "0.4 mA cm⁻²", "12.3 min"]


def test_an_inductive_tail_makes_no_empty_half(folder: Path) -> None:
    z = made.arcs(100.0, 0.05) + 2j * np.pi * made.f_Hz * 1e-4
    more = runs.spectra((1.0, 0.0, made.f_Hz, z, True))
    path = runs.written(folder / "coil.h5", [runs.rest(60)], more=more)
    panel = next(drawn("nyquist", path).panels)
    [line] = panel.lines
    assert line.y.min() < -5 * line.y.max()  # it is all in the data
    assert panel.y.low == pytest.approx(-0.12 * line.y.max())


def test_of_a_scan_a_spectrum_of_each_level_is_shown(scan: Path) -> None:
    panel = next(drawn("nyquist", scan).panels)
    assert [line.place for line in panel.lines] == pytest.approx(made.LEVELS_mA_cm2)
    assert panel.scale is not None and panel.scale.label == "|j| / mA cm⁻²"
    assert len(list(next(drawn("nyquist", scan, curves=4).panels).lines)) == 4


def test_bode_is_size_and_phase(scan: Path) -> None:
    size, phase = drawn("bode", scan, spectra=((3, 3),)).panels
    f_Hz, z = spectrum(scan, 3)
    assert next(size.lines).x == pytest.approx(f_Hz)
    assert next(size.lines).y == pytest.approx(np.abs(z))
    assert next(phase.lines).y == pytest.approx(-np.degrees(np.arctan2(z.imag, z.real)))


def test_the_map_is_the_drt_of_each_spectrum(scan: Path) -> None:
    figure = drawn("drt-map", scan)
    during, after = heats(figure)
    time_s = stored(scan, "spectra/time")
    assert during.x == pytest.approx(time_s[:13] / 60)  # a scan of 14 min is told in min
    for k in (0, 6, 12):
        assert during.z[:, k] == pytest.approx(gamma(*spectrum(scan, k + 1)), abs=1e-6)
    last_s = stored(scan, "impedance/time")[stored(scan, "impedance/spectrum") == 13][-1]
    ends_s = [stored(scan, "impedance/time")[stored(scan, "impedance/spectrum") == n][-1] for n in (14, 22)]
    assert after.x[[0, -1]] * 60 == pytest.approx(np.array(ends_s) - last_s)
    assert after.z[:, -1] == pytest.approx(gamma(*spectrum(scan, 22)), abs=1e-6)
    assert (during.low, during.high) == (after.low, after.high)
    assert during.y[[0, -1]] == pytest.approx([10**-7.5, 10.0])


def test_nothing_is_drawn_where_nothing_was_measured(folder: Path) -> None:
    times_s = [1.0, 61.0, 121.0, 181.0, 1201.0, 1261.0]
    more = runs.spectra(*((s, 0.0, made.f_Hz, made.arcs(100.0, 0.05), True) for s in times_s))
    path = runs.written(folder / "pause.h5", [runs.rest(1300)], more=more)
    [heat] = heats(drawn("drt-map", path))
    assert (heat.x * 60).tolist() == pytest.approx([1, 61, 121, 181, 241, 1141, 1201, 1261])
    assert np.isnan(heat.z).all(axis=0).tolist() == [False] * 4 + [True] * 2 + [False] * 2


def test_the_overlay_tells_pristine_current_and_rest(scan: Path) -> None:
    panel = next(drawn("drt", scan).panels)
    shown = list(panel.lines)
    assert [line.name for line in shown] == ["pristine", "1.2 mA cm⁻²", "21 s at rest", "8.3 min at rest"]
    for line, number in zip(shown, (1, 13, 14, 22), strict=True):
        assert line.y == pytest.approx(gamma(*spectrum(scan, number)), abs=1e-6)
    assert shown[0].dash == "dashed"
    [beyond] = marks(panel)
    assert beyond.x == pytest.approx(1 / (2 * np.pi * made.f_Hz.min()))


def test_peaks_are_where_the_arcs_were_put(scan: Path) -> None:
    during, at_rest, sizes, sizes_at_rest = drawn("peaks", scan).panels
    assert list(lines(during))[:2] == ["γ GB", "γ int"]
    assert lines(during)["γ GB"].y == pytest.approx(np.full(13, 1e-6), rel=0.1)
    assert lines(during)["γ int"].y == pytest.approx(np.full(13, 0.05), rel=0.15)
    assert lines(sizes)["γ GB"].y == pytest.approx(np.full(13, 200 * cm2), rel=0.1)
    tau_s = 10.0 ** np.linspace(-7.5, 1.0, 86)
    for k in (0, 5, 12):  # that of the interface is extrapolated: as large as the distribution says
        area = gamma(*spectrum(scan, k + 1))[tau_s > 3e-3].sum() * np.log(10) / 10
        assert lines(sizes)["γ int"].y[k] == pytest.approx(area, rel=0.02)
    assert len(lines(sizes_at_rest)["γ int"].x) == 9
    assert (during.y, sizes.y) == (at_rest.y, sizes_at_rest.y)


def test_alloys_are_compared_by_their_first_spectra(folder: Path, scan: Path) -> None:
    other = made.scan(folder / "other-alloy.h5", "NaK65")
    shown = list(next(drawn("drt", scan, other).panels).lines)
    assert [line.name for line in shown] == ["NaK50", "NaK65"]
    assert shown[1].y == pytest.approx(gamma(*spectrum(other, 1)), abs=1e-6)
    assert len(heats(drawn("drt-map", scan, other))) == 4


def test_the_staircase_is_the_last_sample_of_each_level(scan: Path) -> None:
    potential, below = drawn("staircase", scan).panels
    I_A, Ewe_V = stored(scan, "samples/I"), stored(scan, "samples/Ewe")
    last = np.flatnonzero(np.diff(I_A) != 0)[1:]  # the first change ends the rest
    line = next(potential.lines)
    assert line.x == pytest.approx(I_A[last] / cm2 * 1e3)
    assert line.y == pytest.approx(Ewe_V[last])
    [threshold] = marks(potential)
    assert made.LEVELS_mA_cm2[made.THRESHOLD - 2] <= threshold.x <= made.LEVELS_mA_cm2[made.THRESHOLD + 1]
    [heat] = [each for each in below.drawn if isinstance(each, Heat)]
    assert heat.x == pytest.approx(made.LEVELS_mA_cm2)
    assert heat.z[:, 7] == pytest.approx(gamma(*spectrum(scan, 9)), abs=1e-6)


def test_beside_a_run_of_unknown_area_all_are_in_ohm(folder: Path, scan: Path) -> None:
    more = runs.spectra((1.0, 0.0, made.f_Hz, made.arcs(100.0, 0.05), True))
    path = runs.written(folder / "beside.h5", [runs.rest(60)], more=more, sample={"name": "unknown"})
    panel = next(drawn("drt", scan, path).panels)
    assert panel.y.label == "γ / Ω"
    f_Hz, z = spectrum(scan, 1)
    assert lines(panel)["NaK50"].y == pytest.approx(gamma(f_Hz, z / cm2), abs=1e-6)
    assert next(drawn("nyquist", scan, path).panels).x.label == "Re Z / Ω"


# --- pulses ----------------------------------------------------------------------------------------------


def test_pulses_are_cut_out_and_their_rests_averaged(train: Path) -> None:
    left, right = drawn("pulse", train).panels
    time_s, Ewe_V, count = (stored(train, f"samples/{name}") for name in ("time", "Ewe", "step_count"))
    moved = np.cumsum([1.0] * made.PULSES + [0.2])
    first = int(np.searchsorted(moved, moved[-1] / 2))  # the pulse in which half of the charge is reached
    pulse = 2 + 2 * first  # its step
    rows = np.flatnonzero((count >= pulse) & (count <= pulse + 3))
    rows = np.concatenate([[rows[0] - 1], rows])
    line = next(left.lines)
    assert line.x == pytest.approx(time_s[rows] - time_s[rows[0]], abs=1e-9)
    assert line.y == pytest.approx(Ewe_V[rows])
    mean = next(right.lines)
    late = int(np.argmin(np.abs(mean.x - 1.0)))
    assert mean.y[late] == pytest.approx(0.05 * np.exp(-5.0) + 0.01, rel=1e-3)


def test_cycles_choose_the_pulses(train: Path) -> None:
    left, _ = drawn("pulse", train, from_s=5.0, to_s=8.5).panels
    line = next(left.lines)
    assert line.x[-1] == pytest.approx(6.0)  # two pulses, with the rest after the second


def test_capacity_is_the_charge_until_the_cutoff(folder: Path, train: Path) -> None:
    other = made.train(folder / "short-rest.h5", 0.5)
    unmet = made.train(folder / "unmet.h5", 8.0, met=False)
    panel = next(drawn("capacity", train, other, unmet).panels)
    whole, partly = panel.lines
    charge = stored(train, "samples/Q")[-1] / cm2 * 1e3
    assert whole.x.tolist() == [0.5, 2.0]
    assert whole.y == pytest.approx([charge, charge])
    assert (partly.x.tolist(), partly.style) == ([8.0], "points")
    assert "at least" in partly.name


# --- beyond the paper --------------------------------------------------------------------------------------


def test_cycles_are_counted_both_ways(cycled: Path, folder: Path) -> None:
    charge, efficiency = drawn("cycling", cycled).panels
    moved_mAh_cm2 = 1e-3 * np.array([120, 115, 110, 105]) / 3600 / cm2 * 1e3
    assert lines(charge)["stripped"].x.tolist() == [1, 2, 3, 4]
    assert lines(charge)["stripped"].y == pytest.approx(moved_mAh_cm2)
    assert lines(charge)["plated"].y == pytest.approx(moved_mAh_cm2)
    assert lines(efficiency)["coulombic"].y == pytest.approx([100.0] * 4)
    few = drawn("cycling", cycled, cycles=((2, 3),))
    assert lines(next(few.panels))["plated"].x.tolist() == [2, 3]
    sample = {"name": "battery", "area_cm2": cm2, "working_is": "positive"}
    battery = made.cycled(folder / "battery.h5", sample=sample)
    assert list(lines(next(drawn("cycling", battery).panels))) == ["charged", "discharged"]
    both = list(lines(next(drawn("cycling", cycled, battery).panels)))
    assert both == ["cell, plated", "battery, discharged"]


def test_dq_dv_is_the_charge_between_potentials(cycled: Path) -> None:
    panel = next(drawn("dqdv", cycled, cycles=((1, 1),)).panels)
    up, down = panel.lines
    x = np.linspace(-1, 1, 120)
    E_V, Q = 3.5 + 0.5 * x**3 + 0.02 * x, np.arange(1, 121) / 3600 / cm2
    for line, sign in ((up, 1), (down, -1)):
        middle = np.argmin(np.abs(line.x - 3.7))
        low, high = line.x[middle] - 0.05, line.x[middle] + 0.05
        inside = (line.x > low) & (line.x < high)
        slope = np.diff(np.interp([low, high], E_V, Q))[0] / 0.1
        assert line.y[inside].mean() == pytest.approx(sign * slope, rel=0.05)
    assert up.name == down.name == "cycle 1"


def test_a_voltammogram_is_current_against_potential(scanned: Path) -> None:
    panel = next(drawn("cv", scanned).panels)
    found = lines(panel)
    first = stored(scanned, "samples/cycle") == 1
    assert found["cycle 1"].x == pytest.approx(stored(scanned, "samples/Ewe")[first])
    assert found["cycle 1"].y == pytest.approx(stored(scanned, "samples/I")[first] / cm2 * 1e3)
    assert found["peaks"].x == pytest.approx([0.6, 0.4, 0.6, 0.4], abs=0.011)
    assert np.abs(found["peaks"].y) == pytest.approx([1.1 / cm2] * 4, rel=1e-3)


def test_a_titration_shows_its_potentials_at_rest(train: Path) -> None:
    time, rest, fast = drawn("gitt", train).panels
    E_V = stored(train, "samples/Ewe")
    ends = np.flatnonzero(np.diff(stored(train, "samples/I")) > 0)
    ends = ends[E_V[ends] < 0.1]  # the last rows of the rests before pulses
    found = lines(time)["end of rest"]
    count = len(found.x)
    assert found.y == pytest.approx(E_V[ends][:count])
    charge = stored(train, "samples/Q")[ends][:count] / cm2 * 1e3
    assert next(rest.lines).x == pytest.approx(charge, abs=1e-12)
    assert next(rest.lines).y == pytest.approx(found.y)
    assert "D/L²" in fast.y.label


def test_the_activation_energy_is_told(warmed: Path) -> None:
    panel = next(drawn("arrhenius", warmed).panels)
    points, fit = panel.lines
    T_K = np.array([298.15, 323.15, 348.15])
    assert points.x == pytest.approx(1e3 / T_K)
    assert points.y == pytest.approx(100 * cm2 * np.exp(0.3 / 8.617333262e-5 * (1 / T_K - 1 / T_K[0])))
    assert np.diff(np.log(fit.y)) / np.diff(fit.x) == pytest.approx(0.3 / 8.617333262e-5 / 1e3, rel=1e-3)
    assert panel.note.startswith("Ea = 28.9") and "0.300 eV" in panel.note


# --- what does not suit ------------------------------------------------------------------------------------


def test_a_run_says_what_it_lacks(bare: Path, train: Path) -> None:
    run = open_run(bare)
    suits = {name for name, kind in KINDS.items() if kind.suits(run)}
    assert suits == {"run", "voltage", "charge"}
    assert "none was measured" in KINDS["drt"].lacks(run)
    assert "of which it has 1" in KINDS["pulse"].lacks(run)
    for kind in ("cycling", "dqdv", "cv", "gitt", "arrhenius"):
        assert KINDS[kind].lacks(run)
    assert "1 level of current" in KINDS["staircase"].lacks(open_run(train))


def test_half_cycles_with_rests_are_no_titration_and_no_critical_capacity(tmp_path: Path) -> None:
    steps = [runs.rest(5)]
    for k in range(4):
        steps += [runs.strip(1e-3 * (-1) ** k, np.linspace(3, 4, 30).tolist()), runs.rest(10)]
    with open_run(runs.written(tmp_path / "run.h5", steps)) as run:
        assert "one direction" in KINDS["gitt"].lacks(run)
        assert "plates as well" in KINDS["capacity"].lacks(run)
        assert len(list(KINDS["pulse"].make([run]).panels)) == 2


def test_pulses_without_a_rest_of_some_rows_have_no_relaxation(tmp_path: Path) -> None:
    steps = [each for _ in range(3) for each in (runs.strip(1e-3, [0.1] * 30), runs.rest(1))]
    with open_run(runs.written(tmp_path / "run.h5", steps)) as run:
        assert [panel.title for panel in KINDS["pulse"].make([run]).panels] == ["pulses and rests"]


def test_noise_has_no_peaks_and_a_sentence(tmp_path: Path) -> None:
    z = 10 * np.random.default_rng(1).standard_normal((2, 24)).view(np.complex128)[:, :12]
    f_Hz = np.geomspace(1e5, 1, 12)
    more = runs.spectra(*((60.0 * k, 0.0, f_Hz, each, True) for k, each in enumerate(z)))
    path = runs.written(tmp_path / "run.h5", [runs.rest(100)], more=more)
    upper, _ = drawn("peaks", path).panels
    assert upper.note == "no peak stands out in 2 spectra"
    assert upper.x.high == pytest.approx(71.0)  # the end of the last spectrum
    for kind in ("drt", "drt-map"):
        assert list(drawn(kind, path).panels)[-1].note == "no distribution describes 2 of 2 spectra"


def test_spectra_far_from_zero_fill_their_axes(tmp_path: Path) -> None:
    for R_ohm, begins in ((50.0, 0.0), (500.0, 500.0)):
        z = R_ohm + 100 / (1 + 2j * np.pi * made.f_Hz * 1e-4)
        more = runs.spectra((0.0, 0.0, made.f_Hz, z, True))
        path = runs.written(tmp_path / f"{R_ohm}.h5", [runs.rest(30)], more=more)
        panel = next(drawn("nyquist", path).panels)
        assert panel.x.low == pytest.approx(begins * cm2, rel=0.02)


def test_of_many_cells_the_title_tells_how_many(tmp_path: Path) -> None:
    paths = [
        runs.written(tmp_path / f"{k}.h5", [runs.rest(3)], sample={"name": f"c{k}", "area_cm2": cm2})
        for k in range(9)
    ]
    assert drawn("voltage", *paths).title == "by hand: 9 cells"
    above, *_, below = drawn("run", *paths[:2]).panels
    assert [any(line.legend for line in panel.lines) for panel in (above, below)] == [True, False]
