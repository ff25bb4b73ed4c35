"""Entries as rows of a journal: what its writer and its readers agree on.

    document(name, json, crc)   header, program, end once the run is over, memo: what a successor has to know
    entry(seq, epoch, kind, segment, block, time_s, unix_s, facts, raw, samples, points, crc)

`samples` and `points` are packed rows; the header says of which types (`row_types`), so that a later version
reads them as they were written.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from nakctl.booking.entry import NO_FACTS, NO_POINTS, NO_SAMPLES, Entry
from nakctl.device.channel import OF_COUNTER, POINT, SAMPLE, Rows

VERSION = 2  # of the journal; the first one held booked rows
SCHEMA = (
    "CREATE TABLE document (name TEXT PRIMARY KEY, json BLOB, crc INTEGER)",
    "CREATE TABLE entry (seq INTEGER PRIMARY KEY, epoch INTEGER, kind TEXT, segment INTEGER, block INTEGER, "
    "time_s REAL, unix_s REAL, facts BLOB, raw BLOB, samples BLOB, points BLOB, crc INTEGER)",
)
COLUMNS = "seq, epoch, kind, segment, block, time_s, unix_s, facts, raw, samples, points, crc"
SELECT = f"SELECT {COLUMNS} FROM entry WHERE seq > ? ORDER BY seq LIMIT ?"
# Ctrl-C may come after a commit and before it is booked: then the same is written once more.
INSERT = f"INSERT OR REPLACE INTO entry ({COLUMNS}) VALUES ({', '.join('?' * 12)})"
_NUMBERS = struct.Struct("<qqqqdd")

Row = tuple[Any, ...]


class Unlike(ValueError):
    """A row is not as it was written."""


def packed(value: object) -> bytes:
    try:
        text = _text(value)
    except TypeError:  # a key is neither text nor a plain number
        text = _text(_with_keys_of_text(value))
    return text.encode(errors="backslashreplace")  # half a pair of surrogates becomes JSON's word for it


def row_types() -> dict[str, list[Any]]:
    return {"samples": SAMPLE.descr, "points": POINT.descr}


def row_of(entry: Entry) -> Row:
    facts = packed(entry.facts) if entry.facts else None
    blobs = (facts, entry.raw or None, entry.samples.tobytes() or None, entry.points.tobytes() or None)
    numbers = (entry.seq, entry.epoch, entry.segment, entry.block)
    times = (_or_null(entry.time_s), _or_null(entry.unix_s))
    seq, epoch, segment, block = numbers
    return (seq, epoch, entry.kind, segment, block, *times, *blobs, _crc(entry.kind, numbers, times, blobs))


class Unpacking:
    """Rows -> entries, of one journal."""

    def __init__(self, types: Mapping[str, Any]) -> None:
        """types: as the header has them. Unlike: they are none."""
        try:
            self._samples, self._points = (
                np.dtype([tuple(field) for field in types[name]]) for name in ("samples", "points")
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Unlike("its header does not describe its rows") from error

    def entry(self, row: Row) -> Entry:
        """Unlike: its checksum is wrong, or it is of another type than it was written."""
        seq, epoch, kind, segment, block, time_s, unix_s, *blobs, crc = row
        known = isinstance(kind, str) and all(each is None or isinstance(each, bytes) for each in blobs)
        numbers, times = (seq, epoch, segment, block), (time_s, unix_s)
        known = known and all(isinstance(each, int) for each in numbers)
        if not known or not all(each is None or isinstance(each, float) for each in times):
            raise Unlike("it is of another type than it was written")
        if _crc(kind, numbers, times, blobs) != crc:
            raise Unlike("its checksum is wrong")
        facts, raw, samples, points = blobs
        return Entry(
            kind, segment, _number(time_s), _number(unix_s),
            NO_FACTS if facts is None else json.loads(facts), raw or b"",
            NO_SAMPLES if samples is None else _rows(samples, self._samples, SAMPLE),
            NO_POINTS if points is None else _rows(points, self._points, POINT),
            NO_FACTS, block, seq, epoch,
        )  # fmt: skip


def _rows(packed_rows: bytes, written: np.dtype[np.void], known: np.dtype[np.void]) -> Rows:
    rows = np.frombuffer(packed_rows, written)
    if written == known:
        return rows
    converted = np.zeros(len(rows), known)
    for name in known.names or ():
        if name in (written.names or ()):
            converted[name] = rows[name]
        elif name in OF_COUNTER:
            converted[name] = math.nan
    return converted


def _crc(kind: str, numbers: Row, times: Row, blobs: Any) -> int:
    crc = zlib.crc32(_NUMBERS.pack(*numbers, *map(_number, times)), zlib.crc32(kind.encode()))
    for blob in blobs:
        crc = zlib.crc32(b"" if blob is None else blob, crc)
    return crc


def _or_null(value: float) -> float | None:
    """SQLite has no word for what is no number, and no zero below zero."""
    return None if math.isnan(value) else float(value) + 0.0


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _with_keys_of_text(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _with_keys_of_text(each) for key, each in value.items()}
    return [_with_keys_of_text(each) for each in value] if isinstance(value, list | tuple) else value


def _plain(value: object) -> object:
    """Facts may come as numpy numbers; nothing that a fact is made of may stop the record."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)
