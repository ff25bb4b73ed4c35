"""Runs that many tests look at are done once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Said, nakctl, nakctl_here
from short_run import SHORT, Ran


@pytest.fixture(scope="session")
def ccd(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """`nakctl run ccd`, the whole experiment."""
    folder = tmp_path_factory.mktemp("ccd")
    return Ran(folder / "ccd.h5", nakctl("run", "ccd", "--json", "--out", "ccd.h5", cwd=folder))


@pytest.fixture(scope="session")
def over(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with short.yaml and x.h5, a run of it that is over: to be looked at."""
    folder = tmp_path_factory.mktemp("over")
    (folder / "short.yaml").write_text(SHORT, encoding="utf-8")
    nakctl("run", "short.yaml", "--out", "x.h5", "--quiet", cwd=folder)
    return folder


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """`here("check", "ccd")`: the command line in this process and in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *args: nakctl_here(*args, capsys=capsys)


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """A folder with the protocol short.yaml."""
    (tmp_path / "short.yaml").write_text(SHORT, encoding="utf-8")
    return tmp_path
