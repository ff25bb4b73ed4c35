"""What `nakctl run` does once its run has begun in a process of its own: it shows it.

The run needs nobody who looks. Ctrl-C asks what to do; where nobody can answer, it means to stop.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from nakctl.cli import console
from nakctl.cli.requests import sent
from nakctl.cli.screen.drawing import kind_here
from nakctl.cli.screen.follow import Follower
from nakctl.cli.which_run import find_run
from nakctl.errors import NakctlError
from nakctl.record import asked
from nakctl.run.run import UNDER_CURRENT

HINT = "Ctrl-C asks: stop the run, or leave it running"
QUESTION = "Stop the run, leave it running, or go back to it? [s/l/Enter] "
STOPPING = "the run is being stopped; Ctrl-C once more leaves it at that"


def shown(path: Path, *, silent: bool) -> dict[str, Any] | None:
    """Until the run is over: how it ended. None: it goes on without this view."""
    run = find_run(str(path))
    kind = "nothing" if silent else kind_here()
    stops = False
    view = Follower([run], kind, hint=HINT)
    while True:
        try:
            with view:
                while view.look():
                    view.draw()
                    view.pause()
                view.draw()
            return _ended(view, path)
        except KeyboardInterrupt:
            if stops:
                _left(path, f"it was told to stop, and that is tried on: until it is seen, {UNDER_CURRENT}")
                return None
            match _answer(kind):
                case "leave":
                    _left(path, "it goes on")
                    return None
                case "stop":
                    stops = True
                    _stop(path)


def _ended(view: Follower, path: Path) -> dict[str, Any] | None:
    if view.reports:
        return view.reports[0]
    if view.is_gone:  # the terminal is closed: nobody is told anything any more
        return None
    raise NakctlError("; ".join(view.runs[0].end) or f"{path}: it is not known how it goes on")


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


def _stop(path: Path) -> None:
    console.say(STOPPING, to=sys.stderr)
    with suppress(NakctlError, KeyboardInterrupt):
        sent(path, asked.new_request("stop"))


def _left(path: Path, how: str) -> None:
    console.say(f"{path}: {how}. nakctl watch {path.stem} shows it, nakctl stop {path.stem} stops it")
