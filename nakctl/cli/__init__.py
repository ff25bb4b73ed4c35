"""The command line: the only place that prints. Commands import what they need when they run."""

from __future__ import annotations


def main() -> None:
    """Entry point of the `nakctl` command."""
    from nakctl.cli import console
    from nakctl.cli.app import app

    console.forgive()
    try:
        app()
    except SystemExit as end:
        console.leave_if_standing(end.code)
        raise
