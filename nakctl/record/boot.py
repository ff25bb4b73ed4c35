"""Which start of this computer it is: by that a process that is gone is told from one that lives."""

from __future__ import annotations

import time
from pathlib import Path

_LINUX = Path("/proc/sys/kernel/random/boot_id")
_SET_BY_S = 600.0  # a wall clock may be set by so much and it is the same start


def boot_id() -> str:
    """The system's own word for it, or when it started, in minutes of the wall clock."""
    try:
        return _LINUX.read_text(encoding="ascii").strip()
    except OSError:
        return f"started at {round((time.time() - time.monotonic()) / _SET_BY_S) * _SET_BY_S:.0f}"
