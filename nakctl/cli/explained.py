"""What all commands share: errors become sentences, and options that several of them have."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from nakctl.cli import console
from nakctl.errors import ExitCode, InputError, NakctlError

RigFile = Annotated[
    Path | None, typer.Option("--rig", metavar="FILE", help="Rig file [default: ./rig.yaml, if there].")
]
Json = Annotated[bool, typer.Option("--json", help="Print one machine-readable object.")]
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

Dry = Annotated[
    bool,
    typer.Option(
        "--dry", help="On the simulator, with what simulates that cell; whatever the rig says of the channel."
    ),
]
LoadFirmware = Annotated[
    bool,
    typer.Option("--load-firmware", help="Replace another firmware on the channel, such as that of EC-Lab."),
]
DiscardRows = Annotated[
    bool,
    typer.Option("--discard-rows", help="Throw away rows on the channel that nobody has fetched."),
]
_debug = False


def show_tracebacks(wanted: bool) -> None:
    global _debug  # one process runs one command
    _debug = wanted


def explained(command: Callable[..., int | None]) -> Callable[..., None]:
    """Errors of nakctl become sentences on stderr and an exit code; with --debug they stay tracebacks."""

    @wraps(command)
    def call(*args: Any, **kwargs: Any) -> None:
        try:
            _refuse_undecodable([*args, *kwargs.values()])
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


def _refuse_undecodable(given: list[Any]) -> None:
    """InputError for a name whose bytes are no UTF-8: a result file could not keep it."""
    for value in given:
        if isinstance(value, list):
            _refuse_undecodable(value)
        elif isinstance(value, str | Path):
            try:
                str(value).encode()
            except UnicodeEncodeError:
                raise InputError(
                    f"{str(value)!a}: this name is no UTF-8; give the file another one"
                ) from None


def _fail(message: str, code: int) -> NoReturn:
    console.say(message, to=sys.stderr)
    raise typer.Exit(code)
