"""The commands about instruments and the rig; as cheap to import as `app`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nakctl.cli.explained import Json, LoadFirmware, RigFile, explained

SdkPath = Annotated[
    Path | None,
    typer.Option("--sdk-path", metavar="FOLDER", help="The lab's own OEM package, where no rig names one."),
]
Addresses = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ADDRESS]...", help="Ask these: 192.168.0.5, USB0, ... [default: search]."),
]

rig_app = typer.Typer(
    help="The rig file: which channel is which.", no_args_is_help=True, rich_markup_mode=None
)


@explained
def devices(
    addresses: Addresses = None, sdk_path: SdkPath = None, rig: RigFile = None, as_json: Json = False
) -> int:
    """List the instruments that answer, on USB, in the network and in the rig."""
    from nakctl.cli import devices as command

    return command.devices(addresses or [], sdk_path, rig, as_json)


@explained
def doctor(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="[ADDRESS|DEVICE]", help="What to look at [default: every device of the rig]."
        ),
    ] = None,
    channel: Annotated[
        int | None, typer.Argument(metavar="[CHANNEL]", help="With --first-day: the channel, from 1.")
    ] = None,
    first_day: Annotated[
        bool, typer.Option("--first-day", help="Settle the open questions about it, on a dummy cell.")
    ] = False,
    yes_dummy_cell: Annotated[
        bool,
        typer.Option("--yes-dummy-cell", help="There is a dummy cell on that channel, and nothing else."),
    ] = False,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE.json", help="What the first day taught; never overwritten.")
    ] = Path("first-day.json"),
    load_firmware: LoadFirmware = False,
    sdk_path: SdkPath = None,
    rig: RigFile = None,
    as_json: Json = False,
) -> int:
    """Examine library, files, link and channels; say what to do about what is wrong."""
    if first_day:
        from nakctl.cli import doctor_first_day

        where = doctor_first_day.Where(target, channel, rig, sdk_path, load_firmware)
        return doctor_first_day.first_day(where, yes_dummy_cell, out, as_json)
    from nakctl.cli import doctor as command

    return command.doctor(target, sdk_path, rig, as_json)


@explained
def channels(rig: RigFile = None, as_json: Json = False) -> int:
    """List the channels of the rig: what each does, and who runs there."""
    from nakctl.cli import channels as command

    return command.channels(rig, as_json)


@rig_app.command("init")
@explained
def rig_init(
    addresses: Addresses = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to; never overwritten.")] = Path(
        "rig.yaml"
    ),
    sdk_path: SdkPath = None,
) -> int:
    """Write a first rig file from the instruments that answer."""
    from nakctl.cli import rig as command

    return command.init(addresses or [], sdk_path, out)


@rig_app.command("check")
@explained
def rig_check(
    file: Annotated[Path, typer.Argument(metavar="[FILE]", help="Rig file.")] = Path("rig.yaml"),
    as_json: Json = False,
) -> int:
    """Check a rig file, without asking any instrument."""
    from nakctl.cli import rig as command

    return command.check(file, as_json)


@rig_app.command("schema")
@explained
def rig_schema() -> int:
    """Print the JSON Schema of rig files, for editors."""
    from nakctl.cli import rig as command

    return command.schema()
