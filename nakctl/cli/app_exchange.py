"""The commands about files of other programs' data; as cheap to import as `app`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nakctl.cli.explained import explained
from nakctl.cli.part_asked import Asked


@explained
def export(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="RUN.h5...", help="Result files, finished or going on.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="FORMAT",
            help="csv, bdf, bdf-parquet, mpt, z, netcdf, xlsx, or of a package; list says more.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", metavar="FILE|FOLDER", help="Where to [default: beside RUN]; never overwrites."
        ),
    ] = None,
    table: Annotated[
        list[str] | None,
        typer.Option(
            "--table",
            metavar="NAME",
            help="csv: samples, spectra, sensors, steps, events; repeatable [default: samples, spectra].",
        ),
    ] = None,
    step: Annotated[
        list[str] | None,
        typer.Option("--step", metavar="2.1|LABEL", help="Steps by number, label or technique; repeatable."),
    ] = None,
    cycle: Annotated[str | None, typer.Option("--cycle", metavar="2-5", help="Cycles.")] = None,
    spectrum: Annotated[
        str | None, typer.Option("--spectrum", metavar="3", help="Spectra, and samples taken meanwhile.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="1h", help="From this time of the run on.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="2h", help="Up to this time.")] = None,
) -> int:
    """Make files of a result file, or of a part of it, for other programs: data, not settings.

    EC-Lab settings of a protocol: nakctl export-mps.
    """
    from nakctl.cli import export as command

    if name == command.LIST:
        return command.listed()
    asked = Asked(tuple(step or ()), cycle, spectrum, since, until)
    return command.export(files or [], name, out, table or [], asked)


@explained
def import_file(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE.mpr|FILE.mpt...", help="Recordings of EC-Lab, all of one experiment."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", metavar="FILE.h5", help="Where to [default: beside FILE]; never overwrites."
        ),
    ] = None,
    area: Annotated[
        str | None,
        typer.Option("--area", metavar="0.79cm2", help="Electrode area [default: as EC-Lab was told]."),
    ] = None,
    cell: Annotated[
        str, typer.Option("--cell", metavar="NAME", help="Name of the cell [default: the material].")
    ] = "",
) -> int:
    """Make a result file of EC-Lab recordings, for show, plot and export: data, not settings.

    A protocol of EC-Lab settings (.mps): nakctl import-mps.
    """
    from nakctl.cli import import_file as command

    return command.import_files(files, out, area, cell)
