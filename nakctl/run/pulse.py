"""Whether the loop lives: what it waits for, since when, and how long its rounds take.

Written by the loop, read by the supervisor in another thread; every field is replaced whole.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

TELL_EVERY_s = 60.0  # late rounds are told together
ALARM_s = 1.0  # a call that guards a limit
SLOW_ALARM_s = 15.0  # one of those during which the cell is open
GUARDING = frozenset({"read", "look", "stop"})


class Abandoned(BaseException):
    """A call came back to a run that was left meanwhile: nothing further is done."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the channel under way, since so long on `time.monotonic`."""

    name: str
    since: float


@dataclass(frozen=True, slots=True)
class Late:
    """Rounds that took longer than promised: the longest, what it waited for, and how many there were."""

    took_s: float
    waited_for: str
    rounds: int


def alarm_after_s(call: str) -> float:
    """A call that is not back after so long is one that hangs."""
    return ALARM_s if call in GUARDING else SLOW_ALARM_s


class Pulse:
    """Of one run."""

    def __init__(self) -> None:
        self.call: Call | None = None
        self._abandoned = False
        self._returning = threading.Lock()
        self._began = time.monotonic()
        self._longest = (0.0, "")
        self._late: Late | None = None
        self._told = -TELL_EVERY_s

    @contextmanager
    def calling(self, name: str) -> Iterator[None]:
        """Around a call of the channel."""
        began = time.monotonic()
        self.call = Call(name, began)
        try:
            yield
        finally:
            with self._returning:
                self.call = None
            self._longest = max(self._longest, (time.monotonic() - began, name))
            if self._abandoned:
                raise Abandoned

    def abandon(self, call: Call) -> bool:
        """Leave the loop behind in this call. False: it has just come back, and the loop goes on."""
        with self._returning:
            self._abandoned = self.call is call
        return self._abandoned

    def begin_round(self) -> None:
        self._began, self._longest = time.monotonic(), (0.0, "")

    def end_round(self, promised_s: float) -> None:
        took_s = time.monotonic() - self._began
        if took_s <= promised_s:
            return
        call_s, name = self._longest
        waited_for = f"{name} of the channel took {call_s:.3g} s" if name else "this computer"
        known = self._late
        if known is None or took_s > known.took_s:
            self._late = Late(took_s, waited_for, 1 if known is None else known.rounds + 1)
        else:
            self._late = replace(known, rounds=known.rounds + 1)

    def late_rounds(self) -> Late | None:
        """Those since the last telling, once a minute at the most."""
        now = time.monotonic()
        if self._late is None or now - self._told < TELL_EVERY_s:
            return None
        late, self._late, self._told = self._late, None, now
        return late
