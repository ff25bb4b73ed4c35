"""`nakctl autostart`: what the system is asked for, and what it is that is told of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath

import pytest

from nakctl.errors import NakctlError
from nakctl.host import systemd, task_scheduler, tools
from nakctl.host.autostart import Wanted, carried_over
from nakctl.host.systemd import Systemd
from nakctl.host.tools import Said
from nakctl.host.windows_autostart import WHILE_LOGGED_ON, WITHOUT_PASSWORD, WindowsAutostart

WANTED = Wanted(["/usr/bin/python3", "-P", "-m", "nakctl", "attach", "--all"], {"NAKCTL_RUNS": "/runs"})


@dataclass
class Answers:
    """Commands of the system, by the words with which they begin; the others are content."""

    known: Mapping[str, Said] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, *command: str) -> Said:
        line = " ".join(command)
        self.asked.append(line)
        return next((said for words, said in self.known.items() if line.startswith(words)), Said(0))


def autostart(tmp_path: Path, ask: Callable[..., Said]) -> Systemd:
    return Systemd(WANTED, "ada", tmp_path / "units", ask, tmp_path)


def test_systemd_is_told_and_its_units_lie_where_it_looks(tmp_path: Path) -> None:
    (tmp_path / "ada").touch()  # as logind marks who lingers
    ask = Answers({"systemctl --version": Said(0, "systemd 252 (252.38-1~deb12u1)\n+PAM")})
    started = autostart(tmp_path, ask)
    for _ in range(2):  # a second time changes nothing
        assert started.install() == []
        assert "--user enable nakctl-attach.timer" in " ".join(ask.asked)
        found = {each.name: each.read_text("utf-8") for each in (tmp_path / "units").iterdir()}
        assert sorted(found) == ["nakctl-attach.service", "nakctl-attach.timer"]
        assert "KillMode=process" in found["nakctl-attach.service"]
    assert not any("linger" in each for each in ask.asked)
    assert started.remove()
    assert "systemctl --user disable --now nakctl-attach.timer" in ask.asked
    assert list((tmp_path / "units").iterdir()) == []
    assert not started.remove()
    assert not started.state().is_there


def test_who_does_not_linger_is_asked_for_and_told(tmp_path: Path) -> None:
    ask = Answers()
    (remark,) = autostart(tmp_path, ask).install()
    assert "loginctl --no-ask-password enable-linger ada" in ask.asked
    assert "only while ada is logged on" in remark


def test_a_systemd_that_ends_those_who_linger_is_told(tmp_path: Path) -> None:
    (tmp_path / "ada").touch()
    for said, broken in (("255 (255.4-1ubuntu8)", True), ("256 (256.3-1)", False), ("254 (254.9)", False)):
        ask = Answers({"systemctl --version": Said(0, f"systemd {said}\n")})
        assert bool(autostart(tmp_path, ask).install()) == broken, said


def test_versions_of_systemd() -> None:
    assert systemd.version_of("systemd 255 (255.4-1ubuntu8.4)") == (255, 4)
    assert systemd.version_of("systemd 256 (256-1)") == (256, 0)
    assert systemd.version_of("systemd 257") == (257, 0)
    assert systemd.version_of("no such command") is None


def test_when_it_ran_last_and_whether_its_timer_runs(tmp_path: Path) -> None:
    (tmp_path / "ada").touch()
    show = "systemctl --user show nakctl-attach"
    ask = Answers(
        {
            f"{show}.timer": Said(0, "LastTriggerUSec=Thu 2026-11-26 21:05:00 CET\nActiveState=active\n"),
            f"{show}.service": Said(0, "ExecMainStatus=3\nActiveState=inactive\n"),
        }
    )
    started = autostart(tmp_path, ask)
    started.install()
    state = started.state()
    assert (state.is_there, state.last, state.code) == (True, "Thu 2026-11-26 21:05:00 CET", 3)
    assert state.remarks == ()
    ask.known = {f"{show}.timer": Said(0, "LastTriggerUSec=n/a\nActiveState=inactive\n")}
    state = started.state()
    assert (state.last, state.code) == ("", None)
    assert "its timer does not run" in state.remarks[0]


def test_folders_are_carried_over_with_whole_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = carried_over({"NAKCTL_RUNS": "runs", "NAKCTL_KERNEL": "plain", "TMPDIR": "", "HOME": "/home/ada"})
    assert found == {"NAKCTL_KERNEL": "plain", "NAKCTL_RUNS": str(tmp_path / "runs")}


# --- Windows ----------------------------------------------------------------------------------------------


def on_windows(
    ask: Callable[..., Said], *, logged_on: bool = False, administrator: bool = True
) -> WindowsAutostart:
    home = PureWindowsPath("C:\\Users\\ada")
    return WindowsAutostart(WANTED, "LAB\\ada", home, logged_on, administrator, ask)  # type: ignore[arg-type]


ROW = '"PC","\\nakctl-attach-LAB_ada","26.11.2026 21:10:00","Bereit","Interaktiv","{last}","{code}","LAB\\ada"\r\n'


def test_the_task_scheduler_is_asked_by_a_file_that_it_reads() -> None:
    seen = []

    def ask(*words: str) -> Said:
        seen.append((words, Path(words[words.index("/XML") + 1]).read_bytes()))
        return Said(0)

    assert on_windows(ask).install() == [WITHOUT_PASSWORD]
    assert on_windows(ask, logged_on=True).install() == [WHILE_LOGGED_ON]
    for words, text in seen:
        assert words[:4] == ("schtasks", "/Create", "/TN", "nakctl-attach-LAB_ada")
        assert words[-1] == "/F"  # one that is there is replaced
        assert text[:2] in (b"\xff\xfe", b"\xfe\xff")
        assert not Path(words[words.index("/XML") + 1]).exists()


def test_who_is_no_administrator_is_told_both_ways_out() -> None:
    ask = Answers({"schtasks /Create": Said(1, "", "\r\nERROR: Access is denied.\r\n")})
    with pytest.raises(NakctlError, match=r"Access is denied.*Run as administrator.*--while-logged-on"):
        on_windows(ask, administrator=False).install()
    with pytest.raises(NakctlError, match=r"Access is denied\.$"):
        on_windows(ask, logged_on=True, administrator=False).install()


def test_a_task_is_read_by_places_whatever_the_language() -> None:
    query = "schtasks /Query /TN nakctl-attach-LAB_ada"
    for last, code, expected in (
        ("26.11.2026 21:05:00", "0", ("26.11.2026 21:05:00", 0)),
        ("26.11.2026 21:05:00", "267009", ("26.11.2026 21:05:00", None)),  # runs
        ("26.11.2026 21:05:00", "-1073741510", ("26.11.2026 21:05:00", -1073741510)),
        ("30.11.1999 00:00:00", "267011", ("", None)),  # never ran
    ):
        state = on_windows(Answers({query: Said(0, 2 * ROW.format(last=last, code=code))})).state()
        assert (state.is_there, (state.last, state.code)) == (True, expected)
    absent = Answers({query: Said(1, "", "ERROR: The system cannot find the file specified.")})
    assert not on_windows(absent).state().is_there
    assert not on_windows(absent).remove()
    there = Answers()
    assert on_windows(there).remove()
    assert there.asked[-1] == "schtasks /Delete /TN nakctl-attach-LAB_ada /F"


def test_a_complaint_is_the_last_line_and_never_empty() -> None:
    with pytest.raises(task_scheduler.Refused, match=r"says: code 5$"):
        task_scheduler.run("x", Answers({"schtasks": Said(5)}))


# --- the command ------------------------------------------------------------------------------------------

SYSTEMCTL = """#!/bin/sh
case "$*" in
  *--version*) echo "systemd 252 (252.38)";;
  *show-environment*) [ -e "$0.dead" ] && { echo "Failed to connect to bus" >&2; exit 1; };;
  *show*timer*) echo "ActiveState=active"; echo "LastTriggerUSec=n/a";;
