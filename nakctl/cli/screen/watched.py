"""One run as it is seen from outside, kept up to date by looking: its slot, its lock, its journal, its file.

Nothing here writes, waits or asks the run. What is kept of it is bounded, however long it lasts.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from nakctl.booking.event import Event
from nakctl.cli.health import Health, Seen, clock, look
from nakctl.cli.report import report_of, unrecorded
from nakctl.cli.screen import words
from nakctl.cli.screen.mail import ALARM, HEAD, PLAIN, WARNING
from nakctl.cli.screen.trace import Trace
from nakctl.errors import NakctlError
from nakctl.record import peek
from nakctl.record.registry import KnownRun
from nakctl.record.standing import Sealing, sealed_file
from nakctl.record.tail import Tail

KEPT, WAITING = 200, 1000  # sentences: that can be looked at, and that nobody has taken yet
AT_FIRST = 5  # of those from before the first look
OVERLAP_s = 60.0  # before what was read last: its disk may have been slow
DEAD_FOR_s = 15.0  # while a program that died may find a successor
_BAD = ("HUNG", "STUCK", "DEAD", "LOST", "AWAY")

Said = tuple[int, str]  # severity, see `mail`


class Watched:
    """back_s: how far back curves go; was_live: one that is dead now may find a successor, too.

    health  as of the last look; report: how it ended, as `cli.report` tells it, once it is over
    state   what the run told last of itself, and what is known of it besides
    trace   Ewe and I; tail.spectrum: the last one that is complete
    said    the last sentences, the oldest first; head: whose run it is
    is_over  nothing further is looked at: it is sealed, or will not be, or its program is gone
    """

    def __init__(self, run: KnownRun, back_s: float = math.inf, *, was_live: bool = False) -> None:
        self.run = run
        self.health = Health("opening")
        self.state: Mapping[str, Any] = {}
        self.trace = Trace(back_s)
        self.tail = Tail(run.path, run.run_id, back_s)
        self.said: deque[Said] = deque(maxlen=KEPT)
        self.report: dict[str, Any] | None = None
        self.end: tuple[str, ...] = ()  # the last lines, once it is over
        self.seen: Seen | None = None
        self._news: deque[Said] = deque(maxlen=WAITING)
        self._events: deque[str] = deque(maxlen=KEPT)
        self._sealing = Sealing(run.path)
        self._dead_since: float | None = None
        self._hung_before = False
        self._was_live = was_live
        self._has_read = self._has_read_end = False
        self._read_until_s = -math.inf  # in the time of the run
        self._about: dict[str, Any] = {}

    @property
    def is_over(self) -> bool:
        return bool(self.end)

    @property
    def is_sealed(self) -> bool:
        """As far as was looked."""
        return bool(self.report and self.report["sealed"])

    @property
    def head(self) -> str:
        return words.head(self.state or asdict(self.run))

    @property
    def planned_end(self) -> str:
        """The time of day, or ""."""
        ends = clock(self.run.ends)
        return "" if ends == "-" else ends

    @property
    def is_ending(self) -> bool:
        """The cell is done with, and the file is being made."""
        return self.health.word == "ended"

    def look(self) -> None:
        """See what has changed."""
        if self.is_over:
            return
        seen = look(self.run)
        self.seen = seen
        self._notice_health(seen)
        about = self._about or self._found_about()
        self.state = {**asdict(self.run), **about, **(seen.state or {})}
        word = seen.health.word
        if word == "sealed":
            self._close()
        elif word == "DEAD":
            self._wait_for_a_successor()
        elif word == "LOST":
            self._read(seen)
            self.end = (seen.health.text,)
        elif word == "ended" and not seen.held and self._sealing.stands_still():
            self._close()
        else:
            self._dead_since = None
            self._was_live |= seen.held
            self._read(seen)

    def news(self) -> list[Said]:
        """What was said since the last time."""
        news = list(self._news)
        self._news.clear()
        return news

    # --- what is seen ----------------------------------------------------------------------------------

    def _found_about(self) -> dict[str, Any]:
        """What the header says and a run does not tell: one that has been taken over, or is of old."""
        header = peek.header(self.run.path)
        if header is None:
            return {}
        sample, instrument = (header.get(part) or {} for part in ("sample", "instrument"))
        about = {
            "protocol": header.get("title"), "cell": sample.get("name"), "area_cm2": sample.get("area_cm2"),
            "instrument": instrument.get("model"), "simulated": header.get("simulated"),
        }  # fmt: skip
        self._about = {name: value for name, value in about.items() if value}
        return self._about

    def _read(self, seen: Seen) -> None:
        """What the journal has by now; of a run that has ended once more, as it is about to go."""
        if self._has_read_end:
            return
        self._has_read_end = self.is_ending
        state = seen.state or {}
        found = self.tail.look(bool(state.get("spectra")))
        self.trace.add(found.rows)
        self._read_until_s = float(state.get("time_s", self._read_until_s))
        before = [] if self._has_read else found.events[:-AT_FIRST]
        self._has_read = True
        self._events.extend(event.message for event in before)
        if before:
            self._say(PLAIN, f"({len(before)} notes before these: nakctl show, once it is sealed)")
        for event in found.events[len(before) :]:
            self._tell(event)

    def _tell(self, event: Event) -> None:
        self._events.append(event.message)
        self._say(ALARM if event.severity > 1 else WARNING, words.told(event))

    def _say(self, severity: int, text: str) -> None:
        said = severity, words.printable(text)
        self.said.append(said)
        self._news.append(said)

    def _notice_health(self, seen: Seen) -> None:
        """Who seems to hang is believed at the second look: this computer may have slept."""
        found = seen.health
        hangs = found.word == "HUNG"
        if hangs and not self._hung_before:
            self._hung_before = True
            return
        self._hung_before = hangs
        before, self.health = self.health, found
        is_the_end = found.word == "LOST" or (found.word == "DEAD" and self._patience_s == 0.0)
        if found.word in _BAD and before.word != found.word and not is_the_end:
            self._say(ALARM, f"{found.word}: {found.text}")
        elif before.word in _BAD and found.word not in (*_BAD, "sealed", "ended"):
            self._say(HEAD, "taken over" if before.word == "DEAD" else f"{found.word} again")

    # --- its end ---------------------------------------------------------------------------------------

    def _wait_for_a_successor(self) -> None:
        now = time.monotonic()
        self._dead_since = self._dead_since or now
        if now - self._dead_since >= self._patience_s:
            if self.seen is not None:
                self._read(self.seen)
            if self.state.get("state") == "ended":
                self.report = unrecorded(self.run.path, self.state)
                self.end = tuple(words.closing_lines(self.report))
                return
            dead = f"{self.health.word}: {self.health.text}"
            self.end = (f"nobody has taken it over for {DEAD_FOR_s:g} s",) if self._patience_s else (dead,)

    @property
    def _patience_s(self) -> float:
        """Only of a channel that outlives its program, and of a run that was seen alive and did not end."""
        has_ended = self.state.get("state") == "ended"
        return DEAD_FOR_s if self.run.outlives and self._was_live and not has_ended else 0.0

    def _close(self) -> None:
        """Told from its files alone."""
        try:
            self._tell_what_was_missed()
            self.report = report_of(self.run.path)
            self.end = tuple(words.closing_lines(self.report))
        except NakctlError as error:
            self.end = (str(error),)

    def _tell_what_was_missed(self) -> None:
        """The journal is removed as the file is sealed: what it said last stands there."""
        if not self._has_read:
            return
        from nakctl.record.read import open_run

        columns: list[list[Any]] = [[], [], []]
        with suppress(NakctlError), open_run(sealed_file(self.run.path)) as run:
            columns = [run.events[name][-KEPT:].tolist() for name in ("time", "severity", "message")]
        for time_s, severity, text in zip(*columns, strict=True):
            is_new = time_s > self._read_until_s - OVERLAP_s
            if severity > 0 and is_new and not any(said.startswith(text) for said in self._events):
                self._tell(Event(time_s, severity, "", 0, text))
