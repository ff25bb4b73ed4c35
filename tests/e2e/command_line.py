"""The real command, as a user types it: a process of its own in a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import forked_helpers
import pytest
from forking import Forked, Server
from patience import PATIENCE_s, until

NAKCTL = [sys.executable, "-m", "nakctl"]
# Plain text of a known width, whatever terminal the tests are started from.
ENVIRONMENT = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONWARNINGS": "error"}


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Command(Forked):
    """`nakctl`, or another of `fork_server.PROGRAMS`, in a process of its own that leads its own group."""

    server: ClassVar[Server | None] = None  # by `close`
    turn: ClassVar[threading.Lock] = threading.Lock()  # there is one, however many threads want it

    def __init__(
        self,
        *args: str | Path,
        cwd: Path,
        program: str = "nakctl",
        witness: str = "",
        helpers: bool = False,
        environment: Mapping[str, str] = ENVIRONMENT,
        **pipes: int,
    ) -> None:
        """witness, helpers, environment  see `fork_server`"""
        descriptor, told = tempfile.mkstemp(prefix="forked-", dir=os.environ["NAKCTL_RUNS"])
        os.close(descriptor)
        self._told = Path(told)
        request = {"program": program, "args": [*map(str, args)], "witness": witness, "helpers": helpers}
        request |= {"runners": told, "environment": dict(environment)}
        super().__init__(self._server().control, request | {"cwd": str(cwd)}, **pipes)

    @classmethod
    def _server(cls) -> Server:
        with cls.turn:
            if cls.server is None:
                script = Path(__file__).with_name("fork_server.py")
                cls.server = Server(script, forked_helpers.control(), environment=ENVIRONMENT)
            return cls.server

    @classmethod
    def close(cls) -> None:
        if cls.server is not None:
            cls.server.close()
            cls.server = None

    @property
    def runners(self) -> list[int]:
        """The processes of the runs that it has begun, which go on without it."""
        return [int(number) for number in self._told.read_text(encoding="ascii").split()]

    @property
    def runner(self) -> int:
        """The first of them."""
        until(lambda: bool(self.runners))
        return self.runners[0]

    def kill_all(self) -> None:
        """Itself, its runs, and their helpers."""
        for leader in (self.pid, *self.runners):
            for pid in (leader, *helpers_of(leader)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def nakctl(*args: str | Path, cwd: Path, environment: Mapping[str, str] = ENVIRONMENT) -> Said:
    """Run it to its end."""
    if os.name != "posix":
        return nakctl_anew(*args, cwd=cwd)
    command = Command(*args, cwd=cwd, helpers=True, environment=environment)
    out, err = command.communicate(timeout=PATIENCE_s)
    return Said(command.wait(), out, err)


def nakctl_anew(*args: str | Path, cwd: Path) -> Said:
    """The same, with a start of Python."""
    done = subprocess.run(
        [*NAKCTL, *map(str, args)], cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=600
    )
    return Said(done.returncode, done.stdout, done.stderr)


def nakctl_here(*args: str | Path, capsys: pytest.CaptureFixture[str]) -> Said:
    """The same in this process: for what needs no process of its own, twenty times as fast."""
    from nakctl.cli.app import app

    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        app([*map(str, args)])
    out, err = capsys.readouterr()
    return Said(int(ended.value.code or 0), out, err)


def refused(said: Said) -> str:
    """What a user reads who typed something wrong: exit 2, on stderr, no traceback."""
    assert said.code == 2, said
    assert said.out == ""
    assert "Traceback" not in said.err
    return said.err


class Going:
    """A command that goes on in the background. Killed when the test is over."""

    def __init__(
        self,
        *args: str | Path,
        cwd: Path,
        stdout: int = subprocess.PIPE,
        helpers: bool = False,
        environment: Mapping[str, str] = ENVIRONMENT,
    ) -> None:
        """helpers  are forked: for who does not look for them"""
        self.process = Command(*args, cwd=cwd, stdout=stdout, helpers=helpers, environment=environment)

    def helper(self, name: str) -> int:
        """The one of its processes that runs this module."""
        until(lambda: len(helpers_of(self.process.runner, name)) == 1)
        return helpers_of(self.process.runner, name)[0]

    def end(self, number: int | None = None) -> Said:
        """Send a signal, if any, and wait for the end."""
        if number is not None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE_s)
        return Said(self.process.wait(), out, err)

    def __enter__(self) -> Going:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill_all()
        self.process.communicate()


def virtual_instrument(*options: str, cwd: Path) -> tuple[Command | subprocess.Popen[str], str]:
    """One in a process of its own, on a port that is free: the process, and its address."""
    program, words = "nakctl_sim.instrument", ("--port", "0", *options)
    process: Command | subprocess.Popen[str]
    if os.name == "posix":
        process = Command(*words, cwd=cwd, program=program)
    else:
        anew = [sys.executable, "-m", program, *words]
        process = subprocess.Popen(anew, cwd=cwd, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().rpartition(" at ")[2].strip()


def processes(word: str) -> dict[int, int]:
    """Those with this word in their command line, and their parents (Linux): number -> number."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if word in (folder / "cmdline").read_text(errors="replace"):
                about = (folder / "stat").read_text(errors="replace").rpartition(") ")[2]
                found[int(folder.name)] = int(about.split()[1])
        except OSError:  # it ended meanwhile
            continue
    return found


def helpers_of(pid: int, name: str = "-I") -> list[int]:
    """The processes that a run has started, by the name of their module; they are no group of its."""
    return [each for each, parent in processes(name).items() if parent == pid]


def samples_in(path: Path) -> int:
    """How many samples a reader sees in a run's file now; 0 before there is a file."""
    from nakctl import open as open_run
    from nakctl.errors import NakctlError

    if not path.exists():
        return 0
    try:
        with open_run(path) as run:
            return len(run.samples)
    except NakctlError:  # its first second
        return 0
