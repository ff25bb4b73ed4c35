"""Which start of this computer it is: by that a process that is gone is told from one that lives."""

from __future__ import annotations

import time
from pathlib import Path

_LINUX = Path("/proc/sys/kernel/random/boot_id")
_BY_THE_CLOCK = "started at "
_SET_BY_S = 600.0  # a wall clock may be set by so much and it is the same start


def boot_id() -> str:
    """The system's own word for it, or when it started, in minutes of the wall clock."""
    try:
        return _LINUX.read_text(encoding="ascii").strip()
    except OSError:
        return f"{_BY_THE_CLOCK}{round((time.time() - time.monotonic()) / _SET_BY_S) * _SET_BY_S:.0f}"


def is_same_boot(one: str, other: str) -> bool:
    """Two moments a little apart may be rounded to neighbours."""
    if one == other or not (one.startswith(_BY_THE_CLOCK) and other.startswith(_BY_THE_CLOCK)):
        return one == other
    try:
        first, second = (float(each.removeprefix(_BY_THE_CLOCK)) for each in (one, other))
    except ValueError:
        return False
    return abs(first - second) <= _SET_BY_S
