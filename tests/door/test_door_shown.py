"""As pandas and xarray have it, as a screen and a notebook show it, and while the run goes on."""

from __future__ import annotations

import sys
from pathlib import Path

import door_runs
import h5py
import numpy as np
import pytest
import record_rows as rows
import results_runs as runs
from record_live import LiveFile

import nakctl
from nakctl.errors import InputError
from nakctl.record.seal import seal

pandas = pytest.importorskip("pandas")
xarray = pytest.importorskip("xarray")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return door_runs.everything(tmp_path_factory.mktemp("door") / "run.h5")


@pytest.fixture(scope="module")
def run(path: Path) -> nakctl.Run:
    return nakctl.open(path)


# --- pandas and xarray ---------------------------------------------------------------------------------


def test_a_frame_of_the_samples(run: nakctl.Run, path: Path) -> None:
    frame = run.df
    assert list(frame.columns[:4]) == ["time / s", "Ewe / V", "I / A", "Q / A*h"]
    with h5py.File(path) as file:
        for name, column in zip(run.samples.names, frame.columns, strict=True):
            np.testing.assert_array_equal(frame[column], file["entry/samples"][name], err_msg=name)
    assert run.steps.df["label"].tolist() == run.steps.label.tolist()
    assert run.cycles[2].strip.df["Ewe / V"].tolist() == pytest.approx([0.2, 0.3])
    assert run.merged().df["pressure / MPa"].notna().sum() > 0


def test_a_dataset_of_everything(run: nakctl.Run, path: Path) -> None:
    data = run.xr
    with h5py.File(path) as file:
        entry = file["entry"]
        np.testing.assert_array_equal(data.Ewe.sel(time=4.0), entry["samples/Ewe"][3])
        np.testing.assert_array_equal(data.Z_re.sel(spectrum=2), entry["impedance/Z_re"][31:62])
        np.testing.assert_array_equal(data.frequency.sel(spectrum=3)[:7], entry["impedance/frequency"][62:])
        np.testing.assert_array_equal(data.pressure, entry["aux/pressure/value"])
        np.testing.assert_array_equal(data.time_sensor_I, entry["aux/I/time"])
    assert np.isnan(data.Z_re.sel(spectrum=3)[7:]).all()
    assert data.sizes == {"time": 20, "spectrum": 3, "point": 31, "time_pressure": 7, "time_sensor_I": 2}
    assert (data.Ewe.attrs["units"], data.pressure.attrs["units"], data.frequency.attrs["units"]) == (
        "V",
        "MPa",
        "Hz",
    )
    assert data.attrs["area_cm2"] == runs.AREA_cm2


def test_a_dataset_can_be_kept(run: nakctl.Run, tmp_path: Path) -> None:
    run.xr.to_netcdf(tmp_path / "run.nc", engine="h5netcdf")
    with xarray.open_dataset(tmp_path / "run.nc", engine="h5netcdf") as kept:
        xarray.testing.assert_equal(kept, run.xr)


@pytest.mark.parametrize("part", ["samples", "steps", "spectra", "events", "ends", "impedance"])
def test_every_table_is_a_dataset(part: str, run: nakctl.Run) -> None:
    table = getattr(run, part)
    data = table.xr
    assert list(data.coords) == [table.names[0]]
    assert set(data.variables) == set(table.names)


def test_a_run_of_nothing(tmp_path: Path) -> None:
    """Neither spectra nor sensors, and hardly a row."""
    run = nakctl.open(runs.written(tmp_path / "run.h5", [runs.rest(1)]))
    assert run.xr.sizes == {"time": 1, "spectrum": 0, "point": 0}
    assert (len(run.drt()), len(run.spectra[:]), run.merged().names) == (0, 0, run.samples.names)
    with pytest.raises(LookupError, match="no spectrum 1; there are: none"):
        run.spectra[1]


