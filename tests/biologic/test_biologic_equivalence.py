"""Every shipped protocol through the simulated channel, and through the driver and the virtual instrument.

The same plan on the same cell with the same seed: once as techniques, once as records, C3x words and rows of the
vendor's library. The record must be the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from compared import STEP_WORDS
from kept import Kept
from shortened import cell_name, cell_of, parameters

from nakctl.device.cell import Cell
from nakctl.device.channel import Channel
from nakctl.device.driver import ClockLike, Place
from nakctl.device.instrument import instrument
from nakctl.device.program import Program
from nakctl.device.sensor import Latest, Look, Ramp, SensorSpec
from nakctl.plan.compile import compile_protocol
from nakctl.plan.lower import lower
from nakctl.protocol import library
from nakctl.protocol.load import load
from nakctl.run.clock import Clock
from nakctl.run.run import Outcome, run
from nakctl_sim.instrument.clock import StepClock

SEED = 3
NOT_COMPARED = {"stopped", "stop", "late_round", "silent"}  # what only hardware tells, or this computer


class Chamber:
    """Comes to what it is set to at once."""

    specs: Mapping[str, SensorSpec] = {
        "chamber": SensorSpec(
            "chamber", "sim", "", "degC", "temperature", 1.0, 273.15, every_s=1.0, timeout_s=1.0
        )
    }
    unseen_s: Mapping[str, float] = {"chamber": 0.0}

    def __init__(self) -> None:
        self.at_degC = 25.0

    def look(self, now_s: Callable[[], float]) -> Look:
        return Look({"chamber": Latest(now_s(), *(self.at_degC,) * 3)})

    def set(self, name: str, value: float | Ramp) -> None:
        assert isinstance(value, float)
        self.at_degC = value

    def close(self) -> Look:
        return Look({})


def simulated(name: str, like: str, clock: ClockLike) -> tuple[Channel, Cell]:
    from nakctl_sim.driver import driver

    cell = cell_of(name)
    return driver.open(Place("x", "sim", like, 1, {}), cell, clock, SEED), cell


def behind_the_library(name: str, like: str, clock: ClockLike) -> tuple[Channel, Cell]:
    from nakctl_biologic.driver import driver
    from nakctl_sim.instrument import register
    from nakctl_sim.instrument.device import VirtualInstrument

    address = register("equivalence", VirtualInstrument(like, {1: cell_name(name)}, clock, SEED))
    cell = cell_of(name)
    return driver.open(Place("x", "biologic", like, 1, {"address": address}), cell, clock, SEED), cell


def record(name: str, like: str, make: Any, params: dict[str, str]) -> tuple[Outcome, Kept]:
    clock: Clock = StepClock()
    channel, cell = make(name, like, clock)
    plan = compile_protocol(load(name, params), cell)
    kept = Kept()
    kept.program = lower(plan, instrument(like))
    outcome = run(kept.program, channel, clock, kept, poll_s=POLL_s, sensors=Chamber())
    channel.close()
    return outcome, kept


TICK_s = 50e-6  # the longest
POLL_s = 30.0  # of the clock that both live by: seldom, to be quick


@pytest.mark.parametrize("like", ["SP-300", "VMP-3"])
@pytest.mark.parametrize("name", sorted(library.names()))
def test_the_same_record(name: str, like: str) -> None:
    check_record(name, like, parameters(name, like))


@pytest.mark.parametrize(("name", "like"), [("sgeis-strip-rest", "SP-300"), ("sgeis-plate-rest", "VMP-3")])
def test_the_same_record_of_a_chain_that_no_channel_holds(name: str, like: str) -> None:
    """All levels, of few frequencies: the virtual instrument is given them while it runs."""
    check_record(name, like, {"f_max": "30 Hz", "rest": "1 min"}, E_step_V=2e-4)


def check_record(name: str, like: str, params: dict[str, str], E_step_V: float = 0.0) -> None:
    """E_step_V: of so many levels some reading may come out one step of resolution apart."""
    one, expected = record(name, like, simulated, params)
    other, found = record(name, like, behind_the_library, params)
    program = found.program
    if any(end.kind == "cutoff" and end.by == "host" for end in program.ends) or waits(program):
        # The host ends a step when it has read of it, and the two are not read at the same moments.
        assert (other.status, other.reason) == (one.status, one.reason)
        assert (
            found["steps"][["label", "end_kind"]].tolist()
            == expected["steps"][["label", "end_kind"]].tolist()
        )
        lasted_s = [kept["steps"]["t_end"] - kept["steps"]["t_start"] for kept in (found, expected)]
        assert lasted_s[0] == pytest.approx(lasted_s[1], rel=0.05, abs=3 * POLL_s)
        assert other.spectra == one.spectra
        if one.spectra:  # of a cell at rest, whenever they were taken
            for word in ("frequency", "Z_re", "Z_im"):
                assert np.allclose(found["impedance"][word], expected["impedance"][word], rtol=0.02, atol=1.0)
        return

    assert (other.status, other.reason, other.samples, other.spectra) == (
        one.status, one.reason, one.samples, one.spectra,
    )  # fmt: skip
    assert other.duration_s == pytest.approx(one.duration_s, rel=1e-6)
    assert found["steps"][STEP_WORDS].tolist() == expected["steps"][STEP_WORDS].tolist()
    check_samples(found["samples"], expected["samples"], E_step_V)
    check_impedance(found["impedance"], expected["impedance"])
    told, expected_told = (
        [event.code for event in kept.events if event.code not in NOT_COMPARED] for kept in (found, expected)
    )
    assert told == expected_told


def waits(program: Program) -> bool:
    """For a sensor, which the host does."""
    return any(step.settle is not None for step in program.steps)


def check_samples(found: Any, expected: Any, E_step_V: float = 0.0) -> None:
    """Bit for bit but for the times: the instrument counts them in ticks, those of points are singles.

    Durations go to the instrument as singles, so a technique may be a tick longer, and a value a bit off.
    """
    for word in ("step_count", "step_id", "cycle", "control", "I_range", "flags"):
        assert found[word].tobytes() == expected[word].tobytes(), word
    for word in ("Ewe", "I"):
        assert np.count_nonzero(found[word] != expected[word]) <= len(found) // 500, word
        assert np.allclose(found[word], expected[word], rtol=3e-7, atol=E_step_V * (word == "Ewe")), word
    assert np.allclose(found["time"], expected["time"], rtol=1.3e-7, atol=TICK_s)
    assert np.allclose(found["Q"], expected["Q"], rtol=0, atol=1e-5 * np.abs(expected["Q"]).max() + 1e-15)


def check_impedance(found: Any, expected: Any) -> None:
    assert len(found) == len(expected)
    if len(expected) == 0:
        return
    for word in ("spectrum", "step_count", "flags"):
        assert found[word].tobytes() == expected[word].tobytes(), word
    for word in ("frequency", "E_dc", "E_amp", "I_amp"):
        assert np.array_equal(found[word].astype("f4"), expected[word].astype("f4")), word
    assert np.count_nonzero(found["I_dc"] != expected["I_dc"].astype("f4")) <= max(1, len(found) // 500)
    assert np.allclose(found["I_dc"], expected["I_dc"], rtol=3e-7, atol=0)
    Z, Z_expected = (rows["Z_re"] + 1j * rows["Z_im"] for rows in (found, expected))
    assert np.all(np.abs(Z - Z_expected) <= 3e-7 * np.abs(Z_expected))
