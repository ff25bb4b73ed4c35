"""How much room the disk of a run has left, and for how long: told before it is full, not when it is.

Asked for twice a minute by whoever writes the record, never by the loop. What was set aside for the run is
its own, and counts as room.
"""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nakctl.record import files
from nakctl.text.numbers import duration, size

LOOK_EVERY_s = 30.0
LOW_BYTES = 1 << 30
SOON_s = 2 * 3600.0
# How fast it fills is judged over at least so long: somebody who copies a file is no reason for an alarm.
JUDGED_OVER_s, KEPT_FOR_s = 600.0, 1800.0


@dataclass(frozen=True, slots=True)
class LowDisk:
    """free_bytes for everybody, and set aside for the run; lasts_s as it fills now, None: it does not."""

    folder: Path
    free_bytes: int
    aside_bytes: int
    lasts_s: float | None

    def __str__(self) -> str:
        aside = f", and {size(self.aside_bytes)} set aside for this run" if self.aside_bytes else ""
        lasts = "" if self.lasts_s is None else f"; as it fills now, for {duration(self.lasts_s)}"
        return f"the disk of {self.folder} has {size(self.free_bytes)} left{aside}{lasts}"

    @property
    def facts(self) -> Mapping[str, float | None]:
        return {"free_bytes": self.free_bytes, "aside_bytes": self.aside_bytes, "lasts_s": self.lasts_s}


class Room:
    """Of the disk that NAME.h5 is on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._looked_at = time.monotonic()
        self._had: deque[tuple[float, int]] = deque()  # when, and bytes
        self._told_bytes: float | None = None

    def look(self) -> LowDisk | None:
        """What there is to tell: nothing before a while has passed, or if it was told and is not half yet."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_EVERY_s:
            return None
        self._looked_at = now
        try:
            free = shutil.disk_usage(self._path.parent).free
        except OSError:  # the drive is gone; that is noticed elsewhere
            return None
        return self.judged(now, free, self._aside())

    def judged(self, now_s: float, free: int, aside: int) -> LowDisk | None:
        room = free + aside
        lasts_s = self._lasts_s(now_s, room)
        if room >= LOW_BYTES and (lasts_s is None or lasts_s >= SOON_s):
            if room >= 2 * LOW_BYTES:
                self._told_bytes = None
            return None
        if self._told_bytes is not None and room > self._told_bytes / 2:
            return None
        self._told_bytes = room
        return LowDisk(self._path.parent, free, aside, lasts_s)

    def _lasts_s(self, now_s: float, room: int) -> float | None:
        self._had.append((now_s, room))
        while now_s - self._had[0][0] > KEPT_FOR_s:
            self._had.popleft()
        began_s, had = self._had[0]
        if now_s - began_s < JUDGED_OVER_s or room >= had:
            return None
        return room * (now_s - began_s) / (had - room)

    def _aside(self) -> int:
        with suppress(OSError):
            return files.reserve_of(self._path).stat().st_size
        return 0
