"""What a dry run is expected to come to: how it ends, and what may be said of a figure of the results, as in
`ccd: [0.15 mA/cm2, 0.45 mA/cm2]`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from nakctl.protocol.result_names import Figure, example, figures_of, span_of, with_unit
from nakctl.text.meant import did_you_mean
from nakctl.text.numbers import listed
from nakctl.text.units import DIMENSIONS, Quantity, UnitError, parse

# A value per area says the same as one of the whole cell, whose area every dry run knows.
AREAL = {"areal current": "current", "areal charge": "charge", "areal resistance": "resistance"}
_WHOLE = {whole: areal for areal, whole in AREAL.items()}
_BARE = re.compile(r"[-+\u2212]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_SPAN = re.compile(r"(?P<low>.+?)\s*(?:\bto\b|\.\.+|\u2013|(?<=\w)\s*-)\s*(?P<high>.+)")
_COMPARED = re.compile(r"(?P<sign>[<>]=?|above|below|over|under)\s*(?P<value>.+)")


@dataclass(frozen=True, slots=True)
class Bound:
    """One end. value: in SI if its dimension is known, else in the unit of the figure."""

    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What is said of one figure: from low to high, both included; above, or below; or one value.

    dimension  of the bounds; "" of plain numbers
    """

    word: str
    dimension: str = ""
    low: Bound | None = None
    high: Bound | None = None
    excluded: bool = False
    value: int | bool | str | None = None

    def __str__(self) -> str:
        if self.value is not None:
            return str(self.value).lower() if isinstance(self.value, bool) else str(self.value)
        if self.low is not None and self.high is not None and not self.excluded:
            return _span(self.low.text, self.high.text)
        ends = [("above", self.low), ("below", self.high)]
        return " and ".join(f"{word} {bound.text}" for word, bound in ends if bound is not None)

    def holds(self, value: object) -> bool:
        """Of a value in the unit of the bounds."""
        if self.value is not None:
            return value == self.value
        if not isinstance(value, int | float):
            return False
        low = -math.inf if self.low is None else self.low.value
        high = math.inf if self.high is None else self.high.value
        return low < value < high if self.excluded else low <= value <= high


# How a run may end, by `end_kind` of its report; beside these by the text of one of its ends: Ewe above 3 V.
ENDS = {
    "all steps done": "steps done",
    "short": "rule",
    "cutoff": "cutoff",
    "limit": "limit",
    "timeout": "timeout",
}
COMPLETED = "completed"  # in any way that is wanted


def end_text(text: str) -> str:
    """As it is told, however it is written: Ewe_above 3 V."""
    return " ".join(text.replace("_", " ").split())


def is_end(wanted: str, text: str) -> bool:
    """Whether a text of an end is meant, also by its beginning: Ewe above."""
    plain = end_text(wanted)
    return text == plain or text.startswith(f"{plain} ")


def _span(low: str, high: str) -> str:
    """`0.15 to 0.45 mA/cm2`: a unit that both share is said once."""
    shared = listed([low, high])
    return shared.replace(", ", " to ") if shared.count(", ") == 1 else f"{low} to {high}"


def read(word: str, value: object) -> Expected:
    """What is said of the figure that a word means. UnitError says what would be right."""
    those = figures_of(word)
    kind = those[0].kind
    if kind in ("truth", "text"):
        return _one(word, value, bool if kind == "truth" else str)
    if isinstance(value, list):
        return _from_to(word, value, those)
    if isinstance(value, dict):
        return _beyond(word, value, those)
    if kind == "count" and isinstance(value, int) and not isinstance(value, bool):
        return Expected(word, value=value)
    raise UnitError(_other_form(word, value, those))


def _one(word: str, value: object, form: type) -> Expected:
    if not isinstance(value, form):
        what = "true or false" if form is bool else f"text, such as {example(word)}"
        raise UnitError(f"{word}: expected {what}")
    return Expected(word, value=value)  # type: ignore[arg-type]


