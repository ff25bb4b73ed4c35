"""What this package does for a run and for the command line: the entry point of nakctl.sensor_service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nakctl.device.sensor import PortThere, Proposal, Raw, Sensors, SensorService, SensorSpec, load_kind
from nakctl.errors import RigError


class Service:
    """Obeys `nakctl.device.sensor.SensorService`."""

    def beside(self, path: Path, specs: tuple[SensorSpec, ...], *, goes_on: bool = False) -> Sensors:
        from nakctl_sensors.process import SensorProcess

        return SensorProcess(path, specs, goes_on=goes_on)

    def on_free_clock(self, path: Path, specs: tuple[SensorSpec, ...]) -> Sensors:
        from nakctl_sensors.virtual import VirtualSensors

        return VirtualSensors(path, specs)

    def read_once(self, spec: SensorSpec) -> Raw:
        from nakctl.run.clock import WallClock
        from nakctl_sensors.reply import value_of

        source = load_kind(spec.kind).open(spec, WallClock())
        try:
            raw = source.read()
            value_of(raw, spec)
            return raw
        finally:
            source.close()

    def probe(self, where: str, known: Mapping[str, str], say: Callable[[str], None]) -> Proposal:
        from nakctl_sensors.addresses import Wrong, serial_port
        from nakctl_sensors.probe import probe

        port = where if "::" in where else serial_port(where)
        if isinstance(port, Wrong):
            raise RigError(str(port))
        return probe(port, known, say)

    def ports(self) -> tuple[PortThere, ...]:
        from nakctl_sensors.ports import description, there, usb_name

        return tuple(PortThere(info.device, usb_name(info), description(info)) for info in there())

    def dialogues(self) -> Mapping[str, Mapping[str, Any]]:
        from nakctl_sensors.dialogues import dialogue, dialogue_names

        return {name: dialogue(name) or {} for name in dialogue_names()}


service: SensorService = Service()
