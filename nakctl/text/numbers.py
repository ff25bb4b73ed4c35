"""Numbers as people say them: `22.09 uA`, `1 h 30 min`, `50 000`. Plain text, the same everywhere."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Sequence
from datetime import datetime, timedelta

_PREFIXES = {-12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
_PARTS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
WIDTH = 110
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=[a-zA-Z%]+\b)")
_NUMBER = re.compile(r"[-+0-9. e]+")
_DAYS_FROM_s = 2 * 86400


def si(value: float, unit: str, digits: int = 4) -> str:
    """Value with an SI prefix: si(2.2e-5, "A") is `22 uA`."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {unit}"
    rounded = float(f"{value:.{digits}g}")
    exponent = min(max(3 * math.floor(math.log10(abs(rounded)) / 3), -12), 9)
    return f"{rounded / 10**exponent:.9g} {_PREFIXES[exponent]}{unit}"


def duration(seconds: float) -> str:
    """`20 ms`, `5 s`, `1 h 30 min`, `2 d 3 h`: two units at most, so rounded to a part in 60."""
    if seconds < 100:
        return si(seconds, "s", 3)
    seconds = round(seconds)
    first = next(
        i for i, (_, size) in enumerate(_PARTS) if seconds >= (size if size < 86400 else _DAYS_FROM_s)
    )
    (big, size), (small, part) = _PARTS[first : first + 2]
    count, rest = divmod(round(seconds / part), size // part)
    return f"{count} {big} {rest} {small}" if rest else f"{count} {big}"


def clock_time(now: datetime, seconds: float) -> datetime | None:
    """The time on the clock after that many seconds; None beyond the year 9999."""
    try:
        return now + timedelta(seconds=seconds)
    except OverflowError:
        return None


def count(number: float) -> str:
    """Thousands apart: `50 000`."""
    return f"{round(number):,}".replace(",", " ")


def plural(number: float, one: str, many: str = "") -> str:
    """`1 row`, `50 000 rows`."""
    text = count(number)
    return f"{text} {one if text == '1' else many or one + 's'}"


def size(n_bytes: float) -> str:
    """`3.1 MB`, and never less than a kilobyte."""
    return si(max(n_bytes, 1000), "B", 2)


def areal_current(I_A: float, area_cm2: float) -> str:
    return f"{I_A / area_cm2 * 1000:.4g} mA/cm2"


def areal_charge(charge_C: float, area_cm2: float) -> str:
    """In mAh/cm2; charges of single pulses in uAh/cm2."""
    charge_mAh_cm2 = charge_C / 3.6 / area_cm2
    if charge_mAh_cm2 == 0 or abs(charge_mAh_cm2) >= 0.01 * (1 - 1e-9):
        return f"{charge_mAh_cm2:.4g} mAh/cm2"
    return f"{charge_mAh_cm2 * 1000:.4g} uAh/cm2"


def span(texts: Sequence[str]) -> str:
    """`1 h`, or `0.05 .. 0.4 mA/cm2` from first to last; a unit that both ends share is said once."""
    first, last = texts[0], texts[-1]
    if all(text == first for text in texts):
        return first
    number, _, unit = first.rpartition(" ")
    shared = last.rpartition(" ")[2] == unit and _NUMBER.fullmatch(number)
    return f"{number} .. {last}" if shared else f"{first} .. {last}"


def listed(texts: Sequence[str]) -> str:
    """`0.05, 0.1, 0.2 mA/cm2`: a unit that all share is said once."""
    units = {text.partition(" ")[2] for text in texts}
    if len(units) == 1 and "" not in units:
        return ", ".join(text.partition(" ")[0] for text in texts) + f" {units.pop()}"
    return ", ".join(texts)


def different(texts: Sequence[str]) -> list[str]:
    """Each text once, in the order of first appearance."""
    return list(dict.fromkeys(texts))


def wrapped(text: str, first: str, then: str) -> list[str]:
    """Lines of at most 110 columns, the first one indented by `first`. A number keeps its unit."""
    held = _BEFORE_UNIT.sub("\u00a0", text)
    lines = textwrap.wrap(held, WIDTH, initial_indent=first, subsequent_indent=then)
    return [line.replace("\u00a0", " ") for line in lines]
