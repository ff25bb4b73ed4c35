"""Comma separated: a file per table, units in the first row, what it is in lines that begin with #."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from nakctl.exchange.placing import Parts
from nakctl.exchange.source import Block, Source
from nakctl.exchange.text import comma_separated, quoted

TABLES = ("samples", "spectra", "sensors", "steps", "events")
_BY_DEFAULT = ("samples", "spectra")


def parts(source: Source, tables: tuple[str, ...]) -> Parts:
    """tables: some of TABLES, () for samples and spectra. Without rows no file, unless asked."""
    asked = tables or tuple(each for each in _BY_DEFAULT if source.count(_stored(each)) or each == "samples")
    return {end: write for table in asked for end, write in _of(source, table)}


def _of(source: Source, table: str) -> Iterator[tuple[str, Callable[[Path], None]]]:
    if table != "sensors":
        stored = _stored(table)
        yield f"_{table}.csv", partial(_write, source, stored, partial(source.blocks, stored))
        return
    for name in source.run.aux:
        blocks = partial(source.sensor_blocks, name)
        yield f"_sensor_{name}.csv", partial(_write, source, f"aux/{name}", blocks)


def _stored(table: str) -> str:
    """The spectra of a file are rows of impedance, one per frequency."""
    return "impedance" if table == "spectra" else table


def _write(source: Source, stored: str, blocks: Callable[[], Iterator[Block]], path: Path) -> None:
    described = source.described(stored)
    with path.open("wb") as file:
        for name, text in source.about.items():
            file.write(f"# {name}: {text}\n".encode())
        file.write(quoted([_head(name, about) for name, about in described.items()]).encode())
        for block in blocks():
            file.write(comma_separated({name: block[name] for name in described}))


def _head(name: str, about: dict[str, str]) -> str:
    """With the unit: `Ewe / V`."""
    units = about.get("units", "")
    return name if units in ("", "1") else f"{name} / {units}"
