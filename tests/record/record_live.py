"""A live view in this process."""

from __future__ import annotations

from pathlib import Path

import h5py
import record_rows as rows

from nakctl.record.journal import Journal
from nakctl.record.journal_reader import JournalReader
from nakctl.record.replay import LIBVER, Replay


class LiveFile:
    """As the helper writes it."""

    def __init__(self, path: Path) -> None:
        self.journal = Journal.create(path, rows.header())
        self.reader = JournalReader(path)
        self.file = h5py.File(path, "w", libver=LIBVER, locking=False)
        self.replay = Replay(self.file, self.reader, sealed=False)
        self.file.swmr_mode = True

    def append(self, start: int, count: int) -> None:
        self.journal.append({"samples": rows.samples(start, count)})
        for poll in self.reader.polls(after=self.replay.seq):
            self.replay.add(poll)
        self.replay.write()
        self.file.flush()

    def close(self) -> None:
        self.file.close()
        self.reader.close()
        self.journal.close()
