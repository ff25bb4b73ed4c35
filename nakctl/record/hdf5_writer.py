"""What happened -> HDF5: the one way rows get into a result file, be it live, sealed or recovered."""

from __future__ import annotations

import json
import traceback
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Protocol

import h5py
import numpy as np
import numpy.typing as npt

from nakctl.booking import layout
from nakctl.booking.book import Book, Page
from nakctl.booking.entry import Entry
from nakctl.booking.event import Event
from nakctl.booking.table import Table, cut
from nakctl.errors import place_of
from nakctl.record.describe import group, storable, write_header
from nakctl.record.raw_tables import RawTables
from nakctl.record.sensor_tables import GrowingTable, SensorTables

# Files of this version are read by every HDF5 since 1.10; later bounds write what HDF5 1.14 cannot read.
LIBVER = ("v110", "v110")
_COMPRESSED: dict[str, Any] = {
    "compression": "gzip",
    "compression_opts": 4,
    "shuffle": True,
    "fletcher32": True,
}
_POINTER = h5py.vlen_dtype(h5py.ref_dtype)


@dataclass
class Growing:
    """One table in the file. Rows are gathered, and appended many at a time.

    crc  checksum of each column as it came from the journal
    """

    table: Table
    group: h5py.Group
    rows: int = 0
    crc: dict[str, int] = field(default_factory=dict)
    _gathered: list[npt.NDArray[np.void]] = field(default_factory=list)
    _count: int = 0

    def add(self, rows: npt.NDArray[np.void]) -> None:
        if len(rows):
            self._gathered.append(rows)
            self._count += len(rows)
        if self._count >= 4 * self.table.sealed_chunk:
            self.write()

    def write(self) -> None:
        """Append what was gathered."""
        if not self._count:
            return
        rows = np.concatenate(self._gathered, dtype=self.table.dtype)
        for name in self.table.names:
            values = np.ascontiguousarray(rows[name])
            dataset = self.group[name]
            dataset.resize(self.rows + len(values), axis=0)
            dataset[self.rows :] = values.view(dataset.dtype)  # which says that text is UTF-8
            self.crc[name] = zlib.crc32(values.data, self.crc.get(name, 0))
        self.rows += len(rows)
        self._gathered, self._count = [], 0


class Source(Protocol):
    """Where a result file is made from: a journal (`JournalReader`), or a sealed file (`raw_reader`)."""

    header: dict[str, Any]
    tables: dict[str, Table]

    def book(self) -> Book: ...
    def program(self) -> dict[str, Any] | None: ...
    def end(self) -> dict[str, Any] | None: ...


class Hdf5Writer:
    """A file being filled with what happened.

    sealed    compressed and in large chunks, with all that it was booked from; otherwise as others may read
              it while it grows
    seq       number of the last entry that was added
    events    all events so far
    booked_again  of a file that is made anew: by whom, and what came of it
    unbooked  why not all of it could be booked, "" if it could. What it was to be booked from goes on
    """

    def __init__(self, file: h5py.File, source: Source, *, sealed: bool) -> None:
        self.file = file
        self.entry = write_header(file, source.header, "running")
        self.seq = 0
        self.events: list[Event] = []
        self.unbooked = self.booked_again = ""
        self.book = source.book()
        self.tables = {name: self._growing(table, sealed=sealed) for name, table in source.tables.items()}
        growing = partial(self._growing, sealed=sealed)
        self.sensors = SensorTables(self.entry, source.header, growing)
        of_entries = sealed and source.program() is not None
        self.raw = RawTables(self.entry, source.header, growing) if of_entries else None
        plot = group(self.entry, "plot", "NXdata")
        third = ("Ece",) if "Ece" in source.tables["samples"].names else ()
        _mark_axes(plot, "Ewe", "time", (*third, "I"))
        for name in ("time", "Ewe", *third, "I"):
            plot[name] = h5py.SoftLink(f"/entry/samples/{name}")

    def _growing(self, table: Table, *, sealed: bool) -> Growing:
        return Growing(table, _make(self.entry, table, sealed))

    def add(self, entries: Sequence[Entry]) -> None:
        """Book them; `write` puts their rows into the file."""
        if not entries:
            return
        for entry in entries:
            if entry.kind == "sensed":
                self.sensors.add(entry)
        if self.raw is not None:
            self.raw.add(entries)
        self._booked(lambda: self.book.take(entries), entries[-1].seq)
        self.seq = entries[-1].seq

    def settle_book(self) -> None:
        """The steps that have ended: the book keeps them back for what may still be said of them."""
        self._booked(self.book.settle, self.seq)

    def close_book(self, *, unclosed: bool) -> None:
        """The last step and the last spectrum. unclosed: nobody said why the run ended."""
        self._booked(lambda: self.book.close(unclosed=unclosed), self.seq)

    def _booked(self, turn: Callable[[], Page], seq: int) -> None:
        """Whatever is wrong with the booking, the rows are kept as they came."""
        if self.unbooked:
            return
        try:
            page = turn()
        except Exception as error:  # noqa: BLE001
            traceback.print_exc()
            self.unbooked = f"{place_of(error)}, about entry {seq}"
            page = self.book.settle()  # what it had booked before
        self.add_page(page)

    def add_page(self, page: Page) -> None:
        for name, rows in page.tables.items():
            self.tables[name].add(rows)
        self.add_events(page.events)

    def add_events(self, events: Sequence[Event]) -> None:
        self.tables["events"].add(_event_rows(events, self.tables["events"].table))
        self.events += events

    def add_rows(self, growing: GrowingTable, rows: npt.NDArray[np.void]) -> None:
        """Take rows that no entry brought; of events, what their table says of them."""
        growing.add(rows)
        if growing is self.tables["events"]:
            self.events += map(_event_of, rows)

    def write(self) -> None:
        for growing in self.grown().values():
            growing.write()

    def grown(self) -> dict[str, GrowingTable]:
        """Every table by its name."""
        return {**self.tables, **self.sensors.tables, **(self.raw.tables if self.raw else {})}

    def all_tables(self) -> dict[str, tuple[int, dict[str, int]]]:
        """Rows, and checksum by column, of every table."""
        return {name: (growing.rows, growing.crc) for name, growing in self.grown().items()}


