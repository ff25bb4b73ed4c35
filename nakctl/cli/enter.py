"""Enter, pressed in a terminal that shows something: looked for, and never waited for."""

from __future__ import annotations

import os
import sys


def pressed() -> bool:
    """Whether it was since the last time. False where nobody can, or where it is meant for somebody else."""
    if sys.stdin is None or not sys.stdin.isatty():
        return False
    if sys.platform == "win32":
        return _in_console()
    import select

    found = False
    while _is_in_front() and select.select([sys.stdin], [], [], 0)[0]:
        if not sys.stdin.readline():
            break
        found = True
    return found


def _is_in_front() -> bool:
    """Else what is typed is meant for another program, and whoever reads it is stopped."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:  # it is nobody's terminal
        return True


def _in_console() -> bool:
    import msvcrt

    found = False
    while msvcrt.kbhit():  # type: ignore[attr-defined]
        found = msvcrt.getwch() in ("\r", "\n") or found  # type: ignore[attr-defined]
    return found
