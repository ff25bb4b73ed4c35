"""Something worth a line in the record."""

from __future__ import annotations

from collections.abc import Mapping
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


def event_of_asked(time_s: float, step_count: int, told: Mapping[str, Any]) -> Event | None:
    """What an entry `asked` comes to. None: a signal asked, which is told by what it leads to."""
    if "id" not in told:
        return None
    who = {"who": told["who"], "id": told["id"]}
    if told["verb"] == "note":
        return Event(time_s, 0, "note", step_count, f"{told['who']}: {told['text']}", who)
    what = f"{told['verb']} after {told['after']}" if "after" in told else told["verb"]
    why = f" ({told['why']})" if "why" in told else ""
    return Event(time_s, 1, "asked", step_count, f"{told['who']} asks: {what}{why}; {told['answer']}", who)