def write_derived(writer: Hdf5Writer) -> None:
    """What a finished file has beyond the rows: the Nyquist plot, and events with all they said."""
    entry = writer.entry
    nyquist = group(entry, "nyquist", "NXdata")
    _mark_axes(nyquist, "neg_Z_im", "Z_re", ())
    for name in (layout.IMPEDANCE.scale, "Z_re"):  # netCDF looks for a scale beside what it belongs to
        nyquist[name] = h5py.SoftLink(f"/entry/impedance/{name}")
    values = -entry["impedance/Z_im"][()]
    negative = nyquist.create_dataset("neg_Z_im", data=values, **(_COMPRESSED if len(values) else {}))
    negative.attrs["units"] = "ohm"
    negative.attrs["long_name"] = "-Im(Z) / ohm"
    _found_by(negative, entry["impedance"][layout.IMPEDANCE.scale])
    texts = [storable(json.dumps(asdict(event), ensure_ascii=False)) for event in writer.events]
    whole = entry["events"].create_dataset("json", data=texts, dtype=h5py.string_dtype())
    whole.attrs["units"] = ""
    whole.attrs["long_name"] = "the whole event"
    _found_by(whole, entry["events"][layout.EVENTS.scale])


def _make(entry: h5py.Group, table: Table, sealed: bool) -> h5py.Group:
    made = group(entry, table.name, table.nx_class)
    if table.signal:
        _mark_axes(made, table.signal, table.axes, table.auxiliary_signals)
    chunk, filters = (table.sealed_chunk, _filters(table)) if sealed else (table.live_chunk, {})
    columns: dict[str, h5py.Dataset] = {}
    for column in table.columns:
        dtype = np.dtype(column.dtype)
        stored = h5py.string_dtype("utf-8", dtype.itemsize) if dtype.kind == "S" else dtype
        dataset = made.create_dataset(column.name, (0,), stored, maxshape=(None,), chunks=(chunk,), **filters)
        for name, text in column.attributes.items():
            dataset.attrs[name] = storable(text)
        columns[column.name] = dataset
    _scale(columns, table.scale)
    return made


def _scale(columns: Mapping[str, h5py.Dataset], name: str) -> None:
    """Rows are found by this column: xarray and netCDF take it for the coordinate of all the others."""
    if not name:
        return
    columns[name].make_scale(name)
    for column in columns:
        if column != name:
            _found_by(columns[column], columns[name])


def _found_by(column: h5py.Dataset, scale: h5py.Dataset) -> None:
    """As `attach_scale` does, but without a list of all columns at the scale: nobody who reads needs it, and
    PyTables 3.11 cannot open a column that has one (KeyError 'Reference')."""
    pointer = np.empty(1, _POINTER)
    pointer[0] = np.array([scale.ref], h5py.ref_dtype)
    kind, one = h5py.h5t.py_create(_POINTER, logical=True), h5py.h5s.create_simple((1,))
    h5py.h5a.create(column.id, b"DIMENSION_LIST", kind, one).write(
        pointer
    )  # `attrs.create` takes thrice as long


def _filters(table: Table) -> dict[str, Any]:
    """What is kept to be booked anew is hardly ever read: a little less compressed is a lot sooner done."""
    return _COMPRESSED | ({"compression_opts": 1} if table.name.startswith("raw/") else {})


def _mark_axes(group: h5py.Group, signal: str, axes: str, auxiliary: Sequence[str]) -> None:
    group.attrs["signal"] = signal
    group.attrs["axes"] = [axes]
    if auxiliary:
        group.attrs["auxiliary_signals"] = list(auxiliary)


def _event_rows(events: Sequence[Event], table: Table) -> npt.NDArray[np.void]:
    rows = [
        (event.time_s, event.severity, cut(event.code, 32), event.step_count, cut(event.message, 256))
        for event in events
    ]
    return np.array(rows, table.dtype)


def _event_of(row: np.void) -> Event:
    code, message = (row[name].decode(errors="replace") for name in ("code", "message"))
    return Event(float(row["time"]), int(row["severity"]), code, int(row["step_count"]), message)
