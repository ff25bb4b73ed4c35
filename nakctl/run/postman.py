"""Looks after the mailbox of a run, in a thread of its own: a disk may hang, and the loop waits for nobody.

The loop takes what was asked for and gives back answers, both without waiting. What is no request, and what
is more than can be taken at once, is refused here; the loop only hears how much that was.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from nakctl.errors import place_of
from nakctl.record import asked, files
from nakctl.record.asked import Answer, NoRequest, Request
from nakctl.record.store import reason_of

EVERY_s = 0.2
MOST_OPEN = 32  # requests that wait for their answer together; of those to stop at once, as many again
MOST_ANSWERS = 256  # that nobody fetched
LAST_s = 2.0  # to write the last answers
STILL_s = 30.0  # a disk that does not answer for so long is told of


@dataclass(frozen=True, slots=True)
class Refused:
    """What was no request, or one too many. first: one of them, and why."""

    count: int
    first: str


class Post(Protocol):
    """The loop's side of it; no call waits."""

    def taken(self) -> list[Request]:
        """What was asked for since the last time."""

    def answer(self, given: Answer) -> None: ...

    def refused(self) -> Refused | None:
        """Since the last time."""

    @property
    def trouble(self) -> str:
        """Why requests cannot be taken now, "" if they can."""


class NoPost:
    """Where time is virtual nobody can ask for anything in time."""

    trouble = ""

    def taken(self) -> list[Request]:
        return []

    def answer(self, given: Answer) -> None: ...

    def refused(self) -> Refused | None:
        return None


@contextmanager
def delivered(postman: Postman | None) -> Iterator[Post]:
    """It goes round while this lasts. None: there is no mailbox."""
    if postman is None:
        yield NoPost()
        return
    postman.start()
    try:
        yield postman
    finally:
        postman.close()


class Postman:
    """Of one run. From `start` to `close` there is a mailbox beside NAME.h5.

    clear  what lies there already was meant for nobody: so where a run begins
    """

    def __init__(self, path: Path, *, clear: bool = True, every_s: float = EVERY_s) -> None:
        self.path, self._clear, self._every_s = path, clear, every_s
        self._over, self._wake = threading.Event(), threading.Event()
        self._lock = threading.Lock()  # of what both sides change, held for a moment
        self._given: deque[Request] = deque()
        self._answers: deque[Answer] = deque()
        self._refused = Refused(0, "")
        self._known: set[str] = set()  # names of files that were looked at, and may lie there still
        self._open: dict[str, bool] = {}  # ids of requests without an answer; whether they are stops
        self._written: deque[str] = deque()
        self._why = ""
        self._looked_at = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="post", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """What was answered is written, if the disk takes it in time."""
        self._over.set()
        self._wake.set()
        self._thread.join(LAST_s)

    # --- the loop's side -------------------------------------------------------------------------------

    def taken(self) -> list[Request]:
        if not self._given:
            return []
        with self._lock:
            given = list(self._given)
            self._given.clear()
        return given

    def answer(self, given: Answer) -> None:
        self._answers.append(given)
        self._wake.set()

    def refused(self) -> Refused | None:
        if not self._refused.count:
            return None
        with self._lock:
            refused, self._refused = self._refused, Refused(0, "")
        return refused

    @property
    def trouble(self) -> str:
        still_s = time.monotonic() - self._looked_at
        return f"the disk has not answered for {STILL_s:g} s" if still_s > STILL_s else self._why

    # --- the thread ------------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._over.is_set():
            try:
                self._round()
                self._why = ""
            except OSError as error:
                self._why = reason_of(error)
            except Exception as error:  # noqa: BLE001  (whatever lies there, the run goes on)
                self._why = f"a fault of nakctl itself ({place_of(error)})"
            self._looked_at = time.monotonic()
            self._wake.wait(self._every_s)
            self._wake.clear()
        with suppress(OSError):
            self._write_answers()

    def _round(self) -> None:
        if self._clear:  # what lies there was not meant for this run
            files.remove_mailbox(self.path)
            self._clear = False
        try:
            self._look()
        except FileNotFoundError:  # there is none yet, or somebody removed it
            files.asked_of(self.path).mkdir(exist_ok=True)
        self._write_answers()

    def _write_answers(self) -> None:
        while self._answers:
            given = self._answers[0]
            asked.answer(self.path, given)
            self._answers.popleft()
            self._open.pop(given.id, None)
            self._written.append(given.id)
        while len(self._written) > MOST_ANSWERS:
            asked.forget(self.path, self._written.popleft())

    def _look(self) -> None:
        lying = sorted(asked.lying_in(self.path))
        self._known.intersection_update(lying)
        for name in lying:
            if name in self._known:
                continue
            try:
                request = asked.read(self.path, name)
            except NoRequest as error:
                self._refuse(name, str(error))
                self._known.add(name)  # it may stay
                with suppress(OSError):
                    asked.discard(self.path, name)
            except OSError:  # it is gone, or can be read later
                continue
            else:
                self._known.add(name)
                self._give(request)

    def _give(self, request: Request) -> None:
        """To the loop, unless that has enough of the kind."""
        alike = sum(is_stop == request.is_stop for is_stop in self._open.values())
        if alike >= MOST_OPEN:
            if len(self._answers) >= MOST_ANSWERS:  # the next round will see it again
                self._known.discard(asked.name_of(request))
                return
            self._refuse(f"a {request.verb} of {request.who}", "too many requests at once")
            self._answers.append(Answer(request.id, "refused", "too many requests at once: ask again"))
            return
        self._open[request.id] = request.is_stop
        with self._lock:
            self._given.append(request)

    def _refuse(self, name: str, why: str) -> None:
        with self._lock:
            before = self._refused
            first = before.first or f"{ascii(name)[:60]}: {why}"
            self._refused = Refused(before.count + 1, first)
