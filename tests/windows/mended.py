"""What Wine 8 does otherwise than Windows, put right: Python reads this as `sitecustomize` at each of its starts.

Its C library takes the end of a file for the end for ever, whatever is appended later, until somebody seeks. On
Windows one reads on.
"""

from __future__ import annotations

import builtins
import io
import os
from contextlib import suppress
from typing import Any

plain_open: Any = builtins.open


class ReadOn(io.FileIO):
    def readinto(self, buffer: Any) -> int | None:
        many = super().readinto(buffer)
        if many == 0:
            with suppress(OSError):  # it is no file that one can seek in
                os.lseek(self.fileno(), 0, os.SEEK_CUR)
        return many


def open_to_read_on(
    file: Any,
    mode: str = "r",
    buffering: int = -1,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    closefd: bool = True,
    opener: Any = None,
) -> Any:
    """As `open`; files that are only read, by their names, are read on."""
    if mode not in ("r", "rb") or isinstance(file, int) or buffering != -1 or opener is not None:
        return plain_open(file, mode, buffering, encoding, errors, newline, closefd, opener)
    bytes_of_it = io.BufferedReader(ReadOn(file))
    return bytes_of_it if mode == "rb" else io.TextIOWrapper(bytes_of_it, encoding, errors, newline)


builtins.open = io.open = open_to_read_on
