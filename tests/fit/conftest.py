"""Runs are made once, by the real command, and fitted by tests in this process."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fit_runs
import in_this_process
import pytest
from command_line import Said, nakctl_here

no_other_process = pytest.fixture(autouse=True)(in_this_process.no_other_process)
Fitted = Callable[..., Any]


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Result files of `fit_runs`, by name."""
    from nakctl.cli.app import app

    def run(*args: str | Path) -> Said:
        with pytest.raises(SystemExit) as ended:
            app([*map(str, args)])
        return Said(int(ended.value.code or 0), "", "")

    with contextmanager(in_this_process.no_other_process)():  # not for the tests of others behind these
        return fit_runs.made(run, tmp_path_factory.mktemp("fit runs ü"))


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """The command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *args: nakctl_here(*args, capsys=capsys)
