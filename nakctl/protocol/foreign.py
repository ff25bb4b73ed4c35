"""Words of other programs and other habits, and what is written here instead.

One table (`foreign.toml`) for the sentences of mistakes, for `nakctl words` and for the docs.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from nakctl.text.quantities import as_ref
from nakctl.text.units import UnitError, parse

_EXAMPLES = {
    "time": "1 h", "current": "0.1 mA/cm2", "potential": "3 V", "charge": "1 mAh/cm2", "count": "10",
    "frequency": "1 MHz", "text": "...", "value": "5 uA",
}  # fmt: skip
_KINDS = {
    "time": ("time",), "current": ("areal current", "current", "C-rate"), "potential": ("potential",),
    "charge": ("areal charge", "charge"), "frequency": ("frequency",), "value": ("current", "potential"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Foreign:
    """What others call something; see the head of the table."""

    words: tuple[str, ...]
    ours: str
    write: str
    of: str = ""


@cache
def _file() -> dict[str, Any]:
    with (Path(__file__).parent / "foreign.toml").open("rb") as stream:
        return tomllib.load(stream)


@cache
def table(place: str) -> tuple[Foreign, ...]:
    """place: step, refinement, sweep, condition, limit, record, top."""
    return tuple(Foreign(**one | {"words": tuple(one["words"])}) for one in _file()[place])


def consequence(written: str) -> str | None:
    """What follows in our words: `stop` is `end run`."""
    found = _file()["then"].get(" ".join(written.casefold().split()))
    return None if found is None else str(found)


def is_written(word: str, place: str) -> bool:
    """Whether others write exactly this."""
    return any(word in foreign.words for foreign in table(place))


def known(word: str, place: str) -> Foreign | None:
    """What a word that is none of ours says elsewhere, as it is written there first; None: nobody uses it."""
    for alike in (str, normal):
        for foreign in table(place):
            if alike(word) in map(alike, foreign.words):
                return foreign
    return None


def normal(word: str) -> str:
    return re.sub(r"[\s_\-]+", "", word).casefold()


def written(foreign: Foreign, value: object = None) -> str:
    """What to write, with the value that stood there if it is of that kind."""
    write = foreign.write
    for name in _EXAMPLES:
        if f"<{name}>" in write:
            write = write.replace(f"<{name}>", _fitting(name, value))
    return f"`{write}`" if write.count("`") % 2 == 0 else f"`{write}"


def _fitting(name: str, value: object) -> str:
    if as_ref(value):
        return str(value)
    if name == "count":
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else _EXAMPLES[name]
    if name == "text":
        return value if isinstance(value, str) and len(value) < 40 else _EXAMPLES[name]
    try:
        return parse(value, _KINDS[name]).text
    except UnitError:
        return _EXAMPLES[name]


def rows() -> Iterator[tuple[str, Foreign]]:
    """(place, entry) of all, in the order of the table."""
    for place in _file():
        if place != "then":
            yield from ((place, foreign) for foreign in table(place))
