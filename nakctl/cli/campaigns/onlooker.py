"""Who looks at a campaign while it is carried out, and what he wants."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from nakctl.campaign.order import State
from nakctl.cli import console
from nakctl.cli.campaigns import told
from nakctl.cli.campaigns.going import Row
from nakctl.cli.screen.drawing import View, kind_here, view
from nakctl.cli.screen.mail import ALARM, HEAD, PLAIN, WARNING, Mail
from nakctl.cli.signals import StopAsked, asked_to_stop

QUESTION = "Stop the runs, leave them running, or go back to them? [s/l/Enter] "
MORE = 2  # times that Ctrl-C is pressed after the stop, until it is no longer waited for
_OPERATOR, _GONE = ("SIGINT",), ("SIGTERM", "SIGHUP", "SIGBREAK")


class Shown:
    """As `going.Show`."""

    def __init__(self, head: str, *, silent: bool, is_log: bool = False) -> None:
        """is_log: what begins and ends is said, and not again and again where the runs are."""
        self._is_log = is_log
        self.looks_on = False  # another process carries it out
        self._kind = "nothing" if silent else kind_here()
        self._view: View = view("nothing")
        self._head = head

    def __enter__(self) -> Shown:
        self.reopen()
        self._view.draw(Mail(said=((HEAD, self._head),)))
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._view.close()

    def reopen(self) -> None:
        self._view = view(self._kind)

    @property
    def asks(self) -> bool:
        """Somebody looks who can answer."""
        return self._kind == "moving" and sys.stdin is not None and sys.stdin.isatty()

    def begun(self, row: Row) -> None:
        if self._kind == "lines":
            self._say(PLAIN, told.begun(row))

    def ended(self, row: Row) -> None:
        self._say(PLAIN if row.state is State.DONE else ALARM, told.ended(row))

    def warn(self, sentence: str) -> None:
        self._say(WARNING, sentence)

    def draw(self, rows: Sequence[Row]) -> None:
        if self._is_log:
            return
        lines = told.in_a_line if self._kind == "lines" else told.block
        hint = [self._hint(rows)] if self._kind == "moving" else []
        self._view.draw(Mail(state=lambda: [*lines(rows), *hint]))

    def _hint(self, rows: Sequence[Row]) -> str:
        if self.looks_on:
            return "Ctrl-C ends this view alone"
        on_channels = any(row.state is State.RUNNING and row.one.channel is not None for row in rows)
        return "Ctrl-C asks: stop the runs, or leave them running" if on_channels else "Ctrl-C stops"

    def _say(self, severity: int, text: str) -> None:
        self._view.draw(Mail(said=((severity, text),)))


class Operator:
    """As `going.Wish`: by Ctrl-C, which asks where runs go on that need nobody; by a polite kill or a closed
    terminal, which means that they shall.

    of_hands  the same for runs in virtual time
    """

    def __init__(self, stop: Path) -> None:
        """stop: a file that means so as well."""
        self._stop = stop
        self.stops, self.leaves, self.is_interrupted = 0, False, False
        self.of_hands = StopAsked()
        self.show: Shown | None = None
        self._heard = 0

    def __enter__(self) -> Operator:
        self._signals = ExitStack()
        self._operator = self._signals.enter_context(asked_to_stop(_OPERATOR))
        self._gone = self._signals.enter_context(asked_to_stop(_GONE))
        return self

    def __exit__(self, *error: object) -> None:
        self._signals.close()

    def look(self, *, on_channels: bool) -> None:
        if self._gone.count() or self._stop.exists():
            self.leaves = self.is_interrupted = True
        if self._operator.count() == self._heard:
            return
        wanted = "stop" if self.stops or not on_channels else self._asked()
        self._heard = self._operator.count()
        self.leaves |= wanted == "leave"
        if wanted == "stop":
            self.is_interrupted = True
            self.stops += 1
            self.leaves |= self.stops > MORE
            self.of_hands.ask()

    def _asked(self) -> str:
        """stop, leave or back; where nobody can answer, it means stop."""
        if self.show is None or not self.show.asks:
            return "stop"
        self.show.close()
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return {"s": "stop", "l": "leave"}.get(console.ask(QUESTION).strip().lower()[:1], "back")
        except KeyboardInterrupt:  # twice means stop
            return "stop"
        except (EOFError, OSError):  # a closed terminal is the one or the other
            return "leave"
        finally:
            signal.signal(signal.SIGINT, before)
            self.show.reopen()
