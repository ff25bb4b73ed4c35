"""A line of an instrument -> a number -> a value. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import regex

from nakctl.device.sensor import Raw, SensorSpec, SensorTrouble

MOST_SHOWN = 60
PATTERN_s = 0.1  # of processor time; a sound pattern takes a few us


def value_of(raw: Raw, spec: SensorSpec) -> float:
    """In the sensor's unit. SensorTrouble if it is none: NaN is below no limit and above none."""
    value = spec.calibrated(raw.value)
    if not math.isfinite(value):
        raise SensorTrouble("no_value", f"answered {raw.value:g}, which is no value")
    return value


def number_in(line: str, options: Mapping[str, Any]) -> float:
    """The number that the pattern finds. SensorTrouble: garbage, another unit than agreed, or a pattern that
    does not come to an end."""
    found = _search(options["pattern"], line)
    if found is None:
        raise SensorTrouble("garbage", f"answered {shown(line)}, in which there is no value")
    groups = found.groupdict()
    said, agreed = groups.get("unit"), options["says"]
    if agreed is not None and said != agreed:
        raise SensorTrouble("wrong_unit", f"answered {shown(line)}: it shows {said}, not {agreed}")
    text = "".join((groups.get("value") or found[1]).split())  # balances put blanks behind the sign
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise SensorTrouble("garbage", f"answered {shown(line)}: {text!r} is no number")
    return value


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


def decoded(line: bytes) -> str:
    """ASCII without its line end; SensorTrouble if it is no text, as at a wrong baud rate."""
    try:
        text = line.decode("ascii")
    except UnicodeDecodeError:
        raise SensorTrouble("garbage", f"answered {line[:MOST_SHOWN]!r}, which is no text") from None
    return text.strip("\r\n")


def shown(line: str) -> str:
    return repr(line if len(line) <= MOST_SHOWN else line[:MOST_SHOWN] + "...")
