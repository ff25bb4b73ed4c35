"""Runs whose chain is longer than the channel holds: what becomes of them if the channel is not given it in time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from kept import Kept

from nakctl.device.driver import Place
from nakctl.device.instrument import instrument
from nakctl.device.program import Segment
from nakctl.plan.compile import compile_protocol
from nakctl.plan.lower import lower
from nakctl.protocol.load import load
from nakctl.run.run import Outcome, run
from nakctl_biologic.driver import driver
from nakctl_sim.driver import driver as models
from nakctl_sim.instrument import register
from nakctl_sim.instrument.clock import StepClock
from nakctl_sim.instrument.device import VirtualInstrument
from nakctl_sim.instrument.habits import Habits

PARAMS = {"f_max": "10 Hz", "rest": "1 min", "last": "0.4 mA/cm2"}  # 36 levels
HOLDS = 20
CELL, SEED, POLL_s = "NaK50", 3, 10.0


def done(**habits: Any) -> tuple[Outcome, Kept]:
    """Of a staircase, on a channel that holds few techniques."""
    clock = StepClock()
    virtual = VirtualInstrument("SP-300", {1: CELL}, clock, SEED, Habits(chain_length=HOLDS, **habits))
    place = Place("x", "biologic", "SP-300", 1, {"address": register("fed runs", virtual)})
    cell = models.cell(CELL)
    channel = driver.open(place, cell, clock, SEED)
    plan = compile_protocol(load("sgeis-strip-rest", PARAMS), cell)
    kept = Kept()
    kept.program = lower(plan, replace(instrument("SP-300"), chain_length=HOLDS))
    outcome = run(kept.program, channel, clock, kept, poll_s=POLL_s)
    channel.close()
    return outcome, kept


def check_levels(kept: Kept) -> None:
    """Each level once, in order, at its own current."""
    samples = kept["samples"]
    driven = samples[np.isfinite(samples["control"]) & (samples["control"] != 0)]
    assert np.allclose(driven["I"], driven["control"], rtol=0.01, atol=2e-6)
    assert np.all(np.diff(driven["control"]) >= 0)
    assert np.all(np.diff(samples["step_id"].astype(int)) >= 0)
    steps = kept["steps"]
    assert steps["step_id"].tolist() == [*range(1, len(steps) + 1)]
    assert set(steps["end_kind"]) == {b"duration"}


def test_it_is_one_chain() -> None:
    outcome, kept = done()
    assert (outcome.status, outcome.reason) == ("completed", "all steps done")
    check_levels(kept)
    first = kept.program.nodes[0]
    assert isinstance(first, Segment) and len(first.techniques) == 1 + 2 * 36
    assert len(kept["chains"]) == 2 and "not_fed" not in [event.code for event in kept.events]


@pytest.mark.parametrize(
    "habits", [{"updates": "refused"}, {"updates": "ignored"}, {"update_length": 3}, {"update_range": "refused"}],
    ids=str,
)  # fmt: skip
def test_a_channel_that_takes_nothing_on_the_way(habits: dict[str, Any]) -> None:
    """The chain is cut there, as it would have been without; each cut is told, and a row of the record."""
    outcome, kept = done(**habits)
    assert (outcome.status, outcome.reason) == ("completed", "all steps done")
    check_levels(kept)
    cuts = [event for event in kept.events if event.code == "not_fed" and "it is loaded now" in event.message]
    assert len(cuts) == len(kept["chains"]) - 2 >= 1


def test_a_channel_that_gives_an_old_level_is_stopped() -> None:
    outcome, kept = done(updates="ignored after a pass")
    assert outcome.status == "interrupted" and "did not take technique 19 of its chain" in outcome.reason
    assert outcome.cell_open
    samples = kept["samples"]
    wrong = samples[~np.isclose(samples["I"], np.nan_to_num(samples["control"]), rtol=0.01, atol=2e-6)]
    assert np.ptp(wrong["time"]) <= POLL_s
