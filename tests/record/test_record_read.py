from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import record_rows as rows

import nakctl
from nakctl.device.ends import ENDED_BY
from nakctl.errors import InputError, RecordError
from nakctl.record import files, layout
from nakctl.record.journal import Journal
from nakctl.record.journal_reader import JournalReader
from nakctl.record.read import open_run
from nakctl.record.replay import LIBVER, Replay
from nakctl.record.seal import seal


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rows.sealed(tmp_path_factory.mktemp("read") / "run.h5")


def test_the_arrays_of_a_sealed_run(path: Path) -> None:
    with nakctl.open(str(path)) as run:
        assert len(run.samples) == 200
        expected = rows.samples(0, 200)
        for name in run.samples.names:
            np.testing.assert_array_equal(run.samples[name], expected[name])
        assert run.samples.I is run.samples["I"]
        assert run.steps.label.tolist() == ["strip 0.1 mA/cm²"] * 4
        assert run.steps.step_count.tolist() == [0, 1, 2, 3]
        assert run.spectra.spectrum.tolist() == []
        assert run.events.code.tolist() == ["note"] * 3
        assert run.clock.names == ("time", "unix_time")
        assert "Ewe" in dir(run.samples)


def test_the_header_of_a_sealed_run(path: Path) -> None:
    header = open_run(path).header
    assert header.title == "SIMULATED ccd on NaK50"
    assert (header.simulated, header.sealed, header.status) == (True, True, "completed")
    assert (header.end_reason, header.recovery) == ("as planned", "")
    assert (header.cell, header.area_cm2, header.duration_s) == ("NaK50", 0.5, 49.75)
    assert header.plan == {"steps": [1, 2]}
    assert header.protocol == "nakctl: 1\nname: größer\n"
    assert header.params == {"levels": ["0.1 mA/cm2"]}
    assert header.results["ccd"] == {"value": 0.4, "units": "mA/cm2"}
    assert header.results["shorted"] == 1
    assert header.environment["packages"] == {"numpy": "2"}
    assert header.instrument["facts"] == {"serial": "0"}
    assert (header.note, header.gaps) == ("first try", 0)


