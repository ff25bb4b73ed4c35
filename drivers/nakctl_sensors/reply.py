"""A line of an instrument -> a number. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from nakctl.device.sensor import SensorTrouble

MOST_SHOWN = 60


def number_in(line: str, options: Mapping[str, Any]) -> float:
    """The number that the pattern finds. SensorTrouble: garbage, or another unit than agreed."""
    found = re.search(options["pattern"], line)
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


def decoded(line: bytes) -> str:
    """ASCII without its line end; SensorTrouble if it is no text, as at a wrong baud rate."""
    try:
        text = line.decode("ascii")
    except UnicodeDecodeError:
        raise SensorTrouble("garbage", f"answered {line[:MOST_SHOWN]!r}, which is no text") from None
    return text.strip("\r\n")


def shown(line: str) -> str:
    return repr(line if len(line) <= MOST_SHOWN else line[:MOST_SHOWN] + "...")
