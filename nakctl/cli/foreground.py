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
from nakctl.cli.enter import pressed
from nakctl.cli.screen.drawing import kind_here
from nakctl.cli.screen.follow import Follower
from nakctl.cli.which_run import find_run
from nakctl.errors import ChannelError, ExitCode, typed
from nakctl.record import asked
from nakctl.run.run import UNDER_CURRENT

ANSWER = "Enter: it is done, go on; Ctrl-C asks: stop the run, or leave it running"
HINT = "Ctrl-C asks: stop the run, or leave it running"
QUESTION = "Stop the run, leave it running, or go back to it? [s/l/Enter] "
STOPPING = "the run is being stopped; Ctrl-C {} more leaves it at that"
MORE = 2  # times that Ctrl-C is pressed after the stop, until it is no longer waited for


def shown(path: Path, *, silent: bool, stop: bool = False) -> dict[str, Any]:
    """Until the run is over, or is left: how it ended, or that it goes on; with the code to leave with.

    stop  that is wanted already
    """
    kind = "nothing" if silent else kind_here()
    run = replace(find_run(str(path)), path=path)  # called as whoever started it called it
    view = Follower([run], kind, hint=HINT)
    wish = _Stop(path, view, told=kind == "lines", times=int(stop))
    answer = _Answer(path, view)
    while True:
        try:
            wish.send()  # before anything waits for the terminal
            with view:
                while view.look():
                    wish.send()
                    answer.look()
                    view.draw()
                    view.pause()
                view.draw()
            return _ended(view, path, shows=kind != "nothing")
        except KeyboardInterrupt:
            if view.runs[0].is_ending:  # the cell is open, and the file is being sealed
                continue
            if not wish.times and (chosen := _chosen(kind)) != "stop":
                if chosen == "leave" and view.look():  # it may be over by now
                    return _left(path, "it goes on", ExitCode.DONE, silent)
                continue
            if wish.times == MORE:
                return _left(path, wish.stands, ExitCode.INTERRUPTED, silent)
            wish.times += 1


class _Answer:
    """To what the protocol asks a person for: Enter, pressed after it was shown."""

    def __init__(self, path: Path, view: Follower) -> None:
        self._path, self._view = path, view
        self._asks = ""  # what was shown, and not answered

    def look(self) -> None:
        seen = self._view.runs[0]
        asks = str(seen.state.get("asks") or "") if seen.health.word == "paused" else ""
        if pressed() and asks and asks == self._asks:
            with suppress(OSError):  # it takes no request now: Enter may be pressed again
                asked.put(self._path, asked.new_request("resume"))
        if asks != self._asks and self._view.hint in (HINT, ANSWER):
            self._view.hint = ANSWER if asks else HINT
        self._asks = asks


class _Stop:
    """The wish that the run be stopped. times: how often it was said; told: on standard error, too."""

    def __init__(self, path: Path, view: Follower, *, told: bool, times: int) -> None:
        self.times = times
        self._path, self._view, self._told = path, view, told
        self._request: asked.Request | None = None
        self._trouble: OSError | None = None
        self._is_sent = False

    def send(self) -> None:
        """To the run. Waits for nothing: one that has just begun has no mailbox yet, and is tried again."""
        if not self.times:
            return
        self._request = self._request or asked.new_request("stop")
        if not self._is_sent:
            try:
                asked.put(self._path, self._request)
                self._is_sent, self._trouble = True, None
            except OSError as error:
                self._trouble = error
        self._say(STOPPING.format("once" if self.times == MORE else "twice"))

    def _say(self, text: str) -> None:
        if self._trouble is not None:
            why = self._trouble.strerror
            text = f"the run is to be stopped, and takes no request yet ({why}); that is tried on"
        if text != self._view.hint:
            self._view.hint = text
            if self._told:
                console.say(text, to=sys.stderr)

    @property
    def stands(self) -> str:
        """What becomes of it, if nobody waits for that."""
        if self._is_sent:
            return f"it was told to stop, and that is tried on: until it is seen, {UNDER_CURRENT}"
        return f"it takes no request and could not be told to stop: {UNDER_CURRENT}"


def _ended(view: Follower, path: Path, *, shows: bool) -> dict[str, Any]:
    """shows: what its end says was seen."""
    if view.reports:
        return view.reports[0]
    if view.is_gone:  # the terminal is closed, or nobody reads: there is nobody to be told
        return goes_on(path, ExitCode.DONE)
    how = "nobody goes on with it" if shows else "; ".join(view.runs[0].end)
    raise ChannelError(f"{path}: {how}")


def watch_or_stop(path: Path) -> str:
    """What can be done about a run that nobody shows."""
    name = typed(path.stem)
    return f"nakctl watch {name} shows it, nakctl stop {name} stops it"


def goes_on(path: Path, code: int) -> dict[str, Any]:
    """In the place of a report."""
    return {"file": str(path), "goes_on": True, "exit_code": int(code)}


def _chosen(kind: str) -> str:
    """stop, leave or back."""
    if kind != "moving" or sys.stdin is None or not sys.stdin.isatty():
        return "stop"
    try:
        console.say("")
        return {"s": "stop", "l": "leave"}.get(console.ask(QUESTION).strip().lower()[:1], "back")
    except KeyboardInterrupt:  # twice means stop
        return "stop"
    except (EOFError, OSError):  # a closed terminal is the one or the other
        return "leave"


def _left(path: Path, how: str, code: int, silent: bool) -> dict[str, Any]:
    if not silent:
        console.say(f"{path}: {how}. {watch_or_stop(path)}")
    return goes_on(path, code)
