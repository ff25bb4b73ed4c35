"""Equivalent circuits in words: `R0-p(R1,CPE1)-p(R2,CPE2)`: in series with hyphens, in parallel in p(...).

    R    resistance                                  Z = R
    C    capacitance                                 Z = 1 / (j w C)
    L    inductance                                  Z = j w L
    CPE  constant phase element, Q and alpha         Z = 1 / (Q (j w)^alpha)
    W    diffusion into a depth without end, A       Z = A (1 - j) / sqrt(w)

Notation and formulas are those of impedance.py (Murbach et al., J. Open Source Softw. 5, 2020, 2349).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from nakctl.errors import InputError

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]
Kind = Literal["R", "C", "L", "CPE", "W"]

# What a unit of Z becomes: R, C, L, Q, A of an impedance in ohm, and in ohm cm2.
UNITS: dict[Kind, tuple[str, str]] = {
    "R": ("ohm", "ohm cm2"),
    "C": ("F", "F/cm2"),
    "L": ("H", "H cm2"),
    "CPE": ("s^alpha/ohm", "s^alpha/(ohm cm2)"),
    "W": ("ohm/s^0.5", "ohm cm2/s^0.5"),
}
MOST_ELEMENTS, LONGEST = 20, 400
_TOKEN = re.compile(r"\s*(?:(?P<element>(?:CPE|R|C|L|W)[0-9]{0,3}\b)|(?P<open>p\s*\()|(?P<mark>[-,)]))")


@dataclass(frozen=True, slots=True)
class Element:
    """kind, and the name that it is told by (R1)."""

    kind: Kind
    name: str

    @property
    def names(self) -> tuple[str, ...]:
        """Of its values: a CPE has two."""
        return (f"{self.name}_Q", f"{self.name}_alpha") if self.kind == "CPE" else (self.name,)


@dataclass(frozen=True, slots=True)
class Series:
    parts: tuple[Circuit, ...]


@dataclass(frozen=True, slots=True)
class Parallel:
    parts: tuple[Circuit, ...]


Circuit = Element | Series | Parallel
Values = Mapping[str, float]


def parsed(text: str) -> Circuit:
    """InputError: says where it cannot be read, and what was expected there."""
    if len(text) > LONGEST:
        raise InputError(f"circuit {text[:20]!r}...: longer than {LONGEST} characters")
    circuit = _Reader(text).whole()
    names = [element.name for element in elements(circuit)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"circuit {text!r}: there are two {twice}; number them ({twice}1-{twice}2)")
    if len(names) > MOST_ELEMENTS:
        raise InputError(f"circuit {text!r}: more than {MOST_ELEMENTS} elements")
    return circuit


class _Reader:
    """From left to right: series = part {- part}; part = element | p( series {, series} )."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def whole(self) -> Circuit:
        circuit = self._series()
        if self._text[self._at :].strip():
            raise self._unread("- or the end")
        return circuit

    def _series(self) -> Circuit:
        parts = [self._part()]
        while self._takes("-"):
            parts.append(self._part())
        return parts[0] if len(parts) == 1 else Series(tuple(parts))

    def _part(self) -> Circuit:
        found = _TOKEN.match(self._text, self._at)
        if found is None or found["mark"]:
            raise self._unread("R, C, L, CPE, W or p(")
        self._at = found.end()
        if found["element"]:
            name = found["element"]
            return Element(name.rstrip("0123456789"), name)  # type: ignore[arg-type]
        parts = [self._series()]
        while self._takes(","):
            parts.append(self._series())
        if not self._takes(")"):
            raise self._unread("- , or )")
        if len(parts) < 2:
            raise InputError(f"circuit {self._text!r}: p(...) needs two parts or more, with commas between")
        return Parallel(tuple(parts))

    def _takes(self, mark: str) -> bool:
        found = _TOKEN.match(self._text, self._at)
        if found is None or found["mark"] != mark:
            return False
        self._at = found.end()
        return True

    def _unread(self, expected: str) -> InputError:
        left = self._text[self._at :].strip()
        place = f"at {left[:20]!r}" if left else "at its end"
        example = "R0-p(R1,CPE1)-p(R2,CPE2)"
        return InputError(f"circuit {self._text!r}: {place}, expected {expected} (an example: {example})")


def elements(circuit: Circuit) -> Iterator[Element]:
    """From left to right."""
    if isinstance(circuit, Element):
        yield circuit
    else:
        for part in circuit.parts:
            yield from elements(part)


def impedance(circuit: Circuit, values: Values, f_Hz: Floats) -> Complex:
    """(n,) of f_Hz, (n,). values: by the names of the elements, in units that go with each other."""
    if isinstance(circuit, Element):
        jw = 2j * np.pi * f_Hz
        return np.asarray(_FORMULAS[circuit.kind](jw, *(values[name] for name in circuit.names)))
    parts = [impedance(part, values, f_Hz) for part in circuit.parts]
    if isinstance(circuit, Series):
        return np.asarray(np.sum(parts, axis=0))
    return np.asarray(1.0 / np.sum([1.0 / part for part in parts], axis=0))


_FORMULAS: dict[Kind, Callable[..., Complex]] = {
    "R": lambda jw, value: np.full(len(jw), value, np.complex128),
    "C": lambda jw, value: 1.0 / (jw * value),
    "L": lambda jw, value: jw * value,
    "CPE": lambda jw, Q, alpha: 1.0 / (Q * jw**alpha),
    "W": lambda jw, value: value * np.sqrt(2.0) / np.sqrt(jw),  # (1 - j) / sqrt(w)
}


def unit_of(element: Element, name: str, unit: str) -> str:
    """Of one of its values, where Z is in `unit` ("ohm" or "ohm cm2")."""
    if name.endswith("_alpha"):
        return ""
    return UNITS[element.kind][unit == "ohm cm2"]


def relaxations(circuit: Circuit) -> list[tuple[Element, Element]]:
    """Pairs of a resistance and a capacitance or CPE that stand beside each other in a p(...), from left."""
    if isinstance(circuit, Element):
        return []
    found = []
    if isinstance(circuit, Parallel):
        resistances = _of_kind(circuit, "R")
        capacitances = _of_kind(circuit, "C", "CPE")
        found = list(zip(resistances[:1], capacitances[:1], strict=False))
    return found + [pair for part in circuit.parts for pair in relaxations(part)]


def _of_kind(circuit: Parallel, *kinds: Kind) -> list[Element]:
    """Of its parts; the first resistance of a branch in series as well: p(R1-W1,CPE1)."""
    heads = [part.parts[0] if isinstance(part, Series) else part for part in circuit.parts]
    return [head for head in heads if isinstance(head, Element) and head.kind in kinds]
