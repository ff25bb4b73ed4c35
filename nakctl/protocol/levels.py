"""The levels of staircases, before there is a plan: enough to tell whether `$level` fits where it stands."""

from __future__ import annotations

from typing import Any, NamedTuple

from nakctl.protocol.model import LEVELS
from nakctl.text.quantities import Quantity, as_ref, parse_many
from nakctl.text.reader import Loc
from nakctl.text.units import UnitError, parse


class Used(NamedTuple):
    """The name of a level, and the value of the staircase that gives it."""

    name: str
    staircase: Loc


def with_lowest_levels(data: dict[str, Any]) -> tuple[dict[str, Any], dict[Loc, Used]]:
    """The data with the lowest level of each staircase in place of its name, and where that was done.

    All levels of a staircase have one dimension, so what the lowest may stand for, in unit and sign, all may.
    """
    used: dict[Loc, Used] = {}
    return _filled(data, (), {}, used), used


def _filled(value: Any, loc: Loc, levels: dict[str, tuple[Quantity, Loc]], used: dict[Loc, Used]) -> Any:
    if isinstance(value, dict):
        inner = levels | {name: (level, loc) for name, level in _named_level(value).items()}
        return {
            word: _filled(part, (*loc, word), inner if word == "steps" else levels, used)
            for word, part in value.items()
        }
    if isinstance(value, list):
        return [_filled(part, (*loc, i), levels, used) for i, part in enumerate(value)]
    ref = as_ref(value)
    if ref is None or ref.name not in levels:
        return value
    level, staircase = levels[ref.name]
    used[loc] = Used(ref.name, (*staircase, "staircase"))
    return level.text


def _named_level(step: dict[str, Any]) -> dict[str, Quantity]:
    """The name and the lowest level of a staircase, if it is one and its levels can be read."""
    written = step.get("staircase")
    try:
        if isinstance(written, dict):
            ends = [parse(written.get(end), LEVELS) for end in ("from", "to")]
        else:
            ends = list(parse_many(written, LEVELS).values)
    except UnitError:
        return {}
    return {str(step.get("as", "level")): min(ends, key=lambda level: level.value)}
