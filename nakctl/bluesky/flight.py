"""One run of an experiment, from its start to its sealed file, as whoever asked for it sees it.

The run is a process of its own that needs nobody: here it is started as `nakctl run` starts it, looked at as
`nakctl watch` looks, and stopped as `nakctl stop` stops it. Nothing here can hold a limit of it up.
"""

from __future__ import annotations

import atexit
import logging
import subprocess
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from nakctl import isolated
from nakctl.bluesky.status import Status
from nakctl.bluesky.steps import Feed
from nakctl.cli.apart import HasBegun
from nakctl.cli.report import CELL_OPEN, report_of
from nakctl.cli.screen.mail import ALARM
from nakctl.cli.screen.watched import Watched
from nakctl.cli.which_run import find_run
from nakctl.errors import ChannelError, ExitCode, NakctlError, place_of, typed
from nakctl.record import asked
from nakctl.record.standing import Standing, sealed_file, standing
from nakctl.run.run import UNDER_CURRENT

LOOK_s = 0.1  # how soon a step is seen that has begun, once its first row is recorded
LEAVING_s = 30.0  # a program that ends waits for so long until a stop that it asked for is under way
log = logging.getLogger("nakctl.bluesky")

Begin = Callable[[Callable[[str], None], Callable[[], bool]], Path]  # as `apart.started`, but for the job
Waiter = Callable[["Flight"], bool]  # asked whenever something was seen: whether it has what it waits for


class NotCompleted(NakctlError):
    """The run did not end as it was to. report: how it ended, as `nakctl run --json` tells it."""

    def __init__(self, message: str, report: dict[str, Any]) -> None:
        super().__init__(message)
        self.report = report
        self.exit_code = ExitCode(report["exit_code"])


