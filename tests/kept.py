"""A record in memory, for runs whose file nobody needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nakctl.errors import RecordError
from nakctl.record.poll import Event


class Kept:
    """A sink that keeps what it is given. fails_at: the append from which on its disk is full."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.tables: dict[str, list[Any]] = {}
        self.events: list[Event] = []
        self.appends, self.fails_at = 0, fails_at

    def append(self, tables: Mapping[str, Any], events: Sequence[Event]) -> Sequence[Event]:
        self.appends += 1
        if self.fails_at is not None and self.appends >= self.fails_at:
            raise RecordError("the disk is full")
        for name, rows in tables.items():
            self.tables.setdefault(name, []).append(rows)
        self.events += events
        return ()

    def __getitem__(self, name: str) -> np.ndarray:
        """All rows of a table; (0,) where there are none."""
        return np.concatenate(self.tables[name]) if name in self.tables else np.zeros(0)

    def codes(self) -> list[str]:
        return [event.code for event in self.events]

    def steps(self) -> list[tuple[str, str]]:
        """Label without number, and why it ended."""
        return [(row["label"].decode().split(" ", 1)[1], row["end_reason"].decode()) for row in self["steps"]]
