"""The computer is kept awake as long as somebody asks for it, and no longer: a command plays systemd's."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from patience import PATIENCE_s

from nakctl.host import awake

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="by systemd")

# Says what it was asked for, and holds it until what it runs ends.
INHIBITS = """#!/bin/sh
echo "$@" > "$0.asked"
while [ "${1#--}" != "$1" ]; do shift; done
"$@"
rm "$0.asked"
"""
REFUSES = "#!/bin/sh\necho one line >&2\necho no bus >&2\nexit 1\n"


def awaited(what: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE_s
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def inhibit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "systemd-inhibit"


def play(inhibit: Path, script: str) -> Path:
    inhibit.write_text(script, encoding="utf-8")
    inhibit.chmod(0o755)
    return inhibit.with_name("systemd-inhibit.asked")


def test_it_is_held_to_the_end_and_let_go(inhibit: Path) -> None:
    asked = play(inhibit, INHIBITS)
    with awake("a run on ch1") as kept:
        assert awaited(lambda: asked.exists() and bool(asked.read_text("utf-8")))
        assert asked.read_text("utf-8").startswith("--what=sleep:idle --who=nakctl --why=a run on ch1")
        assert kept.trouble() == ""
    assert awaited(lambda: not asked.exists())
    assert kept.trouble() == ""


def test_it_is_let_go_when_the_process_is_killed(inhibit: Path) -> None:
    asked = play(inhibit, INHIBITS)
    script = "from nakctl.host import awake\nwith awake('x'): print('held', flush=True); input()"
    holder = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with holder:
        assert awaited(asked.exists)
        holder.kill()
    assert awaited(lambda: not asked.exists())


def test_where_the_system_refuses_that_is_told(inhibit: Path) -> None:
    play(inhibit, REFUSES)
    with awake("x") as kept:
        assert awaited(lambda: kept.trouble() != "")
    assert "may go to sleep meanwhile (no bus)" in kept.trouble()


def test_where_there_is_no_such_thing_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with awake("x") as kept:
        assert awaited(lambda: kept.trouble() != "")
    assert "there is no systemd-inhibit" in kept.trouble()


def test_what_hangs_holds_up_nobody(inhibit: Path) -> None:
    play(inhibit, "#!/bin/sh\nexec sleep 20\n")
    begun_s = time.monotonic()
    with awake("x"):
        pass
    assert time.monotonic() - begun_s < 5
