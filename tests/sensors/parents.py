"""A process that has sensors, beside the tests, and that may be stopped or killed with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from nakctl.device.sensor import SensorSpec

BEGIN = """
import sys, time
from pathlib import Path
from nakctl.device.sensor import load_kind
from nakctl.run.clock import WallClock
from nakctl_sensors.process import SensorProcess
spec, _ = load_kind("sim").spec("press", {"kind": "sim", "model": "press", "every": "20 ms"})
sensors, now_s = SensorProcess(Path(sys.argv[1]), (spec,)), WallClock().now_s
print(sensors.pid, flush=True)
"""

LOOKING = """
while True:
    look, unseen_s = sensors.look(now_s), sensors.unseen_s["press"]
    print("|".join([f"{unseen_s:.3f}", *look.latest, *(each.code for each in look.notices)]), flush=True)
    time.sleep(0.02)
"""


RUNNER = """
import json, sys, time
from pathlib import Path
from nakctl.device.sensor import SensorSpec
from nakctl_sensors.process import SensorProcess
path, specs, begun = Path(sys.argv[1]), json.loads(sys.argv[2]), float(sys.argv[3])
sensors = SensorProcess(path, tuple(SensorSpec.from_json(each) for each in specs))
print(sensors.pid, flush=True)
while True:
    sensors.look(lambda: time.time() - begun)
    time.sleep(0.02)
"""


@contextmanager
def runner_of(
    path: Path, specs: tuple[SensorSpec, ...], begun: float
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process with a run that began at this time of `time.time`; given with that of its sensors."""
    words = [str(path), json.dumps([spec.as_json() for spec in specs]), str(begun)]
    with subprocess.Popen(
        [sys.executable, "-c", RUNNER, *words], stdout=subprocess.PIPE, text=True
    ) as runner:
        assert runner.stdout is not None
        try:
            yield runner, int(runner.stdout.readline())
        finally:
            runner.kill()


def is_gone(pid: int) -> bool:
    """Dead, whether or not somebody has buried it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    state = Path(f"/proc/{pid}/stat")
    with suppress(FileNotFoundError):
        return state.read_text().rsplit(")")[-1].split()[0] == "Z"
    return Path("/proc").exists()


@contextmanager
def parent_of(path: Path, program: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """It begins with sensors and goes on with this program; given with the number of their process."""
    words = [sys.executable, "-c", BEGIN + program, str(path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        try:
            yield parent, int(parent.stdout.readline())
        finally:
            parent.kill()


def next_value(parent: subprocess.Popen[str]) -> tuple[float, list[str]]:
    """Of one that is LOOKING: the longest time unseen up to the next value, and what was noticed on the way."""
    assert parent.stdout is not None
    unseen_s, noticed = 0.0, []
    for line in islice(parent.stdout, 2000):
        unseen, *told = line.strip().split("|")
        unseen_s = max(unseen_s, float(unseen))
        noticed += [each for each in told if each != "press"]
        if "press" in told:
            return unseen_s, noticed
    raise AssertionError("no value came any more")
