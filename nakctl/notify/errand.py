"""A process that somebody was sent off with, and who is looked after without waiting."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from nakctl import isolated

LONGEST_s = 75.0  # a busy computer may take a while to start it
_GONE_s = 5.0  # after it was ended; then nobody waits for it any more


class Errand:
    """`python -m nakctl.notify.MODULE ARGUMENTS`; what it prints last is its answer.

    A thread gives it its job and hears it out: a pipe may be full, and so may the disk of a file.
    """

    def __init__(self, module: str, *arguments: str, job: Mapping[str, Any] | None = None) -> None:
        """OSError: no process can be started."""
        self._began_s = time.monotonic()
        self._said = ""
        self._process = isolated.start(f"nakctl.notify.{module}", *arguments, stdin=subprocess.PIPE)
        text = json.dumps(dict(job or {}))
        self._listening = threading.Thread(target=self._listen, args=(text,), daemon=True)
        self._listening.start()

    def answer(self) -> dict[str, Any] | None:
        """None: it is still under way. {}: it died, or was ended because it took too long."""
        if self._listening.is_alive():
            took_s = time.monotonic() - self._began_s
            if took_s > LONGEST_s:
                self.end()
            return {} if took_s > LONGEST_s + _GONE_s else None
        with suppress(ValueError, IndexError):
            if isinstance(told := json.loads(self._said.splitlines()[-1]), dict):
                return told
        return {}

    def end(self) -> None:
        if hasattr(os, "killpg"):
            with suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(OSError):
            self._process.kill()

    def _listen(self, job: str) -> None:
        with suppress(OSError, ValueError):
            self._said, _ = self._process.communicate(job)
