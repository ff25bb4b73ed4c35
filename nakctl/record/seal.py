"""Journal -> the file that stays: compressed, complete, verified, and put in place in one step.

It runs in a process of its own (`sealer`). Killed at any moment it leaves either what was there before, or
the sealed file; run again it completes what is left to do. A sealed file can be booked anew, from the raw
tables that it keeps.

    NAME.h5.sealing is written (of a run that goes on: as it grows, up to its end), synced, and verified by
                    another process
    NAME.h5 is replaced by it
    the journal is removed (kept as NAME.h5.journal.damaged if it could not be read to its end)

Where the journal is damaged, rows that the live view holds beyond it are taken from there (`view`).
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from nakctl import __version__
from nakctl.booking import layout
from nakctl.booking.entry import Entry
from nakctl.booking.event import Event
from nakctl.errors import RecordError, typed
from nakctl.record import files, lock
from nakctl.record.decoding import Decoding
from nakctl.record.describe import fields, last_time_s
from nakctl.record.ending import UNCLOSED, Ending, ending_of, ending_told, write_ending
from nakctl.record.hdf5_writer import LIBVER, Hdf5Writer, Source, write_derived
from nakctl.record.journal_reader import JournalDamage, JournalReader
from nakctl.record.opening import CHECKSUMS, checksums
from nakctl.record.process import Outcome
from nakctl.record.raw_tables import RawReader
from nakctl.record.sensor_reader import SensorReader
from nakctl.record.slot import blocks_of
from nakctl.record.verifier import Verifier
from nakctl.record.view import Beyond, take_beyond

_REPLACE_TRIES = 40
_REPLACE_PAUSE_S = 0.25
_ENTRIES_AT_A_TIME, _ROWS_AT_A_TIME = 1024, 1 << 17
_ANOTHER_s = 120.0  # that somebody else may take to seal it
_LOOK_S = 0.01  # how soon the end of a run is noticed
_made: list[os.stat_result] = []  # of the file that this process has made under its temporary name

Stage = Callable[[str], None]


class _Written(NamedTuple):
    """tables: rows, and checksum by column; aside: under which name the live view is to be kept, if it is."""

    tables: dict[str, tuple[int, dict[str, int]]]
    aside: Path | None


def seal(
    path: Path,
    at: Stage = lambda stage: None,
    *,
    again: bool = False,
    verifier: Verifier | None = None,
) -> Outcome:
    """Seal NAME.h5 from its journal; on a file that is sealed already, remove what is left over.

    at        called with what is done now (again and again) and what was reached: written, synced, ...
    again     a file that is sealed already is booked anew
    verifier  if it was started already; it is ended
    Raises RecordError if the journal holds no run or the file does not verify; OSError and RuntimeError (as
    h5py does) if the disk does not take it. The journal is then as it was, and this process should end.
    """
    beside: Path | None = None
    found: dict[str, Any] = {}
    if not is_sealed(path):
        beside, found = _seal_from_journal(path, at, verifier)
    elif again:
        beside, found = _seal_anew(path, at, verifier)
    if beside is not None:
        held = f"{path} is held open by another program: close that, then nakctl recover {typed(path)}"
        return _outcome(beside, False, held, found)
    left = _clear_as_far_as_possible(path)
    at("cleared")
    return _outcome(path, True, left, found)


def seal_tables(
    path: Path, source: Source, tables: Mapping[str, Any], events: Sequence[Event], told: Ending
) -> None:
    """A file of rows that are booked already, as every sealed file is: from recordings of other programs.

    Nothing may be at `path`. Raises as `seal`, and leaves nothing behind then.
    """
    try:
        with Verifier() as verifier:
            writer = _begin(path, source)
            for name, rows in tables.items():
                writer.tables[name].add(rows)
            writer.add_events(events)
            _finish(path, _closed(writer, source, told, {}), verifier, lambda stage: None)
    except BaseException:
        files.temporary_of(path).unlink(missing_ok=True)
        raise


def is_sealed(path: Path) -> bool:
    """Whether NAME.h5 is whole and needs no journal."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            return bool(file.attrs.get("sealed", False))
    except (OSError, RuntimeError):
        return False


