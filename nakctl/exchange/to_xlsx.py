"""A workbook: a sheet per table, and one that says what it is. Text is text, and never a formula."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from nakctl.errors import InputError
from nakctl.exchange.placing import Parts
from nakctl.exchange.source import Array, Block, Source, shortest

MOST_ROWS = 1_048_576  # of a sheet, its head included
_LONGEST = 32_767  # letters in a cell
_SHEETS = {"samples": "samples", "spectra": "impedance", "steps": "steps", "events": "events"}


def parts(source: Source) -> Parts:
    for sheet, table in _SHEETS.items():
        if source.count(table) >= MOST_ROWS:
            raise InputError(
                f"{source.run.path} has {source.count(table)} rows of {sheet}, and a sheet holds "
                f"{MOST_ROWS - 1}: export a part (--from, --to, --step, --cycle), or --as csv or netcdf"
            )
    return {".xlsx": partial(_write, source)}


def _write(source: Source, path: Path) -> None:
    from openpyxl import Workbook

    source.refuse_full_disk(path)
    book = Workbook(write_only=True)
    _sheet(book, "about", [("name", "value"), *source.about.items()])
    for sheet, table in _SHEETS.items():
        described = source.described(table)
        heads = [tuple(_head(name, about) for name, about in described.items())]
        rows = (row for block in source.blocks(table) for row in _rows(block, list(described)))
        _sheet(book, sheet, _in_turn(heads, rows))
        if table == "steps":
            _sheet(book, "results", _results(source))
    book.save(path)


def _sheet(book: Any, name: str, rows: Iterable[tuple[Any, ...]]) -> None:
    sheet = book.create_sheet(name)
    for row in rows:
        sheet.append([_cell(sheet, value) if isinstance(value, str) else value for value in row])


def _cell(sheet: Any, text: str) -> Any:
    """As text, whatever it begins with; without what a workbook cannot hold."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", text)[:_LONGEST])
    cell.data_type = "s"
    return cell


def _rows(block: Block, names: list[str]) -> Iterator[tuple[Any, ...]]:
    return zip(*(_values(block[name]) for name in names), strict=True)


def _values(column: Array) -> list[Any]:
    """Numbers as they were read, an empty cell where there is none."""
    if column.dtype.kind != "f":
        return list(column.tolist())
    exact = shortest(column) if column.dtype.itemsize == 4 else column
    return [each if math.isfinite(each) else None for each in exact.tolist()]


def _results(source: Source) -> Iterator[tuple[Any, ...]]:
    yield "name", "value", "units"
    for name, found in source.run.header.results.items():
        value, units = (found["value"], found["units"]) if _has_units(found) else (found, "")
        yield name, value if isinstance(value, int | float) else str(value), units


def _has_units(found: Any) -> bool:
    return isinstance(found, dict) and set(found) == {"value", "units"}


def _head(name: str, about: dict[str, str]) -> str:
    units = about.get("units", "")
    return name if units in ("", "1") else f"{name} / {units}"


def _in_turn(*parts: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    for part in parts:
        yield from part