esac
exit 0
"""


@pytest.mark.skipif(sys.platform == "win32", reason="systemd")
def test_the_command_as_a_user_types_it(tmp_path: Path) -> None:
    tool = tmp_path / "systemctl"
    for name in ("systemctl", "loginctl"):
        (tmp_path / name).write_text(SYSTEMCTL, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }

    def said(*words: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "nakctl", "autostart", *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    assert said("status") == (1, "not installed: nakctl autostart install\n", "")
    code, out, _ = said("install")
    assert (code, out.splitlines()[0]) == (
        0,
        "installed: runs are looked after when this computer starts, and every five minutes",
    )
    code, out, _ = said("status", "--json")
    assert (code, json.loads(out)["is_there"], json.loads(out)["last"]) == (0, True, "")
    assert said("remove")[:2] == (0, "removed\n")
    (tmp_path / "systemctl.dead").touch()
    code, out, err = said("install")
    assert (code, out) == (1, "")
    assert "Failed to connect to bus" in err
    assert "\n@reboot " in err and "\n*/5 * * * * " in err
    assert not (tmp_path / "config" / "systemd" / "user" / "nakctl-attach.timer").exists()
    assert tool.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="a shell")
def test_a_command_is_not_waited_for_longer_than_it_takes() -> None:
    """What it starts goes on, with its output."""
    begun_s = time.monotonic()
    said = tools.ask("sh", "-c", "sleep 20 & echo done; echo trouble >&2; exit 3")
    assert (said.code, said.out, said.complaint) == (3, "done\n", "trouble")
    assert time.monotonic() - begun_s < 15
    assert tools.ask("no-such-command").complaint == "no-such-command is not on this computer"
