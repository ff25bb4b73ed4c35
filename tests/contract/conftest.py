"""The channels under contract: a new driver is one more row of CHANNELS."""

from __future__ import annotations

import pytest
from channel_bench import MakeChannel

from nakctl.device.channel import Channel
from nakctl.device.driver import ClockLike, Place
from nakctl.run.clock import FreeClock


def simulated(instrument: str) -> MakeChannel:
    def make(clock: ClockLike | None = None, cell: str = "randles", seed: int = 1) -> Channel:
        from nakctl_sim.driver import driver

        place = Place("bench", "sim", instrument, 1, {})
        return driver.open(place, driver.cell(cell), clock or FreeClock(), seed)

    return make


CHANNELS = {"sim-sp300": simulated("SP-300"), "sim-vmp3": simulated("VMP-3")}


@pytest.fixture(params=CHANNELS.values(), ids=CHANNELS.keys())
def make_channel(request: pytest.FixtureRequest) -> MakeChannel:
    """make_channel(clock, cell, seed) -> Channel, with a circuit or a cell of that name connected."""
    make: MakeChannel = request.param
    return make
