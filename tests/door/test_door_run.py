"""What a user does in Python with a result file; every number is the one that h5py reads from it."""

from __future__ import annotations

from pathlib import Path

import door_runs
import h5py
import numpy as np
import pytest
import results_runs as runs

import nakctl
from nakctl.door.numbered import NoSuch
from nakctl.errors import InputError
from nakctl.results.areal import UnknownArea
from nakctl.results.drt import STEP, drt
from nakctl.results.spectra import Spectra
from nakctl.results.summary import figures


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return door_runs.everything(tmp_path_factory.mktemp("door") / "run.h5")


@pytest.fixture(scope="module")
def run(path: Path) -> nakctl.Run:
    return nakctl.open(path)


@pytest.fixture(scope="module")
def stored(path: Path) -> dict[str, np.ndarray]:
    """Every column as h5py reads it."""
    found: dict[str, np.ndarray] = {}

    def take(name: str, item: h5py.HLObject) -> None:
        if isinstance(item, h5py.Dataset) and item.ndim:
            found[name] = item[()]

    with h5py.File(path) as file:
        file["entry"].visititems(take)
    return found


# --- tables --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rows",
    [slice(3, 9), slice(None, None, 4), slice(-3, None), [0, 5, -1], np.arange(20) % 3 == 0, []],
    ids=str,
)
def test_rows_of_a_table_are_a_table(rows: slice, run: nakctl.Run, stored: dict[str, np.ndarray]) -> None:
    part = run.samples[rows]
    expected = stored["samples/Ewe"][rows]
    np.testing.assert_array_equal(part.Ewe, expected)
    assert len(part) == len(expected)
    assert part[:1].names == run.samples.names


def test_a_row_is_a_dict(run: nakctl.Run, stored: dict[str, np.ndarray]) -> None:
    row = run.samples[-1]
    assert list(row) == list(run.samples.names)
    assert row["Ewe"] == stored["samples/Ewe"][-1]
    assert run.events[0]["code"] == "note"
    for place in (20, -21):
        with pytest.raises(IndexError, match="samples has 20 rows"):
            run.samples[place]


def test_rows_that_are_not_there(run: nakctl.Run) -> None:
    for rows, said in (([20], "not rows of a table of 20"), ([True, False], "2 times true or false")):
        with pytest.raises(IndexError, match=said):
            run.samples[rows]


@pytest.mark.parametrize(
    "rows", [1.5, None, ..., [1.0], np.array([0.1, 0.2]), ["Ewe", "I"], [[0], [1]]], ids=str
)
def test_what_tells_no_rows(rows: object, run: nakctl.Run) -> None:
    """Numbers of a column, above all: they would be taken for places."""
    for table in (run.samples, run.spectra, run.steps):
        with pytest.raises(IndexError, match="rows are told by a place"):
            table[rows]


def test_whether_it_is_there(run: nakctl.Run) -> None:
    assert "Ewe" in run.samples and "ewe" not in run.samples
    for what in (run.spectra, run.steps, run.cycles):
        assert 3 in what and 9 not in what
    assert "complete" in run.spectra and "label" in run.steps


def test_what_is_said_of_a_column(run: nakctl.Run) -> None:
    assert run.samples.attributes("I")["sign"] == "I > 0 oxidises (strips) the working electrode"
    assert run.samples[2:4].attributes("Ewe")["eclab_name"] == "Ewe/V"
    assert run.samples.with_units("Q") == "Q / A*h"
    with pytest.raises(KeyError, match="no column Ewe_V"):
        run.samples.attributes("Ewe_V")


# --- parts of a run ------------------------------------------------------------------------------------


def test_a_step(run: nakctl.Run, stored: dict[str, np.ndarray]) -> None:
    step = run.steps[5]
    assert (step.number, step.cycle, step.technique, step.end_kind) == (5, 2, "CP", "duration")
    np.testing.assert_array_equal(step.samples.Ewe, stored["samples/Ewe"][stored["samples/step_count"] == 5])
    assert (step.t0_s, step.t1_s) == (stored["steps/t_start"][4], stored["steps/t_end"][4])
    assert [each.number for each in run.steps[2:4]] == [2, 3]
    assert [each.number for each in run.steps[-2:]] == [5, 6]
    assert [each.number for each in run.steps] == run.steps.step_count.tolist()
    assert [each.number for each in run.steps[2].spectra] == [1]
    assert len(run.steps) == 6


