"""A circuit whose parts are looked for: as many pairs as the first spectrum shows arcs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from nakctl.device.cell import Cell
from nakctl.device.fitting import Answer, Asked, Course, Read, Seen, Symbol, Together, Values, Written
from nakctl.errors import InputError
from nakctl.text.quantities import Quantity
from nakctl_sim.cell.catalog import CircuitDescription
from nakctl_sim.cell.cell_file import CircuitCell, Pair
from nakctl_sim.cell.circuit import N_PAIRS
from nakctl_sim.cell.models import Model, numbers_of
from nakctl_sim.fitting.cell_text import comments as commented
from nakctl_sim.fitting.cell_text import number, quoted
from nakctl_sim.fitting.replay import replayed

ANY_V = (-100.0, 100.0)
WIDE, OF_EXPONENT = 2.3, 0.15  # spreads
UNITS = {"series": "ohm", "R": "ohm", "C": "F", "n": "1", "capacitor": "F", "L": "H", "source": "V"}
NO_WORD = "a circuit has no word for it: the file goes without"


class CircuitSubject:
    """See `nakctl.device.fitting.Subject`. Nothing is shipped that a circuit would begin with."""

    model = "circuit"
    rest_V = ANY_V
    said: tuple[str, ...] = ()
    kept: Mapping[str, str] = {"L": NO_WORD}

    def __init__(self, asked: Asked, seen: Seen) -> None:
        if asked.like:
            raise InputError(
                f"--like {asked.like}: a circuit begins with what the spectrum shows, not with a cell"
            )
        self._cell = Cell(asked.name, asked.area_cm2)
        self._pairs = min(len(seen.arcs), N_PAIRS)
        self.start = _start(seen, self._pairs)
        self.symbols = tuple(map(_symbol, self.start))
        self.together: tuple[Together, ...] = ()
        self.read: dict[str, Read] = {}
        if seen.rest_V is not None:
            scatter = f"; +- {1e3 * seen.rest_error_V:.2g} mV" if seen.rest_error_V > 0 else ""
            self.read = {"source": Read(seen.rest_V, "V", f"Ewe at rest{scatter}")}

    def answer(self, values: Values, course: Course) -> Answer:
        found = replayed(self._model(values), course)
        cable_ohm = 2j * np.pi * course.f_Hz * values.get("L", 0.0)
        return Answer(found.Ewe_V, found.z_ohm + cable_ohm)

    def _model(self, values: Values) -> Model:
        pairs = tuple(
            Pair.model_construct(
                R=_quantity(values[f"R{k}"], "resistance"),
                C=_quantity(values[f"C{k}"], "capacitance"),
                n=values[f"n{k}"],
            )
            for k in range(1, self._pairs + 1)
        )
        words = CircuitCell.model_construct(
            area=_quantity(self._cell.area_cm2, "area"),
            source=_quantity(self.read["source"].value, "potential") if self.read else None,
            series=_quantity(values["series"], "resistance"),
            capacitor=_quantity(values["capacitor"], "capacitance") if "capacitor" in values else None,
            pairs=pairs,
            counter=None,
        )
        p, x0, kind = numbers_of(CircuitDescription(self._cell, words))
        return Model(self._cell.name, kind, self._cell.area_cm2, p, x0, self._cell)

    def file_text(self, written: Sequence[Written], comments: Sequence[str], note: str) -> str:
        by = {one.symbol: one for one in written}
        lines = [*commented(comments), "model: circuit", "", "cells:", f"  {quoted(self._cell.name)}:"]
        lines += [f"    area: {number(self._cell.area_cm2)} cm2"]
        for word in ("source", "series", "capacitor"):
            if word in by:
                lines += _with_source(f"    {word}: {number(by[word].value)} {UNITS[word]}", [by[word]])
        lines += ["    pairs:"] if self._pairs else []
        for k in range(1, self._pairs + 1):
            parts = [by[f"{word}{k}"] for word in "RCn"]
            ohm, farad, n = (number(part.value) for part in parts)
            lines += _with_source(f"      - {{R: {ohm} ohm, C: {farad} F, n: {n}}}", parts)
        return "\n".join([*lines, f"    note: {quoted(note)}", ""])


def _quantity(value: float, dimension: str) -> Quantity:
    return Quantity(value, dimension, f"{value:g}")


def _with_source(line: str, parts: Sequence[Written]) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()))
    return [*(f"{indent}# {part.symbol}: {part.source}" for part in parts), line]


def _start(seen: Seen, pairs: int) -> dict[str, float]:
    start = {"series": seen.ohmic_ohm}
    for k, arc in enumerate(seen.arcs[:pairs], 1):
        start |= {f"R{k}": arc.R_ohm, f"C{k}": arc.tau_s / arc.R_ohm, f"n{k}": arc.n}
    start |= {"capacitor": seen.farad} if seen.farad else {}
    return start | ({"L": seen.inductance_henry} if seen.inductance_henry > 0 else {})


def _symbol(name: str) -> Symbol:
    kind = name.rstrip("0123456789")
    if kind == "n":
        return Symbol(
            name, "1", math.nan, 0.3, 1.0, OF_EXPONENT, "an arc within the frequencies", linear=True
        )
    needs = "frequencies at which it shows"
    return Symbol(name, UNITS[kind], math.nan, 1e-15, 1e15, WIDE, needs)
