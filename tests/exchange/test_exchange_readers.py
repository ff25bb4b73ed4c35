"""Every export is read back by the programs it is made for, and is what was written, digit by digit."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Callable
from pathlib import Path

import exchange_runs
import numpy as np
import pytest
import results_runs as runs
from exchange_runs import F_Hz, source

from nakctl.device.sensor import SensorSpec
from nakctl.exchange import source as module
from nakctl.exchange import to_bdf, to_csv, to_mpt, to_netcdf, to_xlsx, to_z
from nakctl.exchange.placing import Parts
from nakctl.record.read import Run, open_run


def written(parts: Parts, folder: Path) -> dict[str, Path]:
    """By the end of their names."""
    for end, write in parts.items():
        write(folder / f"run{end}")
    return {end: folder / f"run{end}" for end in parts}


def digits(path: Path, head: str, separator: str = "\t") -> dict[str, np.ndarray]:
    """The numbers as they stand in the file, below the line that begins with `head`."""
    lines = path.read_text("latin-1").splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith(head))
    names = [name for name in lines[start].split(separator) if name]
    body = [line.split(separator) for line in lines[start + 1 :] if "Comments" not in line]
    return dict(zip(names, np.array(body, float).T, strict=False))


# pandas, and whoever reads rows


def test_csv_by_pandas(run: Run, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    files = written(to_csv.parts(source(run), to_csv.TABLES), tmp_path)
    assert set(files) == {f"_{name}.csv" for name in ("samples", "spectra", "steps", "events")}
    frame = pandas.read_csv(files["_samples.csv"], comment="#")
    heads = ["time / s", "Ewe / V", "I / A", "Q / A*h", "step_count", "step_id", "cycle", "flags", "I_range"]
    assert list(frame.columns) == [*heads, "control / V or A"]
    for head, name in zip(frame.columns, run.samples.names, strict=True):
        stored = run.samples[name]
        assert np.array_equal(frame[head].to_numpy().astype(stored.dtype), stored, equal_nan=True), head
    spectra = pandas.read_csv(files["_spectra.csv"], comment="#")
    assert np.array_equal(spectra["Z_re / ohm"], run.impedance["Z_re"])
    steps = pandas.read_csv(files["_steps.csv"], comment="#")
    assert steps["label"].tolist() == run.steps["label"].tolist()
    events = pandas.read_csv(files["_events.csv"], skiprows=15)
    assert events["message"].tolist()[-1] == exchange_runs.HOSTILE


def test_every_file_says_what_it_is(run: Run, tmp_path: Path) -> None:
    files = written(to_csv.parts(source(run), ()) | to_mpt.parts(source(run)), tmp_path)
    files |= written(to_z.parts(source(run)) | to_bdf.as_csv(source(run)), tmp_path)
    telling = [path for end, path in files.items() if not end.endswith(".bdf.csv")]
    for path in telling:
        text = path.read_text("latin-1")
        for said in ("SIMULATED by hand", run.header.run_id, "0.5 cm2", "nakctl 0", "oxidises", "cell"):
            assert said in text, (path.name, said)
        assert not [line for line in text.splitlines() if line.startswith("another line")]


def test_workbook(run: Run, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    path = written(to_xlsx.parts(source(run)), tmp_path)[".xlsx"]
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["about", "samples", "spectra", "steps", "results", "events"]
    about = dict(book["about"].iter_rows(min_row=2, values_only=True))
    assert about["title"] == "SIMULATED by hand" and about["run_id"] == run.header.run_id
    rows = list(book["samples"].iter_rows(values_only=True))
    assert rows[0][:3] == ("time / s", "Ewe / V", "I / A")
    Ewe_V = np.array([row[1] for row in rows[1:]], float)
    assert np.array_equal(Ewe_V.astype("f4"), run.samples["Ewe"], equal_nan=True)
    assert rows[1][1] == 0.1 and rows[-1][1] is None  # neither 0.10000000149 nor an error
    label, message = book["steps"]["E5"], book["events"].cell(book["events"].max_row, 5)
    assert (label.value, label.data_type) == ("=3 plate", "s")
    assert (message.value, message.data_type) == ('=HYPERLINK("http://x")\n#', "s")
    results = {row[0]: row[1:] for row in book["results"].iter_rows(min_row=2, values_only=True)}
    assert results["duration_s"] == (run.header.duration_s, "s")


def test_more_rows_than_a_sheet_holds(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(to_xlsx, "MOST_ROWS", len(run.samples))
    with pytest.raises(to_xlsx.InputError, match=r"13 rows of samples.*--as csv"):
        to_xlsx.parts(source(run))
    assert to_xlsx.parts(source(run, to_s=5.0))


# batterydf


@pytest.mark.parametrize(
    ("working_is", "turn", "rule"),
    [
        ("positive", 1, "oxidising it is charging"),
        ("negative", -1, "turned round"),
        ("", 1, "symmetric cell"),
    ],
)
def test_bdf_by_its_validator(tmp_path: Path, working_is: str, turn: int, rule: str) -> None:
    pandas, validate = pytest.importorskip("pandas"), pytest.importorskip("bdf.validate")
    sample = {"name": "cell", "area_cm2": 0.5, "working_is": working_is}
    path = exchange_runs.whole(tmp_path / "run.h5", sample=sample)
    with open_run(path) as run:
        files = written(to_bdf.as_csv(source(run)) | to_bdf.as_parquet(source(run)), tmp_path)
        for end, read in ((".bdf.csv", pandas.read_csv), (".bdf.parquet", pandas.read_parquet)):
            frame = read(files[end])
            report = validate.validate_df(frame)
            assert report["ok"] and not report["extras"] and report["time_stats"]["monotonic"]
            I_A = turn * frame["Current / A"].to_numpy()
            assert np.array_equal(I_A.astype("f4"), run.samples["I"])
            E_V = turn * frame["Voltage / V"].to_numpy()
            assert np.array_equal(E_V.astype("f4"), run.samples["Ewe"], equal_nan=True)
            assert np.array_equal(turn * frame["Net Capacity / Ah"], run.samples["Q"])
            assert frame["Unix Time / s"][0] == 1772353801.0  # 2026-03-01T09:30:00+01:00 and 1 s
            spectra = read(files[f"_spectra{end}"])
            assert validate.validate_df(spectra)["ok"]
            assert np.array_equal(spectra["Imaginary Impedance / ohm"], run.impedance["Z_im"])
    assert rule in json.loads(files[".bdf.csv.metadata.json"].read_text("utf-8"))["sign"]


def test_bdf_of_three_electrodes_has_the_voltage_of_the_cell(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    with open_run(exchange_runs.three_electrodes(tmp_path / "run.h5")) as run:
        files = written(to_bdf.as_csv(source(run)), tmp_path)
    assert pandas.read_csv(files[".bdf.csv"])["Voltage / V"].tolist() == [0.6, 0.45]


# EC-Lab's text


def test_mpt_files(run: Run) -> None:
    assert list(to_mpt.parts(source(run))) == ["_01_OCV.mpt", "_02_CP.mpt", "_03_GEIS.mpt", ".mpt"]


def test_mpt_by_galvani(run: Run, tmp_path: Path) -> None:
    MPTfile = pytest.importorskip("galvani.BioLogic").MPTfile
    for end, path in written(to_mpt.parts(source(run)), tmp_path).items():
        rows, comments = MPTfile(io.BytesIO(path.read_bytes()))
        told = digits(path, "freq/Hz" if "GEIS" in end else "mode")
        assert len(comments) > 10
        for name, column in told.items():
            own = name.replace("<", "").replace(">", "")  # as galvani does with means
            read = rows[name if name in rows.dtype.names else own]
            assert np.array_equal(read.astype(float), column, equal_nan=True), (end, name)
    rows, _ = MPTfile(io.BytesIO((tmp_path / "run.mpt").read_bytes()))
    assert np.array_equal((rows["I/mA"] / 1000).astype("f4"), run.samples["I"])
    assert np.allclose(rows["(Q-Qo)/mA.h"] / 1000, run.samples["Q"], rtol=1e-15)
    assert rows["mode"].tolist() == [3] * 3 + [1] * 10
    assert rows["control/V/mA"].tolist() == [0.0] * 3 + [0.1] * 7 + [-0.2] * 3
    assert (rows["Ns"] + 1).tolist() == run.samples["step_id"].tolist()


def of_both(run: Run) -> list[np.ndarray]:
    return [run.spectrum(1)[1], run.spectrum(2)[1]]


def test_mpt_by_pyimpspec(run: Run, tmp_path: Path) -> None:
    read = parser("mpt")
    sets = read(written(to_mpt.parts(source(run)), tmp_path)["_03_GEIS.mpt"])
    assert len(sets) == 2
    for each, z_ohm in zip(sets, of_both(run), strict=True):
        assert np.array_equal(each.get_frequencies(), F_Hz) and np.array_equal(each.get_impedances(), z_ohm)


def parser(kind: str) -> Callable[[Path], list[object]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it imports is its own affair
        module = pytest.importorskip("pyimpspec.data.formats")
    found: Callable[[Path], list[object]] = getattr(module, f"parse_{kind}")
    return found


def test_mpt_by_impedance_py(run: Run, tmp_path: Path) -> None:
    files = written(to_mpt.parts(source(run, spectra=((2, 2),))), tmp_path)
    f_Hz, z_ohm = impedance_py().readBioLogic(str(files["_01_GEIS.mpt"]))
    assert list(files) == ["_01_GEIS.mpt", ".mpt"]
    assert np.array_equal(f_Hz, F_Hz) and np.array_equal(z_ohm, of_both(run)[1])


def impedance_py() -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("impedance.preprocessing")


def test_mpt_by_yadg(run: Run, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        extract = pytest.importorskip("yadg.extractors").extract
        for end, path in written(to_mpt.parts(source(run)), tmp_path).items():
            tree = extract("eclab.mpt", path, timezone="Europe/Berlin")
            told = digits(path, "freq/Hz" if "GEIS" in end else "mode")
            assert tree["uts"][0].item() == 1772353800.0 + told["time/s"][0]
            names = {name: name.rpartition("/")[0] for name in told if "/" in name and name != "ox/red"}
            names.pop("control/V/mA", None)
            for name, theirs in names.items():
                assert np.array_equal(tree[theirs], told[name], equal_nan=True), (end, name)
            for name in ("cycle number", "Ns", *(("z cycle",) if "GEIS" in end else ())):
                assert np.array_equal(tree[name], told[name]), (end, name)
            if "GEIS" not in end:
                held = tree["control_I"].values[told["mode"] == 1]
                assert np.array_equal(held, told["control/V/mA"][told["mode"] == 1])


# ZPlot's text


def test_z_by_pyimpspec_and_impedance_py(run: Run, tmp_path: Path) -> None:
    files = written(to_z.parts(source(run)), tmp_path)
    assert list(files) == ["_0001.z", "_0002.z"]
    read = parser("z")
    for path, z_ohm in zip(files.values(), of_both(run), strict=True):
        [each] = read(path)
        assert np.array_equal(each.get_frequencies(), F_Hz) and np.array_equal(each.get_impedances(), z_ohm)
        f_Hz, theirs = impedance_py().readZPlot(str(path))
        assert np.array_equal(f_Hz, F_Hz) and np.array_equal(theirs, z_ohm)
        told = digits(path, "Freq(Hz)")
        assert told["Ampl"].tolist() == [5e-6] * 4  # in A, as it was galvanostatic
    assert "Ampl and Bias in:           A" in path.read_text("ascii")


def test_no_spectra_no_z(run: Run) -> None:
    with pytest.raises(to_z.InputError, match="no spectra in step rest"):
        to_z.parts(source(run, steps=("rest",)))


# netCDF


@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_netcdf_by_xarray(run: Run, tmp_path: Path, engine: str) -> None:
    xarray = pytest.importorskip("xarray")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if engine == "netcdf4":
            pytest.importorskip("netCDF4")
        path = written(to_netcdf.parts(source(run)), tmp_path)[".nc"]
        tree = xarray.open_datatree(path, engine=engine)
    assert tree.attrs["title"] == "SIMULATED by hand" and tree.attrs["Conventions"] == "CF-1.11"
    samples = tree["samples"].to_dataset()
    assert samples["Ewe"].dims == ("time",) and samples["Ewe"].attrs["units"] == "V"
    for name in run.samples.names:
        assert samples[name].dtype == run.samples[name].dtype
        assert np.array_equal(samples[name], run.samples[name], equal_nan=True), name
    points = tree["impedance"].to_dataset()
    assert set(points.coords) == {"time", "frequency", "spectrum"}
    assert np.array_equal(points["Z_im"], run.impedance["Z_im"])
    assert tree["steps"]["label"].values.tolist() == run.steps["label"].tolist()
    tree.close()


def test_blocks_make_the_same_files(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a block has no row of the part."""
    xarray = pytest.importorskip("xarray")

    def made(name: str) -> tuple[dict[str, bytes], object]:
        folder = tmp_path / name
        folder.mkdir()
        part = source(run, steps=("rest", "=3", "geis"))
        parts = (
            to_csv.parts(part, to_csv.TABLES) | to_mpt.parts(part) | to_z.parts(part) | to_bdf.as_csv(part)
        )
        texts = {end: path.read_bytes() for end, path in written(parts, folder).items()}
        path = written(to_netcdf.parts(part), folder)[".nc"]
        with xarray.open_datatree(path, engine="h5netcdf") as tree:
            return texts, tree.load()

    whole = made("whole")
    monkeypatch.setattr(module, "AT_A_TIME", 2)
    texts, tree = made("blocks")
    assert texts == whole[0] and tree.identical(whole[1])


