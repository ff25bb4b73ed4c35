"""Who records into NAME.h5? A lock tells: the system lets go of it when its process ends, however it ends.

The number of a process would not do: numbers are used again, and its start is known by the wall clock only,
which may be set while it runs.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import BinaryIO

_PATIENCE_S, _PAUSE_S = 1.0, 0.01  # who only asks `is_held` has it for a moment

if sys.platform == "win32":
    import msvcrt

    def _take(file: BinaryIO, shared: bool) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(file: BinaryIO, shared: bool) -> None:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def hold(path: Path) -> BinaryIO:
    """Take the lock and keep it until the returned file is closed. OSError if another process has it."""
    file = path.open("ab")
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            _take(file, shared=False)
        except OSError:
            if time.monotonic() > until:
                file.close()
                raise
            time.sleep(_PAUSE_S)
        else:
            return file


def is_held(path: Path) -> bool:
    """Whether a process holds the lock now."""
    try:
        with path.open("r+b") as file:
            _take(file, shared=True)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
