"""How EC-Lab writes numbers, times and units, and how nakctl does. Texts in, texts out."""

from __future__ import annotations

import re
from decimal import Decimal

DECIMALS = {"point": ".", "comma": ","}

_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?")
_CLOCK = re.compile(r"(\d+):(\d+):(\d+(?:[.,]\d+)?)")
_PREFIXES = {"p": -12, "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6}
_EXACT = Decimal("1e-6")  # a part in a million: what is lost beyond it nobody measures
# EC-Lab's spelling -> ours: (unit, factor)
_UNITS: dict[str, tuple[str, Decimal | int]] = {
    **{f"{p}{u}": (f"{p}{u}", 1) for p in ("", "m", "u", "n", "p") for u in ("A", "V")},
    **{f"{p}A.h": (f"{p}Ah", 1) for p in ("", "m", "u", "n")},
    "pA.h": ("nAh", Decimal("0.001")),
    "uV": ("mV", Decimal("0.001")),
    **{f"{p}Hz": (f"{p}Hz", 1) for p in ("", "m", "u", "k", "M")},
    **{f"{p}V/s": (f"{p}V/s", 1) for p in ("", "m")},
    "V/mn": ("V/min", 1),
    "mV/mn": ("mV/min", 1),
    **{unit: (unit, 1) for unit in ("s", "h", "d", "ms", "min")},
    "mn": ("min", 1),
    **{f"{p}W": (f"{p}W", 1) for p in ("", "m", "u")},
    "Ohm": ("ohm", 1),
    "kOhm": ("kohm", 1),
    "MOhm": ("Mohm", 1),
    "mOhm": ("mohm", 1),
    **{f"{p}V/h": (f"{p}V/h", 1) for p in ("", "m")},
}
SECONDS: dict[str, Decimal | int] = {
    "ms": Decimal("0.001"),
    "s": 1,
    "min": 60,
    "mn": 60,
    "h": 3600,
    "d": 86400,
}


class NotationError(ValueError):
    """What is wrong with a value, in a sentence."""


def number(text: str) -> Decimal:
    """`0,100` and `0.100` alike."""
    if not _NUMBER.fullmatch(text):
        raise NotationError(f"{text!r} is no number")
    return Decimal(text.replace(",", "."))


def plain(value: Decimal | float) -> str:
    """Without zeros at the end and without an exponent: `-25`, `0.0005`."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    text = f"{exact:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def quantity(value: Decimal, unit: str) -> str:
    """In our words: `-25.000` and `µA` are `-25 uA`."""
    ours, factor = our_unit(unit)
    return f"{plain(value * factor)} {ours}"


def our_unit(unit: str) -> tuple[str, Decimal | int]:
    """Our spelling of a unit of EC-Lab, and what a value is multiplied with."""
    spelled = unit.replace("\u00b5", "u").replace("\u03bc", "u").replace("\u03a9", "Ohm")
    if "\ufffd" in spelled:
        raise NotationError(
            f"the first letter of the unit {unit!r} is lost: this file was saved in another encoding; "
            "save it from EC-Lab again, since a lost µ and an m differ by a thousand"
        )
    if spelled not in _UNITS:
        raise NotationError(f"{unit!r} is no unit that is known here")
    return _UNITS[spelled]


def seconds(text: str) -> Decimal:
    """Of `0:02:0,0000` (h:m:s)."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise NotationError(f"{text!r} is no time in h:m:s")
    hours, minutes, rest = match.groups()
    return int(hours) * 3600 + int(minutes) * 60 + number(rest)


def duration(value_s: Decimal | float) -> str:
    """In the largest unit in which it takes at most two decimals: `2 min`, `1.5 h`, `0.5 s`."""
    exact = value_s if isinstance(value_s, Decimal) else Decimal(repr(value_s))
    for unit, size in (("h", 3600), ("min", 60)):
        if exact >= size and exact * 100 % size == 0:
            return f"{plain(exact / size)} {unit}"
    return f"{plain(exact)} s"


def clock(value_s: float) -> str:
    """As EC-Lab writes a time: `0:02:0.0000`."""
    whole = round(Decimal(repr(value_s)), 4)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{int(hours)}:{int(minutes):02}:{rest:.4f}"


def fixed(value: float, decimals: int) -> str:
    text = f"{Decimal(repr(value)):.{decimals}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def scaled(value: float, unit: str, prefixes: str = "pnum_", decimals: int = 3) -> tuple[str, str]:
    """As EC-Lab writes a value of a unit that has prefixes: 2.209e-5 A is (`22.090`, `µA`).

    A value that this many decimals cut is written in a smaller unit, if that keeps more of it.
    """
    known = [_PREFIXES[each.strip("_")] for each in prefixes]
    exact = Decimal(repr(value))
    if not exact:
        return fixed(0.0, decimals), _prefixed(-3 if -3 in known else 0, unit)
    natural = max([p for p in known if abs(exact) >= Decimal(1).scaleb(p)], default=min(known))
    finer = sorted((p for p in known if natural - 6 <= p <= natural), reverse=True)
    chosen = next((p for p in finer if not _cut(exact.scaleb(-p), decimals)), finer[0])
    return f"{exact.scaleb(-chosen):.{decimals}f}", _prefixed(chosen, unit)


def cut(value: float, decimals: int) -> bool:
    """Whether so many decimals say something else than the value."""
    return _cut(Decimal(repr(value)), decimals)


def _cut(value: Decimal, decimals: int) -> bool:
    return abs(round(value, decimals) - value) > abs(value) * _EXACT


def _prefixed(power: int, unit: str) -> str:
    prefix = next(name for name, known in _PREFIXES.items() if known == power)
    return ("\u00b5" if prefix == "u" else prefix) + unit
