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

from nakctl.errors import RecordError
from nakctl.record import files
from nakctl.record.journal import Journal
from nakctl.record.poll import Event
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
    journal = Journal.create(path, rows.header(note="caf\udce9"))
    journal.append(
        {"samples": rows.samples(0, 10)}, [Event(0.0, 1, "sensor", 0, "said \udcff", {"raw": "\udcff"})]
    )
    journal.end("completed", "\udcff", {"word": "\udcff"})
    journal.close()
    seal(path)
    with open_run(path) as run:
        assert run.header.note == "caf\\udce9"
        assert run.header.end_reason == "\\udcff"
        assert run.events.message[0] == "said ?"


@pytest.mark.parametrize("last", [np.nan, np.inf, -np.inf, 1e300])
def test_rows_whose_time_or_potential_is_no_number(last: float, tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    made = rows.samples(0, 10)
    made["time"][-1] = last
    made["Ewe"][3:] = np.nan
    recorder = Recorder.create(path, rows.header())
    recorder.append({"samples": made})
    recorder.append({}, [Event(np.nan, 2, "odd", 0, "no time")])
    recorder.append({"samples": rows.samples(10, 10)[:0]})
    recorder.note(1, "late", "at the time of the last row")
    assert recorder.finish("interrupted", "no values").sealed
    with open_run(path) as run:
        np.testing.assert_array_equal(run.samples.time, made["time"])
        assert np.isnan(run.samples.Ewe[3:]).all()
        assert run.header.duration_s == (1e300 if last == 1e300 else 2.0)
        assert run.header.status == "interrupted"


def test_a_column_of_nothing_but_nan_lasts_no_time(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    made = np.concatenate([rows.samples(0, 10_000)])
    made["time"][1:] = np.nan
    journal = Journal.create(path, rows.header())
    journal.append({"samples": made})
    journal.close()
    assert "in step" in seal(path).message
    with open_run(path) as run:
        assert run.header.duration_s == 0.0


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
    "end", ["x", {"status": "completed"}, {"status": 1, "end_reason": 2, "facts": 3, "polls": 4}]
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
