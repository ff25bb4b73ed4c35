"""What `nakctl run` does once its run has begun in a process of its own: it shows it.

The run needs nobody who looks. Ctrl-C asks what to do; where nobody can answer, it means to stop.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from nakctl.cli import console
from nakctl.cli.requests import sent
from nakctl.cli.screen.drawing import kind_here
from nakctl.cli.screen.follow import Follower
from nakctl.cli.which_run import find_run
from nakctl.errors import ChannelError, ExitCode, NakctlError
from nakctl.record import asked
from nakctl.run.run import UNDER_CURRENT

HINT = "Ctrl-C asks: stop the run, or leave it running"
QUESTION = "Stop the run, leave it running, or go back to it? [s/l/Enter] "
STOPPING = "the run is being stopped; Ctrl-C twice more leaves it at that"
MORE = 2  # times that Ctrl-C is pressed after the stop, until it is no longer waited for


def shown(path: Path, *, silent: bool) -> dict[str, Any]:
    """Until the run is over, or is left: how it ended, or that it goes on; with the code to leave with."""
    kind = "nothing" if silent else kind_here()
    run = replace(find_run(str(path)), path=path)  # called as whoever started it called it
    view = Follower([run], kind, hint=HINT)
    stopped = 0  # how often that was wanted
    while True:
        try:
            with view:
                while view.look():
                    view.draw()
                    view.pause()
                view.draw()
            return _ended(view, path)
        except KeyboardInterrupt:
            if view.runs[0].is_ending:  # the cell is open, and the file is being sealed
                continue
            if not stopped and (answer := _answer(kind)) != "stop":
                if answer == "leave":
                    return _left(path, "it goes on", ExitCode.DONE, silent)
                continue
            stopped += 1
            if stopped == 1:
                _stop(path, silent)
            elif stopped > MORE:
                how = f"it was told to stop, and that is tried on: until it is seen, {UNDER_CURRENT}"
                return _left(path, how, ExitCode.INTERRUPTED, silent)


def _ended(view: Follower, path: Path) -> dict[str, Any]:
    if view.reports:
        return view.reports[0]
    if view.is_gone:  # the terminal is closed, or nobody reads: there is nobody to be told
        return goes_on(path, ExitCode.DONE)
    raise ChannelError("; ".join(view.runs[0].end))


def goes_on(path: Path, code: int) -> dict[str, Any]:
    """In the place of a report."""
    return {"file": str(path), "goes_on": True, "exit_code": int(code)}


def _answer(kind: str) -> str:
    """stop, leave or back."""
    if kind != "moving" or sys.stdin is None or not sys.stdin.isatty():
        return "stop"
    try:
        console.say("")
        return {"s": "stop", "l": "leave"}.get(input(QUESTION).strip().lower()[:1], "back")
    except KeyboardInterrupt:  # twice means stop
        return "stop"
    except EOFError:
        return "leave"


def _stop(path: Path, silent: bool) -> None:
    if not silent:
        console.say(STOPPING, to=sys.stderr)
    with suppress(NakctlError, KeyboardInterrupt):
        sent(path, asked.new_request("stop"))


def _left(path: Path, how: str, code: int, silent: bool) -> dict[str, Any]:
    if not silent:
        console.say(f"{path}: {how}. nakctl watch {path.stem} shows it, nakctl stop {path.stem} stops it")
    return goes_on(path, code)
