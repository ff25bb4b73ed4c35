"""How a run is shown: one moving block on a terminal, plain lines elsewhere, or not at all.

A view draws into the standard output of its process, which may be the run's own or one of its own.
"""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from nakctl.cli.screen.mail import ALARM, HEAD, PLAIN, WARNING, Mail
from nakctl.cli.screen.words import SIMULATED

if TYPE_CHECKING:
    from rich.console import RenderableType

PLAIN_LINE_EVERY_s = 10.0
DRAWN_PER_s = 8.0
_STYLES = {HEAD: "bold", PLAIN: "", WARNING: "yellow", ALARM: "bold red"}


class View(Protocol):
    """What can draw mail. Drawing raises no error: whoever looked may be gone."""

    def draw(self, mail: Mail) -> None: ...

    def close(self) -> None:
        """Leave the terminal as it was. May be called twice."""


class Nothing:
    """Says nothing: --quiet, --json."""

    def draw(self, mail: Mail) -> None:
        pass

    def close(self) -> None:
        pass


class Lines:
    """For pipes and logs: what was said, a line of state every few seconds, the end."""

    def __init__(self) -> None:
        self._next_s = 0.0

    def draw(self, mail: Mail) -> None:
        print_lines([sentence for _, sentence in mail.said])
        now_s = time.monotonic()
        if mail.state is not None and now_s >= self._next_s:
            self._next_s = now_s + PLAIN_LINE_EVERY_s
            print_lines([" | ".join(mail.state())])
        print_lines(mail.end or ())

    def close(self) -> None:
        pass


class Moving:
    """For people: one block that stays in place, below what was said."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._state: Callable[[], Sequence[str]] = lambda: ()
        self._live = Live(
            get_renderable=self._block, console=Console(), refresh_per_second=DRAWN_PER_s, transient=True
        )
        self._live.start()

    def draw(self, mail: Mail) -> None:
        from rich.text import Text

        try:
            for severity, sentence in mail.said:
                self._live.console.print(Text(sentence, style=_STYLES.get(severity, "")))
            if mail.state is not None:
                self._state = mail.state
            if mail.busy:
                self._state = lambda: (mail.busy,)
                self._live.refresh()
        except OSError:  # the terminal is closed
            self._state = lambda: ()
        if mail.end is not None:
            self.close()
            print_lines(mail.end)

    def close(self) -> None:
        with suppress(OSError):
            self._live.stop()

    def _block(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        return Group(*(Text(each, style="reverse" if each == SIMULATED else "") for each in self._state()))


def kind_here() -> str:
    """Of the view that standard output can take."""
    if sys.stdout is None:
        return "nothing"
    can_move = os.environ.get("TERM", "dumb" if os.name == "posix" else "") != "dumb"
    if sys.platform == "win32":
        from rich.console import Console

        can_move = can_move and not Console().legacy_windows
    return "moving" if sys.stdout.isatty() and can_move else "lines"


def view(kind: str) -> View:
    """kind: moving, lines or nothing."""
    if kind == "moving":
        return Moving()
    return Lines() if kind == "lines" else Nothing()


def print_lines(lines: Sequence[str]) -> bool:
    """Whoever listened may be gone (`| head`): no reason to lose an experiment. Whether somebody listens."""
    try:
        for line in lines:
            print(line, flush=True)
        return True
    except OSError:
        _write_nowhere()
        return False


def _write_nowhere() -> None:
    """From here on, and what waits to be written as well."""
    try:
        stdout, nowhere = sys.stdout.fileno(), os.open(os.devnull, os.O_WRONLY)
    except (OSError, ValueError):  # it is no file
        sys.stdout = io.StringIO()
        return
    os.dup2(nowhere, stdout)
    os.close(nowhere)
