"""The process that reads the sensors of one run: `nakctl_sensors.logger`, isolated.

It is told by lines of JSON on standard input, and tells by lines on standard output:

    in   {"path": ..., "sensors": [...],      first: the result file, the specs; and if another process read
          "ties", "hole"}                     them before, the last ties, and since when nobody has read them
         {"tie": [monotonic, run, error]}     the same moment on both clocks; error in s of the first
         {"set": [sensor, value]}             value: a number, or a ramp by the names of `Ramp`
         {"end": true}
    out  see `told`: a line each beat, whether there is anything to tell or not; the first one once every
         sensor has a thread

When standard input ends, the run's process is gone, and within a second so is this one, whatever hangs: its
ports are free then. Ctrl-C is the run's business.
Readings wait until a tie after them is known, and go into NAME.h5.aux then; see `timemap`.
"""

from __future__ import annotations

import json
import math
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from nakctl import isolated
from nakctl.device.sensor import Ramp, SensorNotice, SensorSpec, load_kind
from nakctl_sensors.journal import AuxJournal, Writer
from nakctl_sensors.minder import Minder
from nakctl_sensors.runclock import RunClock
from nakctl_sensors.timemap import placed
from nakctl_sensors.told import line_of

BEAT_s = 0.04  # how late a value may be for the run's guard, beside its own rate
ASLEEP_s, AWAKE_AGAIN_s = 1.0, 2.0  # a beat so late: all stood still, and gets so long to move again
GRACE_s = 0.5  # how long threads may take to let go of their instruments
ORPHAN_s = 0.8  # how long all of it may take once the run's process is gone
MOST_WAITING = 200_000  # readings without a tie behind them: the run's process stands still


class Logger:
    """All minders, the journal, and what is told to the run. `turn` is called every beat.

    tell  takes a line; False if nobody listens for long already
    """

    def __init__(self, first: Mapping[str, Any], tell: Callable[[str], bool]) -> None:
        self.tell = tell
        self.clock = RunClock()
        for tie in first["ties"]:
            self.clock.map = self.clock.map.heard(*tie)
        self.journal = AuxJournal(Path(first["path"]))
        self.writer = Writer(self.journal)
        specs = [SensorSpec.from_json(each) for each in first["sensors"]]
        self.minders = {
            spec.name: Minder(spec, load_kind(spec.kind), self.clock, first["hole"]) for spec in specs
        }
        self.notices: list[SensorNotice] = []
        self.refused = ""
        self.beat, self.turned, self.judges_from = 0, math.inf, -math.inf
        self.writer.start()

    def hear(self, said: Mapping[str, Any]) -> None:
        """A line of the run's process."""
        if "tie" in said:
            self._tie(*said["tie"])
        elif "set" in said:
            name, value = said["set"]
            self.minders[name].watcher.set_points.append(Ramp(**value) if isinstance(value, dict) else value)

    def _tie(self, monotonic: float, time_s: float, error: float) -> None:
        first = self.clock.map.newest is None
        self.clock.map = self.clock.map.heard(monotonic, time_s, error)
        assert self.clock.map.newest is not None
        self.journal.add_tie(self.clock.map.newest)
        for minder in self.minders.values():
            if first:  # what was read before the run began is no part of it
                minder.waiting = [each for each in minder.waiting if each[0] >= monotonic]
            else:
                self._keep(minder, monotonic)

    def _keep(self, minder: Minder, until: float) -> None:
        """Readings answered before `until` get their time and go to the journal.

        Not before that is open: where another process stopped writing is in it, and time does not go back.
        """
        reached_s = self.journal.reached_s
        ready = [each for each in minder.waiting if each[1] <= until]
        if not ready or (reached_s is None and len(minder.waiting) <= MOST_WAITING):
            return
        minder.waiting = minder.waiting[len(ready) :]
        name = minder.spec.name
        self.journal.add(name, placed(ready, self.clock.map, (reached_s or {}).get(name, -math.inf)))

    def turn(self) -> None:
        """Collect what the threads have, look after them, and tell the run."""
        now = time.perf_counter()
        if now - self.turned > ASLEEP_s:
            self.judges_from = max(self.judges_from, now + AWAKE_AGAIN_s)
        self.turned = now
        for minder in self.minders.values():
            minder.turn(now, judges=now >= self.judges_from)
            self._take_notices(minder, now)
            if len(minder.waiting) > MOST_WAITING:
                self._keep(minder, now)
        self._note_disk(now)
        self._tell(now)

    def _take_notices(self, minder: Minder, now: float) -> None:
        time_s = self.clock.map.time_s(now)
        self.notices += [replace(each, time_s=time_s) for each in minder.notices]
        minder.notices.clear()

    def _note_disk(self, now: float) -> None:
        trouble = self.journal.trouble
        if trouble and not self.refused:
            text = f"readings wait in memory: {trouble}"
            time_s = self.clock.map.time_s(now)
            self.notices.append(SensorNotice("", 2, "sensors_disk_refuses", text, time_s))
        self.refused = trouble

    def _tell(self, now: float) -> None:
        self.beat += 1
        latest = {name: minder.latest() for name, minder in self.minders.items()}
        known = {name: seen for name, seen in latest.items() if seen is not None}
        if self.tell(line_of(self.beat, now, known, self.notices)):
            self.notices = []
            for name in known:
                self.minders[name].extremes.clear()

    def end(self) -> None:
        """Write what there is; let go of the instruments, as far as they let go of us; write what is left."""
        self.judges_from = math.inf  # threads that end now were asked to
        for minder in self.minders.values():
            minder.stop()
        self._keep_all()
        self.writer.write_now()
        until = time.perf_counter() + GRACE_s
        for minder in self.minders.values():
            minder.stopped(max(0.0, until - time.perf_counter()))
        self._keep_all()
        self.writer.leave()

    def _keep_all(self) -> None:
        self.turn()
        if self.clock.map.newest is not None:
            for minder in self.minders.values():
                self._keep(minder, math.inf)


