"""Journal -> the file that stays: compressed, complete, verified, and put in place in one step.

`nakctl.record.seal NAME.h5` (see `process`) runs it in a process of its own. Killed at any moment it leaves
either what was there before, or the sealed file; run again it completes what is left to do.

    NAME.h5.sealing is written (of a run that goes on: as it grows, up to its end), synced, and verified by
                    another process
    NAME.h5 is replaced by it
    the journal is removed (kept as NAME.h5.journal.damaged if it could not be read to its end)

Beside the journal's rows come those that its disk did not take at the end (`Journal.set_aside`), and, where
the journal is damaged, those that the live view holds beyond it (`view`).
"""

from __future__ import annotations

import contextlib
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import h5py

from nakctl import isolated
from nakctl.errors import NakctlError, RecordError
from nakctl.record import files, lock
from nakctl.record.describe import fields
from nakctl.record.ending import UNCLOSED, ending_of, write_ending
from nakctl.record.journal_reader import JournalDamage, JournalReader
from nakctl.record.opening import CHECKSUMS, checksums
from nakctl.record.process import Beat, Outcome, answer
from nakctl.record.replay import LIBVER, Replay, write_derived
from nakctl.record.verify import Verifier
from nakctl.record.view import Beyond, take_beyond

_REPLACE_TRIES = 40
_REPLACE_PAUSE_S = 0.25
_LOOK_S = 0.01  # how soon the end of a run is noticed

Stage = Callable[[str], None]


class _Written(NamedTuple):
    """tables: rows, and checksum by column; aside: under which name the live view is to be kept, if it is;
    rest: which one was taken in.
    """

    tables: dict[str, tuple[int, dict[str, int]]]
    aside: Path | None
    rest: Path | None


def seal(path: Path, at: Stage = lambda stage: None) -> Outcome:
    """Seal NAME.h5 from its journal; on a file that is sealed already, remove what is left over.

    at  called with what is done now (again and again) and what was reached: written, synced, ...
    Raises RecordError if the journal holds no run or the file does not verify; OSError and RuntimeError (as
    h5py does) if the disk does not take it. The journal is then as it was, and this process should end.
    """
    beside, found = (None, {}) if is_sealed(path) else _seal_from_journal(path, at)
    if beside is not None:
        held = f"{path} is held open by another program: close that, then nakctl recover {path}"
        return _outcome(beside, False, held, found)
    _clear(path)
    at("cleared")
    return _outcome(path, True, "", found)


