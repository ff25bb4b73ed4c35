"""When is a fault of a sensor told that a limit rests on, what becomes of the run, and does the cell notice?

    python tests/torture/sensor_faults.py [--seconds 60] [--busy 0] [--seed 1] [FAULT ...]

Each run has limits on four sensors: SCPI over TCP, a serial line that sends by itself, one that is asked, Modbus
TCP. The fault comes at a third of it, at a random moment, to all that can have it. It is run three times: with
`blind: go on` and `blind_after: 4 s`, with `blind_after: 4 s` alone, and with neither.

Told: from the fault until the alarm stands in the record, in periods of the sensor. Allowed are three, or 1.4 s
if that is longer; where no sensor is read 1.4 s; for a frozen one `frozen_after` more. Rows: those of the run
have to be, bit by bit, those of a run without sensors, as far as it came. Kept: whether it ended when it had to.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1] / folder) for folder in ("", "sensors")]

import numpy as np  # noqa: E402
from bench import PacedClock  # noqa: E402
from beside import run_beside  # noqa: E402
from faulty import NAMES, Instrument, four  # noqa: E402

import nakctl  # noqa: E402
from nakctl.device.sensor import Look, SensorNotice, SensorSpec  # noqa: E402
from nakctl_sensors.process import SensorProcess  # noqa: E402

PERIODS, AT_LEAST_s = 3, 1.4  # 1 s, a beat of each thread on the way, and a look of the run
FROZEN_AFTER_s, BLIND_s, USUAL_BLIND_s, LATE_s = 3.0, 4.0, 10.0, 1.5
LIMITS = (
    ", sensors: {meter: [-1000 V, 1000 V], load: [-999 kg, 999 kg], oven: [-99 degC, 999 degC], "
    "chamber: [-99 degC, 999 degC]}"
)
POLICIES: dict[str, dict[str, str]] = {
    "go on": {"blind": "go on", "blind_after": f"{BLIND_s} s"},
    "4 s": {"blind_after": f"{BLIND_s} s"},
    "10 s": {},
}


@dataclass(frozen=True)
class Fault:
    """of: who can have it; the process that reads them has it if nobody. blinds: the run has to end of it."""

    of: tuple[str, ...] = NAMES
    blinds: bool = True
    words: Mapping[str, Any] = field(default_factory=dict)
    blow: int = 0
    again: bool = False  # each successor, too


FAULTS = {
    "nothing": Fault((), blinds=False),
    "silent": Fault(),
    "garbage": Fault(),
    "half line": Fault(),
    "cut": Fault(),
    "no value": Fault(("meter", "oven", "chamber")),
    "sentinel": Fault(("meter",)),
    "unit": Fault(("meter", "load", "oven")),
    "frozen": Fault(blinds=False, words={"frozen_after": f"{FROZEN_AFTER_s} s"}),
    "hung": Fault(words={"timeout": "1 h"}),
    "explodes": Fault(("meter", "load", "oven")),
    "stopped": Fault((), blinds=False, blow=signal.SIGSTOP),
    "killed": Fault((), blinds=False, blow=signal.SIGKILL),
    "stopped again": Fault((), blow=signal.SIGSTOP, again=True),
    "killed again": Fault((), blow=signal.SIGKILL, again=True),
}


class Watched:
    """Sensors, and when the run was told what. Obeys `nakctl.device.sensor.Sensors`."""

    def __init__(self, path: Path, specs: tuple[SensorSpec, ...]) -> None:
        self.inner = SensorProcess(path, specs)
        self.specs, self.set, self.close = self.inner.specs, self.inner.set, self.inner.close
        self.told: list[tuple[float, SensorNotice]] = []
        self.seen: set[str] = set()

    @property
    def unseen_s(self) -> Mapping[str, float]:
        return self.inner.unseen_s

    def look(self, now_s: Callable[[], float]) -> Look:
        look = self.inner.look(now_s)
        self.told += [(time.perf_counter(), each) for each in look.notices]
        self.seen |= look.latest.keys()
        return look


@dataclass(frozen=True)
class Result:
    """told_s: by sensor, "" for the process; lasted_s: from the fault to the end of the run."""

    told_s: dict[str, float]
    alarms: int
    status: str
    reason: str
    lasted_s: float
    gone_on_s: list[float]
    same: bool
    rows: int


def steps_of(seconds: float) -> str:
    third = seconds / 3
    return f"- rest: {third:g} s\n- strip: 0.1 mA\n  for: {third:g} s\n- rest: {third:g} s\n"


def trial(name: str, policy: str, seconds: float, seed: int) -> Result:
    fault, chance = FAULTS[name], random.Random(f"{name} {policy} {seed}")
    at_s = seconds / 3 + chance.uniform(0, 1)
    clock, begun, happened = PacedClock(1.0), list[Watched](), list[float]()
    over = threading.Event()
    with tempfile.TemporaryDirectory(prefix="nakctl torture ") as where, contextlib.ExitStack() as stack:
        folder = Path(where)
        run_beside(folder / "alone.h5", steps_of(seconds))
        words = {**fault.words, **POLICIES[policy]}
        instruments, specs = stack.enter_context(four(explodes=name == "explodes", **words))

        def beside(path: Path, specs: tuple[SensorSpec, ...]) -> Watched:
            begun.append(Watched(path, specs))
            return begun[0]

        def inflict(progress: Any) -> None:
            if progress.time_s >= at_s and not happened:
                threading.Thread(target=strike, daemon=True).start()
                happened.extend([time.perf_counter(), clock.now_s()])

        def strike() -> None:
            _strike(fault, name, instruments, begun[0].inner, over)

        outcome = run_beside(
            folder / "with.h5", steps_of(seconds), limits=LIMITS, specs=specs, sensors=beside,  # type: ignore[arg-type]
            clock=clock, observe=inflict,
        )  # fmt: skip
        over.set()
        run, alone = nakctl.open(folder / "with.h5"), nakctl.open(folder / "alone.h5")
        told = begun[0].told
        told_s: dict[str, float] = {}
        for at, notice in told:
            if happened and at >= happened[0] and notice.severity > 0:
                told_s.setdefault(notice.sensor, at - happened[0])
        stops = run.events.time[np.isin(run.events.code, ["stop", "end"])]
        fault_s = happened[1]
        blind = run.events.code == "sensor_blind"
        return Result(
            told_s,
            int((run.events.severity[run.events.code != "end"] == 2).sum()),
            outcome.status,
            outcome.reason,
            float(stops[0]) - fault_s,
            [float(each) - fault_s for each in run.events.time[blind]],
            *_same(run, alone, outcome.status == "completed"),
        )


def _strike(
    fault: Fault, name: str, instruments: dict[str, Instrument], sensors: SensorProcess, over: threading.Event
) -> None:
    for each in fault.of:
        instruments[each].fault = {"hung": "silent"}.get(name, name)
    struck: set[int | None] = {None}
    while fault.blow and not over.wait(0.01):
        pid = sensors.pid
        if pid not in struck:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid or 0, fault.blow)
        struck.add(pid)
        if not fault.again and len(struck) > 1:
            return


def _same(run: Any, alone: Any, whole: bool) -> tuple[bool, int]:
    """Whether the samples are the same, and how many; of a run that was stopped all before the stop."""
    stops = run.events.time[run.events.code == "stop"]
    until_s = np.inf if whole else float(stops[0]) - 0.2  # its chain is cut where no other is
    count = int((run.samples.time <= until_s).sum())
    same = all(_alike(run.samples[each][:count], alone.samples[each][:count]) for each in alone.samples.names)
    return same and count > 0 and (not whole or len(run.samples) == len(alone.samples)), count


def _alike(some: Any, others: Any) -> bool:
    """Bit by bit; NaN is NaN."""
    return bool(some.tobytes() == others.tobytes())


def kept(fault: Fault, policy: str, result: Result) -> bool:
    """Whether the run ended as it had to, or went on."""
    if not fault.blinds:
        return result.status == "completed"
    if policy == "go on":
        names = len(fault.of or NAMES)
        on_time = [BLIND_s - 1.1 < each < BLIND_s + LATE_s for each in result.gone_on_s]
        return result.status == "completed" and len(on_time) >= names and all(on_time[:names])
    due_s = BLIND_s if policy == "4 s" else USUAL_BLIND_s
    in_time = due_s - 1.1 < result.lasted_s < due_s + LATE_s  # it was seen up to a period before
    return in_time and "cannot be seen for" in result.reason


def allowed_s(fault: Fault, name: str, every_s: float) -> float:
    later_s = FROZEN_AFTER_s if name == "frozen" else 0.0
    return later_s + (AT_LEAST_s if not fault.of else max(PERIODS * every_s, AT_LEAST_s))


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for each in others:
            each.kill()
            each.wait()


EVERY_s = {"meter": 0.5, "load": 0.2, "oven": 1.0, "chamber": 0.5, "": 1.0}


def show(name: str, results: dict[str, Result]) -> bool:
    """Print what came of it. True if all is as it has to be."""
    fault, good = FAULTS[name], True
    for sensor in fault.of or ("",):
        late = [each.told_s.get(sensor, np.inf) for each in results.values()]
        periods = f"{max(late) / EVERY_s[sensor]:.2f}" if sensor and max(late) < np.inf else "-"
        well = max(late) <= allowed_s(fault, name, EVERY_s[sensor]) or name == "nothing"
        good &= well
        told = "-" if max(late) == np.inf else f"{max(late):.2f} s"
        print(
            f"| {name:13} | {sensor or 'process':7} | {told:7} | {periods:7} | {'yes' if well else 'NO':7} |"
        )
    for policy, each in results.items():
        keeps = kept(fault, policy, each)
        good &= keeps and each.same and (name != "nothing" or each.alarms == 0)
        gone_on = f"; told after {', '.join(f'{s:.1f}' for s in each.gone_on_s)} s" if each.gone_on_s else ""
        print(
            f"    {policy:5}: {'kept' if keeps else 'NOT KEPT'}, {each.alarms} alarms, {each.rows} rows "
            f"{'the same' if each.same else 'NOT THE SAME'}; {each.status} after {each.lasted_s:.1f} s: "
            f"{each.reason}{gone_on}"
        )
    sys.stdout.flush()
    return good


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--busy", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("faults", nargs="*", choices=[*FAULTS, []], metavar="FAULT")
    asked = parser.parse_args()
    good = True
    print("| fault         | of      | told    | periods | allowed |\n|---|---|---|---|---|")
    with busy(asked.busy), ProcessPoolExecutor(len(POLICIES)) as pool:
        for name in asked.faults or FAULTS:
            trials = {
                policy: pool.submit(trial, name, policy, asked.seconds, asked.seed) for policy in POLICIES
            }
            good &= show(name, {policy: each.result() for policy, each in trials.items()})
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
