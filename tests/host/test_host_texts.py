"""What is handed to the systems' schedulers, word for word, and as they read it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path, PureWindowsPath

import pytest

from nakctl.host import systemd_units, windows_task

COMMAND = ["/opt/a lab/bin/python", "-P", "-m", "nakctl", "attach", "--all"]
FOLDERS = {"NAKCTL_CLAIMS": "/data/50 % $HOME", "NAKCTL_RUNS": 'C:\\data\\"Ω" & <all>'}
PYTHON = "C:\\Program Files\\Python 3.12\\pythonw.exe"
HOME = PureWindowsPath("C:\\Users\\Ω & co")
NAMESPACE = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}


def task(*, logged_on: bool = False) -> str:
    command = windows_task.with_environment(PYTHON, ["attach", "--all"], FOLDERS)
    return windows_task.lasting_xml(command, "LAB\\Ω & co", HOME, logged_on=logged_on)


def test_golden_units(golden: Callable[[str, str], None]) -> None:
    golden("host/nakctl-attach.service", systemd_units.service(COMMAND, FOLDERS))
    golden("host/nakctl-attach.system.service", systemd_units.service(COMMAND, {}, "ada"))
    golden("host/nakctl-attach.timer", systemd_units.timer())
    golden("host/crontab.txt", systemd_units.crontab(COMMAND, FOLDERS))


def test_golden_tasks(golden: Callable[[str, str], None]) -> None:
    golden("host/at-start.task.xml", task())
    golden("host/while-logged-on.task.xml", task(logged_on=True))
    golden("host/errand.task.xml", windows_task.errand_xml(["python.exe", "a b"], "LAB\\ada", HOME))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
@pytest.mark.parametrize("user", ["", "root"])
def test_systemd_has_nothing_to_say_against_them(tmp_path: Path, user: str) -> None:
    command = [sys.executable, *COMMAND[1:]]
    (tmp_path / "nakctl-attach.service").write_text(
        systemd_units.service(command, FOLDERS, user), encoding="utf-8"
    )
    (tmp_path / "nakctl-attach.timer").write_text(systemd_units.timer(), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "./nakctl-attach.timer", "./nakctl-attach.service"]
        + ([] if user else ["--user"]),
        cwd=tmp_path,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if "nakctl" in line]) == (0, [])


def test_a_shell_reads_the_line_of_cron_as_it_was_meant(tmp_path: Path) -> None:
    python = tmp_path / "a python"
    python.write_text('#!/bin/sh\nprintf \'%s|\' "$NAKCTL_CLAIMS" "$NAKCTL_RUNS" "$@"', encoding="utf-8")
    python.chmod(0o755)
    line = systemd_units.crontab([str(python), "-P", "x y"], FOLDERS).splitlines()[1]
    command = line.removeprefix("*/5 * * * * ").replace("\\%", "%")  # as cron does
    done = subprocess.run(["sh", "-c", command], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.split("|")[:-1] == [*FOLDERS.values(), "-P", "x y"]


def test_nothing_ends_a_task_but_itself() -> None:
    root = ET.fromstring(task().encode("utf-16"))
    settings = {each.tag.partition("}")[2]: each.text for each in root.find("t:Settings", NAMESPACE) or ()}
    assert settings["ExecutionTimeLimit"] == "PT0S"  # none; it would be 72 hours
    for name in (
        "DisallowStartIfOnBatteries",
        "StopIfGoingOnBatteries",
        "AllowHardTerminate",
        "RunOnlyIfIdle",
    ):
        assert settings[name] == "false"
    assert settings["StartWhenAvailable"] == "true"


def test_a_task_gets_its_words_and_its_variables(tmp_path: Path) -> None:
    """As Windows and then Python take them apart; here nakctl is a module that says what it got."""
    root = ET.fromstring(task().encode("utf-16"))
    assert root.findtext(".//t:UserId", namespaces=NAMESPACE) == "LAB\\Ω & co"
    assert root.findtext(".//t:Command", namespaces=NAMESPACE) == PYTHON
    assert root.findtext(".//t:WorkingDirectory", namespaces=NAMESPACE) == str(HOME)
    words = taken_apart(root.findtext(".//t:Arguments", namespaces=NAMESPACE) or "")
    (tmp_path / "nakctl.py").write_text(
        "import os, sys; open('got', 'w', encoding='utf-8').write("
        "'|'.join([os.environ['NAKCTL_CLAIMS'], os.environ['NAKCTL_RUNS'], *sys.argv[1:]]))",
        encoding="utf-8",
    )
    words[words.index("-c") + 1] = f"import sys; sys.path.insert(0, '.'); {words[words.index('-c') + 1]}"
    subprocess.run([sys.executable, *words], cwd=tmp_path, check=True)
    assert (tmp_path / "got").read_text("utf-8").split("|") == [*FOLDERS.values(), "attach", "--all"]


def taken_apart(line: str) -> list[str]:
    """As CommandLineToArgvW does, by its rules: 2n backslashes and a quote are n and the end of a quotation."""
    words, word, quoted, begun = [], "", False, False
    for slashes, quote, other in re.findall(r'(\\*)(?:(")|([^\\])|$)', line):
        word += "\\" * (len(slashes) // 2 if quote else len(slashes))
        if quote and len(slashes) % 2:
            word += '"'
        elif quote:
            quoted, begun = not quoted, True
        elif other.isspace() and not quoted:
            words += [word] if word or begun else []
            word, begun = "", False
        else:
            word += other
    return [*words, word] if word or begun else words
