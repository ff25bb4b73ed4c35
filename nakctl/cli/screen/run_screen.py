"""What a run shows while it goes on, in words; `drawing` draws them.

A run that keeps a wall clock is shown by a process of its own: whatever becomes of the terminal, the run does
not notice. In virtual time nothing can be late, and the same views draw in line.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nakctl.booking.event import Event
from nakctl.cli.prepare import Prepared
from nakctl.cli.screen import words
from nakctl.cli.screen.drawing import Nothing, View, view
from nakctl.cli.screen.mailbox import ALARM, HEAD, PLAIN, WARNING, Mail
from nakctl.cli.screen.remote_screen import Remote
from nakctl.cli.screen.words import SIMULATED, closing_lines
from nakctl.run.logbook import Progress
from nakctl.run.outside import where

__all__ = ["MovingScreen", "Screen", "closing_lines", "screen"]


class Screen:
    """Tells a run to a view. Nothing here waits, but `tell` for a few seconds if nobody can be told."""

    def __init__(self, ready: Prepared, view: View) -> None:
        self.ready, self.view = ready, view

    def __enter__(self) -> Self:
        self.view.draw(Mail(said=((HEAD, words.head(self.about)),), busy="starting the channel ..."))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.view.close()

    def recording(self, out: Path) -> None:
        self.view.draw(Mail(said=((PLAIN, f"recording into {out}"),)))

    def warn(self, sentence: str) -> None:
        self.view.draw(Mail(said=((WARNING, sentence),)))

    def update(self, progress: Progress) -> None:
        said = tuple((ALARM if event.severity > 1 else WARNING, _told(event)) for event in progress.news)
        self.view.draw(Mail(said=said, state=lambda: self.state(progress)))

    def sealing(self) -> None:
        self.view.draw(Mail(busy="sealing the file ..."))

    def tell(self, report: dict[str, Any]) -> None:
        self.view.draw(Mail(end=tuple(closing_lines(report))))

    @property
    def about(self) -> dict[str, Any]:
        ready = self.ready
        return {
            "protocol": ready.plan.name, "cell": ready.cell.name, "area_cm2": ready.cell.area_cm2,
            "place": ready.place.name, "instrument": ready.instrument.name, "simulated": ready.simulated,
            "planned_s": ready.estimate.duration_s,
        }  # fmt: skip

    def state(self, progress: Progress) -> list[str]:
        return words.state_lines(self.about | where(progress, self.ready.cell.area_cm2))


class MovingScreen(Screen):
    """The same for a block that people look at."""

    def state(self, progress: Progress) -> list[str]:
        mark = [SIMULATED] if self.ready.simulated else []
        return [*mark, *super().state(progress), "Ctrl-C stops"]


def screen(ready: Prepared, out: Path, silent: bool, free: bool) -> Screen:
    """free: in virtual time."""
    if silent or sys.stdout is None:
        return Screen(ready, Nothing())
    moving = sys.stdout.isatty()
    kind = "moving" if moving else "lines"
    shown = view(kind) if free or not _has_descriptor() else Remote(kind, out)
    return (MovingScreen if moving else Screen)(ready, shown)


def _has_descriptor() -> bool:
    """Whether another process can write there. What has none (a string) cannot stand still either."""
    try:
        sys.stdout.fileno()
    except (OSError, io.UnsupportedOperation):
        return False
    return True


def _told(event: Event) -> str:
    ways = "; Ctrl-C twice more leaves it as it is" if event.code == "not_stopped" else ""
    return f"{words.told(event)}{ways}"
