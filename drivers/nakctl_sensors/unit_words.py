"""Units as instruments print them, and numbers that come in another one than agreed. Pure."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from nakctl.text.units import SENSED, UnitError, scale_of

# Displays have few letters, and makers few manners; what is left out here can be read in two ways (mPa, MV).
_PRINTED = {
    "C": "degC", "Celsius": "degC", "CELSIUS": "degC", "F": "degF", "Fahrenheit": "degF",
    "KG": "kg", "Kg": "kg", "kgs": "kg", "KGS": "kg", "OZ": "oz",
    "LB": "lb", "Lb": "lb", "lbs": "lb", "LBS": "lb",
    "PSI": "psi", "Psi": "psi", "BAR": "bar", "Bar": "bar", "MBAR": "mbar", "mBar": "mbar",
    "KPA": "kPa", "KPa": "kPa", "kpa": "kPa", "MPA": "MPa", "Mpa": "MPa", "HPA": "hPa", "hpa": "hPa",
    "TORR": "torr", "ATM": "atm", "MMHG": "mmHg", "mmHG": "mmHg",
    "KGF": "kgf", "Kgf": "kgf", "kp": "kgf", "LBF": "lbf", "Lbf": "lbf", "KN": "kN", "Kn": "kN",
    "Ohm": "ohm", "OHM": "ohm", "ohms": "ohm", "Ohms": "ohm", "OHMS": "ohm", "kOhm": "kohm", "KOHM": "kohm",
    "PPM": "ppm", "MM": "mm", "UM": "um",
}  # fmt: skip


class Scale(NamedTuple):
    """value in SI = factor * number + offset."""

    dimension: str
    factor: float
    offset: float


def our_spelling(word: str) -> str:
    """As rig.yaml and protocols write it."""
    return _PRINTED.get(word, word)


@cache
def scale_of_word(word: str) -> Scale | None:
    """What the word means beside a number; None if it is no unit that is known."""
    try:
        return Scale(*scale_of(our_spelling(word), SENSED))
    except UnitError:
        return None


def converted(value: float, shown: str, agreed: str) -> float | None:
    """In the agreed unit; None if one cannot be made into the other."""
    one, other = scale_of_word(shown), scale_of_word(agreed)
    if one is None or other is None or one.dimension != other.dimension:
        return None
    if one == other:
        return value
    return (one.factor * value + one.offset - other.offset) / other.factor
