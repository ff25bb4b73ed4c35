"""Parameters of a technique as the library takes them: label, type, value, index, and their 76 bytes.

Parameters are ordinary IEEE singles, whatever the words that come back. Source: vendor header BLStructs.h;
the bytes equal those that the vendor's BL_Define*Parameter writes.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from nakctl.errors import LimitError

Kind = Literal["int", "bool", "single"]

TYPES: dict[Kind, int] = {"int": 0, "bool": 1, "single": 2}
LABEL_BYTES = 64
RECORD = struct.Struct(f"<{LABEL_BYTES}siIi")
LARGEST = 3.4028234e38  # of a single


@dataclass(frozen=True, slots=True)
class Param:
    """One record. index: the element of an array, so the step inside the technique; 0 for a scalar."""

    label: str
    kind: Kind
    value: float
    index: int = 0

    def bits(self) -> int:
        """The value as the library's 32 bits."""
        if self.kind == "single":
            bits: int = struct.unpack("<I", struct.pack("<f", self.value))[0]
            return bits
        return int(self.value) & 0xFFFF_FFFF

    def __bytes__(self) -> bytes:
        return RECORD.pack(self.label.encode("ascii"), TYPES[self.kind], self.bits(), self.index)

    def __str__(self) -> str:
        return f"{self.label} {self.kind} {self._value_text()} {self.index}"

    def _value_text(self) -> str:
        match self.kind:
            case "int":
                return f"{self.value:.0f}"
            case "bool":
                return "true" if self.value else "false"
        return f"{self.value:.9g}"


def integer(label: str, value: int) -> Param:
    return Param(label, "int", value)


def boolean(label: str, value: bool) -> Param:
    """0 or 1: the library passes on any byte."""
    return Param(label, "bool", 1 if value else 0)


def single(label: str, value: float) -> Param:
    """LimitError: not finite, or too large for a single."""
    if not abs(value) <= LARGEST:
        raise LimitError(f"{label} cannot be {value:g}")
    return Param(label, "single", value)


def positive(label: str, value: float) -> Param:
    """A time, a frequency or an interval, which 0 would turn into something absurd."""
    if not value > 0:
        raise LimitError(f"{label} must be above 0, not {value:g}")
    return single(label, value)


def change(label: str, value: float | None) -> Param:
    """Record also when something changed by this much. None: infinity, which means never (0 is not known)."""
    return Param(label, "single", math.inf) if value is None else positive(label, value)


def array(one: Callable[[str, Any], Param], label: str, values: Iterable[Any]) -> Iterator[Param]:
    """One record per element, with the index it has in the array: that of the step inside the technique."""
    return (replace(one(label, value), index=index) for index, value in enumerate(values))


def encoded(params: Iterable[Param]) -> bytes:
    """The array of records, one after the other."""
    return b"".join(map(bytes, params))
