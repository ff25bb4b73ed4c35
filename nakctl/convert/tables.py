"""Urban profiles of EC-Lab: tables behind the techniques of a settings file, one for each sequence.

    Urban Profile Table
    Technique Number : 2
    Sequence : 0
    Number of Values : 101
    Values : Time/s, E/V
    0.00000 <tab> 0.00000

Source of the form: MB_UP.mps and MBUP.mps in jdhuang-csm/biologic-com (EC-Lab 11.50, SP-150 and SP-300).
They do not say what a value does until the next one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from nakctl.convert import notation
from nakctl.errors import Mark
from nakctl.protocol.profiles import Unreadable, read_profile

BEGINS = "Urban Profile Table"
_HEAD = ("Technique Number", "Sequence", "Number of Values", "Values")
_VALUES = re.compile(r"Time/s, *(\w+)/(\S+)")
_DRIVEN = {"I": ("I", "A"), "E": ("Ewe", "V"), "Ewe": ("Ewe", "V")}
_MOST_DIGITS = 30  # before or behind the point: it is written out
Fault = Callable[[Mark, str], None]


@dataclass(frozen=True, slots=True)
class Table:
    """One profile.

    technique  from 1, sequence from 0, as EC-Lab counts
    name, unit of what is driven, as written there: E and V
    rows       times in s, values, and where they stand
    """

    technique: int
    sequence: int
    mark: Mark
    name: str
    unit: str
    rows: tuple[tuple[Decimal, Decimal, Mark], ...]

    @property
    def drives_current(self) -> bool:
        return self.name == "I"

    @property
    def lasts_s(self) -> Decimal:
        return self.rows[-1][0]


def read(lines: Sequence[str], fault: Fault) -> tuple[Table, ...]:
    """All tables of a file. What is wrong with their form is told by line."""
    starts = [i for i, line in enumerate(lines) if line.startswith(BEGINS)]
    spans = zip(starts, [*starts[1:], len(lines)], strict=False)
    return tuple(filter(None, (_table(lines, start, end, fault) for start, end in spans)))


def _table(lines: Sequence[str], start: int, end: int, fault: Fault) -> Table | None:
    said = dict(_said(line) for line in lines[start + 1 : min(end, start + 1 + len(_HEAD))])
    missing = next((name for name in _HEAD if name not in said), None)
    if missing is not None:
        fault(Mark(start + 1, 1), f"this table has no line `{missing} : ...`: the file is not whole")
        return None
    driven = _VALUES.fullmatch(said["Values"])
    counts = [said[name] for name in _HEAD[:3]]
    if driven is None or not all(map(str.isdecimal, counts)):
        text = "this head of a table is none that nakctl knows: write `profile: FILE.csv` by hand"
        fault(Mark(start + 1 + len(_HEAD), 1), text)
        return None
    at = start + 1 + len(_HEAD)
    written = [(i, lines[i]) for i in range(at, end) if lines[i].strip()]
    if len(written) != int(counts[2]):
        text = f"the table says {counts[2]} values and holds {len(written)}: the file is not whole"
        fault(Mark(start + 4, 1), text)
        return None
    try:
        rows = tuple(_row(i, line) for i, line in written)
    except _BadRow as bad:
        fault(bad.mark, str(bad))
        return None
    return Table(int(counts[0]), int(counts[1]), Mark(start + 1, 1), driven[1], driven[2], rows)


def _said(line: str) -> tuple[str, str]:
    name, _, value = line.partition(" : ")
    return name.strip(), value.strip()


class _BadRow(ValueError):
    def __init__(self, mark: Mark, why: str) -> None:
        super().__init__(why)
        self.mark = mark


def _row(index: int, line: str) -> tuple[Decimal, Decimal, Mark]:
    mark, parts = Mark(index + 1, 1), line.split("\t")
    if len(parts) != 2:
        raise _BadRow(mark, "a row of this table is a time, a tab and a value")
    try:
        time_s, value = (notation.number(part.strip()) for part in parts)
    except notation.NotationError as problem:
        raise _BadRow(mark, str(problem)) from None
    if max(abs(time_s.adjusted()), abs(value.adjusted())) > _MOST_DIGITS:
        raise _BadRow(mark, "no instrument takes such a value: the file is damaged")
    return time_s, value, mark


def as_profile(table: Table, until_s: Decimal | None, fault: Fault) -> str:
    """The text of a table beside a protocol, up to this time; empty: it cannot be one, and that is told."""
    if table.name not in _DRIVEN or not table.unit.endswith(_DRIVEN[table.name][1]):
        text = f"a table of {table.name}/{table.unit}: a profile here is of a current or a potential"
        fault(table.mark, f"{text}; write its rows as steps")
        return ""
    if not table.rows or table.rows[0][0] != 0:
        fault(table.rows[0][2] if table.rows else table.mark, "a table of EC-Lab that does not begin at 0 s")
        return ""
    name, _ = _DRIVEN[table.name]
    unit, factor = notation.our_unit(table.unit)
    kept = [(time_s, value * factor) for time_s, value, _ in table.rows]
    if until_s is not None and until_s < table.lasts_s:
        kept = [(time_s, value) for time_s, value in kept if time_s < until_s]
        kept.append((until_s, kept[-1][1]))
    rows = [f"{notation.plain(time_s)},{notation.plain(value)}" for time_s, value in kept]
    made = "\n".join([f"time/s,{name}/{unit}", *rows, ""])
    try:
        read_profile(made, "")
    except Unreadable as problem:
        at = problem.line - 2
        fault(table.rows[at][2] if 0 <= at < len(table.rows) else table.mark, str(problem))
        return ""
    return made