# Sensors


def test_sensors(tmp_path: Path) -> None:
    pandas, xarray = pytest.importorskip("pandas"), pytest.importorskip("xarray")
    spec = SensorSpec("oven", "sim", "sim://", "degC", "temperature", 1.0, 273.15, 1.0, 1.0)
    path = tmp_path / "run.h5"
    rows = [(0.5, 25.0, 0.01), (1.5, 25.5, 0.01), (9.0, np.nan, 0.01)]
    runs.sensed(path, "oven", rows)
    runs.written(path, [runs.rest(3)], sensors=[spec.as_json()])
    with open_run(path) as run:
        part = source(run, from_s=1.0)
        files = written(to_csv.parts(part, ("sensors",)) | to_netcdf.parts(part), tmp_path)
        assert list(files) == ["_sensor_oven.csv", ".nc"]
        to_netcdf.parts(source(run, from_s=2.0, to_s=8.0))[".nc"](tmp_path / "none.nc")
        with xarray.open_datatree(tmp_path / "none.nc", engine="h5netcdf") as tree:
            assert len(tree["sensors/oven"]["value"]) == 0
    frame = pandas.read_csv(files["_sensor_oven.csv"], comment="#")
    assert list(frame.columns) == ["time / s", "value / degC", "time_error / s"]
    assert frame["value / degC"].tolist()[0] == 25.5 and frame["value / degC"].isna().tolist() == [
        False,
        True,
    ]
    with xarray.open_datatree(files[".nc"], engine="h5netcdf") as tree:
        oven = tree["sensors/oven"].to_dataset()
        assert oven["value"].attrs["units"] == "degC" and oven["time"].values.tolist() == [1.5, 9.0]
