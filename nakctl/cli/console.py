"""What standard output and error can take: every letter somehow, and nothing for ever.

A terminal may stand still (Ctrl-S, a selection in a Windows console). A command that has done its work then
leaves all the same.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from typing import TextIO

PATIENCE_s = 5.0
_standing = threading.Event()  # somebody still waits for the terminal, in a thread or in a process


def forgive() -> None:
    """A letter that the console does not have is written as its number: no text ends a command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(*lines: str, to: TextIO | None = None) -> None:
    """Print lines and wait for that, on a terminal for PATIENCE_s at the most. to: None: standard output."""
    stream = sys.stdout if to is None else to
    if not stream.isatty():
        _print(lines, stream)
        return
    printing = threading.Thread(target=_print, args=(lines, stream), daemon=True)
    printing.start()
    printing.join(PATIENCE_s)
    if printing.is_alive():
        leave_standing()


def ask(question: str) -> str:
    """What is typed then. EOFError, OSError: nobody can answer any more.

    On standard output, as all that a command says; `input` asks on standard error, which may be a file.
    """
    print(question, end="", flush=True)
    return input()


def leave_standing() -> None:
    """This process will end without waiting for what still writes to the terminal."""
    _standing.set()


def leave_if_standing(code: object) -> None:
    """End the process at once if the ordinary end would wait for the terminal. code: as of SystemExit."""
    if _standing.is_set():
        os._exit(code if isinstance(code, int) else 1)


def _print(lines: tuple[str, ...], stream: TextIO) -> None:
    try:
        for line in lines:
            print(line, file=stream, flush=True)
    except OSError:  # nobody looks any more
        return
