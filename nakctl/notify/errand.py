"""A process that somebody was sent off with, and who is looked after without waiting."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from nakctl import isolated

LONGEST_s = 75.0  # a busy computer may take a while to start it


class Errand:
    """`python -m nakctl.notify.MODULE ARGUMENTS`; what it prints last is its answer.

    Through files and not through pipes: nothing is held up by who does not read, or leaves one open.
    """

    def __init__(self, module: str, *arguments: str, job: Mapping[str, Any] | None = None) -> None:
        """OSError: no process can be started."""
        self._began_s = time.monotonic()
        self._out = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the errand)
        with tempfile.TemporaryFile() as told:
            told.write(json.dumps(dict(job or {})).encode())
            told.seek(0)
            try:
                self._process = isolated.start(
                    f"nakctl.notify.{module}", *arguments, stdin=told, stdout=self._out, stderr=self._out
                )
            except OSError:
                self._out.close()
                raise

    def answer(self) -> dict[str, Any] | None:
        """None: it is still under way. {}: it died, or was ended because it took too long."""
        if self._process.poll() is None:
            if time.monotonic() - self._began_s > LONGEST_s:
                self.end()
            return None
        self._out.seek(0)
        lines = self._out.read().decode("utf-8", "replace").splitlines()
        self._out.close()
        with suppress(ValueError, IndexError):
            if isinstance(told := json.loads(lines[-1]), dict):
                return told
        return {}

    def end(self) -> None:
        if hasattr(os, "killpg"):
            with suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(OSError):
            self._process.kill()
