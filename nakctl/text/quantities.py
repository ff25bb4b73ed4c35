"""Quantities as values of a model: one, a list with a common unit, or a `$name` that stands for one.

`quantity("time")`, `quantities("frequency")` and `range_of("current")` are pydantic annotations: they say
what a word accepts, to the validator and to the JSON schema alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, get_args

from nakctl.text.numbers import si
from nakctl.text.units import DIMENSIONS, Quantity, UnitError, is_c_rate, parse, scale_of

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

__all__ = [
    "ExtentWord", "Quantities", "Quantity", "Ref", "SameCharge", "parse_many", "quantities", "quantity",
    "range_of", "ranges_of", "share_unit",
]  # fmt: skip

REF_PATTERN = r"\$[A-Za-z][A-Za-z0-9_]*"
_REF = re.compile(REF_PATTERN)
_NUMBER_PATTERN = r"[+\-\u2212]?(\d+\.?\d*|\.\d+)([eE][+\-]?\d+)?"
_UNIT_PATTERN = r"\s*[^\d\s.,+\-].*"
_C_RATE_PATTERN = r"[+\-\u2212]?C\s?/\s?\d+\.?\d*"
_BARE = re.compile(_NUMBER_PATTERN)
_WHOLE = re.compile(r"[+\-\u2212]?\d+")
_DIGITS_FIRST = re.compile(r"\d+(?![\d.eE])")
_MOST = 10_000

Sign = Literal["any", "none", "positive", "difference"]


@dataclass(frozen=True, slots=True)
class Ref:
    """`$name`: the level of an enclosing staircase, known only when the plan is made."""

    name: str

    def __str__(self) -> str:
        return f"${self.name}"


Reference = Literal["OCV", "start", "last"]
_RELATIVE = re.compile(r"(?:(.+?)\s+vs\s+)?(OCV|start|last)")


@dataclass(frozen=True, slots=True)
class Relative:
    """A potential that only the run knows: `10 mV vs OCV`, or OCV itself. offset None: nothing is added.

    OCV: Ewe at the end of the latest rest; start: at the first row of the run; last: at the end of the step
    before
    """

    offset: Quantity | Ref | None
    of: Reference
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class PotentialWord:
    """Accepts a potential, `$name`, or one that refers to what the run has measured."""

    def __call__(self, value: object) -> Quantity | Ref | Relative:
        found = _RELATIVE.fullmatch(" ".join(value.split())) if isinstance(value, str) else None
        if found is None or (found[1] is None and found[2] != "OCV"):
            return as_ref(value) or parse(value, ("potential",))
        offset = None if found[1] is None else as_ref(found[1]) or parse(found[1], ("potential",))
        [of] = (each for each in get_args(Reference) if each == found[2])
        return Relative(offset, of, found[0])

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _plain(self)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        known = QuantityWord(("potential",)).__get_pydantic_json_schema__(schema, handler)
        pattern = f"^(OCV|.+ vs (OCV|start|last)|{known['pattern'][1:-1]})$"
        return known | {"pattern": pattern, "examples": ["3 V", "OCV", "10 mV vs OCV", "0 V vs start"]}


_SAME_CHARGE = re.compile(r"same charge as (\S.*)")


@dataclass(frozen=True, slots=True)
class SameCharge:
    """The |charge| that the step of a label moved when it was done last: `same charge as strip-1`."""

    label: str

    def __str__(self) -> str:
        return f"same charge as {self.label}"


def as_same_charge(value: object) -> SameCharge | None:
    found = _SAME_CHARGE.fullmatch(" ".join(value.split())) if isinstance(value, str) else None
    return None if found is None else SameCharge(found[1])


@dataclass(frozen=True, slots=True)
class ExtentWord:
    """Accepts a time or a charge, `$name`, or the charge of an earlier step."""

    dimensions: tuple[str, ...]

    def __call__(self, value: object) -> Quantity | Ref | SameCharge:
        return as_same_charge(value) or as_ref(value) or parse(value, self.dimensions)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _plain(self)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        known = QuantityWord(self.dimensions).__get_pydantic_json_schema__(schema, handler)
        examples = [*known["examples"], "same charge as strip-1"]
        return known | {"pattern": f"^(same charge as .+|{known['pattern'][1:-1]})$", "examples": examples}


@dataclass(frozen=True, slots=True)
class Quantities:
    """Several quantities of one dimension, in the order written."""

    values: tuple[Quantity, ...]
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class QuantityWord:
    """Accepts one quantity of the given dimensions, or `$name`.

    refs  whether `$name` can stand here: only protocols have parameters
    sign  any; positive: above zero; none: above zero, because a word such as `strip` is the direction;
          difference: above zero, and no place on a scale (25 degC is one, 0.5 K is not)
    words  texts that may stand there instead: `forever`
    """

    dimensions: tuple[str, ...]
    sign: Sign = "any"
    refs: bool = True
    words: tuple[str, ...] = ()

    def __call__(self, value: object) -> Quantity | Ref | str:
        if isinstance(value, str) and value in self.words:
            return value
        ref = as_ref(value)
        if ref is not None and not self.refs:
            raise UnitError(f"{value}: only a protocol has parameters: write the value itself")
        try:
            return ref or signed(parse(value, self.dimensions), self.sign)
        except UnitError as error:
            others = self.words if "such as" in str(error) else ()
            raise UnitError(", or ".join([str(error), *others])) from None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _plain(self)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        ref = "".join(f"|{other}" for other in (*([REF_PATTERN] if self.refs else []), *self.words))
        return {
            "type": "string",
            "pattern": f"^({_one(self.dimensions)}{ref})$",
            "examples": [*(DIMENSIONS[name].example for name in self.dimensions), *self.words],
        }


@dataclass(frozen=True, slots=True)
class QuantitiesWord:
    """Accepts `0.1, 0.2 mA/cm2` or a YAML list with a unit in each item."""

    dimensions: tuple[str, ...]

    def __call__(self, value: object) -> Quantities:
        if as_ref(value):
            raise UnitError(f"{value} stands for one value, not for a list")
        return parse_many(value, self.dimensions)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _plain(self)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        unit = DIMENSIONS[self.dimensions[0]].usual_unit
        one = {
            "type": "string",
            "pattern": f"^({_one(self.dimensions)})$",
            "examples": [f"0.1 {unit}"],
        }
        rates = "|.*C.*" if "C-rate" in self.dimensions else ""
        many = {
            "type": "string",
            "pattern": f"^({_NUMBER_PATTERN}.*[^\\d\\s.,+\\-eE].*|{REF_PATTERN}{rates})$",
        }
        return {
            "anyOf": [
                many | {"examples": [f"0.1, 0.2, 0.5 {unit}"]},
                {"type": "array", "items": one, "minItems": 1},
            ]
        }


# The unit in which ranges are named, and one of them.
_RANGES = {"current": ("A", "1 mA"), "potential": ("V", "5 V")}
_AUTO = re.compile(r"auto.*", re.IGNORECASE)
_BOTH_ENDS = re.compile(r"[\[±+\-\u2212].*|.*\d.*\d\s*m?V")  # ±5 V, -5 V to 5 V


@dataclass(frozen=True, slots=True)
class RangeWord:
    """Accepts the end of a range, and gives the name of that range as it stands on panels: `1mA` is `1 mA`.

    Names are compared with those of an instrument, so however a range is spelt there is one name for it.
    several: it may also be a list, whose names are joined by commas
    """

    dimension: Literal["current", "potential"]
    several: bool = False

    def __call__(self, value: object) -> str:
        if isinstance(value, str) and _AUTO.fullmatch(value.strip()):
            raise UnitError(f"{value}: leave the range out, and one that fits is chosen")
        try:
            ends = parse_many(value, (self.dimension,)).values if self.several else self._end(value)
            return ", ".join(si(signed(end, "positive").value, _RANGES[self.dimension][0], 9) for end in ends)
        except UnitError:
            if self.dimension == "potential" and (isinstance(value, list) or _BOTH_ENDS.match(str(value))):
                shown = ", ".join(map(str, value)) if isinstance(value, list) else value
                text = f"{shown}: a range is named by its end: write 5 V for the one from -5 V to 5 V"
                raise UnitError(text) from None
            raise

    def _end(self, value: object) -> tuple[Quantity]:
        return (parse(value, (self.dimension,)),)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _plain(self)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        _, one = _RANGES[self.dimension]
        known = QuantitiesWord if self.several else QuantityWord
        made = known((self.dimension,)).__get_pydantic_json_schema__(schema, handler)
        text, *listed = made["anyOf"] if self.several else [made]
        text = text | {"examples": [one]}
        return {"anyOf": [text, *listed]} if listed else text


def _one(dimensions: tuple[str, ...]) -> str:
    """Pattern of one quantity."""
    rate = f"|{_C_RATE_PATTERN}" if "C-rate" in dimensions else ""
    return f"{_NUMBER_PATTERN}{_UNIT_PATTERN}{rate}"


def quantity(
    *dimensions: str, sign: Sign = "any", refs: bool = True, words: tuple[str, ...] = ()
) -> QuantityWord:
    """Annotation of a word that takes one quantity."""
    return QuantityWord(dimensions, sign, refs, words)


def quantities(*dimensions: str) -> QuantitiesWord:
    """Annotation of a word that takes a list of quantities."""
    return QuantitiesWord(dimensions)


def range_of(dimension: Literal["current", "potential"]) -> RangeWord:
    """Annotation of a word that takes a range."""
    return RangeWord(dimension)


def ranges_of(dimension: Literal["current", "potential"]) -> RangeWord:
    """Annotation of a word that takes a range, or a list of them."""
    return RangeWord(dimension, several=True)


def as_ref(value: object) -> Ref | None:
    return Ref(value[1:]) if isinstance(value, str) and _REF.fullmatch(value) else None


def signed(found: Quantity, sign: Sign) -> Quantity:
    """The same quantity, if its sign is as the word wants it."""
    if sign == "none" and found.value < 0:
        raise UnitError(
            f"{found.text}: strip, plate, charge and discharge are directions already: "
            "write it without sign, or use cp"
        )
    if sign == "difference" and found.dimension == "temperature" and not found.text.rstrip().endswith("K"):
        raise UnitError(f"{found.text} is a place on a scale: a difference of temperatures is written in K")
    if sign != "any" and found.value <= 0:
        raise UnitError(f"{found.text} must be greater than zero")
    return found


def parse_many(value: object, dimensions: tuple[str, ...]) -> Quantities:
    """`0.05, 0.1 mA/cm2` (one unit at the end), `0.05 mA/cm2, 100 uA/cm2`, or a list of quantities."""
    parts = (
        [_item(item, dimensions) for item in value] if isinstance(value, list) else _parts(value, dimensions)
    )
    if not 1 <= len(parts) <= _MOST:
        raise UnitError(f"needs 1 to {_MOST} values, has {len(parts)}")
    if any(is_c_rate(part) for part in parts):  # then `1C` beside it is no charge
        dimensions = ("C-rate",) if "C-rate" in dimensions else dimensions
    values = tuple(parse(part, dimensions) for part in parts)
    if {one.dimension for one in values} == {"C-rate", "charge"}:  # `500 mC, 1 C`
        values = tuple(parse(one.text, ("charge",)) for one in values)
    other = next((one for one in values if one.dimension != values[0].dimension), None)
    if other is not None:
        kinds = f"{DIMENSIONS[values[0].dimension].noun} and {DIMENSIONS[other.dimension].noun}"
        raise UnitError(f"{values[0]} and {other} do not belong in one list: {kinds}")
    return Quantities(values, value if isinstance(value, str) else ", ".join(one.text for one in values))


def _item(item: object, dimensions: tuple[str, ...]) -> object:
    if isinstance(item, int | float):
        unit = DIMENSIONS[dimensions[0]].usual_unit
        raise UnitError(f"{item} has no unit: give each its own, or write without brackets `0.1, 0.2 {unit}`")
    return item


def _parts(value: object, dimensions: tuple[str, ...]) -> list[Any]:
    if not isinstance(value, str):
        return [value]
    refuse_close_commas(value)
    parts = share_unit(value.split(","))
    if len(parts) > 1 and _BARE.fullmatch(parts[-1]):
        usual = DIMENSIONS[dimensions[0]].usual_unit
        raise UnitError(f"{value} has no unit: write it once, at the end, such as {value} {usual}")
    return parts


def refuse_close_commas(value: str) -> None:
    """`1,5 mA` is a number with a decimal comma, or two numbers: UnitError. `0.1,0.2 mA` is two."""
    parts = value.split(",")
    close = [_is_close(one, other) for one, other in pairwise(parts)]
    is_list = len(parts) > 2 and all(part[:1].strip() for part in parts[1:])  # none has a blank before it
    if not any(close) or is_list:
        return
    at = close.index(True)
    point = ",".join([*parts[:at], f"{parts[at]}.{parts[at + 1]}", *parts[at + 2 :]])
    raise UnitError(
        f"{value}: a comma between digits: write {point} with a point, or {', '.join(map(str.strip, parts))} "
        "with a blank, if these are two values"
    )


def _is_close(before: str, after: str) -> bool:
    """Two whole numbers with nothing but a comma between them."""
    return _WHOLE.fullmatch(before.strip()) is not None and _DIGITS_FIRST.match(after) is not None


def in_unit_of(value: float, like: Quantity, digits: int = 6) -> str:
    """A value in SI, told in the unit in which another one was written."""
    number = _BARE.match(like.text)
    if like.dimension == "C-rate" or number is None:
        return f"{value:.{digits}g} C"
    unit = like.text[number.end() :].strip()
    _, factor, offset = scale_of(unit, (like.dimension,))
    return f"{(value - offset) / factor:.{digits}g} {unit}"


def share_unit(parts: list[str]) -> list[str]:
    """Bare numbers get the unit of the last part: `0.1`, `1`, `5 s` are 0.1 s, 1 s and 5 s."""
    stripped = [part.strip() for part in parts]
    number = _BARE.match(stripped[-1])
    unit = stripped[-1][number.end() :].strip() if number else ""
    return [f"{part} {unit}" if unit and _BARE.fullmatch(part) else part for part in stripped]


def _plain(check: Callable[[object], Any]) -> CoreSchema:
    """A pydantic validator out of a function; its sentence becomes the message."""
    from pydantic_core import PydanticCustomError, core_schema

    def validate(value: object) -> Any:
        try:
            return check(value)
        except UnitError as error:
            raise PydanticCustomError("quantity", "{why}", {"why": str(error)}) from None

    return core_schema.no_info_plain_validator_function(validate)
