"""The names of the files around a result file NAME.h5, and what keeps a disk honest about them."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from nakctl.errors import InputError, RecordError, typed
from nakctl.record import lock

# Set aside in any case, so that a run of unknown length can end in order; of a small disk less.
LEAST_RESERVE_BYTES = 64 << 20

# Windows neither removes nor replaces a file that anybody has open: who looks at a run, or a virus scanner.
_IN_USE = (5, 32, 33)  # ERROR_ACCESS_DENIED, ..._SHARING_VIOLATION, ..._LOCK_VIOLATION, winerror.h
_IN_USE_s, _PAUSE_s = 5.0, 0.02

_A_RUN_ID = "0" * 36  # as long as they are
_TOO_LONG = (errno.ENAMETOOLONG, errno.EINVAL)  # elsewhere; on Windows


def journal_of(path: Path) -> Path:
    return Path(f"{path}.journal")


def reserve_of(path: Path) -> Path:
    """Bytes that are set aside for the run."""
    return Path(f"{path}.reserve")


def lock_of(path: Path) -> Path:
    """Held by the process that records the run, see `lock`."""
    return Path(f"{path}.lock")


def temporary_of(path: Path) -> Path:
    """The sealed file before it has its name."""
    return Path(f"{path}.sealing")


def sealer_of(path: Path) -> Path:
    """A lock that whoever seals NAME.h5 holds meanwhile: two would write into one file."""
    return Path(f"{path}.sealer")


def old_view_of(path: Path) -> Path:
    """What NAME.h5 showed of a run before its view began anew, for as long as it takes to remove it."""
    return Path(f"{path}.view")


def beside_of(path: Path) -> Path:
    """The sealed file if another program keeps NAME.h5 open, which Windows then does not let us replace."""
    return path.with_name(f"{path.stem}.sealed.h5")


def restored_of(file: Path) -> Path:
    """A journal, or a rest of one, that is written anew, before it has its name."""
    return Path(f"{file}.new")


def damaged_of(path: Path) -> Path:
    """The journal of a run that could not be recovered whole: it is kept."""
    return Path(f"{path}.journal.damaged")


def rests_of(path: Path, run_id: str) -> list[Path]:
    """Where entries may be that the journal's disk did not take, the nearest first. The same for who writes
    them and for who recovers them.
    """
    name = f"{path.name}.{re.sub(r'[^0-9A-Za-z-]', '_', run_id)[:64]}.rest.journal"
    folders = [path.parent, user_data_folder(), Path(tempfile.gettempdir())]
    with contextlib.suppress(RuntimeError):  # a user without a home
        folders.append(Path.home())  # where the first version put them
    return [folder / name for folder in folders]


def user_data_folder() -> Path:
    """Where programs keep what belongs to this user on this computer; it may not be there yet."""
    import platformdirs  # not by every command that looks at a name

    return platformdirs.user_data_path("nakctl", appauthor=False)


def asked_of(path: Path) -> Path:
    """Folder of requests to the run, see `asked`."""
    return Path(f"{path}.asked")


def slot_of(path: Path) -> Path:
    """Counters and state of the run, see `slot`."""
    return Path(f"{path}.slot")


def view_of(path: Path) -> Path:
    """A live view that is kept: beside a damaged journal nothing else may hold what it holds."""
    names = (Path(f"{path}.live{number or ''}") for number in itertools.count())
    return next(name for name in names if not name.exists())


def is_taken(path: Path) -> bool:
    """Whether NAME.h5 is there, or a run of that name goes on or left something."""
    return path.exists() or journal_of(path).exists() or lock.is_held(lock_of(path))


def refuse_existing(path: Path) -> None:
    """InputError if nothing can be there, or NAME.h5 or a run's leftovers are: nothing is overwritten."""
    refuse_no_place(path)
    if lock.is_held(lock_of(path)):
        raise InputError(f"{path} is being recorded by another process")
    if journal_of(path).exists():
        raise InputError(f"{path} is a run that was not sealed: nakctl recover {typed(path)}")
    for file in (path, beside_of(path)):
        if file.exists():
            raise InputError(f"{file} exists and is not overwritten")


def refuse_no_place(path: Path) -> None:
    """InputError if there is no folder for NAME.h5, or no room in its name for what lies beside it."""
    longest = Path(f"{next(iter(rests_of(path, _A_RUN_ID)), journal_of(path))}-journal")
    try:
        if not path.parent.is_dir():
            raise InputError(f"{path.parent} is no folder")
        longest.lstat()
    except OSError as error:
        if error.errno in _TOO_LONG:
            more = len(longest.name) - len(path.name)
            raise InputError(
                f"{path}: too long a name: while it is recorded, files lie beside it whose names have {more} "
                "letters more; give a shorter one"
            ) from error


