"""The columns that rows are found by are scales of HDF5: xarray and netCDF take them for coordinates."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
import results_runs as runs

from nakctl.booking import layout
from nakctl.device.sensor import SensorSpec
from nakctl.record.hdf5_writer import LIBVER, Hdf5Writer
from nakctl.record.journal_reader import JournalReader
from nakctl.record.read import open_run

TABLES = {
    **layout.tables({"three_electrode": True}),
    "aux/press": layout.sensor({"name": "press", "unit": "MPa"}),
}
SENSOR = SensorSpec("press", "serial", "COM3", "MPa", "pressure", 1e6, 0.0, 1.0, 1.0).as_json()
f_Hz = np.array([1e3, 1e2, 1e1])


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scales") / "run.h5"
    runs.sensed(path, "press", [(0.5, 3.0, 0.01), (1.5, 3.5, 0.01)])
    swept = runs.spectra(
        (1.0, 1e-3, f_Hz, 20 - 5j * f_Hz / 1e3, True), (2.0, 1e-3, f_Hz, 30 + 0j * f_Hz, True)
    )
    return runs.written(path, [runs.strip(1e-3, [0.1, 0.2, 0.3]), runs.rest(2)], more=swept, sensors=[SENSOR])


@pytest.fixture
def live(path: Path, tmp_path: Path) -> Iterator[h5py.File]:
    """As the helper that keeps it begins it, seen by somebody else."""
    begun = runs.left(tmp_path / "run.h5", [runs.rest(2)])
    reader = JournalReader(begun)
    with h5py.File(begun, "w", libver=LIBVER, locking=False) as file:
        writer = Hdf5Writer(file, reader, sealed=False)
        file.swmr_mode = True
        writer.add(list(reader.entries()))
        writer.write()
        file.flush()
        with h5py.File(begun, "r", libver=LIBVER, locking=False, swmr=True) as seen:
            yield seen
    reader.close()


def scales(group: h5py.Group) -> dict[str, list[str]]:
    """The scales of each column but the scale itself."""
    own = {name: [scale.name for scale in column.dims[0].values()] for name, column in group.items()}
    return {name: found for name, found in own.items() if not group[name].is_scale}


@pytest.mark.parametrize("name", TABLES)
def test_every_column_has_the_scale_that_the_layout_says(name: str, path: Path) -> None:
    with h5py.File(path) as file:
        group = file["entry"][name]
        scale = group[TABLES[name].scale]
        assert scale.is_scale
        assert scales(group) == {column: [scale.name] for column in group if column != TABLES[name].scale}


def test_a_live_file_has_them_from_the_start(live: h5py.File) -> None:
    samples = live["entry/samples"]
    assert len(samples["time"]) == 2
    assert set(map(tuple, scales(samples).values())) == {("/entry/samples/time",)}


@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
@pytest.mark.parametrize("name", [*layout.tables({}), "aux/press", "plot", "nyquist"])
def test_xarray_finds_the_coordinate(name: str, engine: str, path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    scale = {"plot": "time", "nyquist": "frequency"}.get(name) or TABLES[name].scale
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries below xarray
        with xarray.open_dataset(path, group=f"entry/{name}", engine=engine) as data, h5py.File(path) as file:
            assert list(data.coords) == [scale]
            assert data.sizes == {scale: len(file[f"entry/{name}/{scale}"])}
            np.testing.assert_array_equal(data[scale], file[f"entry/{name}/{scale}"])


def test_netcdf_opens_all_of_it(path: Path) -> None:
    netcdf = pytest.importorskip("netCDF4")
    with netcdf.Dataset(path) as data:
        groups = data["entry"].groups
        assert groups["samples"]["Ewe"].dimensions == ("time",)
        assert groups["nyquist"]["neg_Z_im"].dimensions == ("frequency",)
        assert groups["aux"]["press"]["value"][:].tolist() == [3.0, 3.5]


def test_pytables_opens_all_of_it(path: Path) -> None:
    tables = pytest.importorskip("tables")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it does not know texts without a fixed length
        with tables.open_file(str(path)) as file, h5py.File(path) as plain:
            for column in layout.SAMPLES.names:
                node = file.get_node(f"/entry/samples/{column}")
                np.testing.assert_array_equal(node[:], plain[f"entry/samples/{column}"], err_msg=column)


def test_a_file_from_before_there_were_scales(path: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.h5"
    old.write_bytes(path.read_bytes())
    with h5py.File(old, "r+") as file:
        for column in file["entry/samples"].values():
            for attribute in ("DIMENSION_LIST", "REFERENCE_LIST", "CLASS", "NAME"):
                column.attrs.pop(attribute, None)
    with open_run(old) as run, open_run(path) as new:
        np.testing.assert_array_equal(run.samples.Ewe, new.samples.Ewe)
