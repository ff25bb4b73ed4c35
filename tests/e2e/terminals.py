"""A command on a terminal of any size, and what a person sees there."""

from __future__ import annotations

import os
import select
import signal
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pyte
from command_line import NAKCTL, Command
from patience import PATIENCE_s


class Terminal:
    """Systems with pseudo-terminals; the command is the one in front. raw: all that was written there."""

    def __init__(
        self,
        *args: str | Path,
        cwd: Path,
        columns: int = 80,
        lines: int = 24,
        helpers: bool = False,
        **env: str,
    ) -> None:
        """helpers  are forked"""
        import pty

        self.raw = b""
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._leader, self.follower = pty.openpty()
        self._set_size(columns, lines)
        known = {
            name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")
        }
        env = {**known, "TERM": "xterm", **env}
        stdin = stdout = stderr = self.follower
        self.process: Command | subprocess.Popen[bytes]
        if "PYTHONIOENCODING" not in env:
            words = {"stdin": stdin, "stdout": stdout, "stderr": stderr}
            self.process = Command(*args, cwd=cwd, environment=env, helpers=helpers, **words)
        else:  # which a process takes on as it starts
            self.process = subprocess.Popen(
                [*NAKCTL, *map(str, args)], cwd=cwd, env=env, start_new_session=True,
                stdin=stdin, stdout=stdout, stderr=stderr,
            )  # fmt: skip

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def type(self, text: str) -> None:
        """As on its keyboard: "\x03" is Ctrl-C."""
        os.write(self._leader, text.encode())

    def freeze(self) -> None:
        """As Ctrl-S does."""
        import termios

        termios.tcflow(self.follower, termios.TCOOFF)

    def thaw(self) -> None:
        import termios

        termios.tcflow(self.follower, termios.TCOON)

    def hang_up(self) -> None:
        """As who closes its window. Nothing is shown any more."""
        os.close(self._leader)
        self._leader = -1

    def resize(self, columns: int, lines: int) -> None:
        self._screen.resize(lines, columns)
        self._screen.reset()
        self._set_size(columns, lines)

    def until(self, found: Callable[[], bool]) -> None:
        end_s = time.monotonic() + PATIENCE_s
        while not found():
            assert time.monotonic() < end_s, f"not within {PATIENCE_s} s:\n{self.text}\n{self.raw[-500:]!r}"
            self._take()

    def end(self, number: int | None = None) -> int:
        """Send a signal, if any, and see it to its end."""
        if number is not None:
            self.process.send_signal(number)
        self.until(lambda: self.process.poll() is not None)
        self._take()
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for each in (self._leader, self.follower):
            if each >= 0:
                os.close(each)

    def _take(self) -> None:
        while select.select([self._leader], [], [], 0.05)[0]:
            came = os.read(self._leader, 1 << 16)
            self.raw += came
            self._stream.feed(came)

    def _set_size(self, columns: int, lines: int) -> None:
        import fcntl
        import termios

        fcntl.ioctl(self.follower, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
