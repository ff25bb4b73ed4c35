"""The channels under contract: a new driver is one more row of CHANNELS."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from channel_bench import MakeChannel

from nakctl.device.cell import Cell
from nakctl.device.channel import Channel
from nakctl.device.driver import ClockLike, Place
from nakctl.run.clock import FreeClock

SERVERS: list[Any] = []


@pytest.fixture(autouse=True)
def no_server_is_left() -> Iterator[None]:
    yield
    while SERVERS:
        server = SERVERS.pop()
        server.shutdown()
        server.server_close()


def simulated(instrument: str) -> MakeChannel:
    def make(clock: ClockLike | None = None, cell: str = "randles", seed: int = 1) -> Channel:
        from nakctl_sim.driver import driver

        place = Place("bench", "sim", instrument, 1, {})
        return driver.open(place, driver.cell(cell), clock or FreeClock(), seed)

    return make


def behind_the_library(instrument: str) -> MakeChannel:
    """The driver of the real instruments, over a virtual one that offers the functions of their library."""

    def make(clock: ClockLike | None = None, cell: str = "randles", seed: int = 1) -> Channel:
        from nakctl_sim.instrument import register
        from nakctl_sim.instrument.device import VirtualInstrument

        clock = clock or FreeClock()
        address = register("contract", VirtualInstrument(instrument, {1: cell}, clock, seed))
        return driven(instrument, address, clock, cell, seed)

    return make


def on_a_port(instrument: str) -> MakeChannel:
    """The same, with the virtual instrument behind a loopback port: every call is a message."""

    def make(clock: ClockLike | None = None, cell: str = "randles", seed: int = 1) -> Channel:
        from nakctl_sim.instrument.device import VirtualInstrument
        from nakctl_sim.instrument.server import Server

        clock = clock or FreeClock()
        server = Server(VirtualInstrument(instrument, {1: cell}, clock, seed), 0)
        SERVERS.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return driven(instrument, server.address, clock, cell, seed)

    return make


def driven(instrument: str, address: str, clock: ClockLike, cell: str, seed: int) -> Channel:
    from nakctl_biologic.driver import driver

    return driver.open(
        Place("bench", "biologic", instrument, 1, {"address": address}), Cell(cell, 1.0), clock, seed
    )


CHANNELS = {
    "sim-sp300": simulated("SP-300"),
    "sim-vmp3": simulated("VMP-3"),
    "biologic-sp300": behind_the_library("SP-300"),
    "biologic-vmp3": behind_the_library("VMP-3"),
    "port-sp300": on_a_port("SP-300"),  # a port carries messages of either family alike
}


WATCHING = {name: make for name, make in CHANNELS.items() if name.startswith("sim")}


@pytest.fixture(params=WATCHING.values(), ids=WATCHING.keys())
def make_watching_channel(request: pytest.FixtureRequest) -> MakeChannel:
    """As make_channel, of channels that follow the host's watch: hardware is read often enough without."""
    make: MakeChannel = request.param
    return make


@pytest.fixture(params=CHANNELS.values(), ids=CHANNELS.keys())
def make_channel(request: pytest.FixtureRequest) -> MakeChannel:
    """make_channel(clock, cell, seed) -> Channel, with a circuit or a cell of that name connected."""
    make: MakeChannel = request.param
    return make
