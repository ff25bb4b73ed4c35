"""What a run in virtual time shows while it goes on, in words; `drawing` draws them in line, as nothing can
be late there. One that keeps a wall clock is a process of its own, and is shown from outside (`follow`).
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nakctl.cli.prepare import Prepared
from nakctl.cli.screen import words
from nakctl.cli.screen.drawing import Nothing, View, view
from nakctl.cli.screen.mail import ALARM, HEAD, PLAIN, WARNING, Mail
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

    def about_to_begin(self) -> None: ...

    def recording(self, out: Path) -> None:
        self.view.draw(Mail(said=((PLAIN, f"recording into {out}"),)))

    def warn(self, sentence: str) -> None:
        self.view.draw(Mail(said=((WARNING, sentence),)))

    def update(self, progress: Progress) -> None:
        said = tuple((ALARM if event.severity > 1 else WARNING, words.told(event)) for event in progress.news)
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


def screen(ready: Prepared, silent: bool) -> Screen:
    if silent or sys.stdout is None:
        return Screen(ready, Nothing())
    moving = sys.stdout.isatty()
    return (MovingScreen if moving else Screen)(ready, view("moving" if moving else "lines"))
