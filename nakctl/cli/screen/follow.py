"""A view of runs from outside, until all of them are over: what `nakctl watch` and `nakctl run` show.

    with Follower(runs, kind) as view:
        while view.look():
            view.draw()
            view.pause()
    view.reports

or `follow`, which does that. The runs take no part in it: whatever becomes of the terminal or of this
process, they do not notice. Ctrl-C is left to the caller, who may enter the same view again.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Protocol, Self

from nakctl.cli import console
from nakctl.cli.screen.canvas import letters_for
from nakctl.cli.screen.drawing import PLAIN_LINE_EVERY_s, print_lines
from nakctl.cli.screen.page import Line, page
from nakctl.cli.screen.watched import Watched
from nakctl.cli.screen.words import printable, state_lines
from nakctl.record.registry import KnownRun

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console, ScreenContext

EVERY_s = 0.5
LEAST_LINES = 4  # of one run among others
LAST_SAID = 20  # sentences that stay on the terminal when the view is left
ENDS_THE_VIEW = "Ctrl-C ends this view, and no run"


class Follower:
    """kind: moving, lines or nothing, see `drawing.kind_here`. hint: what can be done here, in a line.

    runs     as they were seen last
    hint     may change
    is_gone  nobody looks any more: the terminal is closed, or who read the lines is gone
    """

    def __init__(
        self, runs: Sequence[KnownRun], kind: str, *, hint: str = ENDS_THE_VIEW, back_s: float = math.inf
    ) -> None:
        self.runs = [Watched(run, back_s) for run in runs]
        self.is_gone = False
        self.hint = hint
        self._screen: _Screen = _Lines() if kind == "lines" else _Nothing()
        if kind == "moving":
            self._screen = _Moving(lambda: self.hint)

    def __enter__(self) -> Self:
        self._guarded(self._screen.open)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._guarded(lambda: self._screen.close(self.runs))

    def look(self) -> bool:
        """See what the runs do. Whether any of them goes on, and somebody looks."""
        for watched in self.runs:
            watched.look()
        return not (self.is_gone or all(watched.is_over for watched in self.runs))

    def draw(self) -> None:
        self._guarded(lambda: self._screen.draw(self.runs))

    def pause(self) -> None:
        time.sleep(EVERY_s)

    @property
    def reports(self) -> list[dict[str, Any]]:
        """How those ended that have ended, as `cli.report` tells it."""
        return [watched.report for watched in self.runs if watched.report is not None]

    def _guarded(self, draw: Any) -> None:
        if self.is_gone:
            return
        try:
            self.is_gone = draw() is False
        except OSError:
            self.is_gone = True


def follow(
    runs: Sequence[KnownRun], kind: str, *, hint: str = ENDS_THE_VIEW, back_s: float = math.inf
) -> list[dict[str, Any]]:
    """Show runs until all of them are over, or nobody looks. Returns how they ended."""
    with Follower(runs, kind, hint=hint, back_s=back_s) as view:
        while view.look():
            view.draw()
            view.pause()
        view.draw()
    return view.reports


def _has_begun(watched: Watched) -> bool:
    """There is something to be told of where it is."""
    return bool(watched.state.get("step_id"))


# --- screens -----------------------------------------------------------------------------------------------


class _Screen(Protocol):
    """False: nobody looks any more. OSError says the same."""

    def open(self) -> bool | None: ...

    def draw(self, runs: Sequence[Watched]) -> bool | None: ...

    def close(self, runs: Sequence[Watched]) -> bool | None: ...


class _Nothing:
    def open(self) -> None:
        pass

    def draw(self, runs: Sequence[Watched]) -> None:
        pass

    def close(self, runs: Sequence[Watched]) -> None:
        pass


class _Lines:
    """For pipes and logs: what is said, a line of state every few seconds, the end."""

    def __init__(self) -> None:
        self._told: set[int] = set()  # places of runs whose heads, or whose ends, were said
        self._ended: set[int] = set()
        self._next_s = 0.0

    def open(self) -> None:
        pass

    def close(self, runs: Sequence[Watched]) -> None:
        pass

    def draw(self, runs: Sequence[Watched]) -> bool:
        now_s = time.monotonic()
        is_due = now_s >= self._next_s
        lines: list[str] = []
        for place, watched in enumerate(runs):
            if place not in self._ended:
                mark = f"{watched.run.short_id}  " if len(runs) > 1 else ""
                lines += [mark + line for line in self._lines(place, watched, is_due)]
                if is_due and _has_begun(watched):
                    self._next_s = now_s + PLAIN_LINE_EVERY_s
        return print_lines(lines)

    def _lines(self, place: int, watched: Watched, is_due: bool) -> list[str]:
        lines: list[str] = []
        if place not in self._told:
            self._told.add(place)
            lines += [watched.head, *([] if watched.is_over else [f"recording into {watched.run.path}"])]
        lines += [text for _, text in watched.news()]
        if watched.is_over:
            self._ended.add(place)
            return [*lines, *watched.end]
        if is_due and _has_begun(watched):
            lines.append(" | ".join([watched.health.word, *state_lines(watched.state)]))
        return lines


class _Moving:
    """For people: a page that stays in place. What was said stays on the terminal when the view is left."""

    def __init__(self, hint: Callable[[], str]) -> None:
        self._hint = hint
        self._left = ExitStack()
        self._console: Console | None = None
        self._page: ScreenContext | None = None
        self._drawn: tuple[object, ...] = ()

    def open(self) -> None:
        from rich.console import Console

        self._console = Console(highlight=False)
        self._letters = letters_for(sys.stdout.encoding or "ascii")
        self._page = self._left.enter_context(self._console.screen(hide_cursor=True))
        self._drawn = ()

    def draw(self, runs: Sequence[Watched]) -> None:
        from rich.text import Text

        if self._console is None or self._page is None:
            return
        width, height = self._console.size
        lines = self._lines(runs, width - 1, height)
        if self._drawn == (width, height, *lines):
            return
        self._drawn = (width, height, *lines)
        text = Text("\n", no_wrap=True, overflow="crop", end="").join(
            Text(self._writable(line), style=style) for line, style in lines
        )
        self._page.update(text)

    def close(self, runs: Sequence[Watched]) -> None:
        with suppress(OSError):
            self._left.close()
        self._page = None
        for watched in runs:
            console.say(*self._kept(watched))

    def _lines(self, runs: Sequence[Watched], width: int, height: int) -> list[Line]:
        room = height - 1
        shown = runs[: max(1, (room - 1) // (LEAST_LINES + 1))] if len(runs) > 1 else runs
        lines: list[Line] = []
        for place, watched in enumerate(shown):
            share = (room - len(lines)) // (len(shown) - place)
            if len(shown) > 1:
                share -= 1
            lines += page(watched, width, share, self._letters)
            if len(shown) > 1 and place < len(shown) - 1:
                lines.append(("", ""))
        lines += [("", "")] * (room - len(lines))
        more = f"; and {len(runs) - len(shown)} more: nakctl status" if len(shown) < len(runs) else ""
        return [*lines[:room], (f"{time.strftime('%H:%M:%S')}  {self._hint()}{more}"[:width], "dim")]

    def _writable(self, text: str) -> str:
        """A letter that the terminal does not have takes the room of its number."""
        encoding = sys.stdout.encoding or "ascii"
        return printable(text).encode(encoding, "backslashreplace").decode(encoding)

    @staticmethod
    def _kept(watched: Watched) -> list[str]:
        """What stays to be read when the view is left."""
        said = [text for _, text in watched.news()][-LAST_SAID:]
        if watched.is_over:
            return [watched.head, *said, *watched.end]
        where = state_lines(watched.state) if _has_begun(watched) else []
        return [watched.head, *said, watched.health.word, *where, f"file {watched.run.path}"]
