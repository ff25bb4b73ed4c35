"""Runs of a campaign on channels with a clock: each is a process of its own, which this one only starts and
looks at. They go on without it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from nakctl.cli.apart import started
from nakctl.cli.beginning import job_of
from nakctl.cli.campaigns.planned import Planned
from nakctl.cli.screen.mail import ALARM
from nakctl.cli.screen.watched import Watched
from nakctl.cli.which_run import KnownRun, find_run
from nakctl.errors import ChannelError, InputError, NakctlError
from nakctl.record import asked, files

_BACK_s = 60.0  # of curves, which nobody draws here

Ended = tuple[int, dict[str, Any] | NakctlError]


class NotEnded(ChannelError):
    """Its program is gone, or has lost its channel, and nobody goes on with it."""


class Channels:
    """By their numbers in the campaign. said: what nobody has taken yet: sentences, alarms of runs."""

    def __init__(self) -> None:
        self.said: SimpleQueue[str] = SimpleQueue()
        self._going: dict[int, Watched] = {}
        self._sought: dict[int, Path] = {}
        self._asked: dict[int, int] = {}  # how often to stop
        self._starting: set[int] = set()
        self._started: SimpleQueue[tuple[int, Path | NakctlError]] = SimpleQueue()

    @property
    def going(self) -> Mapping[int, Watched]:
        """Those that have begun."""
        return self._going

    @property
    def is_busy(self) -> bool:
        return bool(self._going or self._starting or self._sought)

    def begin(self, number: int, one: Planned) -> None:
        """Waits for nothing: a channel that does not answer holds up no other one."""
        self._starting.add(number)
        threading.Thread(target=self._start, args=(number, one), daemon=True).start()

    def _start(self, number: int, one: Planned) -> None:
        try:
            job = job_of(one, one.options, sys.argv[1:])
            self._started.put((number, started(job, self.said.put)))
        except NakctlError as error:
            self._started.put((number, error))

    def watch(self, number: int, path: Path) -> None:
        """One that goes on already, or whose program died: for a while a successor is waited for."""
        self._sought[number] = path

    def look(self) -> list[Ended]:
        """What has ended."""
        found: list[Ended] = []
        while not self._started.empty():
            number, begun = self._started.get()
            self._starting.discard(number)
            if isinstance(begun, Path):
                self.watch(number, begun)
            else:
                found.append((number, begun))
        for number, path in list(self._sought.items()):
            if known := self._found(path):
                del self._sought[number]
                self._going[number] = Watched(replace(known, path=path), _BACK_s, was_live=True)
            elif not files.is_taken(path):
                del self._sought[number]
                found.append((number, NakctlError(f"{path} is not there any more")))
        for number, watched in list(self._going.items()):
            watched.look()
            for severity, text in watched.news():
                if severity >= ALARM:
                    self.said.put(f"{watched.run.path.stem}: {text}")
            if watched.is_over:
                del self._going[number]
                found.append((number, watched.report or NotEnded("; ".join(watched.end))))
        return found

    def _found(self, path: Path) -> KnownRun | None:
        """None: it has its name, and no journal yet."""
        try:
            return find_run(str(path))
        except InputError:
            return None

    def stop(self, times: int) -> None:
        """Ask each of them so often in all; those that cannot be asked yet are, when this is said again."""
        for number, watched in self._going.items():
            if self._asked.get(number, 0) < times:
                with suppress(OSError):
                    asked.put(watched.run.path, asked.new_request("stop"))
                    self._asked[number] = times
