"""The real command, as a user types it: a process of its own in a folder of its own."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

import pytest

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


class Command:
    """`nakctl` in a process of its own that leads its own group, forked from one that has everything imported.

    Of `subprocess.Popen` it has what tests need. For systems that can fork.
    """

    turn: ClassVar[threading.Lock] = threading.Lock()  # requests must not run together on the socket
    server: ClassVar[tuple[socket.socket, subprocess.Popen[bytes]] | None] = None  # by `close`

    def __init__(
        self,
        *args: str | Path,
        cwd: Path,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
        witness: str = "",
    ) -> None:
        request = {"args": [*map(str, args)], "cwd": str(cwd), "witness": witness}
        self.returncode: int | None = None
        self._null = os.open(os.devnull, os.O_RDWR)
        self.stdout, out = self._pipe(stdout)
        self.stderr, err = self._pipe(stderr)
        self._report, report = os.pipe()
        theirs = [self._null if stdin == subprocess.DEVNULL else stdin, out, err, report]
        self._lines = os.fdopen(self._report, encoding="ascii")
        with self.turn:
            socket.send_fds(self._server(), [json.dumps(request).encode()], theirs)
            os.close(report)
            self.pid = int(self._lines.readline())
        for mine, descriptor in ((stdout, out), (stderr, err)):
            if mine == subprocess.PIPE:
                os.close(descriptor)
        os.close(self._null)

    @classmethod
    def _server(cls) -> socket.socket:
        if cls.server is None:
            ours, theirs = socket.socketpair()
            command = [sys.executable, str(Path(__file__).with_name("fork_server.py")), str(theirs.fileno())]
            process = subprocess.Popen(
                command, env=ENVIRONMENT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
            )
            theirs.close()
            cls.server = ours, process
        return cls.server[0]

    @classmethod
    def close(cls) -> None:
        """The server, which ends when nobody can ask it any more."""
        if cls.server is not None:
            control, process = cls.server
            cls.server = None
            control.close()
            process.wait()

    def _pipe(self, wanted: int) -> tuple[IO[str] | None, int]:
        if wanted == subprocess.DEVNULL:
            return None, self._null
        if wanted != subprocess.PIPE:
            return None, wanted
        ours, theirs = os.pipe()
        return open(ours, encoding="utf-8"), theirs  # noqa: PTH123

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._report], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("nakctl", timeout or 0.0)
            self.returncode = int(self._lines.readline())
            self._lines.close()
        return self.returncode

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Read both to their ends, which come with that of the last process that has them."""
        with ThreadPoolExecutor(2) as pool:
            said = [pool.submit(self._read, stream) for stream in (self.stdout, self.stderr)]
            self.wait(timeout)
            return said[0].result(timeout), said[1].result(timeout)

    def _read(self, stream: IO[str] | None) -> str:
        if stream is None or stream.closed:
            return ""
        with stream:
            return stream.read()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def nakctl(*args: str | Path, cwd: Path) -> Said:
    """Run it to its end."""
    if os.name != "posix":
        return nakctl_anew(*args, cwd=cwd)
    command = Command(*args, cwd=cwd)
    out, err = command.communicate(timeout=120)
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

    def __init__(self, *args: str | Path, cwd: Path, stdout: int = subprocess.PIPE) -> None:
        self.process = Command(*args, cwd=cwd, stdout=stdout)

    def helper(self, name: str) -> int:
        """The one of its processes that runs this module."""
        until(lambda: len(helpers_of(self.process.pid, name)) == 1)
        return helpers_of(self.process.pid, name)[0]

    def end(self, number: int | None = None) -> Said:
        """Send a signal, if any, and wait for the end."""
        if number is not None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        return Said(self.process.wait(), out, err)

    def __enter__(self) -> Going:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            helpers = helpers_of(self.process.pid)
            os.killpg(self.process.pid, signal.SIGKILL)
            for pid in helpers:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.process.communicate()


def until(found: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for something that another process does."""
    end_s = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end_s, f"not within {seconds} s"
        time.sleep(0.02)


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
