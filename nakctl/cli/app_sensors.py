"""The commands about sensors, and their options. Like `app`, cheap to import."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nakctl.cli.explained import Json, RigFile, explained


class Decimal(StrEnum):
    """Mark between whole and fraction."""

    POINT = "."
    COMMA = ","


sensors_app = typer.Typer(
    help="What stands on the bench beside the cell.", invoke_without_command=True, rich_markup_mode=None
)


@sensors_app.callback()
def sensors(context: typer.Context, rig: RigFile = None, as_json: Json = False) -> None:
    """List the sensors of the rig, and read each once."""
    if context.invoked_subcommand is None:
        _sensors(rig, as_json)


@explained
def _sensors(rig: Path | None, as_json: bool) -> int:
    from nakctl.cli import sensors

    return sensors.list_all(rig, as_json)


@sensors_app.command("probe")
@explained
def probe(
    where: Annotated[
        str | None,
        typer.Argument(metavar="PORT|ADDRESS", help="COM3, /dev/ttyUSB0, usb:SERIAL, a VISA address."),
    ] = None,
    name: Annotated[str, typer.Option("--name", help="What to call it in rig.yaml.")] = "sensor",
    unit: Annotated[str | None, typer.Option("--unit", help="Unit of its values, if it shows none.")] = None,
    decimal: Annotated[Decimal | None, typer.Option("--decimal", help="Mark in its numbers.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Add the entry to the rig file.")] = False,
    rig: RigFile = None,
) -> int:
    """Find out how an instrument talks, and propose its entry for rig.yaml. Without PORT: list the ports."""
    from nakctl.cli import sensors

    if where is None:
        return sensors.ports()
    known = {"unit": unit, "decimal": decimal and decimal.value}
    return sensors.probe(where, name, {word: said for word, said in known.items() if said}, rig, write)


@sensors_app.command("dialogues")
@explained
def dialogues(as_json: Json = False) -> int:
    """List the ready dialogues that `like:` takes."""
    from nakctl.cli import sensors

    return sensors.dialogues(as_json)