class Flight:
    """name: of the experiment, for what is told; speed: of the run's clock.

    begun, over, stopped  statuses: it is recording; it has ended and is sealed; it has ended, and its cell
                          was seen open
    path, feed            of its file, and its steps, once it has begun
    report                how it ended
    is_left               its program is gone, nobody goes on with it, and nobody has seen to its cell
    """

    def __init__(self, name: str, begin: Begin, speed: float) -> None:
        self.name, self._begin, self._speed = name, begin, speed
        self.begun = Status(f"the start of {name}")
        self.over = Status(f"the run of {name}")
        self.stopped = Status(f"the stop of {name}")
        self.path: Path | None = None
        self.feed: Feed | None = None
        self.report: dict[str, Any] | None = None
        self._waiters: list[Waiter] = []
        self._lock, self._asking = threading.Lock(), threading.Lock()
        self._is_wanted, self.is_left = True, False
        self._is_asked = self._is_sent_for = False  # to stop; somebody who stops a run whose program is gone
        _ALL.add(self)

    def start(self) -> None:
        threading.Thread(target=self._live, name=f"nakctl {self.name}", daemon=True).start()

    def stop(self) -> Status:
        """At once, as `nakctl stop`; nothing if it is over. The status: `stopped`."""
        self._is_wanted = False  # where it has not begun, that is enough
        if self.path is not None and not (self.report and self.report["sealed"]):
            self._ask_to_stop(self.path)
        return self.stopped

    def when(self, waiter: Waiter) -> None:
        """Ask it whenever something was seen, and once it is over, until it has what it waits for."""
        with self._lock:
            if not self.over.done:
                self._waiters.append(waiter)
                return
        waiter(self)

    # --- in a thread of its own -------------------------------------------------------------------------

    def _live(self) -> None:
        try:
            path = self._started()
            self.feed, self.path = Feed(path, self._speed), path
            if not self._is_wanted:
                self._ask_to_stop(path)
            self.begun.finish()
            self._follow(path)
        except NakctlError as error:
            self._ended(error)
        except KeyboardInterrupt:  # it is not wanted any more
            self._ended(None)
        except Exception as error:
            log.exception("a fault of nakctl itself")
            self._ended(NakctlError(f"a fault of nakctl itself ({place_of(error)}): {error}"))

    def _started(self) -> Path:
        try:
            return self._begin(log.warning, lambda: self._is_wanted).resolve()
        except HasBegun as late:
            return late.path.resolve()

    def _follow(self, path: Path) -> None:
        watched = Watched(find_run(str(path)), back_s=0.0)
        assert self.feed is not None
        while not watched.is_over:
            watched.look()
            self._tell_progress(watched.state)
            for severity, text in watched.news():
                log.log(logging.ERROR if severity == ALARM else logging.WARNING, "%s: %s", self.name, text)
            self.feed.look()
            self._wake()
            if not self._is_wanted:
                self._ask_to_stop(path)
            time.sleep(LOOK_s)
        self.report = watched.report
        if self.report is None or not self.report["sealed"]:
            self.is_left = standing(path) is Standing.DEAD
            self._ended(ChannelError("; ".join(watched.end)))
            if not self._is_wanted:
                self._ask_to_stop(path)
            return
        self.feed.finish(sealed_file(path))
        is_open = self.report["cell_state"] == CELL_OPEN
        as_wanted = self.report["exit_code"] == ExitCode.DONE or (is_open and not self._is_wanted)
        self._ended(None if as_wanted else _not_completed(self.report), is_open=is_open)

    def _tell_progress(self, state: Mapping[str, Any]) -> None:
        time_s, planned_s = state.get("time_s"), state.get("planned_s")
        if time_s is not None and planned_s is not None:
            self.over.progress(name=self.name, current=time_s, initial=0.0, target=planned_s, unit="s")

    def _ended(self, error: NakctlError | None, *, is_open: bool = False) -> None:
        self.begun.finish(error)  # nothing, if it had begun
        with self._lock:
            self.over.finish(error)
        self._wake()
        never_began = self.path is None
        if not self.is_left:
            self.stopped.finish(None if is_open or never_began else error or ChannelError(UNDER_CURRENT))

    def _wake(self) -> None:
        """In the order in which they came; they may call `when`."""
        with self._lock:
            waiters, self._waiters = self._waiters, []
        left = [waiter for waiter in waiters if not waiter(self)]
        with self._lock:
            self._waiters = left + self._waiters

    # --- stopping ---------------------------------------------------------------------------------------

    def _ask_to_stop(self, path: Path) -> None:
        """Into the mailbox of the run. One that has just begun has none yet, and is asked again. For one
        whose program is gone `nakctl stop` knows what to do."""
        with suppress(OSError, NakctlError), self._asking:
            if standing(path) is Standing.LIVE:
                if not self._is_asked:
                    asked.put(path, _stop_request())
                    self._is_asked = True
            elif standing(path) is Standing.DEAD and not self._is_sent_for:
                log.warning("%s: its program is gone: nakctl stop %s", self.name, typed(path))
                stopping = isolated.start("nakctl", "stop", "--", str(path))
                self._is_sent_for = self._is_asked = True
                threading.Thread(target=self._see_stopped, args=(path, stopping), daemon=True).start()

    def _see_stopped(self, path: Path, stopping: subprocess.Popen[str]) -> None:
        """What becomes of the cell of a run whose program is gone, and of what it recorded."""
        out, err = stopping.communicate()
        told = (err or out).strip()
        log.log(logging.ERROR if stopping.returncode else logging.WARNING, "%s: %s", self.name, told)
        with suppress(NakctlError, OSError):
            self.report = report_of(path)
            if self.feed is not None:
                self.feed.finish(sealed_file(path))
        self.is_left = False
        self.stopped.finish(ChannelError(told) if stopping.returncode else None)

    @property
    def is_leaving(self) -> bool:
        """It is to be stopped, and nobody has heard that yet."""
        return not (self._is_wanted or self.over.done or self._is_asked)


_ALL: weakref.WeakSet[Flight] = weakref.WeakSet()


@atexit.register
def _see_to_stops() -> None:
    """A program that ends takes its threads along: not before a stop that it was asked for is under way."""
    until = time.monotonic() + LEAVING_s
    while any(flight.is_leaving for flight in [*_ALL]) and time.monotonic() < until:
        time.sleep(LOOK_s)


def _stop_request() -> asked.Request:
    request = asked.new_request("stop")
    who = f"a Bluesky plan of {request.who}".encode()[: asked.MOST_WHO_BYTES].decode(errors="ignore")
    return replace(request, who=who)


def _not_completed(report: dict[str, Any]) -> NotCompleted:
    cell = "the cell is open" if report["cell_state"] == CELL_OPEN else UNDER_CURRENT
    error = (
        f"; {report['error']}" if report.get("error") and report["error"] not in report["end_reason"] else ""
    )
    text = f"{report['title']}: {report['status']}: {report['end_reason']}{error}; {cell}; {report['file']}"
    return NotCompleted(text, report)
