"""Whoever comes after a program that died: the lock first, then a look at what it left.

Only the holder of the lock talks to the channel and writes the journal.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

from nakctl.errors import InputError, RecordError
from nakctl.record import files, lock
from nakctl.record.journal_reader import JournalDamage, JournalReader, is_empty
from nakctl.record.store import reason_of


@contextmanager
def fenced(path: Path) -> Iterator[BinaryIO]:
    """Hold the lock of a run whose program is gone. InputError: there is no such run, or somebody records it.

    The lock may be given on to a journal, which then lets go of it.
    """
    refuse_over(path)
    try:
        held = lock.hold(files.lock_of(path))
    except OSError as error:
        if lock.is_held(files.lock_of(path)):
            raise InputError(f"{path} is being recorded by another process") from None
        raise RecordError(f"nothing can be written into {path.parent}: {reason_of(error)}") from error
    with held:
        refuse_over(path)  # somebody may have sealed it while this process waited
        if not _is_what_others_see(held, path):
            raise InputError(f"{path} is being recorded by another process")
        yield held


def refuse_over(path: Path) -> None:
    """InputError if there is nothing to go on with."""
    if files.journal_of(path).exists():
        return
    raise InputError(f"{path} is over: its file is sealed" if path.exists() else f"{path}: no such run")


def may_go_on(path: Path) -> str:
    """The channel on which a run without its program may go on, or has rows that wait; "" if there is none.

    That of a simulated run ends with its program; of a journal that cannot be read nobody knows.
    """
    if is_empty(path):
        return ""
    try:
        with closing(JournalReader(path)) as journal:
            place = journal.header.get("place")
            if not isinstance(place, dict) or journal.end() is not None:
                return ""
            return str(place.get("name", "its channel")) if _may_go_on(journal) else ""
    except RecordError:
        return ""


def _may_go_on(journal: JournalReader) -> bool:
    """Whether a chain was to be started after which nothing said that it had stopped."""
    try:
        for entry in journal.latest("meant", "done", "said"):
            if entry.kind == "said" and entry.facts.get("stopped"):
                return False
            if entry.facts.get("verb") == "start":
                return True
    except JournalDamage:  # nobody can tell
        return True
    return False


def _is_what_others_see(held: BinaryIO, path: Path) -> bool:
    """The file of the lock may have been removed, and another one made, while this process waited for it."""
    try:
        return os.path.samestat(os.fstat(held.fileno()), files.lock_of(path).stat())
    except OSError:
        return False
