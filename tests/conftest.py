"""Golden texts: what a change alters is shown as a difference, and taken over with --update-golden."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

# Channels are claimed apart from the runs that go on on this computer; set before any test copies it.
CLAIMS = tempfile.TemporaryDirectory(prefix="nakctl-claims-", ignore_cleanup_errors=True)
os.environ["NAKCTL_CLAIMS"] = CLAIMS.name

GOLDEN = Path(__file__).parent / "golden"


def pytest_unconfigure() -> None:
    CLAIMS.cleanup()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden texts anew")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """golden(name, text): the text must be that of tests/golden/<name>, or becomes it with --update-golden."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.write_text(text, "utf-8", newline="\n")
        assert path.is_file(), f"no golden text {name}: pytest --update-golden writes it"
        assert text == path.read_text("utf-8")

    return compare
