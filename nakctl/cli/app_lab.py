"""The commands about a lab's repository of protocols; as cheap to import as `app`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nakctl.cli.explained import CellName, Dry, Json, On, RigFile, Set, explained

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


@explained
def diff(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="BEFORE AFTER | [FILE|DIR]...", help="Two protocols, each also as REVISION:FILE of git."
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--base", metavar="REVISION", help="Each file beside what it was then [default: all changed]."
        ),
    ] = None,
    on: On = None,
    cell: CellName = None,
    dry: Dry = False,
    sets: Set = None,
    rig: RigFile = None,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print tables for a review.")] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="1 if they do something else, as with git diff.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Say what another protocol, or version of one, does otherwise: currents, times, charges, limits."""
    from nakctl.cli import diff as command
    from nakctl.cli.pairs import pairs
    from nakctl.cli.prepare import Wishes

    how = "json" if as_json else "markdown" if as_markdown else "text"
    return command.diff(
        files or [], base, Wishes(on, cell, pairs(sets or []), rig, dry, looks=True), how, exit_code
    )


@explained
def new(
    folder: Annotated[
        Path,
        typer.Argument(metavar="LAB", help="A folder that is empty, or not there; its name is the lab's."),
    ],
    nakctl: Annotated[
        str | None,
        typer.Option(
            "--nakctl", metavar="REQUIREMENT", help="What pip is to install [default: as installed here]."
        ),
    ] = None,
    git: Annotated[bool, typer.Option(help="Begin a repository of git, if that is installed.")] = True,
    as_json: Json = False,
) -> int:
    """Begin a lab's repository: protocols, rig, cells, and workflows that dry-run them."""
    from nakctl.cli import new as command

    return command.new(folder, nakctl, git, as_json)


@explained
def ci(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Where protocols, rigs and cells lie; or one protocol.")
    ] = Path(),
    base: Annotated[
        str | None,
        typer.Option(
            "--base",
            metavar="REVISION",
            help="Only what changed since here [default: the branch that the change is for, else the "
            "default branch].",
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also what did not change.")] = False,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", metavar="N", min=1, help="Dry runs at once [default: a core each]."),
    ] = None,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="TIME", help="How long one dry run may take here.")
    ] = "30 min",
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE.xml", help="Results for GitHub, GitLab, Jenkins.")
    ] = None,
    summary: Annotated[
        str | None, typer.Option("--summary", metavar="FILE.md", help="Markdown for a review; - is stdout.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="FOLDER", help="Keep the result files there.")
    ] = None,
    rig: Annotated[
        Path | None,
        typer.Option(
            "--rig", metavar="FILE", help="For all [default: of each the nearest rig.yaml above it]."
        ),
    ] = None,
    as_json: Json = False,
) -> int:
    """Check, plan and dry-run all protocols of a folder on their cells, beside what they expect.

    Exit codes: 1 an expectation is not met, or a limit that is not expected stopped a run; 2 a file has
    faults, whatever else there is.
    """
    from nakctl.cli.ci import command
    from nakctl.cli.ci.wanted import Wanted
    from nakctl.errors import InputError
    from nakctl.text.units import UnitError, parse

    try:
        timeout_s = parse(timeout, ("time",)).value
    except UnitError as error:
        raise InputError(f"--timeout {error}") from None
    wanted = Wanted(base, everything, jobs, timeout_s, junit, summary, keep, rig, as_json)
    return command.ci(folder, wanted)
