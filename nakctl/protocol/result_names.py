"""The figures that `expect` may name: those of the results (docs/results.md), without their unit.

Their catalogue is read here as data, once somebody names one. A word may mean several: `short_at` is a time,
a current density or a charge, as the unit of the value says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from nakctl.text.meant import did_you_mean
from nakctl.text.units import DIMENSIONS, UnitError, scale_of

Kind = Literal["number", "count", "truth", "text"]
# What the names of the catalogue end in, by unit.
_ENDINGS = {
    "s": "_s", "V": "_V", "A": "_A", "mA": "_mA", "mA*h": "_mAh", "mA*h/cm^2": "_mAh_cm2",
    "mA/cm^2": "_mA_cm2", "ohm": "_ohm", "ohm*cm^2": "_ohm_cm2", "W*h": "_Wh", "K": "_K", "S": "_S",
    "V/s": "_V_s", "V s-0.5": "_V_sqrt_s", "s-1": "_Hz", "Hz": "_Hz", "kJ/mol": "_kJ_mol",
}  # fmt: skip
# Of the run itself, which other words tell, or which say nothing of the cell; and a table in a table.
_NOT_EXPECTED = frozenset({"text", "results_version", "sensors", "interruption_place"})
_RUN = "The run"  # the section of these
CYCLES = "cycles"  # the one that is no name of the catalogue: how many whole ones there were
_NUMBERED = re.compile(r"_\d+(?=_|$)")


@dataclass(frozen=True, slots=True)
class Figure:
    """One quantity of the results.

    name       in the catalogue; N stands for a number
    unit       of its values, as people write it; "" of counts, truths, texts and plain numbers
    several    there is one value for each level, cycle, scan or pulse
    """

    name: str
    kind: Kind
    unit: str
    several: bool
    text: str

    @property
    def dimension(self) -> str:
        """A key of DIMENSIONS; the unit itself where none is known, and "" with it."""
        return _dimension(self.unit)


@cache
def figures() -> dict[str, tuple[Figure, ...]]:
    """By word; of one that has several, the dimension of the value says which is meant."""
    found: dict[str, list[Figure]] = {}
    for word, figure in _figures():
        found.setdefault(word, []).append(figure)
    return {word: tuple(those) for word, those in found.items()}


def _figures() -> Iterator[tuple[str, Figure]]:
    import tomllib
    from importlib.resources import files

    text = files("nakctl").joinpath("results", "catalogue.toml").read_text("utf-8")
    for heading, section in tomllib.loads(text).items():
        for name, told in section.items():
            kind = told.get("kind", "number")
            if heading == _RUN or name in _NOT_EXPECTED:
                continue
            units, several = told.get("units", ""), kind == "numbers"
            one = Figure(name, "number" if several else kind, written(units), several, told["text"])
            yield name.removesuffix(_ENDINGS.get(units, "")), one
    yield CYCLES, Figure("cycles_whole", "count", "", False, "how many whole cycles there were")


def written(units: str) -> str:
    """A unit of the catalogue as people write it, mAh/cm2; "" of plain numbers."""
    return "" if units == "1" else units.replace("*h", "h").replace("*", " ").replace("^", "")


@cache
def _dimension(unit: str) -> str:
    try:
        return scale_of(unit, tuple(DIMENSIONS))[0] if unit else ""
    except UnitError:
        return unit


def figures_of(word: str) -> tuple[Figure, ...]:
    """Those that a word may mean, (): none; of numbered ones (peak_1_tau) there is one definition."""
    return figures().get(word) or figures().get(_NUMBERED.sub("_N", word, count=1), ())


def unknown(word: str, others: tuple[str, ...]) -> str:
    """The sentence for a word that is none. others: those that `expect` has beside the figures."""
    bare = next((known for known in figures() if any(one.name == word for one in figures()[known])), None)
    if bare is not None and bare != word:
        return f"{word}: the unit stands in the value: write {bare}: {span_of(figures_of(bare))}"
    within = [known for known in figures() if word and word in known]
    hint = (
        f"; did you mean {' or '.join(within[:3])}?" if within else did_you_mean(word, [*others, *figures()])
    )
    return (
        f"{word} is no word of expect{hint or ';'} its words are: {', '.join(others)}, and names of "
        "docs/results.md without their unit, such as ccd"
    )


def example(word: str) -> str:
    """A value that a word takes."""
    [figure, *_] = figures_of(word)
    match figure.kind:
        case "count":
            return "2"
        case "truth":
            return "true"
        case "text":
            return {"short_while": "plating", "short_found_by": "rule"}.get(word, "none")
    return span_of((figure,))


def span_of(those: tuple[Figure, ...]) -> str:
    return f"[{with_unit(those[0], '1')}, {with_unit(those[0], '2')}]"


def with_unit(figure: Figure, number: str) -> str:
    return f"{number} {figure.unit}".strip()
