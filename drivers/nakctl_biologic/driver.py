"""The driver of BioLogic potentiostats: the entry point `biologic` of nakctl.drivers.

Importing this module loads no library and no numpy; `open` does. Words of a place: `address`, `provider`,
`sdk_path`, `load_firmware` (evict another firmware from the channel).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nakctl.device.cell import Cell
from nakctl.device.driver import ClockLike, Decoder, Driver, Place
from nakctl.device.inspection import ChannelState, Chassis, Diagnosis, Found, Lesson
from nakctl.errors import CellError

if TYPE_CHECKING:
    from nakctl.device.channel import Channel
    from nakctl.device.program import Segment


class BiologicDriver:
    """Channels of the SP-300 and VMP-3 families. It also decodes, inspects and teaches."""

    virtual_time = False
    outlives = True

    def simulated(self, place: Place) -> bool:
        """An address with a scheme (`sim://...`) is that of no real instrument."""
        return "://" in str(place.options.get("address", ""))

    def cells(self) -> tuple[Cell, ...]:
        return ()

    def cell(self, name: str) -> Cell:
        raise CellError(
            f"a real channel takes its cell from rig.yaml, and there is no cell {name}: describe it there"
        )

    def open(self, place: Place, cell: Cell, clock: ClockLike, seed: int, adopting: bool = False) -> Channel:
        """The cell and the seed are not the instrument's business."""
        from nakctl_biologic.opening import open_channel

        return open_channel(place, clock, adopting=adopting)

    def decoder(self, facts: Mapping[str, Any], segment: Segment) -> Decoder:
        from nakctl_biologic import decoding

        return decoding.Decoder(facts, segment)

    def takes(self, address: str) -> bool:
        from nakctl_biologic.address import is_ours

        return is_ours(address)

    def discover(self, options: Mapping[str, object]) -> tuple[Found, ...]:
        from nakctl_biologic import inspect

        return inspect.discover(options)

    def identify(self, options: Mapping[str, object]) -> Found:
        from nakctl_biologic import inspect

        return inspect.identify(options)

    def inspect(self, chassis: Chassis) -> Iterator[Diagnosis]:
        from nakctl_biologic import inspect

        return inspect.inspect(chassis)

    def channels(self, chassis: Chassis) -> tuple[ChannelState, ...]:
        from nakctl_biologic import inspect

        return inspect.channels(chassis)

    def first_day(self, chassis: Chassis, channel: int, clock: ClockLike) -> Iterator[Lesson]:
        from nakctl_biologic.first_day import first_day

        return first_day(chassis, channel, clock)


driver: Driver = BiologicDriver()
