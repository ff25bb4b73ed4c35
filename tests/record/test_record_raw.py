"""/entry/raw: what a sealed file was booked from, entry by entry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import record_rows as rows
from record_reading import entries_in
from test_record_journal import whole

from nakctl.booking import layout
from nakctl.booking.entry import Entry
from nakctl.device.channel import OF_COUNTER
from nakctl.device.program_json import load
from nakctl.errors import RecordError
from nakctl.record import raw_tables
from nakctl.record.hdf5_writer import LIBVER, Hdf5Writer
from nakctl.record.journal_reader import JournalReader
from nakctl.record.raw_tables import RawReader
from nakctl.record.seal import seal

EVERYTHING = [
    Entry("writer", epoch=1, facts={"pid": 1, "why": "start"}),
    *rows.run_of(6),
    Entry("tie", 1, 15.0, facts={"elapsed_s": 15.0, "time_s": 15.0, "error_s": 1e-3}),
    Entry("asked", 1, 15.5, 1.7e9, facts={"verb": "stop", "who": "Ada", "reason": "grün"}),
    *rows.spectra(2, 3),
    Entry("meant", 2, facts={"verb": "set", "sensor": "oven", "value": 333.15}),
    rows.over(),
]


@pytest.mark.parametrize("at_a_time", [4096, 7, 1])
def test_all_that_happened_stands_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_a_time: int
) -> None:
    monkeypatch.setattr(raw_tables, "_AT_A_TIME", at_a_time)
    path = rows.journal_with(tmp_path / "run.h5", [[each] for each in EVERYTHING], rows.ended())
    journal = JournalReader(path)
    header, end = journal.header, journal.end()
    journal.close()
    kept = entries_in(path)
    seal(path)
    with h5py.File(path) as file:
        raw = RawReader(file)
        found = list(raw.entries())
        assert [whole(entry) for entry in found] == [whole(entry) for entry in kept]
        assert [entry.seq for entry in found] == list(range(1, len(kept) + 1))
        assert (raw.header, raw.end()) == (header, end)
        program = raw.program()
        assert program is not None and load(program) == rows.PROGRAM
        assert raw.book().program == rows.PROGRAM
        assert raw.tables == layout.tables(header)
        assert raw.documents["lost_blocks"] == 0 and raw.documents["from_view"] == {}
        assert not raw.documents["unclosed"]


def test_of_a_killed_run_there_is_no_end(tmp_path: Path) -> None:
    path = rows.journal_only(tmp_path / "run.h5", 2, end=False)
    seal(path)
    with h5py.File(path) as file:
        raw = RawReader(file)
        assert (raw.end(), raw.documents["unclosed"]) == (None, True)


@pytest.mark.parametrize("three_electrode", [False, True])
def test_rows_are_as_the_channel_gave_them(tmp_path: Path, three_electrode: bool) -> None:
    path = rows.sealed(tmp_path / "run.h5", 3, three_electrode=three_electrode)
    given = rows.given(0, 30)
    with h5py.File(path) as file:
        for name in given.dtype.names or ():
            np.testing.assert_array_equal(file[f"entry/raw/samples/{name}"][()], given[name])
        assert file["entry/raw/words/byte"][()].tobytes() == b"raw 0raw 10raw 20"


@pytest.mark.parametrize("three_electrode", [False, True])
def test_a_counter_electrode_is_in_the_files_of_three_electrodes_alone(
    tmp_path: Path, three_electrode: bool
) -> None:
    points = rows.points(1, half_cells=three_electrode)
    entries = [[*rows.opening(2, rows.SPECTRA_FROM_s)], [rows.swept(1, points=points)]]
    path = rows.journal_with(tmp_path / "run.h5", entries, rows.ended(), three_electrode=three_electrode)
    kept = entries_in(path)
    seal(path)
    with h5py.File(path) as file:
        for name in OF_COUNTER:
            column = name.rpartition("_")[0]
            assert (f"entry/raw/points/{name}" in file) is three_electrode
            assert (f"entry/impedance/{column}" in file) is three_electrode
            if three_electrode:
                np.testing.assert_array_equal(file[f"entry/raw/points/{name}"][()], points[name])
                np.testing.assert_array_equal(file[f"entry/impedance/{column}"][()], points[name])
        assert ("entry/plot/Ece" in file) is three_electrode
        assert [whole(entry) for entry in RawReader(file).entries()] == [whole(entry) for entry in kept]
    before = rows.datasets(path)
    seal(path, again=True)
    after = rows.datasets(path)
    assert {name: repr(value) for name, value in before.items()} == {
        name: repr(value) for name, value in after.items()
    }


def test_a_run_in_which_nothing_happened(tmp_path: Path) -> None:
    path = rows.sealed(tmp_path / "run.h5", 0)
    with h5py.File(path) as file:
        assert list(RawReader(file).entries()) == []
        assert {len(file[f"entry/{table.name}/{table.names[0]}"]) for table in layout.RAW[:-1]} == {0}
    before = rows.datasets(path)
    seal(path, again=True)
    after = rows.datasets(path)
    assert before.keys() == after.keys()


@pytest.mark.parametrize("left_out", ["samples", "raw", "facts", "all"])
def test_entries_of_which_parts_are_empty(tmp_path: Path, left_out: str) -> None:
    nothing: dict[str, Any] = {"samples": rows.given(0, 0), "raw": b"", "facts": {}}
    changed = nothing if left_out == "all" else {left_out: nothing[left_out]}
    path = rows.journal_with(
        tmp_path / "run.h5", [rows.opening(), [rows.said(0, 10, **changed)]], rows.ended()
    )
    kept = entries_in(path)
    seal(path)
    with h5py.File(path) as file:
        assert [whole(entry) for entry in RawReader(file).entries()] == [whole(entry) for entry in kept]


def test_nothing_is_added_where_there_is_nothing(tmp_path: Path) -> None:
    path = rows.journal_only(tmp_path / "run.h5", 2)
    journal = JournalReader(path)
    with h5py.File(tmp_path / "other.h5", "w", libver=LIBVER) as file:
        writer = Hdf5Writer(file, journal, sealed=True)
        assert writer.raw is not None
        writer.add([])
        writer.raw.add([])
        writer.write()
        assert {growing.rows for growing in writer.raw.tables.values()} == {0}
        assert writer.seq == 0
    journal.close()


def test_a_live_view_holds_none(tmp_path: Path) -> None:
    path = rows.journal_only(tmp_path / "run.h5", 2)
    journal = JournalReader(path)
    with h5py.File(tmp_path / "live.h5", "w", libver=LIBVER) as file:
        writer = Hdf5Writer(file, journal, sealed=False)
        writer.add(list(journal.entries()))
        assert "raw" not in file["entry"] and writer.raw is None
    journal.close()


def test_a_file_without_it_says_so(tmp_path: Path) -> None:
    path = rows.sealed(tmp_path / "run.h5", 2)
    with h5py.File(path, "r+") as file:
        del file["entry/raw"]
    with pytest.raises(RecordError, match=r"run\.h5 cannot be booked anew: an older nakctl recorded it"):
        seal(path, again=True)
