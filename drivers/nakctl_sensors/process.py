"""The run's end of the logging process: what its control process holds, and never waits for."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from nakctl.device.readings import aux_of
from nakctl.device.sensor import Latest, Look, SensorNotice, SensorSpec

TIE_EVERY_s, FIRST_TIES_s = 0.5, 0.05
RESTARTS, RESTART_AFTER_s = 5, 1.0
READY_s = 10.0  # how long a run waits for it to begin, before it begins itself
LEAVE_s = 5.0  # how long it may take to end; it lets go of hanging instruments much sooner


class SensorProcess:
    """Obeys `nakctl.device.sensor.Sensors`. What is read before the first look is no part of the run."""

    def __init__(self, path: Path, specs: tuple[SensorSpec, ...]) -> None:
        self.path = path
        self._specs = {spec.name: spec for spec in specs}
        self._notices: list[SensorNotice] = []
        self._restarts_left = RESTARTS
        self._last_now_s: Callable[[], float] | None = None
        for leftover in (aux_of(path), Path(f"{aux_of(path)}-wal"), Path(f"{aux_of(path)}-shm")):
            leftover.unlink(
                missing_ok=True
            )  # of a run whose file is gone: the run's own journal would say so
        self._child = _Child(path, specs)
        self._child.ready.wait(READY_s)
        self._ties, self._next_tie = 0, 0.0

    @property
    def specs(self) -> Mapping[str, SensorSpec]:
        return self._specs

    @property
    def pid(self) -> int:
        return self._child.process.pid

    def look(self, now_s: Callable[[], float]) -> Look:
        self._last_now_s = now_s
        self._tie(now_s)
        self._watch_child()
        return self._taken()

    def set(self, name: str, value: float) -> None:
        self._child.say({"set": [name, value]})

    def close(self) -> Look:
        """Waits for the process: by then the run is over, and so are its rows."""
        if self._last_now_s is not None:
            self._next_tie = 0.0
            self._tie(self._last_now_s)
        self._child.leave()
        return self._taken()

    def _tie(self, now_s: Callable[[], float]) -> None:
        """Name the same moment on both clocks, twice soon and then regularly."""
        before = time.perf_counter()
        if before < self._next_tie:
            return
        run_s = now_s()
        after = time.perf_counter()
        error = (after - before) / 2 + time.get_clock_info("monotonic").resolution
        self._child.say({"tie": [(before + after) / 2, run_s, error]})
        self._ties += 1
        self._next_tie = after + (FIRST_TIES_s if self._ties < 3 else TIE_EVERY_s)

    def _taken(self) -> Look:
        """Everything that was told since the last time, merged."""
        latest: dict[str, Latest] = {}
        notices, self._notices = self._notices, []
        while self._child.told:
            said = self._child.told.popleft()
            for name, (time_s, value, low, high, trouble, gap_s) in said["values"].items():
                seen = latest.get(name)
                if seen is not None:
                    low, high, gap_s = min(low, seen.low), max(high, seen.high), max(gap_s, seen.gap_s)
                latest[name] = Latest(time_s, value, low, high, trouble, gap_s)
            notices += [
                SensorNotice(sensor, severity, code, text, time_s, facts)
                for sensor, severity, code, text, time_s, facts in said["notices"]
            ]
        return Look(latest, tuple(notices))

    def _watch_child(self) -> None:
        """Start another one if it died, a few times at most: the run does not depend on it."""
        child = self._child
        if child.dead or child.process.poll() is None:
            return
        if time.monotonic() - child.since < RESTART_AFTER_s:
            return
        reason = child.complaint()
        child.dead = True
        if self._restarts_left == 0:
            self._notices.append(SensorNotice("", 2, "sensors_lost", f"no sensor is read any more: {reason}"))
            return
        self._restarts_left -= 1
        self._notices.append(SensorNotice("", 1, "sensors_restarted", f"the sensors' process died: {reason}"))
        told = child.told
        self._child = _Child(self.path, tuple(self._specs.values()))
        self._child.told.extendleft(reversed(told))
        self._ties, self._next_tie = 0, 0.0


class _Child:
    """The process with a thread at each of its pipes, so that neither can make the run wait."""

    def __init__(self, path: Path, specs: tuple[SensorSpec, ...]) -> None:
        self.since, self.dead = time.monotonic(), False
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nakctl_sensors.logger"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
            creationflags=_own_group(),
        )
        self.told: deque[dict[str, Any]] = deque(maxlen=100_000)
        self.ready = threading.Event()
        self._to_say: queue.Queue[str | None] = queue.Queue(maxsize=1000)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._threads = [
            threading.Thread(target=self._listen, args=(self.process.stdout,), daemon=True),
            threading.Thread(target=self._speak, args=(self.process.stdin,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self.say({"path": str(path), "sensors": [spec.as_json() for spec in specs]})

    def say(self, message: dict[str, Any]) -> None:
        """Dropped if a thousand wait already: then nobody is there to hear it."""
        try:
            self._to_say.put_nowait(json.dumps(message))
        except queue.Full:
            return

    def leave(self) -> None:
        """Ask it to end and wait for that; ends it if it does not."""
        self.say({"end": True})
        try:
            self.process.wait(LEAVE_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._to_say.put(None)
        for thread in self._threads:
            thread.join()
        self._complaints.close()

    def complaint(self) -> str:
        self._to_say.put(None)
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        self._complaints.close()
        return lines[-1] if lines else f"it ended with code {self.process.returncode}"

    def _listen(self, pipe: IO[str]) -> None:
        with pipe:
            for line in pipe:
                try:
                    said = json.loads(line)
                except ValueError:  # half a line, of a process that died over it
                    break
                if "ready" in said:
                    self.ready.set()
                else:
                    self.told.append(said)
        self.ready.set()  # it is gone: there is nothing to wait for

    def _speak(self, pipe: IO[str]) -> None:
        try:
            with pipe:
                while (line := self._to_say.get()) is not None:
                    pipe.write(line + "\n")
                    pipe.flush()
        except OSError:  # it is gone; `_watch_child` sees that
            return


def _own_group() -> int:
    """On Windows Ctrl-C goes to the whole group, and the log must outlive it; elsewhere it ignores it."""
    if sys.platform == "win32":
        return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return 0
