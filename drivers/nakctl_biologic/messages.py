"""What a channel says in words, one message at a time."""

from __future__ import annotations

import math

from nakctl.device.driver import ClockLike
from nakctl_biologic.errors import EclibError
from nakctl_biologic.link import Link
from nakctl_biologic.notes import Notes

EVERY_s = 1.0
MOST = 20  # in a row


class Messages:
    def __init__(self, link: Link, clock: ClockLike, notes: Notes) -> None:
        self._link, self._clock, self._notes = link, clock, notes
        self._asked_s = -math.inf
        self._in_a_row = 0

    def listen(self, *, at_once: bool) -> bool:
        """Ask for one, once a second or as long as there are any; whether there may be another."""
        now_s = self._clock.now_s()
        if not (at_once or self._in_a_row or now_s - self._asked_s >= EVERY_s):
            return False
        self._asked_s = now_s
        try:
            text = self._link.device.message(self._link.number)
        except EclibError:  # the next read will tell
            text = ""
        if text:
            self._notes.add(1, "instrument", text)
        self._in_a_row = self._in_a_row + 1 if text and self._in_a_row < MOST else 0
        return self._in_a_row > 0