def is_sealed(path: Path) -> bool:
    """Whether NAME.h5 is whole and needs no journal."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            return bool(file.attrs.get("sealed", False))
    except (OSError, RuntimeError):
        return False


def _seal_from_journal(path: Path, at: Stage) -> tuple[Path | None, dict[str, Any]]:
    """None once NAME.h5 is sealed, else the sealed file beside it; and what its rows mean."""
    if not files.journal_of(path).exists():
        raise RecordError(f"{path} is no sealed run, and there is no journal to seal it from")
    with contextlib.ExitStack() as kept:
        begun = verifier = None
        if lock.is_held(files.lock_of(path)):
            verifier = kept.enter_context(Verifier())
            begun = _begun_while_it_goes_on(path, at)
        journal = JournalReader(path, exclusive=True)
        kept.callback(journal.close)
        if is_sealed(path):  # by another process, while this one waited
            return None, {}
        begun = begun or _begin(path, journal)
        return _finish(begun, journal, verifier or kept.enter_context(Verifier()), at)


def _begun_while_it_goes_on(path: Path, at: Stage) -> Replay | None:
    """All that a run recorded which goes on now, once it has ended; None if it is over already."""
    journal = JournalReader(path)
    try:
        if _has_end(journal):
            return None
        begun = _begin(path, journal)
        while not _has_end(journal):
            if not lock.is_held(files.lock_of(path)) and not _has_end(journal):
                raise RecordError(UNCLOSED)
            _add_polls(begun, journal, at)
            at("following")
            time.sleep(_LOOK_S)
        return begun
    finally:
        journal.close()


def _finish(
    begun: Replay, journal: JournalReader, verifier: Verifier, at: Stage
) -> tuple[Path | None, dict[str, Any]]:
    path = journal.path
    temporary = files.temporary_of(path)
    written = _write(begun, journal, at)
    at("written")
    at("syncing")
    files.sync_file(temporary)
    at("synced")
    found = verifier.confirm(temporary, written.tables, lambda: at("verifying"))
    at("verified")
    _conclude(temporary, found)
    files.sync_file(temporary)
    at("concluded")
    if written.aside is not None:
        path.replace(written.aside)
    beside = _put_in_place(temporary, path)
    files.sync_folder(path.parent)
    at("replaced")
    if written.rest is not None and beside is None:
        files.remove_rest(written.rest)
    return beside, found


def _begin(path: Path, journal: JournalReader) -> Replay:
    """The sealed file under its temporary name, without rows.

    No context manager: after a failed write closing the file can crash, so an error leaves it open.
    """
    temporary = files.temporary_of(path)
    temporary.unlink(missing_ok=True)
    return Replay(h5py.File(temporary, "w", libver=LIBVER), journal, sealed=True)


def _write(replay: Replay, journal: JournalReader, at: Stage) -> _Written:
    """All that is not in the file yet. Closes it."""
    last, damage = journal, ""
    rest = _rest_of(journal)
    try:
        _add_polls(replay, journal, at)
        if rest is not None:
            last = JournalReader(rest)
            _add_polls(replay, last, at)
    except JournalDamage as error:
        damage = error.reason
        if rest is not None:
            damage += f" (what waited in memory at the end is kept in {files.journal_of(rest)})"
    replay.sensors.take()
    replay.write()
    beyond = Beyond()
    if damage or not _is_whole(last, replay):
        beyond = take_beyond(journal.path, replay, damaged=bool(damage))
        if beyond.rows and not damage:
            damage = "it ends before its live view does"
    write_derived(replay)
    replay.sensors.conclude()
    ending = ending_of(last, replay, damage, beyond)
    write_ending(replay, ending, journal.header.get("start_time"))
    tables = replay.all_tables()
    replay.sensors.reader.close()
    replay.file.close()
    if last is not journal:
        last.close()
    return _Written(tables, beyond.aside, None if damage else rest)


def _conclude(temporary: Path, found: Mapping[str, Any]) -> None:
    """Put what the rows mean beside them, and checksums of all that HDF5 does not guard itself.

    What cannot be kept is left out: the rows are worth more.
    """
    file = h5py.File(temporary, "r+", libver=LIBVER)  # no context manager, as above
    results = file["entry/results"]
    for name, value in found.items():
        if name not in results:
            with contextlib.suppress(TypeError, ValueError, OverflowError):
                fields(results, **{name: value})
    file.attrs[CHECKSUMS] = checksums(file)
    file.close()


def _has_end(journal: JournalReader) -> bool:
    try:
        return journal.end() is not None
    except JournalDamage:
        return False


def _add_polls(replay: Replay, journal: JournalReader, at: Stage) -> None:
    for poll in journal.polls(after=replay.seq):
        replay.add(poll)
        at("writing")


def _rest_of(journal: JournalReader) -> Path | None:
    """What waited in memory when the journal's disk was full to the very end, see `Journal.set_aside`."""
    places = files.rests_of(journal.path, str(journal.header.get("run_id", "")))
    return next((place for place in places if files.journal_of(place).exists()), None)


def _is_whole(journal: JournalReader, replay: Replay) -> bool:
    """Whether all polls came that were there when the run ended in order."""
    try:
        end = journal.end()
    except JournalDamage:
        return False
    return end is not None and end["polls"] == replay.seq


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


def _outcome(path: Path, sealed: bool, message: str, found: dict[str, Any]) -> Outcome:
    with h5py.File(path, "r", locking=False) as file:
        entry = file["entry"]
        note = entry["recovery"].asstr()[()] if "recovery" in entry else ""
        status = entry["run_status"].asstr()[()]
        return Outcome(path, sealed, status, len(entry["samples/time"]), message or note, found)


def main() -> NoReturn:
    """Seal, and say what came of it. Does not return."""
    isolated.begin()
    path, beat = Path(sys.argv[1]), Beat()
    try:
        beat("sealing")
        outcome = seal(path, beat)
        answer(outcome.as_json(), 0 if outcome.sealed else 1)
    except (NakctlError, OSError, RuntimeError) as error:
        said = str(error)
        # Here and not later: `error` keeps the file from being closed, which could crash.
        _give_up(path, said)
    except Exception:  # noqa: BLE001  (a journal may hold anything: who waits is told in a sentence)
        traceback.print_exc()
        _give_up(path, "its journal holds something that cannot be made sense of")


def _give_up(path: Path, why: str) -> NoReturn:
    with contextlib.suppress(OSError):
        files.temporary_of(path).unlink(missing_ok=True)
    answer(Outcome(path, False, "", 0, f"{path} is not sealed: {why}").as_json(), 1)


if __name__ == "__main__":
    main()