def refuse_unwritable(path: Path) -> None:
    """RecordError if nothing can be written beside NAME.h5."""
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise RecordError(f"{path} cannot be written: {error.strerror}") from error


def refuse_network_share(path: Path) -> None:
    """RecordError on a Windows share. SQLite's write-ahead log needs memory shared between processes."""
    if path.resolve().drive.startswith("\\\\"):  # resolve() also unmasks a drive letter of the network
        raise RecordError(f"{path} is on a network share, where a journal is not safe: use a local disk")


def refuse_full_disk(path: Path, expected_bytes: int, what: str = "the run") -> None:
    """RecordError if what is expected to be written does not fit."""
    free = shutil.disk_usage(path.parent).free
    if expected_bytes > free:
        raise RecordError(
            f"{path.parent} has {free / 1e6:.0f} MB left, and {what} needs {expected_bytes / 1e6:.3g} MB"
        )


def set_aside(path: Path, expected_bytes: int) -> None:
    """Room that no other program can take, and that is given up as the disk becomes full."""
    free = shutil.disk_usage(path.parent).free
    size = max(expected_bytes, min(LEAST_RESERVE_BYTES, free // 16), 1)
    with reserve_of(path).open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            file.truncate(size)  # NTFS sets the clusters aside


def remove_journal(path: Path) -> None:
    """Remove the journal with what belongs to it, itself last: as long as it is there, there is work."""
    from nakctl.device.sensor_journal import aux_of  # and with it numpy, which who only looks does without

    journal = journal_of(path)
    aux = aux_of(path)
    of_sensors = tuple(Path(f"{aux}{end}") for end in ("", "-wal", "-shm", "-journal"))
    belongings = (
        *of_sensors,
        restored_of(journal),
        reserve_of(path),
        Path(f"{path}.ballast"),  # as it was called before
        slot_of(path),
        old_view_of(path),
        lock_of(path),
    )
    remove_mailbox(path)
    for leftover in belongings:
        remove(leftover)
    remove_store(journal)


def remove_mailbox(path: Path) -> None:
    """At once for whoever still puts something into it, as far as the system lets us."""
    gone = Path(f"{asked_of(path)}.gone")
    with contextlib.suppress(OSError):
        asked_of(path).rename(gone)
    for folder in (gone, asked_of(path)):
        shutil.rmtree(folder, ignore_errors=True)


def remove_store(file: Path) -> None:
    """A SQLite file with all that lies beside it, itself last; but for what somebody who looked meanwhile has
    put there."""
    beside = ("-wal", "-shm", "-journal")
    for end in (*beside, "", *beside):
        remove(Path(f"{file}{end}"))


def keep_damaged_journal(path: Path) -> None:
    """Set a journal aside that still holds what could not be read, under names that belong together."""
    for end in ("-wal", ""):
        kept = Path(f"{journal_of(path)}{end}")
        if kept.exists():
            put_in_place(kept, Path(f"{damaged_of(path)}{end}"))


def keep_damaged_aux(path: Path) -> None:
    """The same for the readings of the sensors."""
    from nakctl.device.sensor_journal import aux_of

    for end in ("-wal", ""):
        kept = Path(f"{aux_of(path)}{end}")
        if kept.exists():
            put_in_place(kept, Path(f"{aux_of(path)}.damaged{end}"))


def remove(file: Path) -> None:
    """If it is there. Who has it open for a moment is waited for; OSError if it stays."""
    _patiently(lambda: file.unlink(missing_ok=True))


def put_in_place(file: Path, name: Path) -> None:
    """Under this name, of whatever is there now. Waits, and fails, as `remove`."""
    _patiently(lambda: file.replace(name))


def is_in_use(error: OSError) -> bool:
    """Whether it failed because somebody has the file open; elsewhere than on Windows that is no reason."""
    return getattr(error, "winerror", None) in _IN_USE


def _patiently(do: Callable[[], object]) -> None:
    until = time.monotonic() + _IN_USE_s
    while True:
        try:
            do()
            return
        except PermissionError as error:
            if not is_in_use(error) or time.monotonic() > until:
                raise
            time.sleep(_PAUSE_s)


def sync_file(path: Path) -> None:
    """Wait until the bytes of the file are on the disk."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until the names in the folder are on the disk. Windows has no such call and needs none."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
