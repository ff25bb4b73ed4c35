"""The small runs that figures are drawn of, made once. Sealed in this process, as those of `tests/results`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import figure_runs
import in_this_process
import pytest

no_other_process = pytest.fixture(autouse=True)(in_this_process.no_other_process)


def session_run(make: Callable[[Path], Path]) -> Any:
    """A fixture of the session; it comes before that of a test, so what it seals is sealed here as well."""

    @pytest.fixture(scope="session", name=make.__name__)
    def run(folder: Path) -> Path:
        with contextmanager(in_this_process.no_other_process)():
            return make(folder / f"{make.__name__}.h5")

    return run


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


scan, train, cycled, scanned, warmed, bare = map(
    session_run,
    (
        figure_runs.scan,
        figure_runs.train,
        figure_runs.cycled,
        figure_runs.scanned,
        figure_runs.warmed,
        figure_runs.bare,
    ),
)


@pytest.fixture(scope="session")
def all_of_them(scan: Path, train: Path, cycled: Path, scanned: Path, warmed: Path) -> tuple[Path, ...]:
    """A run for each kind, at least."""
    return scan, train, cycled, scanned, warmed
