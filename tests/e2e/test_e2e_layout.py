"""The sealed file: exactly the tables of the layout, and open to the tools of the field."""

from __future__ import annotations

import warnings

import h5py
import numpy as np
import pytest
from short_run import Ran

import nakctl
from nakctl.booking import layout
from nakctl.booking.table import Column, Table

TABLES = [layout.SAMPLES, layout.IMPEDANCE, layout.SPECTRA, layout.STEPS, layout.EVENTS, layout.CLOCK]
COLUMNS = [(table, column) for table in TABLES for column in table.columns]
WITH_ROWS = {"samples", "impedance", "spectra", "steps", "events"}  # a free clock has no wall-clock times


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda each: each.name)
def test_every_column_is_as_the_layout_says(table: Table, column: Column, ccd: Ran) -> None:
    with h5py.File(ccd.path) as file:
        dataset = file["entry"][table.name][column.name]
        assert dataset.dtype == np.dtype(column.dtype)
        assert dataset.attrs["units"] == column.units
        assert dataset.attrs["long_name"] == column.long_name
        assert dataset.shape == file["entry"][table.name][table.names[0]].shape
        assert (len(dataset) > 0) == (table.name in WITH_ROWS)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_no_table_has_a_column_too_many(table: Table, ccd: Ran) -> None:
    with h5py.File(ccd.path) as file:
        group = file["entry"][table.name]
        assert set(table.names) <= set(group)
        assert set(group) - set(table.names) <= {"json"}  # events: the facts in full
        assert group.attrs["NX_class"] == table.nx_class


def test_the_samples_are_a_record(ccd: Ran) -> None:
    with nakctl.open(ccd.path) as run:
        samples, steps, spectra = run.samples, run.steps, run.spectra
        assert np.all(np.diff(samples.time) >= 0)
        assert np.all(np.diff(samples.step_count.astype(np.int64)) >= 0)
        assert int(steps.row_count.sum()) == len(samples)
        np.testing.assert_array_equal(steps.first_row[1:], np.cumsum(steps.row_count)[:-1])
        assert int(spectra.row_count.sum()) == len(run.impedance)
        assert np.all(samples.I[samples.control > 0] > 0)  # strips
        moved_Ah = np.sum(samples.I[1:].astype(np.float64) * np.diff(samples.time)) / 3600
        assert samples.Q[-1] == pytest.approx(moved_Ah, abs=2e-3 * np.abs(samples.Q).max())
        np.testing.assert_allclose(np.hypot(run.impedance.Z_re, run.impedance.Z_im), run.impedance.Z_abs)


def test_the_story_is_in_it(ccd: Ran) -> None:
    with nakctl.open(ccd.path) as run:
        header = run.header
        assert header.protocol.startswith("# yaml-language-server")
        assert header.plan
        assert "GEIS" in header.program
        assert header.params["half_cycle"] == "1 h"
        assert header.environment["python"]
        assert header.sealed
        assert header.simulated


def test_h5py_opens_it_plainly(ccd: Ran) -> None:
    with h5py.File(ccd.path, "r") as file:
        assert file.attrs["default"] == "entry"
        assert file["entry/plot/Ewe"][()] == pytest.approx(file["entry/samples/Ewe"][()])


def test_pandas_makes_a_frame(ccd: Ran) -> None:
    pandas = pytest.importorskip("pandas")
    with nakctl.open(ccd.path) as run:
        frame = pandas.DataFrame({name: run.samples[name] for name in run.samples.names})
        steps = pandas.DataFrame({name: run.steps[name] for name in run.steps.names})
    assert len(frame) == ccd.report["samples"]
    assert frame.groupby("step_count").Ewe.count().tolist() == steps.row_count.tolist()


def test_xarray_opens_the_groups(ccd: Ran) -> None:
    xarray = pytest.importorskip("xarray")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries below xarray
        samples = xarray.open_dataset(ccd.path, group="entry/samples", engine="h5netcdf")
    with samples:
        assert samples.Ewe.attrs["units"] == "V"
        assert samples.Ewe.attrs["long_name"] == "Ewe / V"
        assert samples.Ewe.shape == (ccd.report["samples"],)
        assert samples.Ewe.dims == tuple(samples.coords) == ("time",)


def test_nexusformat_finds_the_default_plot(ccd: Ran) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the library itself
        from nexusformat.nexus import nxload

        plot = nxload(str(ccd.path)).plottable_data
        assert plot.nxsignal.nxname == "Ewe"
        assert [axis.nxname for axis in plot.nxaxes] == ["time"]
        assert plot.nxsignal.attrs["long_name"] == "Ewe / V"
