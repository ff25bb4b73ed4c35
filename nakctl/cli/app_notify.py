"""The commands about who is told what happens to runs; as cheap to import as `app`."""

from __future__ import annotations

from typing import Annotated

import typer

from nakctl.cli.explained import Json, RigFile, explained

notify_app = typer.Typer(
    help="Who is told what happens to runs (`notify:` of the rig).",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@notify_app.command("test")
@explained
def notify_test(rig: RigFile = None, as_json: Json = False) -> int:
    """Send a test notice by every way of the rig, and say how it went."""
    from nakctl.cli import notify

    return notify.test(rig, as_json)


@notify_app.command("log")
@explained
def notify_log(
    last: Annotated[int, typer.Option("--last", metavar="N", min=1, help="So many.")] = 20,
    as_json: Json = False,
) -> int:
    """List what was sent last, and what did not get through."""
    from nakctl.cli import notify

    return notify.log_of_all(last, as_json)
