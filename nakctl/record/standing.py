"""How a run stands, as anybody sees it who is not its program: by its lock, its journal and its file."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from nakctl.errors import EXIT_CODES, ExitCode, InputError
from nakctl.record import files, lock, peek

SEALED_s = 60.0  # of a file whose sealing does not go on
_UNSEEN = "MAY STILL BE UNDER CURRENT"  # as a run says it whose channel was not seen stopped


class Standing(Enum):
    LIVE = "a program holds it"
    DEAD = "its program is gone, and did not end it"
    ENDED = "it has ended, and is not sealed"
    SEALED = "it is over, and its file is whole"


@dataclass(frozen=True, slots=True)
class Over:
    """How a run ended. code: with which its program left; cell_open: the channel was seen stopped.

    told  what else the end in its journal says, as `Recorder.finish` takes it
    """

    status: str
    reason: str
    code: int
    cell_open: bool
    told: Mapping[str, Any] = field(default_factory=dict)


def standing(path: Path) -> Standing:
    """Of the run NAME.h5. InputError: there is none. Cheap while it lives: it looks at the lock alone."""
    while True:
        if lock.is_held(files.lock_of(path)):
            return Standing.LIVE
        if not files.journal_of(path).exists():
            if path.exists():
                return Standing.SEALED
            if lock.is_held(files.lock_of(path)):
                return Standing.LIVE
            raise InputError(f"{path}: no such run")
        end = peek.end(path)
        if lock.is_held(files.lock_of(path)) or not files.journal_of(path).exists():
            continue  # it was sealed, or taken over, meanwhile
        return Standing.DEAD if end is None else Standing.ENDED


class Sealing:
    """Whether the file of a run that has ended is still being made."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seen: tuple[int, int] | None = None
        self.since = math.nan

    def stands_still(self) -> bool:
        try:
            about = files.temporary_of(self.path).stat()
            seen = about.st_size, about.st_mtime_ns
        except OSError:
            seen = 0, 0
        if seen != self.seen:
            self.seen, self.since = seen, time.monotonic()
        return time.monotonic() - self.since > SEALED_s


def over(path: Path) -> Over:
    """How a run ended that has ended. RecordError: that cannot be read."""
    end = peek.end(path)
    return _over_in_file(sealed_file(path)) if end is None else _over(end["status"], end["end_reason"], end)


def sealed_file(path: Path) -> Path:
    """Where it is; another name, if a program kept NAME.h5 open as it was sealed."""
    beside = files.beside_of(path)
    return beside if beside.is_file() else path


def _over_in_file(path: Path) -> Over:
    from nakctl.record.opening import opened

    with opened(path) as file:
        status = file["entry/run_status"].asstr()[()]
        reason = file["entry/end_reason"].asstr()[()] if "entry/end_reason" in file else ""
        end: dict[str, Any] = {}
        if "entry/raw/documents" in file:
            end = json.loads(file["entry/raw/documents/byte"][()].tobytes()).get("end") or {}
    return _over(status, reason, end)


def _over(status: str, reason: str, end: dict[str, Any]) -> Over:
    """end: what else its journal said; older ones do not say with which code their program left."""
    is_open, code = end.get("cell_open"), end.get("exit_code")
    if status == "recovered":  # by somebody else, who saw no cell
        return Over(status, reason, int(ExitCode.FAILED), bool(is_open), end)
    if is_open is None:
        is_open = _UNSEEN not in reason
    if code is None:
        code = EXIT_CODES.get(status, ExitCode.FAILED) if is_open else ExitCode.INSTRUMENT
    return Over(status, reason, int(code), bool(is_open), end)
