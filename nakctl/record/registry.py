"""Which runs of this user there are on this computer: a small file for each, so that anybody can find them.

`runs/RUN_ID.json` in the user's data folder says where the run records, and on which channel. It is written
when the record is begun and removed when the run is sealed. Who lists them drops those that are over; one
whose drive is not there is kept. Nothing here is the truth about a run: that is its journal.

Imports no numpy: `nakctl status` has to answer at once.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from nakctl.record import files, lock, slot

FOLDER_VARIABLE = "NAKCTL_RUNS"  # where they are kept, if not where they usually are


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A run of this computer.

    path      of NAME.h5, absolute
    place     name of its channel in the rig
    protocol  its title; protocol_file: name of its file
    started   local time with its offset, ISO 8601
    pid, boot of the program that began it, and of the start of the computer; born_s: when that program began
    address   of the instrument, "" if it has none; channel: its number there
    ends      when it will be over if all goes as planned, ISO 8601; "" if nobody knows
    outlives  its channel goes on when its program is gone, as far as is known
    drive     which drive NAME.h5 is on, see `drive_of`
    unwatched what is to become of it if nobody can watch it: "go on", "stop" after unwatched_for_s, or "": as
              its limits allow
    rig       the rig file, absolute, "" if there is none: it says who is told what happens
    """

    run_id: str
    path: Path
    place: str = ""
    protocol: str = ""
    cell: str = ""
    pid: int = 0
    started: str = ""
    protocol_file: str = ""
    boot: str = ""
    driver: str = ""
    address: str = ""
    channel: int = 0
    version: str = ""
    area_cm2: float = 0.0
    simulated: bool = False
    outlives: bool = True
    ends: str = ""
    drive: str = ""
    born_s: float = 0.0
    unwatched: str = ""
    unwatched_for_s: float = 60.0
    rig: str = ""

    @property
    def short_id(self) -> str:
        return self.run_id[:8]


def folder() -> Path:
    """One per user; it may not be there yet. RuntimeError: a user without a home."""
    if asked := os.environ.get(FOLDER_VARIABLE):
        return Path(asked)
    return files.user_data_folder() / "runs"


def enter(run: KnownRun) -> str:
    """Write it down. Returns why that was not possible, "" if it was: no reason not to run."""
    try:
        file = _file_of(run.run_id)
        file.parent.mkdir(parents=True, exist_ok=True)
        told = {**asdict(run), "path": str(run.path), "drive": drive_of(run.path.parent)}
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(told, indent=1), encoding="utf-8")
        files.put_in_place(fresh, file)  # whole, or not there
    except (OSError, RuntimeError, ValueError) as error:
        why = (isinstance(error, OSError) and error.strerror) or str(error)
        return f"this run will not be listed by `nakctl status`: its entry cannot be written ({why})"
    return ""


def forget(run_id: str) -> None:
    """Nothing if it was not known, or cannot be removed: whoever lists drops it."""
    with suppress(OSError, RuntimeError):
        _file_of(run_id).unlink()


def known_runs() -> list[KnownRun]:
    """All that are not sealed yet, in the order in which they were started; entries of others are dropped."""
    try:
        found = [run for file in folder().glob("*.json") if (run := _read(file)) is not None]
    except (OSError, RuntimeError):
        return []
    there: list[KnownRun] = []
    for run in sorted(found, key=lambda run: (run.started, run.run_id)):
        if _is_over(run):
            forget(run.run_id)
        else:
            there.append(run)
    return there


def is_away(run: KnownRun) -> bool:
    """Nothing of it can be seen, and the drive that it was on is not there."""
    try:
        return not any(map(Path.exists, _traces(run.path)))
    except OSError:
        return True


def drive_of(place: Path) -> str:
    """By what a drive, or a share, is known again: where it is mounted, and what is there. "": unknown."""
    try:
        root = place.resolve()
        while not _is_mount(root) and root != root.parent:
            root = root.parent
        about = root.stat()
        volume = os.statvfs(root).f_fsid if hasattr(os, "statvfs") else about.st_dev
        return f"{root}|{volume}|{about.st_ino}"
    except OSError:
        return ""


def _file_of(run_id: str) -> Path:
    return folder() / f"{re.sub(r'[^0-9A-Za-z-]', '_', run_id)[:64]}.json"


def _read(file: Path) -> KnownRun | None:
    """None: it is no entry, or of a version that had other words."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        return _known(told)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _known(told: Mapping[str, Any]) -> KnownRun:
    """Words that a later version has besides are left out."""
    words: dict[str, Any] = {each.name: told[each.name] for each in fields(KnownRun) if each.name in told}
    default = KnownRun("", Path())
    for name, value in words.items():
        wanted = str if name == "path" else type(getattr(default, name))
        if not isinstance(value, (int, float) if wanted is float else wanted):
            raise TypeError(name)
    path = Path(told["path"])
    if b"\0" in os.fsencode(path) or not path.is_absolute():  # no system has it, or it depends on who asks
        raise ValueError(told["path"])
    return KnownRun(**{**words, "path": path, "run_id": told["run_id"]})


def _is_over(run: KnownRun) -> bool:
    """It was sealed, or removed, or another run has its name. What cannot be seen is none of these."""
    try:
        if files.journal_of(run.path).exists():
            state = slot.state_of(run.path)
            return state is not None and state.get("run_id", run.run_id) != run.run_id
        if lock.is_held(files.lock_of(run.path)):
            return False
        if any(map(Path.exists, _traces(run.path))):
            return True
        return _is_same_drive(run)
    except OSError:
        return False


def _is_same_drive(run: KnownRun) -> bool:
    """Whether the drive it was on is there: then what is not there was removed."""
    root = run.drive.partition("|")[0]
    if not root or not _is_mount(Path(root)):
        return False
    return drive_of(Path(root)) == run.drive


def _is_mount(folder: Path) -> bool:
    return os.path.ismount(folder)  # that of pathlib came to Windows with Python 3.12


def _traces(path: Path) -> tuple[Path, ...]:
    return path, files.beside_of(path), files.journal_of(path), files.damaged_of(path), files.slot_of(path)
