"""A record in memory, for runs whose file nobody needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nakctl.booking import layout
from nakctl.booking.book import Book
from nakctl.booking.entry import Entry
from nakctl.booking.event import Event
from nakctl.booking.table import Table
from nakctl.device.program import Program
from nakctl.errors import RecordError


class Kept:
    """A sink that keeps what it is given. fails_at: the append from which on its disk is full. samples: the main
    table of its run.

    program  of the run, to be set before its tables are looked at: they are booked from the entries then
    """

    is_full = False

    def __init__(self, fails_at: int | None = None, samples: Table = layout.SAMPLES) -> None:
        self._layout = samples
        self.entries: list[Entry] = []
        self.program: Program | None = None
        self.appends, self.fails_at = 0, fails_at
        self._booked: tuple[int, dict[str, Any], list[Event]] = (-1, {}, [])

    def append(self, entries: Sequence[Entry], *, durable: bool = False) -> Sequence[Event]:
        self.appends += 1
        if self.fails_at is not None and self.appends >= self.fails_at:
            raise RecordError("the disk is full")
        self.entries += entries
        return ()

    def tick(self) -> Sequence[Event]:
        return ()

    def begin_block(self, block: int) -> None:
        self.block = block

    def __getitem__(self, name: str) -> np.ndarray:
        """All rows of a table; (0,) where there are none."""
        return self._tables()[0].get(name, np.zeros(0))

    @property
    def events(self) -> list[Event]:
        return self._tables()[1]

    def codes(self) -> list[str]:
        return [event.code for event in self.events]

    def steps(self) -> list[tuple[str, str]]:
        """Label without number, and why it ended."""
        return [(row["label"].decode().split(" ", 1)[1], row["end_reason"].decode()) for row in self["steps"]]

    def _tables(self) -> tuple[dict[str, np.ndarray], list[Event]]:
        if self._booked[0] != len(self.entries):
            book = Book(self.program, self._layout.dtype)
            pages = [book.take(self.entries), book.close(unclosed=False)]
            names = {name for page in pages for name in page.tables}
            parts = {name: [page.tables[name] for page in pages if name in page.tables] for name in names}
            tables = {name: np.concatenate(each, dtype=each[0].dtype) for name, each in parts.items()}
            self._booked = len(self.entries), tables, [event for page in pages for event in page.events]
        return self._booked[1], self._booked[2]
