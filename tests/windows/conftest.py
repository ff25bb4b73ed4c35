"""Python for Windows under Wine, which runs the code of this repository: see set_up.py beside this file.

Skipped where NAKCTL_WINE names no folder that was set up. What Wine 8 lacks is left out: functions of complex
numbers (exp, log, powers), so spectra and what is computed from them, and a simulated channel on a wall clock,
which computes a spectrum before its clock runs; the rules of jobs; a task that starts; rights of several users. A
run on a wall clock is shown on a virtual instrument instead, which is a process of this system.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from set_up import STAMP, stamp
from under_wine import Bench, Wine


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not os.environ.get("NAKCTL_WINE"):
        here = Path(__file__).parent
        for item in items:
            if item.path.is_relative_to(here):
                item.add_marker(
                    pytest.mark.skip(reason="NAKCTL_WINE names no folder of tests/windows/set_up.py")
                )


@pytest.fixture(scope="session")
def home() -> Path:
    """Where Wine lives. It shall lag behind nothing that nakctl needs now."""
    home = Path(os.environ["NAKCTL_WINE"])
    told = home / STAMP
    if not (told.is_file() and told.read_text(encoding="ascii") == stamp()):
        pytest.exit(f"{home} was set up of something else: python tests/windows/set_up.py {home}", 4)
    return home


@pytest.fixture
def wine(home: Path, tmp_path: Path) -> Iterator[Wine]:
    wine = Wine(home, tmp_path)
    yield wine
    wine.end()


@pytest.fixture
def bench(wine: Wine) -> Iterator[Wine]:
    """A user with an instrument, and a protocol that is under way for days."""
    bench = Bench(wine.folder)
    yield wine
    wine.end()
    bench.end()
