"""The small runs that figures are drawn of, made once. Sealed in this process, as those of `tests/results`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import figure_runs
import pytest

from nakctl.record import seal
from nakctl.record.conclusions import conclusions
from nakctl.record.verify import faults_of


class InThisProcess:
    """The same questions as `nakctl.record.verify` answers."""

    def __enter__(self) -> InThisProcess:
        return self

    def __exit__(self, *error: object) -> None: ...

    def confirm(
        self, path: Path, tables: Mapping[str, tuple[int, Mapping[str, int]]], meanwhile: Callable[[], None]
    ) -> dict[str, Any]:
        assert not list(faults_of(path, tables))
        return conclusions(path)


@pytest.fixture(scope="session", autouse=True)
def no_other_process() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seal, "Verifier", InThisProcess)
        yield


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, no_other_process: None) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def scan(folder: Path) -> Path:
    return figure_runs.scan(folder / "scan.h5")


@pytest.fixture(scope="session")
def train(folder: Path) -> Path:
    return figure_runs.train(folder / "train.h5")


@pytest.fixture(scope="session")
def cycled(folder: Path) -> Path:
    return figure_runs.cycled(folder / "cycled.h5")


@pytest.fixture(scope="session")
def scanned(folder: Path) -> Path:
    return figure_runs.scanned(folder / "scanned.h5")


@pytest.fixture(scope="session")
def warmed(folder: Path) -> Path:
    return figure_runs.warmed(folder / "warmed.h5")


@pytest.fixture(scope="session")
def all_of_them(scan: Path, train: Path, cycled: Path, scanned: Path, warmed: Path) -> tuple[Path, ...]:
    """A run for each kind, at least."""
    return scan, train, cycled, scanned, warmed


@pytest.fixture(scope="session")
def bare(folder: Path) -> Path:
    return figure_runs.bare(folder / "bare.h5")
