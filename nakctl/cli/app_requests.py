"""The commands that ask something of a run that goes on; as cheap to import as `app`."""

from __future__ import annotations

from typing import Annotated

import typer

from nakctl.cli.explained import DiscardRows, Json, LoadFirmware, RigFile, explained

Run = Annotated[
    str, typer.Argument(metavar="RUN", help="Its file, its id, its channel, or the name of its protocol.")
]


@explained
def stop(
    run: Run,
    after: Annotated[
        str | None,
        typer.Option(
            "--after", metavar="step|cycle|spectrum", help="Not now: at the end of the one under way."
        ),
    ] = None,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take back every --after: the run goes on as planned.")
    ] = False,
    mine: Annotated[
        bool,
        typer.Option(
            "--mine",
            help="If its program died: switch the channel off whosever it seems; none of its rows is taken.",
        ),
    ] = False,
    rig: RigFile = None,
    as_json: Json = False,
) -> int:
    """Stop a run, also one whose program died, and say what became of the cell."""
    from nakctl.cli import requests

    return requests.stop(run, after, withdraw, mine, rig, as_json)


Why = Annotated[
    str | None,
    typer.Option("--why", metavar="TEXT", help="One line that is kept with it, with who and when."),
]


@explained
def pause(
    run: Run,
    after: Annotated[
        str | None,
        typer.Option(
            "--after", metavar="step|cycle|spectrum", help="At the end of the one under way [default: step]."
        ),
    ] = None,
    now: Annotated[
        bool,
        typer.Option("--now", help="Not at a boundary: what is under way is cut, and made up for later."),
    ] = False,
    why: Why = None,
    as_json: Json = False,
) -> int:
    """Open the cell of a run at the end of the step under way, until `resume`; sensors are still watched."""
    from nakctl.cli import requests

    return requests.pause(run, after, now, why, as_json)


@explained
def resume(run: Run, why: Why = None, as_json: Json = False) -> int:
    """Go on with a run that is paused, with what is left of its program."""
    from nakctl.cli import requests

    return requests.resume(run, why, as_json)


@explained
def skip(run: Run, why: Why = None, as_json: Json = False) -> int:
    """End the step under way and go on with the next one; to skip the last one ends the run."""
    from nakctl.cli import requests

    return requests.skip(run, why, as_json)


@explained
def attach(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="As for `stop`.")] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Each run of this computer that nobody watches, as after a restart.")
    ] = False,
    anew: Annotated[
        bool,
        typer.Option(
            "--continue",
            help="The instrument was switched off, or another program took the channel: begin what is left "
            "of the run on it.",
        ),
    ] = False,
    load_firmware: LoadFirmware = False,
    discard_rows: DiscardRows = False,
    detach: Annotated[bool, typer.Option("--detach", help="Do not show it.")] = False,
) -> int:
    """Go on with a run whose program died: its channel has gone on by itself, and kept its rows."""
    from nakctl.cli import attach as command

    allowed = {"load_firmware": load_firmware, "discard_rows": discard_rows}
    return command.attach(run, every, anew, [name for name, is_said in allowed.items() if is_said], detach)


@explained
def note(
    run: Run,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="One line.")],
    as_json: Json = False,
) -> int:
    """Keep a sentence with a run that goes on: it stands in its file with who wrote it, and when."""
    from nakctl.cli import requests

    return requests.note(run, text, as_json)


@explained
def wait(
    run: Run,
    timeout: Annotated[
        float | None, typer.Option("--timeout", metavar="SECONDS", help="Not for longer than this.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Wait until a run has ended and is sealed; leave with the exit code that it has."""
    from nakctl.cli import requests

    return requests.wait(run, timeout, as_json)
