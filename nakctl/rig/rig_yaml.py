"""The words of rig.yaml, once per lab, reviewed like protocols."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from nakctl.device.cell import Cell, charge_C
from nakctl.device.driver import Place
from nakctl.device.inspection import Chassis
from nakctl.device.instrument import instrument
from nakctl.errors import RigError
from nakctl.rig import DRY
from nakctl.rig.devices import DeviceWords, Word, wrong_devices
from nakctl.rig.notify import WayWords, read_notify, without_secrets
from nakctl.rig.sensors import read_sensors
from nakctl.text.faults import Problem, did_you_mean, in_order, problems
from nakctl.text.quantities import Quantity, Ref, quantity
from nakctl.text.reader import read_file

NO_PARAMETERS = "a rig has no parameters: write the value itself"


class ChannelWords(Word):
    """One potentiostat board, numbered from 1 as on the front panel.

    unwatched: what is to become of a run there whose program died, if none can go on with it: `go on` (limits
    are held as far as the instrument holds them), or `stop` after unwatched_for.
    Left out: go on where the instrument holds every limit of the present step and of what its chain goes on
    to, else stop.
    feeding: `false` where chains that are longer than the channel holds shall be cut, with the cell open for
    a moment, and not handed over while they run.
    """

    device: str
    channel: int = Field(1, strict=True, ge=1, le=16)
    unwatched: Literal["go on", "stop"] | None = None
    unwatched_for: Annotated[Quantity, quantity("time", sign="positive")] | None = None
    feeding: bool | None = Field(None, strict=True)

    def alone(self) -> dict[str, Any]:
        """What of it a place is told."""
        told = {
            "unwatched": self.unwatched,
            "unwatched_for_s": self.unwatched_for and self.unwatched_for.value,
            "feeding": self.feeding,
        }
        return {name: value for name, value in told.items() if value is not None}


class CellWords(Word):
    """One cell on one channel.

    capacity: what C/10 and 10 % of capacity refer to, of the whole cell or per area.
    working_is: the electrode on WE: charging oxidises a positive one and reduces a negative one.
    three_electrodes: RE is an electrode of its own, so that Ece is worth recording.
    simulated_as: what stands for it on a simulated channel and in a dry run: the name of a simulated cell, or
    the file of one, beside this rig. It gets the area of this cell; what it declares is said here too.
    """

    channel: str
    area: Annotated[Quantity, quantity("area")]
    capacity: Annotated[Quantity, quantity("charge", "areal charge")] | None = None
    working_is: Literal["positive", "negative"] | None = None
    three_electrodes: Annotated[bool, Field(strict=True)] = False
    working: str = ""
    counter: str = ""
    reference: str = ""
    electrolyte: str = ""
    pressure: Annotated[Quantity, quantity("pressure", sign="positive")] | None = None
    note: str = ""
    simulated_as: Annotated[str, Field(min_length=1)] | None = None


class RigWords(Word):
    """The devices, channels and cells of a lab, and who is told what happens to a run."""

    version: Literal[1] = Field(alias="nakctl-rig")
    devices: dict[str, DeviceWords] = Field({})
    channels: dict[str, ChannelWords] = Field({})
    cells: dict[str, CellWords] = Field({})
    sensors: dict[str, Any] = Field({})
    notify: list[WayWords] = Field([])

    def places(self) -> dict[str, Place]:
        found = {}
        for name, channel in self.channels.items():
            device = self.devices[channel.device]
            model = instrument(device.model).name
            place = Place(name, device.driver, model, channel.channel, device.options())
            found[name] = replace(place, **channel.alone())
        return found

    def described_devices(self) -> dict[str, Chassis]:
        seats = {
            device: {words.channel: name for name, words in self.channels.items() if words.device == device}
            for device in self.devices
        }
        return {
            name: Chassis(name, words.driver, instrument(words.model).name, seats[name], words.options())
            for name, words in self.devices.items()
        }

    def described_cells(self, file: Path) -> dict[str, Cell]:
        return {name: _cell(name, words, file) for name, words in self.cells.items()}


def _cell(name: str, words: CellWords, file: Path) -> Cell:
    simulated_as = _beside(file, words.simulated_as or "")
    told = {"pressure": words.pressure and words.pressure.text, "note": words.note, "rig": str(file)}
    told["simulated_as"] = simulated_as
    return Cell(
        name=name,
        area_cm2=words.area.value,
        working=words.working,
        counter=words.counter,
        reference=words.reference,
        electrolyte=words.electrolyte,
        source=str(file),
        facts={key: value for key, value in told.items() if value},
        capacity_C=None if words.capacity is None else charge_C(words.capacity, words.area.value),
        working_is=words.working_is or "",
        three_electrodes=words.three_electrodes,
        simulated_as=simulated_as,
    )


def _beside(rig: Path, said: str) -> str:
    """The name of a cell as it is; a file of cells (`cells/my.yaml`, `my.yaml#NaK65`) lies beside the rig."""
    file, _, _ = said.partition("#")
    is_file = file.lower().endswith((".yaml", ".yml"))
    return str(rig.parent / said) if is_file else said


def read_rig(file: Path, drivers: tuple[str, ...], reserved: tuple[str, ...]) -> RigWords:
    """A rig file without fault. RigError with every fault in it.

    drivers: what is installed; reserved: the names of simulated channels, which stay theirs.
    """
    try:
        return _read(file, drivers, reserved)
    except RigError as error:
        raise (RigError(without_secrets(error.faults)) if error.faults else error) from None


def _read(file: Path, drivers: tuple[str, ...], reserved: tuple[str, ...]) -> RigWords:
    document = read_file(file, RigError)
    of_sensors = _of_sensors(document.data)
    try:
        rig = RigWords.model_validate(document.data)
    except ValidationError as error:
        found = [*problems(error, document.data, RigWords, {}, "a rig file"), *of_sensors]
        raise RigError(in_order(found, document)) from None
    of_rig = (*wrong_devices(rig.devices, drivers), *_channels(rig, reserved), *_cells(rig, reserved))
    ways = read_notify(document.data.get("notify"), file, (*rig.channels, *reserved))
    found = [*of_rig, *of_sensors, *ways[1]]
    if found:
        raise RigError(in_order(found, document))
    return rig


def _of_sensors(data: Any) -> Iterable[Problem]:
    """Their words are their kinds' own, and are read whatever is wrong with the rest of the file."""
    sensors = data.get("sensors") if isinstance(data, dict) else None
    named = isinstance(sensors, dict) and all(isinstance(name, str) for name in sensors)
    return read_sensors(sensors).problems if named and sensors else ()


