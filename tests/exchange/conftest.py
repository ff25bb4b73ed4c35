"""A run with every table, small enough to be worked out by hand, and simulated as most are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import exchange_runs
import in_this_process
import pytest

from nakctl.record.read import Run, open_run

no_other_process = pytest.fixture(autouse=True, scope="module")(in_this_process.no_other_process)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, no_other_process: None) -> Path:
    """Nobody writes to it."""
    return exchange_runs.whole(tmp_path_factory.mktemp("exchange") / "run.h5")


@pytest.fixture
def run(path: Path) -> Iterator[Run]:
    with open_run(path) as opened:
        yield opened
