"""The command that fits a simulated cell; as cheap to import as `app`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nakctl.cli.explained import Json, explained


@explained
def sim_fit(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN.h5...", help="Result files of one cell, imported ones too.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", metavar="CELL.yaml", help="Where to [default: CELL-fit.yaml beside RUN]."
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            metavar="MODEL",
            help="nak, circuit, symmetric or blocking [default: nak for NaK and Na, else circuit].",
        ),
    ] = "",
    like: Annotated[
        str,
        typer.Option(
            "--like", metavar="NAME|FILE", help="The simulated cell to begin with [default: shipped]."
        ),
    ] = "",
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Of the cell in its file [default: as in RUN].")
    ] = "",
    area: Annotated[
        str | None, typer.Option("--area", metavar="0.79cm2", help="Electrode area [default: as in RUN].")
    ] = None,
    composition: Annotated[
        float | None,
        typer.Option("--composition", metavar="PERCENT", help="wt% K of the alloy [default: as in RUN]."),
    ] = None,
    thickness: Annotated[
        str | None,
        typer.Option("--thickness", metavar="1.5mm", help="Of the electrolyte [default: as in RUN]."),
    ] = None,
    within: Annotated[
        str,
        typer.Option(
            "--within", metavar="'10 %'", help="What is known so well, by three standard errors, is found."
        ),
    ] = "10 %",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also in the place of a file that is there.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Find a simulated cell's parameters from runs of a real one, and write its file.

    From spectra of the fresh cell, a short staircase, pulses, rests, whatever there is. What the runs do not
    tell stays as it is shipped, and is said.
    """
    from nakctl.cli.sim_fit import fit
    from nakctl.cli.sim_fit_runs import Wanted

    wanted = Wanted(out, model, like, name, area, composition, thickness, within, overwrite)
    return fit(runs, wanted, as_json)
