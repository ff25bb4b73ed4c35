"""Protocols as they are written, before there is a model: what the rules of the language read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from nakctl.text.faults import Problem
from nakctl.text.quantities import Quantity
from nakctl.text.reader import Loc
from nakctl.text.units import UnitError, parse


def words(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def one_of(value: Any, loc: Loc, allowed: Iterable[str], what: str) -> Iterator[Problem]:
    """Exactly one of these words; nothing is said of a value that is no words at all."""
    if not isinstance(value, dict):
        return
    given = [word for word in allowed if word in value]
    listed = ", ".join(allowed)
    if not given:
        yield Problem(loc, f"{what} needs one of: {listed}")
    elif len(given) > 1:
        yield Problem(
            (*loc, given[1]), f"{' and '.join(given)} at once: {what} takes one of: {listed}", at_key=True
        )


def quantity(written: Any, dimensions: tuple[str, ...]) -> Quantity | None:
    """None if it cannot be read: the model says so."""
    try:
        return parse(written, dimensions)
    except UnitError:
        return None
