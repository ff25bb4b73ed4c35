"""The commands about protocols of other programs; as cheap to import as `app`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nakctl.cli.explained import RigFile, explained

OutYaml = Annotated[
    Path | None,
    typer.Option(
        "-o", "--out", metavar="OUT.yaml", help="Write it there [default: print it]; never overwrites."
    ),
]


class Working(StrEnum):
    positive = "positive"
    negative = "negative"


class DecimalSign(StrEnum):
    point = "point"
    comma = "comma"


@explained
def import_mps(
    file: Annotated[Path, typer.Argument(metavar="FILE.mps", help="A settings file of EC-Lab.")],
    out: OutYaml = None,
) -> int:
    """Make a protocol of an EC-Lab settings file, with comments where EC-Lab says something else."""
    from nakctl.cli import convert

    return convert.import_mps(file, out)


@explained
def export_mps(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A protocol file, or the name of a shipped one.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", metavar="OUT.mps", help="Where to [default: ./NAME.mps]; never overwrites."
        ),
    ] = None,
    decimal: Annotated[
        DecimalSign, typer.Option("--decimal", help="The decimal sign of the computer that EC-Lab runs on.")
    ] = DecimalSign.point,
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="CHANNEL", help="Channel whose ranges it has [default: sim-sp300]."),
    ] = None,
    cell: Annotated[
        str | None,
        typer.Option("--cell", metavar="NAME|FILE", help="The cell on it [simulated channels: NaK50]."),
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Give a parameter another value; repeatable."),
    ] = None,
    rig: RigFile = None,
) -> int:
    """Make an EC-Lab settings file of a protocol; what EC-Lab cannot say is refused by line."""
    from nakctl.cli import convert
    from nakctl.cli.pairs import pairs

    return convert.export_mps(file, out, decimal.value, on, cell, pairs(sets or []), rig)


@explained
def convert(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="PyBaMM experiment strings (.txt, .json, .py) or unicycler JSON."
        ),
    ],
    out: OutYaml = None,
    working: Annotated[
        Working, typer.Option("--working", help="Which electrode WE is: charging oxidises the positive one.")
    ] = Working.positive,
    capacity: Annotated[
        str | None,
        typer.Option("--capacity", metavar='"2.1 mAh"', help="Capacity of the cell: C-rates are of it."),
    ] = None,
    limits: Annotated[
        str | None,
        typer.Option(
            "--limits", metavar='"LOW V, HIGH V"', help="limits.Ewe [default: 0.5 V around the steps]."
        ),
    ] = None,
    longest: Annotated[
        str | None, typer.Option("--longest", metavar='"24 h"', help="Time of a step that names none.")
    ] = None,
) -> int:
    """Make a protocol of PyBaMM experiment strings or of an aurora-unicycler protocol."""
    from nakctl.cli import convert as command

    return command.convert(file, out, working.value, capacity, limits, longest)