def _seal_from_journal(
    path: Path, at: Stage, verifier: Verifier | None
) -> tuple[Path | None, dict[str, Any]]:
    """None once NAME.h5 is sealed, else the sealed file beside it; and what its rows mean."""
    if not files.journal_of(path).exists():
        raise RecordError(f"{path} is no sealed run, and there is no journal to seal it from")
    with contextlib.ExitStack() as kept:
        verifier = kept.enter_context(verifier or Verifier())
        begun = _begun_while_it_goes_on(path, at) if lock.is_held(files.lock_of(path)) else None
        journal = JournalReader(path, exclusive=True)
        kept.callback(journal.close)
        if is_sealed(path):  # by another process, while this one waited
            return None, {}
        if begun is None and lock.is_held(files.lock_of(path)) and not _has_end(journal):
            raise RecordError("another process goes on with it")
        begun = begun or _begin(path, journal)
        written = _write(begun, journal, at)
        return _finish(path, written, verifier, at)


def _seal_anew(path: Path, at: Stage, verifier: Verifier | None) -> tuple[Path | None, dict[str, Any]]:
    """As `_seal_from_journal`. A damaged journal holds no more than the file that was made of it."""
    with contextlib.ExitStack() as kept:
        verifier = kept.enter_context(verifier or Verifier())
        old = kept.enter_context(h5py.File(path, "r", locking=False))
        raw = RawReader(old)
        writer, decoding = _begin(path, raw), Decoding(raw.header, raw.documents["program"])
        for entries in batches(decoding.of(raw.entries())):
            writer.add(entries)
            at("writing")
        writer.booked_again = _told_again(decoding)
        _copy_sensors(old, writer)
        told, kept_as_was = ending_told(old, raw.end()), raw.documents
        writer.sensors.damage = writer.sensors.damage or kept_as_was["sensors_damage"]
        writer.close_book(unclosed=kept_as_was["unclosed"])
        _add_missing(writer, kept_as_was["lost_blocks"])
        written = _closed(writer, raw, told, kept_as_was)
        old.close()
        return _finish(path, written, verifier, at)


def _told_again(decoding: Decoding) -> str:
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    many = f"those of {decoding.changed} reads differ" if decoding.changed else "none differs"
    rows = "" if decoding.words == 0 else f"; rows made anew from the instrument's words: {many}"
    why = f"; not all could be: {decoding.trouble}" if decoding.trouble else ""
    return f"booked anew by nakctl {__version__}, {now}{rows}{why}"


def _begun_while_it_goes_on(path: Path, at: Stage) -> Hdf5Writer | None:
    """All that a run recorded which goes on now, once it has ended; None if it is over already."""
    journal = JournalReader(path)
    try:
        if _has_end(journal):
            return None
        begun = _begin(path, journal)
        while not _has_end(journal):
            if not lock.is_held(files.lock_of(path)) and not _has_end(journal):
                raise RecordError(UNCLOSED)
            _add_entries(begun, journal, at)
            at("following")
            time.sleep(_LOOK_S)
        return begun
    finally:
        journal.close()


def _finish(
    path: Path, written: _Written, verifier: Verifier, at: Stage
) -> tuple[Path | None, dict[str, Any]]:
    temporary = files.temporary_of(path)
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
        files.put_in_place(path, written.aside)
    beside = _put_in_place(temporary, path)
    files.sync_folder(path.parent)
    at("replaced")
    return beside, found


