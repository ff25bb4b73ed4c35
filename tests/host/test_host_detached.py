"""What is started apart from its terminal goes on without it; and by which way, where Windows has jobs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from patience import PATIENCE_s

from nakctl import isolated
from nakctl.host import by_order, start_detached
from nakctl.host.detached import STAYS
from nakctl.host.windows_job import BREAK_AWAY, Job, job_of

HERE = Path(__file__).parent
posix = pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")

STARTER = """
import os, signal, sys
from contextlib import suppress
sys.path.append({here!r})
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a suite that outlives its terminal is deaf to it
os.open({terminal!r}, os.O_RDWR)  # the first one that a leader opens is its terminal
from nakctl.host import start_detached
from pathlib import Path
started = start_detached("lives_on", *sys.argv[1:], output=Path("said.txt"))
print(started.pid, started.warning, flush=True)
with suppress(OSError):  # may be told that the terminal is gone before the signal comes
    os.read(os.open({terminal!r}, os.O_RDWR), 1)
signal.pause()
"""


def awaited(what: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE_s
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.01)
    return False


def ask(pipe: Path, question: str) -> None:
    """As soon as somebody reads there; not for ever, as a plain opening would wait."""
    opened: list[int] = []

    def open_it() -> bool:
        with suppress(OSError):
            opened.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        return bool(opened)

    assert awaited(open_it), "nobody is there any more"
    with os.fdopen(opened[0], "w", encoding="utf-8") as file:
        file.write(question)


@posix
def test_it_outlives_the_terminal_and_the_one_who_started_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    master, terminal = os.openpty()
    script = STARTER.format(here=str(HERE), terminal=os.ttyname(terminal))
    starter = subprocess.Popen(
        [sys.executable, "-c", script, "pipe", "answer"],
        cwd=tmp_path,
        env={**os.environ, "NAKCTL_RUNS": "/some/folder", "PYTHONWARNINGS": "error"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert starter.stdout is not None
    assert starter.stdout.readline().strip().isdigit()
    os.close(terminal)
    os.close(master)  # the window is closed
    _, complaints = starter.communicate(timeout=PATIENCE_s)
    assert (starter.returncode, complaints) == (-1, "")  # SIGHUP ended it
    ask(tmp_path / "pipe", "alive")
    answer = tmp_path / "answer"
    assert awaited(lambda: answer.exists() and answer.read_text(encoding="utf-8") == "alive: yes")
    said = (tmp_path / "said.txt").read_text(encoding="utf-8")
    assert said == f"its folder is {tmp_path.name}, and it sees /some/folder\n"


@dataclass
class SomeWindows:
    """One that answers so: its job, where a child lands by its flags (None: refused), whether tasks start."""

    own: Job
    lands: dict[int, Job | None] = field(default_factory=dict)
    starts_tasks: bool = False
    asked: list[str] = field(default_factory=list)

    def job(self) -> Job:
        return self.own

    def landing(self, flags: int) -> Job:
        landed = self.lands[flags]
        if landed is None:
            raise PermissionError
        return landed

    def schedule(self, module: str, arguments: tuple[str, ...], output: Path | None) -> bool:
        self.asked.append(module)
        return self.starts_tasks


FREE, DEADLY, HARMLESS = Job(), Job(True, ends_all=True), Job(True)
LETS_GO = Job(True, ends_all=True, lets_break_away=True)


@pytest.mark.parametrize(
    ("windows", "flags"),
    [
        pytest.param(SomeWindows(FREE), 0, id="in no job"),
        pytest.param(SomeWindows(LETS_GO, {BREAK_AWAY: FREE}), BREAK_AWAY, id="let out"),
        pytest.param(SomeWindows(DEADLY, {0: FREE}), 0, id="leaves unasked, as from a launcher"),
        pytest.param(SomeWindows(HARMLESS, {0: HARMLESS}), 0, id="in one that ends nobody, as a task"),
        pytest.param(
            SomeWindows(LETS_GO, {BREAK_AWAY: None, 0: DEADLY}), None, id="refused by one around it"
        ),
        pytest.param(
            SomeWindows(LETS_GO, {BREAK_AWAY: DEADLY, 0: DEADLY}), None, id="let out into another one"
        ),
        pytest.param(SomeWindows(DEADLY, {0: DEADLY}), None, id="kept, as in a tab of Windows Terminal"),
    ],
)
@pytest.mark.parametrize("starts_tasks", [True, False])
def test_the_way_out_of_a_job(
    windows: SomeWindows, flags: int | None, starts_tasks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []
    start = isolated.start

    def started(*words: str, flags: int = 0, **streams: int) -> subprocess.Popen[str]:
        used.append(flags)
        return start(*words, **streams)

    monkeypatch.setattr(isolated, "start", started)
    windows.starts_tasks, windows.asked = starts_tasks, []
    detached = start_detached("this", windows=windows)
    by_task = flags is None and starts_tasks
    assert used == ([] if by_task else [flags or 0])
    assert windows.asked == (["this"] if flags is None else [])
    assert (detached.pid is None) == by_task
    assert detached.warning == (STAYS if flags is None and not starts_tasks else "")


def test_its_end_is_seen_and_nobody_is_left_in_the_list_of_processes() -> None:
    detached = start_detached("json.tool", "--no-such-option")
    assert awaited(lambda: detached.exit_code() is not None)
    assert detached.exit_code() == 2


def test_limits_of_a_job_are_read_as_winnt_h_has_them() -> None:
    assert job_of(-1) == Job()
    assert job_of(0x0000) == HARMLESS
    assert job_of(0x2000) == DEADLY
    assert job_of(0x3000) == DEADLY  # whoever leaves unasked is seen where he lands
    assert job_of(0x2800) == LETS_GO


def order_in(folder: Path, **words: object) -> Path:
    file = folder / "an.order"
    order = {
        "module": "lives_on",
        "arguments": ["pipe", "answer"],
        "output": str(folder / "said.txt"),
        "folder": str(folder),
        "environment": {**os.environ, "NAKCTL_RUNS": "Ω folder"},
    }
    file.write_text(json.dumps(order | words), encoding="utf-8")
    return file


@posix
def test_an_order_is_carried_out_in_its_folder_and_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    order = order_in(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(HERE)])
    process = isolated.start("nakctl.host.by_order", str(order), stdout=None, stderr=None)
    ask(tmp_path / "pipe", "by order")
    assert process.wait(PATIENCE_s) == 7
    assert (tmp_path / "answer").read_text(encoding="utf-8") == "by order: yes"
    assert "it sees Ω folder" in (tmp_path / "said.txt").read_text(encoding="utf-8")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["answer", "pipe", "said.txt"]


def test_an_order_that_was_taken_back_is_not_carried_out(tmp_path: Path) -> None:
    order = order_in(tmp_path)
    order.unlink()
    with pytest.raises(FileNotFoundError):
        by_order.main(order)


def test_an_order_is_carried_out_once(tmp_path: Path) -> None:
    order = order_in(tmp_path)
    assert by_order.take(order)["module"] == "lives_on"
    with pytest.raises(FileNotFoundError):
        by_order.take(order)
