"""`nakctl format` and `nakctl check` over the files of a folder, as typed."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Said, refused
from short_run import SHORT

Here = Callable[..., Said]
MESSY = SHORT.replace(": ", ":   ")
WORKFLOW = "on: push\njobs: {}\n"


def put(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8", newline="")


def test_a_folder(here: Here, tmp_path: Path) -> None:
    put(tmp_path, neat=SHORT, messy=MESSY, workflow=WORKFLOW)
    said = here("format", "--check")
    assert (said.code, said.out) == (1, "would be laid out anew: messy.yaml\n")
    said = here("format", "--diff")
    assert said.code == 0 and "+nakctl: 1\n" in said.out and "-nakctl:   1\n" in said.out
    assert (tmp_path / "messy.yaml").read_text(encoding="utf-8") == MESSY
    said = here("format")
    assert (said.code, said.out) == (0, "laid out anew: messy.yaml\n")
    assert (tmp_path / "messy.yaml").read_text(encoding="utf-8") == SHORT
    assert (tmp_path / "workflow.yaml").read_text(encoding="utf-8") == WORKFLOW
    assert here("format", "--check", ".").err == "0 files would be laid out anew, 2 files as they are\n"
    assert here("format", "--check", "--json", ".").json["files"][0] == {
        "file": "messy.yaml",
        "state": "same",
        "errors": [],
    }
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_of_several_files_one_cannot_be_read(here: Here, tmp_path: Path) -> None:
    put(tmp_path, messy=MESSY, broken="nakctl: [1\n", typo="nakct:   1\n", workflow=WORKFLOW)
    said = here("format", "--ours", "messy.yaml", "broken.yaml", "typo.yaml", "workflow.yaml")
    assert said.code == 2 and said.err.startswith("broken.yaml:1:9  ")
    assert said.out == "laid out anew: messy.yaml\nlaid out anew: typo.yaml\n"
    assert "workflow.yaml:1:1  this is no file of nakctl" in refused(here("format", "workflow.yaml"))
    assert "nothing.yaml: there is no such file" in refused(here("format", "nothing.yaml"))


def test_one_that_cannot_be_written_stops_none_of_the_others(here: Here, tmp_path: Path) -> None:
    long = "a" * 245  # beside it no file has room for a longer name
    put(tmp_path, **{long: MESSY}, kept=MESSY, messy=MESSY)
    (tmp_path / "kept.yaml").chmod(0o444)
    said = here("format")
    assert (said.code, said.out) == (1, "laid out anew: messy.yaml\n")
    full, kept, counted = said.err.splitlines()
    assert full.startswith(f"{long}.yaml cannot be written: ")
    assert kept == "kept.yaml is read-only: it is left as it is"
    assert counted == "1 file laid out anew, 0 files as they are, 2 files left alone"
    assert (tmp_path / "kept.yaml").read_text(encoding="utf-8") == MESSY
    assert "- is standard input: it stands alone" in refused(here("format", "-", "messy.yaml"))


def test_ends_of_lines_and_the_mark_at_the_beginning(here: Here, tmp_path: Path) -> None:
    """Windows' line ends stay, in a file that has them; what Notepad puts in front goes."""
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbf" + MESSY.replace("\n", "\r\n").encode())
    assert here("format", "a.yaml").code == 0
    assert (tmp_path / "a.yaml").read_bytes() == SHORT.replace("\n", "\r\n").encode()
    assert here("format", "--check", "a.yaml").code == 0


@pytest.mark.skipif(os.name != "posix", reason="links and rights as POSIX has them")
def test_links_and_rights_stay(here: Here, tmp_path: Path) -> None:
    put(tmp_path, real=MESSY)
    (tmp_path / "real.yaml").chmod(0o640)
    (tmp_path / "link.yaml").symlink_to("real.yaml")
    assert here("format", "link.yaml").code == 0
    assert (tmp_path / "link.yaml").is_symlink()
    assert (tmp_path / "real.yaml").stat().st_mode & 0o777 == 0o640


def test_from_an_editor(here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(MESSY.encode())))
    said = here("format", "-")
    assert (said.code, said.out) == (0, SHORT)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(MESSY.encode())))
    assert here("format", "--check", "-").code == 1


def test_a_rig_and_a_cell(here: Here, tmp_path: Path) -> None:
    rig = "nakctl-rig: 1\ncells:\n- {}\n".replace(
        "- {}", "  a: {channel: sim-sp300, area: 0.5cm², note: 5mA}   # mine"
    )
    put(tmp_path, rig=rig, cell="model:   circuit\ncells:\n  a: {area: 1 cm2, circuit:   R0, note: x}\n")
    said = here("format")
    assert said.code == 0, said.err
    assert "a: {channel: sim-sp300, area: 0.5 cm2, note: 5mA}   # mine" in (tmp_path / "rig.yaml").read_text(
        encoding="utf-8"
    )
    assert (tmp_path / "cell.yaml").read_text(encoding="utf-8").startswith("model: circuit\n")


def test_check_of_files_of_all_kinds(here: Here, tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    rig = "nakctl-rig: 1\ncells:\n  a: {channel: sim-sp300, area: 0.5 cm2}\n"
    cells = "model: nak\ncells:\n  mine: {composition_wt_percent_K: 50, working: NaK50}\n"
    put(tmp_path / "lab", a=SHORT, rig=rig, cells=cells, workflow=WORKFLOW)
    said = here("check", "lab")
    told = [line.partition(": ") for line in said.out.splitlines() if ": ok" in line]
    assert said.code == 0, said
    assert {Path(file).name: text for file, _, text in told} == {
        "a.yaml": "ok on sim-sp300, cell NaK50",
        "rig.yaml": "ok, a rig with 0 channels and 1 cell",
        "cells.yaml": "ok, 1 simulated cell: mine",
    }
    put(
        tmp_path / "lab",
        typo=SHORT.replace("nakctl: 1", "nakctk: 1"),
        rig=rig + "  b: {}\n",
        cells=cells + "more: 1\n",
    )
    files = [str(path) for path in sorted((tmp_path / "lab").iterdir())]
    err = here("check", "--ours", *files).err
    assert "workflow" not in err
    assert "nakctk is no word of a protocol; did you mean nakctl?" in err
    assert "rig.yaml:4:" in err and "cells.yaml:4:1" in err
    assert "workflow.yaml:1:1" in here("check", *files).err
