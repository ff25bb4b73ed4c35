"""Sensors beside nothing: what they tell, and what they leave in the journal."""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import spec_of
from patience import until

from nakctl.device.sensor import (
    Latest,
    Look,
    SensorNotice,
    SensorSpec,
)
from nakctl.device.sensor_journal import READING, TIES
from nakctl.record.sensor_reader import SensorReader
from nakctl.run.clock import WallClock
from nakctl_sensors.process import SensorProcess

signals = pytest.mark.skipif(os.name != "posix", reason="stops processes by a signal")
PRESS = spec_of("press", kind="sim", model="press", every="20 ms")
CHAMBER = spec_of("chamber", kind="sim", model="chamber", every="20 ms")


class Alone:
    """Their process, and what it told so far. taken_over: a run goes on that began at this time of `time.time`."""

    def __init__(self, path: Path, *specs: SensorSpec, taken_over: float | None = None) -> None:
        self.path, self.now_s = path, WallClock().now_s
        if taken_over is not None:
            self.now_s = lambda: time.time() - taken_over
        self.sensors = SensorProcess(path, specs, goes_on=taken_over is not None)
        self.latest: dict[str, Latest] = {}
        self.notices: list[SensorNotice] = []

    def take(self, look: Look) -> None:
        self.latest.update(look.latest)
        self.notices += look.notices

    def until(self, found: Callable[[], bool]) -> None:
        def seen() -> bool:
            self.take(self.sensors.look(self.now_s))
            return found()

        until(seen)

    def until_read(self, *names: str) -> None:
        """Each sensor has shown something from now on."""
        since_s = self.now_s()
        self.until(lambda: all(self.read_s(name) > since_s for name in names))

    def read_s(self, name: str) -> float:
        return self.latest[name].time_s if name in self.latest else -math.inf

    def until_written(self, *names: str) -> None:
        self.until(lambda: set(names) <= set(rows_of(self.path)))

    def until_told(self, code: str, sensor: str = "") -> None:
        self.until(lambda: any((each.code, each.sensor) == (code, sensor) for each in self.notices))

    def stop(self) -> int:
        """Let the process stand still, as it is."""
        pid = self.sensors.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        return pid

    def close(self) -> dict[str, Any]:
        """The rows of each sensor in the journal."""
        self.take(self.sensors.close())
        return rows_of(self.path)

    @property
    def codes(self) -> list[str]:
        return [each.code for each in self.notices]


def rows_of(path: Path) -> dict[str, Any]:
    reader = SensorReader(path)
    found: dict[str, list[Any]] = {}
    for entry in reader.entries():
        if entry.facts["sensor"] != TIES:
            found.setdefault(entry.facts["sensor"], []).append(np.frombuffer(entry.raw, READING))
    reader.close()
    assert reader.damage == ""
    return {sensor: np.concatenate(rows) for sensor, rows in found.items()}
