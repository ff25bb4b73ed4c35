"""`nakctl export RUN... --as FORMAT`"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nakctl.cli.part_asked import Asked
from nakctl.cli.results import recover_if_killed
from nakctl.errors import ExitCode, InputError, need
from nakctl.text.meant import did_you_mean

if TYPE_CHECKING:
    from nakctl.exchange.formats import Format
    from nakctl.exchange.placing import Parts
    from nakctl.exchange.source import Source
    from nakctl.results.part import Part

LIST = "list"


def listed() -> int:
    from nakctl.exchange.formats import listed

    print("\n".join(listed()))
    return ExitCode.DONE


def export(files: list[Path], name: str | None, out: Path | None, tables: list[str], asked: Asked) -> int:
    from nakctl.exchange import formats

    format = None if name is None else formats.format_of(name)
    if format is None:
        hint = did_you_mean(name, formats.names()) if name is not None else ""
        none = f"--as {name}: there is no such format{hint}{' There are' if hint else ''}"
        fault = "say in which format, with --as" if name is None else none
        raise InputError("\n".join((f"{fault}:", *formats.listed())))
    if not files:
        raise InputError("name the result file to export")
    _refuse_settings(files)
    need(f"--as {name}", "exports", *format.needs)
    if tables and name != "csv":
        raise InputError(f"--table is of --as csv; --as {name} has all that it can hold")
    if len(files) > 1 and out is not None and out.name.lower().endswith(format.ending):
        raise InputError(f"{out} is one file, and {len(files)} runs are to be exported: name a folder")
    part = asked.part()
    for file in files:
        _one(file, format, out, tables, part)
    return ExitCode.DONE


def _one(file: Path, format: Format, out: Path | None, tables: list[str], part: Part) -> None:
    recover_if_killed(file)
    from nakctl.exchange.placing import targets, write
    from nakctl.exchange.source import Source
    from nakctl.record.read import open_run

    with open_run(file) as run:
        source = Source(run, part)
        made = _parts(source, format, tables)
        if not made:
            raise InputError(f"{file} holds nothing of {part} that --as {format.name} could hold")
        placed = targets(file, made, format.ending, out, many=format.many)
        write(placed)
    _tell(source, list(placed))


def _parts(source: Source, format: Format, tables: list[str]) -> Parts:
    from nakctl.exchange import to_csv

    unknown = [each for each in tables if each not in to_csv.TABLES]
    if unknown:
        hint = did_you_mean(unknown[0], to_csv.TABLES) or ":"
        raise InputError(f"--table {unknown[0]}{hint} there are {', '.join(to_csv.TABLES)}")
    return to_csv.parts(source, tuple(tables)) if tables else format.parts(source)


def _tell(source: Source, placed: list[Path]) -> None:
    if len(placed) <= 12:
        print("\n".join(map(str, placed)))
    else:
        print(f"{placed[0].parent}: {len(placed)} files, {placed[0].name} to {placed[-1].name}")
    if not source.run.header.sealed:
        print(f"note: {source.run.path} is not sealed: this is as far as it had come", file=sys.stderr)


def _refuse_settings(files: list[Path]) -> None:
    for file in files:
        if file.suffix.lower() in (".yaml", ".yml"):
            raise InputError(
                f"{file} is a protocol: nakctl export-mps makes EC-Lab settings of it; nakctl export is for "
                "result files (.h5)"
            )
