"""Journals of the first version: they hold booked rows, one `poll` per read of the channel.

    document(name, json, crc)                     header, and end once the run is over
    poll(seq, crc, events, samples, impedance, …)  packed rows as the header describes them; NULL: none

Nothing can be booked anew from them. They are read as entries `booked`.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from nakctl.booking.entry import Entry
from nakctl.booking.event import Event
from nakctl.booking.table import Table, from_json
from nakctl.record.packing import Row, Unlike


class Unpacking:
    """Rows -> entries, of one journal. tables: as they were written."""

    def __init__(self, header: Mapping[str, Any]) -> None:
        """Unlike: the header does not describe its tables."""
        try:
            self.tables: dict[str, Table] = from_json(header["tables"])
        except (KeyError, TypeError, AttributeError) as error:
            raise Unlike("its header does not describe its tables") from error
        self._names = [name for name in self.tables if name != "events"]

    @property
    def select(self) -> str:
        return (
            f"SELECT seq, crc, events, {', '.join(self._names)} FROM poll WHERE seq > ? ORDER BY seq LIMIT ?"
        )

    def entry(self, row: Row) -> Entry:
        """Unlike: its checksum is wrong, or it is of another type than it was written."""
        seq, crc, *parts = row
        if not isinstance(seq, int) or not all(part is None or isinstance(part, bytes) for part in parts):
            raise Unlike("it is of another type than it was written")
        events, *blocks = parts
        present = {name: block for name, block in zip(self._names, blocks, strict=True) if block is not None}
        if _crc(seq, events or b"", present) != crc:
            raise Unlike("its checksum is wrong")
        tables = {name: np.frombuffer(block, self.tables[name].dtype) for name, block in present.items()}
        told = [Event(**each) for each in json.loads(events)] if events else []
        return Entry("booked", seq=seq, tables=tables, events=told)


def _crc(seq: int, events: bytes, blocks: Mapping[str, bytes]) -> int:
    crc = zlib.crc32(events, seq & 0xFFFFFFFF)
    for name in sorted(blocks):
        crc = zlib.crc32(blocks[name], zlib.crc32(name.encode(), crc))
    return crc
