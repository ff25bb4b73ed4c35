"""A result file of rows that nakctl did not record: written, verified and sealed as all are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nakctl.booking import layout
from nakctl.booking.book import Book
from nakctl.booking.event import Event
from nakctl.booking.table import Table
from nakctl.record import files
from nakctl.record.ending import Ending
from nakctl.record.seal import seal_tables

_HEAD_BYTES = 1 << 18


class _Rows:
    """As `hdf5_writer.Source` asks: a header, and nothing that could be booked anew."""

    def __init__(self, header: dict[str, Any]) -> None:
        self.header = header
        self.tables: dict[str, Table] = layout.tables(header)

    def book(self) -> Book:
        return Book(None, self.tables["samples"].dtype)

    def program(self) -> None:
        return None

    def end(self) -> None:
        return None


def write(
    path: Path,
    header: dict[str, Any],
    tables: Mapping[str, Any],
    events: Sequence[Event],
    status: str,
    end_reason: str,
) -> None:
    """header, tables: as `recorder` and `booking.layout` describe them. InputError if `path` is taken."""
    files.refuse_existing(path)
    files.refuse_unwritable(path)
    files.refuse_full_disk(
        path, sum(rows.nbytes for rows in tables.values()) + _HEAD_BYTES, "its result file"
    )
    seal_tables(path, _Rows(header), tables, events, Ending(status, end_reason, {}))
