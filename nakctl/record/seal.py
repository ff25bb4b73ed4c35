"""Journal -> the file that stays: compressed, complete, verified, and put in place in one step.

`python -m nakctl.record.seal NAME.h5` runs it in a process of its own. Killed at any moment it leaves either
what was there before, or the sealed file; run again it completes what is left to do.

    NAME.h5.sealing is written, synced, and verified by another process
    NAME.h5 is replaced by it
    the journal is removed (kept as NAME.h5.journal.damaged if it could not be read to its end)
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import h5py
import numpy as np

from nakctl.errors import NakctlError, RecordError
from nakctl.record import files, lock
from nakctl.record.describe import fields, group, last_time_s
from nakctl.record.journal_reader import JournalDamage, JournalReader
from nakctl.record.process import Outcome
from nakctl.record.replay import LIBVER, Replay, write_derived
from nakctl.record.verify import Verifier

_REPLACE_TRIES = 40
_REPLACE_PAUSE_S = 0.25

Stage = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ending:
    """How the run ended, as far as the journal tells. damage: why it could not be read further."""

    status: str
    end_reason: str
    facts: dict[str, Any]
    recovery: str
    damage: str


def seal(path: Path, at: Stage = lambda stage: None) -> Outcome:
    """Seal NAME.h5 from its journal; on a file that is sealed already, remove what is left over.

    at  called with the name of each stage when it is reached
    Raises RecordError if the journal holds no run or the file does not verify; OSError and RuntimeError (as
    h5py does) if the disk does not take it. The journal is then as it was, and this process should end.
    """
    beside = None if is_sealed(path) else _seal_from_journal(path, at)
    if beside is not None:
        held = f"{path} is held open by another program: close that, then nakctl recover {path}"
        return _outcome(beside, False, held)
    _clear(path)
    at("cleared")
    return _outcome(path, True, "")


def is_sealed(path: Path) -> bool:
    """Whether NAME.h5 is whole and needs no journal."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            return bool(file.attrs.get("sealed", False))
    except (OSError, RuntimeError):
        return False


def _seal_from_journal(path: Path, at: Stage) -> Path | None:
    """None once NAME.h5 is sealed; else the sealed file beside it."""
    if not files.journal_of(path).exists():
        raise RecordError(f"{path} is no sealed run, and there is no journal to seal it from")
    journal = JournalReader(path, exclusive=True)
    try:
        if is_sealed(path):  # by another process, while this one waited
            return None
        if not _has_end(journal) and lock.is_held(files.lock_of(path)):
            raise RecordError(f"{path} is still being recorded")
        temporary = files.temporary_of(path)
        with Verifier() as verifier:
            tables = _write(temporary, journal)
            at("written")
            files.sync_file(temporary)
            at("synced")
            verifier.confirm(temporary, tables)
        at("verified")
        beside = _put_in_place(temporary, path)
        files.sync_folder(path.parent)
        at("replaced")
        return beside
    finally:
        journal.close()


def _write(temporary: Path, journal: JournalReader) -> dict[str, tuple[int, dict[str, int]]]:
    """The sealed file under its temporary name; returns rows and checksums of every table.

    No context manager: after a failed write closing the file can crash, so an error leaves it open.
    """
    temporary.unlink(missing_ok=True)
    file = h5py.File(temporary, "w", libver=LIBVER)
    replay = Replay(file, journal, sealed=True)
    damage = ""
    try:
        for poll in journal.polls():
            replay.add(poll)
    except JournalDamage as error:
        damage = error.reason
    replay.sensors.take()
    replay.write()
    write_derived(replay)
    replay.sensors.conclude()
    _write_ending(file, replay, _ending(journal, replay, damage), journal.header.get("start_time"))
    tables = replay.all_tables()
    replay.sensors.reader.close()
    file.close()
    return tables


def _has_end(journal: JournalReader) -> bool:
    try:
        return journal.end() is not None
    except JournalDamage:
        return False