def test_a_cycle_and_what_its_steps_did(run: nakctl.Run, stored: dict[str, np.ndarray]) -> None:
    cycle = run.cycles[2]
    for part, sign in ((cycle.strip, 1), (cycle.plate, -1)):
        rows = (stored["samples/cycle"] == 2) & (np.sign(stored["samples/I"]) == sign)
        np.testing.assert_array_equal(part.samples.I, stored["samples/I"][rows])
    assert [len(part) for part in (cycle.rest, run.cycles[1].rest, run.cycles[3].rest)] == [0, 4, 5]
    assert [each.number for each in cycle.strip.spectra] == [2]
    assert [each.number for each in cycle.steps] == [4, 5]
    assert len(cycle) == 5
    assert [each.number for each in run.cycles] == run.cycles.numbers.tolist() == [1, 2, 3]
    assert run.cycles[-1].number == 3


def test_at_rest_is_what_is_not_under_current(tmp_path: Path) -> None:
    """A GEIS in a rest has no set current; a PEIS rests where hardly anything flows; a scan is none of them."""
    steps = [
        runs.Step("GEIS", 0.0, [0.0, 0.0], control=np.nan),
        runs.Step("GEIS", 1e-3, [0.1, 0.1]),
        runs.Step("PEIS", 1e-6, [0.0, 0.0], control=0.0),
        runs.Step("PEIS", 1e-3, [0.1, 0.1], control=0.1),
        runs.Step("CA", -1e-3, [0.1, 0.1], control=0.1),
        runs.Step("CV", 1e-3, [0.1, 0.1], control=0.1),
        runs.Step("CP", 0.0, [0.0, 0.0], control=0.0),
    ]
    path = runs.written(tmp_path / "run.h5", steps)
    np.testing.assert_array_equal(nakctl.open(path).steps.signs, [0, 1, 0, np.nan, -1, np.nan, 0])
    unknown = runs.written(tmp_path / "unknown.h5", steps, sample={"name": "cell"})
    np.testing.assert_array_equal(nakctl.open(unknown).steps.signs, [0, 1, np.nan, np.nan, -1, np.nan, 0])


def test_what_lies_between_two_times(run: nakctl.Run, stored: dict[str, np.ndarray]) -> None:
    time_s = stored["samples/time"]
    part = run[4.5:12.0]
    inside = (time_s >= 4.5) & (time_s < 12.0)
    np.testing.assert_array_equal(part.samples.time, time_s[inside])
    assert [each.number for each in part.spectra] == [1, 2]
    assert part.events.code.tolist() == ["note"]
    assert part.aux["pressure"].value[:1].tolist() == [16.0]
    assert len(run.between(4.5, 12.0)) == len(part)
    assert len(run[:]) == len(run.samples)
    with pytest.raises(NoSuch, match="the earlier time comes first"):
        run.between(5, 4)
    with pytest.raises(NoSuch, match="times are numbers, in s"):
        run["1 h":"2 h"]
    for aux in (run.aux, part.aux):
        with pytest.raises(KeyError, match="no sensor oven; there are: pressure, I"):
            aux["oven"]
    for wrong in (3, slice(0, 1, 2)):
        with pytest.raises(NoSuch, match="from and to in s"):
            run[wrong]


@pytest.mark.parametrize(
    ("what", "number", "said"),
    [("steps", 0, "no step 0; there are: 1 to 6"), ("steps", -7, "no step -7"), ("spectra", 4, "no spectrum 4; there are: 1 to 3"), ("cycles", 9, "no cycle 9; there are: 1 to 3"),
     ("cycles", 1.7, "1.7 is no number of a cycle"), ("cycles", "1", "'1' is no number"), ("steps", True, "no number of a step")],
)  # fmt: skip
def test_what_is_not_there(what: str, number: int, said: str, run: nakctl.Run) -> None:
    with pytest.raises(LookupError, match=said):
        getattr(run, what)[number]


# --- spectra -------------------------------------------------------------------------------------------


def test_a_spectrum(run: nakctl.Run, stored: dict[str, np.ndarray]) -> None:
    spectrum = run.spectra[2]
    rows = stored["impedance/spectrum"] == 2
    z_ohm = stored["impedance/Z_re"][rows] + 1j * stored["impedance/Z_im"][rows]
    np.testing.assert_array_equal(spectrum.z_ohm, z_ohm)
    np.testing.assert_array_equal(spectrum.z_ohm_cm2, z_ohm * runs.AREA_cm2)
    np.testing.assert_array_equal(spectrum.f_Hz, stored["impedance/frequency"][rows])
    assert spectrum.time_s == stored["spectra/time"][1]
    assert spectrum.j_mA_cm2 == pytest.approx(2e-3 / runs.AREA_cm2 * 1e3)
    assert np.isnan(spectrum.zce_ohm).all()
    np.testing.assert_array_equal(spectrum.z_ohm, run.spectrum(2)[1])


