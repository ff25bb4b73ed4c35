"""Codes of ends: booked in new files, and understood from the sentences of old ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import old_journal
import pytest
import record_rows as rows

from nakctl.booking import layout
from nakctl.booking.entry import Entry
from nakctl.booking.table import Table
from nakctl.device import program_json
from nakctl.device.ends import ENDED_BY
from nakctl.record.journal import Journal
from nakctl.record.read import open_run
from nakctl.record.seal import seal


def test_the_tables_of_ends_chains_and_ties(tmp_path: Path) -> None:
    tie = Entry("tie", 1, 600.6, facts={"elapsed_s": 600.0, "time_s": 600.6, "error_s": 2e-3})
    end = rows.ended(end_reason="charge above 1 mAh", end_kind="cutoff", end_id=1)
    path = rows.journal_with(tmp_path / "run.h5", [[*rows.opening(start_s=0.5), tie]], end)
    seal(path)
    run = open_run(path)
    assert run.ends.text.tolist() == ["charge above 1 mAh", "Ewe above 3 V"]
    assert (run.chains.step_after.tolist(), run.ties.elapsed.tolist()) == ([1], [600.0])
    assert (run.chains.time.tolist(), run.chains.open.tolist()) == ([0.5], [0.5])
    assert (run.ties.time.tolist(), run.ties.chain.tolist()) == ([600.6], [1])
    assert (run.header.end.kind, run.header.end.quantity, run.header.end.side) == (
        "cutoff",
        "charge",
        "above",
    )
    assert np.isnan(run.header.end.value)


@pytest.mark.parametrize(
    ("quantity", "units"), [("Ewe", "V"), ("short", "V"), ("|I|", "A"), ("charge", "C"), ("time", "s")]
)
def test_the_value_that_ended_a_run_has_its_unit(tmp_path: Path, quantity: Any, units: str) -> None:
    path = tmp_path / "run.h5"
    ends = tuple(replace(end, quantity=quantity) for end in rows.PROGRAM.ends)
    journal = Journal.create(path, rows.header(), program_json.dump(replace(rows.PROGRAM, ends=ends)))
    journal.append(rows.opening())
    journal.end(rows.ended(end_reason="as wanted", end_kind="goal", end_id=1, end_value=0.01))
    journal.close()
    seal(path)
    with h5py.File(path) as file:
        assert file["entry/end_value"].attrs["units"] == units
        assert file["entry/end_value"][()] == 0.01


OLD_TABLES = ("samples", "impedance", "spectra", "events", "clock")


def old(path: Path, step_ends: list[str], run_end: str) -> None:
    """A file from before there were codes: no tables of ends, chains, ties, and sentences alone."""
    known = layout.tables({})
    columns = tuple(c for c in layout.STEPS.columns if c.name not in ("end_kind", "end_id", "end_value"))
    old_steps = Table("steps", "NXcollection", columns, 64, 1024)
    tables = {name: known[name] for name in OLD_TABLES} | {"steps": old_steps}
    booked = np.zeros(len(step_ends), old_steps.dtype)
    booked["end_reason"] = [text.encode() for text in step_ends]
    poll = {"samples": rows.samples(0, 10), "steps": booked}
    end = {"status": "completed", "end_reason": run_end, "facts": {}}
    old_journal.written(path, rows.header(), [(poll, ())], end, tables=tables)
    seal(path)


def test_the_sentences_of_an_old_file_are_read_as_codes(tmp_path: Path) -> None:
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
    old(path, list(sentences), "Ewe above 3 V")
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
    booked = np.zeros(2, layout.STEPS.dtype)
    booked["end_kind"], booked["end_reason"] = [b"limit", b"settled"], b"short"
    end = old_journal.ended("interrupted", "Ewe above 3 V", end_kind="interrupted")
    old_journal.written(path, rows.header(), [({"steps": booked}, ())], end)
    seal(path)
    run = open_run(path)
    assert (run.header.end.kind, run.header.end.quantity) == ("interrupted", "")
    assert run.steps.end_kind.tolist() == ["limit", "settled"]
