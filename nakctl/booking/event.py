"""Something worth a line in the record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """severity: 0 note, 1 warning, 2 alarm; code is for machines."""

    time_s: float
    severity: int
    code: str
    step_count: int
    message: str
    facts: dict[str, Any] = field(default_factory=dict)
