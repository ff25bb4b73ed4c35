"""The channel with forced readings, which tests of a guard use: it changes what it says, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from channel_bench import MIXED, MakeChannel, run
from forced import CHANGES, Forced

from nakctl.device.channel import Flag
from nakctl_sim.instrument.clock import StepClock

CHANGED = {
    "frozen": {"Ewe_V", "I_A"},
    "no current": {"I_A"},
    "overload": {"flags"},
    "time back": {"time_s"},
    "no Ewe": {"Ewe_V"},
    "no time": {"time_s"},
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_forced(make_watching_channel: MakeChannel, name: str) -> None:
    clock, same_clock = StepClock(), StepClock()
    usual = run(make_watching_channel(clock, "NaK50"), clock, MIXED).samples
    forced = run(
        Forced(make_watching_channel(same_clock, "NaK50"), name, from_s=3.0), same_clock, MIXED
    ).samples
    before = usual["time_s"] < 3.0
    assert forced[before].tobytes() == usual[before].tobytes()
    kept = set(usual.dtype.names or ()) - CHANGED[name]
    assert all(forced[column].tobytes() == usual[column].tobytes() for column in kept)
    changed = forced[~before]
    expected = {
        "frozen": np.unique(changed["Ewe_V"]).size == np.unique(changed["I_A"]).size == 1,
        "no current": np.all(changed["I_A"] == 0.0),
        "overload": np.all(changed["flags"] & Flag.I_OVERLOAD),
        "time back": np.allclose(usual["time_s"][~before] - changed["time_s"], 1.5),
        "no Ewe": np.all(np.isnan(changed["Ewe_V"])),
        "no time": np.all(np.isnan(changed["time_s"])),
    }
    assert expected[name]


def test_one_row_alone(make_watching_channel: MakeChannel) -> None:
    clock = StepClock()
    channel = Forced(make_watching_channel(clock), "no time", from_s=2.5, most=1)
    assert np.isnan(run(channel, clock, MIXED).samples["time_s"]).sum() == 1
