"""What came of a run beside what was expected of it. Pure: of the report of a run, as `--json` has it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nakctl.protocol.expect import AREAL, COMPLETED, ENDS, Expected, end_text, is_end
from nakctl.protocol.model import Expect
from nakctl.protocol.result_names import CYCLES, Figure, figures_of
from nakctl.text.numbers import duration
from nakctl.text.quantities import Quantity, in_unit_of
from nakctl.text.units import DIMENSIONS, scale_of

_OTHER = {**AREAL, **{whole: areal for areal, whole in AREAL.items()}}
_NOTHING = "not told by this run"


@dataclass(frozen=True, slots=True)
class Judged:
    """One word of `expect`: what was expected, and what there is instead or as well.

    entry, said  which expectation says so, and its word; -1: none does, and it is a matter of course
    """

    word: str
    expected: str
    found: str
    met: bool
    entry: int = field(default=-1, compare=False)
    said: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.word} {self.found}" + ("" if self.met else f" (expected {self.expected})")

    def as_json(self) -> dict[str, Any]:
        """Without where it stands."""
        return {"word": self.word, "expected": self.expected, "found": self.found, "met": self.met}


def judged(expected: Sequence[Expect], told: Mapping[str, Any]) -> list[Judged]:
    """Word by word, what all that is expected of one run comes to. told: its report, as `--json` has it.

    Where none of them says how it ends, that is to be as wanted: not by a limit, and not by trouble.
    """
    found = []
    for number, expect in enumerate(expected):
        said = [*_times(expect, told), *(_figure(each, told) for each in expect.figures.values())]
        if expect.ends is not None:
            said.insert(0, _end([expect.ends] if isinstance(expect.ends, str) else expect.ends, told))
        found += [replace(one, entry=number) for one in said]
    if not any(one.word == "ends" for one in found):
        found.append(_end([COMPLETED], told))
    found.sort(key=lambda one: one.word != "ends")
    return list(dict.fromkeys(found))


def _end(choices: Sequence[str], told: Mapping[str, Any]) -> Judged:
    reason, status = str(told.get("end_reason", "")), str(told.get("status", ""))
    found = reason if status in ("completed", "stopped") else f"{status}: {reason}"
    return Judged(
        "ends", " or ".join(choices), found, any(_ended_so(each, told) for each in choices), said="ends"
    )


def _times(expect: Expect, told: Mapping[str, Any]) -> Iterator[Judged]:
    took_s = told.get("duration_s")
    found = _NOTHING if took_s is None else duration(took_s)
    if isinstance(expect.at_least, Quantity):
        met = took_s is not None and took_s >= expect.at_least.value
        yield Judged("duration", f"{expect.at_least} or more", found, met, said="at_least")
    if isinstance(expect.at_most, Quantity):
        met = took_s is not None and took_s <= expect.at_most.value
        yield Judged("duration", f"{expect.at_most} or less", found, met, said="at_most")


def _ended_so(wanted: str, told: Mapping[str, Any]) -> bool:
    plain = end_text(wanted)
    if plain == COMPLETED:
        return bool(told.get("status") == COMPLETED)
    if plain in ENDS:
        return bool(told.get("end_kind") == ENDS[plain])
    return is_end(wanted, str(told.get("end_reason", "")))


def _figure(expected: Expected, told: Mapping[str, Any]) -> Judged:
    seen = _values(expected, told)
    if not seen:
        return Judged(expected.word, str(expected), _NOTHING, met=False, said=expected.word)
    known = [value for value in seen if value is not None]
    wrong = [value for value in known if not expected.holds(value)]
    found = _shown(expected, wrong or known)
    if len(known) < len(seen):
        found += f", and {len(seen) - len(known)} of {len(seen)} {_NOTHING}"
    met = len(known) == len(seen) and not wrong
    return Judged(expected.word, str(expected), found, met, said=expected.word)


def _values(expected: Expected, told: Mapping[str, Any]) -> list[Any]:
    """Of the figure that is meant, in the unit of the bounds; None for a level or cycle that has none. Empty:
    there is not a single one."""
    those = figures_of(expected.word)
    same = [
        one for one in those if one.dimension == expected.dimension or one.kind in ("count", "text", "truth")
    ]
    for one in (*same, *(one for one in those if one not in same)):
        values = list(_of(one, expected, told))
        if any(value is not None for value in values):
            return values
    return []


def _of(figure: Figure, expected: Expected, told: Mapping[str, Any]) -> Iterator[Any]:
    name = figure.name if "_N_" not in figure.name else _numbered(figure.name, expected.word)
    given = told.get(name)
    if given is None:
        return
    if expected.word == CYCLES:
        yield int(sum(given))
        return
    factor = _factor(figure, expected, told.get("area_cm2"))
    for value in _counting(name, given, told) if isinstance(given, list) else [given]:
        if isinstance(value, bool | str):
            yield value
        elif value is None or not math.isfinite(value) or factor is None:
            yield None
        else:
            yield value if factor == 1.0 else value * factor


def _numbered(name: str, word: str) -> str:
    number = next(part for part in word.split("_") if part.isdigit())
    return name.replace("_N_", f"_{number}_")


def _counting(name: str, values: list[Any], told: Mapping[str, Any]) -> list[Any]:
    """Of cycles the whole ones: the one that the end of the run cut says nothing."""
    whole = told.get("cycles_whole")
    if not name.startswith("cycles_") or not isinstance(whole, list) or len(whole) != len(values):
        return values
    return [value for value, is_whole in zip(values, whole, strict=True) if is_whole]


def _factor(figure: Figure, expected: Expected, area_cm2: float | None) -> float | None:
    """From the unit of the results to that of the bounds. None: there is no way."""
    if figure.dimension not in DIMENSIONS:
        return 1.0
    in_si = scale_of(figure.unit, (figure.dimension,))[1]
    if figure.dimension == expected.dimension:
        return in_si
    if _OTHER.get(figure.dimension) != expected.dimension or not area_cm2:
        return None
    is_areal = figure.dimension in AREAL
    divides = "resistance" in figure.dimension  # that of the whole cell is smaller, the larger it is
    return in_si * area_cm2 if is_areal != divides else in_si / area_cm2


def _shown(expected: Expected, values: list[Any]) -> str:
    """`0.2 mA/cm2`, `0.91 to 0.99`."""
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return ", ".join(str(value).lower() if isinstance(value, bool) else str(value) for value in values)
    low, high = _told(expected, min(values)), _told(expected, max(values))
    return low if low == high else f"{low} to {high}"


def _told(expected: Expected, value: float) -> str:
    bound = expected.low or expected.high
    if bound is None or isinstance(value, int):
        return str(value)
    if expected.dimension in DIMENSIONS:
        return in_unit_of(value, Quantity(bound.value, expected.dimension, bound.text), digits=4)
    unit = bound.text.lstrip("-+\u2212.0123456789eE").strip()
    if unit == "%":
        return f"{100 * value:.4g} %"
    return f"{value:.4g} {unit}".strip()
