"""`nakctl serve`: the runs of this computer in a browser, until it is interrupted. It ends no run."""

from __future__ import annotations

import signal
from contextlib import suppress
from pathlib import Path

from nakctl.cli import console
from nakctl.errors import ExitCode, InputError, need


def serve(folder: Path | None, port: int, *, control: bool, new_token: bool) -> int:
    need("nakctl serve", "page", "bokeh", "tornado")
    if folder is not None and not folder.is_dir():
        what = (
            f"{folder} is a file: name the folder it is in"
            if folder.exists()
            else f"there is no folder {folder}"
        )
        raise InputError(what)
    from nakctl.cli.serving import guard, listening, server

    door = listening.socket_at(port)
    known = guard.token(new=new_token)

    def ready(at: int) -> None:
        what = (
            "runs can be stopped from it"
            if control
            else "it only shows; --control lets runs be stopped from it"
        )
        console.say(
            f"http://{guard.LOOPBACK}:{at}/?token={known}",
            f"for this computer alone, and who knows this address; {what}. Ctrl-C ends it, and no run",
        )

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        server.serve(door, known, folder, control, ready)
    return ExitCode.INTERRUPTED
