"""Compiling and lowering must not depend on how often a pulse is repeated.

python benchmarks/pulses.py
"""

from __future__ import annotations

import tempfile
import tracemalloc
from functools import partial
from pathlib import Path

from timing import medians, table

from nakctl.checks.check import check
from nakctl.device.instrument import instrument
from nakctl.device.program import Program
from nakctl.plan.compile import compile_protocol
from nakctl.plan.estimate import estimate
from nakctl.plan.lower import lower
from nakctl.plan.plan import Plan
from nakctl.protocol.load import Loaded, load
from nakctl.rig import load_driver

COUNTS = (5, 50, 50_000)
ROUNDS = 50
SP300 = instrument("SP-300")
CELL = load_driver("sim").cell("NaK50")
PROTOCOL = """\
nakctl: 1
name: Pulses
limits: {{Ewe: [-1 V, 3.5 V], I: 1 mA, time: 400 d}}
steps:
  - pulse: {{strip: 1 mA/cm2}}
    on: 1 s
    off: 5 s
    repeat: {count}
    record: {{every: 0.2 s}}
finally: rest
"""


def loaded(count: int) -> Loaded:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pulses.yaml"
        path.write_text(PROTOCOL.format(count=count), encoding="utf-8")
        return load(str(path), {})


def made(source: Loaded) -> tuple[Plan, Program]:
    plan = compile_protocol(source, CELL)
    return plan, lower(plan, SP300)


def kept_bytes(source: Loaded) -> int:
    """The most memory that compiling and lowering needed at a time."""
    tracemalloc.start()
    made(source)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def looked_at(plan: Plan, program: Program) -> None:
    estimate(plan, program, SP300)
    check(plan, program, SP300)


def main() -> None:
    rows = []
    for count in COUNTS:
        source = loaded(count)
        plan, program = made(source)
        looked_at(plan, program)  # the first time imports, and reads the tables of the instrument
        taken = medians({"make": partial(made, source), "look": partial(looked_at, plan, program)}, ROUNDS)
        times = (f"{taken[name] * 1e3:.2f} ms" for name in ("make", "look"))
        rows.append((count, *times, f"{kept_bytes(source) / 1e3:.0f} kB"))
    table([("pulses", "compile + lower", "estimate + check", "memory"), *rows])


if __name__ == "__main__":
    main()
