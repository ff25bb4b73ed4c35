"""Values that are no quantities, explained: what was meant, and how it is written here.

Asked only where reading has failed, so that what is right costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from nakctl.text import lookalikes

_NUMBER = r"[+-]?\d+(?:\.\d+)?"
_PARTS = {"d": 86400.0, "h": 3600.0, "min": 60.0, "m": 60.0, "s": 1.0}
_LIKE_SECONDS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))
_MATHS = re.compile(rf"\$\w+\s*[-+*/]|[-+*/]\s*\$\w+|{_NUMBER}\s*\*\s*{_NUMBER}")
_CLOCK = re.compile(r"(\d+):(\d\d)(?::(\d\d))?")
_METRES = re.compile(rf"({_NUMBER})\s*m")
_SPOKEN = re.compile(r"(?:\d+(?:\.\d+)?\s*(?:d|h|min|m|s)\b\s*(?:and\s+|,\s*)?){2,}")
_SPOKEN_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(d|h|min|m|s)\b")
_COMMA = re.compile(r"([+-]?\d+),(\d+)(?!\d*,\d)\s*(\D.*)?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:[', ]\d{3})+(?:\.\d+)?\s*(\D.*)?")
_RMS = re.compile(rf"({_NUMBER})\s*(\w+)\s*\(?(rms|eff|pp|p-p|pk-pk|peak to peak)\)?", re.IGNORECASE)
_PEAK = re.compile(rf"({_NUMBER}\s*\w+)\s*\(?(peak|pk|amplitude)\)?", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\{\s*(\w+)\s*\}|\$\s+(\w+)|<(\w+)>|%\(?(\w+)\)?s?|\{\{?\s*(\w+)\s*\}?\}|@(\w+)")
_PER_MASS = re.compile(r".*/\s*k?g(?:_\w+)?|.*\bg\^?-1")
_CONDITION = re.compile(rf"(?:[<>]=?|~|about|ca\.?|approx\.?|≈|±)\s*({_NUMBER}.*)", re.IGNORECASE)
_PLUS_MINUS = re.compile(rf"(?:\+/-|\+-|±)\s*({_NUMBER}.*)")
_RANGE = re.compile(rf"({_NUMBER})\s*(?:to|\.\.\.?|-|–|until)\s*({_NUMBER})\s*([A-Za-z%µ].*)")
_SPACED = re.compile(r"([+-]) +(\d.*)")
_TIMES_TEN = re.compile(rf"({_NUMBER})\s*(?:x|×|\*)\s*10\s*\^?\s*([-−]?\d+)\s*(.*)")
_DEGREES = re.compile(rf"({_NUMBER})\s*(?:C|deg|degrees?|celsius|grad|°)", re.IGNORECASE)
_UNIT_FIRST = re.compile(rf"([^\W\d_][\w/]*)\s+({_NUMBER})")
_VERSUS = re.compile(rf"({_NUMBER}\s*m?V)\s*(?:vs\.?|against|versus)\s+(\S.*)", re.IGNORECASE)
_SAME_CHARGE = re.compile(
    r"(?:the\s+)?(?:same|equal)(?:\s+(?:charge|capacity))?\s+(?:as|to|of|like)\s+(?:in\s+|during\s+)?(\S.*)"
    r"|(?:the\s+)?(?:charge|capacity)\s+of\s+(\S.*)",
    re.IGNORECASE,
)
_C_ALONE = re.compile(r"[+-]?C")
_SMALL_C = re.compile(r"c\s*/\s*(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)\s*c")


def explained(text: str, dimensions: tuple[str, ...]) -> str | None:
    """What is wrong with a value, and what to write; None: nobody knows."""
    return next((said for slip in _SLIPS for said in slip(text, dimensions)), None)


def _looks_alike(text: str, dimensions: tuple[str, ...]) -> Iterator[str]:
    named = lookalikes.found_in(text)
    if named is not None:
        yield f"{named}: write {lookalikes.plainly(text)}"


def _reference(text: str, dimensions: tuple[str, ...]) -> Iterator[str]:
    found = _REFERENCE.fullmatch(text)
    if found:
        yield f"{text}: a parameter is written ${next(filter(None, found.groups()))}"


def _maths(text: str, dimensions: tuple[str, ...]) -> Iterator[str]:
    if _MATHS.search(text):
        yield f"{text}: nothing is computed here: write the value, or give it a name of its own under params"


def _clock(text: str, dimensions: tuple[str, ...]) -> Iterator[str]:
    found = _CLOCK.fullmatch(text)
    if not found:
        return
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    if found[3] is None:
        short = _seconds(60.0 * hours + minutes)
        yield (
            f"{text}: a time has a unit: {_seconds(3600.0 * hours + 60 * minutes)} if these are hours and "
            f"minutes, {short} if minutes and seconds"
        )
    else:
        total_s = 3600.0 * hours + 60 * minutes + seconds
        yield f"{text}: a time is a number and a unit: write {_seconds(total_s)}"


def _metres(text: str, dimensions: tuple[str, ...]) -> Iterator[str]:
    found = _METRES.fullmatch(text)
    if found and "time" in dimensions and "length" not in dimensions:
        yield f"{text}: m is the metre: minutes are written {found[1]} min"


def _spoken(text: str, dimensions: tuple[str, ...]) -> Iterator[str]:
    if _SPOKEN.fullmatch(text.strip() + " ") or _SPOKEN.fullmatch(text.strip()):
        total_s = sum(float(number) * _PARTS[unit] for number, unit in _SPOKEN_PART.findall(text))
        yield f"{text}: one number and one unit: write {_seconds(total_s)}"


def _comma(text: str, dimensions: tuple[str, ...]) -> Iterator[str]:
    found = _COMMA.fullmatch(text)
    if found:
        unit = f" {found[3].strip()}" if found[3] else ""
        yield f"{text}: a decimal comma: write {found[1]}.{found[2]}{unit}, with a point"


def _thousands(text: str, dimensions: tuple[str, ...]) -> Iterator[str]:
    if _THOUSANDS.fullmatch(text):
        plain = re.sub(r"(?<=\d)[', ](?=\d{3})", "", text)
        yield f"{text}: nothing stands between thousands: write {plain}"


def _rms(text: str, dimensions: tuple[str, ...]) -> Iterator[str]:
    found = _RMS.fullmatch(text)
    if found:
        of_peak = 2**0.5 if found[3].casefold() in ("rms", "eff") else 0.5
        yield (f"{text}: amplitudes are peak values: write {float(found[1]) * of_peak:.4g} {found[2]}")
    elif found := _PEAK.fullmatch(text):
        yield f"{text}: amplitudes are peak values anyway: write {found[1]}"


def _per_mass(text: str, dimensions: tuple[str, ...]) -> Iterator[str]:
    if _PER_MASS.fullmatch(text):
        yield (
            f"{text}: no cell says its mass here: give currents per area, as C-rate (C/10 with "
            "`capacity: 2.1 mAh`) or in A"
        )


def _plus_minus(text: str, dimensions: tuple[str, ...]) -> Iterator[str]:
    found = _PLUS_MINUS.fullmatch(text)
    if found:
        yield f"{text}: both ends are written, as in [-{found[1]}, {found[1]}]"
    elif found := _CONDITION.fullmatch(text):
        yield f"{text}: a value stands alone: write {found[1]}"


def _range(text: str, dimensions: tuple[str, ...]) -> Iterator[str]:
    found = _RANGE.fullmatch(text)
    if found:
        yield (
            f"{text}: one value stands here; a staircase from one to the other is "
            f"{{from: {found[1]} {found[3]}, to: {found[2]} {found[3]}, step: ...}}"
        )


def _apart(text: str, dimensions: tuple[str, ...]) -> Iterator[str]:
    if found := _SPACED.fullmatch(text):
        yield f"{text}: a sign stands before its number: write {found[1]}{found[2]}"
    elif found := _TIMES_TEN.fullmatch(text):
        yield f"{text}: powers of ten are written {found[1]}e{found[2]} {found[3]}".rstrip()
    elif found := _UNIT_FIRST.fullmatch(text):
        yield f"{text}: the number comes first: write {found[2]} {found[1]}"


def _degrees(text: str, dimensions: tuple[str, ...]) -> Iterator[str]:
    found = _DEGREES.fullmatch(text)
    if found and "temperature" in dimensions and "charge" not in dimensions:
        yield f"{text}: a temperature is written {found[1]} degC"


def _c_rates(text: str, dimensions: tuple[str, ...]) -> Iterator[str]:
    if "C-rate" not in dimensions:
        return
    if _C_ALONE.fullmatch(text):
        yield f"{text}: the C-rate of one hour is written 1C"
    elif found := _SMALL_C.fullmatch(text):
        right = f"C/{found[1]}" if found[1] else f"{found[2]}C"
        yield f"{text}: a C-rate has a large C: write {right}"


def _same_charge(text: str, dimensions: tuple[str, ...]) -> Iterator[str]:
    """Also where it is written as it should be, and stands where it cannot."""
    found = _SAME_CHARGE.fullmatch(text)
    if found and ("charge" in dimensions or "time" in dimensions):
        yield (
            f"{text}: the charge of an earlier step is written `for: same charge as {found[1] or found[2]}`, "
            "in strip, plate, charge, discharge and cp, where the current is set"
        )


def _versus(text: str, dimensions: tuple[str, ...]) -> Iterator[str]:
    found = _VERSUS.fullmatch(text)
    if found and "potential" in dimensions:
        yield (
            f"{text}: potentials are of WE against RE, whatever that is made of: write {found[1]} (what RE "
            "is stands in the entry of the cell)"
        )


def _seconds(seconds: float) -> str:
    size, unit = next((each for each in _LIKE_SECONDS if seconds >= each[0]), _LIKE_SECONDS[-1])
    whole = f"{seconds / size:.6g}"
    while len(whole) > 4 and unit != "s":
        size, unit = _LIKE_SECONDS[[u for _, u in _LIKE_SECONDS].index(unit) + 1]
        whole = f"{seconds / size:.10g}"
    return f"{whole} {unit}"


_SLIPS: tuple[Callable[[str, tuple[str, ...]], Iterator[str]], ...] = (
    _looks_alike, _reference, _clock, _metres, _spoken, _comma, _thousands, _rms, _per_mass, _plus_minus,
    _apart, _range, _degrees, _c_rates, _same_charge, _versus, _maths,
)  # fmt: skip
