"""Starts the sensors' process, listens for its beat, ends it when it stands still, and starts another one.

A thread of the run's process. It may wait for the system as long as that takes: the thread that controls the
cell takes what is in the inbox, and never waits for this one before the run is over.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import asdict
from pathlib import Path

from nakctl.device.sensor import Ramp, SensorNotice, SensorSpec
from nakctl.device.sensor_journal import aux_of
from nakctl_sensors.awake import Awake
from nakctl_sensors.child import Child, Inbox
from nakctl_sensors.journal import AuxJournal

TICK_s, TICK_AT_MOST_s = 0.1, 0.5
TOLD_AFTER_s, ENDED_AFTER_s = 1.0, 1.5  # without a beat, of which there are 25 in a second
START_s = 10.0  # how long the first beat may take: libraries are loaded before it
HOUR_s = 3600.0
LEAVE_s = 5.0  # how long it may take to end; it lets go of hanging instruments much sooner
DEATH_s = 2.0  # how long the system may take to end it
CLOSE_AT_MOST_s = LEAVE_s + DEATH_s + 3.0


class Steward(threading.Thread):
    """ready: set once it is known whether the sensors are read. ties: the newest two, as they were said."""

    def __init__(self, path: Path, specs: tuple[SensorSpec, ...]) -> None:
        super().__init__(name="sensors", daemon=True)
        self.path, self.specs = path, specs
        self.inbox = Inbox()
        self.ready = threading.Event()
        self.child: Child | None = None
        self.ties: deque[list[float]] = deque(maxlen=2)
        # set-points of which nothing has come back yet, and ramps that are not known to be where they end
        self.asked: dict[str, float | Ramp] = {}
        self._leaving = threading.Event()
        self._begun_anew: deque[float] = deque()
        self._hole_from: float | None = None

    # --- for the thread that controls the cell: nothing here waits ----------------------------------------

    def tie(self, tie: list[float]) -> None:
        self.ties.append(tie)
        self._say({"tie": tie})

    def ask(self, name: str, value: float | Ramp) -> None:
        """Said again to whoever follows the process that has not answered it. A ramp then is where it should
        be by that time."""
        self.asked[name] = value
        self._say(_set(name, value))

    def answered(self, notice: SensorNotice) -> None:
        """Something came back: of a ramp only that it is where it ends."""
        asked = self.asked.get(notice.sensor)
        if not isinstance(asked, Ramp) or notice.facts.get("value") == asked.to:
            self.asked.pop(notice.sensor, None)

    def _say(self, message: dict[str, object]) -> None:
        child = self.child
        if child is not None:
            child.say(message)

    def is_well(self) -> bool:
        """Whether the sensors are read at the moment."""
        child = self.child
        return child is not None and child.beat is not None and self._hole_from is None

    def leave(self) -> None:
        """The run is over: waits for the process to end, and not for ever."""
        self._leaving.set()
        self.join(CLOSE_AT_MOST_s)

    # --- the life of its processes ------------------------------------------------------------------------

    def run(self) -> None:
        while not self._leaving.is_set():
            self._leaving.wait(self._one_life())
        child = self.child
        if child is not None:
            self._see_off(child)
        if self._hole_from is not None:
            self._write_hole()

    def _one_life(self) -> float:
        """One process, until it is dead or the run is over. How long to wait before the next one."""
        try:
            child = Child(self._first_words(), self.inbox)
        except OSError as error:
            text = f"the process that reads the sensors cannot be started: {error}"
            return self._broke_off("sensors_lost", text, time.perf_counter())
        self.child = child
        for name, value in list(self.asked.items()):  # not before it can be asked: else one may fall between
            child.say(_set(name, value))
        code, text = self._watch(child)
        if not code:
            return 0.0
        pause_s = self._broke_off(code, text, child.lived_until)
        self.child = None
        self._end(child)
        return pause_s

    def _first_words(self) -> dict[str, object]:
        return {
            "path": str(self.path),
            "sensors": [spec.as_json() for spec in self.specs],
            "ties": list(self.ties),
            "hole": self._hole_from,
        }

    def _watch(self, child: Child) -> tuple[str, str]:
        """Code and text of why it is given up; "" if the run is over."""
        awake, silent_s, heard, told = Awake(TICK_AT_MOST_s), 0.0, 0, False
        while not self._leaving.wait(TICK_s):
            silent_s += awake.gone_s()
            beat = child.beat
            if beat is not None and beat.beat != heard:
                if told or heard == 0:
                    self._is_read_again(beat.at)
                heard, silent_s, told = beat.beat, 0.0, False
            if child.is_over():
                return "sensors_died", f"no sensor is read: the process died ({child.complaint()})"
            if silent_s > (TOLD_AFTER_s if heard else START_s) and not told:
                self._stands_still(child.lived_until, silent_s)
                told = True
            if silent_s > (ENDED_AFTER_s if heard else START_s):
                return "sensors_ended", f"the sensors' process told nothing for {silent_s:.2g} s and is ended"
        return "", ""

    def _stands_still(self, since: float, silent_s: float) -> None:
        """Said before it is ended: it may move again, but nobody sees the sensors meanwhile."""
        if self._hole_from is None:
            self._hole_from = since
        text = f"sensors stand still: their process told nothing for {silent_s:.2g} s"
        self._notice(2, "sensors_still", text)

    def _is_read_again(self, at: float) -> None:
        self.ready.set()
        if self._hole_from is not None:
            hole_s, self._hole_from = at - self._hole_from, None
            text = f"the sensors are read again, after {hole_s:.3g} s"
            self._notice(1, "sensors_back", text, {"seconds": hole_s})

    def _broke_off(self, code: str, text: str, since: float) -> float:
        """Said at once, before anything is done about it. How long to wait before the next start."""
        pause_s = self._pause_s()
        if self._hole_from is None:
            self._hole_from = since
        later = f" in {pause_s:.0f} s" if pause_s else ""
        severity = 1 if code == "sensors_ended" else 2  # of that the alarm was told
        self._notice(severity, code, f"{text}; another one is started{later}")
        self.ready.set()
        return pause_s

    def _pause_s(self) -> float:
        """The first start anew of an hour is at once, each further one waits twice as long: 12 at most."""
        now = time.monotonic()
        while self._begun_anew and self._begun_anew[0] < now - HOUR_s:
            self._begun_anew.popleft()
        before = len(self._begun_anew)
        self._begun_anew.append(now)
        return 0.0 if before == 0 else 2.0 ** (before - 1)

    def _end(self, child: Child) -> None:
        """Its ports and its journal are free only when the system says that it is dead: not before is there
        another one."""
        child.process.kill()  # works on one that was stopped, too
        told = False
        while not child.ended_within(DEATH_s):
            if not told:
                self._notice(2, "sensors_stuck", "the sensors' process cannot be ended: a driver holds it")
                told = True
            if self._leaving.is_set():
                self._hole_from = None  # the journal is still its own
                return
        child.bury()

    def _see_off(self, child: Child) -> None:
        """At the end of the run: ask it to end, end it if it does not."""
        child.say_goodbye()
        if child.ended_within(LEAVE_s):
            child.bury()
            if child.process.returncode == 0:  # it wrote the journal to its end
                self._hole_from = None
            return
        self._hole_from = child.lived_until
        text = f"the sensors' process did not end within {LEAVE_s:g} s and was killed"
        self._notice(2, "sensors_still", text)
        self._end(child)

    def _write_hole(self) -> None:
        """Nobody came after it: who opens the journal says where readings broke off."""
        if aux_of(self.path).exists():
            AuxJournal(self.path).close()

    def _notice(self, severity: int, code: str, text: str, facts: dict[str, object] | None = None) -> None:
        self.inbox.notices.append(SensorNotice("", severity, code, text, None, facts or {}))


def _set(name: str, value: float | Ramp) -> dict[str, object]:
    return {"set": [name, asdict(value) if isinstance(value, Ramp) else value]}
