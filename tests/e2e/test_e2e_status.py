"""`nakctl status`: the runs of this computer, those that live and those that do not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from command_line import ENVIRONMENT, NAKCTL, Going, Said, nakctl, nakctl_here, refused
from fabricated import fabricated, known
from patience import PATIENCE_s, until

from nakctl.cli import status
from nakctl.cli.which_run import find_run, known_runs
from nakctl.record import registry
from nakctl.record.slot import state_of

posix = pytest.mark.skipif(os.name != "posix", reason="signals to one process")
PACED = ("run", "short.yaml", "--set", "rest=1 h", "--speed", "60", "--out", "x.h5")
MANY = 20


def run_at(path: Path) -> Any:
    """What `status --json` says of it, if it is listed; without a start of Python."""
    found = {seen.run.path: seen for seen in status._look([])}
    return status._object(found[path]) if path in found else None


def word_of(path: Path) -> str:
    found = run_at(path)
    return "" if found is None else str(found["health"])


@pytest.fixture
def going(short: Path) -> Iterator[Going]:
    """A paced run that has rows."""
    with Going(*PACED, cwd=short, helpers=True) as going:
        until(lambda: ((run_at(short / "x.h5") or {}).get("state") or {}).get("samples", 0) > 3)
        yield going


@posix
def test_a_run_is_seen_while_it_goes_on_and_not_when_it_is_sealed(going: Going, short: Path) -> None:
    told = run_at(short / "x.h5")
    about = {name: told[name] for name in ("place", "protocol", "cell", "driver", "health", "pid", "held")}
    assert about == {
        "place": "sim-sp300", "protocol": "A short run", "cell": "NaK50", "driver": "sim", "health": "running",
        "pid": going.process.runner, "held": True,
    }  # fmt: skip
    state = told["state"]
    assert (state["step"], state["step_id"], state["steps"], state["cycle"], state["cycles"]) == (
        "1 rest",
        1,
        3,
        1,
        1,
    )
    assert 0.0 < state["Ewe_V"] < 0.1
    assert (
        state["run_id"]
        == told["run_id"]
        == find_run("x.h5" if Path.cwd() == short else str(short / "x")).run_id
    )
    said = nakctl("status", short / "x.h5", cwd=short)
    assert said.code == 0
    assert [line.split()[:3] for line in said.out.splitlines()] == [
        ["run", "channel", "state"], [told["run_id"][:8], "sim-sp300", "running"],
    ]  # fmt: skip
    assert nakctl("status", told["run_id"][:6], "--json", cwd=short).json["runs"][0]["file"] == str(
        short / "x.h5"
    )
    going.end(signal.SIGINT)
    assert not list(registry.folder().glob(f"{told['run_id']}*"))  # by the run itself
    assert run_at(short / "x.h5") is None
    assert nakctl("status", "x.h5", cwd=short).out.splitlines()[1].split()[2] == "sealed"


@posix
def test_a_program_that_was_stopped_hangs_until_it_goes_on_and_one_that_was_killed_is_dead(
    going: Going, short: Path
) -> None:
    path = short / "x.h5"
    os.kill(going.process.runner, signal.SIGSTOP)
    until(lambda: word_of(path) == "HUNG")
    assert "has not moved for" in nakctl("status", cwd=short).out
    os.kill(going.process.runner, signal.SIGCONT)
    until(lambda: word_of(path) == "running")
    last = state_of(path)
    os.kill(going.process.runner, signal.SIGKILL)
    until(lambda: word_of(path) == "DEAD")
    assert word_of(path) == "DEAD"
    left = state_of(path)
    assert last is not None and left is not None
    assert left["samples"] >= last["samples"] > 3  # the state outlived its program
    assert f"nakctl recover {path}" in " ".join(nakctl("status", cwd=short).out.split())
    assert nakctl("recover", "x.h5", cwd=short).code == 0
    assert path not in [run.path for run in known_runs()]


def test_a_dry_run_leaves_nothing(short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {run.run_id for run in known_runs()}
    assert nakctl("run", "short.yaml", "--out", "x.h5", cwd=short).code == 0
    assert {run.run_id for run in known_runs()} <= before


@posix
def test_a_folder_that_cannot_be_written_keeps_no_run_from_starting(short: Path) -> None:
    (short / "in the way").touch()
    done = subprocess.run(
        [*NAKCTL, "run", "short.yaml", "--speed", "60", "--out", "x.h5"],
        cwd=short, capture_output=True, text=True, timeout=PATIENCE_s,
        env=ENVIRONMENT | {"NAKCTL_RUNS": str(short / "in the way")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "this run will not be listed by `nakctl status`" in done.stderr


# --- fabricated runs ---------------------------------------------------------------------------------------


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(registry.FOLDER_VARIABLE, str(tmp_path / "runs"))
    monkeypatch.setattr(status, "LOOK_AGAIN_s", 0.0)
    return tmp_path


@pytest.fixture
def many(runs: Path) -> Iterator[Path]:
    later_s = time.monotonic() + 3600  # nobody tells anything while the test runs
    with ExitStack() as stack:
        for k in range(MANY):
            stack.enter_context(fabricated(runs / f"run-{k}.h5", k, told_monotonic_s=later_s))
        yield runs


@pytest.fixture
def here(runs: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    return lambda *args: nakctl_here(*args, capsys=capsys)


def test_where_there_is_none(here: Callable[..., Said]) -> None:
    said = here("status")
    assert (said.code, said.out) == (0, "no run is going on, and none was left unsealed\n")
    assert here("status", "--json").json == {"runs": [], "not_told": []}
    assert "no such run" in refused(here("status", "nobody"))
    assert "--watch draws" in refused(here("status", "--json", "--watch"))


@pytest.mark.parametrize("width", [20, 60, 80, 110, 200])
def test_a_line_per_run_in_any_width(
    width: int, many: Path, here: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = here("status").out.splitlines()
    assert len(lines) == 1 + MANY
    assert all(len(line) <= max(width, 40) for line in lines)
    heads = {
        20: "channel   state",
        60: "channel   state    step  cycle  Ewe        I      mAh/cm2",
        80: "run       channel   state    step  cycle  Ewe        I      mAh/cm2  ends",
    }
    assert lines[0] == heads.get(width, lines[0])
    if width == 200:
        for word in (
            "bench-7",
            "Strip and plate",
            "NaK7",
            "3/12",
            "strip 0.05 mA/cm2",
            "7/20",
            "25 uA",
            "2031-05-03",
        ):
            assert word in lines[8]


def test_it_answers_at_once_and_loads_nothing_heavy(many: Path) -> None:
    """In time of the processor: others use this computer, too."""
    heavy = (
        "numpy",
        "h5py",
        "rich",
        "yaml",
        "matplotlib",
        "nakctl.booking.entry",
        "nakctl.cli.prepare",
    )
    code = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print('loaded', [name for name in {heavy} if name in sys.modules]))\n"
        "sys.argv = ['nakctl', 'status']\n"
        "from nakctl.cli import main\nmain()"
    )
    took_s = []
    for _ in range(3):
        before = os.times()
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=many, env=os.environ
        )
        after = os.times()
        took_s.append(
            after.children_user + after.children_system - before.children_user - before.children_system
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("running") == MANY
        assert done.stdout.endswith("loaded []\n")
    assert min(took_s) < 0.5


def test_who_hangs_is_looked_at_again_before_it_is_said(
    runs: Path, here: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A computer that slept gives everybody one grace."""
    looks = []
    with fabricated(runs / "a.h5", told_monotonic_s=time.monotonic() - 3600):
        monkeypatch.setattr(status.time, "sleep", looks.append)
        assert here("status", "--json").json["runs"][0]["health"] == "HUNG"
        assert looks == [0.0]

        def wakes(seconds: float) -> None:
            stack.enter_context(fabricated(runs / "b.h5", 1))
            (runs / "b.h5.slot").replace(runs / "a.h5.slot")

        with ExitStack() as stack:
            monkeypatch.setattr(status.time, "sleep", wakes)
            (seen,) = status._look(["a"])
            assert seen.health.word == "running"


