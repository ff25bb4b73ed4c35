"""Tables of what is imposed, one value after the other: CSV files beside a protocol. Text in, values out.

    time/s,I/mA          or  Test Time / s,Current / A  (Battery Data Format), or  t (min); j (mA/cm2)
    0,0.5
    10,-0.25
    25,0

A value holds from its time on; the last line is the end. I > 0 oxidises the working electrode.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from nakctl.errors import Fault, Mark
from nakctl.text.quantities import Quantity
from nakctl.text.units import UnitError, scale_of

MOST_ROWS = 5000
MOST_BYTES = 1024 * 1024
_HEADER = re.compile(r"\s*(.*?)\s*(?:/\s*(.+?)|\(\s*(.+?)\s*\)|\[\s*(.+?)\s*\])\s*")
_TIMES = ("time", "test time", "t")
_DRIVEN = ("i", "j", "current", "current density", "ewe", "e", "potential", "voltage")
_DIMENSIONS = ("current", "areal current", "potential")


@dataclass(frozen=True, slots=True)
class Profile:
    """levels[k] holds for durations_s[k]. dimension: current, areal current or potential."""

    file: str
    dimension: str
    levels: tuple[Quantity, ...]
    durations_s: tuple[float, ...]


class Unreadable(ValueError):
    """Where and why."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line

    def fault(self, file: str, text: str) -> Fault:
        lines = text.split("\n")
        shown = lines[self.line - 1].rstrip()[:160] if self.line <= len(lines) else ""
        return Fault(file, Mark(self.line, 1), str(self), shown)


def read_profile(text: str, file: str) -> Profile:
    """The table in text. Unreadable: the first line that cannot be meant."""
    delimiter = ";" if ";" in text.split("\n", 1)[0] else "\t" if "\t" in text.split("\n", 1)[0] else ","
    rows = [
        (line, row)
        for line, row in enumerate(csv.reader(text.splitlines(), delimiter=delimiter), 1)
        if any(row)
    ]
    if not rows:
        raise Unreadable(1, "the table is empty: its first line is a header such as `time/s,I/mA`")
    (time_at, time_unit), (driven_at, unit) = _columns(rows[0][1])
    try:
        _, to_s, _ = scale_of(time_unit, ("time",))
        dimension, factor, _ = scale_of(unit, _DIMENSIONS)
    except UnitError as error:
        raise Unreadable(1, str(error)) from None
    read = list(_values(rows[1:], time_at, driven_at, delimiter))
    if not 2 <= len(read) <= MOST_ROWS + 1:
        raise Unreadable(
            rows[-1][0], f"a profile has 2 to {MOST_ROWS + 1} lines of values, this one {len(read)}"
        )
    times_s = [time * to_s for _, time, _ in read]
    durations_s = tuple(after_s - before_s for before_s, after_s in pairwise(times_s))
    for (line, *_), duration_s in zip(read[1:], durations_s, strict=True):
        if duration_s <= 0:
            raise Unreadable(line, "times go on from line to line, and this one does not")
    levels = tuple(Quantity(value * factor, dimension, f"{value:g} {unit}") for *_, value in read[:-1])
    return Profile(file, dimension, levels, durations_s)


def _columns(header: list[str]) -> list[tuple[int, str]]:
    """Place and unit of time, and of what is driven."""
    named = [(place, *_named(title)) for place, title in enumerate(header)]
    times = [(place, unit) for place, name, unit in named if name in _TIMES]
    driven = [(place, unit) for place, name, unit in named if name in _DRIVEN]
    if len(times) != 1 or len(driven) != 1:
        found = ", ".join(title.strip() for title in header)
        needed = "one column of time and one of current or potential, with their units: `time/s,I/mA`"
        raise Unreadable(1, f"a table needs {needed}; this header says: {found}")
    for place, unit in (times[0], driven[0]):
        if not unit:
            raise Unreadable(1, f"{header[place].strip()} has no unit: write for example `time/s,I/mA`")
    return [times[0], driven[0]]


def _named(title: str) -> tuple[str, str]:
    found = _HEADER.fullmatch(title)
    if found is None:
        return title.strip().casefold(), ""
    return found[1].strip("<> ").casefold(), next((unit for unit in found.groups()[1:] if unit), "")


def _values(
    rows: list[tuple[int, list[str]]], time_at: int, driven_at: int, delimiter: str
) -> Iterator[tuple[int, float, float]]:
    for line, row in rows:
        if len(row) <= max(time_at, driven_at):
            raise Unreadable(line, f"this line has {len(row)} values, the header more")
        yield line, _number(row[time_at], line, delimiter), _number(row[driven_at], line, delimiter)


def _number(text: str, line: int, delimiter: str) -> float:
    """A decimal comma where commas separate nothing."""
    try:
        value = float(text.replace(",", ".") if delimiter != "," else text)
    except ValueError:
        raise Unreadable(line, f"{text.strip() or 'nothing'} is no number") from None
    if not abs(value) < float("inf"):
        raise Unreadable(line, f"{text.strip()} is no finite number")
    return value
