"""What this package does for a run and for the command line: the entry point of nakctl.sensor_service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nakctl.device.sensor import Proposal, Raw, Sensors, SensorService, SensorSpec, load_kind


class Service:
    """Obeys `nakctl.device.sensor.SensorService`."""

    def beside(self, path: Path, specs: tuple[SensorSpec, ...]) -> Sensors:
        from nakctl_sensors.process import SensorProcess

        return SensorProcess(path, specs)

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

    def probe(self, where: str, unit: str | None, say: Callable[[str], None]) -> Proposal:
        from nakctl_sensors.probe import probe

        return probe(where, unit, say)

    def dialogues(self) -> Mapping[str, Mapping[str, Any]]:
        from nakctl_sensors.dialogues import dialogue, dialogue_names

        return {name: dialogue(name) or {} for name in dialogue_names()}


service: SensorService = Service()
