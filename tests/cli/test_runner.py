"""The process of a run, and whoever started it, until it has begun."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from patience import PATIENCE_s

from nakctl.cli import apart, runner
from nakctl.cli.apart import STOP, started
from nakctl.cli.runner import Apart
from nakctl.cli.signals import StopAsked
from nakctl.errors import ChannelError
from nakctl.host.detached import Detached
from nakctl.record.slot import Slot


def listen(show: Apart) -> None:
    listening = threading.Thread(target=show.listen, daemon=True)
    listening.start()
    listening.join(PATIENCE_s)
    assert not listening.is_alive()


HEARS = {"meanwhile": listen, "before it begins": Apart.about_to_begin}


@pytest.mark.parametrize("hears", HEARS)
@pytest.mark.parametrize("how", ["asked", "gone"])
def test_who_started_it_may_change_his_mind(how: str, hears: str, tmp_path: Path) -> None:
    """In order, or so quickly that nobody has looked before the folder is gone."""
    signals = StopAsked()
    folder = tmp_path / "start"
    if how == "asked":
        folder.mkdir()
        (folder / STOP).touch()
    show = Apart(folder, signals)
    show.is_wanted = True
    HEARS[hears](show)
    assert signals() == "stopped by the operator"


def test_nobody_stops_a_run_by_not_waiting_for_who_goes_on_with_it(tmp_path: Path) -> None:
    signals = StopAsked()
    Apart(tmp_path / "gone", signals).about_to_begin()
    assert signals() is None


def test_once_it_has_begun_the_folder_says_nothing(tmp_path: Path) -> None:
    signals = StopAsked()
    show = Apart(tmp_path / "gone", signals)
    show.path = tmp_path / "x.h5"
    listen(show)
    assert signals() is None


class Left(Exception):
    """In the place of the end of the process."""


def leave(code: int) -> None:
    raise Left


@pytest.mark.parametrize(
    ("state", "more", "leaves"),
    [
        ("running", {}, True),
        ("waiting", {}, True),
        ("paused", {}, True),
        ("stopping", {}, False),  # somebody wants the cell open: that is not left to chance
        ("running", {"not_alone": "Ewe above 3 V"}, False),
        ("running", {"not_alone": "Ewe above 3 V", "unwatched": "go on"}, True),
        ("running", {"unwatched": "stop"}, False),
        ("running", {"outlives": False}, False),
    ],
)
def test_told_to_end(
    state: str, more: dict[str, Any], leaves: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A channel that goes on by itself, and may, is left as it is; any other one is stopped."""
    signals = StopAsked()
    show = Apart(tmp_path / "start", signals)
    show.path = tmp_path / "x.h5"
    slot = Slot(show.path)
    slot.tell({"state": state, "outlives": True, **more})
    monkeypatch.setattr(runner.os, "_exit", leave)
    with pytest.raises(Left) if leaves else nullcontext():
        runner._goes_down(show, "its process was told to end")
    slot.close()
    assert signals() == (None if leaves else "stopped: its process was told to end")


PRINTED = b"""lib.py:7: UserWarning: pkg_resources is deprecated
  import pkg_resources
7
[1, 2]
{"a": 1}
\xb5A without an end"""


def test_what_a_library_prints_is_no_message_of_the_runner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """easy_biologic warns as it is loaded, and a library of C prints what it likes, as it likes."""
    show = Apart(tmp_path / "start", StopAsked())
    show.warn("this window has to stay open")
    show._tell(begun="x.h5")
    said, heard = capfdbinary.readouterr().out, []

    def start(module: str, folder: str, output: Path) -> Detached:
        output.write_bytes(PRINTED + said)
        return Detached(pid=1)

    monkeypatch.setattr(apart, "start_detached", start)
    assert started({"do": "run"}, heard.append) == Path("x.h5")
    assert heard == ["this window has to stay open"]


def test_what_it_printed_last_is_told_of_one_that_died_before_it_began(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(module: str, folder: str, output: Path) -> Detached:
        output.write_text("Traceback:\nMemoryError\n\n", encoding="utf-8")
        return Detached(pid=1, _over=[1])

    monkeypatch.setattr(apart, "start_detached", start)
    with pytest.raises(ChannelError, match=r"^the process of the run ended before it began \(MemoryError\)$"):
        started({"do": "run"}, str)
