"""The words of rig.yaml, once per lab, reviewed like protocols."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nakctl.device.cell import Cell
from nakctl.device.driver import Place
from nakctl.device.limits import instrument
from nakctl.errors import RigError
from nakctl.text.faults import Problem, did_you_mean, in_order, problems
from nakctl.text.quantities import Quantity, quantity
from nakctl.text.reader import read_file


class Word(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class DeviceWords(Word):
    """One chassis. model: what it is, or, for a simulated one, what it stands in for."""

    driver: str
    model: str
    address: str | None = None


class ChannelWords(Word):
    """One potentiostat board, numbered from 1 as on the front panel."""

    device: str
    channel: int = Field(1, strict=True, ge=1, le=16)


class CellWords(Word):
    """One cell on one channel. model: the simulated cell to put there, if the channel is simulated."""

    channel: str
    area: Annotated[Quantity, quantity("area")]
    working: str = ""
    counter: str = ""
    reference: str = ""
    electrolyte: str = ""
    pressure: Annotated[Quantity, quantity("pressure")] | None = None
    note: str = ""
    model: str | None = None


class RigWords(Word):
    """The devices, channels and cells of a lab."""

    version: Literal[1] = Field(alias="nakctl-rig")
    devices: dict[str, DeviceWords] = {}
    channels: dict[str, ChannelWords] = {}
    cells: dict[str, CellWords] = {}

    def places(self) -> dict[str, Place]:
        found = {}
        for name, channel in self.channels.items():
            device = self.devices[channel.device]
            options = {} if device.address is None else {"address": device.address}
            found[name] = Place(name, device.driver, instrument(device.model).name, channel.channel, options)
        return found

    def described_cells(self, file: Path) -> dict[str, Cell]:
        return {name: _cell(name, words, file) for name, words in self.cells.items()}


def _cell(name: str, words: CellWords, file: Path) -> Cell:
    told = {"pressure": words.pressure and words.pressure.text, "note": words.note, "rig": str(file)}
    return Cell(
        name=name,
        area_cm2=words.area.value,
        working=words.working,
        counter=words.counter,
        reference=words.reference,
        electrolyte=words.electrolyte,
        source=words.model or str(file),
        facts={key: value for key, value in told.items() if value},
    )


def read_rig(file: Path, drivers: tuple[str, ...], reserved: tuple[str, ...]) -> RigWords:
    """A rig file without fault. RigError with every fault in it.

    drivers: what is installed; reserved: the names of simulated channels, which stay theirs.
    """
    document = read_file(file, RigError)
    try:
        rig = RigWords.model_validate(document.data)
    except ValidationError as error:
        raise RigError(in_order(problems(error, document.data, RigWords, {}), document)) from None
    found = [*_devices(rig, drivers), *_channels(rig, reserved), *_cells(rig, reserved)]
    if found:
        raise RigError(in_order(found, document))
    return rig


def _devices(rig: RigWords, drivers: tuple[str, ...]) -> Iterator[Problem]:
    for name, device in rig.devices.items():
        if device.driver not in drivers:
            text = f"there is no driver {device.driver}; installed are: {', '.join(drivers)}"
            yield Problem(("devices", name, "driver"), text)
        try:
            instrument(device.model)
        except RigError as error:
            yield Problem(("devices", name, "model"), str(error))


def _channels(rig: RigWords, reserved: tuple[str, ...]) -> Iterator[Problem]:
    for name, channel in rig.channels.items():
        if name in reserved:
            yield Problem(
                ("channels", name), f"{name} is the name of a simulated channel, and stays that", True
            )
        if channel.device not in rig.devices:
            hint = did_you_mean(channel.device, rig.devices)
            yield Problem(("channels", name, "device"), f"there is no device {channel.device}{hint}")


def _cells(rig: RigWords, reserved: tuple[str, ...]) -> Iterator[Problem]:
    for name, cell in rig.cells.items():
        if cell.channel not in (*rig.channels, *reserved):
            hint = did_you_mean(cell.channel, rig.channels)
            yield Problem(("cells", name, "channel"), f"there is no channel {cell.channel}{hint}")
