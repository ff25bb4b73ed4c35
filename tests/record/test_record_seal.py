from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas
import pytest
import record_rows as rows
import xarray
from forked_helpers import done
from nexusformat.nexus import nxload
from patience import PATIENCE_s, until

from nakctl.booking import layout
from nakctl.errors import RecordError
from nakctl.record import files, lock, sealer
from nakctl.record import seal as sealing
from nakctl.record.process import Helper, Outcome
from nakctl.record.recover import recover
from nakctl.record.seal import is_sealed, seal
from nakctl.record.verify import faults_of

STAGES = ["written", "synced", "verified", "replaced", "cleared"]


TABLES = layout.tables(rows.header()) | {table.name: table for table in layout.RAW}


SCALES = ("CLASS", "NAME", "DIMENSION_LIST")  # how HDF5 says by which column rows are found


@pytest.mark.parametrize("name", [*TABLES])
def test_every_column_is_as_the_layout_says(path: Path, name: str) -> None:
    table = TABLES[name]
    with h5py.File(path, "r") as file:
        group = file["entry"][name]
        assert group.attrs["NX_class"] == table.nx_class
        assert set(table.names) <= set(group)
        for column in table.columns:
            dataset = group[column.name]
            assert dataset.dtype == np.dtype(column.dtype)
            said = {name: text for name, text in dataset.attrs.items() if name not in SCALES}
            assert said == column.attributes
            level = 1 if name.startswith("raw/") else 4
            assert (dataset.compression, dataset.compression_opts) == ("gzip", level)
            assert dataset.shuffle and dataset.fletcher32
            assert dataset.chunks == (table.sealed_chunk,)


def test_every_dataset_in_a_table_has_units_and_label(path: Path) -> None:
    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.ndim:
            assert {"units", "long_name"} <= set(item.attrs), name

    with h5py.File(path, "r") as file:
        file.visititems(visit)


def test_the_rows_are_the_journals(path: Path) -> None:
    expected = rows.booked([*rows.run_of(20), *rows.spectra(4), rows.over()])
    assert expected["samples"][:200].tobytes() == rows.samples(0, 200).tobytes()
    with h5py.File(path, "r") as file:
        for name, table in expected.items():
            for column in layout.tables({})[name].names:
                np.testing.assert_array_equal(file[f"entry/{name}/{column}"][()], table[column])
        assert file["entry/impedance/spectrum"][()].tolist() == [1] * 5 + [2] * 5 + [3] * 5 + [4] * 5
        assert file["entry/spectra/complete"][()].tolist() == [1] * 4
        assert file["entry/steps/label"][0].decode() == "strip 0.1 mA/cm²"
        assert np.all(file["entry/nyquist/neg_Z_im"][()] == -file["entry/impedance/Z_im"][()])
        assert np.all(file["entry/impedance/Z_im"][()] < 0)


def test_events_are_cut_in_the_table_and_whole_beside_it(path: Path) -> None:
    with h5py.File(path, "r") as file:
        events = file["entry/events"]
        message = events["message"][2].decode()
        whole = json.loads(events["json"].asstr()[2])
        assert len(events["json"]) == len(events["time"]) == 5
        assert events["step_count"][()].tolist() == [0, 1, 2, 3, 4]  # of the last row before each
    assert whole["message"].startswith(message) and len(whole["message"]) > len(message)
    assert whole["facts"] == {"k": 7}


def test_what_the_header_said_stands_in_its_place(path: Path) -> None:
    expected = {
        "title": "SIMULATED ccd on NaK50",
        "start_time": "2026-03-01T09:30:00+01:00",
        "end_time": "2026-03-01T09:32:24+01:00",
        "run_status": "completed",
        "end_reason": "as planned",
        "program_name": "nakctl",
        "git_commit": "abc",
        "note": "first try",
        "user/name": "Ada",
        "sample/name": "NaK50",
        "sample/working_electrode": "NaK",
        "sample/facts": '{"p_MPa": 1}',
        "instrument/potentiostat/model": "SP-300",
        "protocol/data": "nakctl: 1\nname: größer\n",
        "protocol/file_name": "ccd.yaml",
        "protocol/sha256": "00",
        "plan/data": '{"steps": [{"step": 1}, {"step": 2}]}',
        "plan/sha256": "11",
        "plan/compiler": "nakctl 0.1",
        "plan/program": "1 CP 0.1 mA",
        "environment/command_line": "nakctl run ccd",
        "environment/python": "3.11",
    }
    with h5py.File(path, "r") as file:
        entry = file["entry"]
        assert {name: entry[name].asstr()[()] for name in expected} == expected
        assert entry["duration"][()] == 144.0
        assert entry["environment/seed"][()] == 7
        assert entry["sample/electrode_area"][()] == 0.5
        assert entry["sample/electrode_area"].attrs["units"] == "cm^2"
        assert entry["results/ccd"][()] == 0.4
        assert entry["results/ccd"].attrs["units"] == "mA/cm2"
        assert entry["samples/I"].attrs["sign"].startswith("I > 0 oxidises")
        assert entry["samples/I_range"].attrs["enum"] == "4 1 mA, 5 10 mA"
        assert "recovery" not in entry


