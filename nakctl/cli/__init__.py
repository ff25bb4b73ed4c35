"""The command line: the only place that prints. Commands import what they need when they run."""

from __future__ import annotations


def main() -> None:
    """Entry point of the `nakctl` command."""
    from nakctl.cli.app import app

    app()
