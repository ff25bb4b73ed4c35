"""What of a plan or a program makes a difference to the cell: all but names, places in the file, wording."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from nakctl.device.program import Ask

# Steps are referred to by labels, but that there is one of that label was seen when the plan was made.
_WORDING = frozenset({
    "mark", "limits_mark", "text", "value_text", "rate_text", "start_text", "of_text", "within_text",
    "for_text", "label", "name", "file", "source", "cell", "params", "known", "levels",
})  # fmt: skip


def meaning(value: Any) -> Any:
    """Values that are equal where two plans, or two programs, do the same to a cell."""
    if is_dataclass(value) and not isinstance(value, type):
        skipped = _WORDING - {"text"} if isinstance(value, Ask) else _WORDING  # what somebody is to do
        names = (each.name for each in fields(value) if each.name not in skipped)
        return type(value).__name__, *(meaning(getattr(value, name)) for name in names)
    if isinstance(value, dict):
        return {name: meaning(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return tuple(map(meaning, value))
    return value