@pytest.mark.parametrize("simulated", [True, False])
def test_a_simulated_file_says_so_everywhere(tmp_path: Path, simulated: bool) -> None:
    path = rows.sealed(tmp_path / "run.h5", simulated=simulated)
    with h5py.File(path, "r") as file:
        entry = file["entry"]
        said = [file.attrs["simulated"], entry.attrs["simulated"], entry["sample/simulated"][()]]
        assert [bool(each) for each in said] == [simulated] * 3
        assert entry["title"].asstr()[()].startswith("SIMULATED ") == simulated


def test_the_third_electrode_is_kept(tmp_path: Path) -> None:
    path = rows.sealed(tmp_path / "run.h5", 2, three_electrode=True)
    with h5py.File(path, "r") as file:
        assert file["entry/samples/Ece"].dtype == "<f4"
        expected = rows.samples(0, 20, three_electrode=True)
        for name in expected.dtype.names:
            np.testing.assert_array_equal(file[f"entry/samples/{name}"][()], expected[name])


def test_a_run_without_rows_can_be_sealed(tmp_path: Path) -> None:
    path = rows.sealed(tmp_path / "run.h5", 0)
    with h5py.File(path, "r") as file:
        assert file["entry/duration"][()] == 0
        assert len(file["entry/nyquist/neg_Z_im"]) == len(file["entry/events/json"]) == 0


def test_equal_runs_give_equal_datasets(tmp_path: Path, path: Path) -> None:
    other = rows.datasets(rows.sealed(tmp_path / "other.h5", more_entries=[*rows.spectra(4), rows.over()]))
    first = rows.datasets(path)
    assert first.keys() == other.keys()
    for name, values in first.items():
        np.testing.assert_array_equal(values, other[name], err_msg=name)


def test_sealed_twice_is_sealed_once(tmp_path: Path) -> None:
    path = rows.sealed(tmp_path / "run.h5")
    before = path.read_bytes()
    assert seal(path) == Outcome(path, True, "completed", 200, "")
    assert path.read_bytes() == before
    assert rows.names_in(tmp_path) == ["run.h5"]


# --- other programs ------------------------------------------------------------------------------------


def test_nexusformat_finds_the_default_plot(path: Path) -> None:
    root = nxload(str(path))
    plot = root.get_default()
    assert plot.nxpath == "/entry/plot"
    assert plot.nxsignal.nxname == "Ewe"
    assert [axis.nxname for axis in plot.nxaxes] == ["time"]
    np.testing.assert_array_equal(plot.nxsignal.nxdata[:200], rows.samples(0, 200)["Ewe"])


def test_pandas_and_xarray_read_the_samples(path: Path) -> None:
    with h5py.File(path, "r") as file:
        frame = pandas.DataFrame({name: column[()] for name, column in file["entry/samples"].items()})
    assert frame.shape == (220, 10)
    with xarray.open_dataset(path, group="entry/samples", engine="h5netcdf") as data:
        assert data["Ewe"].dims == ("time",)
        assert data["Ewe"].attrs["units"] == "V"
        np.testing.assert_array_equal(data["Ewe"].values, frame["Ewe"].to_numpy())


# --- trouble -------------------------------------------------------------------------------------------

KILL_AT = """
import os, signal, sys
from pathlib import Path
from nakctl.record.seal import seal
def at(stage):
    if stage == sys.argv[2]:
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
seal(Path(sys.argv[1]), at)
"""


@pytest.mark.parametrize("stage", STAGES)
def test_a_kill_while_sealing_leaves_the_old_or_the_new(tmp_path: Path, stage: str) -> None:
    path = tmp_path / "run.h5"
    rows.journal_only(path, 20)
    killed = done(KILL_AT, path, stage, helpers=True)
    assert killed.returncode != 0
    assert is_sealed(path) == (stage in ("replaced", "cleared"))
    assert is_sealed(path) or files.journal_of(path).exists()
    assert seal(path).rows == 200
    assert is_sealed(path)
    assert rows.names_in(tmp_path) == ["run.h5"]


def test_a_journal_half_removed_does_not_harm_the_sealed_file(tmp_path: Path) -> None:
    path = rows.sealed(tmp_path / "run.h5")
    files.journal_of(path).write_bytes(b"half of it")
    assert seal(path).sealed
    assert rows.names_in(tmp_path) == ["run.h5"]


