"""A stop that is being asked for: when again, when it is an alarm, and when it may be given up.

Stop means stop: it is asked for until it is seen, with reading and recording going on. Whether the cell is
open and whether the last rows can be read are two questions, answered apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

AGAIN_s = 0.3  # a stop that did not stop is asked for again so soon
ALARM_s, REMINDER_s = 1.0, 30.0  # it is an alarm after so long, and again
ASKS_TO_LEAVE = 2  # by the operator, after that alarm: the channel is left as it is
UNREADABLE_s = 5.0  # rows of a stopped channel that cannot be read for so long are given up


@dataclass(slots=True)
class Stopping:
    """One stop. Times are those of the run.

    why      what the channel said to the last stop that it refused
    told     the alarm was raised; asked: how often the operator had asked for the end by then
    """

    since_s: float
    next_s: float = -math.inf
    alarm_s: float = ALARM_s
    why: str = ""
    told: bool = False
    asked: int = 0
    unreadable_since_s: float | None = None

    def is_due(self, now_s: float) -> bool:
        """Whether to ask now; the next time is a little later."""
        if now_s < self.next_s:
            return False
        self.next_s = now_s + AGAIN_s
        return True

    def alarm(self, now_s: float, times_asked: int) -> str:
        """What is to be told now of a channel that does not stop, or ""."""
        waited_s = now_s - self.since_s
        if waited_s < self.alarm_s and (self.told or not self.why):
            return ""
        if not self.told:
            self.told, self.asked = True, times_asked
        self.alarm_s = waited_s + REMINDER_s
        why = self.why or "it was told to stop, and runs on"
        return f"{why}; tried on for {waited_s:.3g} s, and further"

    def is_given_up(self, times_asked: int) -> bool:
        """The operator has heard the alarm, and has asked often enough since."""
        return self.told and times_asked - self.asked >= ASKS_TO_LEAVE

    def is_unreadable(self, now_s: float) -> bool:
        """To be called when a read failed: whether the last rows are not to be waited for any longer."""
        if self.unreadable_since_s is None:
            self.unreadable_since_s = now_s
        return now_s - self.unreadable_since_s >= UNREADABLE_s
