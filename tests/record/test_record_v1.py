"""Journals of the first version, which held booked rows: every row is in the file, under the name it had."""

from __future__ import annotations

import json
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import old_journal
import pytest
import record_rows as rows
from record_disks import Disks
from record_reading import entries_in
from test_record_again import OVEN, readings, sensed

from nakctl.booking import layout
from nakctl.booking.entry import Entry
from nakctl.booking.event import Event
from nakctl.booking.table import Column, Table
from nakctl.errors import RecordError
from nakctl.record import files
from nakctl.record.ended import Ended
from nakctl.record.journal_reader import JournalDamage, JournalReader
from nakctl.record.read import open_run
from nakctl.record.recover import recover, unsealed
from nakctl.record.seal import seal

READS = 12
END = old_journal.ended(
    "stopped", "limit: Ewe above 3 V", {"n": 1}, end_kind="limit", end_id=2, end_value=3.01
)


def tables(three: bool = False) -> dict[str, rows.Rows]:
    """Those of a whole run."""
    tie = Entry("tie", 1, facts={"elapsed_s": 9.0, "time_s": 9.5, "error_s": 1e-3})
    whole = [*rows.run_of(READS), tie, *rows.spectra(3, 2), rows.over()]
    return rows.booked(whole, three_electrode=three)


def reads(three: bool = False) -> list[old_journal.Poll]:
    """As an old run wrote them: 10 rows of samples each, and of the other tables a part as they come."""
    whole = tables(three)
    made: list[old_journal.Poll] = []
    for k in range(READS):
        given = {"samples": rows.samples(10 * k, 10, three_electrode=three)}
        events: list[Event] = []
        for name, table in whole.items():
            part = table[len(table) * k // READS : len(table) * (k + 1) // READS]
            if name != "samples" and len(part):
                given[name] = part
        if k % 5 == 0:
            events = [rows.event(k), rows.event(k, "odd")]
        made.append((given, events))
    return made


def check(path: Path, count: int = READS, *, three: bool = False) -> None:
    """The file has all of the first reads, column by column, and nothing else."""
    given = reads(three)[:count]
    with h5py.File(path) as file:
        entry = file["entry"]
        for name, table in layout.tables({"three_electrode": three}).items():
            if name == "events":
                continue
            parts = [tables[name] for tables, _ in given if name in tables]
            expected = np.concatenate([table.empty(), *parts])
            for column in table.names:
                np.testing.assert_array_equal(entry[f"{name}/{column}"][()], expected[column], err_msg=column)
        told = [event for _, events in given for event in events]
        assert entry["events/time"][()].tolist() == [event.time_s for event in told]
        assert [code.decode() for code in entry["events/code"][()]] == [event.code for event in told]
        assert entry["events/step_count"][()].tolist() == [event.step_count for event in told]
        assert "raw" not in entry
        assert "unbooked" not in entry


def old(path: Path, end: Any = END, **more: Any) -> Path:
    old_journal.written(path, rows.header(**more), reads(more.get("three_electrode", False)), end)
    Path(f"{path}.ballast").write_bytes(b"\0" * 100)
    files.lock_of(path).touch()
    return path


@pytest.mark.parametrize("three", [False, True])
def test_a_run_that_ended_in_order(tmp_path: Path, three: bool) -> None:
    path = old(tmp_path / "run.h5", three_electrode=three)
    assert unsealed(tmp_path) == [path]
    recovered = recover(path)
    assert (recovered.status, recovered.rows, recovered.message) == (
        "stopped",
        120,
        "sealed, and nothing is missing",
    )
    check(path, three=three)
    with open_run(path) as run:
        assert (run.header.end_reason, run.header.results["n"]) == ("limit: Ewe above 3 V", 1)
        assert run.header.end == Ended("limit", 2, "Ewe", "above", 3.01)
        assert run.header.plan == {"steps": [{"step": 1}, {"step": 2}]}
    assert rows.names_in(tmp_path) == ["run.h5"]


def test_a_run_that_was_killed(tmp_path: Path) -> None:
    path = old(tmp_path / "run.h5", None)
    recovered = recover(path)
    assert (recovered.status, recovered.rows) == ("recovered", 120)
    assert "up to entry 12, last sample at 29.75 s in step 1" in recovered.message
    check(path)
    assert rows.names_in(tmp_path) == ["run.h5"]


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE poll SET crc = 7 WHERE seq = 9", "its checksum is wrong"),
        ("UPDATE poll SET samples = 'text' WHERE seq = 9", "it is of another type than it was written"),
        ("UPDATE poll SET events = NULL WHERE seq = 9", "its checksum is wrong"),
        ("DELETE FROM poll WHERE seq = 9", "the next one is number 10"),
        ("DELETE FROM poll WHERE seq > 8", "12 entries were written"),
    ],
)
def test_a_journal_that_is_damaged(tmp_path: Path, statement: str, why: str) -> None:
    path = old(tmp_path / "run.h5")
    with closing(sqlite3.connect(files.journal_of(path))) as db, db:
        db.execute(statement)
    recovered = recover(path)
    assert (recovered.status, recovered.rows) == ("recovered", 80)
    assert "up to entry 8" in recovered.message and why in recovered.message
    check(path, 8)
    assert rows.names_in(tmp_path) == ["run.h5", "run.h5.journal.damaged"]