def test_a_file_that_differs_from_the_journal_is_noticed(path: Path) -> None:
    crc = {"time": 1, "Ewe": 2}
    assert list(faults_of(path, {"samples": (220, crc)})) == ["samples/time differs", "samples/Ewe differs"]
    assert list(faults_of(path, {"samples": (9, {"I": 0})})) == ["samples/I has 220 rows instead of 9"]


def test_a_file_that_does_not_verify_never_gets_its_name(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    rows.journal_only(path, 20)

    def spoil(stage: str) -> None:
        if stage == "synced":
            with h5py.File(files.temporary_of(path), "r+") as file:
                file["entry/samples/Ewe"][7] = 42.0

    with pytest.raises(RecordError, match="samples/Ewe differs"):
        seal(path, spoil)
    assert not path.exists()
    assert seal(path).rows == 200


FULL_DISK = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
from nakctl.record import sealer
sealer.main()
"""


@pytest.mark.skipif(os.name != "posix", reason="needs a limit of the file size")
def test_what_is_written_is_on_the_disk_before_it_is_looked_at_named_and_all_that_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, done = tmp_path / "run.h5", list[str]()
    rows.journal_only(path, 20)
    for module, name in (
        (files, "sync_file"), (files, "sync_folder"), (files, "remove_journal"), (sealing, "_conclude"),
        (sealing, "_put_in_place"),
    ):  # fmt: skip
        call = getattr(module, name)

        def noted(*given: Any, name: str = name, call: Any = call) -> Any:
            done.append(name)
            return call(*given)

        monkeypatch.setattr(module, name, noted)
    seal(path)
    assert done == [
        "sync_file", "_conclude", "sync_file", "_put_in_place", "sync_folder", "remove_journal", "sync_folder",
    ]  # fmt: skip


def test_a_full_disk_while_sealing_keeps_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    rows.journal_only(path, 200)
    said = done(FULL_DISK, path)
    outcome = Outcome.from_json(json.loads(said.stdout.splitlines()[-1])["answer"])
    assert outcome is not None
    assert (said.returncode, outcome.sealed) == (1, False)
    assert "not sealed" in outcome.message
    assert not files.temporary_of(path).exists()
    assert recover(path).rows == 2000


def test_a_file_that_others_hold_open_is_sealed_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where an open file cannot be replaced."""
    path = tmp_path / "run.h5"
    rows.journal_only(path, 20)
    replace = Path.replace

    def held_open(source: Path, target: Path) -> Path:
        if target == path:
            raise PermissionError("held open")
        return replace(source, target)

    monkeypatch.setattr("nakctl.record.seal._REPLACE_PAUSE_S", 0.0)
    monkeypatch.setattr(Path, "replace", held_open)
    outcome = seal(path)
    assert (outcome.path.name, outcome.sealed) == ("run.sealed.h5", False)
    assert is_sealed(outcome.path) and files.journal_of(path).exists()
    assert "close that" in outcome.message
    monkeypatch.setattr(Path, "replace", replace)
    assert seal(path).sealed
    assert rows.names_in(tmp_path) == ["run.h5"]


def test_a_damaged_journal_gives_what_it_holds_and_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    rows.journal_only(path, 40)
    whole = files.journal_of(path).read_bytes()
    damaged = bytearray(whole)
    damaged[whole.index(rows.given(300, 10).tobytes()) + 5] ^= 1
    files.journal_of(path).write_bytes(damaged)
    outcome = seal(path)
    assert (outcome.sealed, outcome.status, outcome.rows) == (True, "recovered", 300)
    assert "up to entry 38" in outcome.message and "checksum" in outcome.message
    assert rows.names_in(tmp_path) == ["run.h5", "run.h5.journal.damaged"]
    assert files.damaged_of(path).read_bytes() == damaged
    assert seal(path).rows == 300
    assert files.damaged_of(path).exists()


def test_who_comes_second_waits_until_nobody_seals_it(tmp_path: Path) -> None:
    path, told, alone = tmp_path / "x.h5", list[str](), threading.Event()

    def work() -> None:
        with sealer._alone(path, told.append):
            alone.set()

    with lock.hold(files.sealer_of(path)):
        second = threading.Thread(target=work)
        second.start()
        until(lambda: told)
        assert not alone.is_set()
    second.join(PATIENCE_s)
    assert alone.is_set()
    assert rows.names_in(tmp_path) == []


def test_all_who_seal_it_at_once_find_it_sealed(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    rows.journal_only(path, 20)
    helpers = [Helper("sealer", str(path)) for _ in range(3)]
    outcomes = [helper.wait(Outcome.from_json) for helper in helpers]
    assert [isinstance(each, Outcome) and each.sealed for each in outcomes] == [True] * 3, outcomes
    assert is_sealed(path)
    assert rows.names_in(tmp_path) == ["x.h5"]
