"""The small runs that figures are drawn of, made once. Sealed in this process, as those of `tests/results`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import figure_runs
import in_this_process
import pytest

no_other_process = pytest.fixture(autouse=True)(in_this_process.no_other_process)


def made(run: Callable[[Path], Path], path: Path) -> Path:
    """Fixtures of the session come before that of a test."""
    with contextmanager(in_this_process.no_other_process)():
        return run(path)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def scan(folder: Path) -> Path:
    return made(figure_runs.scan, folder / "scan.h5")


@pytest.fixture(scope="session")
def train(folder: Path) -> Path:
    return made(figure_runs.train, folder / "train.h5")


@pytest.fixture(scope="session")
def cycled(folder: Path) -> Path:
    return made(figure_runs.cycled, folder / "cycled.h5")


@pytest.fixture(scope="session")
def scanned(folder: Path) -> Path:
    return made(figure_runs.scanned, folder / "scanned.h5")


@pytest.fixture(scope="session")
def warmed(folder: Path) -> Path:
    return made(figure_runs.warmed, folder / "warmed.h5")


@pytest.fixture(scope="session")
def all_of_them(scan: Path, train: Path, cycled: Path, scanned: Path, warmed: Path) -> tuple[Path, ...]:
    """A run for each kind, at least."""
    return scan, train, cycled, scanned, warmed


@pytest.fixture(scope="session")
def bare(folder: Path) -> Path:
    return made(figure_runs.bare, folder / "bare.h5")
