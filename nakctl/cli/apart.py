"""Starts a run in a process of its own (`runner`), and hears whether it has begun.

They share a folder for that, for as long as it takes; a pipe would bind one to the other:

    job.json   what to do
    said       lines of JSON: `say` a sentence, then `begun` where, or `failed` why and with which code; and
               whatever a library that it loads prints besides
    stop       put there by who changes his mind before it has begun; that the folder is gone says the same
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from nakctl.errors import ChannelError, ExitCode, NakctlError
from nakctl.host.detached import Detached, start_detached

if TYPE_CHECKING:
    pass

JOB, SAID, STOP = "job.json", "said", "stop"
LOOK_s = 0.02
SILENT_s = 120.0  # of one that the system's scheduler started: nobody knows whether it lives


class NotBegun(NakctlError):
    """As the runner said."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.exit_code = ExitCode(code)


class HasBegun(KeyboardInterrupt):
    """The run in this file was quicker than the wish that it should not begin."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path


def started(
    job: dict[str, Any], say: Callable[[str], None], is_wanted: Callable[[], bool] = lambda: True
) -> Path:
    """The file of a run that has begun in a process of its own, which needs this one no longer.

    say        is told what there is to say before
    is_wanted  asked while it is waited for: False is what Ctrl-C is in a terminal
    NotBegun: why it has not. KeyboardInterrupt: whoever asked for it has changed his mind; HasBegun: too late
    for a new run, which is still to be told.
    """
    folder = Path(tempfile.mkdtemp(prefix="nakctl-start-"))
    try:
        (folder / JOB).write_text(json.dumps(job), encoding="utf-8")
        (folder / SAID).touch()
        with (folder / SAID).open(encoding="utf-8", errors="replace") as said:
            process = start_detached("nakctl.cli.runner", str(folder), output=folder / SAID)
            if process.warning:
                say(process.warning)
            lines = _Lines(process, said, is_wanted)
            try:
                return _heard(lines, say)
            except KeyboardInterrupt:
                if job["do"] != "run":  # of another one it says nothing that it is not waited for here
                    raise
                (folder / STOP).touch()
                with suppress(NakctlError):
                    raise HasBegun(_heard(lines, say)) from None
                raise
    except OSError as error:
        raise NakctlError(f"no process can be started for the run ({error.strerror or error})") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _heard(lines: Iterator[str], say: Callable[[str], None]) -> Path:
    printed = ""
    for line in lines:
        told = _message(line)
        if told is None:
            printed = line.strip() or printed
            continue
        if "begun" in told:
            return Path(told["begun"])
        if "failed" in told:
            raise NotBegun(told["failed"], told["code"])
        say(told["say"])
    raise ChannelError(f"the process of the run ended before it began{printed and f' ({printed})'}")


def _message(line: str) -> dict[str, Any] | None:
    """None: it is none of the runner, but of a library, such as a warning."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) and told.keys() & {"begun", "failed", "say"} else None


class _Lines:
    """As they come, until the process is gone. An interruption loses none."""

    def __init__(self, process: Detached, said: TextIO, is_wanted: Callable[[], bool]) -> None:
        self._process, self._said, self._is_wanted = process, said, is_wanted
        self._rest = ""
        self._changed_his_mind = False
        self._silent_since = time.monotonic()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while True:
            is_over = self._process.exit_code() is not None
            if came := self._said.readline():
                self._silent_since = time.monotonic()
                self._rest += came
                if self._rest.endswith("\n"):
                    line, self._rest = self._rest, ""
                    return line
            elif is_over or (self._process.pid is None and self._silent_s > SILENT_s):
                raise StopIteration
            else:
                self._ask()
                time.sleep(LOOK_s)

    def _ask(self) -> None:
        """Once: the answer that it is too late is waited for."""
        if not self._changed_his_mind and not self._is_wanted():
            self._changed_his_mind = True
            raise KeyboardInterrupt

    @property
    def _silent_s(self) -> float:
        return time.monotonic() - self._silent_since