class Lines:
    """Standard input and output, each served by a thread: a run that stands still must not stop the log.

    What else is printed, by a maker's library for one, goes to standard error.
    """

    def __init__(self) -> None:
        self.heard: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._to_say: queue.Queue[str] = queue.Queue(maxsize=250)
        self._deaf = False  # nobody reads what is said any more
        self._out = _own_output()
        for target in (self._listen, self._speak):
            threading.Thread(target=target, daemon=True).start()

    def say(self, line: str) -> bool:
        """False if nobody listens for long already."""
        try:
            self._to_say.put_nowait(line)
        except queue.Full:
            return False
        return True

    def _listen(self) -> None:
        asked_to_end = False
        with suppress(ValueError):  # half a line: who wrote it is gone
            for line in sys.stdin:
                said = json.loads(line)
                self.heard.put(said)
                asked_to_end = "end" in said
        self.heard.put(None)
        if not asked_to_end:
            time.sleep(ORPHAN_s)
            os._exit(1)

    def _speak(self) -> None:
        try:
            while True:
                self._out.write(self._to_say.get() + "\n")
                self._out.flush()
                self._to_say.task_done()
        except OSError:
            self._deaf = True
            self.heard.put(None)

    def flush(self) -> None:
        until = time.perf_counter() + GRACE_s
        while self._to_say.unfinished_tasks and not self._deaf and time.perf_counter() < until:
            time.sleep(0.005)


def _own_output() -> TextIO:
    sys.stdout.flush()
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return own


def main() -> None:
    isolated.begin()
    isolated.wake_when_orphaned()
    lines = Lines()
    first = lines.heard.get()
    if first is not None:
        logger = Logger(first, lines.say)
        _serve(logger, lines)
        logger.end()
        lines.flush()
    os._exit(0)  # a thread that hangs in a library would keep the process for ever


def _serve(logger: Logger, lines: Lines) -> None:
    """Until the end is said, nobody is there any more, or another process has taken over."""
    logger.turn()
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
        if logger.journal.taken_over:
            return
        logger.turn()


if __name__ == "__main__":
    main()
