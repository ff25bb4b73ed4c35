"""Numbers with units, as electrochemists spell them: `0.05 mA/cm2`, `mA cm-2`, `4 mAh/cm²`, `5uA`, `10 %`.

The units are a table of our own. Every spelling is listed, prefix by prefix, so that `MHZ`, `Ma` or `5 MA`
are unknown instead of surprising: who knows all units takes `Ma` for a million years.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from math import isfinite
from typing import NamedTuple


class UnitError(ValueError):
    """The text is not a quantity of an expected dimension; the message says what would be."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number with its unit.

    value      in SI, with cm for lengths: A, V, s, Hz, C, ohm, K, Pa, cm, cm2, cm3, A/cm2, C/cm2, 1; a C-rate
               in capacities per hour, 1 for 1C
    dimension  a key of DIMENSIONS
    text       as written
    """

    value: float
    dimension: str
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Dimension:
    """A kind of quantity: its name with article, base unit, what people write, and whether it must be > 0."""

    noun: str
    base: str
    example: str
    positive: bool = False

    @property
    def usual_unit(self) -> str:
        return self.example.partition(" ")[2]


DIMENSIONS = {
    "time": Dimension("a time", "s", "10 s", positive=True),
    "potential": Dimension("a potential", "V", "3 V"),
    "current": Dimension("a current", "A", "5 uA"),
    "areal current": Dimension("a current per area", "A/cm^2", "0.4 mA/cm2"),
    "charge": Dimension("a charge", "A*s", "1 mAh", positive=True),
    "areal charge": Dimension("a charge per area", "A*s/cm^2", "4 mAh/cm2", positive=True),
    "frequency": Dimension("a frequency", "1/s", "20 kHz", positive=True),
    "potential rate": Dimension("a rate of potential", "V/s", "1 mV/s", positive=True),
    "current rate": Dimension("a rate of current", "A/s", "1 uA/s", positive=True),
    "areal current rate": Dimension(
        "a rate of current per area", "A/s/cm^2", "0.05 mA/cm2/min", positive=True
    ),
    "temperature rate": Dimension("a rate of temperature", "K/s", "1 K/min", positive=True),
    "pressure rate": Dimension("a rate of pressure", "Pa/s", "1 MPa/min", positive=True),
    "force rate": Dimension("a rate of force", "N/s", "10 N/s", positive=True),
    "mass rate": Dimension("a rate of mass", "g/s", "1 mg/min", positive=True),
    "length rate": Dimension("a rate of length", "cm/s", "1 mm/min", positive=True),
    "resistance rate": Dimension("a rate of resistance", "V/A/s", "1 ohm/s", positive=True),
    "power": Dimension("a power", "A*V", "5 mW"),
    "areal power": Dimension("a power per area", "A*V/cm^2", "5 mW/cm2"),
    "resistance": Dimension("a resistance", "V/A", "100 ohm", positive=True),
    "areal resistance": Dimension("a resistance times an area", "V/A*cm^2", "50 ohm cm2", positive=True),
    "capacitance": Dimension("a capacitance", "A*s/V", "1 uF", positive=True),
    "length": Dimension("a length", "cm", "1 mm"),
    "area": Dimension("an area", "cm^2", "0.4418 cm2", positive=True),
    "volume": Dimension("a volume", "cm^3", "40 uL", positive=True),
    "temperature": Dimension("a temperature", "K", "25 degC", positive=True),
    "pressure": Dimension("a pressure", "Pa", "10 MPa"),
    "force": Dimension("a force", "N", "100 N"),
    "mass": Dimension("a mass", "g", "10 mg"),
    "fraction": Dimension("a fraction", "", "75 %"),
    "C-rate": Dimension("a C-rate", "", "C/10"),
    "part of the capacity": Dimension("a part of the capacity", "", "10 % of capacity", positive=True),
}
# Of the capacity of the cell, which only a plan knows; no unit says them.
OF_CAPACITY = ("C-rate", "part of the capacity")
# What a sensor beside the cell may show.
SENSED = (
    "temperature", "pressure", "force", "mass", "length", "potential", "current", "resistance", "fraction",
)  # fmt: skip
# How fast a set-point may move, by what its sensor shows: of a share that is what a frequency is, 5 %/min.
RATE_OF = {each: "frequency" if each == "fraction" else f"{each} rate" for each in SENSED}

_POWERS = {"p": -12, "n": -9, "u": -6, "m": -3, "": 0, "h": 2, "k": 3, "M": 6, "G": 9}
# unit: (how much, of what, the prefixes it is written with; "_" stands for none). Of itself: a base.
_UNITS = {
    "A": ("1", "A", "_pnum"),
    "V": ("1", "V", "_num"),
    "s": ("1", "s", "_num"),
    "cm": ("1", "cm", "_"),
    "K": ("1", "K", "_"),
    "Pa": ("1", "Pa", "_hkM"),
    "N": ("1e4", "Pa*cm^2", "_mk"),
    "g": ("1", "g", "_mk"),
    "min": ("60", "s", "_"),
    "h": ("3600", "s", "_"),
    "d": ("86400", "s", "_"),
    "Hz": ("1", "1/s", "_umkM"),
    "C": ("1", "A*s", "_num"),
    "Ah": ("3600", "A*s", "_num"),
    "W": ("1", "A*V", "_umk"),
    "ohm": ("1", "V/A", "_mkMG"),
    "F": ("1", "A*s/V", "_pnum"),
    "m": ("100", "cm", "_num"),
    "L": ("1000", "cm^3", "_num"),
    "bar": ("1e5", "Pa", "_m"),
    "psi": ("6894.757293168361", "Pa", "_"),
    "torr": ("101325/760", "Pa", "_m"),
    "Torr": ("101325/760", "Pa", "_m"),
    "mmHg": ("133.322387415", "Pa", "_"),
    "atm": ("101325", "Pa", "_"),
    "kgf": ("9.80665", "N", "_"),
    "lbf": ("4.4482216152605", "N", "_"),
    "lb": ("453.59237", "g", "_"),
    "oz": ("28.349523125", "g", "_"),
    "percent": ("0.01", "", "_"),
    "ppm": ("1e-6", "", "_"),
    "degC": ("1", "K", "_"),
    "degF": ("5/9", "K", "_"),
}
_ZERO_K = {"degC": Decimal("-273.15"), "degF": Decimal("-459.67")}  # where a scale of temperatures has it
SPELLINGS = {
    (prefix.strip("_") + unit): (unit, _POWERS[prefix.strip("_")])
    for unit, (_, _, prefixes) in _UNITS.items()
    for prefix in prefixes
}
# What people also write: not accepted (one spelling per unit), but understood well enough to be corrected.
_ALSO = {
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "minute": "min", "minutes": "min", "mins": "min",
    "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "day": "d", "days": "d", "hertz": "Hz",
    "amp": "A", "amps": "A", "ampere": "A", "volt": "V", "volts": "V", "celsius": "degC", "pct": "percent",
    "sek": "s", "std": "h", "tag": "d", "tage": "d", "per": "/", "milliamp": "mA", "milliamps": "mA",
}  # fmt: skip

# The signs µ (U+00B5) and μ (U+03BC), Ω (U+2126) and Ω (U+03A9) look the same and are both on keyboards.
_SIGNS = str.maketrans({
    "\u00b5": "u", "\u03bc": "u", "\u2126": "ohm", "\u03a9": "ohm", "%": "percent", "\u00b0": "deg",
    "\u2212": "-", "\u00b7": "*", "\u22c5": "*", "\u00a0": " ", "\u202f": " ", "\u2009": " ",
    "\u207b": "-", "\u00b9": "1", "\u00b2": "2", "\u00b3": "3",
})  # fmt: skip
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?(?![\d.])", re.ASCII)
_LEADING_ZERO = re.compile(r"[+-]?0\d")  # what is left of 0,05 in a list
_HUMIDITY = re.compile(r"\bpercent ?RH\b")  # of whatever, it is a share
_SEPARATED = re.compile(r"([*/ ]+)([^*/ ]*)")
_FACTOR = re.compile(r"([A-Za-z]+)(?:(?:\^|\*\*)?(-?[1-9]))?")
_PLAIN_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)"
_C_RATE = re.compile(
    rf"(?P<sign>[+-]?)(?P<times>{_PLAIN_NUMBER} ?(?=C))?C(?: ?/ ?(?P<by>{_PLAIN_NUMBER}))?", re.ASCII
)
_OF_CAPACITY = re.compile(r"(?P<number>.+?) ?percent of (?:the )?capacity")
_Factors = tuple[tuple[str, int], ...]  # (mA, 1), (cm, -2)
_LONGEST = 60
MOST_NAMED = 10  # dimensions in one sentence


class _Measure(NamedTuple):
    """How large a product of units is: times/by of what the powers of base units are."""

    powers: frozenset[tuple[str, int]]
    times: Decimal
    by: Decimal


def parse(text: object, dimensions: tuple[str, ...], *, zero: bool = False) -> Quantity:
    """The quantity that `text` says. UnitError unless it has one of these dimensions.

    zero  0 will do where usually only more than 0 does: the time 0 s is the beginning
    """
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise UnitError(f"must be {described(dimensions)}, such as {examples(dimensions)}")
    plain = str(text).strip()
    try:
        return _parse(plain, dimensions, zero)
    except UnitError:
        from nakctl.text.value_slips import explained  # only now: what can be read waits for no explanation

        slip = explained(plain, dimensions)
        if slip is None:
            raise
        raise UnitError(slip) from None


@lru_cache(maxsize=1024)
def _parse(text: str, dimensions: tuple[str, ...], zero: bool) -> Quantity:
    of_capacity = _of_capacity(text, dimensions)
    if of_capacity is not None:
        return of_capacity
    number, unit = split(text, dimensions)
    if not unit:
        raise UnitError(_needs_unit(number, dimensions))
    value, dimension = _in_base_units(number, unit, text, dimensions)
    if dimension not in dimensions:
        what = DIMENSIONS[dimension].noun if dimension else "none of the quantities nakctl knows"
        raise UnitError(f"{text} is {what}: expected {described(dimensions)}, such as {examples(dimensions)}")
    if DIMENSIONS[dimension].positive and (value < 0 or (value == 0 and not zero)):
        least = "at least zero" if zero else "greater than zero"
        raise UnitError(f"{text}: {DIMENSIONS[dimension].noun} must be {least}")
    return Quantity(value, dimension, text)


def is_c_rate(text: object) -> bool:
    """`C/10`, which is nothing else; `0.1 C` may be a charge as well."""
    return isinstance(text, str) and _C_RATE.fullmatch(_plainly(text)) is not None and "/" in text


def _of_capacity(text: str, dimensions: tuple[str, ...]) -> Quantity | None:
    """A C-rate or a part of the capacity; None: the text is neither, or is a charge here."""
    plain = _plainly(text)
    rate, part = _C_RATE.fullmatch(plain), _OF_CAPACITY.fullmatch(plain)
    if part is not None:
        value, dimension = parse(f"{part['number']} %", ("fraction",)).value, "part of the capacity"
    elif rate is not None and (rate["by"] or (rate["times"] and "C-rate" in dimensions)):
        value, dimension = _c_rate(rate, text), "C-rate"
    else:
        return None
    if dimension not in dimensions:
        what = DIMENSIONS[dimension].noun
        raise UnitError(f"{text} is {what}: expected {described(dimensions)}, such as {examples(dimensions)}")
    if value <= 0 and DIMENSIONS[dimension].positive:
        raise UnitError(f"{text}: {DIMENSIONS[dimension].noun} must be greater than zero")
    return Quantity(value, dimension, text)


def _c_rate(found: re.Match[str], text: str) -> float:
    times, by = Decimal(found["times"] or 1), Decimal(found["by"] or 1)
    if by == 0:
        raise UnitError(f"{text}: nothing can be divided by zero; C/10 is the whole capacity in 10 h")
    return float(-times / by if found["sign"] == "-" else times / by)


def _plainly(text: str) -> str:
    return " ".join(text.translate(_SIGNS).split())


def scale_of(unit: str, dimensions: tuple[str, ...]) -> tuple[str, float, float]:
    """(dimension, factor, offset) of a unit: the value in SI is factor * number + offset. UnitError."""
    one, two = (parse(f"{number} {unit}", dimensions) for number in (1, 2))
    if abs(two.value - 2 * one.value) <= 1e-12 * one.value:
        return one.dimension, one.value, 0.0
    factor = float(f"{two.value - one.value:.12g}")
    return one.dimension, factor, float(f"{one.value - factor:.12g}")


def split(text: str, dimensions: tuple[str, ...]) -> tuple[str, str]:
    """The number and the unit as written, with signs such as µ, ² and − spelled plainly."""
    plain = _plainly(text)
    plain = _HUMIDITY.sub("percent", plain)
    number = _NUMBER.match(plain)
    if number is None or len(plain) > _LONGEST:
        shown = text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
        raise UnitError(
            f"{shown!r} is not a number with a unit: "
            f"expected {described(dimensions)}, such as {examples(dimensions)}"
        )
    if _LEADING_ZERO.match(plain):
        raise UnitError(f"{text}: a number cannot begin with 0 (a half is 0.5, with a point and not a comma)")
    return number[0], plain[number.end() :].strip()


def described(dimensions: tuple[str, ...]) -> str:
    """`a time or a charge per area`."""
    if len(dimensions) > MOST_NAMED:
        return "a quantity"
    return _either([DIMENSIONS[name].noun for name in dimensions])


def examples(dimensions: tuple[str, ...]) -> str:
    """`10 s or 4 mAh/cm2`."""
    few = _few(dimensions)
    return _either([DIMENSIONS[name].example for name in few])


def _few(dimensions: tuple[str, ...]) -> tuple[str, ...]:
    return ("areal current", "potential", "temperature") if len(dimensions) > MOST_NAMED else dimensions


def _either(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _needs_unit(number: str, dimensions: tuple[str, ...]) -> str:
    usual = [DIMENSIONS[name].usual_unit for name in _few(dimensions) if name not in OF_CAPACITY]
    guesses = _either([f"{number} {unit}" for unit in usual])
    return f"{number} has no unit: {described(dimensions)} needs one; did you mean {guesses}?"


def _in_base_units(
    number: str, unit: str, text: str, dimensions: tuple[str, ...]
) -> tuple[float, str | None]:
    factors = _factors(unit, text, dimensions)
    found = _measured(factors)
    if found.powers not in _bases():
        return 0.0, None
    dimension, base = _bases()[found.powers]
    # Decimal, divided once: 0.3 mA is 0.0003 A, and not 0.00030000000000000003 A.
    on_scale = Decimal(number) - _ZERO_K.get(factors[0][0], 0)
    value = float(on_scale * found.times * base.by / (found.by * base.times))
    if not isfinite(value):
        raise UnitError(f"{text} is too large to be a number")
    if value == 0 and on_scale != 0:
        raise UnitError(f"{text} is too small to be a number")
    return value, dimension


def _factors(unit: str, text: str, dimensions: tuple[str, ...]) -> _Factors:
    """`mA cm-2` taken apart. UnitError unless every unit is known, and a place on a scale stands alone."""
    plain = unit.replace("**", "^").replace("deg C", "degC").replace("deg F", "degF")
    factors = []
    for separator, factor in _SEPARATED.findall(f"*{plain}"):
        match, sign = _FACTOR.fullmatch(factor), separator.strip() or "*"
        # A temperature in degC is a place on a scale: there is no degC per second.
        alone = match is None or match[1] not in _ZERO_K or plain == match[1]
        if not alone and "temperature rate" in dimensions:
            raise UnitError(f"{text}: how fast a temperature changes is written in K, such as 1 K/min")
        if match is None or sign not in ("*", "/") or not alone:
            raise UnitError(f"{text!r}: write one number and one unit, such as {examples(dimensions)}")
        if match[1] not in SPELLINGS:
            raise UnitError(_unknown(match[1], plain, text, dimensions))
        factors.append(_factor(sign, match))
    return tuple(factors)


def _factor(sign: str, match: re.Match[str]) -> tuple[str, int]:
    power = int(match[2] or 1)
    return match[1], -power if sign == "/" else power


@lru_cache(maxsize=1024)
def _measured(factors: _Factors) -> _Measure:
    """What a product of units is in base units."""
    powers, times, by = dict[str, int](), Decimal(1), Decimal(1)
    for spelling, power in factors:
        one = _size(spelling)
        for base, each in one.powers:
            powers[base] = powers.get(base, 0) + power * each
        over, under = (one.times, one.by) if power > 0 else (one.by, one.times)
        times, by = times * over ** abs(power), by * under ** abs(power)
    return _Measure(frozenset(each for each in powers.items() if each[1]), times, by)


def _size(spelling: str) -> _Measure:
    """What one unit is, with its prefix."""
    unit, prefix = SPELLINGS[spelling]
    how_much, of, _ = _UNITS[unit]
    over, _, under = how_much.partition("/")
    powers, times, by = (frozenset({(unit, 1)}), 1, 1) if of == unit else _measured_text(of)
    return _Measure(powers, Decimal(over) * times * Decimal(10) ** prefix, Decimal(under or 1) * by)


@cache
def _measured_text(product: str) -> _Measure:
    """Of a product that stands in a table here: `A*s/cm^2`, `1/s`."""
    parts = [(sign, _FACTOR.fullmatch(factor)) for sign, factor in _SEPARATED.findall(f"*{product}")]
    return _measured(tuple(_factor(sign, match) for sign, match in parts if match))


@cache
def _bases() -> dict[frozenset[tuple[str, int]], tuple[str, _Measure]]:
    """Each dimension, and how large the unit of its values is, by the powers of base units."""
    measured = {name: _measured_text(known.base) for name, known in DIMENSIONS.items()}
    return {one.powers: (name, one) for name, one in measured.items() if name not in OF_CAPACITY}


def _unknown(name: str, unit: str, text: str, dimensions: tuple[str, ...]) -> str:
    """One that stands alone is like those of what is expected: `20 mn` of a time is no force."""
    fit = [known for known in SPELLINGS if _dimension_of(known) in dimensions] if unit == name else []
    known = fit or list(SPELLINGS)
    same = [each for each in known if each.casefold() == name.casefold()]
    also = [_ALSO[name.casefold()]] if name.casefold() in _ALSO else []
    near = same or also or difflib.get_close_matches(name, known, 2)
    hint = (
        f"did you mean {_either([word.replace('percent', '%') for word in near])}?"
        if near
        else f"write for example {examples(dimensions)}"
    )
    case = " (large and small letters differ)" if same else ""
    return f"{text}: {name} is no unit{case}; {hint}"


def _dimension_of(spelling: str) -> str | None:
    """Of a unit that stands alone."""
    return _bases().get(_size(spelling).powers, (None,))[0]
