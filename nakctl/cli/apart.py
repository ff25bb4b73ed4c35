"""Starts a run in a process of its own (`runner`), and hears whether it has begun.

They share a folder for that, for as long as it takes; a pipe would bind one to the other:

    job.json   what to do
    said       lines of JSON: `say` a sentence, then `begun` where, or `failed` why and with which code
    stop       put there by who changes his mind before it has begun
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from nakctl.errors import ChannelError, ExitCode, NakctlError
from nakctl.host.detached import Detached, start_detached

JOB, SAID, STOP = "job.json", "said", "stop"
LOOK_s = 0.02
SILENT_s = 120.0  # of one that the system's scheduler started: nobody knows whether it lives


class NotBegun(NakctlError):
    """As the runner said."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.exit_code = ExitCode(code)


def started(job: dict[str, Any], say: Callable[[str], None]) -> Path:
    """The file of a run that has begun in a process of its own, which needs this one no longer.

    say  is told what there is to say before. NotBegun: why it has not. KeyboardInterrupt: it was told to
    stop, and has not begun, or stops in order.
    """
    folder = Path(tempfile.mkdtemp(prefix="nakctl-start-"))
    try:
        (folder / JOB).write_text(json.dumps(job), encoding="utf-8")
        (folder / SAID).touch()
        with (folder / SAID).open(encoding="utf-8") as said:
            process = start_detached("nakctl.cli.runner", str(folder), output=folder / SAID)
            if process.warning:
                say(process.warning)
            lines = _lines(process, said)
            try:
                return _heard(lines, say)
            except KeyboardInterrupt:
                (folder / STOP).touch()
                with suppress(NakctlError):
                    _heard(lines, say)
                raise
    except OSError as error:
        raise NakctlError(f"no process can be started for the run ({error.strerror or error})") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _heard(lines: Iterator[str], say: Callable[[str], None]) -> Path:
    for line in lines:
        told = json.loads(line)
        if "begun" in told:
            return Path(told["begun"])
        if "failed" in told:
            raise NotBegun(told["failed"], told["code"])
        say(told["say"])
    raise ChannelError("the process of the run ended before it began")


def _lines(process: Detached, said: Any) -> Iterator[str]:
    """As they come, until the process is gone."""
    silent_since, rest = time.monotonic(), ""
    while True:
        is_over = process.exit_code() is not None
        if came := said.readline():
            silent_since, rest = time.monotonic(), rest + came
            if rest.endswith("\n"):
                yield rest
                rest = ""
        elif is_over or (process.pid is None and time.monotonic() - silent_since > SILENT_s):
            return
        else:
            time.sleep(LOOK_s)
