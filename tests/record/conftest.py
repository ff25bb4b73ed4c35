"""A sealed run that many tests read."""

from __future__ import annotations

from pathlib import Path

import pytest
import record_rows as rows
from record_disks import Disks

from nakctl.record import files, journal


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 rows and three events, then four spectra."""
    folder = tmp_path_factory.mktemp("read")
    return rows.sealed(folder / "run.h5", more_entries=[*rows.spectra(4), rows.over()])


@pytest.fixture
def disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disks:
    """All with room, and patience of none."""
    monkeypatch.setattr(journal, "_HOME_EVERY_S", 0.0)
    monkeypatch.setattr(journal, "_PATIENCE_AT_THE_END_S", 0.0)
    monkeypatch.setattr(files, "LEAST_RESERVE_BYTES", 1 << 20)
    return Disks(tmp_path, monkeypatch)
