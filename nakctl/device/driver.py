"""What a package on the `drivers` or `sim` shelf offers: its entry point is one object of this shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from nakctl.device.cell import Cell

if TYPE_CHECKING:
    from nakctl.device.channel import Channel, Rows, Visit
    from nakctl.device.inspection import ChannelState, Chassis, Diagnosis, Found, Lesson
    from nakctl.device.program import Segment
    from nakctl.device.sensor import Sensors


class ClockLike(Protocol):
    """The part of `nakctl.run.clock.Clock` that a channel may use."""

    def now_s(self) -> float: ...
    def horizon_s(self) -> float: ...
    def advance_to(self, time_s: float) -> None: ...
    def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where to run: a row of the rig. options are the driver's own words of that row.

    unwatched  what is to become of a run that nobody can watch: "go on", "stop", or "": as its limits allow;
               unwatched_for_s before it is stopped
    feeding    chains that are longer than it holds may be handed over while they run, if it can do that
    dry_for    the channel of the rig that this simulated one takes the place of in a dry run; "" none
    """

    name: str
    driver: str
    instrument: str
    channel: int
    options: Mapping[str, object]
    unwatched: Literal["", "go on", "stop"] = ""
    unwatched_for_s: float = 60.0
    feeding: bool = True
    dry_for: str = ""


class Driver(Protocol):
    """A family of channels. Importing it is cheap; `open` may import what it needs.

    virtual_time: its channels can go as fast as they compute, on a clock that stands still meanwhile.
    outlives: its channels go on by themselves when the program is gone that started them.
    """

    virtual_time: bool
    outlives: bool

    def simulated(self, place: Place) -> bool:
        """Whether what sits on this place is no real cell. Screens and files say so."""

    def cells(self) -> tuple[Cell, ...]:
        """The cells this driver brings along (a simulator's models); hardware has none."""

    def cell(self, name: str) -> Cell:
        """One of them by name, or from a file; CellError says what there is."""

    def open(self, place: Place, cell: Cell, clock: ClockLike, seed: int, adopting: bool = False) -> Channel:
        """Connect. ChannelError if that fails, or if the channel runs or holds rows of somebody.

        adopting  to go on with what runs there (`Channel.adopt`): nothing is refused for that, and nothing is
                  changed on the device, its firmware and its settings included
        """


@runtime_checkable
class Inspector(Protocol):
    """What a driver may offer besides: to look for its instruments, and to say how one of them is.

    None of it disturbs a channel that runs or takes rows from it.
    """

    def takes(self, address: str) -> bool:
        """Whether an address given by itself is one of this driver's."""

    def discover(self, options: Mapping[str, object]) -> tuple[Found, ...]:
        """Search all links of this computer. options: as in a Chassis. ChannelError, RigError."""

    def identify(self, options: Mapping[str, object]) -> Found:
        """Ask the one at options["address"]. ChannelError, RigError."""

    def inspect(self, chassis: Chassis) -> Iterator[Diagnosis]:
        """Look from the outside to the inside, as far as one gets. Trouble is a diagnosis, not an error."""

    def channels(self, chassis: Chassis) -> tuple[ChannelState, ...]:
        """Every channel of the device that holds a board. ChannelError."""


@runtime_checkable
class OwnWords(Protocol):
    """A driver that knows which words a device has in the rig: `address`, and its own under `options:`."""

    def wrong_words(self, options: Mapping[str, object]) -> Mapping[str, str]:
        """word -> what is wrong with it, or that it is missing: a sentence. Nothing is opened for that."""


@runtime_checkable
class Surrounds(Protocol):
    """A driver whose cells feel nothing of what stands beside them unless it is told to them."""

    def surrounded(self, channel: Channel, sensors: Sensors) -> Sensors:
        """The same sensors; the cell of the channel feels from now on what they are set to."""


class Decoder(Protocol):
    """Makes the rows of one segment anew, without an instrument, from what its readings kept of it."""

    def rows(self, raw: bytes) -> tuple[Rows, Rows, Visit | None]:
        """Samples, points and newest visit of a reading, from its `raw`. To be given those of all readings
        of the segment, from the first on, in their order. ChannelError: it is damaged."""


@runtime_checkable
class Decodes(Protocol):
    """A driver whose readings keep what their rows were made of, and that can make them anew."""

    def decoder(self, facts: Mapping[str, Any], segment: Segment) -> Decoder:
        """facts: `ChannelInfo.facts` of the channel that read it, also after a way through JSON.
        ChannelError: they do not say enough."""


@runtime_checkable
class Teacher(Protocol):
    """A driver that settles, on a dummy cell, what its sources leave open about an instrument."""

    def first_day(self, chassis: Chassis, channel: int, clock: ClockLike) -> Iterator[Lesson]:
        """One small experiment after the other. They set up to 0.05 V and 1 mA. ChannelError."""
