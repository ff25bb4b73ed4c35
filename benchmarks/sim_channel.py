"""How fast a simulated channel executes a pulse train: cycles and rows per second of wall time.

python benchmarks/sim_channel.py [cycles]
"""

from __future__ import annotations

import resource
import sys
import time

from nakctl.device.channel import State, Watch
from nakctl.device.driver import Place
from nakctl.device.program import Cp, Hardware, Loop, Ocv, Segment, Test
from nakctl.run.clock import FreeClock
from nakctl_sim.driver import driver
from nakctl_sim.kernel import present

HARDWARE = Hardware("1 mA", "5 V", 8)


def pulses(rest_s: float, cycles: int) -> Segment:
    """1 s at 1 mA/cm2 with a row each 0.2 s, then a rest with a few rows."""
    pulse = Cp(1, 0.442e-3, 1.0, 0.2, None, (Test("Ewe", "above", 3.0),), "next", HARDWARE)
    rest = Ocv(2, rest_s, rest_s / 4, None, HARDWARE)
    return Segment((pulse, rest, Loop(0, cycles, passes=True)))


def run(rest_s: float, cycles: int) -> tuple[float, int]:
    """Seconds of wall time, and rows."""
    began_s = time.perf_counter()
    place = Place("bench", "sim", "SP-300", 1, {})
    channel = driver.open(place, driver.cell("NaK50"), FreeClock(), seed=1)
    channel.load(pulses(rest_s, cycles))
    channel.start()
    rows = 0
    while True:
        reading = channel.read(Watch())
        rows += len(reading.samples)
        if reading.state is State.STOPPED:
            return time.perf_counter() - began_s, rows


def main() -> None:
    cycles = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    seconds, _ = run(1.0, 1)
    print(f"first use {seconds:.2f} s (imports); simulated by {present().told}")
    for rest_s in (1.0, 2.0, 10.0):
        seconds, rows = run(rest_s, cycles)
        print(f"rest {rest_s:4.1f} s  {cycles / seconds:9.0f} cycles/s  {rows / seconds:9.0f} rows/s")
    if sys.platform != "win32":
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
