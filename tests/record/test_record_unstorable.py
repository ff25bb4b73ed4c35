"""Headers and rows that HDF5 cannot hold, or that mean nothing: the rows are sealed all the same."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import record_rows as rows

from nakctl.booking.entry import event_entry
from nakctl.booking.event import Event
from nakctl.device.channel import Flag
from nakctl.errors import RecordError
from nakctl.record import files
from nakctl.record.read import open_run
from nakctl.record.recorder import Recorder
from nakctl.record.recover import recover
from nakctl.record.seal import seal


def forge(path: Path, name: str, change: Callable[[Any], Any]) -> None:
    """Change a document of a journal, with a checksum that is right."""
    with closing(sqlite3.connect(files.journal_of(path))) as db, db:
        [[content]] = db.execute("SELECT json FROM document WHERE name = ?", (name,)).fetchall()
        changed = json.dumps(change(json.loads(content))).encode()
        db.execute(
            "UPDATE document SET json = ?, crc = ? WHERE name = ?", (changed, zlib.crc32(changed), name)
        )


def with_header(path: Path, **changed: Any) -> None:
    rows.journal_only(path, 20)
    forge(path, "header", lambda header: header | changed)


@pytest.mark.parametrize(
    ("changed", "left_out"),
    [
        ({"seed": 2**70}, ["/entry/environment/seed"]),
        ({"seed": float("nan")}, []),
        ({"note": "half a letter: \ud800, an end: \0"}, []),
        ({"title": "\udcff"}, []),
        ({"sample": {"name": None, "area_cm2": None, "facts": {"p": {"q": None}}}}, []),
        ({"sample": "none", "environment": None, "git": [1], "plan": 7, "instrument": "x", "user": 0}, []),
        ({"sample": {"area_cm2": 2**5000, "facts": {"big": 2**70}}}, ["/entry/sample/electrode_area"]),
        ({"environment": {"a/b": "x", "": "y", "\ud800": "z"}}, ["/entry/environment/"]),
        ({"format": float("nan")}, []),
        ({"format": 2**70, "start_time": None}, []),
    ],
)
def test_a_header_that_hdf5_cannot_hold(changed: dict[str, Any], left_out: list[str], tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    with_header(path, **changed)
    assert seal(path).rows == 200
    with h5py.File(path, "r") as file:
        entry = file["entry"]
        np.testing.assert_array_equal(entry["samples/Ewe"][()], rows.samples(0, 200)["Ewe"])
        told = json.loads(entry["not_stored"].asstr()[()]) if "not_stored" in entry else {}
    assert list(told) == left_out
    assert rows.names_in(tmp_path) == ["run.h5"]


def test_text_that_is_no_utf_8_is_kept_as_far_as_it_can_be(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    told = event_entry(Event(0.0, 1, "sensor", 0, "said \udcff", {"raw": "\udcff"}))
    end = rows.ended(end_reason="\udcff", facts={"word": "\udcff"})
    rows.journal_with(path, [[*rows.opening(), rows.said(0, 10), told]], end, note="caf\udce9")
    seal(path)
    with open_run(path) as run:
        assert run.header.note == "caf\\udce9"
        assert run.header.end_reason == "\\udcff"
        assert run.events.message[1] == "said ?"


@pytest.mark.parametrize("last", [np.nan, np.inf, -np.inf, 1e300])
def test_rows_whose_time_or_potential_is_no_number(last: float, tmp_path: Path) -> None:
    """A time that is none becomes that of the row before, flagged; as it was given it stands in the raw rows."""
    path = tmp_path / "run.h5"
    made = rows.given(0, 10)
    made["time_s"][-1] = last
    made["Ewe_V"][3:] = np.nan
    recorder = Recorder.create(path, rows.header(), rows.PROGRAM_JSON)
    recorder.append(rows.opening())
    recorder.append([rows.said(0, 10, samples=made, time_s=last)])
    recorder.append([event_entry(Event(np.nan, 2, "odd", 0, "no time"))])
    recorder.append([rows.said(10, 0, time_s=2.0)])
    recorder.note(1, "late", "at the time of the last row")
    assert recorder.finish("interrupted", "no values").sealed
    booked_s = 1e300 if last == 1e300 else 2.0
    with open_run(path) as run:
        np.testing.assert_array_equal(run.samples.time, [*made["time_s"][:-1], booked_s])
        assert bool(run.samples.flags[-1] & Flag.BAD_TIME) == (last != 1e300)
        assert (run.samples.flags[3:] & Flag.NO_VALUE).all()
        assert np.isnan(run.samples.Ewe[3:]).all()
        assert run.header.duration_s == booked_s
        assert run.header.status == "interrupted"
        assert run.events.code.tolist() == ["segment", "odd", "late"]
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["entry/raw/samples/time_s"][()], made["time_s"])


def test_a_column_of_nothing_but_nan_lasts_no_time(tmp_path: Path) -> None:
    made = rows.given(0, 10_000)
    made["time_s"][1:] = np.nan
    path = rows.journal_with(tmp_path / "run.h5", [rows.opening(), [rows.said(0, 10_000, samples=made)]])
    assert "in step" in seal(path).message
    with open_run(path) as run:
        assert run.header.duration_s == 0.0
        assert len(run.samples) == 10_000


@pytest.mark.parametrize(
    ("document", "content", "why"),
    [
        ("header", "run", "its header is no table of values"),
        ("header", [], "its header is no table of values"),
        ("header", {"title": "no tables"}, "its header does not describe its tables"),
        ("header", {"tables": ["samples"]}, "its header does not describe its tables"),
        (
            "header",
            {"tables": [{"name": "samples", "columns": 7, "auxiliary_signals": []}]},
            "does not describe",
        ),
        ("header", {"journal": 3}, "it is of version 3: a newer nakctl wrote it"),
        ("header", {"journal": "x"}, "it is of version x: a newer nakctl wrote it"),
        ("header", {"journal": 2}, "its header does not describe its rows"),
        ("header", {"journal": 2, "rows": 5}, "its header does not describe its rows"),
        (
            "header",
            {"journal": 2, "rows": {"samples": [["a", "b"]]}},
            "its header does not describe its rows",
        ),
    ],
)
def test_a_forged_journal_is_refused_in_a_sentence(
    document: str, content: Any, why: str, tmp_path: Path
) -> None:
    path = tmp_path / "run.h5"
    rows.journal_only(path, 20)
    forge(path, document, lambda old: content)
    with pytest.raises(RecordError, match=why) as refused:
        seal(path)
    assert "Error" not in str(refused.value)
    assert rows.names_in(tmp_path) == [
        "run.h5.journal",
        *(["run.h5.lock"] if files.lock_of(path).exists() else []),
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"version": 99}, "it has the version 99, this nakctl reads version 1"),
        ({"version": 1, "program": {}}, r"program\.instrument is missing"),
        ([], "its program is no table of values"),
    ],
)
def test_a_forged_program_is_refused_in_a_sentence(content: Any, why: str, tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    rows.journal_only(path, 20)
    forge(path, "program", lambda old: content)
    with pytest.raises(RecordError, match=f"not sealed: the journal is damaged .*{why}"):
        recover(path)
    assert set(rows.names_in(tmp_path)) <= {"run.h5.journal", "run.h5.lock"}


@pytest.mark.parametrize(
    "end",
    [
        "x",
        {"status": "completed"},
        {"status": 1, "end_reason": 2, "facts": 3, "entries": 4},
        {"status": "completed", "end_reason": "", "facts": {}},
    ],
)
def test_a_forged_end_is_none(end: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    rows.journal_only(path, 20)
    forge(path, "end", lambda old: end)
    sealed = seal(path)
    assert (sealed.status, sealed.rows) == ("recovered", 200)


def test_what_nobody_foresaw_is_a_sentence_too_and_leaves_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    rows.journal_only(path, 20)
    forge(path, "header", lambda header: header | {"sensors": 5})
    with pytest.raises(RecordError, match="cannot be made sense of") as refused:
        recover(path)
    assert "Traceback" in "".join(refused.value.__notes__)  # for who asks with --debug
    assert not files.temporary_of(path).exists()
    assert files.journal_of(path).exists()
