"""A settings file of EC-Lab (.mps) as it is written: a header, and techniques with rows in fixed columns.

cp1252, CRLF; a row is a label of 20 characters and one value of 20 for each sequence (Ns). Labels may occur
twice in a technique (`vs.` in Cyclic Voltammetry): the second is asked for as ("vs.", 1). Behind the
techniques may stand tables (`tables.py`).
Source of the form: files of EC-Lab 10.x to 11.62 in public repositories, named in tests/convert.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from nakctl.convert import tables
from nakctl.errors import Fault, InputError, Mark

WIDTH = 20
MAGIC = "EC-LAB SETTING FILE"
_MOST_BYTES = 4 * 1024 * 1024
_COUNT = re.compile(r"Number of linked techniques : (\d+)")
_TECHNIQUE = re.compile(r"Technique : (\d+)")
_FREE_TEXT = re.compile(r"(EC-LAB for|Internet|Command|Filename|Comments|Electro(de material|lyte)|Initial)")
# What other files of the same makers begin with.
_OTHERS = {
    "BT-LAB SETTING FILE": "this file is from BT-Lab, not EC-Lab: write the protocol by hand",
    "BIO-LOGIC MODULAR FILE": "this is a data file (.mpr): the settings are in the .mps file beside it",
    "EC-Lab ASCII FILE": "this is a data file (.mpt): the settings are in the .mps file beside it",
    "EC-Lab LOG FILE": "this is a log (.mpl): the settings are in the .mps file beside it",
}


@dataclass(frozen=True, slots=True)
class Value:
    """What stands in one column of one row."""

    text: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    mark: Mark
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Technique:
    """A technique; every row has `columns` values, one for each sequence."""

    number: int
    name: str
    mark: Mark
    rows: tuple[Row, ...]
    columns: int


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole file. header: its lines with their marks; lines: all of them, for faults."""

    file: str
    lines: tuple[str, ...]
    header: tuple[tuple[str, Mark], ...]
    techniques: tuple[Technique, ...]
    tables: tuple[tables.Table, ...] = ()

    def fault(self, mark: Mark, message: str) -> Fault:
        text = self.lines[mark.line - 1].rstrip() if 1 <= mark.line <= len(self.lines) else ""
        return Fault(self.file, mark, message, text.replace("\t", " "))

    def said(self, name: str) -> str:
        """What the header says after `name : `; empty: nothing."""
        found = [line.partition(" : ")[2].strip() for line, _ in self.header if line.startswith(f"{name} : ")]
        return ", ".join(filter(None, found))


