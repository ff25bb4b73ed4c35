"""The channels under contract: a new driver of ours is one more row of CHANNELS, another one `--channel`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import Any

import pytest
from channel_bench import AdoptedEachRead, MakeChannel

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


@dataclass(frozen=True)
class Simulated:
    instrument: str

    def __call__(self, clock: ClockLike | None = None, cell: str = "randles", seed: int = 1) -> Channel:
        from nakctl_sim.driver import driver

        place = Place("bench", "sim", self.instrument, 1, {})
        return driver.open(place, driver.cell(cell), clock or FreeClock(), seed)

    def again(self, dropped: Channel, *, is_cut: bool = True) -> Channel:
        """On the same board: it stands in this program, and there is no connection to it."""
        from nakctl_sim.channel import SimChannel

        assert isinstance(dropped, SimChannel)
        return SimChannel(dropped.board, dropped.info)


@dataclass(frozen=True)
class BehindTheLibrary:
    """The driver of the real instruments, over a virtual one that offers the functions of their library.

    instruments: by their addresses.
    """

    instrument: str
    instruments: dict[str, Any] = field(default_factory=dict)

    def __call__(self, clock: ClockLike | None = None, cell: str = "randles", seed: int = 1) -> Channel:
        from nakctl_sim.instrument.device import VirtualInstrument

        virtual = VirtualInstrument(self.instrument, {1: cell}, clock or FreeClock(), seed)
        address = self.put_up(virtual)
        self.instruments[address] = virtual
        return self.opened(address)

    def put_up(self, virtual: Any) -> str:
        from nakctl_sim.instrument import register

        return register(f"contract {len(self.instruments)}", virtual)

    def opened(self, address: str, *, adopting: bool = False) -> Channel:
        from nakctl_biologic.driver import driver

        place = Place("bench", "biologic", self.instrument, 1, {"address": address})
        return driver.open(place, Cell("cell", 1.0), self.instruments[address].clock, 1, adopting)

    def again(self, dropped: Channel, *, is_cut: bool = True) -> Channel:
        address = dropped.info.facts["address"]
        if is_cut:
            for session in list(self.instruments[address]._sessions):
                session.close()
        return self.opened(address, adopting=True)


class OnAPort(BehindTheLibrary):
    """The same, with the virtual instrument behind a loopback port: every call is a message."""

    def put_up(self, virtual: Any) -> str:
        from nakctl_sim.instrument.server import Server

        server = Server(virtual, 0)
        SERVERS.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server.address


@dataclass(frozen=True)
class Adopted:
    """Channels that are dropped after every read, and gone on with."""

    of: MakeChannel

    def __call__(self, clock: ClockLike | None = None, cell: str = "randles", seed: int = 1) -> Channel:
        return AdoptedEachRead(self.of(clock, cell, seed), self.of)

    def again(self, dropped: Channel, *, is_cut: bool = True) -> Channel:
        assert isinstance(dropped, AdoptedEachRead)
        return self.of.again(dropped.channel, is_cut=is_cut)


CHANNELS: dict[str, MakeChannel] = {
    "sim-sp300": Simulated("SP-300"),
    "sim-vmp3": Simulated("VMP-3"),
    "biologic-sp300": BehindTheLibrary("SP-300"),
    "biologic-vmp3": BehindTheLibrary("VMP-3"),
    "port-sp300": OnAPort("SP-300"),  # a port carries messages of either family alike
}
ADOPTED: dict[str, MakeChannel] = {
    f"{name} adopted each read": Adopted(CHANNELS[name]) for name in ("sim-sp300", "biologic-sp300")
}


WATCHING = {name: make for name, make in CHANNELS.items() if name.startswith("sim")}


@pytest.fixture(params=WATCHING.values(), ids=WATCHING.keys())
def make_watching_channel(request: pytest.FixtureRequest) -> MakeChannel:
    """As make_channel, of channels that follow the host's watch: hardware is read often enough without."""
    make: MakeChannel = request.param
    return make


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """make_channel(clock, cell, seed) -> Channel, with a circuit or a cell of that name connected.

    A module with ALSO_DROPPED has its promises kept by channels that are dropped after every read, too.
    """
    if "make_channel" in metafunc.fixturenames:
        asked = metafunc.config.getoption("--channel")
        channels = {asked: resolve_name(asked)} if asked else CHANNELS
        dropped = {f"{asked} adopted each read": Adopted(channels[asked])} if asked else ADOPTED
        made = channels | (dropped if getattr(metafunc.module, "ALSO_DROPPED", False) else {})
        metafunc.parametrize("make_channel", made.values(), ids=made.keys())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With --channel only what that channel can be asked."""
    if config.getoption("--channel"):
        others = [item for item in items if "make_channel" not in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]
