"""Sealing here asks no other process: hundreds of small runs, whose way through one is tried elsewhere."""

from __future__ import annotations

from pathlib import Path

import in_this_process
import pytest
import results_experiments

no_other_process = pytest.fixture(autouse=True)(in_this_process.no_other_process)


@pytest.fixture
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of each kind of experiment, by the name of the function that writes it."""
    return results_experiments.all_kinds(tmp_path_factory)
