"""Processes of ours without a start of Python for each: one that has everything imported forks for them.

A request goes over a Unix socket as JSON, with the file descriptors of stdin, stdout, stderr and of a pipe. Into
that the number of the process is written, and in the end its exit code, a line each. It leads a group of its own.
What forks is a script that calls `serve`; it ends with the process that started it. For systems that can fork.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NoReturn

MOST_BYTES = 1 << 17  # of a request: the environment is in it

# --- the side that asks ------------------------------------------------------------------------------------


class Server:
    """The script that forks. Whoever holds `control`, or a copy of it, may ask."""

    def __init__(
        self, script: Path, *handed_on: socket.socket, environment: Mapping[str, str] = os.environ
    ) -> None:
        """handed_on  sockets whose numbers it finds in its arguments, behind those of its own two ends"""
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        numbers = [each.fileno() for each in (theirs, self.control, *handed_on)]
        self.process = subprocess.Popen(
            [sys.executable, str(script), *map(str, numbers)],
            env=environment,
            pass_fds=numbers,
            stdin=subprocess.PIPE,  # whose end is its end
        )
        theirs.close()

    def close(self) -> None:
        self.control.close()
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.terminate()  # a process that was forked from this one may hold the pipe, too
        self.process.wait()


class Forked:
    """A process that was forked on request. Of `subprocess.Popen` it has what is needed here."""

    def __init__(
        self,
        control: socket.socket,
        request: Mapping[str, Any],
        *,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int | IO[bytes] = subprocess.PIPE,
        stderr: int | IO[bytes] = subprocess.PIPE,
    ) -> None:
        self.returncode: int | None = None
        self._turn = threading.Lock()  # of who reads how it ended
        opened: list[int] = []  # for the process: not ours any more once it has them
        self.stdin, theirs_in = self._pipe(stdin, "w", opened)
        self.stdout, theirs_out = self._pipe(stdout, "r", opened)
        self.stderr, theirs_err = self._pipe(stderr, "r", opened)
        self._report, report = os.pipe()
        opened.append(report)
        self._lines = os.fdopen(self._report, encoding="ascii")  # its number, and how it ended
        try:
            socket.send_fds(
                control, [json.dumps(request).encode()], [theirs_in, theirs_out, theirs_err, report]
            )
        finally:
            for each in opened:
                os.close(each)
        self.pid = int(self._lines.readline())

    @staticmethod
    def _pipe(wanted: int | IO[bytes], mode: str, opened: list[int]) -> tuple[IO[str] | None, int]:
        """Our end, if there is one, and theirs."""
        if wanted == subprocess.DEVNULL:
            opened.append(os.open(os.devnull, os.O_RDWR))
            return None, opened[-1]
        if wanted != subprocess.PIPE:
            return None, wanted if isinstance(wanted, int) else wanted.fileno()
        reads, writes = os.pipe()
        ours, theirs = (writes, reads) if mode == "w" else (reads, writes)
        opened.append(theirs)
        return open(ours, mode, encoding="utf-8", errors="backslashreplace"), theirs  # noqa: PTH123

    def wait(self, timeout: float | None = None) -> int:
        with self._turn:
            if self.returncode is None:
                if not select.select([self._report], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired("a forked process", timeout or 0.0)
                self.returncode = int(self._lines.readline())
                self._lines.close()
            return self.returncode

    def poll(self) -> int | None:
        if not self._turn.locked():  # else another thread waits for its end
            with suppress(subprocess.TimeoutExpired):
                self.wait(0)
        return self.returncode

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


# --- the side that forks -----------------------------------------------------------------------------------


def serve(control: socket.socket, begin: Callable[[dict[str, Any]], None]) -> None:
    """Fork for every request, until who started this process is gone. In the new one, `begin(request)` is all."""
    gc.freeze()
    while True:
        asked, _, _ = select.select([control, 0], [], [])
        if 0 in asked:
            return
        text, descriptors, *_ = socket.recv_fds(control, MOST_BYTES, 4)
        if os.fork() == 0:
            _keep(json.loads(text), descriptors, begin)
        for descriptor in descriptors:
            os.close(descriptor)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _keep(
    request: dict[str, Any], descriptors: Sequence[int], begin: Callable[[dict[str, Any]], None]
) -> None:
    """The parent of one process: tells its number, and how it ended."""
    *streams, report = descriptors
    child = os.fork()
    if child == 0:
        os.close(report)
        _run(request, streams, begin)
    for stream in streams:
        os.close(stream)
    os.write(report, b"%d\n" % child)
    _, status = os.waitpid(child, 0)
    with suppress(BrokenPipeError):  # nobody wants to know
        os.write(report, b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _run(
    request: dict[str, Any], streams: Sequence[int], begin: Callable[[dict[str, Any]], NoReturn]
) -> NoReturn:
    """As a process that was started."""
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    _control(0)
    os.chdir(request["cwd"])
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        begin(request)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            _leave(end.code or 0)
        raise


def _control(number: int) -> None:
    """If this is a terminal, that of the new session: its keys are signals, and its end is told."""
    if os.isatty(number):
        import fcntl
        import termios

        fcntl.ioctl(number, termios.TIOCSCTTY, 0)


def _leave(code: int) -> None:
    """As Python does, but for taking everything apart: each object of the first process would be copied for that.

    Python does the rest if something cannot be written.
    """
    threading._shutdown()  # type: ignore[attr-defined]  (waits for threads)
    atexit._run_exitfuncs()
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