def read(raw: bytes, file: str) -> Settings:
    """The settings that a file holds. InputError with every fault of its form."""
    text = _decode(raw, file)
    lines = tuple(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return _Reading(lines, file).settings()


def write(
    header: Sequence[str],
    techniques: Sequence[tuple[str, Sequence[tuple[str, Sequence[str]]]]],
    decimal: str,
) -> bytes:
    """The bytes of a file: its header, and techniques as (name, rows), a row as (label, values).

    decimal  the sign for it; all numbers are given with points
    """
    told = [line if _FREE_TEXT.match(line) else _localised(line, decimal) for line in header]
    blocks = ["\n".join([MAGIC, "", f"Number of linked techniques : {len(techniques)}", "", *told])]
    for number, (name, rows) in enumerate(techniques, 1):
        lines = [
            label.ljust(WIDTH) + "".join(_localised(value, decimal).ljust(WIDTH) for value in values)
            for label, values in rows
        ]
        blocks.append("\n".join([f"Technique : {number}", name, *lines]))
    return ("\n\n".join(blocks) + "\n").replace("\n", "\r\n").encode("cp1252", errors="replace")


def _localised(text: str, decimal: str) -> str:
    return re.sub(r"(?<=\d)\.(?=\d)", decimal, text)


def _decode(raw: bytes, file: str) -> str:
    def refuse(mark: Mark, message: str) -> NoReturn:
        raise InputError([Fault(file, mark, message)])

    if len(raw) > _MOST_BYTES:
        refuse(Mark(1, 1), f"the file is longer than {_MOST_BYTES // 1024 // 1024} MB: no settings file is")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        refuse(Mark(1, 1), "the file is saved as UTF-16: EC-Lab writes cp1252; save it from EC-Lab again")
    if not raw.isascii():
        try:  # somebody's editor: the bytes of cp1252's µ and ² make no UTF-8
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            pass
    try:
        text = raw.decode("cp1252")
    except UnicodeDecodeError as problem:
        before = raw[: problem.start]
        mark = Mark(before.count(b"\n") + 1, problem.start - before.rfind(b"\n"))
        refuse(mark, f"byte {raw[problem.start]:#x} is no letter of cp1252, in which EC-Lab writes its files")
    if "\x00" in text:
        refuse(Mark(1, 1), "this is a binary file: settings files (.mps) of EC-Lab are text")
    return text


class _Reading:
    def __init__(self, lines: tuple[str, ...], file: str) -> None:
        self.lines = lines
        self.file = file
        self.faults: list[Fault] = []

    def settings(self) -> Settings:
        self.require_magic()
        starts = [i for i, line in enumerate(self.lines) if _TECHNIQUE.fullmatch(line.rstrip())]
        behind = [i for i, line in enumerate(self.lines) if line.startswith(tables.BEGINS)]
        ends = [*starts[1:], behind[0] if behind else len(self.lines)]
        first = starts[0] if starts else len(self.lines)
        header = tuple((line, Mark(i + 1, 1)) for i, line in enumerate(self.lines[:first]))
        self.require_all(starts)
        techniques = tuple(self.technique(*span) for span in zip(starts, ends, strict=False))
        found = tables.read(self.lines, self.fault)
        if self.faults:
            raise InputError(self.faults)
        return Settings(self.file, self.lines, header, techniques, found)

    def require_magic(self) -> None:
        first = self.lines[0].strip()
        if first == MAGIC:
            return
        other = next((told for magic, told in _OTHERS.items() if first.startswith(magic)), None)
        empty = not any(line.strip() for line in self.lines)
        message = other or (
            "the file is empty" if empty else f"a settings file of EC-Lab begins with `{MAGIC}`"
        )
        raise InputError([Fault(self.file, Mark(1, 1), message, "" if empty else _shown(first))])

    def require_all(self, starts: list[int]) -> None:
        """As many techniques as the file says: else it was cut."""
        told = next(((i, m) for i, line in enumerate(self.lines) if (m := _COUNT.match(line))), None)
        if told is None:
            mark = Mark(min(3, len(self.lines)), 1)
            self.fault(mark, "the line `Number of linked techniques : ...` is missing: the file is not whole")
        elif int(told[1][1]) != len(starts):
            wanted = "technique" if told[1][1] == "1" else "techniques"
            message = f"the file says {told[1][1]} {wanted} and holds {len(starts)}: it is not whole"
            self.fault(Mark(told[0] + 1, 1), message)

    def technique(self, start: int, end: int) -> Technique:
        number = int(self.lines[start].rpartition(" ")[2])
        mark = Mark(start + 2, 1)
        body = self.lines[start + 1 : end]
        name = body[0].strip() if body else ""
        if not name:
            self.fault(Mark(start + 1, 1), f"technique {number} has no name: the file is not whole")
        columns = (
            max((len(line.rstrip()) + WIDTH - 1) // WIDTH - 1 for line in body if _is_ns(line))
            if any(map(_is_ns, body))
            else 1
        )
        rows = tuple(self.row(i, columns) for i in range(start + 2, end) if self.lines[i].strip())
        return Technique(number, name, mark, rows, columns)

    def row(self, index: int, columns: int) -> Row:
        line = self.lines[index]
        starts = range(WIDTH, WIDTH * (columns + 1), WIDTH)
        cells = [line[at : at + WIDTH] for at in starts]
        if columns == 1:
            cells = [line[WIDTH:]]
        # A value begins where its column does, unless the columns were shifted by hand or by an editor.
        shifted = any(cell.strip() and (cell[0] == " " or "  " in cell.strip()) for cell in cells)
        if columns > 1 and (shifted or len(line.rstrip()) > WIDTH * (columns + 1)):
            message = f"this row does not stand in columns of {WIDTH} characters, as EC-Lab writes them"
            self.fault(Mark(index + 1, 1), message)
        values = tuple(
            Value(
                cell.strip(),
                Mark(index + 1, at + 1 + len(cell) - len(cell.lstrip()) if cell.strip() else at + 1),
            )
            for at, cell in zip(starts, cells, strict=True)
        )
        return Row(line[:WIDTH].strip(), Mark(index + 1, 1), values)

    def fault(self, mark: Mark, message: str) -> None:
        text = self.lines[mark.line - 1].rstrip() if mark.line <= len(self.lines) else ""
        self.faults.append(Fault(self.file, mark, message, _shown(text)))


def _is_ns(line: str) -> bool:
    return line[:WIDTH].strip() == "Ns"


def _shown(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:160]
