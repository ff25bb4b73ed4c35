"""What the next command does about a run that was never sealed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nakctl.errors import InputError, RecordError
from nakctl.record import files, lock, registry
from nakctl.record.journal_reader import JournalReader, is_empty
from nakctl.record.process import Helper, Outcome
from nakctl.record.store import reason_of


@dataclass(frozen=True, slots=True)
class Recovered:
    """A sealed file. status: as in the file; rows: samples; message: a sentence for the user."""

    path: Path
    status: str
    rows: int
    message: str


def recover(path: Path, *, again: bool = False) -> Recovered:
    """Seal what was recorded into NAME.h5, whatever became of NAME.h5 itself. Harmless on a sealed file.

    again  a file that is sealed is booked anew, from what it holds beside its tables
    Raises InputError if there is no such run or it is still going on, RecordError if it cannot be sealed (the
    journal stays).
    """
    journal = files.journal_of(path)
    if not path.exists() and not journal.exists():
        raise InputError(f"{path}: no such run")
    if journal.exists() and is_running(path):
        raise InputError(f"{path} is still being recorded: stop that run first")
    if journal.exists() and not path.exists() and is_empty(path):
        files.remove_journal(path)
        raise InputError(f"{path} was killed before anything was recorded; what it left is removed")
    try:
        helper = Helper("sealer", str(path), *(("--again",) if again else ()))
    except OSError as trouble:
        reason = f"no process can be started ({reason_of(trouble)})"
        raise RecordError(f"{path} is not sealed: {reason}") from trouble
    said = helper.wait(Outcome.from_json)
    if isinstance(said, Outcome) and said.sealed:
        registry.known_runs()  # which drops what is sealed now
        return Recovered(said.path, said.status, said.rows, said.message or "sealed, and nothing is missing")
    kept = f"{path} is not sealed, and its journal kept: {said}"
    error = RecordError(said.message if isinstance(said, Outcome) else kept)
    error.add_note(helper.trace)  # for --debug
    raise error


def is_running(path: Path) -> bool:
    """Whether a process is recording into NAME.h5: it holds the lock, and has not written the end yet."""
    if not lock.is_held(files.lock_of(path)):
        return False
    try:
        journal = JournalReader(path)
    except RecordError:
        return True  # it is being started
    try:
        return journal.end() is None
    except RecordError:
        return True
    finally:
        journal.close()


def unsealed(folder: Path) -> list[Path]:
    """The NAME.h5 of all runs in the folder that wait for `recover`."""
    names = (Path(str(journal).removesuffix(".journal")) for journal in folder.glob("*.h5.journal"))
    return sorted(path for path in names if not is_running(path))
