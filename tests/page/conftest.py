"""What pages are tried on: a run whose names are no good, and the command line in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import hostile
import pytest
from command_line import Said, nakctl_here


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed run with hostile names; to be looked at."""
    return hostile.run(tmp_path_factory.mktemp("hostile") / "run.h5")


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """The command line in this process and in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *args: nakctl_here(*args, capsys=capsys)
