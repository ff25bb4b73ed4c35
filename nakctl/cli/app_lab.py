"""The commands about a lab's repository of protocols; as cheap to import as `app`."""

from __future__ import annotations

from typing import Annotated

import typer

from nakctl.cli.explained import Json, explained

Ours = Annotated[
    bool, typer.Option("--ours", help="Pass over YAML files that are none of nakctl's, such as workflows.")
]


@explained
def format_files(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE|DIR]...", help="Protocols, rigs and cells [default: this folder]; - is stdin."
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 if a file would change.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Write nothing; show what would change.")] = False,
    ours: Ours = False,
    as_json: Json = False,
) -> int:
    """Lay protocols, rigs and cells out in one way. Comments stay, and so does what the file says."""
    from nakctl.cli import format_files as command

    return command.format_files(files or ["."], command.How(check, diff, ours, as_json))
