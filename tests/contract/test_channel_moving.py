"""What a channel does with a potential or a current that moves, with a power and with a load."""

from __future__ import annotations

import numpy as np
import pytest
from channel_bench import DRAWING, MOVING, MakeChannel, chain, cp, drain, draw, ocv, ramp, run, scan, start

from nakctl.device.channel import Flag, Watch
from nakctl.device.instrument import instrument
from nakctl.device.program import Test
from nakctl.device.techniques import LOAD, POWER
from nakctl.errors import LimitError
from nakctl.run.clock import FreeClock
from nakctl_sim.instrument.clock import StepClock

ALSO_DROPPED = True
TICK_s = 1e-4  # the longest
E_STEP_V, I_STEP_A = 1.6e-4, 3.1e-8


def test_a_scan_goes_from_one_potential_to_the_other(make_channel: MakeChannel) -> None:
    """Through the dummy cell, whose 2.1 kohm tell the current; at its rate, with a row when one is due."""
    clock = FreeClock()
    rows = run(make_channel(clock, "dummy"), clock, chain(scan(0.0, 0.84, 8.4), scan(0.84, 0.0, 8.4))).samples
    there, back = rows[rows["technique"] == 0], rows[rows["technique"] == 1]
    assert there["time_s"][1:] == pytest.approx([1, 2, 3, 4, 5, 6, 7, 8, 8.4], abs=3 * TICK_s)
    assert there["Ewe_V"] == pytest.approx(0.1 * there["time_s"], abs=2 * E_STEP_V)
    assert back["Ewe_V"] == pytest.approx(1.68 - 0.1 * back["time_s"], abs=2 * E_STEP_V)
    assert there["I_A"][3:] == pytest.approx(there["Ewe_V"][3:] / 2100, abs=5e-6)
    assert np.all(there["passes"] == 0)


def test_a_ramp_goes_from_one_current_to_the_other(make_channel: MakeChannel) -> None:
    clock = FreeClock()
    rows = run(make_channel(clock, "dummy"), clock, chain(ramp(-0.2e-3, 0.3e-3, 10.3))).samples
    assert rows["time_s"][-1] == pytest.approx(10.3, abs=TICK_s)
    set_A = -0.2e-3 + 0.5e-3 * rows["time_s"] / 10.3
    assert rows["I_A"] == pytest.approx(set_A, abs=1e-6)  # a VMP-3 delivers 0.15 % more
    assert rows["Ewe_V"][2:] == pytest.approx(2100 * set_A[2:], abs=0.01)


@pytest.mark.parametrize(("on_test", "techniques"), [("next", {0, 1}), ("stop", {0})])
@pytest.mark.parametrize(
    ("moving", "met"),
    [
        (ramp, Test("Ewe", "above", 0.21)),
        (scan, Test("|I|", "above", 0.1e-3)),
        (scan, Test("Ewe", "above", 0.21)),
    ],
    ids=["ramp to a potential", "scan to a current", "scan to a potential"],
)
def test_the_row_that_met_the_test_is_the_last(
    make_channel: MakeChannel, moving: object, met: Test, on_test: str, techniques: set[int]
) -> None:
    clock = FreeClock()
    to = 1e-3 if moving is ramp else 1.0
    one = moving(0.0, to, 10.3, 1.0, met, on_test=on_test)  # type: ignore[operator]
    rows = run(make_channel(clock, "dummy"), clock, chain(one, ocv(1.0))).samples
    assert set(rows["technique"]) == techniques
    moved = rows[rows["technique"] == 0]
    assert moved["time_s"][-1] == pytest.approx(10.3 * (0.1 if moving is ramp else 0.21), abs=0.1)
    word = "Ewe_V" if met.quantity == "Ewe" else "I_A"
    assert moved[word][-1] == pytest.approx(met.value, rel=0.01)
    assert [bool(flags & Flag.TEST_MET) for flags in moved["flags"]] == [False] * (len(moved) - 1) + [True]


@pytest.mark.parametrize("stop_s", [0.7, 1.9, 4.4, 8.0, 12.1])
def test_stop_while_it_moves_loses_no_row(make_channel: MakeChannel, stop_s: float) -> None:
    clock = StepClock()
    whole = run(make_channel(clock), clock, MOVING).samples
    channel = make_channel(clock)
    start(channel, clock, MOVING)
    clock.sleep(stop_s)
    first = channel.read(Watch())
    channel.stop()
    rows = np.concatenate([first.samples, drain(channel, clock, pause_s=0.05).samples])
    assert rows.tobytes() == whole[: len(rows)].tobytes()
    assert np.sum(whole["time_s"] <= stop_s) <= len(rows) <= np.sum(whole["time_s"] <= stop_s + 1.0)


def test_a_power_and_a_load(make_channel: MakeChannel) -> None:
    """Where the instrument has them; elsewhere a sentence, before anything is loaded."""
    clock = FreeClock()
    channel = make_channel(clock)
    if POWER.loaded not in instrument(channel.info.instrument).timebase_s:
        with pytest.raises(LimitError, match="has no technique for constant power: use a channel"):
            channel.check(DRAWING)
        return
    channel.check(DRAWING)
    rows = run(channel, clock, DRAWING).samples
    power, load = (rows[rows["technique"] == at] for at in (1, 2))
    assert power["Ewe_V"] * power["I_A"] == pytest.approx(1e-5, rel=0.01)
    assert np.all(power["I_A"] > 0)
    assert load["Ewe_V"] == pytest.approx(-1e3 * load["I_A"], abs=2 * E_STEP_V)
    assert load["I_A"][0] < 0 < load["Ewe_V"][0]
    assert power["time_s"][-1] - power["time_s"][0] == pytest.approx(3.3, abs=2 * TICK_s)
    assert np.all(rows[rows["technique"] == 3]["I_A"] == 0)


def test_a_load_empties_what_a_current_has_filled(make_channel: MakeChannel) -> None:
    clock = FreeClock()
    channel = make_channel(clock)
    if LOAD.loaded not in instrument(channel.info.instrument).timebase_s:
        with pytest.raises(LimitError, match="constant load"):
            channel.check(chain(draw("LOAD", 500.0, 1.0)))
        return
    rows = run(channel, clock, chain(cp(0.4e-3, 2.0), draw("LOAD", 500.0, 1.1, 0.05))).samples
    load = rows[rows["technique"] == 1]
    assert np.all(np.diff(load["Ewe_V"]) <= E_STEP_V)
    assert abs(load["Ewe_V"][-1]) < 0.1 * load["Ewe_V"][0]
