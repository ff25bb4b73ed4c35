"""`show` and `plot` on files that are as they were sealed, and on files that are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import pytest
from command_line import Said

Here = Callable[..., Said]


@pytest.fixture
def run_file(short: Path, here: Here) -> Path:
    assert here("run", "short.yaml", "--quiet", "--out", "x.h5").code == 0
    return short / "x.h5"


def test_what_cannot_be_read_is_told_at_once_and_in_one_line(
    run_file: Path, here: Here, tmp_path: Path
) -> None:
    whole = run_file.read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[:-100])
    changed = tmp_path / "changed.h5"
    changed.write_bytes(whole)
    with h5py.File(changed, "r+") as file:
        file["entry/run_status"][()] = "bananas"
    (tmp_path / "text.h5").write_text("time, Ewe")
    for name, words in {
        "cut.h5": "its last 100 bytes are missing",
        "changed.h5": "run_status is 'bananas'",
        "text.h5": "no HDF5 file that can be read",
    }.items():
        for command in (["show", name], ["show", name, "--json"], ["plot", name, "-o", "x.png"]):
            said = here(*command)
            assert (said.code, said.out) == (1, "")
            assert words in said.err and name in said.err
            assert said.err.count("\n") == 1
    assert not (tmp_path / "x.png").exists()


def test_a_current_without_a_rule_for_shorts_is_told(run_file: Path, here: Here) -> None:
    shown = here("show", run_file)
    assert "no short rule was set, and" in shown.out
    found = here("show", run_file, "--json").json
    assert found["short_rule_set"] is False
    assert "short_found_by" not in found
    assert found["end_kind"] == "steps done"
