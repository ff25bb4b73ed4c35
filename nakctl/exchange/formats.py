"""The formats of `nakctl export`, one per line: what for, who reads it, who writes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nakctl.exchange import to_bdf, to_csv, to_mpt, to_netcdf, to_xlsx, to_z
from nakctl.exchange.placing import Parts
from nakctl.exchange.source import Source


@dataclass(frozen=True, slots=True)
class Format:
    """ending: of its main file. needs: packages of nakctl[exports] that it is written with.

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
