"""Journals of the first version, which held booked rows, written as it wrote them: with SQLite alone."""

from __future__ import annotations

import json
import math
import os
import sqlite3
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nakctl.booking import layout
from nakctl.booking.event import Event
from nakctl.booking.table import Table, to_json

Rows = npt.NDArray[np.void]
Poll = tuple[Mapping[str, Rows], Sequence[Event]]  # rows of its tables, by name, and what was worth a line


def ended(
    status: str,
    end_reason: str,
    facts: Mapping[str, Any] | None = None,
    *,
    end_kind: str = "steps done",
    end_id: int = 0,
    end_value: float = math.nan,
) -> dict[str, Any]:
    """How a run ended, for the document `end`."""
    value = None if math.isnan(end_value) else end_value
    codes = {"end_kind": end_kind, "end_id": end_id, "end_value": value}
    return {"status": status, "end_reason": end_reason, "facts": dict(facts or {})} | codes


def written(
    path: Path,
    header: Mapping[str, Any],
    polls: Iterable[Poll],
    end: Mapping[str, Any] | None = None,
    *,
    tables: Mapping[str, Table] | None = None,
    file: Path | None = None,
    first: int = 1,
) -> Path:
    """The journal of NAME.h5, as it lies there when its run is over, or was killed (end None).

    tables  how its rows are packed, if not as today
    file    where it lies, and first: number of its first poll, of what a full disk had not taken
    """
    known = dict(tables or layout.tables(header))
    blocks = [name for name in known if name != "events"]
    kept = dict(header) | {"tables": to_json(known.values()), "pid": os.getpid()}
    file = file or Path(f"{path}.journal")
    last = first - 1
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        with db:
            db.execute("BEGIN")
            db.execute("CREATE TABLE document (name TEXT PRIMARY KEY, json BLOB, crc INTEGER)")
            columns = ", ".join(f"{name} BLOB" for name in blocks)
            db.execute(f"CREATE TABLE poll (seq INTEGER PRIMARY KEY, crc INTEGER, events BLOB, {columns})")
            _write(db, "header", kept)
            for given, events in polls:
                last += 1
                packed = {name: _packed_rows(name, rows, known) for name, rows in given.items()}
                _poll(db, last, blocks, packed, events)
            if end is not None:
                _write(db, "end", dict(end) | {"polls": last})
    return file


def _poll(
    db: sqlite3.Connection, seq: int, blocks: list[str], given: Mapping[str, bytes], events: Sequence[Event]
) -> None:
    told = _packed([asdict(event) for event in events])
    present = {name: block for name, block in given.items() if block}
    crc = zlib.crc32(told, seq)
    for name in sorted(present):
        crc = zlib.crc32(present[name], zlib.crc32(name.encode(), crc))
    marks = ", ".join("?" * (len(blocks) + 3))
    columns = (seq, crc, told, *(present.get(name) for name in blocks))
    db.execute(f"INSERT INTO poll (seq, crc, events, {', '.join(blocks)}) VALUES ({marks})", columns)


def _packed_rows(name: str, rows: Rows, tables: Mapping[str, Table]) -> bytes:
    assert rows.dtype == tables[name].dtype, name
    return rows.tobytes()


def _write(db: sqlite3.Connection, name: str, document: Mapping[str, Any]) -> None:
    content = _packed(document)
    db.execute("INSERT INTO document VALUES (?, ?, ?)", (name, content, zlib.crc32(content)))


def _packed(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return text.encode(errors="backslashreplace")


def _plain(value: object) -> object:
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)
