"""What sensors cost the process that controls the cell: `python benchmarks/sensors.py`.

The same paced run without sensors, with eight at 10 Hz, with one at 1 kHz besides, and with their process
stopped and killed in turn meanwhile. The sensors are simulated, so what is measured is the logging and not an
instrument. Prints the processor time of the control process per second of the run, how long a look takes, and
how many readings came.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nakctl.device.sensor import Look, Sensors, SensorSpec, load_kind, load_service
from nakctl.device.sensor_journal import READING, TIES
from nakctl.record.sensor_reader import SensorReader
from nakctl_sensors.process import SensorProcess

Blows = tuple[tuple[float, str], ...]  # at what second, by which signal

RUN_s, POLL_s = 10.0, 0.05
BLOWS = (2.0, "SIGSTOP"), (6.0, "SIGKILL")


def main() -> None:
    ten_hertz = [sensor(f"slow{k}", "100 ms") for k in range(8)]
    all_of_them = [*ten_hertz, sensor("fast", "1 ms")]
    table = [
        ("no sensors", [], ()),
        ("8 at 10 Hz", ten_hertz, ()),
        ("and 1 at 1 kHz", all_of_them, ()),
        ("stopped, killed", all_of_them, BLOWS if os.name == "posix" else ()),
    ]
    heads = ("CPU of control", "look, median", "look, 99 %", "look, longest", "readings/s")
    print(" " * 16 + "".join(f"{head:>16}" for head in heads))
    for name, specs, blows in table:
        cpu, looks_s, rate = measured(tuple(specs), blows)
        times = "".join(f"{1e6 * time_s:>13.0f} us" for time_s in np.quantile(looks_s, [0.5, 0.99, 1.0]))
        print(f"{name:<16}{cpu:>16.2%}{times}{rate:>16.0f}")


def sensor(name: str, every: str) -> SensorSpec:
    spec, problems = load_kind("sim").spec(name, {"kind": "sim", "model": "press", "every": every})
    if spec is None:
        sys.exit(str(problems))
    return spec


def measured(specs: tuple[SensorSpec, ...], blows: Blows) -> tuple[float, Any, float]:
    """(part of a processor, seconds of each look, readings per second) of a loop like that of a run."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.h5"
        sensors: Sensors | None = load_service().beside(path, specs) if specs else None
        begun = time.perf_counter()
        looks_s = loop(sensors, lambda: time.perf_counter() - begun, blows)
        cpu = looks_s.pop()
        if sensors is not None:
            sensors.close()
        return cpu, np.array(looks_s), readings(path) / RUN_s


def loop(sensors: Sensors | None, now_s: Callable[[], float], blows: Blows) -> list[float]:
    """The looks of a run that polls its channel, then the processor time of all that."""
    looks_s, cpu, due = [], time.process_time(), list(blows)
    while now_s() < RUN_s:
        if due and now_s() > due[0][0] and isinstance(sensors, SensorProcess) and sensors.pid is not None:
            os.kill(sensors.pid, signal.Signals[due.pop(0)[1]])
        before = time.perf_counter()
        look = sensors.look(now_s) if sensors is not None else Look({})
        assert look is not None
        looks_s.append(time.perf_counter() - before)
        time.sleep(POLL_s)
    return [*looks_s, (time.process_time() - cpu) / RUN_s]


def readings(path: Path) -> int:
    reader = SensorReader(path)
    count = sum(len(e.raw) // READING.itemsize for e in reader.entries() if e.facts["sensor"] != TIES)
    reader.close()
    return count


if __name__ == "__main__":
    main()
