"""What became of notices: a line of JSON each, in the user's data folder; it holds no secret.

Written by the process that sends, so that it stands there also if nobody waits for that any more.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from nakctl.record import registry

MOST_BYTES = 256 << 10
TOLD_FOR_s = 2 * 86400.0  # that the last one failed


def folder() -> Path:
    """Beside what is known of the runs. RuntimeError: a user without a home."""
    return registry.folder() / "notify"


def log_of(place: Path) -> Path:
    return place / "sent.jsonl"


def append(file: Path, line: Mapping[str, Any]) -> None:
    """In one go: several processes do so. Nothing if the disk takes nothing."""
    with suppress(OSError):
        if file.exists() and file.stat().st_size > MOST_BYTES:
            file.replace(file.with_suffix(".old"))
    with suppress(OSError), file.open("ab", buffering=0) as out:
        out.write(f"{json.dumps({'unix_s': round(time.time(), 1), **line})}\n".encode())


def read(file: Path) -> list[dict[str, Any]]:
    """All lines, the oldest first; what is no line of it is left out."""
    found = []
    for each in (file.with_suffix(".old"), file):
        with suppress(OSError):
            for line in each.read_bytes().splitlines():
                with suppress(ValueError):
                    if isinstance(told := json.loads(line), dict):
                        found.append(told)
    return found


def complaints(place: Path | None = None) -> list[str]:
    """A sentence for each way by which the last notice did not get through."""
    try:
        lines = read(log_of(place or folder()))
    except RuntimeError:
        return []
    last = {(line.get("rig"), line.get("number"), line.get("way")): line for line in lines if _is_whole(line)}
    failed = [line for line in last.values() if not line["sent"]]
    return [_complaint(line) for line in failed if time.time() - line["unix_s"] < TOLD_FOR_s]


def _is_whole(line: Mapping[str, Any]) -> bool:
    return isinstance(line.get("unix_s"), int | float) and isinstance(line.get("sent"), bool)


def _complaint(line: Mapping[str, Any]) -> str:
    at = datetime.fromtimestamp(line["unix_s"]).strftime("%m-%d %H:%M")
    again = "" if line.get("event") == "test" else "given up" if line.get("given_up") else "tried again"
    about = ", ".join(part for part in (line.get("event"), at, again) if part)
    return f"NOT TOLD: {line.get('way')}: {line.get('why')} ({about})"
