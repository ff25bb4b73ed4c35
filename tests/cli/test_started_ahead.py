"""What seals a run in virtual time is started with the command; nothing of it stays where there is no run."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nakctl import isolated
from nakctl.cli.app import app
from nakctl.rig import is_simulated_anyway


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, subprocess.Popen[str]]]:
    """The helpers of this process, in a folder of its own."""
    found: list[tuple[str, subprocess.Popen[str]]] = []
    start = isolated.start

    def noted(module: str, *arguments: str, **pipes: Any) -> subprocess.Popen[str]:
        process = start(module, *arguments, **pipes)
        found.append((module.rpartition(".")[2], process))
        return process

    monkeypatch.setattr(isolated, "start", noted)
    monkeypatch.chdir(tmp_path)
    return found


def test_a_run_has_one_that_was_started_before_its_file_was_read(started: list[Any]) -> None:
    told = CliRunner().invoke(app, ["run", "pristine-eis", "--quiet", "--out", "x.h5"])
    assert told.exit_code == 0, told.output
    [(name, process)] = started
    assert (name, process.wait()) == ("sealer", 0)
    assert [each.name for each in Path().iterdir()] == ["x.h5"]


@pytest.mark.parametrize(
    "asked", [["nosuch"], ["pristine-eis", "--out", "."], ["pristine-eis", "--cell", "nosuch"]]
)
def test_one_without_a_run_is_ended(started: list[Any], asked: list[str]) -> None:
    assert CliRunner().invoke(app, ["run", *asked]).exit_code == 2
    [(name, process)] = started
    assert (name, process.wait() != 0) == ("sealer", True)
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    "asked", [["pristine-eis", "--speed", "-1"], ["x.yaml", "--on", "A1"], ["x.yaml", "--rig", "my.yaml"]]
)
def test_none_is_started_where_nobody_knows_that_time_is_virtual(
    started: list[Any], asked: list[str]
) -> None:
    assert CliRunner().invoke(app, ["run", *asked]).exit_code == 2
    assert started == []


def test_what_is_simulated_whatever_a_rig_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    asked = [(None, None), ("sim-vmp3", None), ("A1", None), (None, Path("my.yaml"))]
    assert [is_simulated_anyway(*each) for each in asked] == [True, True, False, False]
    Path("rig.yaml").write_text("devices: {}\n")
    assert [is_simulated_anyway(*each) for each in asked] == [False, True, False, False]
