"""What is said of a sensor: each change of its condition once, and not more than a record can bear."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from nakctl.device.sensor import FROZEN, SensorNotice, SensorSpec

BURST, REFILL_s = 40.0, 10.0  # so many notices at once, then one per so many seconds


@dataclass
class Health:
    """The condition of one sensor. trouble: code of what is wrong, "" if nothing is.

    One that is frozen is read all the same: that is told, and no gap.
    """

    spec: SensorSpec
    trouble: str = ""
    since: float = 0.0
    failed: int = 0  # readings since the trouble began
    alike_since: float = 0.0
    last: float = math.nan
    room: float = BURST
    refilled: float = 0.0
    unsaid: int = 0
    shown_unit: str = ""
    notices: list[SensorNotice] = field(default_factory=list)

    def well(self, value: float, now: float, speed: float = 1.0) -> None:
        """A reading came. now: any clock in s; speed: seconds of the run per second of it."""
        if self.is_ill:
            self._is_back(now)
        alike_s = (now - self.alike_since) * speed
        if value != self.last:
            if self.trouble:
                self._moves_again(value, now, alike_s)
            self.last, self.alike_since = value, now
        elif self._is_frozen(alike_s) and not self.trouble:
            self.trouble = FROZEN
            self.say(1, FROZEN, f"has shown {value:g} {self.spec.unit} for {alike_s:.3g} s", now)

    @property
    def is_ill(self) -> bool:
        """Its last reading failed."""
        return self.trouble not in ("", FROZEN)

    def _is_frozen(self, alike_s: float) -> bool:
        return self.spec.frozen_after_s is not None and alike_s > self.spec.frozen_after_s

    def _is_back(self, now: float) -> None:
        lasted_s = now - self.since
        text = f"is back after {lasted_s:.3g} s and {self.failed} failed readings"
        facts = {"after": self.trouble, "seconds": lasted_s, "failed": self.failed}
        self.trouble, self.failed = "", 0
        self.say(0, "back", text, now, facts)

    def _moves_again(self, value: float, now: float, alike_s: float) -> None:
        self.trouble = ""
        text = f"moves again after {alike_s:.3g} s, to {value:g} {self.spec.unit}"
        self.say(0, FROZEN, text, now, {"seconds": alike_s})

    def shows(self, unit: str, now: float) -> None:
        """The unit that its numbers come in, "" for the agreed one."""
        if unit != self.shown_unit:
            text = f"shows {unit}, which is converted" if unit else "shows the agreed unit again"
            self.shown_unit = unit
            self.say(0, "unit", text, now, {"unit": unit})

    def ill(self, code: str, message: str, now: float) -> bool:
        """A reading failed. True if it is the first one: here the record has a gap."""
        first = not self.is_ill
        self.last = math.nan
        self.failed += 1
        if first:
            self.since = now
        if code != self.trouble:
            self.trouble = code
            self.say(1, code, message, now)
        return first

    def set_point(self, value: float, failure: str) -> None:
        """What became of a set-point, for whoever waits to hear it; failure "": it was sent."""
        said = f"{value:g} {self.spec.unit}"
        if failure:
            self._add(2, "not_set", f"could not be set to {said}: {failure}")
        else:
            self._add(0, "set", f"was set to {said}", {"value": value, "unit": self.spec.unit})

    def taken(self) -> list[SensorNotice]:
        notices, self.notices = self.notices, []
        return notices

    def say(
        self, severity: int, code: str, message: str, now: float, facts: dict[str, object] | None = None
    ) -> None:
        """Unless too much was said of late."""
        self.room = min(BURST, self.room + (now - self.refilled) / REFILL_s) if self.refilled else BURST
        self.refilled = now
        if self.room < 1:
            self.unsaid += 1
            return
        self.room -= 1
        self._add(severity, code, message, facts)

    def _add(self, severity: int, code: str, message: str, facts: dict[str, object] | None = None) -> None:
        name = self.spec.name
        notice = SensorNotice(name, severity, f"sensor_{code}", f"{name} {message}", None, facts or {})
        if self.unsaid:
            notice = replace(notice, facts=notice.facts | {"notices_left_out_before": self.unsaid})
            self.unsaid = 0
        self.notices.append(notice)
