"""What tests share that look at whole runs: a sink in memory, what is compared of the steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nakctl.record.poll import Event

STEP_WORDS = [
    "step_count",
    "step_id",
    "cycle",
    "technique",
    "label",
    "row_count",
    "end_reason",
    "end_kind",
    "end_id",
]


@dataclass
class Kept:
    """A sink that keeps everything in memory."""

    tables: dict[str, list[Any]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def append(self, tables: Mapping[str, Any], events: Sequence[Event]) -> Sequence[Event]:
        for name, rows in tables.items():
            self.tables.setdefault(name, []).append(rows.copy())
        self.events += events
        return ()

    def table(self, name: str) -> Any:
        return np.concatenate(self.tables[name]) if name in self.tables else np.zeros(0)
