"""A sealed run that many tests read."""

from __future__ import annotations

from pathlib import Path

import pytest
import record_rows as rows


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rows.sealed(tmp_path_factory.mktemp("read") / "run.h5")
