"""A whole run with sensors: compiled, run on the simulated channel, recorded and sealed."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from headers import header_of

from nakctl.device import program_json
from nakctl.device.driver import Place
from nakctl.device.instrument import instrument
from nakctl.device.program import Program
from nakctl.device.sensor import Sensors, SensorSpec
from nakctl.plan.compile import compile_protocol
from nakctl.plan.lower import lower
from nakctl.protocol.load import understand
from nakctl.record.recorder import Recorder
from nakctl.run.clock import Clock, FreeClock
from nakctl.run.run import Outcome, run
from nakctl.text.reader import read_text
from nakctl_sim.driver import driver

HEAD = """\
nakctl: 1
name: test
limits: {{Ewe: [-3 V, 3 V], time: 1000 h{limits}}}
finally: rest
steps:
"""


def program_of(steps: str, limits: str = "") -> Program:
    text = HEAD.format(limits=limits) + textwrap.indent(textwrap.dedent(steps), "  ")
    plan = compile_protocol(understand(read_text(text, "t.yaml"), {}), driver.cell("randles"))
    return lower(plan, instrument("SP-300"))


def run_beside(
    path: Path,
    steps: str,
    *,
    limits: str = "",
    specs: tuple[SensorSpec, ...] = (),
    sensors: Callable[[Path, tuple[SensorSpec, ...]], Sensors] | None = None,
    clock: Clock | None = None,
    seal: bool = True,
    observe: Callable[[Any], None] = lambda progress: None,
) -> Outcome:
    """Everything that `nakctl run` does between reading the files and printing."""
    program, clock = program_of(steps, limits), clock or FreeClock()
    channel = driver.open(Place("sim", "sim", "SP-300", 1, {}), driver.cell("randles"), clock, 1)
    about = header_of("test", sensors=[spec.as_json() for spec in specs])
    recorder = Recorder.create(path, about, program_json.dump(program))
    beside = sensors(path, specs) if sensors is not None else None
    outcome = run(program, channel, clock, recorder, poll_s=0.0, sensors=beside, observe=observe)
    if seal:
        assert recorder.finish(outcome.status, outcome.reason).sealed
    else:
        recorder.abandon()
    return outcome
