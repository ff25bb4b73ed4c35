"""Journal -> HDF5: the one way rows get into a result file, be it live, sealed or recovered."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from nakctl.record.aux_reader import AuxReader
from nakctl.record.aux_replay import GrowingTable, SensorReplay
from nakctl.record.describe import group, storable, write_header
from nakctl.record.journal_reader import JournalReader
from nakctl.record.poll import Event, Poll
from nakctl.record.table import Table, cut

# Files of this version are read by every HDF5 since 1.10; later bounds write what HDF5 1.14 cannot read.
LIBVER = ("v110", "v110")
_COMPRESSED: dict[str, Any] = {
    "compression": "gzip",
    "compression_opts": 4,
    "shuffle": True,
    "fletcher32": True,
}


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


class Replay:
    """A file being filled from a journal.

    sealed  compressed and in large chunks; otherwise as others may read it while it grows
    seq     number of the last poll that was added
    events  all events so far
    """

    def __init__(self, file: h5py.File, journal: JournalReader, *, sealed: bool) -> None:
        self.file = file
        self.entry = write_header(file, journal.header, "running")
        self.seq = 0
        self.events: list[Event] = []
        self.tables = {
            name: Growing(table, _make(self.entry, table, sealed)) for name, table in journal.tables.items()
        }
        self.sensors = SensorReplay(
            self.entry,
            journal.header,
            AuxReader(journal.path),
            lambda table: Growing(table, _make(self.entry, table, sealed)),
        )
        plot = group(self.entry, "plot", "NXdata")
        _mark_axes(plot, "Ewe", "time", ("I",))
        for name in ("time", "Ewe", "I"):
            plot[name] = h5py.SoftLink(f"/entry/samples/{name}")

    def add(self, poll: Poll) -> None:
        """Take the rows and events of one poll; `write` puts them into the file."""
        for name, growing in self.tables.items():
            if name != "events":
                growing.add(poll.rows(growing.table))
        events = poll.event_list()
        self.tables["events"].add(_event_rows(events, self.tables["events"].table))
        self.events += events
        self.seq = poll.seq

    def add_rows(self, growing: GrowingTable, rows: npt.NDArray[np.void]) -> None:
        """Take rows that no poll brought; of events, what their table says of them."""
        growing.add(rows)
        if growing is self.tables["events"]:
            self.events += map(_event_of, rows)

    def write(self) -> None:
        for growing in self.tables.values():
            growing.write()
        self.sensors.write()

    def grown(self) -> dict[str, GrowingTable]:
        """Every table by its name."""
        return {**self.tables, **self.sensors.tables}

    def all_tables(self) -> dict[str, tuple[int, dict[str, int]]]:
        """Rows, and checksum by column, of every table."""
        return {name: (growing.rows, growing.crc) for name, growing in self.grown().items()}


def write_derived(replay: Replay) -> None:
    """What a finished file has beyond the rows: the Nyquist plot, and events with all they said."""
    entry = replay.entry
    nyquist = group(entry, "nyquist", "NXdata")
    _mark_axes(nyquist, "neg_Z_im", "Z_re", ())
    nyquist["Z_re"] = h5py.SoftLink("/entry/impedance/Z_re")
    values = -entry["impedance/Z_im"][()]
    negative = nyquist.create_dataset("neg_Z_im", data=values, **(_COMPRESSED if len(values) else {}))
    negative.attrs["units"] = "ohm"
    negative.attrs["long_name"] = "-Im(Z) / ohm"
    texts = [storable(json.dumps(asdict(event), ensure_ascii=False)) for event in replay.events]
    whole = entry["events"].create_dataset("json", data=texts, dtype=h5py.string_dtype())
    whole.attrs["units"] = ""
    whole.attrs["long_name"] = "the whole event"


def _make(entry: h5py.Group, table: Table, sealed: bool) -> h5py.Group:
    made = group(entry, table.name, table.nx_class)
    if table.signal:
        _mark_axes(made, table.signal, table.axes, table.auxiliary_signals)
    chunk, filters = (table.sealed_chunk, _COMPRESSED) if sealed else (table.live_chunk, {})
    for column in table.columns:
        dtype = np.dtype(column.dtype)
        stored = h5py.string_dtype("utf-8", dtype.itemsize) if dtype.kind == "S" else dtype
        dataset = made.create_dataset(column.name, (0,), stored, maxshape=(None,), chunks=(chunk,), **filters)
        for name, text in column.attributes.items():
            dataset.attrs[name] = storable(text)
    return made


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