def test_spectra_are_also_a_table(run: nakctl.Run, stored: dict[str, np.ndarray]) -> None:
    np.testing.assert_array_equal(run.spectra["complete"], stored["spectra/complete"])
    np.testing.assert_array_equal(run.spectra.time, stored["spectra/time"])
    assert [each.complete for each in run.spectra] == [True, True, False]
    assert [each.number for each in run.spectra[2:]] == [2, 3]
    assert run.spectra[-1].number == 3


def test_results_take_it_as_they_take_any_run(run: nakctl.Run) -> None:
    complete = Spectra(run)
    assert [each.number for each in complete] == [1, 2]
    np.testing.assert_array_equal(complete[1].z_ohm_cm2, run.spectra[2].z_ohm_cm2)
    assert run.spectra[2].validity.verdict == complete[1].validity.verdict
    assert complete[1].j_mA_cm2 == pytest.approx(run.spectra[2].j_mA_cm2, abs=5e-4)
    assert figures(run)["spectra"] == 3


def test_relaxation_times(run: nakctl.Run) -> None:
    every = run.drt()
    one = drt(run.spectra[2].f_Hz, run.spectra[2].z_ohm_cm2)
    assert every.number.tolist() == [1, 2]
    assert every.gamma_ohm_cm2.shape == (2, len(every.tau_s))
    np.testing.assert_allclose(every.gamma_ohm_cm2[1], one.gamma_ohm_cm2, atol=1e-3 * one.gamma_ohm_cm2.max())
    assert every.tau_s[np.argmax(every.gamma_ohm_cm2[1])] == pytest.approx(200e-6, rel=0.15)
    np.testing.assert_array_equal(run.spectra[2].drt().gamma_ohm_cm2, one.gamma_ohm_cm2)
    for asked in (run.spectra[2:3], [2], 2, run.spectra[2]):
        assert run.drt(asked).number.tolist() == [2]
    with pytest.raises(NoSuch, match="no spectrum 9"):
        run.drt([9])
    assert run.spectra[2] != run.spectra[1] and len({*run.spectra[1:3]}) == 2
    assert run.drt([]).gamma_ohm_cm2.shape == (0, 0)


def test_nothing_areal_follows_from_an_unknown_area(tmp_path: Path) -> None:
    path = door_runs.everything(tmp_path / "run.h5", sample={"name": "cell"})
    spectrum = nakctl.open(path).spectra[1]
    assert spectrum.z_ohm[-1].real > 100
    for areal in ("z_ohm_cm2", "j_mA_cm2"):
        with pytest.raises(UnknownArea, match="does not say how large"):
            getattr(spectrum, areal)
    every = nakctl.open(path).drt()
    assert (every.unit, spectrum.drt().unit) == ("ohm", "ohm")
    assert every.gamma[0].sum() * STEP == pytest.approx(100, rel=0.05)
    with pytest.raises(UnknownArea, match="gamma is in ohm"):
        _ = every.gamma_ohm_cm2


# --- values at times -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("t_s", "value"),
    [
        (0.0, 10.0),
        (1.0, 11.0),  # between readings
        (6.0, 16.0),  # the last one before a gap, at its very time
        (6.5, np.nan),
        (7.0, np.nan),
        (9.0, np.nan),
        (12.0, 5.0),
        (13.0, 6.0),
        (-1.0, np.nan),
        (14.5, np.nan),
    ],
)  # fmt: skip
def test_a_sensor_at_a_time(t_s: float, value: float, run: nakctl.Run) -> None:
    np.testing.assert_equal(run.at(t_s, "pressure"), value)


def test_a_reading_that_is_far_away_tells_nothing(run: nakctl.Run) -> None:
    for t_s in (0.5, 1.5):  # that after it, that before it
        assert np.isnan(run.at(t_s, "pressure", within_s=1.0))
    assert run.at(1.0, "pressure", within_s=1.0) == 11.0


def test_a_column_at_a_time(run: nakctl.Run, stored: dict[str, np.ndarray]) -> None:
    Ewe_V = stored["samples/Ewe"]
    assert run.at(6.5, "Ewe") == pytest.approx((Ewe_V[5] + Ewe_V[6]) / 2)
    assert run.at(6.0, "Ewe") == Ewe_V[5]
    assert np.isnan(run.at(8.5, "Ewe"))  # between a strip and a plate
    np.testing.assert_array_equal(run.at([1.5, 5.5, 99], "cycle"), [1, 1, np.nan])
    np.testing.assert_array_equal(run.at(stored["samples/time"], "I"), stored["samples/I"])
    assert isinstance(run.at(6.5, "Ewe"), float)
    with pytest.raises(NoSuch, match="has no presure; it has time, Ewe"):
        run.at(1.0, "presure")