def _channels(rig: RigWords, reserved: tuple[str, ...]) -> Iterator[Problem]:
    for name, channel in rig.channels.items():
        if name in reserved:
            yield Problem(
                ("channels", name), f"{name} is the name of a simulated channel, and stays that", True
            )
        if name.startswith(DRY):
            text = f"names that begin with {DRY} are those of dry runs: give the channel another one"
            yield Problem(("channels", name), text, True)
        if isinstance(channel.unwatched_for, Ref):
            yield Problem(("channels", name, "unwatched_for"), NO_PARAMETERS)
        if channel.device not in rig.devices:
            hint = did_you_mean(channel.device, rig.devices)
            yield Problem(("channels", name, "device"), f"there is no device {channel.device}{hint}")
    yield from _twins(rig)


def _twins(rig: RigWords) -> Iterator[Problem]:
    """A board of a real instrument has one name; simulated ones exist as often as one likes."""
    first: dict[tuple[str, int], str] = {}
    for name, channel in rig.channels.items():
        device = rig.devices.get(channel.device)
        if device is not None and device.address is not None:
            other = first.setdefault((device.address, channel.channel), name)
            if other != name:
                text = f"{other} is channel {channel.channel} of {device.address} already"
                yield Problem(("channels", name), text, True)


def _cells(rig: RigWords, reserved: tuple[str, ...]) -> Iterator[Problem]:
    for name, cell in rig.cells.items():
        if cell.channel not in (*rig.channels, *reserved):
            hint = did_you_mean(cell.channel, rig.channels)
            yield Problem(("cells", name, "channel"), f"there is no channel {cell.channel}{hint}")
        for word in ("area", "pressure", "capacity"):
            if isinstance(getattr(cell, word), Ref):
                yield Problem(("cells", name, word), NO_PARAMETERS)
