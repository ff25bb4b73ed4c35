"""The driver of simulated channels: the entry point `sim` of nakctl.drivers.

Importing this module does not import numpy; `open` does. A simulated channel stands in for the
instrument that its place names, and takes its limits from the same data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from nakctl.device.cell import Cell
from nakctl.device.driver import ClockLike, Driver, Place
from nakctl.errors import CellError, ChannelGone, RigError
from nakctl_sim.cell import catalog
from nakctl_sim.fitting.fitted import FITTED, NOT_FITTED
from nakctl_sim.habits import ChannelHabits, with_words
from nakctl_sim.trouble import Trouble, trouble

if TYPE_CHECKING:
    from nakctl.device.channel import Channel
    from nakctl.device.fitting import Asked, Seen, Subject
    from nakctl.device.inspection import ChannelState, Chassis, Diagnosis, Found
    from nakctl.device.sensor import Sensors

HINT = "add `simulated_as: NaK50`, another name that `nakctl cells` lists, or the file of a cell"


class SimDriver:
    """Words of a place, all optional:

    scatter_seed  makes another specimen of the cell
    habits        `{eis_factor: 1.35, test_row: false}`: see nakctl_sim.habits.ChannelHabits
    trouble       `["stopped@t75", "silent@t30:5s"]`: see nakctl_sim.trouble
    """

    virtual_time = True
    outlives = False
    fit_models = FITTED
    not_fitted = NOT_FITTED

    def simulated(self, place: Place) -> bool:
        return True

    def cells(self) -> tuple[Cell, ...]:
        return tuple(map(catalog.describe, catalog.names()))

    def cell(self, name: str) -> Cell:
        return catalog.describe(name)

    def open(self, place: Place, cell: Cell, clock: ClockLike, seed: int, adopting: bool = False) -> Channel:
        if adopting:
            raise ChannelGone(
                f"{place.name}: a simulated channel does not outlive the program that ran it, so there is "
                "nothing to go on with"
            )
        from nakctl.device.instrument import instrument
        from nakctl_sim.board import SimBoard
        from nakctl_sim.cell.models import load_model
        from nakctl_sim.channel import SimChannel, channel_info
        from nakctl_sim.kernel import present

        scatter_seed, changed, troubles = specimen(place), habits(place), trouble_of(place)
        model = load_model(model_of(cell), scatter_seed, cell.area_cm2)
        facts = {
            "cell_model": model.name,
            "cell_parameters": model.cell.facts,  # of this specimen: with its scatter
            "scatter_seed": model.cell.facts.get("scatter_seed"),
            "computed_by": present().told,
        } | {word: place.options[word] for word in ("habits", "trouble") if word in place.options}
        if cell.three_electrodes and not model.cell.three_electrodes:
            raise CellError(
                f"cell {cell.name} has three electrodes, its model {model.name} two: leave three_electrodes "
                "out, or let one with three stand for it (nakctl cells)"
            )
        device = instrument(place.instrument)
        board = SimBoard(model, device, clock, seed, changed, troubles)
        return SimChannel(board, channel_info(place.name, device, seed, facts))

    def surrounded(self, channel: Channel, sensors: Sensors) -> Sensors:
        """The cell comes to the temperature of the simulated chamber beside it, if there is one."""
        from nakctl_sim.chamber import InAChamber, chamber_among
        from nakctl_sim.channel import SimChannel

        spec = chamber_among(sensors)
        if spec is None or not isinstance(channel, SimChannel):
            return sensors
        chamber = channel.board.put_into(spec)
        return InAChamber(sensors, spec.name, chamber, channel.board.clock)

    def subject(self, asked: Asked, seen: Seen) -> Subject:
        from nakctl_sim.fitting.subjects import subject

        return subject(asked, seen)

    def takes(self, address: str) -> bool:
        """Simulated channels have none."""
        return False

    def discover(self, options: Mapping[str, object]) -> tuple[Found, ...]:
        return ()

    def identify(self, options: Mapping[str, object]) -> Found:
        raise RigError("a simulated device has no address")

    def inspect(self, chassis: Chassis) -> Iterator[Diagnosis]:
        from nakctl.device.inspection import Diagnosis
        from nakctl_sim.kernel import present

        yield Diagnosis("instrument", "ok", "simulated: nothing outside this program is needed")
        kernel = present()
        yield Diagnosis("simulation", "warning" if kernel.stale else "ok", kernel.told, kernel.remedy)

    def channels(self, chassis: Chassis) -> tuple[ChannelState, ...]:
        from nakctl.device.inspection import ChannelState

        return tuple(ChannelState(number, "simulated") for number in sorted(chassis.channels))


def specimen(place: Place) -> int | None:
    """The seed that tells one specimen of a cell from another; None: the cell as described."""
    asked = place.options.get("scatter_seed")
    if asked is None or isinstance(asked, int):
        return asked
    raise RigError(f"{place.name}: scatter_seed is a whole number, not {asked!r}")


def habits(place: Place) -> ChannelHabits:
    """Of the channel: as usual, but for the words of its place."""
    asked = place.options.get("habits", {})
    if not isinstance(asked, Mapping):
        raise RigError(f"{place.name}: habits are words like {{eis_factor: 1.35}}, not {asked!r}")
    return with_words(ChannelHabits(), [f"{name}={value}" for name, value in asked.items()])


def trouble_of(place: Place) -> list[Trouble]:
    asked = place.options.get("trouble", [])
    if not isinstance(asked, list) or not all(isinstance(each, str) for each in asked):
        raise RigError(f'{place.name}: trouble is a list like ["stopped@t75"], not {asked!r}')
    return [trouble(each) for each in asked]


def model_of(cell: Cell) -> str:
    """What to ask the catalog for, to get the model of a cell. CellError: nobody said what simulates it."""
    if not cell.simulated_as:
        raise CellError(f"cell {cell.name} of {cell.source} does not say what simulates it: {HINT}")
    return cell.simulated_as


driver: Driver = SimDriver()