def test_nothing_is_known_where_rows_are_missing(tmp_path: Path) -> None:
    gap = [door_runs.Event(2.5, 1, "gap", 1, "one block of rows may be missing", {})]
    run = nakctl.open(runs.written(tmp_path / "run.h5", [runs.rest(6)], events=gap))
    np.testing.assert_array_equal(np.isnan(run.at([1.5, 2.2, 2.8, 3.5], "Ewe")), [False, True, True, False])


def test_sensors_beside_samples(run: nakctl.Run, stored: dict[str, np.ndarray]) -> None:
    both = run.merged()
    assert both.names == (*run.samples.names, "pressure", "sensor_I")
    np.testing.assert_array_equal(both.pressure, run.at(stored["samples/time"], "pressure"))
    np.testing.assert_array_equal(both.I, stored["samples/I"])
    np.testing.assert_array_equal(both["sensor_I"], np.ones(20))
    assert run.at(5.0, "sensor_I") == 1.0
    assert both.with_units("pressure") == "pressure / MPa"
    assert run.merged(["pressure"])[3:5].pressure.tolist() == both.pressure[3:5].tolist()
    with pytest.raises(NoSuch, match="has no sensor chamber; it has"):
        run.merged(["chamber"])


# --- several runs --------------------------------------------------------------------------------------


def test_runs_one_after_the_other_in_time(tmp_path: Path, run: nakctl.Run) -> None:
    """The one before it, with a time zone of its own and a third electrode."""
    earlier = runs.written(tmp_path / "a.h5", [runs.rest(3)], start_time="2026-03-01T08:29:00+00:00")
    both = nakctl.concat([run, earlier])
    assert [each.path.name for each in both.runs] == ["a.h5", "run.h5"]
    assert both.run.tolist() == [1] * 3 + [2] * 20
    np.testing.assert_array_equal(both.time, [1, 2, 3, *(60 + run.samples.time)])
    assert both["unix_time"][0] == 1772353741.0
    np.testing.assert_array_equal(both.Ewe[3:], run.samples.Ewe)
    assert both.with_units("Ewe") == "Ewe / V"


def test_runs_that_do_not_know_their_time_zone(tmp_path: Path, run: nakctl.Run) -> None:
    """In order, and never taken for times of this computer."""
    later, earlier = (
        runs.written(tmp_path / f"{hour}.h5", [runs.rest(3)], start_time=f"2026-03-01T0{hour}:00:00")
        for hour in (3, 2)
    )
    both = nakctl.concat([later, earlier])
    assert both.time.tolist() == [1, 2, 3, 3601, 3602, 3603] and "unix_time" not in both
    with pytest.raises(InputError, match=r"3.h5 does not say in which time zone it began, and .*run.h5 does"):
        nakctl.concat([later, run])


def test_runs_that_overlap(tmp_path: Path, run: nakctl.Run) -> None:
    other = runs.written(tmp_path / "a.h5", [runs.rest(3)])
    with pytest.raises(InputError, match="was over; if both are of virtual time, gap_s=0 puts one behind"):
        nakctl.concat([run, other])
    both = nakctl.concat([run.path, other], gap_s=10)
    np.testing.assert_array_equal(both.time[20:], run.header.duration_s + 10 + np.array([1, 2, 3]))
    assert "unix_time" not in both.names


def test_runs_of_unlike_columns(tmp_path: Path, run: nakctl.Run) -> None:
    import record_rows as rows

    three = rows.sealed(tmp_path / "three.h5", 1, three_electrode=True)
    both = nakctl.concat([run, three], gap_s=0)
    assert np.isnan(both.Ece[:20]).all()
    np.testing.assert_array_equal(both.Ece[20:], nakctl.open(three).samples.Ece)


def test_runs_that_cannot_be_joined(tmp_path: Path) -> None:
    undated = runs.written(tmp_path / "a.h5", [runs.rest(3)], start_time="")
    with pytest.raises(InputError, match="does not say when it began"):
        nakctl.concat([undated])
    assert len(nakctl.concat(undated, gap_s=0)) == len(nakctl.concat(str(undated), gap_s=0)) == 3
    with pytest.raises(InputError, match="no run to join"):
        nakctl.concat([])
