"""Pieces of the text of a cell's file, as a person would have written it."""

from __future__ import annotations

import json
from collections.abc import Iterable

DIGITS = 5


def number(value: float) -> str:
    """As YAML reads it as a number, also where it is small: 1e-06 is a text to it, 1.0e-06 is none."""
    mantissa, e, exponent = f"{value:.{DIGITS}g}".partition("e")
    return f"{mantissa if '.' in mantissa or not e else f'{mantissa}.0'}{e}{exponent}"


def quoted(text: str) -> str:
    """A scalar of YAML, whatever stands in it."""
    return json.dumps(_visible(text), ensure_ascii=False)


def _visible(text: str) -> str:
    """Files may have names that no file of a cell can hold."""
    return "".join(letter if letter.isprintable() else " " if letter.isspace() else "?" for letter in text)


def quoted_unit(unit: str) -> str:
    """1 would be read as a number."""
    return quoted(unit) if unit == "1" else unit


def comments(lines: Iterable[str]) -> list[str]:
    """A line break in a name ends no comment."""
    return [f"# {_visible(line)}".rstrip() for line in lines]
