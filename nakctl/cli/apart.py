"""Starts a run in a process of its own (`runner`), and hears whether it has begun."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from nakctl import isolated
from nakctl.errors import ChannelError, ExitCode, NakctlError


class NotBegun(NakctlError):
    """As the runner said."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.exit_code = ExitCode(code)


def started(job: dict[str, Any], say: Callable[[str], None]) -> Path:
    """The file of a run that has begun in a process of its own, which needs this one no longer.

    say  is told what the runner has to say before. NotBegun: why it has not. KeyboardInterrupt: it was told
    to stop, and has not begun, or stops in order.
    """
    try:
        process = isolated.start("nakctl.cli.runner", stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError as error:
        raise NakctlError(f"no process can be started for the run ({error.strerror or error})") from error
    assert process.stdin is not None
    with suppress(OSError):  # it is gone; then it says nothing
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
    try:
        return _heard(process, say)
    except KeyboardInterrupt:
        with suppress(OSError):
            process.stdin.write("stop\n")
            process.stdin.flush()
        with suppress(NotBegun):
            _heard(process, say)
        raise
    finally:
        with suppress(OSError):
            process.stdin.close()


def _heard(process: subprocess.Popen[str], say: Callable[[str], None]) -> Path:
    assert process.stdout is not None
    for line in process.stdout:
        told = json.loads(line)
        if "begun" in told:
            return Path(told["begun"])
        if "failed" in told:
            process.wait()
            raise NotBegun(told["failed"], told["code"])
        say(told["say"])
    raise ChannelError(f"the process of the run ended before it began (with {process.wait()})")
