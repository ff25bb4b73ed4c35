"""The commands about this computer; as cheap to import as `app`."""

from __future__ import annotations

from typing import Annotated

import typer

from nakctl.cli.explained import Json, explained

autostart_app = typer.Typer(
    help="Have the system look after the runs: when the computer starts, and every five minutes.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

WhileLoggedOn = Annotated[
    bool,
    typer.Option(
        "--while-logged-on", help="On Windows: only while you are logged on, which takes no administrator."
    ),
]


@autostart_app.command("install")
@explained
def install(while_logged_on: WhileLoggedOn = False) -> int:
    """Have `nakctl attach --all` run at every start of the computer, and every five minutes."""
    from nakctl.cli import autostart

    return autostart.install(while_logged_on)


@autostart_app.command("remove")
@explained
def remove() -> int:
    """Take that back. Runs that go on are not touched."""
    from nakctl.cli import autostart

    return autostart.remove()


@autostart_app.command("status")
@explained
def status(as_json: Json = False) -> int:
    """Say whether it is installed, and when it ran last; exit 1 if it is not."""
    from nakctl.cli import autostart

    return autostart.status(as_json)


@autostart_app.command("show")
@explained
def show(while_logged_on: WhileLoggedOn = False) -> int:
    """Print what would be installed, to be read, or installed by hand."""
    from nakctl.cli import autostart

    return autostart.show(while_logged_on)
