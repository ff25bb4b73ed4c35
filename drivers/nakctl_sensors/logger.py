"""The process that reads the sensors of one run: `python -m nakctl_sensors.logger`.

It is told by lines of JSON on standard input, and tells by lines on standard output:

    in   {"path": ..., "sensors": [...]}       first: the result file, and the specs
         {"tie": [monotonic, run, error]}      the same moment on both clocks; error in s of the first
         {"set": [sensor, value]}
         {"end": true}
    out  {"ready": true}                       once every sensor has a thread
         {"values": {sensor: [time, value, low, high, trouble, gap]}, "notices": [...]}

When standard input ends, the run's process is gone, and so is this one. Ctrl-C is the run's business.
Readings wait until a tie after them is known, and go into NAME.h5.aux then; see `timemap`.
"""

from __future__ import annotations

import json
import math
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from nakctl.device.sensor import SensorNotice, SensorSpec, load_kind
from nakctl_sensors.extremes import Extremes
from nakctl_sensors.journal import AuxJournal
from nakctl_sensors.timemap import Tie, TimeMap, placed
from nakctl_sensors.watcher import Watcher

BEAT_s = 0.04  # how late a value may be for the run's guard, beside its own rate
GRACE_s = 0.5  # how long threads may take to let go of their instruments
MOST_WAITING = 200_000  # readings without a tie behind them: the run's process stands still
_GONE_DARK = "sensor_hangs"


class RunClock:
    """Time of the run, as far as this process knows it; what a simulated sensor lives in."""

    def __init__(self) -> None:
        self.map = TimeMap()

    def now_s(self) -> float:
        return self.map.time_s(time.perf_counter())

    def horizon_s(self) -> float:
        return self.now_s()

    def advance_to(self, time_s: float) -> None:
        pass

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def speed(self) -> float:
        return self.map.speed


class Logger:
    """All watchers, the journal, and what is told to the run. `turn` is called every beat."""

    def __init__(self, path: Path, specs: list[SensorSpec], tell: Callable[[dict[str, Any]], bool]) -> None:
        self.clock = RunClock()
        self.journal = AuxJournal(path)
        self.tell = tell
        self.watchers = {spec.name: self._watcher(spec) for spec in specs}
        self.waiting: dict[str, list[tuple[float, float, float]]] = {spec.name: [] for spec in specs}
        self.reached_s: dict[str, float] = {}  # time of the last reading that was written, by sensor
        self.extremes = {spec.name: Extremes() for spec in specs}
        self.notices: list[SensorNotice] = []
        self.hanging: set[str] = set()
        self.refused = ""

    def _watcher(self, spec: SensorSpec) -> Watcher:
        watcher = Watcher(spec, load_kind(spec.kind), self.clock, self.clock.speed)
        watcher.start()
        return watcher

    def hear(self, said: dict[str, Any]) -> None:
        """A line of the run's process."""
        if "tie" in said:
            monotonic, time_s, error = said["tie"]
            self._tie(Tie(monotonic, time_s, error * self.clock.speed()))
        elif "set" in said:
            name, value = said["set"]
            self.watchers[name].set_points.append(value)

    def _tie(self, tie: Tie) -> None:
        first = self.clock.map.newest is None
        self.clock.map = self.clock.map.tied(tie)
        self.journal.add_tie(tie)
        for name, readings in self.waiting.items():
            if first:  # what was read before the run began is no part of it
                self.waiting[name] = [each for each in readings if each[0] >= tie.monotonic]
            else:
                self._keep(name, tie.monotonic)
        self._write()

    def _keep(self, name: str, until: float) -> None:
        """Readings answered before `until` get their time and go into the journal."""
        readings, known = self.waiting[name], self.clock.map
        ready = [each for each in readings if each[1] <= until]
        if ready:
            self.waiting[name] = readings[len(ready) :]
            kept = placed(ready, known, self.reached_s.get(name, -math.inf))
            self.reached_s[name] = kept[-1][0]
            self.journal.add(name, kept)

    def _write(self) -> None:
        self.journal.write()
        if self.journal.trouble and not self.refused:
            text = f"readings wait in memory: {self.journal.trouble}"
            self.notices.append(SensorNotice("", 2, "sensors_disk_refuses", text))
        self.refused = self.journal.trouble

    def turn(self) -> None:
        """Collect what the threads have, look after them, and tell the run."""
        now = time.perf_counter()
        for name, watcher in self.watchers.items():
            self._collect(name, watcher)
            self._look_after(watcher, now)
            if len(self.waiting[name]) > MOST_WAITING:
                self._keep(name, now)
                self._write()
        known = self.clock.map
        values = {} if known.newest is None else self._values()
        time_s = known.time_s(now)
        notices = [
            _packed(each if each.time_s is not None else replace(each, time_s=time_s))
            for each in self.notices
        ]
        if (values or notices) and self.tell({"values": values, "notices": notices}):
            self.notices = []
            for extremes in self.extremes.values():
                extremes.clear()

    def _collect(self, name: str, watcher: Watcher) -> None:
        while watcher.readings:
            reading = watcher.readings.popleft()
            self.waiting[name].append(reading)
            self.extremes[name].add((reading[0] + reading[1]) / 2, reading[2])
        while watcher.notices:
            self.notices.append(watcher.notices.popleft())

    def _values(self) -> dict[str, list[Any]]:
        """What `device.sensor.Latest` holds, by sensor."""
        known = self.clock.map
        return {
            name: [
                known.time_s(seen.at),
                seen.value,
                seen.low,
                seen.high,
                self.watchers[name].health.trouble,
                seen.gap * known.speed,
            ]
            for name, seen in self.extremes.items()
            if seen.known
        }

    def _look_after(self, watcher: Watcher, now: float) -> None:
        """A call that never returns, a thread that died of something unforeseen."""
        name = watcher.spec.name
        if watcher.hangs(now):
            if name not in self.hanging:
                self.hanging.add(name)
                since = min(watcher.busy_since, now)
                self.waiting[name].append((since, since, float("nan")))
                text = f"{name} hangs: a call of its driver does not return"
                self.notices.append(SensorNotice(name, 1, _GONE_DARK, text))
        elif name in self.hanging:
            self.hanging.remove(name)
            self.notices.append(SensorNotice(name, 0, "sensor_back", f"{name} does not hang any more"))
        if watcher.died_of and not watcher.is_alive():
            self.waiting[name].append((now, now, float("nan")))
            text = f"{name} is read anew after an unforeseen error: {watcher.died_of}"
            self.notices.append(SensorNotice(name, 1, "sensor_restarted", text))
            self.watchers[name] = self._watcher(watcher.spec)

    def end(self) -> None:
        """Let go of the instruments, as far as they let go of us, and write what is left."""
        for watcher in self.watchers.values():
            watcher.stop()
        until = time.perf_counter() + GRACE_s
        for watcher in self.watchers.values():
            watcher.join(max(0.0, until - time.perf_counter()))
        for name, watcher in self.watchers.items():
            self._collect(name, watcher)
            if self.clock.map.newest is not None:
                self._keep(name, until + GRACE_s)
        self.turn()
        self.journal.close()


