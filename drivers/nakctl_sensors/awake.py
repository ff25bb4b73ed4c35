"""Time as far as this process was awake for it.

Who watches another process may have been asleep itself: the computer suspended, the terminal at Ctrl-Z. What
it did not hear meanwhile is nobody's fault, so a long sleep counts like a short one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from nakctl.device.sensor import Latest

LOOK_AT_MOST_s = 2.0  # a round of the run's loop may take that long


class Awake:
    """gone_s: since the last call, at most `at_most_s`; 0 at the first."""

    def __init__(self, at_most_s: float) -> None:
        self.at_most_s = at_most_s
        self.before: float | None = None

    def gone_s(self) -> float:
        now = time.monotonic()
        gone_s = 0.0 if self.before is None else min(now - self.before, self.at_most_s)
        self.before = now
        return gone_s


class Sight:
    """Of each sensor, for how long it has shown no value to judge limits by. Asked once per look."""

    def __init__(self, names: Iterable[str]) -> None:
        self.unseen_s = dict.fromkeys(names, 0.0)
        self._awake = Awake(LOOK_AT_MOST_s)

    def look(self, latest: Mapping[str, Latest]) -> None:
        gone_s = self._awake.gone_s()
        for name, unseen_s in self.unseen_s.items():
            seen = latest.get(name)
            well = seen is not None and seen.is_seen
            self.unseen_s[name] = 0.0 if well else unseen_s + gone_s
