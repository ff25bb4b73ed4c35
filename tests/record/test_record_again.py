"""Booked anew: a sealed file gives the same once more, and a mended program gives what a faulty one could not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import record_rows as rows
from forked_helpers import done
from record_live import LiveFile

from nakctl.booking.entry import Entry
from nakctl.booking.ledger import Booked, Ledger
from nakctl.device import sensor_journal
from nakctl.device.sensor import SensorSpec
from nakctl.errors import RecordError
from nakctl.record import files
from nakctl.record.read import open_run
from nakctl.record.recover import recover
from nakctl.record.seal import seal
from nakctl.record.slot import Slot

OVEN = SensorSpec("oven", "modbus", "sim://", "degC", "temperature", 1.0, 273.15, 1.0, 0.5)
PRESS = SensorSpec(
    "press", "serial", "sim://", "MPa", "pressure", 1e6, 0.0, 1.0, 0.5, points=((0.0, 0.1), (1.0, 2.0))
)


def in_bytes(value: Any) -> Any:
    """So that what is no number equals itself."""
    array = np.asarray(value)
    return array.tolist() if array.dtype == object else array.tobytes()


def all_of(path: Path) -> dict[str, Any]:
    """Every dataset, and every attribute but the time of writing, and that it was written anew."""
    found: dict[str, Any] = {name: in_bytes(value) for name, value in rows.datasets(path).items()}

    def visit(name: str, item: Any) -> None:
        found[f"{name}@"] = {key: str(value) for key, value in item.attrs.items()}

    with h5py.File(path) as file:
        file.visititems(visit)
        found["@"] = {
            key: str(value)
            for key, value in file.attrs.items()
            if key not in ("file_time", "file_name", "crc32")
        }
        for name in ("entry/booked_again", "entry/booked_again@"):
            found.pop(name, None)
        found["documents"] = file["entry/raw/documents/byte"][()].tobytes() if "entry/raw" in file else b""
    return found


def booked_anew(path: Path) -> None:
    """All is as it was, bit by bit."""
    before, place = all_of(path), path.stat().st_ino
    again = recover(path, again=True)
    assert path.stat().st_ino != place  # it was written anew
    after = all_of(path)
    assert before.keys() == after.keys()
    different = [name for name in before if before[name] != after[name] and name != "documents"]
    assert different == []
    assert sorted(before["documents"]) == sorted(after["documents"])  # in whatever order
    with open_run(path) as run:
        assert (again.status, again.rows) == (run.header.status, len(run.samples))
    assert [name for name in rows.names_in(path.parent) if not name.endswith(".damaged")] == [path.name]


MORE = [*rows.spectra(3, 2), rows.over()]


def test_a_whole_run(tmp_path: Path) -> None:
    booked_anew(rows.sealed(tmp_path / "run.h5", 30, more_entries=MORE))


def test_a_killed_run_with_lost_blocks(tmp_path: Path) -> None:
    path = rows.journal_only(tmp_path / "run.h5", 30, end=False, more_entries=MORE[:-1])
    slot = Slot(path)
    slot.begin(5)
    slot.keep(3)
    slot.close()
    seal(path)
    booked_anew(path)
    with open_run(path) as run:
        assert run.header.gaps == 1
        assert run.steps.end_kind[-1] == "unclosed"
        assert run.spectra.complete.tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET crc = 0 WHERE seq = 20",
        "DELETE FROM entry WHERE seq > 20",
        "UPDATE document SET crc = 0 WHERE name = 'end'",
    ],
)
def test_a_run_whose_journal_is_damaged(tmp_path: Path, statement: str) -> None:
    path = rows.journal_only(tmp_path / "run.h5", 30, more_entries=MORE)
    with closing(sqlite3.connect(files.journal_of(path))) as db, db:
        db.execute(statement)
    seal(path)
    with open_run(path) as run:
        assert run.header.status == "recovered"
        assert run.steps.end_kind[-1] == ("steps done" if "document" in statement else "unclosed")
    booked_anew(path)


def sensed(path: Path, blocks: Sequence[tuple[str, bytes]]) -> None:
    """What the sensors' process leaves beside a run."""
    with closing(sqlite3.connect(sensor_journal.aux_of(path))) as db, db:
        db.execute(sensor_journal.SCHEMA)
        for name, block in blocks:
            db.execute(sensor_journal.INSERT, (name, sensor_journal.checksum(name, block), block))


