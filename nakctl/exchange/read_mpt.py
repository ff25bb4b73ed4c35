"""EC-Lab's text (`.mpt`), with a head or without, with decimal points or commas.

By hand and not with galvani, which wants a head, knows a fixed list of columns, and takes 20 times as long; a
test reads the same files with both.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import numpy as np

from nakctl.errors import InputError
from nakctl.exchange.recording import (
    KNOWN,
    NOT_GIVEN,
    Floats,
    Recording,
    area_cm2,
    by_columns,
    by_file_name,
    by_name,
    finite,
)

_MAGIC = ("EC-Lab ASCII FILE", "BT-Lab ASCII FILE")
_SETTINGS = "EC-LAB SETTING FILE"
_DATES = (
    "%m/%d/%Y %H:%M:%S.%f", "%m/%d/%Y %H:%M:%S", "%m.%d.%Y %H:%M:%S.%f", "%m.%d.%Y %H:%M:%S",
    "%m-%d-%Y %H:%M:%S.%f", "%m-%d-%Y %H:%M:%S",
)  # fmt: skip
_LOOP = re.compile(r"Loop \d+ from point number (\d+) to")
_AREA = re.compile(r"([\d.,]+)\s*(µm|um|mm|cm|m)")
_KEPT = {  # facts, by how their lines begin
    "Device": "device", "Run on channel": "channel", "Electrode material": "electrode_material",
    "Electrolyte": "electrolyte", "Reference electrode": "reference_electrode", "Comments": "comments",
    "Mass of active material": "mass_of_active_material", "Characteristic mass": "characteristic_mass",
    "Battery capacity": "battery_capacity", "Cycle Definition": "cycle_definition", "User": "user",
    "Electrode connection": "electrode_connection", "Cable": "cable",
}  # fmt: skip
_VERSION = re.compile(r"(?:EC|BT)-Lab.* v([\d.]+)", re.IGNORECASE)


def is_text(raw: bytes) -> bool:
    """Whether it begins as the text with a head does."""
    return _text(raw[:64]).startswith(_MAGIC)


def read(raw: bytes, name: str) -> Recording:
    """InputError if it is no recording of EC-Lab."""
    text = _text(raw)
    head, names, rows = _taken_apart(text, name)
    columns = _columns(names, text[rows:], name)
    technique, ours = _technique(head, name, columns)
    told = dict(_facts(head))
    return Recording(
        name=name,
        sha256=hashlib.sha256(raw).hexdigest(),
        technique=technique,
        ours=ours,
        columns=columns,
        start=_start(head),
        loops=tuple(int(found[1]) for line in head if (found := _LOOP.match(line)) and int(found[1])),
        area_cm2=_area(head),
        facts=told | ({"head": "\n".join(head)} if len(head) > 3 else {}),
    )


def _text(raw: bytes) -> str:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # as spreadsheets save "Unicode text"
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _taken_apart(text: str, name: str) -> tuple[list[str], list[str], int]:
    """The head, the names of the columns, and where the rows begin."""
    lines = ((line.rstrip(), end) for line, end in _lines(text))  # spreadsheets fill them up with tabs
    first = next(lines, ("", 0))
    if first[0].upper().startswith(_SETTINGS):
        raise InputError(
            f"{name} holds settings of EC-Lab and no data: nakctl import-mps makes a protocol of it"
        )
    if first[0] not in _MAGIC:
        names = [each.strip() for each in first[0].split("\t")]
        if not {"time/s", "freq/Hz"} & set(names):
            raise InputError(
                f"{name} is no text of EC-Lab: it begins neither with {_MAGIC[0]!r} nor with the names of "
                "its columns"
            )
        return [], names, first[1]
    second = next(lines, ("", 0))
    count = re.match(r"Nb header lines\s*:\s*(\d+)", second[0])
    last = int(count[1]) if count else 0
    rest = list(islice(lines, max(last - 2, 0)))
    if last < 3 or len(rest) < last - 2:
        raise InputError(f"{name}: its second line does not say how many lines its head has")
    head = [first[0], second[0], *(line for line, _ in rest[:-1])]
    return head, [each.strip() for each in rest[-1][0].split("\t")], rest[-1][1]


def _lines(text: str) -> Iterator[tuple[str, int]]:
    """Each without its end, and where the next one begins. One by one: rows may be many millions."""
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield text[start:end].rstrip("\r"), end + 1
        start = end + 1


def _columns(names: Sequence[str], body: str, name: str) -> dict[str, Floats]:
    """The first of each name; anything that is no number is NaN."""
    import pandas

    places = {each: names.index(each) for each in dict.fromkeys(names) if each}
    sample = next((line for line, _ in _lines(body) if line.strip()), "")
    if not sample:
        return {each: np.zeros(0) for each in places}
    _refuse_more(sample.rstrip().count("\t") + 1, names, 1, name)
    try:
        table = pandas.read_csv(
            io.StringIO(body), sep="\t", header=None, decimal="," if "," in sample else ".",
            names=range(max(len(names), sample.count("\t") + 1) + 1), index_col=False, low_memory=False,
            quoting=csv.QUOTE_NONE,
        )  # fmt: skip
    except pandas.errors.ParserError as trouble:
        row, count = re.findall(r"\d+", str(trouble))[-2:]
        _refuse_more(int(count), names, int(row), name)
        raise
    return {
        each: finite(pandas.to_numeric(table[place], errors="coerce").to_numpy(np.float64))
        for each, place in places.items()
    }


def _refuse_more(count: int, names: Sequence[str], row: int, name: str) -> None:
    """InputError if a row has more values than there are columns."""
    if count > len(names):
        raise InputError(
            f"{name} is damaged: row {row} below its head has {count} values, and there are {len(names)} "
            "columns; export it from EC-Lab once more, or take this row out"
        )


def _technique(head: Sequence[str], name: str, columns: dict[str, Floats]) -> tuple[str, str]:
    said = head[3].strip() if len(head) > 3 else ""
    if said and not by_name(said) and "mode" not in columns:
        raise InputError(f"{name} was recorded by {said!r}, which is not read; read are {', '.join(KNOWN)}")
    return by_name(said) or (("", "") if said else by_file_name(name) or by_columns(columns))


def _facts(head: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"said_technique": head[3].strip()} if len(head) > 3 else {}
    for line in head:
        key, colon, value = line.partition(" : ")
        if colon and key in _KEPT and _is_told(value.strip()):
            told = found.get(_KEPT[key])
            found[_KEPT[key]] = f"{told}\n{value.strip()}" if told else value.strip()
        elif version := _VERSION.match(line):
            found.setdefault("eclab_version", version[1])
    return found


def _is_told(value: str) -> bool:
    """Whether somebody gave it, or the instrument."""
    number = value.split(" ")[0].replace(",", ".")
    return value not in ("", "(unspecified)") and number != f"{NOT_GIVEN:.3f}"


def _start(head: Sequence[str]) -> datetime | None:
    said = [line.partition(" : ")[2].strip() for line in head if line.startswith("Acquisition started on")]
    for form in _DATES if said else ():
        try:
            return datetime.strptime(said[0], form)
        except ValueError:
            continue
    return None


def _area(head: Sequence[str]) -> float | None:
    for line in head:
        if line.startswith("Electrode surface area") and (found := _AREA.search(line)):
            return area_cm2(float(found[1].replace(",", ".")), found[2])
    return None
