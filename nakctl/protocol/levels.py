"""The levels of staircases, before there is a plan: enough to tell whether `$level` fits where it stands."""

from __future__ import annotations

from typing import Any

from nakctl.text.quantities import Quantity, as_ref, parse_many
from nakctl.text.reader import Loc
from nakctl.text.units import UnitError, parse

LEVEL_DIMENSIONS = ("areal current", "current", "potential", "C-rate")


def with_lowest_levels(data: dict[str, Any]) -> tuple[dict[str, Any], dict[Loc, str]]:
    """The data with the lowest level of each staircase in place of its name, and where that was done.

    All levels of a staircase have one dimension, so what the lowest may stand for, in unit and sign, all may.
    """
    used: dict[Loc, str] = {}
    return _filled(data, (), {}, used), used


def _filled(value: Any, loc: Loc, levels: dict[str, Quantity], used: dict[Loc, str]) -> Any:
    if isinstance(value, dict):
        inner = levels | _named_level(value)
        return {
            word: _filled(part, (*loc, word), inner if word == "steps" else levels, used)
            for word, part in value.items()
        }
    if isinstance(value, list):
        return [_filled(part, (*loc, i), levels, used) for i, part in enumerate(value)]
    ref = as_ref(value)
    if ref is None or ref.name not in levels:
        return value
    used[loc] = ref.name
    return levels[ref.name].text


def _named_level(step: dict[str, Any]) -> dict[str, Quantity]:
    """The name and the lowest level of a staircase, if it is one and its levels can be read."""
    written = step.get("staircase")
    try:
        if isinstance(written, dict):
            ends = [parse(written.get(end), LEVEL_DIMENSIONS) for end in ("from", "to")]
        else:
            ends = list(parse_many(written, LEVEL_DIMENSIONS).values)
    except UnitError:
        return {}
    return {str(step.get("as", "level")): min(ends, key=lambda level: level.value)}
