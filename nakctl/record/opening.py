"""Opening a run's file for reading: sealed, going on, or left behind by a run that was killed.

Only a file whose lock is held is going on, and only that one is waited for. A sealed file is checked as one:
what is missing or damaged is said at once, and where the journal is.

HDF5 itself guards the columns (a checksum per chunk) and the structure (a checksum per object). What it
leaves unguarded, texts and single numbers, has a checksum of ours in the root's attributes.
"""

from __future__ import annotations

import json
import struct
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nakctl.errors import InputError, NakctlError, RecordError, typed
from nakctl.record import files, lock
from nakctl.text.meant import file_like

STATUSES = ("running", "completed", "stopped", "aborted", "interrupted", "recovered", "imported")
TABLES = ("samples", "impedance", "spectra", "steps", "events", "clock")  # in every file of every version
_LATER_TABLES = ("entry/ends", "entry/chains", "entry/ties")
_SENSORS = "entry/aux/"
CHECKSUMS = "crc32"  # attribute of the root
_POINTER = "DIMENSION_LIST"  # from a column to its scale: no text says where it points

# A run exists as a journal for a moment before there is anything to open.
_PATIENCE_S = 5.0
_PAUSE_S = 0.05

# The superblock of the versions that nakctl writes: HDF5 file format 3.0, "Version 2 and 3 Superblock".
_SUPERBLOCK = struct.Struct("<8sBBBBQQQ")
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_OPEN_FOR_WRITING = 1


_Object = Any  # a dataset or a group: h5py has no types


@dataclass(frozen=True, slots=True)
class _Head:
    """What the first bytes say. cut_bytes: missing at the end of the file; torn: a writer never closed it."""

    is_hdf5: bool
    cut_bytes: int
    torn: bool


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """The open file; whatever goes wrong while it is read is a RecordError."""
    file = _open(path)
    try:
        with file:
            yield file
    except NakctlError:
        raise
    except (OSError, RuntimeError, LookupError, TypeError, ValueError) as error:
        raise RecordError(f"{path} cannot be read: {error}; {_remedy(path)}") from error


def check(path: Path, file: h5py.File) -> None:
    """RecordError if a sealed file is not as it was sealed; a live one may be half written."""
    if "nakctl_format" not in file.attrs:
        raise RecordError(f"{path} cannot be read: it is no result file of nakctl")
    if not file.attrs.get("sealed", False):
        return
    fault = next(_faults(file), None)
    if fault:
        raise RecordError(f"{path} is damaged: {fault}; {_remedy(path)}")


def checksums(file: h5py.File) -> str:
    """By name, as JSON, of all that HDF5 keeps without one: texts, numbers, what is said of sensors."""
    found = {name: _checksum(item) for name, item in _objects(file).items() if _is_loose(name, item)}
    return json.dumps(found, sort_keys=True)


def _is_loose(name: str, item: _Object) -> bool:
    return name.startswith(_SENSORS) or (isinstance(item, h5py.Dataset) and not item.fletcher32)


def _checksum(item: _Object) -> int:
    """Of its attributes, which lie where texts lie, and of its values if HDF5 does not guard those."""
    said = {name: value for name, value in item.attrs.items() if name != _POINTER}
    crc = zlib.crc32(json.dumps(said, sort_keys=True, default=str).encode())
    if isinstance(item, h5py.Group) or item.fletcher32:
        return crc
    value = item[()]
    if isinstance(value, bytes):
        return zlib.crc32(value, crc)
    array = np.asarray(value)
    return zlib.crc32(b"\0".join(array.tolist()) if array.dtype == object else array.tobytes(), crc)


def _objects(file: h5py.File) -> dict[str, _Object]:
    found: dict[str, _Object] = {}
    file.visititems(found.__setitem__)  # which returns None, so that it goes on
    return found


def _faults(file: h5py.File) -> Iterator[str]:
    """What somebody added to the file is none."""
    objects = _objects(file)
    status = objects["entry/run_status"].asstr()[()]
    if status not in STATUSES:
        yield f"its run_status is {status!r}, which is none of {', '.join(STATUSES)}"
    yield from _uneven(objects)
    for name, crc in json.loads(file.attrs.get(CHECKSUMS, "{}")).items():
        if name not in objects:
            yield f"{name} is missing"
        elif _checksum(objects[name]) != crc:
            yield f"{name} is not as it was written"


