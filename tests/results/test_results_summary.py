"""The key figures of small runs, against numbers worked out by hand. Area 0.5 cm2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import results_runs as runs

from nakctl.booking import layout
from nakctl.booking.event import Event
from nakctl.device.sensor import SensorSpec
from nakctl.record.read import open_run
from nakctl.results.areal import UnknownArea
from nakctl.results.capacity import (
    critical_capacity_mAh_cm2,
    on_time_charge_mAh_cm2,
    rises,
    seconds_to_cutoff,
)
from nakctl.results.current import current_steps
from nakctl.results.inventory import sodium_mAh_cm2
from nakctl.results.relaxation import mean_relaxation
from nakctl.results.spectra import Spectra
from nakctl.results.summary import summary, told
from nakctl.results.threshold import levels

E_ABOVE = runs.ends(
    ("goal", "Ewe", "above", 1.0), ("limit", "Ewe", "above", 3.0), ("cutoff", "Ewe", "below", -1.0)
)


def figures(path: Path) -> dict[str, Any]:
    return summary(open_run(path))


def test_charge_is_counted_in_each_direction_on_its_own(tmp_path: Path) -> None:
    # 1 mA for 30 min strips 0.5 mAh, 2 mA for 6 min plates 0.2 mAh, 1 mA for 6 min strips 0.1 mAh
    steps = [
        runs.rest(5),
        runs.strip(1e-3, [0.10] * 30, 60.0),
        runs.rest(5),
        runs.strip(-2e-3, [-0.25] * 6, 60.0),
        runs.rest(5),
        runs.strip(1e-3, [0.10] * 6, 60.0),
    ]
    found = figures(runs.written(tmp_path / "run.h5", steps))
    assert found["stripped_mAh_cm2"] == pytest.approx(1.2)
    assert found["plated_mAh_cm2"] == pytest.approx(0.4)
    assert found["charge_mAh_cm2"] == pytest.approx(0.8)
    assert (found["Ewe_min_V"], found["Ewe_max_V"]) == (pytest.approx(-0.25), pytest.approx(0.10))
    assert (found["samples"], found["steps"], found["spectra"], found["gaps"]) == (57, 6, 0, 0)
    assert found["duration_s"] == 42 * 60 + 15
    assert (found["end_kind"], found["end_id"]) == ("steps done", 0)
    assert "critical_capacity_mAh_cm2" not in found
    assert "stripped 1.2, plated 0.4 mAh/cm2; Ewe -0.25 to 0.1 V" in told(found)
    assert "samples: 57, spectra: 0, steps: 6" in told(found)


def test_gaps_and_spectra_that_broke_off_are_counted_and_told(tmp_path: Path) -> None:
    f_Hz = np.array([1e3, 1e2, 1e1])
    z_ohm = np.array([1 - 1j, 2 - 2j, 3 - 1j])
    events = [
        Event(1.0, 1, layout.GAP_CODE, 1, "lost"),
        Event(2.0, 0, "note", 1, "x"),
        Event(3.0, 1, layout.GAP_CODE, 1, "lost"),
    ]
    whole, broken = (1.0, 0.0, f_Hz, z_ohm, True), (5.0, 0.0, f_Hz[:2], z_ohm[:2], False)
    spectra = runs.spectra(whole, whole, broken)
    found = figures(runs.written(tmp_path / "run.h5", [runs.rest(9)], more=spectra, events=events))
    assert (found["gaps"], found["spectra"], found["incomplete_spectra"]) == (2, 3, 1)
    assert "samples: 9, spectra: 3, steps: 1, 2 known gaps in the record" in told(found)


@pytest.mark.parametrize(
    ("at_s", "says"),
    [
        ((), ""),
        ((7.0,), "taken over once from a program that had died, at 7 s: see its events"),
        (
            (7.0, 90.0),
            "taken over 2 times from a program that had died, the first time at 7 s: see its events",
        ),
    ],
)
def test_who_went_on_with_it_is_told(at_s: tuple[float, ...], says: str, tmp_path: Path) -> None:
    events = [Event(each, 1, "taken_over", 1, "x") for each in at_s]
    found = figures(runs.written(tmp_path / "run.h5", [runs.rest(9)], events=events))
    assert found.get("taken_over", 0) == len(at_s)
    assert [line for line in told(found) if "taken over" in line] == ([says] if says else [])


def test_a_reading_that_is_no_number_spoils_nothing(tmp_path: Path) -> None:
    found = figures(runs.written(tmp_path / "run.h5", [runs.strip(1e-3, [0.1, np.nan, 0.3, -0.2])]))
    assert (found["Ewe_min_V"], found["Ewe_max_V"]) == (pytest.approx(-0.2), pytest.approx(0.3))


@pytest.mark.parametrize(
    ("I_A", "end_kind", "end_id", "expected_mAh_cm2"),
    [
        (1e-3, "goal", 1, 1.0),
        (1e-3, "cutoff", 1, 1.0),
        (1e-3, "limit", 2, None),  # a matter of safety is no result
        (1e-3, "cutoff", 3, None),  # the other side
        (1e-3, "steps done", 0, None),
        (-1e-3, "goal", 1, None),  # while plating it is no stripping capacity
    ],
)
def test_the_critical_capacity_is_that_at_the_cutoff_of_stripping(
    tmp_path: Path, I_A: float, end_kind: str, end_id: int, expected_mAh_cm2: float | None
) -> None:
    steps = [runs.strip(1e-3, [0.1] * 10, 90.0), runs.rest(3), runs.strip(I_A, [0.9] * 10, 90.0)]
    path = runs.written(
        tmp_path / "run.h5", steps, more={"ends": E_ABOVE}, end_kind=end_kind, end_id=end_id, end_value=1.02
    )
    run = open_run(path)
    found = summary(run)
    assert found.get("critical_capacity_mAh_cm2") == (expected_mAh_cm2 and pytest.approx(expected_mAh_cm2))
    assert critical_capacity_mAh_cm2(run) == (expected_mAh_cm2 and pytest.approx(expected_mAh_cm2))
    assert run.header.end.value == found["end_value"] == 1.02
    assert any("critical stripping capacity: 1 mAh/cm2" in line for line in told(found)) == bool(
        expected_mAh_cm2
    )


def test_the_charge_while_current_flowed_and_the_time_to_the_cutoff(tmp_path: Path) -> None:
    steps = [
        runs.rest(10),
        runs.strip(1e-3, [0.5] * 9, 100.0),
        runs.strip(-1e-3, [-0.5] * 9, 100.0),
        runs.rest(10),
        runs.strip(1e-3, [1.1] * 9, 100.0),
    ]
    path = runs.written(tmp_path / "run.h5", steps, more={"ends": E_ABOVE}, end_kind="goal", end_id=1)
    run = open_run(path)
    assert on_time_charge_mAh_cm2(run) == pytest.approx(
        1.0
    )  # 1 mA for 1800 s; what was plated is another matter
    assert seconds_to_cutoff(run) == pytest.approx(2710.0)  # with the rest between, without the one before
    other = runs.written(tmp_path / "other.h5", steps)
    assert seconds_to_cutoff(open_run(other)) is None


def test_the_rise_of_a_level_counts_from_a_minute_on(tmp_path: Path) -> None:
    half = [0.5] * 50 + [0.1] * 69 + [0.15]  # 1 s apart: 0.1 V after a minute, 0.15 V at the end
    steps = [runs.strip(5e-4, half), runs.strip(-5e-4, [-0.1] * 9), runs.strip(5e-4, [0.3] * 120)]
    found = rises(open_run(runs.written(tmp_path / "run.h5", steps)))
    assert found == {1.0: pytest.approx(0.5)}  # of the first step of the level


def test_an_unknown_area_is_no_area_of_1_cm2(tmp_path: Path) -> None:
    steps = [runs.strip(1e-3, [0.1] * 10, 90.0)]
    path = runs.written(
        tmp_path / "run.h5", steps, more={"ends": E_ABOVE}, end_kind="goal", end_id=1, sample={"name": "cell"}
    )
    run = open_run(path)
    found = summary(run)
    assert found["area_cm2"] is None
    assert [key for key in found if key.endswith("cm2")] == ["area_cm2"]
    assert found["Ewe_max_V"] == pytest.approx(0.1)
    currents = lambda run: Spectra(run).j_mA_cm2  # noqa: E731
    for areal in (on_time_charge_mAh_cm2, critical_capacity_mAh_cm2, rises, levels, currents):
        with pytest.raises(UnknownArea, match="does not say how large the electrode is"):
            areal(run)  # type: ignore[operator]
    with pytest.raises((UnknownArea, KeyError)):
        sodium_mAh_cm2(run)


# --- steps under current -------------------------------------------------------------------------------


def test_only_a_current_that_was_set_makes_a_current_step(tmp_path: Path) -> None:
    steps = [
        runs.rest(3),
        runs.Step("GEIS", 1e-9, [0.0] * 3, control=np.nan),  # impedance inside of a rest
        runs.Step("GEIS", 1e-9, [0.0] * 3, control=0.0),
        runs.Step("PEIS", 1e-6, [0.0] * 3, control=0.01),
        runs.strip(1e-3, [0.1] * 36),
        runs.Step("GEIS", -2e-3, [-0.1] * 18, end_kind="cutoff", end_reason="Ewe below -0.1 V"),
        runs.rest(3),
    ]
    run = open_run(runs.written(tmp_path / "run.h5", steps))
    found = current_steps(run)
    assert pytest.approx([1e-3, -2e-3]) == found.I_A
    assert found.charge_Ah == pytest.approx([1e-5, 1e-5])  # 1 mA for 36 s, 2 mA for 18 s
    assert found.whole.tolist() == [True, False]
    assert (found.first.tolist(), found.last.tolist(), found.place.tolist()) == ([12, 48], [47, 65], [4, 5])
    j, V = levels(run)
    assert (j.tolist(), V) == ([2.0, -4.0], pytest.approx([0.1, -0.1]))


def test_spectra_know_their_current_and_are_areal(tmp_path: Path) -> None:
    f_Hz, z_ohm = np.array([1e3, 1e2, 1e1]), np.array([10 - 1j, 20 - 5j, 30 - 2j])
    more = runs.spectra(
        (1.0, 0.0, f_Hz, z_ohm, True),
        (2.0, 5e-4, f_Hz, z_ohm, True),
        (3.0, 5e-4, f_Hz[:1], z_ohm[:1], False),
        (4.0, -1e-3, f_Hz, 2 * z_ohm, True),
        (9.0, 0.0, f_Hz, z_ohm, True),
    )
    found = Spectra(open_run(runs.written(tmp_path / "run.h5", [runs.rest(3)], more=more)))
    assert [one.number for one in found] == [1, 2, 4, 5]  # the complete ones
    assert found.j_mA_cm2.tolist() == [0.0, 1.0, -2.0, 0.0]
    assert found[2].z_ohm_cm2 == pytest.approx(2 * z_ohm * 0.5)
    assert found.at(-2.0).time_s == 4.0
    assert [one.number for one in found.between(-2.0, 0.5)] == [1, 4, 5]
    assert found.resting() == [3]
    with pytest.raises(LookupError, match="no spectrum at 3 mA/cm2"):
        found.at(3.0)


def test_the_relaxation_after_a_pulse_is_the_mean_of_all_counted_from_their_ends(tmp_path: Path) -> None:
    def resting(*Ewe_V: float) -> runs.Step:
        return runs.Step("OCV", 0.0, Ewe_V, control=np.nan)

    pulse = runs.strip(1e-3, [0.9] * 2)
    steps = [runs.rest(3), pulse, resting(0.3, 0.2, 0.1), pulse, resting(0.5, 0.4, 0.3)]
    run = open_run(runs.written(tmp_path / "run.h5", steps))
    time_s, Ewe_V = mean_relaxation(run, every_s=1.0)
    assert (time_s.tolist(), Ewe_V) == ([1.0, 2.0], pytest.approx([0.4, 0.3]))


def test_how_much_sodium_there_is(tmp_path: Path) -> None:
    """As many moles of Na as of K: 39.098 of 62.088 g are K. The volume is that of 1 mmol of both."""
    cell = {
        "NaK_volume": "0.07 cm3",
        "composition_wt_percent_K": 100 * 39.098 / 62.088,
        "parameters": {"v_Na": 25.0, "v_K": 45.0},
    }
    about = {"model": "SP-300", "facts": {"cell_parameters": cell}}
    run = open_run(runs.written(tmp_path / "run.h5", [runs.rest(3)], instrument=about))
    whole_mAh_cm2 = 1e-3 * 96485.33 / 3.6 / 0.5
    at_liquidus = (12 / 22.990) / (88 / 39.098)  # Na : K
    assert sodium_mAh_cm2(run) == pytest.approx((whole_mAh_cm2, whole_mAh_cm2 * (1 - at_liquidus)))


@pytest.mark.parametrize("wt_percent_K", [0.0, 100.0, float("nan")])
def test_one_metal_alone_has_no_liquid_range(wt_percent_K: float, tmp_path: Path) -> None:
    cell = {
        "NaK_volume": "0.07 cm3", "composition_wt_percent_K": wt_percent_K,
        "parameters": {"v_Na": 25.0, "v_K": 45.0},
    }  # fmt: skip
    about = {"model": "SP-300", "facts": {"cell_parameters": cell}}
    run = open_run(runs.written(tmp_path / "run.h5", [runs.rest(3)], instrument=about))
    with pytest.raises(ValueError, match="no alloy"):
        sodium_mAh_cm2(run)


# --- sensors -------------------------------------------------------------------------------------------


def test_what_the_sensors_showed(tmp_path: Path) -> None:
    spec = SensorSpec("press", "serial", "COM3", "MPa", "pressure", 1e6, 0.0, 1.0, 1.0)
    path = tmp_path / "run.h5"
    readings = [
        (0.0, 10.0, 0.01),
        (1.0, 12.0, 0.02),
        (1.5, np.nan, 0.0),
        (9.0, 11.0, 0.04),
        (10.0, 15.0, 0.01),
    ]
    runs.sensed(path, "press", readings)
    found = figures(runs.written(path, [runs.rest(12)], sensors=[spec.as_json()]))
    assert found["sensors"]["press"] == {
        "unit": "MPa", "readings": 4, "gaps": 1, "longest_silence_s": 8.0, "simulated": False,
        "min": 10.0, "mean": 12.0, "max": 15.0, "time_error_s": pytest.approx(0.04),
    }  # fmt: skip
    assert told(found)[-1] == (
        "press: 10 / 12 / 15 MPa (min / mean / max), 4 readings, time +- 0.04 s, 1 gaps, silent for 8 s at most"
    )


def test_a_sensor_that_said_nothing(tmp_path: Path) -> None:
    spec = SensorSpec("press", "serial", "COM3", "MPa", "pressure", 1e6, 0.0, 1.0, 1.0)
    found = figures(runs.written(tmp_path / "run.h5", [runs.rest(2)], sensors=[spec.as_json()]))
    assert told(found)[-1] == "press: no readings"


def test_a_run_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    runs.written(path, [runs.rest(0)])
    found = figures(path)
    assert found["samples"] == 0
    assert "Ewe_min_V" not in found
