"""Codes of ends: booked in new files, and understood from the sentences of old ones."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import record_rows as rows

from nakctl.device.ends import ENDED_BY
from nakctl.record import layout
from nakctl.record.journal import Journal
from nakctl.record.read import open_run
from nakctl.record.seal import seal
from nakctl.record.table import Table


def test_the_tables_of_ends_chains_and_ties(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    journal = Journal.create(path, rows.header())
    chains = np.array([(1, 0.5, 1e-3, 0.0, 0.5, 0, 1, 0.0)], layout.CHAINS.dtype)
    ties = np.array([(1, 600.0, 600.6, 2e-3)], layout.TIES.dtype)
    journal.append({"ends": rows.ends(), "chains": chains, "ties": ties})
    journal.end("completed", "charge above 1 mAh", {}, end_kind="cutoff", end_id=1)
    journal.close()
    seal(path)
    run = open_run(path)
    assert run.ends.text.tolist() == ["charge above 1 mAh", "Ewe above 3 V"]
    assert (run.chains.step_after.tolist(), run.ties.elapsed.tolist()) == ([1], [600.0])
    assert (run.header.end.kind, run.header.end.quantity, run.header.end.side) == (
        "cutoff",
        "charge",
        "above",
    )
    assert np.isnan(run.header.end.value)


@pytest.mark.parametrize(
    ("quantity", "units"), [("Ewe", "V"), ("short", "V"), ("|I|", "A"), ("charge", "C"), ("time", "s")]
)
def test_the_value_that_ended_a_run_has_its_unit(tmp_path: Path, quantity: str, units: str) -> None:
    path = tmp_path / "run.h5"
    journal = Journal.create(path, rows.header())
    ends = rows.ends()[:1]
    ends["quantity"] = quantity.encode()
    journal.append({"ends": ends})
    journal.end("completed", "as wanted", {}, end_kind="goal", end_id=1, end_value=0.01)
    journal.close()
    seal(path)
    with h5py.File(path) as file:
        assert file["entry/end_value"].attrs["units"] == units
        assert file["entry/end_value"][()] == 0.01


OLD_TABLES = ("samples", "impedance", "spectra", "events", "clock")


def old(path: Path, step_ends: list[str], run_end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file from before there were codes: no tables of ends, chains, ties, and sentences alone."""
    known = layout.tables({})
    columns = tuple(c for c in layout.STEPS.columns if c.name not in ("end_kind", "end_id", "end_value"))
    old_steps = Table("steps", "NXcollection", columns, 64, 1024)
    with monkeypatch.context() as patched:
        tables = {name: known[name] for name in OLD_TABLES} | {"steps": old_steps}
        patched.setattr(layout, "tables", lambda header: tables)
        journal = Journal.create(path, rows.header())
        booked = np.zeros(len(step_ends), old_steps.dtype)
        booked["end_reason"] = [text.encode() for text in step_ends]
        journal.append({"samples": rows.samples(0, 10), "steps": booked})
        journal._flush(
            json.dumps({"status": "completed", "end_reason": run_end, "facts": {}, "polls": 1}).encode()
        )
        journal.close()
    seal(path)


def test_the_sentences_of_an_old_file_are_read_as_codes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentences = {
        "duration": "duration",
        "short": "rule",
        "limit: Ewe above 3 V": "limit",
        "limit": "limit",
        "limit: press above 12 MPa": "limit",
        "Ewe above 0.2 V": "cutoff",
        "|I| below 1e-05 A": "cutoff",
        "charge above 3.6 C": "cutoff",
        "chamber within 0.5 K of 60 degC for 10 min": "settled",
        "timed out: chamber within 0.5 K of 60 degC for 10 min": "timeout",
        "stopped by the operator": "operator",
        "all steps done": "steps done",
        "the channel stopped by itself in step 1 strip": "interrupted",
        "the channel does not answer": "",
    }
    path = tmp_path / "run.h5"
    old(path, list(sentences), "Ewe above 3 V", monkeypatch)
    run = open_run(path)
    assert run.steps.end_kind.tolist() == list(sentences.values())
    assert set(run.steps.end_kind) <= {"", *ENDED_BY}
    assert run.steps.end_id.tolist() == [0] * len(sentences)
    assert np.isnan(run.steps.end_value).all()
    assert (run.header.end.kind, run.header.end.quantity, run.header.end.side) == ("cutoff", "Ewe", "above")
    for table in (run.ends, run.chains, run.ties):
        assert len(table) == 0
        assert {len(table[name]) for name in table.names} == {0}
    assert run.ends.quantity.tolist() == []


def test_a_code_is_believed_whatever_the_sentence_says(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    journal = Journal.create(path, rows.header())
    booked = np.concatenate([rows.step(1), rows.step(2)])
    booked["end_kind"], booked["end_reason"] = [b"limit", b"settled"], b"short"
    journal.append({"steps": booked})
    journal.end("interrupted", "Ewe above 3 V", {}, end_kind="interrupted")
    journal.close()
    seal(path)
    run = open_run(path)
    assert (run.header.end.kind, run.header.end.quantity) == ("interrupted", "")
    assert run.steps.end_kind.tolist() == ["limit", "settled"]
