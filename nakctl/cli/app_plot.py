"""The command that draws; as cheap to import as `app`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nakctl.cli.explained import explained
from nakctl.cli.part_asked import Asked


@explained
def plot(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="RUN.h5...", help="Result files, finished or going on.")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--kind", metavar="KIND", help="What to draw [default: an overview]; see --kinds."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="Picture: .png, .pdf or .svg [default: RUN.png]."),
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="From this time of the run on, such as 2 h.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Until this time of the run.")
    ] = None,
    step: Annotated[
        list[str] | None,
        typer.Option("--step", metavar="2.1|LABEL", help="Steps by number, label or technique; repeatable."),
    ] = None,
    cycle: Annotated[
        str | None, typer.Option("--cycle", metavar="2-5", help="Cycles: 3, or 2-5, or 1,3,8.")
    ] = None,
    spectrum: Annotated[
        str | None, typer.Option("--spectrum", metavar="1,5,9", help="Spectra by their numbers.")
    ] = None,
    curves: Annotated[
        int | None,
        typer.Option("--curves", metavar="N", min=1, help="How many spectra, pulses or cycles to draw."),
    ] = None,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="Above the picture; '' for none.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="FILE.csv", help="The numbers behind the picture.")
    ] = None,
    kinds: Annotated[bool, typer.Option("--kinds", help="List what can be drawn.")] = False,
) -> int:
    """Draw result files: potential, spectra, relaxation times, and other figures of a paper."""
    from nakctl.cli import plot as command

    if kinds or kind == "list":
        return command.list_kinds()
    asked = Asked(tuple(step or ()), cycle, spectrum, from_, to)
    return command.plot(files or [], kind, asked, curves, command.Target(out, title, data))
