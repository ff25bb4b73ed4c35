"""Ends that the host hears of when the chain has gone on already, through the driver."""

from __future__ import annotations

import pytest
from kept import Kept

from nakctl.device.driver import Place
from nakctl.device.instrument import instrument
from nakctl.plan.compile import compile_protocol
from nakctl.plan.lower import lower
from nakctl.protocol.load import understand
from nakctl.run.run import Outcome, run
from nakctl.text.reader import read_text
from nakctl_biologic.driver import driver
from nakctl_sim.driver import driver as models
from nakctl_sim.instrument import register
from nakctl_sim.instrument.clock import StepClock
from nakctl_sim.instrument.device import VirtualInstrument

TEXT = """\
nakctl: 1
name: late
limits: {Ewe: [-3 V, 3 V], I: 5 mA, time: 1 h}
record: {every: 100 ms}
steps:
  - {strip: 0.5 mA/cm2, for: 3.05 s}
  - {rest: 400 ms, until: {Ewe_below: 20 mV, then: end run}}
  - {strip: 0.1 mA/cm2, for: 5 s}
finally: rest
"""


def done(like: str) -> tuple[Outcome, Kept]:
    clock, cell, kept = StepClock(), models.cell("NaK50"), Kept()
    address = register("late", VirtualInstrument(like, {1: "NaK50"}, clock, 1))
    channel = driver.open(Place("x", "biologic", like, 1, {"address": address}), cell, clock, 1)
    program = lower(compile_protocol(understand(read_text(TEXT, "t.yaml"), {}), cell), instrument(like))
    kept.program = program
    return run(program, channel, clock, kept, poll_s=0.5), kept


@pytest.mark.parametrize("like", ["SP-300", "VMP-3"])
def test_an_end_stands_at_the_step_whose_rows_met_it(like: str) -> None:
    outcome, kept = done(like)
    assert (outcome.status, outcome.reason) == ("completed", "Ewe below 20 mV")
    assert [step["end_kind"].decode() for step in kept["steps"]] == ["duration", "cutoff", "left"]
    assert kept["steps"][1]["end_value"] < 0.02
    assert "ended_at_once" not in kept.codes()
