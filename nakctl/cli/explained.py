"""What all commands share: errors become sentences, and options that several of them have."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from nakctl.errors import ExitCode, NakctlError

RigFile = Annotated[
    Path | None, typer.Option("--rig", metavar="FILE", help="Rig file [default: ./rig.yaml, if there].")
]
Json = Annotated[bool, typer.Option("--json", help="Print one machine-readable object.")]
LoadFirmware = Annotated[
    bool,
    typer.Option("--load-firmware", help="Replace another firmware on the channel, such as that of EC-Lab."),
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
