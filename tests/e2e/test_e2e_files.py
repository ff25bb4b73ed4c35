"""Names of result files, what is never overwritten, and what one seed means."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from command_line import Said, nakctl, refused

Here = Callable[..., Said]
pytestmark = pytest.mark.usefixtures("short")


def datasets(path: Path) -> dict[str, np.ndarray]:
    """Every dataset of the run's tables."""
    found: dict[str, np.ndarray] = {}

    def take(name: str, item: h5py.HLObject) -> None:
        if isinstance(item, h5py.Dataset) and name.split("/")[0] in {
            "samples",
            "impedance",
            "spectra",
            "steps",
            "events",
        }:
            found[name] = item[()]

    with h5py.File(path) as file:
        file["entry"].visititems(take)
    return found


def test_the_name_has_date_protocol_and_cell_and_the_next_one_another(here: Here, tmp_path: Path) -> None:
    for _ in range(2):
        assert here("run", "short.yaml", "--quiet").code == 0
    made = sorted(path.name for path in tmp_path.glob("*.h5"))
    assert len(made) == 2
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d_\d{4}_short_NaK50(_2)?\.h5", name) for name in made)


def test_nothing_is_overwritten(here: Here, tmp_path: Path) -> None:
    (tmp_path / "x.h5").write_bytes(b"precious")
    said = refused(here("run", "short.yaml", "--out", "x.h5"))
    assert said == "x.h5 exists and is not overwritten\n"
    assert (tmp_path / "x.h5").read_bytes() == b"precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["short.yaml", "x.h5"]


def test_each_makes_one_file_per_value(here: Here, tmp_path: Path) -> None:
    said = here(
        "run", "short.yaml", "--each", "rest=1, 2 s", "--each", "current=5uA,10uA", "--out", "x.h5", "--json"
    )
    assert said.code == 0
    names = [f"x_rest-{rest}s_current-{current}uA.h5" for rest in (1, 2) for current in (5, 10)]
    assert [run["file"] for run in said.json["runs"]] == names
    assert sorted(path.name for path in tmp_path.glob("*.h5")) == sorted(names)
    with h5py.File(tmp_path / names[0]) as one, h5py.File(tmp_path / names[3]) as other:
        assert one["entry/samples/I"][()].max() == pytest.approx(5e-6, rel=0.05)
        assert other["entry/samples/I"][()].max() == pytest.approx(10e-6, rel=0.05)


def test_each_starts_nothing_if_one_of_its_files_exists(here: Here, tmp_path: Path) -> None:
    (tmp_path / "x_rest-2s.h5").touch()
    assert "x_rest-2s.h5 exists" in refused(
        here("run", "short.yaml", "--each", "rest=1s,2s", "--out", "x.h5")
    )
    assert not (tmp_path / "x_rest-1s.h5").exists()


def test_one_seed_one_record(here: Here, tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        assert here("run", "short.yaml", "--quiet", "--out", f"{name}.h5", "--seed", seed).code == 0
    one, again, other = (datasets(tmp_path / f"{name}.h5") for name in "abc")
    assert one.keys() == again.keys() == other.keys()
    assert len(one) > 30
    for name, values in one.items():
        np.testing.assert_array_equal(values, again[name], err_msg=name)
    for name in ("samples/Ewe", "impedance/Z_re"):
        assert np.any(one[name] != other[name])
    np.testing.assert_array_equal(one["samples/step_id"], other["samples/step_id"])


def test_simulated_is_said_everywhere(here: Here, tmp_path: Path) -> None:
    said = here("run", "short.yaml", "--out", "x.h5")
    assert said.out.startswith("SIMULATED  A short run")
    assert here("show", "x.h5").out.startswith("SIMULATED ")
    assert "(SIMULATED)" in here("plan", "short.yaml").out
    assert here("plan", "short.yaml", "--json").json["simulated"] is True
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["entry"].attrs["simulated"]
        assert file["entry/title"].asstr()[()].startswith("SIMULATED ")


def test_the_note_and_the_command_are_kept(tmp_path: Path) -> None:
    said = nakctl("run", "short.yaml", "--out", "x.h5", "--note", "pressure 3 MPa, µ", cwd=tmp_path)
    assert said.code == 0
    assert "note: pressure 3 MPa, µ" in nakctl("show", "x.h5", cwd=tmp_path).out


def test_quiet_prints_nothing(tmp_path: Path) -> None:
    said = nakctl("run", "short.yaml", "--quiet", cwd=tmp_path)
    assert (said.code, said.out, said.err) == (0, "", "")


def test_a_run_in_lines(tmp_path: Path) -> None:
    said = nakctl("run", "short.yaml", "--out", "x.h5", cwd=tmp_path)
    lines = said.out.splitlines()
    assert lines[1] == "recording into x.h5"
    assert "completed: all steps done" in lines
    assert lines[-1] == "file x.h5"
    assert "\x1b" not in said.out
    assert said.err == ""


@pytest.mark.skipif(os.name != "posix", reason="permissions of folders")
def test_a_folder_that_cannot_be_written(here: Here, tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write anywhere")
    said = here("run", "short.yaml", "--out", "locked/x.h5")
    assert said.code == 1
    assert said.err.startswith(f"locked{os.sep}x.h5")
    assert list(folder.iterdir()) == []