def _packed(notice: SensorNotice) -> list[Any]:
    return [notice.sensor, notice.severity, notice.code, notice.message, notice.time_s, notice.facts]


class Lines:
    """Standard input and output, each served by a thread: a run that stands still must not stop the log."""

    def __init__(self) -> None:
        self.heard: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._to_say: queue.Queue[dict[str, Any]] = queue.Queue(maxsize=250)
        for target in (self._listen, self._speak):
            threading.Thread(target=target, daemon=True).start()

    def say(self, message: dict[str, Any]) -> bool:
        """False if nobody listens for long already."""
        try:
            self._to_say.put_nowait(message)
        except queue.Full:
            return False
        return True

    def _listen(self) -> None:
        for line in sys.stdin:
            self.heard.put(json.loads(line))
        self.heard.put(None)

    def _speak(self) -> None:
        try:
            while True:
                sys.stdout.write(json.dumps(self._to_say.get()) + "\n")
                sys.stdout.flush()
                self._to_say.task_done()
        except OSError:
            self.heard.put(None)  # the reader is gone

    def flush(self) -> None:
        until = time.perf_counter() + GRACE_s
        while self._to_say.unfinished_tasks and time.perf_counter() < until:
            time.sleep(0.005)


def main() -> None:
    for name in ("SIGINT", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    lines = Lines()
    first = lines.heard.get()
    if first is not None:
        logger = Logger(
            Path(first["path"]), [SensorSpec.from_json(each) for each in first["sensors"]], lines.say
        )
        lines.say({"ready": True})
        _serve(logger, lines)
        logger.end()
        lines.flush()
    os._exit(0)  # a thread that hangs in a library would keep the process for ever


def _serve(logger: Logger, lines: Lines) -> None:
    """Until the end is said, or nobody is there any more."""
    beat = time.perf_counter()
    while True:
        beat = max(beat + BEAT_s, time.perf_counter())
        while (left_s := beat - time.perf_counter()) > 0:
            try:
                said = lines.heard.get(timeout=left_s)
            except queue.Empty:
                break
            if said is None or "end" in said:
                return
            logger.hear(said)
        logger.turn()


if __name__ == "__main__":
    main()
