"""`nakctl export`, as a person types it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import results_runs as runs
from command_line import nakctl, nakctl_here

from nakctl.errors import InputError, need


@pytest.fixture
def here(path: Path, tmp_path: Path) -> Path:
    shutil.copy(path, tmp_path / "run.h5")
    return tmp_path


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_part_into_a_file_and_never_twice(here: Path) -> None:
    asked = ("export", "run.h5", "--as", "csv", "-o", "x.csv", "--step", "2.1", "--from", "4 s", "--to", "1h")
    said = nakctl(*asked, cwd=here)
    assert (said.code, said.out, said.err) == (0, "x.csv\n", "")
    rows = [line for line in (here / "x.csv").read_text("utf-8").splitlines() if line[0] != "#"]
    assert [row.split(",")[0] for row in rows[1:]] == ["4", "5", "6", "7"]
    assert "# part: step 2.1, from 4 s, to 1 h" in (here / "x.csv").read_text("utf-8")
    again = nakctl(*asked, cwd=here)
    assert again.code == 2 and "x.csv exists already; nothing is overwritten" in again.err
    assert files(here) == ["run.h5", "x.csv"]


def test_several_runs_into_a_folder(here: Path) -> None:
    shutil.copy(here / "run.h5", here / "other.h5")
    said = nakctl("export", "run.h5", "other.h5", "--as", "z", "-o", "all", cwd=here)
    assert said.code == 0, said
    made = [f"all/{run}_000{k}.z" for run in ("other", "run") for k in (1, 2)]
    assert files(here) == [*made, "other.h5", "run.h5"]
    said = nakctl("export", "run.h5", "other.h5", "--as", "netcdf", "-o", "x.nc", cwd=here)
    assert said.code == 2 and "name a folder" in said.err


def test_a_killed_run_is_made_whole_first(tmp_path: Path) -> None:
    runs.left(tmp_path / "run.h5", [runs.rest(3)])
    said = nakctl("export", "run.h5", "--as", "bdf", cwd=tmp_path)
    assert said.code == 0 and "was left unsealed: recovered" in said.err
    assert len((tmp_path / "run.bdf.csv").read_text("utf-8").splitlines()) == 4


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["run.h5"], "say in which format, with --as:\ncsv "),
        (["run.h5", "--as", "origin"], "--as origin: there is no such format:\ncsv "),
        (["--as", "csv"], "name the result file"),
        (["none.h5", "--as", "csv"], "no such file"),
        (["ccd.yaml", "--as", "csv"], "nakctl export-mps makes EC-Lab settings"),
        (["run.h5", "--as", "csv", "--from", "1 V"], "--from: 1 V is"),
        (["run.h5", "--as", "csv", "--table", "cells"], "--table cells: there are samples"),
        (["run.h5", "--as", "z", "--table", "steps"], "--table is of --as csv"),
        (["run.h5", "--as", "csv", "--cycle", ""], "--cycle : write numbers"),
        (["run.h5", "--as", "csv", "--spectrum", ""], "--spectrum : write numbers"),
        (["run.h5", "--as", "csv", "--step", ""], "has no step ''"),
        (["run.h5", "--as", "csv", "-o", "-"], "nothing to the terminal"),
        (["run.h5", "--as", "csv", "--cycle", "7"], "holds no rows of: cycle 7; it has the steps"),
    ],
)
def test_errors_help(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    args: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(here)
    said = nakctl_here("export", *args, capsys=capsys)
    assert said.code == 2 and told in said.err and "Traceback" not in said.err
    assert files(here) == ["run.h5"]


def test_the_list(tmp_path: Path) -> None:
    said = nakctl("export", "--as", "list", cwd=tmp_path)
    assert said.code == 0
    assert [line.split()[0] for line in said.out.splitlines()] == [
        "csv", "bdf", "bdf-parquet", "mpt", "z", "netcdf", "xlsx",
    ]  # fmt: skip


def test_what_is_missing_is_told() -> None:
    with pytest.raises(
        InputError, match=r'--as z needs no_such_package, not installed here: pip install "nakctl\[exports\]"'
    ):
        need("--as z", "exports", "numpy", "no_such_package")
