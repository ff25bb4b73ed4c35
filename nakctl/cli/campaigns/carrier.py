"""Who carries out a campaign: one process for a folder of results, known by a lock, as runs are.

.nakctl-campaign.lock   held as long as it does
.nakctl-campaign.json   who it is
.nakctl-campaign.stop   put there by who wants it to begin no further run
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from nakctl.record import lock

_NAME = ".nakctl-campaign"


@dataclass(frozen=True, slots=True)
class Carrier:
    """since: local time with its offset, ISO 8601."""

    pid: int
    since: str

    def __str__(self) -> str:
        return f"process {self.pid}, since {self.since[:16].replace('T', ' ')}"


@contextmanager
def carrying_out(out: Path) -> Iterator[None]:
    """OSError: somebody else does, or nothing can be written there."""
    with lock.hold(_lock_of(out)):
        stop_of(out).unlink(missing_ok=True)  # that was another one's
        about = Carrier(os.getpid(), datetime.now().astimezone().isoformat(timespec="seconds"))
        _note_of(out).write_text(json.dumps(asdict(about)), encoding="utf-8")
        try:
            yield
        finally:
            for file in (_note_of(out), stop_of(out)):
                with suppress(OSError):  # somebody may be reading it; without the lock it means nothing
                    file.unlink(missing_ok=True)


def is_carried_out(out: Path) -> bool:
    return lock.is_held(_lock_of(out))


def carrier(out: Path) -> Carrier | None:
    """None: nobody, or one that has not said so yet."""
    if not is_carried_out(out):
        return None
    try:
        return Carrier(**json.loads(_note_of(out).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def stop_of(out: Path) -> Path:
    return out / f"{_NAME}.stop"


def _lock_of(out: Path) -> Path:
    return out / f"{_NAME}.lock"


def _note_of(out: Path) -> Path:
    return out / f"{_NAME}.json"
