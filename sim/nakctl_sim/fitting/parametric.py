"""What the models have in common whose numbers stand under `parameters` in a cell's file."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from nakctl.device.fitting import Answer, Arc, Course, Read, Symbol, Values, Written
from nakctl_sim.cell.catalog import NakDescription, PolarisingDescription
from nakctl_sim.cell.cell_file import Symbols
from nakctl_sim.cell.models import Model, numbers_at, numbers_of
from nakctl_sim.cell.numbers import faster
from nakctl_sim.fitting.cell_text import number, quoted, quoted_unit
from nakctl_sim.fitting.replay import replayed

Follows = Mapping[str, tuple[str, int]]  # symbol: its activation energy; 1: it grows with T, -1: it falls
Sought = Mapping[str, tuple[float, str]]  # symbol: spread, what runs have to hold for it
CM = {"cm": 1.0, "mm": 0.1, "um": 1e-4, "µm": 1e-4, "μm": 1e-4}
NOTHING: Mapping[str, float] = {}
# 1,5 mm is 1.5 mm; of 1,500 um nobody knows what it is.
_LENGTH = re.compile(r"(?<![\d.])(?<!\d,)(\d+(?:\.\d+|,\d{1,2})?)\s?(cm|mm|um|µm|μm)\b")


def length_cm(sample: Mapping[str, Any]) -> float | None:
    """Of the electrolyte, where its words have one: of two, such as a diameter beside it, none is taken."""
    found = _LENGTH.findall(str(sample.get("electrolyte", "")))
    if len(found) != 1:
        return None
    value, unit = found[0]
    return float(value.replace(",", ".")) * CM[unit]


def read_temperature(T_K: float | None) -> dict[str, Read]:
    """The values hold at the temperature they were measured at."""
    if T_K is None:
        return {}
    mean = Read(T_K, "K", "mean of the thermometer")
    return {"T": mean, "T_ref": Read(T_K, "K", "where the values hold: as T")}


def come_to(given: Values, T_K: float | None, follows: Follows) -> dict[str, float]:
    """The same cell, with values that hold at this temperature; None: as they are."""
    if T_K is None:
        return dict(given)
    moved = {
        name: given[name] * faster(given[energy], T_K, given["T_ref"]) ** power
        for name, (energy, power) in follows.items()
    }
    return dict(given) | moved | {"T": T_K, "T_ref": T_K}


def symbols(
    sought: Sought,
    names: Sequence[str],
    given: Values,
    shipped: Symbols,
    *,
    linear: Mapping[str, float] = NOTHING,
    scanned: Sequence[str] = (),
) -> tuple[Symbol, ...]:
    """Of these names, as their models have them. given: where they stand; linear: those from this to 1."""
    made = []
    for name in names:
        spread, needs = sought[name]
        parameter = getattr(shipped, name)
        low, high = (linear[name], 1.0) if name in linear else (1e-15, 1e12)
        made.append(
            Symbol(
                name,
                parameter.unit,
                given[name],
                low,
                high,
                spread,
                needs,
                name in linear,
                name in scanned,
            )
        )
    return tuple(made)


def two_arcs(arcs: Sequence[Arc], fast_s: float, slow_s: float) -> tuple[Arc | None, Arc | None]:
    """Neighbours become one as long as there are more; fast_s and slow_s are the usual time constants."""
    left = sorted(arcs, key=lambda arc: arc.tau_s)
    while len(left) > 2:
        apart = [math.log(b.tau_s / a.tau_s) for a, b in itertools.pairwise(left)]
        k = apart.index(min(apart))
        left[k : k + 2] = [_both(left[k], left[k + 1])]
    if len(left) == 2:
        return left[0], left[1]
    if not left:
        return None, None
    return (left[0], None) if left[0].tau_s < math.sqrt(fast_s * slow_s) else (None, left[0])


def _both(a: Arc, b: Arc) -> Arc:
    R_ohm = a.R_ohm + b.R_ohm
    log_tau = (a.R_ohm * math.log(a.tau_s) + b.R_ohm * math.log(b.tau_s)) / R_ohm
    return Arc(R_ohm, math.exp(log_tau), min(a.n, b.n))


def answered(found: NakDescription | PolarisingDescription, values: Values, course: Course) -> Answer:
    """What the cell would have shown with other values of these parameters."""
    changed = replace(found, parameters=found.parameters | dict(values))
    p, x0, kind = numbers_of(changed)
    at = partial(numbers_at, changed)
    return replayed(Model(changed.cell.name, kind, changed.cell.area_cm2, p, x0, changed.cell, at), course)


def parameter_lines(written: Sequence[Written], given: Values, shipped: Symbols, like: str) -> list[str]:
    """What a fit found or read (F), and what the cell it began with has otherwise than shipped (A). given: as
    it is at the temperature of the runs."""
    usual = shipped.given()
    stood = f"as in {like}" if like else "as shipped"
    if given["T_ref"] != usual["T_ref"]:
        stood += f", at {given['T_ref']:.2f} K"
    known = [one for one in written if one.certain != "no"]
    names = {one.symbol for one in known}
    kept = [
        Written(name, value, "no", stood)
        for name, value in given.items()
        if name not in names and value != usual[name]
    ]
    return [f"      {_line(one, shipped)}" for one in (*known, *kept)]


def _line(one: Written, shipped: Symbols) -> str:
    unit, status = quoted_unit(getattr(shipped, one.symbol).unit), "A" if one.certain == "no" else "F"
    words = f"value: {number(one.value)}, unit: {unit}, status: {status}, source: {quoted(one.source)}"
    return f"{one.symbol}: {{{words}}}"
