"""A live view in this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import h5py
import record_rows as rows

from nakctl.booking.entry import Entry
from nakctl.record.hdf5_writer import LIBVER, Hdf5Writer
from nakctl.record.journal_reader import JournalReader


class LiveFile:
    """As the helper writes it."""

    def __init__(self, path: Path) -> None:
        self.journal = rows.journal_of_run(path)
        self.journal.append(rows.opening())
        self.reader = JournalReader(path)
        self.file = h5py.File(path, "w", libver=LIBVER, locking=False)
        self.writer = Hdf5Writer(self.file, self.reader, sealed=False)
        self.file.swmr_mode = True

    def append(self, start: int, count: int) -> None:
        self.add([rows.said(start, count)])

    def add(self, entries: Sequence[Entry]) -> None:
        self.journal.append(entries)
        self.writer.add(list(self.reader.entries(after=self.writer.seq)))
        self.writer.write()
        self.file.flush()

    def close(self) -> None:
        self.file.close()
        self.reader.close()
        self.journal.close()