def readings(start: int, count: int) -> bytes:
    k = np.arange(start, start + count)
    found = np.zeros(count, sensor_journal.READING)
    found["time"], found["value"], found["time_error"] = k, 20 + k % 7, 0.01
    return found.tobytes()


TIES = np.array([(0.0, 100.0, 1e-3), (9.0, 109.0, 2e-3)], sensor_journal.CLOCK_TIE).tobytes()


@pytest.mark.parametrize("spoilt", [False, True])
def test_a_run_with_sensors(tmp_path: Path, spoilt: bool) -> None:
    """Some readings are in the run's own journal, and the last ones came beside it. spoilt: not all of those."""
    path = tmp_path / "run.h5"
    blocks = [("oven", readings(0, 10)), ("press", readings(0, 5)), ("", TIES)]
    taken = [
        Entry("sensed", 0, 1.0 * k, facts={"sensor": name, "block": k}, raw=block)
        for k, (name, block) in enumerate(blocks, 1)
    ]
    later = [("oven", readings(10, 10)), ("press", readings(5, 5)), ("oven", readings(20, 3))]
    header = {"sensors": [spec.as_json() for spec in (OVEN, PRESS)]}
    rows.journal_only(path, 20, end=False, more_entries=[*taken, rows.noted(3)], **header)
    sensed(path, [*blocks, *later])
    if spoilt:
        with closing(sqlite3.connect(sensor_journal.aux_of(path))) as db, db:
            db.execute("UPDATE block SET crc = 0 WHERE seq = 6")
    seal(path)
    with open_run(path) as run:
        assert run.aux["oven"].time.tolist() == list(range(20 if spoilt else 23))
        assert run.aux["press"].value.tolist() == [20.0 + k % 7 for k in range(10)]
    with h5py.File(path) as file:
        assert ("damage" in file["entry/aux"].attrs) == spoilt
    for kept in tmp_path.glob("*.aux.damaged*"):
        kept.unlink()
    booked_anew(path)


# --- a fault of the booking ----------------------------------------------------------------------------


def faulty(at_row: int) -> Callable[..., Booked]:
    """A booking that breaks down at this row."""
    book = Ledger.book

    def breaks(self: Ledger, given: rows.Rows, points: rows.Rows, *more: Any, **named: Any) -> Booked:
        if self.rows + len(given) + len(points) > at_row:
            raise IndexError("index 7 is out of bounds")
        return book(self, given, points, *more, **named)

    return breaks


@pytest.mark.parametrize("end", [True, False])
@pytest.mark.parametrize("at_row", [0, 95, 210])
def test_a_run_that_could_not_be_booked_is_whole_with_a_mended_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_row: int, end: bool
) -> None:
    expected = rows.sealed(tmp_path / "expected.h5", 20, end=end, more_entries=MORE)
    path = rows.journal_only(tmp_path / "run.h5", 20, end=end, more_entries=MORE)
    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "book", faulty(at_row))
        outcome = seal(path)
    assert outcome.sealed and outcome.rows <= at_row
    assert rows.names_in(tmp_path) == ["expected.h5", "run.h5"]
    with h5py.File(path) as file:
        entry = file["entry"]
        told = entry["unbooked"].asstr()[()]
        assert "not all that was recorded could be booked, through a fault of nakctl" in told
        assert "test_record_again.py, line" in told and "nakctl recover --again" in told
        assert "IndexError" not in told
        assert len(entry["raw/entries/seq"]) == len(rows.run_of(20)) + len(MORE)
        assert len(entry["raw/samples/time_s"]) == 200
        assert len(entry["raw/points/time_s"]) == 12
        assert entry["run_status"].asstr()[()] == ("completed" if end else "recovered")
        booked = rows.booked([*rows.run_of(20), *MORE])["samples"]
        np.testing.assert_array_equal(entry["samples/Q"][()], booked["Q"][: outcome.rows])
    recovered = recover(path, again=True)
    assert recovered.rows == 212
    found, whole = rows.datasets(path), rows.datasets(expected)
    assert found.keys() == whole.keys()  # without `unbooked`
    for name, values in whole.items():
        if name != "entry/recovery":
            np.testing.assert_array_equal(found[name], values, err_msg=name)
    with open_run(path) as run:
        assert run.header.sealed