def _begin(path: Path, source: Source) -> Hdf5Writer:
    """The sealed file under its temporary name, without rows.

    No context manager: after a failed write closing the file can crash, so an error leaves it open.
    """
    temporary = files.temporary_of(path)
    files.remove(temporary)
    file = h5py.File(temporary, "w", libver=LIBVER)
    _made[:] = [temporary.stat()]
    return Hdf5Writer(file, source, sealed=True)


def _write(writer: Hdf5Writer, journal: JournalReader, at: Stage) -> _Written:
    """All that is not in the file yet. Closes it."""
    damage, rests = "", journal.rests()
    try:
        _add_entries(writer, journal, at)
    except JournalDamage as error:
        damage = error.reason
        if rests:
            damage += f" (what its disk did not take is kept in {', '.join(map(str, rests))})"
    sensors = SensorReader(journal.path, writer.sensors.last_block)
    for entry in sensors.entries():
        writer.sensors.add(entry)
    writer.sensors.damage = writer.sensors.damage or sensors.damage
    sensors.close()
    whole = not damage and _is_whole(journal, writer)
    beyond = Beyond()
    if not whole:
        writer.settle_book()
        writer.write()
        if not writer.unbooked:  # else its tables end before the view's, and all is in its raw ones
            beyond = take_beyond(journal.path, writer, damaged=bool(damage))
        elif damage and journal.path.exists():
            beyond = Beyond(aside=files.view_of(journal.path))
        if beyond.rows and not damage:
            damage = "it ends before its live view does"
    if "samples" not in beyond.rows:
        writer.close_book(unclosed=not whole)
    lost = 0 if whole or damage else lost_blocks(journal.path)
    missing = _add_missing(writer, lost)
    told = ending_of(journal, writer, damage, beyond, missing)
    known = {"unclosed": not whole, "lost_blocks": lost, "from_view": beyond.rows}
    tables = _closed(writer, journal, told, known | {"end": _end_of(journal)})
    return tables._replace(aside=beyond.aside)


def _closed(writer: Hdf5Writer, source: Source, told: Ending, known: Mapping[str, Any]) -> _Written:
    """With all that is said once at the end. known: what it cannot be told from its entries."""
    if writer.raw is not None:
        documents = {"header": source.header, "program": source.program()}
        writer.raw.add_documents({**known, **documents, "sensors_damage": writer.sensors.damage})
    writer.write()
    write_derived(writer)
    writer.sensors.conclude()
    write_ending(writer, told, source.header.get("start_time"))
    tables = writer.all_tables()
    writer.file.close()
    return _Written(tables, None)


def _add_missing(writer: Hdf5Writer, lost: int) -> str:
    """Blocks that were begun, and that nobody kept: as an event, and as a sentence, "" if there are none."""
    if not lost:
        return ""
    many = f"{lost} blocks of rows" if lost > 1 else "one block of rows"
    text = f"{many} may be missing at the end: the program ended while it fetched or kept them"
    writer.write()
    time_s = last_time_s(writer.entry)
    writer.add_events([Event(time_s, 1, layout.GAP_CODE, 0, text, {"blocks": lost})])
    return text


def _copy_sensors(old: h5py.File, writer: Hdf5Writer) -> None:
    """Readings that came into the file beside its entries: its run ended before its journal had them."""
    for name, growing in writer.sensors.tables.items():
        growing.write()
        group = old[f"entry/{name}"]
        rows = np.zeros(len(group["time"]) - growing.rows, growing.table.dtype)
        for column in growing.table.names:
            rows[column] = group[column][growing.rows :]
        growing.add(rows)


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


def _end_of(journal: JournalReader) -> dict[str, Any] | None:
    """None as well if it cannot be read."""
    try:
        return journal.end()
    except JournalDamage:
        return None


def _has_end(journal: JournalReader) -> bool:
    return _end_of(journal) is not None


def _add_entries(writer: Hdf5Writer, journal: JournalReader, at: Stage) -> None:
    for entries in batches(journal.entries(after=writer.seq)):
        writer.add(entries)
        at("writing")