def test_what_a_header_may_leave_out(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    known = {"format": 1, "run_id": "1", "start_time": "2026-03-01T09:30:00Z", "title": "x"}
    journal = Journal.create(path, known)
    journal.append({}, [rows.event(0, layout.GAP_CODE), rows.event(1)])
    journal.end("completed", "", {})
    journal.close()
    seal(path)
    header = open_run(path).header
    assert (header.area_cm2, header.cell, header.plan, header.protocol) == (None, "", {}, "")
    assert (header.simulated, header.gaps) == (False, 1)


def test_a_spectrum_by_its_number(path: Path) -> None:
    run = open_run(path)
    frequency_Hz, z_ohm = run.spectrum(2)
    expected = rows.impedance(2)
    np.testing.assert_array_equal(frequency_Hz, expected["frequency"])
    np.testing.assert_array_equal(z_ohm, expected["Z_re"] + 1j * expected["Z_im"])
    with pytest.raises(InputError, match="no spectrum 9; there are: 1, 2, 3, 4"):
        run.spectrum(9)


def test_unknown_columns_name_the_known_ones(path: Path) -> None:
    run = open_run(path)
    with pytest.raises(AttributeError, match="no column Ewe_V; it has time, Ewe") as error:
        _ = run.samples.Ewe_V
    assert isinstance(error.value.__cause__, KeyError)


def test_the_file_is_not_held_open(path: Path) -> None:
    run = open_run(path)
    assert len(run.samples.time) == 200
    with h5py.File(path, "r+") as file:  # refused while any handle of this process is open for reading
        assert file["entry"].attrs["default"] == "plot"
    run.close()
    assert len(run.samples.time) == 200


class LiveFile:
    """A live view in this process, as the helper writes it."""

    def __init__(self, path: Path) -> None:
        self.journal = Journal.create(path, rows.header())
        self.reader = JournalReader(path)
        self.file = h5py.File(path, "w", libver=LIBVER, locking=False)
        self.replay = Replay(self.file, self.reader, sealed=False)
        self.file.swmr_mode = True

    def append(self, start: int, count: int) -> None:
        self.journal.append({"samples": rows.samples(start, count)})
        for poll in self.reader.polls(after=self.replay.seq):
            self.replay.add(poll)
        self.replay.write()
        self.file.flush()

    def close(self) -> None:
        self.file.close()
        self.reader.close()
        self.journal.close()


@pytest.fixture
def live(tmp_path: Path) -> LiveFile:
    return LiveFile(tmp_path / "run.h5")


def test_a_live_run_grows_when_it_is_asked_to(live: LiveFile, tmp_path: Path) -> None:
    live.append(0, 10)
    run = open_run(tmp_path / "run.h5")
    live.append(10, 10)
    assert (len(run.samples), len(run.samples.Ewe), run.header.duration_s) == (10, 10, 2.25)
    run.refresh()
    assert (len(run.samples), len(run.samples.Ewe), run.header.duration_s) == (20, 20, 4.75)
    assert (run.header.status, run.header.sealed, run.header.end_reason) == ("running", False, "")
    live.close()


def test_columns_of_unequal_length_are_read_as_far_as_all_go(live: LiveFile, tmp_path: Path) -> None:
    live.append(0, 10)
    for name in ("time", "Ewe"):
        live.file[f"entry/samples/{name}"].resize(15, axis=0)
    live.file.flush()
    run = open_run(tmp_path / "run.h5")
    assert {len(run.samples[name]) for name in run.samples.names} == {10}
    live.close()


def test_a_view_that_is_built_anew_takes_nothing_away(live: LiveFile, tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    live.append(0, 20)
    run = open_run(path)
    time_s = run.samples.time
    for column in live.file["entry/samples"].values():
        column.resize(5, axis=0)
    live.file.flush()
    run.refresh()
    assert run.samples.time is time_s
    with pytest.raises(RecordError, match="built anew"):
        _ = run.samples.Ewe
    live.close()


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        open_run(tmp_path / "run.h5")


def test_no_hdf5(tmp_path: Path) -> None:
    (tmp_path / "run.h5").write_text("time,Ewe")
    with pytest.raises(RecordError, match="no HDF5 file"):
        open_run(tmp_path / "run.h5")


def test_hdf5_of_another_kind(tmp_path: Path) -> None:
    h5py.File(tmp_path / "run.h5", "w").close()
    with pytest.raises(RecordError, match="cannot be read"):
        open_run(tmp_path / "run.h5")


def test_a_killed_run_without_a_view_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    rows.journal_only(path, 1, end=False)
    with pytest.raises(RecordError, match="nakctl recover"):
        open_run(path)
    assert files.journal_of(path).exists()


def test_a_view_is_waited_for_only_as_long_as_somebody_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nakctl.record.opening._PATIENCE_S", 0.1)
    path = tmp_path / "run.h5"
    journal = Journal.create(path, rows.header())
    with pytest.raises(RecordError, match="is being recorded, and nothing of it can be read yet"):
        open_run(path)
    journal.close()


# --- codes and sentences -------------------------------------------------------------------------------


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


OLD_TABLES = ("samples", "impedance", "spectra", "events", "clock")


def old(path: Path, step_ends: list[str], run_end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file from before there were codes: no tables of ends, chains, ties, and sentences alone."""
    known = layout.tables({})
    columns = tuple(c for c in layout.STEPS.columns if c.name not in ("end_kind", "end_id", "end_value"))
    old_steps = layout.Table("steps", "NXcollection", columns, 64, 1024)
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


# --- files that are not as they were sealed ------------------------------------------------------------


@pytest.mark.parametrize("bytes_cut", [1, 100, 20_000, -100, -10])
def test_a_file_that_was_cut_says_so_at_once(tmp_path: Path, path: Path, bytes_cut: int) -> None:
    """Negative: so many are left."""
    whole = path.read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[:-bytes_cut])
    missing = bytes_cut if bytes_cut > 0 else len(whole) + bytes_cut
    expected = (
        f"its last {missing} bytes are missing"
        if bytes_cut != -10
        else "no HDF5 file that can be read|damaged"
    )
    with pytest.raises(RecordError, match=expected):
        open_run(tmp_path / "cut.h5")


def test_where_the_journal_is_stands_in_the_sentence(tmp_path: Path, path: Path) -> None:
    cut = tmp_path / "cut.h5"
    cut.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(RecordError, match="its journal is no longer there"):
        open_run(cut)
    files.damaged_of(cut).touch()
    with pytest.raises(RecordError, match=r"there is .*cut\.h5\.journal\.damaged"):
        open_run(cut)
    files.journal_of(cut).touch()
    with pytest.raises(RecordError, match=r"before nakctl recover .*cut\.h5"):
        open_run(cut)


def contents(path: Path) -> dict[str, object]:
    """All that can be read of a run."""
    run = open_run(path)
    tables = (
        run.samples,
        run.impedance,
        run.spectra,
        run.steps,
        run.ends,
        run.chains,
        run.ties,
        run.events,
        run.clock,
    )
    columns = {f"{k}/{name}": table[name].tolist() for k, table in enumerate(tables) for name in table.names}
    return columns | {"header": repr(run.header)}


def test_a_flipped_byte_is_found_wherever_it_lies(tmp_path: Path, path: Path) -> None:
    whole, expected = path.read_bytes(), repr(contents(path))
    random = np.random.default_rng(1)
    flipped = tmp_path / "flipped.h5"
    found = 0
    for place in random.integers(0, len(whole), 50).tolist():
        spoilt = bytearray(whole)
        spoilt[place] ^= 1 << int(random.integers(8))
        flipped.write_bytes(spoilt)
        try:
            assert repr(contents(flipped)) == expected, place  # in unused room between the objects
        except RecordError:
            found += 1
    assert found >= 10


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda entry: entry["samples/Ewe"].resize(150, axis=0), "samples/Ewe has 150 rows, the table 200"),
        (
            lambda entry: entry["ends/kind"].resize(3, axis=0),
            "ends/kind has 3 rows, the table 3|ends/.* has 0 rows, the table 3",
        ),
        (lambda entry: entry["steps/label"].resize(3, axis=0), "steps/label has 3 rows, the table 4"),
        (
            lambda entry: entry["run_status"].write_direct(np.array("bananas", h5py.string_dtype())),
            "run_status is 'bananas'",
        ),
        (lambda entry: entry.__delitem__("spectra"), "it has no table entry/spectra"),
        (
            lambda entry: entry["duration"].write_direct(np.array(1.0)),
            "entry/duration is not as it was written",
        ),
    ],
)
def test_a_sealed_file_is_checked_as_one(tmp_path: Path, path: Path, spoil: Any, says: str) -> None:
    spoilt = tmp_path / "spoilt.h5"
    spoilt.write_bytes(path.read_bytes())
    with h5py.File(spoilt, "r+") as file:
        spoil(file["entry"])
    with pytest.raises(RecordError, match=says):
        open_run(spoilt)


def test_what_somebody_adds_to_a_sealed_file_is_no_fault(tmp_path: Path, path: Path) -> None:
    annotated = tmp_path / "annotated.h5"
    annotated.write_bytes(path.read_bytes())
    with h5py.File(annotated, "r+") as file:
        file["entry/remark"] = "looks good"
        file["entry/analysis/a"], file["entry/analysis/b"] = np.arange(3), np.arange(9)
    assert open_run(annotated).header == open_run(path).header


@pytest.mark.parametrize("mode", ["w", "r+", "a"])
def test_a_file_that_this_process_writes_says_so(tmp_path: Path, path: Path, mode: str) -> None:
    mine = tmp_path / "mine.h5"
    mine.write_bytes(path.read_bytes())
    with (
        h5py.File(mine, mode),
        pytest.raises(RecordError, match="open for writing in this process: close that"),
    ):
        open_run(mine)


def test_what_a_killed_run_left_without_its_journal(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    live = LiveFile(path)
    live.append(0, 10)
    left = tmp_path / "left.h5"
    left.write_bytes(path.read_bytes())
    live.close()
    with pytest.raises(RecordError, match="what a killed run left, and not whole"):
        open_run(left)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        open_run(tmp_path)