def test_what_was_booked_before_the_fault_is_in_the_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reads that brought no more than samples are booked together, so this is a chain before another."""
    path = rows.journal_only(tmp_path / "run.h5", 20, more_entries=MORE)
    monkeypatch.setattr(Ledger, "book", faulty(200))
    assert seal(path).rows == 200
    with open_run(path) as run:
        assert len(run.chains) == 2
        assert run.steps.step_count.tolist() == [1, 2, 3]


def test_a_live_view_that_shows_more_is_no_reason_to_call_the_journal_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It books a few reads at a time, and so it came nearer to the fault."""
    path = tmp_path / "run.h5"
    live = LiveFile(path)
    monkeypatch.setattr(Ledger, "book", faulty(100))
    for k in range(20):
        live.append(k * 10, 10)
    assert (live.writer.tables["samples"].rows, bool(live.writer.unbooked)) == (100, True)
    torn = path.read_bytes()
    live.close()
    path.write_bytes(torn)
    outcome = seal(path)
    assert outcome.rows < 100 and "live view" not in outcome.message and "damaged" not in outcome.message
    assert rows.names_in(tmp_path) == ["run.h5"]
    monkeypatch.undo()
    assert recover(path, again=True).rows == 200


# --- what cannot be ------------------------------------------------------------------------------------


def test_rows_that_only_the_live_view_had_are_not_given_up(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    live = LiveFile(path)
    for k in range(10):
        live.append(k * 10, 10)
    torn = path.read_bytes()
    live.close()
    path.write_bytes(torn)
    with closing(sqlite3.connect(files.journal_of(path))) as db, db:
        db.execute("UPDATE entry SET crc = 0 WHERE seq = 8")
    assert seal(path).rows == 100
    before = path.read_bytes()
    with pytest.raises(
        RecordError, match="cannot be booked anew: some of its rows are from the live view alone"
    ):
        recover(path, again=True)
    assert path.read_bytes() == before


def test_what_is_not_sealed_is_sealed(tmp_path: Path) -> None:
    path = rows.journal_only(tmp_path / "run.h5", 20)
    assert recover(path, again=True).rows == 200
    booked_anew(path)


def test_without_asking_nothing_is_booked_anew(tmp_path: Path) -> None:
    path = rows.sealed(tmp_path / "run.h5", 20)
    before = path.read_bytes()
    recover(path)
    assert path.read_bytes() == before


KILL_AT = """
import os, sys
from pathlib import Path
from nakctl.record.seal import seal
seal(Path(sys.argv[1]), lambda stage: os._exit(9) if stage == sys.argv[2] else None, again=True)
"""


@pytest.mark.parametrize(
    "stage", ["writing", "written", "synced", "verified", "concluded", "replaced", "cleared"]
)
def test_a_kill_while_a_file_is_booked_anew_leaves_it_or_the_new_one(tmp_path: Path, stage: str) -> None:
    path = rows.sealed(tmp_path / "run.h5", 20)
    before = all_of(path)
    killed = done(KILL_AT, path, stage, helpers=True)
    assert killed.returncode == 9
    after = all_of(path)
    assert [name for name in before if before[name] != after[name] and name != "documents"] == []
    assert recover(path).rows == 200
    assert rows.names_in(tmp_path) == ["run.h5"]
