"""Commands of the system, asked for something and waited for within bounds."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

PATIENCE_s = 30.0
NOT_THERE = 127  # as a shell says it

if sys.platform == "win32":
    _WITHOUT_WINDOW, _ENCODING = subprocess.CREATE_NO_WINDOW, "oem"
else:
    _WITHOUT_WINDOW, _ENCODING = 0, "utf-8"


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended, and what it printed."""

    code: int
    out: str = ""
    err: str = ""

    @property
    def complaint(self) -> str:
        """Its last line, of errors if there are any; "" if it was content."""
        if self.code == 0:
            return ""
        lines = (self.err.strip() or self.out.strip()).splitlines()
        return lines[-1].strip() if lines else f"code {self.code}"


Tool = Callable[..., Said]  # `ask`, or what stands for it in a test


def ask(*command: str) -> Said:
    """Run it to its end. Whatever keeps it from that is told as its complaint: nothing is raised."""
    # Into files: what it may start, such as a service, would keep the other end of a pipe.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            code = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""},
                timeout=PATIENCE_s,
                creationflags=_WITHOUT_WINDOW,
                check=False,
            ).returncode
        except FileNotFoundError:
            return Said(NOT_THERE, err=f"{command[0]} is not on this computer")
        except subprocess.TimeoutExpired:
            return Said(1, err=f"{command[0]} did not answer within {PATIENCE_s:.0f} s")
        except OSError as error:
            return Said(1, err=f"{command[0]} cannot be started: {error.strerror}")
        return Said(code, _read(out), _read(err))


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(_ENCODING, errors="replace")
