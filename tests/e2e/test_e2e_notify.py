"""Who is told what happens to a run: by the commands, and of real runs by who looks at them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import Going, Said, refused
from notify_servers import Hook, free_port, web_server
from patience import until
from rigs import RIG

from nakctl.cli import health
from nakctl.notify.notifier import Notifier
from nakctl.record import registry
from nakctl.record.registry import KnownRun, known_runs
from nakctl.record.slot import state_of

posix = pytest.mark.skipif(os.name != "posix", reason="signals to one process")
Here = Callable[..., Said]
PACED = (
    "run", "short.yaml", "--on", "sim-sp300", "--set", "rest=1 h", "--speed", "60", "--out", "x.h5",
)  # fmt: skip


@pytest.fixture
def apart(here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    """What was told is that of this test alone."""
    monkeypatch.setenv(registry.FOLDER_VARIABLE, str(tmp_path / "runs"))
    return here


@pytest.fixture
def hook() -> Iterator[Hook]:
    with web_server() as found:
        yield found


def rig(folder: Path, *ways: str) -> Path:
    file = folder / "rig.yaml"
    file.write_text("\n".join([f"{RIG}notify:", *(f"  - {way}" for way in ways), ""]), encoding="utf-8")
    return file


def test_a_test_notice_goes_by_every_way(apart: Here, tmp_path: Path, hook: Hook) -> None:
    port = free_port()
    rig(
        tmp_path,
        f"{{webhook: {hook.url}, on: [end]}}",
        f"mail: {{to: [anna@lab.example], from: r@lab.example, smtp: '127.0.0.1:{port}', tls: none}}",
        f"command: ['{sys.executable}', -c, 'raise SystemExit(\"no net\")']",
    )
    said = apart("notify", "test")
    assert said.code == 1
    assert said.out.splitlines() == [
        "webhook 127.0.0.1: sent",
        f"mail to anna@lab.example: NOT SENT: nobody listens at 127.0.0.1:{port} (connection refused)",
        f"command {Path(sys.executable).name}: NOT SENT: left with code 1; it said:",
        "no net",
    ]
    ((_, post),) = hook.posts
    assert post["title"] == "a test of who is told" and "nothing has happened" in post["text"]
    status = apart("status").out.splitlines()
    assert sorted(line.partition(" (")[0] for line in status[1:]) == [
        f"NOT TOLD: command {Path(sys.executable).name}: left with code 1",
        f"NOT TOLD: mail to anna@lab.example: nobody listens at 127.0.0.1:{port}",
    ]
    assert len(apart("status", "--json").json["not_told"]) == 2
    rig(tmp_path, f"webhook: {hook.url}")
    said = apart("notify", "test", "--json")
    assert (said.code, said.json["ways"]) == (0, [{"way": "webhook 127.0.0.1", "sent": True, "why": ""}])
    lines = apart("notify", "log").out.splitlines()
    assert any(line.endswith("test        webhook 127.0.0.1: sent") for line in lines)
    assert sum(line.startswith("NOT TOLD") for line in lines) == 2
    assert "s3cret" not in apart("notify", "log", "--json").out


def test_without_anybody_to_tell(apart: Here, tmp_path: Path) -> None:
    assert "there is no rig.yaml here" in refused(apart("notify", "test"))
    (tmp_path / "rig.yaml").write_text(RIG, encoding="utf-8")
    assert refused(apart("notify", "test")) == "rig.yaml tells nobody: it has no `notify:`\n"
    assert apart("notify", "log").out == "nothing was sent yet\n"


def test_the_rig_is_checked(here: Here, tmp_path: Path) -> None:
    rig(tmp_path, "{webhook: https://hooks.lab.example/s3cret, on: [end], channels: [left]}")
    assert here("rig", "check").out.endswith("; notify: webhook hooks.lab.example\n")
    assert here("rig", "check", "--json").json["notify"] == [
        {"way": "webhook hooks.lab.example", "on": ["end"], "channels": ["left"]}
    ]
    rig(tmp_path, "{webhook: https://hooks.lab.example, on: [ende], channels: [lefft]}")
    said = refused(here("rig", "check"))
    assert "rig.yaml:10:47  must be" in said and "did you mean end?" in said


# --- of real runs ------------------------------------------------------------------------------------------


def posts(hook: Hook) -> list[Any]:
    return [post["nakctl"] for _, post in hook.posts]


def mine(folder: Path) -> list[KnownRun]:
    return [run for run in known_runs() if run.path.parent == folder]


def looking(folder: Path, hook: Hook, event: str) -> Any:
    """Look until this is told, as one who comes anew. Its notice."""
    told = Notifier(folder / "told")

    def look() -> bool:
        told.look([health.look(run) for run in mine(folder)])
        return event in _events(hook)

    until(look)
    until(lambda: bool(told._hear()) or not told._errands)
    return next(post for post in posts(hook) if post["event"] == event)


def _events(hook: Hook) -> list[str]:
    return [post["event"] for post in posts(hook)]


def has_rows(path: Path) -> bool:
    return bool((state_of(path) or {}).get("samples"))


@posix
def test_of_a_run_from_its_start_to_its_death_and_recovery(here: Here, short: Path, hook: Hook) -> None:
    file = rig(short, f"{{webhook: {hook.url}, on: [start, end, dead]}}")
    with Going(*PACED, cwd=short) as going:
        until(lambda: has_rows(short / "x.h5"))
        (run,) = mine(short)
        assert run.rig == str(file)
        begins = looking(short, hook, "start")
        assert (begins["channel"], begins["cell"], begins["simulated"]) == ("sim-sp300", "NaK50", True)
        going.end(signal.SIGKILL)
    died = looking(short, hook, "dead")
    assert died["severity"] == 2 and "nakctl recover" in died["text"]
    assert here("recover", "x.h5").code == 0
    assert mine(short) == []  # its end was seen by nobody: its file tells
    ended = looking(short, hook, "end")
    assert ended["title"].startswith("the run is over: recovered")
    assert _events(hook) == ["start", "dead", "end"]
    assert "s3cret" not in (short / "x.h5").read_bytes().decode("latin-1")