def test_what_there_is_to_say_stands_below(runs: Path, here: Callable[..., Said]) -> None:
    alarm = {"code": "link", "text": "the channel does not answer", "time_s": 3.0}
    with (
        fabricated(runs / "a.h5", 1, held=False),
        fabricated(runs / "b.h5", 2, alarm=alarm, alarm_unix_s=time.time() - 120),
        fabricated(
            runs / "c.h5", 3, held=False, end={"status": "stopped", "end_reason": "limit: I above 1 mA"}
        ),
    ):
        out = here("status").out
    assert "bench-1, run 00000001: DEAD: its program is gone" in out
    assert "bench-2, run 00000002: last alarm, 2 min ago: the channel does not answer" in " ".join(
        out.split()
    )
    assert "bench-3, run 00000003: ended: stopped: limit: I above 1 mA" in out


def test_a_run_whose_files_are_out_of_sight_is_listed_as_away(runs: Path, here: Callable[..., Said]) -> None:
    registry.enter(known(runs / "a.h5"))
    entry = next((runs / "runs").iterdir())
    entry.write_text(entry.read_text().replace('"drive": "', '"drive": "/media/usb-'))
    assert "AWAY" in here("status").out


@posix
@pytest.mark.parametrize(("encoding", "term"), [("cp1252", "dumb"), ("ascii", "xterm"), ("utf-8", "")])
def test_any_console_can_take_it(encoding: str, term: str, runs: Path) -> None:
    with fabricated(runs / "α ü.h5", held=False) as run:
        registry.enter(known(run.path, 0, cell="Zürich α", protocol="電池"))
        env = {**os.environ, "PYTHONIOENCODING": encoding, "TERM": term, "COLUMNS": "140"}
        for how in ([], ["--json"]):
            done = subprocess.run(
                [*NAKCTL, "status", *how], capture_output=True, env=env, cwd=runs, timeout=PATIENCE_s
            )
            assert done.returncode == 0, done.stderr
            assert b"bench-0" in done.stdout
            assert b"\x1b" not in done.stdout


@posix
@pytest.mark.parametrize(("term", "in_place"), [("xterm", True), ("dumb", False)])
def test_watch_draws_until_ctrl_c(term: str, in_place: bool, many: Path) -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": term, "COLUMNS": "80"}
    watch = subprocess.Popen(
        [*NAKCTL, "status", "--watch"], stdin=theirs, stdout=theirs, stderr=theirs, env=env, cwd=many,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    drawn = b""
    try:
        while drawn.count(b"Ctrl-C ends this view") < 3:
            drawn += os.read(ours, 1 << 16)
        watch.send_signal(signal.SIGINT)
        assert watch.wait(PATIENCE_s) == 130
    finally:
        watch.kill()
        os.close(ours)
    assert (b"\x1b" in drawn) == in_place
    assert drawn.count(b"bench-19") >= 2
