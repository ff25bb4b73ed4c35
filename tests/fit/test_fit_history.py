"""What of a run drives the cell again, and what of it is compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import results_runs as made
from results_runs import Step

from nakctl.device.sensor import SensorSpec
from nakctl.fit import errors
from nakctl.fit.history import History, history
from nakctl.fit.seen import best_circuit, first_spectrum
from nakctl.fit.thinned import MOST_EWE, MOST_POINTS, MOST_SPECTRA
from nakctl.record.read import open_run

F_Hz = np.geomspace(1e5, 1.0, 31)
Z_ohm = 20 + 80 / (1 + 2j * np.pi * F_Hz * 1e-3)


def read(*paths: Path) -> History:
    return history([open_run(path) for path in paths])


def run(path: Path, *steps: Step, start: str = "2026-03-01T09:00:00+00:00", **more: Any) -> Path:
    about = {"start_time": start, "simulated": False, "sample": {"name": "x", "area_cm2": 1.0}}
    return made.written(path, steps, **about | more)


def rest(count: int = 10) -> Step:
    return made.rest(count)


def test_a_real_cell_goes_on_from_run_to_run_and_a_simulated_one_begins_anew(tmp_path: Path) -> None:
    first = run(tmp_path / "a.h5", made.strip(1e-3, [0.1] * 10), rest())
    later = run(tmp_path / "b.h5", made.strip(2e-3, [0.2] * 10), start="2026-03-01T09:01:00+00:00")
    found = read(later, first)
    assert [part.path for part in found.parts] == ["a.h5", "b.h5"]
    assert found.course.fresh.tolist().count(True) == 1
    between = int(np.flatnonzero(found.run == 1)[0])
    assert found.course.dt_s[between] == pytest.approx(60 - 20, abs=1)
    assert found.course.I_A[between] == 0

    anew = [run(tmp_path / f"{name}.h5", made.strip(1e-3, [0.1] * 5), simulated=True) for name in "cd"]
    assert read(*anew).course.fresh.sum() == 2


def test_the_current_is_that_of_the_steps_and_none_while_the_cell_lay_open(tmp_path: Path) -> None:
    steps = (made.strip(1e-3, [0.1] * 10), made.strip(2e-3, [0.2] * 10))
    tables = made.tables_of(steps)
    for name, columns in (("samples", ["time"]), ("steps", ["t_start", "t_end"])):
        for column in columns:
            tables[name][column][-len(tables[name]) // 2 :] += 100.0  # the second step
    found = read(
        run(
            tmp_path / "a.h5",
            *steps,
            tables=tables,
            more={"chains": made.chains((0, 0, 0, 1, 0), (10.0, 100.0, 1, 2, 1e-3))},
        )
    )
    moved_C = float((found.course.dt_s * found.course.I_A).sum())
    assert moved_C == pytest.approx(9 * 1e-3 + 10 * 2e-3, rel=1e-6)  # the run begins with its first row
    assert found.course.dt_s[found.course.I_A == 0].sum() == pytest.approx(100.0)


def test_where_a_potential_was_held_only_the_end_is_compared(tmp_path: Path) -> None:
    held = Step("CA", 1e-3, [0.5] * 50, control=0.5)
    found = read(run(tmp_path / "a.h5", rest(), held))
    assert found.parts[0].Ewe == 1
    assert found.course.dt_s[found.course.I_A > 0].sum() == pytest.approx(50.0)


def test_nothing_after_a_short_is_used(tmp_path: Path) -> None:
    fell = [-0.3] * 400 + [-0.001] * 400
    found = read(run(tmp_path / "a.h5", Step("CP", -1e-3, fell)))
    assert found.parts[0].said == ("left out from 4 min 43 s on, as it shorted",)
    assert float(found.Ewe_V[np.isfinite(found.Ewe_V)].max()) == pytest.approx(-0.3)


def test_a_run_without_rows_and_what_follows_a_short_are_left_out_and_said(tmp_path: Path) -> None:
    """A simulated cell begins anew, whatever became of another."""
    shorted = open_run(run(tmp_path / "a.h5", Step("CP", -1e-3, [-0.3] * 5 + [-0.001] * 200)))
    after = open_run(run(tmp_path / "b.h5", rest(), start="2026-03-01T10:00:00+00:00"))
    found = history([after, shorted])
    assert [part.said for part in found.parts] == [
        ("left out, as it shorted",),
        ("left out: it goes on from the end of a.h5, which is left out",),
    ]
    assert len(found.course) == 0 and first_spectrum(found) is None
    for one in (shorted, after):
        one.header = replace(one.header, simulated=True)
    found = history([after, shorted])
    assert set(found.run) == {1} and found.course.fresh.sum() == 1


def test_a_run_without_a_thermometer_is_as_warm_as_the_others(tmp_path: Path) -> None:
    warm = tmp_path / "warm.h5"
    made.sensed(warm, "cell", [(0.0, 60.0, 0.0), (20.0, 60.0, 0.0)])
    about = {"sensors": [SensorSpec("cell", "serial", "COM3", "degC", "T", 1.0, 0.0, 20.0, 1.0).as_json()]}
    found = read(
        run(warm, rest(), **about), run(tmp_path / "b.h5", rest(), start="2026-03-01T10:00:00+00:00")
    )
    assert found.course.T_K.tolist() == pytest.approx([333.15] * len(found.course))
    assert found.parts[1].said == ("no thermometer: taken as at 60.0 degC, as the others on the average",)


@pytest.mark.parametrize(("per_decade", "noise", "counts"), [(1, 0.0, True), (2, 0.0, True), (5, 0.5, False)])
def test_few_frequencies_are_no_noise(tmp_path: Path, per_decade: int, noise: float, counts: bool) -> None:
    f_Hz = np.geomspace(1e6, 0.1, 7 * per_decade + 1)
    random = np.random.default_rng(1)
    z_ohm = 10 + 500 / (1 + (2j * np.pi * f_Hz * 1e-5) ** 0.98) + 1e5 / (2j * np.pi * f_Hz)
    z_ohm = z_ohm * (1 + noise * (random.standard_normal(len(f_Hz)) + 1j * random.standard_normal(len(f_Hz))))
    found = read(run(tmp_path / "a.h5", rest(), more=made.spectra((0.0, 0.0, f_Hz, z_ohm, True))))
    z = errors.usual(found).z[np.isfinite(found.z_ohm)]
    assert bool(np.isfinite(z).all()) is counts
    assert (first_spectrum(found) is not None) is True


def test_a_spectrum_of_a_few_points_is_none_to_begin_with(tmp_path: Path) -> None:
    few = made.spectra((0.0, 0.0, F_Hz[::10], Z_ohm[::10], True), (5.0, 0.0, F_Hz, Z_ohm, True))
    assert first_spectrum(read(run(tmp_path / "a.h5", rest(), more=few))) == (0, 2)


def test_a_long_run_is_thinned_and_its_first_spectrum_is_whole(tmp_path: Path) -> None:
    sweeps = made.spectra(*((10.0 * k, 0.0, F_Hz, Z_ohm, True) for k in range(60)))
    found = read(run(tmp_path / "a.h5", made.strip(1e-3, [0.1] * 5000), rest(2000), more=sweeps))
    assert np.isfinite(found.Ewe_V).sum() < 200 < MOST_EWE
    spectra = np.unique(found.spectrum[found.spectrum > 0])
    assert len(spectra) <= MOST_SPECTRA
    assert np.isfinite(found.z_ohm).sum() <= MOST_POINTS + len(F_Hz)
    assert np.count_nonzero(found.spectrum == 1) == len(F_Hz)
    assert found.course.dt_s.sum() == pytest.approx(7000, abs=2)
    assert first_spectrum(found) == (0, 1)


@pytest.mark.parametrize("arcs", [0, 1, 2])
def test_a_circuit_has_no_arc_too_many(arcs: int) -> None:
    f_Hz = np.geomspace(1e6, 0.1, 61)
    z_ohm = np.full(len(f_Hz), 10.0 + 0j)
    for R, tau in ((50.0, 1e-5), (120.0, 5e-2))[:arcs]:
        z_ohm = z_ohm + R / (1 + (2j * np.pi * f_Hz * tau) ** 0.9)
    random = np.random.default_rng(arcs)
    z_ohm = z_ohm * (1 + 3e-3 * (random.standard_normal(len(f_Hz)) + 1j * random.standard_normal(len(f_Hz))))
    assert best_circuit(f_Hz, z_ohm).circuit.count("CPE") == arcs
