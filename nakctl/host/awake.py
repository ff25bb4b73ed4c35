"""The computer does not go to sleep while something of ours goes on."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_CONTINUOUS, _SYSTEM_REQUIRED = 0x80000000, 0x00000001  # ES_..., winbase.h


class Awake:
    """What became of it, as far as is known."""

    def __init__(self) -> None:
        self._trouble = ""

    def trouble(self) -> str:
        """Why the computer may sleep all the same, as a sentence; "" if nothing is known. Does not wait."""
        return self._trouble

    def _because(self, why: str) -> None:
        self._trouble = f"this computer may go to sleep meanwhile ({why}): switch that off in its settings"


@contextmanager
def awake(reason: str) -> Iterator[Awake]:
    """Keep the computer awake. Its screen may go dark, and who closes its lid or tells it to sleep is obeyed.

    reason  what the user is told who asks the system why it does not sleep

    It waits for nothing and raises nothing: all is done in a thread, and what it came to is told by
    `trouble`. Where the system has no such thing it does nothing. Nothing is left of it when the process
    ends, however it ends.
    """
    kept, over = Awake(), threading.Event()
    hold = _hold_windows if sys.platform == "win32" else _hold_elsewhere
    threading.Thread(target=hold, args=(reason, kept, over), daemon=True).start()
    try:
        yield kept
    finally:
        over.set()


def _hold_windows(reason: str, kept: Awake, over: threading.Event) -> None:
    """What is asked for holds as long as this thread lives."""
    import ctypes

    try:
        ask = ctypes.WinDLL("kernel32").SetThreadExecutionState  # type: ignore[attr-defined,unused-ignore]
    except (OSError, AttributeError) as error:
        kept._because(str(error))
        return
    ask.argtypes, ask.restype = (ctypes.c_uint,), ctypes.c_uint
    if not ask(_CONTINUOUS | _SYSTEM_REQUIRED):
        kept._because("Windows refused")
    over.wait()
    ask(_CONTINUOUS)


def _hold_elsewhere(reason: str, kept: Awake, over: threading.Event) -> None:
    """By a child that holds it until its standard input ends: that is when we let go of it, or die."""
    command = [
        "systemd-inhibit",
        "--what=sleep:idle",
        "--who=nakctl",
        f"--why={reason}",
        "--mode=block",
        "cat",
    ]
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError:
        kept._because("there is no systemd-inhibit")
        return
    except OSError as error:
        kept._because(f"systemd-inhibit: {error.strerror}")
        return
    threading.Thread(target=_let_go, args=(child, over), daemon=True).start()
    assert child.stderr is not None
    with child.stderr as pipe:
        said = pipe.read().decode(errors="replace").strip()
    child.wait()
    if not over.is_set():
        kept._because(said.splitlines()[-1] if said else "systemd-inhibit ended")


def _let_go(child: subprocess.Popen[bytes], over: threading.Event) -> None:
    over.wait()
    assert child.stdin is not None
    with suppress(OSError):
        child.stdin.close()
