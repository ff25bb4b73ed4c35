"""Reading a run back, sealed or growing, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import record_rows as rows
from record_live import LiveFile

import nakctl
from nakctl.booking import layout
from nakctl.errors import InputError, RecordError
from nakctl.record import files
from nakctl.record.journal import Journal
from nakctl.record.read import open_run
from nakctl.record.seal import seal


def test_the_arrays_of_a_sealed_run(path: Path) -> None:
    with nakctl.open(str(path)) as run:
        expected = rows.booked([*rows.run_of(20), *rows.spectra(4), rows.over()])
        numbers = {
            name: getattr(run, name) for name in ("samples", "impedance", "spectra", "chains", "clock")
        }
        assert [len(table) for table in numbers.values()] == [220, 20, 4, 2, 2]
        for name, table in numbers.items():
            for column in table.names:
                np.testing.assert_array_equal(table[column], expected[name][column], err_msg=column)
        assert run.ends.text.tolist() == ["charge above 1 mAh", "Ewe above 3 V"]
        np.testing.assert_array_equal(run.samples.I[:200], rows.samples(0, 200)["I"])
        assert run.samples.I is run.samples["I"]
        assert run.steps.label.tolist() == ["strip 0.1 mA/cm²"] * 4 + ["spectra"]
        assert run.steps.step_count.tolist() == [1, 2, 3, 4, 5]
        assert run.spectra.spectrum.tolist() == [1, 2, 3, 4]
        assert run.events.code.tolist() == ["segment", "note", "note", "note", "segment"]
        assert run.clock.names == ("time", "unix_time")
        assert "Ewe" in dir(run.samples)


def test_the_header_of_a_sealed_run(path: Path) -> None:
    header = open_run(path).header
    assert header.title == "SIMULATED ccd on NaK50"
    assert (header.simulated, header.sealed, header.status) == (True, True, "completed")
    assert (header.end_reason, header.recovery) == ("as planned", "")
    assert (header.cell, header.area_cm2, header.duration_s) == ("NaK50", 0.5, 144.0)
    assert header.plan == {"steps": [{"step": 1}, {"step": 2}]}
    assert header.protocol == "nakctl: 1\nname: größer\n"
    assert header.params == {"levels": ["0.1 mA/cm2"]}
    assert header.results["ccd"] == {"value": 0.4, "units": "mA/cm2"}
    assert header.results["shorted"] == 1
    assert header.environment["packages"] == {"numpy": "2"}
    assert header.instrument["facts"] == {"serial": "0"}
    assert (header.note, header.gaps) == ("first try", 0)


def test_every_gap_that_is_known_is_counted(tmp_path: Path) -> None:
    told = [rows.noted(k, code) for k, code in enumerate(("gap", "note", "gap"))]
    path = rows.journal_with(tmp_path / "run.h5", [[*rows.opening(), *told]], rows.ended())
    seal(path)
    assert open_run(path).header.gaps == 2


def test_what_a_header_may_leave_out(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    known = {"format": 1, "run_id": "1", "start_time": "2026-03-01T09:30:00Z", "title": "x"}
    journal = Journal.create(path, known, rows.PROGRAM_JSON)
    journal.append([rows.noted(0, layout.GAP_CODE), rows.noted(1)])
    journal.end(rows.ended(end_reason=""))
    journal.close()
    seal(path)
    header = open_run(path).header
    assert (header.area_cm2, header.cell, header.plan, header.protocol) == (None, "", {}, "")
    assert (header.simulated, header.gaps) == (False, 1)


def test_a_spectrum_by_its_number(path: Path) -> None:
    run = open_run(path)
    frequency_Hz, z_ohm = run.spectrum(2)
    expected = rows.points(2)
    np.testing.assert_array_equal(frequency_Hz, expected["frequency_Hz"])
    np.testing.assert_array_equal(z_ohm, expected["Z_re_ohm"] + 1j * expected["Z_im_ohm"])
    with pytest.raises(InputError, match="no spectrum 9; there are: 1, 2, 3, 4"):
        run.spectrum(9)


def test_unknown_columns_name_the_known_ones(path: Path) -> None:
    run = open_run(path)
    with pytest.raises(AttributeError, match="no column Ewe_V; it has time, Ewe") as error:
        _ = run.samples.Ewe_V
    assert isinstance(error.value.__cause__, KeyError)


def test_the_file_is_not_held_open(path: Path) -> None:
    run = open_run(path)
    assert len(run.samples.time) == 220
    with h5py.File(path, "r+") as file:  # refused while any handle of this process is open for reading
        assert file["entry"].attrs["default"] == "plot"
    run.close()
    assert len(run.samples.time) == 220


@pytest.fixture
def live(tmp_path: Path) -> LiveFile:
    return LiveFile(tmp_path / "run.h5")


def test_a_live_run_grows_when_it_is_asked_to(live: LiveFile, tmp_path: Path) -> None:
    live.append(0, 10)
    run = open_run(tmp_path / "run.h5")
    live.append(10, 10)
    assert (len(run.samples), len(run.samples.Ewe), run.header.duration_s) == (10, 10, 2.25)
    run.refresh()
    assert (len(run.samples), len(run.samples.Ewe), run.header.duration_s) == (20, 20, 4.75)
    assert (run.header.status, run.header.sealed, run.header.end_reason) == ("running", False, "")
    live.close()


def test_columns_of_unequal_length_are_read_as_far_as_all_go(live: LiveFile, tmp_path: Path) -> None:
    live.append(0, 10)
    for name in ("time", "Ewe"):
        live.file[f"entry/samples/{name}"].resize(15, axis=0)
    live.file.flush()
    run = open_run(tmp_path / "run.h5")
    assert {len(run.samples[name]) for name in run.samples.names} == {10}
    live.close()


def test_a_view_that_is_built_anew_takes_nothing_away(live: LiveFile, tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    live.append(0, 20)
    run = open_run(path)
    time_s = run.samples.time
    for column in live.file["entry/samples"].values():
        column.resize(5, axis=0)
    live.file.flush()
    run.refresh()
    assert run.samples.time is time_s
    with pytest.raises(RecordError, match="built anew"):
        _ = run.samples.Ewe
    live.close()


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        open_run(tmp_path / "run.h5")


def test_no_hdf5(tmp_path: Path) -> None:
    (tmp_path / "run.h5").write_text("time,Ewe")
    with pytest.raises(RecordError, match="no HDF5 file"):
        open_run(tmp_path / "run.h5")


def test_hdf5_of_another_kind(tmp_path: Path) -> None:
    h5py.File(tmp_path / "run.h5", "w").close()
    with pytest.raises(RecordError, match="cannot be read"):
        open_run(tmp_path / "run.h5")


def test_a_killed_run_without_a_view_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    rows.journal_only(path, 1, end=False)
    with pytest.raises(RecordError, match="nakctl recover"):
        open_run(path)
    assert files.journal_of(path).exists()


def test_a_view_is_waited_for_only_as_long_as_somebody_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nakctl.record.opening._PATIENCE_S", 0.1)
    path = tmp_path / "run.h5"
    journal = rows.journal_of_run(path)
    with pytest.raises(RecordError, match="is being recorded, and nothing of it can be read yet"):
        open_run(path)
    journal.close()


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        open_run(tmp_path)
