"""One poll as the journal keeps it: what its writer and its readers agree on."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from nakctl.record.table import Table


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth a line in the record. severity: 0 note, 1 warning, 2 alarm; code is for machines."""

    time_s: float
    severity: int
    code: str
    step_count: int
    message: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Poll:
    """One poll as it is stored. blocks: packed rows by table; events: a JSON list."""

    seq: int
    events: bytes
    blocks: dict[str, bytes]

    @property
    def crc(self) -> int:
        crc = zlib.crc32(self.events, self.seq & 0xFFFFFFFF)
        for name in sorted(self.blocks):
            crc = zlib.crc32(self.blocks[name], zlib.crc32(name.encode(), crc))
        return crc

    @property
    def size(self) -> int:
        return len(self.events) + sum(map(len, self.blocks.values()))

    def rows(self, table: Table) -> npt.NDArray[np.void]:
        return np.frombuffer(self.blocks.get(table.name, b""), table.dtype)

    def event_list(self) -> list[Event]:
        return [Event(**each) for each in json.loads(self.events)]


def block_columns(tables: Mapping[str, Table]) -> tuple[str, ...]:
    """The tables that come as blocks of rows; events are kept whole, as JSON."""
    return tuple(name for name in tables if name != "events")


def packed(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return text.encode(errors="backslashreplace")  # half a pair of surrogates becomes JSON's word for it


def _plain(value: object) -> object:
    """Facts may come as numpy numbers; nothing that a fact is made of may stop the record."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)