@pytest.mark.parametrize(("missing", "what"), [("pandas", "df"), ("xarray", "xr")])
def test_what_is_not_installed_is_named(
    missing: str, what: str, run: nakctl.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    for of in (run, run.steps):
        with pytest.raises(
            InputError, match=rf'needs {missing}, .*: pip install "nakctl\[exports\]"'
        ) as said:
            getattr(of, what)
        assert isinstance(said.value, ImportError)


# --- on the screen -------------------------------------------------------------------------------------


def test_what_is_shown_says_something(run: nakctl.Run, path: Path) -> None:
    assert repr(run).splitlines()[1:] == [
        "completed: all steps done; 22 s, began 2026-03-01T09:30:00+01:00",
        f"cell {door_runs.HOSTILE}, 0.5 cm2",
        "20 samples, 3 spectra, 6 steps; sensors: pressure, I",
        f"file {path}",
    ]
    assert repr(run.samples).startswith("samples: 20 rows of time / s, Ewe / V, I / A, Q / A*h, step_count")
    assert repr(run.steps[2]) == "step 2, 2.1 step (CP): 4 samples, 1 spectrum, 4 s to 8 s"
    assert repr(run.cycles[2].plate) == "cycle 2, plating: 3 samples, 13 s to 15 s"
    assert repr(run.cycles) == "3 cycles, 1 to 3"
    for one in (run.header, run.spectra[2].drt(), run.spectra[2].validity, run.drt()):
        assert len(repr(one)) < 1000 and "array([[" not in repr(one)
    assert repr(run[100.0:200.0]) == "100 s to 200 s: 0 samples"
    assert repr(run.spectra[3]).startswith(
        "Spectrum(number=3, step_count=6, cycle=3, time_s=16.0, complete=False"
    )


def test_what_a_file_says_is_text_in_a_notebook(run: nakctl.Run) -> None:
    for shown in (run._repr_html_(), run.events._repr_html_()):
        assert "<script" not in shown
        assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; &quot;q&quot;" in shown
    assert run.samples._repr_html_().count("<tr>") == 1 + 10
    assert run.samples[:3]._repr_html_().count("<tr>") == 1 + 3


def test_names_are_offered(run: nakctl.Run) -> None:
    assert {"samples", "spectra", "steps", "cycles", "df", "xr", "between", "at", "drt", "merged"} <= set(
        dir(run)
    )
    assert {"Ewe", "df"} <= set(dir(run.samples))
    assert "label" in dir(run.steps)
    assert "time" in run.spectra._ipython_key_completions_()


def test_a_file_that_is_gone_has_a_name_still(tmp_path: Path) -> None:
    run = nakctl.open(runs.written(tmp_path / "run.h5", [runs.rest(2)]))
    run.path.unlink()
    assert repr(run.samples).startswith("samples: 2 rows of time, Ewe")
    assert str(run.path) in repr(run)


# --- while it goes on ----------------------------------------------------------------------------------


def test_a_run_that_goes_on(tmp_path: Path) -> None:
    """A step is in the table a while after it is over; in its cycle it is from its first sample on."""
    live = LiveFile(tmp_path / "run.h5")
    live.append(0, 60)
    live.append(60, 60)
    run = nakctl.open(tmp_path / "run.h5")
    shown = [
        (len(run.samples), len(run.steps), [len(cycle) for cycle in run.cycles], len(run.cycles[2].strip))
    ]
    assert run.cycles[3].samples.time.tolist() == run.samples.time[100:].tolist()
    live.append(120, 60)
    run.refresh()
    shown.append(
        (len(run.samples), len(run.steps), [len(cycle) for cycle in run.cycles], len(run.cycles[2].strip))
    )
    live.close()
    assert shown == [(120, 1, [50, 50, 20], 0), (180, 2, [50, 50, 50, 30], 50)]
    assert run.header.status == "running"


def test_a_run_that_was_killed(tmp_path: Path) -> None:
    """What it leaves: a live file that nobody closed, and its journal."""
    live = LiveFile(tmp_path / "live.h5")
    live.append(0, 60)
    live.append(60, 60)
    for name in ("live.h5", "live.h5.journal", "live.h5.journal-wal"):
        if (tmp_path / name).exists():
            (tmp_path / name.replace("live", "run")).write_bytes((tmp_path / name).read_bytes())
    live.close()
    run = nakctl.open(tmp_path / "run.h5")
    np.testing.assert_array_equal(run.steps[1].samples.Ewe, rows.samples(0, 50)["Ewe"])
    assert run.at(2.6, "I") == pytest.approx(np.interp(2.6, run.samples.time, run.samples.I))
    assert seal(tmp_path / "run.h5").sealed
    run.refresh()
    assert run.header.sealed
    assert (len(run.samples), len(run.steps)) == (120, 3)


def test_closing_forgets_what_was_read(path: Path) -> None:
    with nakctl.open(path) as run:
        first = run.spectra["time"], run.samples.Ewe, run.steps.signs
        assert run.spectra["time"] is first[0]
    assert run.spectra["time"] is not first[0]
    assert run.steps.signs is not first[2]
