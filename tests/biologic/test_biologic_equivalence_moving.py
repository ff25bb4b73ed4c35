"""Scans, ramps, constant power and load through both seams: as techniques, and as records and words.

A rate goes to the instrument as a single, so a level that moves may be a count of the converter elsewhere.
"""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import pytest
from compared import STEP_WORDS
from kept import Kept

from nakctl.device.cell import Cell
from nakctl.device.channel import Channel
from nakctl.device.driver import ClockLike, Place
from nakctl.device.instrument import instrument
from nakctl.plan.compile import compile_protocol
from nakctl.plan.lower import lower
from nakctl.protocol.load import understand
from nakctl.run.run import Outcome, run
from nakctl.text.reader import read_text
from nakctl_sim.instrument.clock import StepClock

SEED = 3
TICK_s = 100e-6  # the longest
POLL_s = 10.0
HEAD = """\
nakctl: 1
name: moving
limits: {Ewe: [-3 V, 3 V], I: 10 mA, time: 100 h}
finally: rest
steps:
"""
PROTOCOLS = {
    "a cv": "- {rest: 20 s}\n- {cv: '0.3 V, -0.2 V', from: 0 V, rate: 10 mV/s, cycles: 2, to: 0 V}",
    "a scan of OCV on": "- {lsv: 0.4 V, from: 0.02 V, rate: 1 mV/s}\n- {rest: 1 min}",
    "a scan to its cutoff": "- {lsv: 2 V, from: 0 V, rate: 20 mV/s, until: {I_above: 0.2 mA}}\n- {rest: 1 min}",
    "a ramp": "- {ramp: {strip: 1 mA/cm2}, from: 0 mA/cm2, rate: 0.5 mA/cm2/min}\n- {rest: 1 min}",
    "a ramp to its cutoff": "- {ramp: {plate: 2 mA/cm2}, from: 0 mA/cm2, rate: 0.5 mA/cm2/min, "
    "until: {Ewe_below: -0.3 V}}\n- {rest: 1 min}",
}
DRAWN = {
    "a power": "- {power: 0.1 mW, for: 5 min}\n- {rest: 1 min}",
    "a load": "- {strip: 0.5 mA/cm2, for: 1 min}\n- {load: 500 ohm, for: 5 min}\n- {rest: 1 min}",
}


def simulated(like: str, clock: ClockLike) -> tuple[Channel, Cell]:
    from nakctl_sim.driver import driver

    cell = driver.cell("NaK50")
    return driver.open(Place("x", "sim", like, 1, {}), cell, clock, SEED), cell


def behind_the_library(like: str, clock: ClockLike) -> tuple[Channel, Cell]:
    from nakctl_biologic.driver import driver
    from nakctl_sim.driver import driver as models
    from nakctl_sim.instrument import register
    from nakctl_sim.instrument.device import VirtualInstrument

    address = register("moving", VirtualInstrument(like, {1: "NaK50"}, clock, SEED))
    cell = models.cell("NaK50")
    return driver.open(Place("x", "biologic", like, 1, {"address": address}), cell, clock, SEED), cell


def record(steps: str, like: str, make: Any) -> tuple[Outcome, Kept]:
    clock = StepClock()
    channel, cell = make(like, clock)
    text = HEAD + textwrap.indent(steps, "  ")
    plan = compile_protocol(understand(read_text(text, "moving.yaml"), {}), cell)
    kept = Kept()
    kept.program = lower(plan, instrument(like))
    outcome = run(kept.program, channel, clock, kept, poll_s=POLL_s)
    channel.close()
    return outcome, kept


def check(steps: str, like: str) -> None:
    one, expected = record(steps, like, simulated)
    other, found = record(steps, like, behind_the_library)
    assert one.status == "completed"
    assert (other.status, other.reason, other.samples) == (one.status, one.reason, one.samples)
    assert other.duration_s == pytest.approx(one.duration_s, rel=1e-5)
    assert found["steps"][STEP_WORDS].tolist() == expected["steps"][STEP_WORDS].tolist()
    assert len(found["samples"]) > 20
    for word in ("step_count", "step_id", "cycle", "control", "I_range", "flags"):
        assert found["samples"][word].tobytes() == expected["samples"][word].tobytes(), word
    steps_of = instrument(like)
    I_full = {each.code: each.full_A for each in steps_of.I_ranges}
    I_count_A = steps_of.I_step * np.array([I_full[code] for code in expected["samples"]["I_range"]])
    E_count_V = steps_of.E_step * 20.0  # of the widest range
    for word, count in (("Ewe", E_count_V), ("I", I_count_A)):
        apart = np.abs(found["samples"][word] - expected["samples"][word])
        assert np.all(apart <= 1.01 * count), word
        assert np.mean(apart > 1e-3 * count) < 0.02, word
    assert np.allclose(found["samples"]["time"], expected["samples"]["time"], rtol=1e-6, atol=TICK_s)
    charge = np.abs(expected["samples"]["Q"]).max()
    assert np.allclose(found["samples"]["Q"], expected["samples"]["Q"], rtol=0, atol=1e-4 * charge)


@pytest.mark.parametrize("like", ["SP-300", "VMP-3"])
@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_same_record(name: str, like: str) -> None:
    check(PROTOCOLS[name], like)


@pytest.mark.parametrize("name", DRAWN)
def test_the_same_record_of_a_power_and_a_load(name: str) -> None:
    check(DRAWN[name], "VMP-3")
