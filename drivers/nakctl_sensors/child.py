"""The sensors' process as its steward has it: the process, and a thread at each of its pipes."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import tempfile
import threading
import time
from collections import deque
from typing import IO, Any

from nakctl import isolated
from nakctl.device.sensor import Latest, SensorNotice
from nakctl_sensors.heard import Heard, read_line

MOST_WAITING = 10_000  # beats that nobody looked at: 7 min of them
MOST_TO_SAY = 1000
MOST_SHOWN = 4096  # bytes at the end of what it complained of
THREADS_END_s = 1.0


class Inbox:
    """What came from the sensors' processes, one after another, for the run to take. Nothing here waits."""

    def __init__(self) -> None:
        self.latest: deque[dict[str, Latest]] = deque(maxlen=MOST_WAITING)
        self.notices: deque[SensorNotice] = deque(maxlen=MOST_WAITING)
        self.dropped = 0  # lines that were none

    def put(self, heard: Heard) -> None:
        if heard.values:
            self.latest.append(heard.latest())
        self.notices.extend(heard.noticed())


class Child:
    """OSError if the system cannot start it. first: what it is told before anything else."""

    def __init__(self, first: dict[str, Any], inbox: Inbox) -> None:
        self.since = time.perf_counter()
        self.beat: Heard | None = None
        self._inbox = inbox
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            self.process = _started(self._complaints)
        except OSError:
            self._complaints.close()
            raise
        self._to_say: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._threads = [
            threading.Thread(target=self._listen, args=(self.process.stdout,), daemon=True),
            threading.Thread(target=self._speak, args=(self.process.stdin,), daemon=True),
        ]
        self.say(first)
        for thread in self._threads:
            thread.start()

    @property
    def lived_until(self) -> float:
        """Its last sign of life, on `time.perf_counter`."""
        return self.since if self.beat is None else self.beat.at

    def say(self, message: dict[str, Any]) -> None:
        """Never waits. Dropped if a thousand wait already: then nobody is there to hear it."""
        if self._to_say.qsize() < MOST_TO_SAY:
            self._to_say.put(message)

    def say_goodbye(self) -> None:
        """It ends when it hears that, or that nobody speaks to it any more."""
        self.say({"end": True})
        self._to_say.put(None)

    def is_over(self) -> bool:
        return self.process.poll() is not None

    def ended_within(self, seconds: float) -> bool:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def bury(self) -> None:
        """Once it is over: what it still said is in the inbox afterwards."""
        self._to_say.put(None)
        for thread in self._threads:
            thread.join(THREADS_END_s)
        self._complaints.close()

    def complaint(self) -> str:
        """The last line that it complained with."""
        size = self._complaints.seek(0, os.SEEK_END)
        self._complaints.seek(max(0, size - MOST_SHOWN))
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"it ended with code {self.process.returncode}"

    def _listen(self, pipe: IO[str]) -> None:
        with pipe:
            for line in pipe:
                heard = read_line(line)
                if heard is None:
                    self._inbox.dropped += 1
                else:
                    self._inbox.put(heard)
                    self.beat = heard

    def _speak(self, pipe: IO[str]) -> None:
        try:
            with pipe:
                while (message := self._to_say.get()) is not None:
                    pipe.write(json.dumps(message) + "\n")
                    pipe.flush()
        except OSError:  # it is gone; the steward sees that
            return


def _started(complaints: IO[bytes]) -> subprocess.Popen[str]:
    """Its words go through pipes, its complaints into a file: nobody reads those while it lives."""
    return isolated.start(
        "nakctl_sensors.logger", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints
    )
