"""Files that are not as they were sealed say so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from record_live import LiveFile

from nakctl.errors import RecordError
from nakctl.record import files
from nakctl.record.read import open_run


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
        (lambda entry: entry["samples/Ewe"].resize(150, axis=0), "samples/Ewe has 150 rows, the table 220"),
        (
            lambda entry: entry["ends/kind"].resize(3, axis=0),
            "ends/kind has 3 rows, the table 3|ends/.* has 2 rows, the table 3",
        ),
        (lambda entry: entry["steps/label"].resize(3, axis=0), "steps/label has 3 rows, the table 5"),
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