def batches(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    """Many at a time are booked sooner. What came before damage comes before its error, too."""
    batch: list[Entry] = []
    rows = 0
    try:
        for entry in entries:
            batch.append(entry)
            rows += len(entry.samples)
            if len(batch) >= _ENTRIES_AT_A_TIME or rows >= _ROWS_AT_A_TIME:
                yield batch
                batch, rows = [], 0
    except JournalDamage:
        yield batch
        raise
    yield batch


def lost_blocks(path: Path) -> int:
    """Blocks that a run which ended suddenly had begun, and not kept, as far as that is known."""
    blocks = blocks_of(path)
    return 0 if blocks is None else blocks.missing


def _is_whole(journal: JournalReader, writer: Hdf5Writer) -> bool:
    """Whether all came that was there when the run ended in order."""
    end = _end_of(journal)
    return end is not None and end["entries"] == writer.seq


def _put_in_place(temporary: Path, path: Path) -> Path | None:
    """Windows does not replace a file that is open anywhere: then the sealed one stays beside it."""
    for _ in range(_REPLACE_TRIES):
        try:
            temporary.replace(path)
            return None
        except PermissionError:
            time.sleep(_REPLACE_PAUSE_S)
    return temporary.replace(files.beside_of(path))


def _clear_as_far_as_possible(path: Path) -> str:
    """What stays for `recover`, because another program has it open, as a sentence; "": nothing. The file is
    sealed in any case."""
    try:
        _clear(path)
    except PermissionError as error:
        if not files.is_in_use(error):
            raise
        return (
            f"{path} is sealed, and {error.filename} is held open by another program: close that, then "
            f"nakctl recover {typed(path)}"
        )
    return ""


def _clear(path: Path) -> None:
    """Remove what a sealed file no longer needs."""
    with h5py.File(path, "r", locking=False) as file:
        damaged = "damage" in file["entry"]
        aux_damaged = "aux" in file["entry"] and "damage" in file["entry/aux"].attrs
        run_id = file["entry/entry_identifier_uuid"][()]
    if damaged:
        files.keep_damaged_journal(path)
    else:
        _clear_elsewhere(path)
    if aux_damaged:
        files.keep_damaged_aux(path)
    beside = files.beside_of(path)
    if is_sealed(beside) and _run_id(beside) == run_id:
        files.remove(beside)
    files.remove(files.temporary_of(path))
    for rest in files.rests_of(path, run_id.decode(errors="replace")):
        if not rest.exists():  # who reads one while it is removed makes it a log, which stays behind
            files.remove_store(rest)
    files.remove_journal(path)
    files.sync_folder(path.parent)


def _clear_elsewhere(path: Path) -> None:
    """What was taken in from beside the journal."""
    with contextlib.suppress(RecordError):  # there is none any more, and nothing that tells whose they are
        journal = JournalReader(path)
        rests = journal.rests()
        journal.close()
        for rest in rests:
            files.remove_store(rest)


def _run_id(path: Path) -> bytes:
    with h5py.File(path, "r", locking=False) as file:
        found: bytes = file["entry/entry_identifier_uuid"][()]
        return found


def _outcome(path: Path, sealed: bool, message: str, found: dict[str, Any]) -> Outcome:
    with h5py.File(path, "r", locking=False) as file:
        entry = file["entry"]
        told = (entry.get(name) for name in ("recovery", "unbooked", "booked_again"))
        note = "; ".join(each.asstr()[()] for each in told if each is not None)
        status = entry["run_status"].asstr()[()]
        return Outcome(path, sealed, status, len(entry["samples/time"]), message or note, found)


def remove_own(path: Path) -> None:
    """What this process has begun to write for NAME.h5. By now another one may seal it: one that followed a
    run gives up when that dies."""
    temporary = files.temporary_of(path)
    with contextlib.suppress(OSError):
        if _made and os.path.samestat(temporary.stat(), _made[0]):
            temporary.unlink()
