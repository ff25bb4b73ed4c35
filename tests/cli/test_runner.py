"""The process of a run, and whoever started it, until it has begun."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from nakctl.cli.apart import STOP
from nakctl.cli.runner import Apart
from nakctl.cli.signals import StopAsked


def listen(show: Apart) -> None:
    listening = threading.Thread(target=show.listen, daemon=True)
    listening.start()
    listening.join(10)
    assert not listening.is_alive()


@pytest.mark.parametrize("how", ["asked", "gone"])
def test_who_started_it_may_change_his_mind(how: str, tmp_path: Path) -> None:
    """In order, or so quickly that nobody has looked before the folder is gone."""
    signals = StopAsked()
    folder = tmp_path / "start"
    if how == "asked":
        folder.mkdir()
        (folder / STOP).touch()
    listen(Apart(folder, signals))
    assert signals() == "stopped by the operator"


def test_once_it_has_begun_the_folder_says_nothing(tmp_path: Path) -> None:
    signals = StopAsked()
    show = Apart(tmp_path / "gone", signals)
    show.path = tmp_path / "x.h5"
    listen(show)
    assert signals() is None
