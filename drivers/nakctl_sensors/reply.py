"""A line of an instrument -> a number -> a value. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import regex

from nakctl.device.sensor import Raw, SensorSpec, SensorTrouble
from nakctl_sensors.numbers import Convention, Found, NoNumber, number_at, number_of
from nakctl_sensors.unit_words import converted, scale_of_word

MOST_SHOWN = 60
PATTERN_s = 0.1  # of processor time; a sound pattern takes a few us
NOT_A_NUMBER = 9.9e37  # SCPI-1999, 7.2.1: +-9.9E37 is infinity, 9.91E37 not a number


class Said(NamedTuple):
    """The number in a line, in the unit agreed. unit: the one that was shown, if it was another."""

    value: float
    unit: str


def value_of(raw: Raw, spec: SensorSpec) -> float:
    """In the sensor's unit. SensorTrouble if it is none: NaN is below no limit and above none."""
    value = spec.calibrated(raw.value)
    if not math.isfinite(value) or abs(raw.value) >= NOT_A_NUMBER or raw.value in spec.invalid:
        raise SensorTrouble("no_value", f"answered {raw.value:g}, which is no value")
    if not spec.is_plausible(raw.value):
        text = f"answered {value:g} {spec.unit}, beyond what is plausible for it"
        raise SensorTrouble("implausible", text)
    return value


def number_in(line: str, options: Mapping[str, Any]) -> Said:
    """The number of a line. SensorTrouble: garbage, no value, another unit than agreed, or a pattern that
    does not come to an end."""
    convention = Convention(options["decimal"] or "", options["thousands"] or "")
    try:
        if options["pattern"] is None:
            found = number_of(line, convention)
        else:
            found = _by_pattern(line, options["pattern"], convention)
    except NoNumber as none:
        code = "no_value" if none.no_value else "garbage"
        raise SensorTrouble(code, f"answered {shown(line)}, {none}") from None
    return _in_the_unit(found, line, options["says"], options["agreed"])


def _in_the_unit(found: Found, line: str, says: str | None, agreed: str | None) -> Said:
    """Compared with what was agreed, and converted if another unit is shown."""
    seen = found.unit or _unit_among(found, line, says, agreed)
    if not seen:
        if says is not None:
            raise _wrong_unit(line, "no unit", says)
        return Said(found.value, "")
    value = converted(found.value, seen, agreed or says or "")
    if value is None and seen == says:
        return Said(found.value, "")  # a word of its own for the unit agreed
    if value is None or (says is not None and seen != says and scale_of_word(says) is None):
        raise _wrong_unit(line, seen, says or agreed)
    return Said(value, seen if value != found.value and seen != says else "")


def _unit_among(found: Found, line: str, says: str | None, agreed: str | None) -> str:
    """The unit that no blank binds to the number: behind a comma, or before it. Other words are left alone.

    What stands before may be a name, as K of a thermocouple, so nothing is made out of it but agreement.
    """
    for word in (found.behind, found.before):
        if word and (word == says or scale_of_word(word) is not None):
            if word == found.before and word != says and converted(1.0, word, says or agreed or "") != 1.0:
                raise _wrong_unit(line, word, says or agreed)
            return word
    return ""


def _wrong_unit(line: str, seen: str, agreed: str | None) -> SensorTrouble:
    text = f"answered {shown(line)}: it shows {seen}"
    if agreed is not None:
        text += f", not {agreed}"
        if scale_of_word(seen) is None and seen != "no unit":
            text += f"; if that is how it spells {agreed}, write `says: {seen}`"
    else:
        text += f", and its `scale` does not tell from which unit: write `says: {seen}`"
    return SensorTrouble("wrong_unit", text)


def _by_pattern(line: str, pattern: str, convention: Convention) -> Found:
    found = _search(pattern, line)
    if found is None:
        raise NoNumber("in which there is no value")
    groups = found.groupdict()
    start, end = found.span("value" if "value" in groups else 1)
    number = number_at(line, start, end, found.span(), convention)
    unit = groups.get("unit")
    if unit is None:  # the pattern does not care for the unit; if it is one, we do
        unit = number.unit if scale_of_word(number.unit) is not None else ""
    return number._replace(unit=unit)


def _search(pattern: str, line: str) -> regex.Match[str] | None:
    """The interpreter is free for other threads meanwhile."""
    try:
        return regex.search(pattern, line, timeout=PATTERN_s, concurrent=True)
    except TimeoutError:
        text = (
            f"answered {shown(line)}, on which the pattern {pattern} runs for ever: "
            "write it without a repetition inside another one, such as (a+)+"
        )
        raise SensorTrouble("pattern", text) from None


def obeyed(answer: str, expected: str | bool) -> None:
    """SensorTrouble if what it says to a set-point is not what it says when it obeys."""
    if isinstance(expected, str) and answer.strip() != expected:
        raise SensorTrouble("garbage", f"answered {shown(answer)} to a set-point, not {expected}")


def decoded(line: bytes) -> str:
    """Without its line end; SensorTrouble if it is no text, as at a wrong baud rate.

    ASCII, and the signs of degree and micro as UTF-8 or Latin-1 have them.
    """
    plain = line.replace(b"\xc2\xb0", b"\xb0").replace(b"\xc2\xb5", b"\xb5")
    if any(byte > 0x7F and byte not in (0xB0, 0xB5) for byte in plain):
        raise SensorTrouble("garbage", f"answered {line[:MOST_SHOWN]!r}, which is no text")
    return plain.decode("latin-1").strip("\r\n")


def shown(line: str) -> str:
    return repr(line if len(line) <= MOST_SHOWN else line[:MOST_SHOWN] + "...")