def _from_to(word: str, value: list[object], those: tuple[Figure, ...]) -> Expected:
    if len(value) != 2:
        raise UnitError(f"two values stand in brackets, the lowest and the highest: {word}: {span_of(those)}")
    (low, dimension), (high, other) = (_bound(word, each, those) for each in value)
    if dimension != other:
        raise UnitError(f"{low.text} and {high.text} are not of one kind")
    if low.value > high.value:
        raise UnitError(f"the lowest value stands first: {low.text} is not below {high.text}")
    return Expected(word, dimension, low, high)


def _beyond(word: str, value: dict[str, object], those: tuple[Figure, ...]) -> Expected:
    for given in value:
        if given not in ("above", "below"):
            hint = did_you_mean(given, ("above", "below")) or ";"
            raise UnitError(f"{given} is no word here{hint} its words are: above, below")
    if not value:
        raise UnitError(f"write {word}: {span_of(those)}, or {{above: {with_unit(those[0], '1')}}}")
    read = {side: _bound(word, each, those) for side, each in value.items()}
    if len({dimension for _, dimension in read.values()}) > 1:
        raise UnitError(" and ".join(bound.text for bound, _ in read.values()) + " are not of one kind")
    low, high = (read[side][0] if side in read else None for side in ("above", "below"))
    if low is not None and high is not None and low.value >= high.value:
        raise UnitError(f"nothing is above {low.text} and below {high.text}")
    return Expected(word, next(iter(read.values()))[1], low, high, excluded=True)


def _bound(word: str, value: object, those: tuple[Figure, ...]) -> tuple[Bound, str]:
    figure = those[0]
    if figure.kind == "count" or not figure.unit:
        return _plain(word, value, figure), ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UnitError(f"{word}: expected a value with its unit, such as {with_unit(figure, '1')}")
    known = tuple(one.dimension for one in those if one.dimension in DIMENSIONS)
    if not known:
        return _in_unit(str(value), figure), figure.unit
    others = [AREAL.get(each) or _WHOLE.get(each) for each in known]
    found = _signed(str(value), (*known, *(each for each in others if each and each not in known)))
    return Bound(found.value, found.text), found.dimension


def _plain(word: str, value: object, figure: Figure) -> Bound:
    """A count, or a ratio: 0.9 or 90 %."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Bound(float(value), str(value))
    if figure.kind == "number" and isinstance(value, str):
        found = parse(value, ("fraction",))
        return Bound(found.value, found.text)
    raise UnitError(f"{word}: expected a number, such as {word}: [1, 2]")


def _in_unit(text: str, figure: Figure) -> Bound:
    number = _BARE.match(text.strip())
    if number is None or " ".join(text.strip()[number.end() :].split()) != figure.unit:
        raise UnitError(f"{text}: is written in {figure.unit}, such as {with_unit(figure, '1')}")
    return Bound(float(number[0].replace("\u2212", "-")), text.strip())


def _signed(text: str, dimensions: tuple[str, ...]) -> Quantity:
    """Also below zero, where a charge or a time of a protocol cannot be."""
    try:
        return parse(text, dimensions, zero=True)
    except UnitError:
        if text.strip()[:1] not in ("-", "\u2212"):
            raise
        found = parse(text.strip()[1:], dimensions, zero=True)
        return Quantity(-found.value, found.dimension, text.strip())


def _other_form(word: str, value: object, those: tuple[Figure, ...]) -> str:
    """A value that stands alone: a measured number is never just that one."""
    text = str(value).strip()
    if found := _SPAN.fullmatch(text):
        low, high = (found[side].strip() for side in ("low", "high"))
        unit = high[number.end() :].strip() if (number := _BARE.match(high)) else ""
        first = f"{low} {unit}".strip() if _BARE.fullmatch(low) else low
        return f"{text}: write {word}: [{first}, {high}]"
    if found := _COMPARED.fullmatch(text):
        side = "above" if found["sign"][0] in ">ao" else "below"
        return f"{text}: write {word}: {{{side}: {found['value']}}}"
    if those[0].kind == "count":
        return f"{text}: expected a whole number, or from where to where: {word}: [1, 3]"
    above = f"{{above: {with_unit(those[0], '1')}}}"
    return f"{text}: from where to where? Write {word}: {span_of(those)}, or {word}: {above}"
