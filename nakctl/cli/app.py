"""The commands and their options. Each hands over to a module of its own, imported only then.

Importing this module must stay cheap: `nakctl --help` loads no numpy, pydantic, h5py or pint.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from nakctl.errors import ExitCode, InputError, NakctlError

app = typer.Typer(
    name="nakctl",
    help="Battery experiments as reviewed YAML protocols: check, plan, run, one HDF5 file.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
protocols_app = typer.Typer(
    help="The protocols that come with nakctl.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(protocols_app, name="protocols")

File = Annotated[str, typer.Argument(metavar="FILE", help="A protocol file, or the name of a shipped one.")]
RunFile = Annotated[Path, typer.Argument(metavar="RUN.h5", help="A result file.")]
On = Annotated[
    str | None, typer.Option("--on", metavar="CHANNEL", help="Channel to run on [default: sim-sp300].")
]
CellName = Annotated[
    str | None,
    typer.Option("--cell", metavar="NAME|FILE", help="The cell on it [simulated channels: NaK50]."),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Give a parameter another value; repeatable."),
]
Rig = Annotated[
    Path | None, typer.Option("--rig", metavar="FILE", help="Rig file [default: ./rig.yaml, if there].")
]
Json = Annotated[bool, typer.Option("--json", help="Print one machine-readable object.")]
_debug = False


def _explained(command: Callable[..., int | None]) -> Callable[..., None]:
    """Errors of nakctl become sentences on stderr and an exit code; with --debug they stay tracebacks."""

    @wraps(command)
    def call(*args: Any, **kwargs: Any) -> None:
        try:
            code = command(*args, **kwargs)
        except NakctlError as error:
            if _debug:
                raise
            _fail(str(error), error.exit_code)
        except KeyboardInterrupt:
            _fail("interrupted; nothing was running", ExitCode.INTERRUPTED)
        except BrokenPipeError:  # the reader of our output is gone, e.g. `| head`
            sys.stderr.close()
            raise typer.Exit(ExitCode.FAILED) from None
        except OSError as error:
            if _debug:
                raise
            _fail(str(error), ExitCode.FAILED)
        raise typer.Exit(code or ExitCode.DONE)

    return call


def _fail(message: str, code: int) -> NoReturn:
    print(message, file=sys.stderr)
    raise typer.Exit(code)


def _print_version(wanted: bool) -> None:
    if wanted:
        from nakctl import __version__

        print(f"nakctl {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    global _debug  # one process runs one command
    _debug = debug


@protocols_app.command("list")
@_explained
def protocols_list(as_json: Json = False) -> int:
    """List the shipped protocols."""
    from nakctl.cli import shipped

    return shipped.list_all(as_json)


@protocols_app.command("show")
@_explained
def protocols_show(name: Annotated[str, typer.Argument(help="Name of a shipped protocol.")]) -> int:
    """Print a shipped protocol."""
    from nakctl.cli import shipped

    return shipped.show(name)


@protocols_app.command("copy")
@_explained
def protocols_copy(
    name: Annotated[str, typer.Argument(help="Name of a shipped protocol.")],
    to: Annotated[
        Path | None, typer.Argument(help="Where to [default: ./NAME.yaml]; never overwrites.")
    ] = None,
) -> int:
    """Copy a shipped protocol here, to change it."""
    from nakctl.cli import shipped

    return shipped.copy(name, to)


@app.command()
@_explained
def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Protocol files or shipped names.")],
    on: On = None,
    cell: CellName = None,
    sets: Set = None,
    rig: Rig = None,
    as_json: Json = False,
) -> int:
    """Check protocols against the language and the instrument; start nothing."""
    from nakctl.cli import check as command

    return command.check(files, _wishes(on, cell, sets, rig), as_json)


@app.command()
@_explained
def plan(
    file: File,
    on: On = None,
    cell: CellName = None,
    sets: Set = None,
    rig: Rig = None,
    as_json: Json = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="OUT.png", help="Draw current against time.")
    ] = None,
) -> int:
    """Print what will happen: steps, ranges, cutoffs and who watches them, time, charge, rows."""
    from nakctl.cli import plan as command

    return command.plan(file, _wishes(on, cell, sets, rig), as_json, plot)


@app.command()
@_explained
def run(
    file: File,
    on: On = None,
    cell: CellName = None,
    sets: Set = None,
    each: Annotated[
        list[str] | None,
        typer.Option("--each", metavar="NAME=A,B,C", help="One run and one file per value; repeatable."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.h5", help="Result file; never overwritten.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the simulated noise.")] = 0,
    speed: Annotated[
        float | None,
        typer.Option("--speed", metavar="X", help="Pace a simulated run, X times as fast as real time."),
    ] = None,
    realtime: Annotated[bool, typer.Option("--realtime", help="Same as --speed 1.")] = False,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="A sentence to keep in the file.")] = "",
    rig: Rig = None,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> int:
    """Run a protocol on a channel, and record it into one HDF5 file."""
    from nakctl.cli import run as command

    if realtime and speed is not None:
        raise InputError("--realtime is --speed 1: give one of them")
    how = command.Options(out, seed, 1.0 if realtime else speed, note, as_json, quiet)
    return command.run(file, _wishes(on, cell, sets, rig), each or [], how)


@app.command()
@_explained
def recover(file: RunFile, as_json: Json = False) -> int:
    """Make a complete file of a run that was killed."""
    from nakctl.cli import results

    return results.recover(file, as_json)


@app.command()
@_explained
def show(file: RunFile, as_json: Json = False) -> int:
    """Say what a result file is, how the run ended, and its key figures."""
    from nakctl.cli import results

    return results.show(file, as_json)


@app.command()
@_explained
def plot(
    file: RunFile,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE.png", help="Picture [default: RUN.png].")
    ] = None,
) -> int:
    """Draw potential and current, and the spectra through the run."""
    from nakctl.cli import results

    return results.plot(file, out)


@app.command()
@_explained
def cells(as_json: Json = False) -> int:
    """List the simulated cells."""
    from nakctl.cli import shipped

    return shipped.cells(as_json)


@app.command()
@_explained
def schema() -> int:
    """Print the JSON Schema of the protocol language, for editors."""
    from nakctl.cli import shipped

    return shipped.schema()


def _wishes(on: str | None, cell: str | None, sets: list[str] | None, rig: Path | None) -> Any:
    from nakctl.cli.prepare import Wishes

    return Wishes(on, cell, _pairs(sets or []), rig)


def _pairs(sets: list[str]) -> dict[str, str]:
    pairs = {}
    for text in sets:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise InputError(f"--set {text}: write it as name=value, e.g. --set rest=2s")
        pairs[name.strip()] = value.strip()
    return pairs