def _ending(journal: JournalReader, replay: Replay, damage: str) -> Ending:
    try:
        end = journal.end()
    except JournalDamage as error:
        end, damage = None, damage or error.reason
    if end is not None and not damage and end["polls"] != replay.seq:
        damage = f"{end['polls']} polls were written"
    if end is not None and not damage:
        return Ending(end["status"], end["end_reason"], end["facts"], "", "")
    known = end or {"end_reason": "the process that recorded it ended without closing the run", "facts": {}}
    return Ending("recovered", known["end_reason"], known["facts"], _recovery_note(replay, damage), damage)


def _recovery_note(replay: Replay, damage: str) -> str:
    samples = replay.tables["samples"].group
    note = f"recovered from the journal up to poll {replay.seq}"
    if len(samples["time"]):
        note += f", last sample at {samples['time'][-1]:.6g} s in step {samples['step_id'][-1]}"
    return f"{note}; the journal is damaged after that: {damage}" if damage else note


def _write_ending(file: h5py.File, replay: Replay, ending: Ending, start_time: str | None) -> None:
    entry = replay.entry
    duration_s = last_time_s(entry)
    entry["run_status"][()] = ending.status
    fields(
        entry,
        end_reason=ending.end_reason,
        recovery=ending.recovery or None,
        damage=ending.damage or None,
        duration={"value": duration_s, "units": "s"},
        end_time=_end_time(start_time, duration_s),
    )
    fields(group(entry, "results", "NXcollection"), **ending.facts)
    file.attrs["file_time"] = datetime.now().astimezone().isoformat(timespec="seconds")
    file.attrs["sealed"] = np.uint8(1)


def _end_time(start_time: str | None, duration_s: float) -> str | None:
    if start_time is None:
        return None
    return (datetime.fromisoformat(start_time) + timedelta(seconds=duration_s)).isoformat()


def _put_in_place(temporary: Path, path: Path) -> Path | None:
    """Windows does not replace a file that is open anywhere: then the sealed one stays beside it."""
    for _ in range(_REPLACE_TRIES):
        try:
            temporary.replace(path)
            return None
        except PermissionError:
            time.sleep(_REPLACE_PAUSE_S)
    return temporary.replace(files.beside_of(path))


def _clear(path: Path) -> None:
    """Remove what a sealed file no longer needs."""
    with h5py.File(path, "r", locking=False) as file:
        damaged = "damage" in file["entry"]
        aux_damaged = "aux" in file["entry"] and "damage" in file["entry/aux"].attrs
        run_id = file["entry/entry_identifier_uuid"][()]
    if damaged:
        files.keep_damaged_journal(path)
    if aux_damaged:
        files.keep_damaged_aux(path)
    beside = files.beside_of(path)
    if is_sealed(beside) and _run_id(beside) == run_id:
        beside.unlink()
    files.temporary_of(path).unlink(missing_ok=True)
    files.remove_journal(path)
    files.sync_folder(path.parent)


def _run_id(path: Path) -> bytes:
    with h5py.File(path, "r", locking=False) as file:
        found: bytes = file["entry/entry_identifier_uuid"][()]
        return found


def _outcome(path: Path, sealed: bool, message: str) -> Outcome:
    with h5py.File(path, "r", locking=False) as file:
        entry = file["entry"]
        note = entry["recovery"].asstr()[()] if "recovery" in entry else ""
        status = entry["run_status"].asstr()[()]
        return Outcome(path, sealed, status, len(entry["samples/time"]), message or note)


def main() -> NoReturn:
    """Seal, and say what came of it. Does not return."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    path = Path(sys.argv[1])
    try:
        _leave(seal(path))
    except (NakctlError, OSError, RuntimeError) as error:
        with contextlib.suppress(OSError):
            files.temporary_of(path).unlink(missing_ok=True)
        # Here and not later: `error` keeps the file from being closed, which could crash.
        _leave(Outcome(path, False, "", 0, f"{path} is not sealed: {error}"))


def _leave(outcome: Outcome) -> NoReturn:
    sys.stdout.write(outcome.line())
    sys.stdout.flush()
    os._exit(0 if outcome.sealed else 1)


if __name__ == "__main__":
    main()