@pytest.mark.parametrize("changed", [{"tables": 5}, {"tables": [{"name": "samples"}]}, {}])
def test_a_header_that_does_not_describe_its_rows(tmp_path: Path, changed: dict[str, Any]) -> None:
    path = old(tmp_path / "run.h5")
    with closing(JournalReader(path)) as reader:
        header = {name: value for name, value in reader.header.items() if name != "tables"} | changed
    with closing(sqlite3.connect(files.journal_of(path))) as db, db:
        content = json.dumps(header).encode()
        row = content, zlib.crc32(content)
        db.execute("UPDATE document SET json = ?, crc = ? WHERE name = 'header'", row)
    with pytest.raises(JournalDamage, match="its header does not describe its tables"):
        JournalReader(path)


def test_its_sensors_beside_it(tmp_path: Path) -> None:
    path = old(tmp_path / "run.h5", sensors=[OVEN.as_json()])
    sensed(path, [("oven", readings(0, 10)), ("oven", readings(10, 5))])
    recover(path)
    check(path)
    with open_run(path) as run:
        assert run.aux["oven"].time.tolist() == list(range(15))
    assert rows.names_in(tmp_path) == ["run.h5"]


@pytest.mark.parametrize("place", ["run", "temp", "home"])
def test_what_its_disk_did_not_take(disks: Disks, place: str) -> None:
    path, header = disks.path, rows.header()
    given = reads()
    old_journal.written(path, header, given[:7])
    name = f"x.h5.{header['run_id']}.rest.journal"
    rest = getattr(disks, place) / name
    old_journal.written(path, header, given[7:], END, file=rest, first=8)
    with closing(sqlite3.connect(rest)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
    assert [entry.seq for entry in entries_in(path)] == list(range(1, 13))
    outcome = seal(path)
    assert (outcome.status, outcome.rows) == ("stopped", 120)
    check(path)
    assert disks.litter() == ["run/x.h5"]


def test_of_another_run_nothing_is_taken(disks: Disks) -> None:
    path, header = disks.path, rows.header()
    old_journal.written(path, header, reads()[:7])
    rest = disks.home / f"x.h5.{header['run_id']}.rest.journal"
    old_journal.written(path, rows.header(), reads()[7:], END, file=rest, first=8)
    assert seal(path).rows == 70
    assert rest.exists()


def test_it_cannot_be_booked_anew_and_says_so(tmp_path: Path) -> None:
    path = old(tmp_path / "run.h5")
    recover(path)
    before = path.read_bytes()
    with pytest.raises(RecordError) as told:
        recover(path, again=True)
    assert str(told.value).endswith(
        f"{path} cannot be booked anew: an older nakctl recorded it, and kept no more than its tables"
    )
    assert path.read_bytes() == before
    assert rows.names_in(tmp_path) == ["run.h5"]


def test_columns_that_are_no_longer_there_keep_their_place(tmp_path: Path) -> None:
    """A table is read as its journal describes it, whatever it looks like today."""
    known = dict(layout.tables({}))
    extra = Column("pressure", "<f8", "Pa", "pressure / Pa")
    known["samples"] = Table(
        "samples", "NXdata", (*layout.SAMPLES.columns, extra), 1024, 16384, "Ewe", "time", ("I",)
    )
    made = np.zeros(10, known["samples"].dtype)
    for name in layout.SAMPLES.names:
        made[name] = rows.samples(0, 10)[name]
    made["pressure"] = np.arange(10)
    path = tmp_path / "run.h5"
    old_journal.written(path, rows.header(), [({"samples": made}, ())], END, tables=known)
    assert recover(path).rows == 10
    with open_run(path) as run:
        assert run.samples["pressure"].tolist() == list(range(10))
        np.testing.assert_array_equal(run.samples.Ewe, rows.samples(0, 10)["Ewe"])


def test_it_is_read_as_entries_that_were_booked(tmp_path: Path) -> None:
    path = old(tmp_path / "run.h5")
    found = entries_in(path)
    assert {entry.kind for entry in found} == {"booked"}
    for entry, (given, events) in zip(found, reads(), strict=True):
        assert {name: table.tobytes() for name, table in entry.tables.items()} == {
            name: table.tobytes() for name, table in given.items()
        }
        assert list(entry.events) == list(events)
    with closing(JournalReader(path)) as reader:
        assert (reader.program(), reader.memo()) == (None, None)
        assert reader.end() == END | {"entries": READS}
