"""Python for Windows under Wine, which runs the code of this repository: see set_up.py beside this file.

Skipped where NAKCTL_WINE names no folder that was set up. What Wine 8 lacks is left out: functions of complex
numbers (exp, log, powers), so spectra and what is computed from them; the rules of jobs; a task that starts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from under_wine import Wine


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not os.environ.get("NAKCTL_WINE"):
        here = Path(__file__).parent
        for item in items:
            if item.path.is_relative_to(here):
                item.add_marker(
                    pytest.mark.skip(reason="NAKCTL_WINE names no folder of tests/windows/set_up.py")
                )


@pytest.fixture
def wine(tmp_path: Path) -> Iterator[Wine]:
    wine = Wine(Path(os.environ["NAKCTL_WINE"]), tmp_path)
    yield wine
    wine.end()
