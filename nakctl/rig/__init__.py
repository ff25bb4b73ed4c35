"""Which channel is which: names -> drivers, lazily.

Without a rig file there are two channels, both simulated. With one, a run names its channel: the names of the
simulated ones cannot be given to anything else, so that no slip of the pen turns a dry run into a real one,
nor the reverse. A dry run of a real channel is asked for in a word of its own, and has a channel of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from nakctl.device.driver import Driver, Place
from nakctl.errors import CellError, RigError
from nakctl.offered import named, offered, ours
from nakctl.text.meant import did_you_mean

if TYPE_CHECKING:
    from nakctl.device.cell import Cell
    from nakctl.device.inspection import Chassis
    from nakctl.device.sensor import SensorSpec
    from nakctl.rig.notify import Way

RIG_FILE = "rig.yaml"
SIMULATOR = "sim"  # the driver of all simulated channels
SIMULATED = {
    "sim-sp300": Place("sim-sp300", SIMULATOR, "SP-300", 1, {}),
    "sim-vmp3": Place("sim-vmp3", SIMULATOR, "VMP-3", 1, {}),
}
DEFAULT = "sim-sp300"
_DRIVERS = "nakctl.drivers"
DEFAULT_SIMULATED_CELL = "NaK50"
DRY = "dry-"  # how the channel of a dry run is called: dry-A1 stands for A1


@dataclass(frozen=True, slots=True)
class Rig:
    """The channels, cells and sensors one can name here. file None: there is no rig file.

    stand_ins  what takes the place of real sensors in a dry run, by the same names
    ways       who is told what happens to runs
    """

    file: Path | None
    places: Mapping[str, Place]
    cells: Mapping[str, Cell]
    cell_places: Mapping[str, str]
    devices: Mapping[str, Chassis]
    sensors: Mapping[str, SensorSpec] = field(default_factory=dict)
    stand_ins: Mapping[str, SensorSpec] = field(default_factory=dict)
    ways: Sequence[Way] = ()

    def place(self, name: str | None) -> Place:
        """The channel of this name; RigError lists what there is."""
        if name is None:
            if self.places.keys() == SIMULATED.keys():  # it has no channel that could be meant
                return SIMULATED[DEFAULT]
            raise RigError(f"{self.file} is here, so name the channel: --on {' | '.join(self.places)}")
        if name in self.places:
            return self.places[name]
        where = f"in {self.file}" if self.file else f"without a {RIG_FILE}"
        hint = did_you_mean(name, self.places) or ";"
        raise RigError(f"there is no channel {name} {where}{hint} channels are: {', '.join(self.places)}")

    def dry_place(self, name: str | None, cell: str | None) -> Place:
        """What simulates the channel of this name, else that on which the cell sits, else the only one.

        One in virtual time needs none. For another there is a simulated one of its instrument. RigError.
        """
        seat = name if name is not None else self.seat(cell)
        if seat is None and cell is not None:
            self._cell_of_driver(cell, load_driver(SIMULATOR))  # tells if there is none
        place = self.place(seat)
        if load_driver(place.driver).virtual_time:
            return place
        own = replace(place, name=DRY + place.name, driver=SIMULATOR, options={}, unwatched="")
        return replace(own, dry_for=place.name)

    def seat(self, cell: str | None) -> str | None:
        """Where a cell sits. None: nobody says, and there are several channels, or none of the rig."""
        own = [name for name in self.places if name not in SIMULATED]
        return self.cell_places.get(cell or "", own[0] if len(own) == 1 else None)

    def cell(self, name: str | None, place: Place) -> Cell:
        """The cell to run. RigError if it sits elsewhere, or if a channel in virtual time is not told what
        simulates it; CellError if the driver knows no such cell."""
        driver = load_driver(place.driver)
        if name is not None and name not in self.cells:
            return self._cell_of_driver(name, driver)
        cell = self._only_cell(place, driver) if name is None else self.cells[name]
        seat = self.cell_places.get(cell.name, place.name)
        here = place.dry_for or place.name
        if seat != here:
            raise RigError(f"cell {name} sits on {seat} (says {self.file}), not on {here}")
        if driver.virtual_time and self.stand_in(cell) is None:
            raise RigError(
                f"{self.file} does not say what simulates {cell.name}: add `simulated_as: NaK50` to it, or "
                "another name that `nakctl cells` lists, or the file of a cell"
            )
        return cell

    def _cell_of_driver(self, name: str, driver: Driver) -> Cell:
        try:
            return driver.cell(name)
        except CellError as error:
            hint = did_you_mean(name, self.cells)
            if error.faults or not self.cells:  # it is a file's, or there are none
                raise
            said = f"there is no cell {name}{hint}" if hint else f"{error};"
            raise CellError(f"{said} cells of {self.file} are: {', '.join(self.cells)}") from None

    def stand_in(self, cell: Cell) -> str | None:
        """The simulated cell that takes its place in a dry run; None: nobody said. CellError: none is called
        so."""
        if not cell.simulated_as:
            return None
        try:
            return load_driver(SIMULATOR).cell(cell.simulated_as).name
        except CellError as error:
            if error.faults:  # they have a place of their own
                raise
            raise CellError(f"{cell.name} in {self.file}, simulated_as: {error}") from None

    def _only_cell(self, place: Place, driver: Driver) -> Cell:
        seated = [name for name, seat in self.cell_places.items() if seat == (place.dry_for or place.name)]
        if len(seated) == 1:
            return self.cells[seated[0]]
        if seated:
            raise RigError(f"{place.name} has several cells: name one with --cell {' | '.join(seated)}")
        if place.name in SIMULATED:
            return driver.cell(DEFAULT_SIMULATED_CELL)
        raise RigError(
            f"{place.name} has no cell in {self.file}: add one under `cells:`, or name it with --cell"
        )


def find_rig(path: Path | None = None) -> Rig:
    """The rig file named, or that of the working folder, or none. RigError with every fault in it."""
    file = path if path is not None else Path(RIG_FILE)
    if path is None and not file.exists():
        return Rig(None, SIMULATED, {}, {}, {})
    return _read(file)


def load_driver(name: str) -> Driver:
    """The driver of this name, imported now."""
    found = named(_DRIVERS, name)
    if found is None:
        hint = did_you_mean(name, driver_names()) or ";"
        raise RigError(f"there is no driver {name}{hint} installed are: {', '.join(driver_names())}")
    return cast(Driver, found.load())


def is_shipped(name: str) -> bool:
    """Whether this driver is one of ours."""
    return any(point.name == name for point in ours(_DRIVERS))


def driver_names() -> tuple[str, ...]:
    return tuple(sorted(point.name for point in offered(_DRIVERS)))


def _read(file: Path) -> Rig:
    """A rig file; its words (and pydantic) are imported only where there is one."""
    from nakctl.rig.notify import ways_of
    from nakctl.rig.rig_yaml import read_rig
    from nakctl.rig.sensors import read_sensors

    words = read_rig(file, driver_names(), tuple(SIMULATED))
    places = SIMULATED | words.places()
    seats = {name: cell.channel for name, cell in words.cells.items()}
    cells, devices, bench = (
        words.described_cells(file),
        words.described_devices(),
        read_sensors(words.sensors),
    )
    ways = ways_of(words.notify, file)
    return Rig(file, places, cells, seats, devices, bench.sensors, bench.stand_ins, ways)
