"""The command for several runs; as cheap to import as `app`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nakctl.cli.explained import Json, RigFile, explained


@explained
def campaign(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A campaign, or the name of a shipped one.")],
    check: Annotated[
        bool, typer.Option("--check", help="Say what would be done, and how long it takes; start nothing.")
    ] = False,
    dry: Annotated[
        bool, typer.Option("--dry", help="All of it on the simulator, whatever the rig says; into OUT-dry.")
    ] = False,
    again: Annotated[
        list[str] | None,
        typer.Option("--again", metavar="failed|changed|all", help="Begin these once more; repeatable."),
    ] = None,
    go_on: Annotated[
        bool, typer.Option("--go-on", help="Go on with the others when a run fails, or has failed.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Of the results [default: as the file says]."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", metavar="N", min=1, help="Simulated runs at a time [default: all cores]."),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option("--speed", metavar="X", help="Pace simulated runs, X times as fast as real time."),
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option("--dask", metavar="ADDRESS", help="Simulated runs on this cluster: tcp://HOST:8786."),
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Only begin it; said again without this, it is shown.")
    ] = False,
    stop: Annotated[
        bool, typer.Option("--stop", help="Who carries it out begins no further run, and ends.")
    ] = False,
    rig: RigFile = None,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> int:
    """Carry out the runs of a campaign that are missing: on several channels, and on all cores."""
    from nakctl.cli.campaigns import command

    choices = command.Choices(
        rig=rig, out=out, dry=dry, check=check, again=tuple(again or ()), go_on=go_on, workers=workers,
        speed=speed, dask=dask, as_json=as_json, quiet=quiet, detach=detach, stop=stop,
    )  # fmt: skip
    return command.campaign(file, choices)
