"""What a sealed file was booked from, kept in it: /entry/raw. A mended program can book it anew.

raw/entries    one row per entry; *_end: where its part of the tables below ends
raw/facts      JSON, one after the other, as bytes
raw/words      what the rows were made of, as the instrument gave it, as bytes
raw/samples, raw/points   rows as the channel gave them
raw/documents  header, program and end of the journal, as JSON in bytes
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import h5py
import numpy as np

from nakctl.booking import layout
from nakctl.booking.book import Book
from nakctl.booking.entry import NO_FACTS, Entry
from nakctl.booking.table import Table
from nakctl.device import program_json
from nakctl.device.channel import POINT, SAMPLE, Rows
from nakctl.errors import RecordError
from nakctl.record.describe import group
from nakctl.record.packing import packed
from nakctl.record.sensor_tables import GrowingTable

_AT_A_TIME = 4096  # entries


class RawTables:
    """In a file being filled, of the run that `header` describes. tables: by name."""

    def __init__(
        self, entry: h5py.Group, header: Mapping[str, Any], make: Callable[[Table], GrowingTable]
    ) -> None:
        group(entry, "raw", "NXcollection")
        raw = layout.raw(bool(header.get("three_electrode")))
        self.tables = {table.name: make(table) for table in raw}
        self._ends = dict.fromkeys(("facts", "words", "samples", "points"), 0)

    def add(self, entries: Sequence[Entry]) -> None:
        facts = [packed(entry.facts) if entry.facts else b"" for entry in entries]
        rows = np.zeros(len(entries), layout.RAW_ENTRIES.dtype)
        for row, entry, told in zip(rows, entries, facts, strict=True):
            self._ends["facts"] += len(told)
            self._ends["words"] += len(entry.raw)
            self._ends["samples"] += len(entry.samples)
            self._ends["points"] += len(entry.points)
            row["seq"], row["epoch"], row["kind"] = entry.seq, entry.epoch, entry.kind.encode()
            row["segment"], row["block"] = entry.segment, entry.block
            row["time"], row["unix_time"] = entry.time_s, entry.unix_s
            for name, end in self._ends.items():
                row[f"{name}_end"] = end
        self.tables["raw/entries"].add(rows)
        self._add_bytes("facts", b"".join(facts))
        self._add_bytes("words", b"".join(entry.raw for entry in entries))
        self.tables["raw/samples"].add(_joined([entry.samples for entry in entries], SAMPLE))
        points = self.tables["raw/points"]
        points.add(_joined([entry.points for entry in entries], POINT)[list(points.table.names)])

    def add_documents(self, documents: Mapping[str, Any]) -> None:
        self._add_bytes("documents", packed(documents))

    def _add_bytes(self, name: str, content: bytes) -> None:
        table = self.tables[f"raw/{name}"]
        table.add(np.frombuffer(content, table.table.dtype))


class RawReader:
    """A sealed file, read as what it was booked from. RecordError: it does not hold that."""

    def __init__(self, file: h5py.File) -> None:
        if "entry/raw/documents" not in file:
            imported = file["entry/run_status"].asstr()[()] == "imported"
            why = "it was imported, and holds" if imported else "an older nakctl recorded it, and kept"
            raise RecordError(f"{file.filename} cannot be booked anew: {why} no more than its tables")
        self._raw = file["entry/raw"]
        self.documents: dict[str, Any] = json.loads(self._raw["documents/byte"][()].tobytes())
        if self.documents["from_view"]:
            raise RecordError(
                f"{file.filename} cannot be booked anew: some of its rows are from the live view alone"
            )
        self.header: dict[str, Any] = self.documents["header"]
        self.tables = layout.tables(self.header)

    def book(self) -> Book:
        return Book(program_json.load(self.documents["program"]), self.tables["samples"].dtype)

    def program(self) -> dict[str, Any] | None:
        program: dict[str, Any] = self.documents["program"]
        return program

    def end(self) -> dict[str, Any] | None:
        end: dict[str, Any] | None = self.documents["end"]
        return end

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """All of them; after: how many to leave out."""
        count = len(self._raw["entries/seq"])
        for start in range(after, count, _AT_A_TIME):
            yield from self._part(start, min(count, start + _AT_A_TIME))

    def _part(self, start: int, stop: int) -> Iterator[Entry]:
        head = {name: self._raw[f"entries/{name}"][start:stop] for name in layout.RAW_ENTRIES.names}
        begins: dict[str, list[int]] = {}
        parts: dict[str, Any] = {}
        for name in ("facts", "words", "samples", "points"):
            before = int(self._raw[f"entries/{name}_end"][start - 1]) if start else 0
            edges = np.append(before, head[f"{name}_end"]).astype(np.int64)
            begins[name] = (edges - before).tolist()
            parts[name] = self._between(name, before, int(edges[-1]))

        def part(name: str, k: int) -> Any:
            return parts[name][begins[name][k] : begins[name][k + 1]]

        for k in range(stop - start):
            facts = part("facts", k)
            yield Entry(
                head["kind"][k].decode(), int(head["segment"][k]), float(head["time"][k]),
                float(head["unix_time"][k]), json.loads(facts) if facts else NO_FACTS, part("words", k),
                part("samples", k), part("points", k), NO_FACTS, int(head["block"][k]),
                int(head["seq"][k]), int(head["epoch"][k]),
            )  # fmt: skip

    def _between(self, name: str, begin: int, end: int) -> Any:
        if name in ("facts", "words"):
            return self._raw[f"{name}/byte"][begin:end].tobytes()
        rows = np.zeros(end - begin, SAMPLE if name == "samples" else POINT)
        for column in rows.dtype.names or ():
            given = column in self._raw[name]
            rows[column] = self._raw[f"{name}/{column}"][begin:end] if given else math.nan
        return rows


def _joined(parts: list[Rows], dtype: np.dtype[np.void]) -> Rows:
    return np.concatenate(parts, dtype=dtype) if parts else np.zeros(0, dtype)