def _uneven(objects: Mapping[str, _Object]) -> Iterator[str]:
    lengths: dict[str, dict[str, int]] = {f"entry/{table}": {} for table in TABLES}
    for name, item in objects.items():
        table, _, column = name.rpartition("/")
        if table in lengths or table in _LATER_TABLES or table.startswith(_SENSORS):
            lengths.setdefault(table, {})[column] = len(item)
    for table, columns in lengths.items():
        if not columns:
            yield f"it has no table {table}"
        longest = max(columns.values(), default=0)
        for column, length in columns.items():
            if length != longest:
                yield f"{table}/{column} has {length} rows, the table {longest}"


def _open(path: Path) -> h5py.File:
    until = time.monotonic() + _PATIENCE_S
    while True:
        live = lock.is_held(files.lock_of(path))
        try:
            return _open_now(path, live)
        except (OSError, RuntimeError) as error:  # the latter for a damaged head
            if not live or time.monotonic() > until:
                raise _explained(path, live, error) from error
        time.sleep(_PAUSE_S)


def _open_now(path: Path, live: bool) -> h5py.File:
    """A file that is written, or whose writer was killed, opens only as one that grows.

    libhdf5 never comes back from opening a file in that way that was cut off.
    """
    try:
        return h5py.File(path, "r", locking=False)
    except (OSError, RuntimeError):
        killed = files.journal_of(path).exists() and not _head(path).cut_bytes
        if not live and not killed:
            raise
    return h5py.File(path, "r", locking=False, swmr=True)


def _explained(path: Path, live: bool, trouble: Exception) -> NakctlError:
    if not path.exists() and not files.journal_of(path).exists():
        return InputError(f"{path}: no such file{file_like(path)}")
    if path.is_dir():
        return InputError(f"{path} is a folder")
    if _written_here(path):
        return RecordError(f"{path} is open for writing in this process: close that h5py.File first")
    if live:
        unread = f"{path} is being recorded, and nothing of it can be read yet: try again in a moment"
        return RecordError(f"{unread}; {trouble}" if path.exists() else unread)
    if files.journal_of(path).exists():
        return RecordError(f"{path} cannot be read before nakctl recover {typed(path)}: {trouble}")
    return RecordError(f"{path} is {_damage(path) or 'no HDF5 file that can be read'} ({trouble})")


def _damage(path: Path) -> str:
    """What can be said of a file that libhdf5 refuses; "" if that is nothing."""
    head = _head(path)
    if head.cut_bytes:
        return f"cut off: its last {head.cut_bytes} bytes are missing; {_remedy(path)}"
    if head.torn:
        return f"what a killed run left, and not whole; {_remedy(path)}"
    return f"damaged; {_remedy(path)}" if head.is_hdf5 else ""


def _remedy(path: Path) -> str:
    if lock.is_held(files.lock_of(path)):
        return "it is being recorded: try again in a moment"
    if files.journal_of(path).exists():
        return f"its journal is {files.journal_of(path)}: nakctl recover {typed(path)}"
    if files.damaged_of(path).exists():
        return f"of its journal there is {files.damaged_of(path)}"
    return "its journal is no longer there, so look for another copy of the file"


def _head(path: Path) -> _Head:
    start = b""
    with suppress(OSError), path.open("rb") as file:
        start = file.read(_SUPERBLOCK.size)
    if len(start) < _SUPERBLOCK.size or not start.startswith(_SIGNATURE):
        return _Head(start.startswith(_SIGNATURE), 0, False)
    _, version, _, _, flags, _, _, end = _SUPERBLOCK.unpack(start)
    if version < 2:  # of other programs
        return _Head(True, 0, False)
    return _Head(True, max(end - path.stat().st_size, 0), bool(flags & _OPEN_FOR_WRITING))


def _written_here(path: Path) -> bool:
    """Whether this process has the file open for writing: libhdf5 then opens it in no other way."""
    ids = h5py.h5f.get_obj_ids(h5py.h5f.OBJ_ALL, h5py.h5f.OBJ_FILE)
    writing = [each for each in ids if each.get_intent() & h5py.h5f.ACC_RDWR]
    names = [Path(h5py.h5f.get_name(each).decode()) for each in writing]
    with suppress(OSError):
        return any(name.exists() and name.samefile(path) for name in names)
    return False
