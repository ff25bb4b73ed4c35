"""The formats of `nakctl export`, one per line: what for, who reads it, who writes it.

A package may offer another one: a `Format` in the entry point group `nakctl.exports`, under its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nakctl.errors import InputError, place_of
from nakctl.exchange import to_bdf, to_csv, to_mpt, to_netcdf, to_xlsx, to_z
from nakctl.exchange.placing import Parts
from nakctl.exchange.source import Source
from nakctl.offered import offered

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


@dataclass(frozen=True, slots=True)
class Format:
    """ending: of its main file. parts: what is to be written, by the end of its name (see `placing`).

    what_for, read_by  one line each, for `--as list`
    needs  packages of nakctl[exports] that it is written with
    many  of files that usually are many: what the folder is called that holds them; "" beside the run
    """

    name: str
    ending: str
    what_for: str
    read_by: str
    parts: Callable[[Source], Parts]
    needs: tuple[str, ...] = ("pyarrow",)
    many: str = ""


FORMATS = {
    each.name: each
    for each in (
        Format(
            "csv", ".csv", "plain columns with units, a file per table (--table)",
            "Excel, Origin, R, pandas, anything", lambda source: to_csv.parts(source, ()),
        ),
        Format(
            "bdf", ".bdf.csv", "Battery Data Format 1.3: names with units, charging positive",
            "batterydf and other tools of the Battery Data Alliance", to_bdf.as_csv,
        ),
        Format(
            "bdf-parquet", ".bdf.parquet", "the same, small and fast",
            "batterydf, pandas, polars, DuckDB", to_bdf.as_parquet,
        ),
        Format(
            "mpt", ".mpt", "EC-Lab's text, a file per technique and one for the whole",
            "galvani, yadg, pyimpspec, impedance.py", to_mpt.parts,
        ),
        Format(
            "z", ".z", "ZPlot's text, a file per spectrum", "ZView, RelaxIS, pyimpspec, impedance.py",
            to_z.parts, many="z",
        ),
        Format(
            "netcdf", ".nc", "all tables in one file, units as attributes", "xarray, netCDF4, Panoply",
            to_netcdf.parts, needs=("h5netcdf",),
        ),
        Format(
            "xlsx", ".xlsx", "a workbook, a sheet per table, up to a million rows", "Excel, LibreOffice",
            to_xlsx.parts, needs=("openpyxl",),
        ),
    )
}  # fmt: skip

GROUP = "nakctl.exports"


def format_of(name: str) -> Format | None:
    """None: there is no such format. InputError: the package that offers it is not in order."""
    if name in FORMATS:
        return FORMATS[name]
    return next((_loaded(point) for point in _others() if point.name == name), None)


def names() -> list[str]:
    return [*FORMATS, *(point.name for point in _others())]


def listed() -> Iterator[str]:
    """A line for each. One that cannot be loaded is told in its own."""
    for each in FORMATS.values():
        yield _line(each)
    for point in _others():
        try:
            yield _line(_loaded(point))
        except InputError as error:
            yield f"{point.name:<12} {error}"


def _line(each: Format) -> str:
    return f"{each.name:<12} {each.ending:<13} {each.what_for}; read by {each.read_by}"


def _others() -> Iterator[EntryPoint]:
    """Those of other packages; names of ours stay ours."""
    return (point for point in offered(GROUP) if point.name not in FORMATS)


def _loaded(point: EntryPoint) -> Format:
    package = point.dist.name if point.dist else point.module
    try:
        found = point.load()
    except Exception as error:
        why = f"{error} ({place_of(error)})"
        raise InputError(f"--as {point.name} is of {package}, which cannot be loaded: {why}") from error
    if not isinstance(found, Format) or found.name != point.name:
        raise InputError(f"--as {point.name} is of {package}, and is no format of that name")
    return found
