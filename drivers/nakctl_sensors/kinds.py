"""The kinds that this package brings: entry points of nakctl.sensors. Importing this loads no library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from nakctl.device.driver import ClockLike
from nakctl.device.sensor import SensorKind, SensorSpec, Source

if TYPE_CHECKING:
    from nakctl.text.faults import Problem


@dataclass(frozen=True, slots=True)
class InstrumentKind:
    """name as in rig.yaml; module and class of the source that speaks to it."""

    name: str
    module: str
    source: str
    simulated: bool = False

    def spec(self, name: str, words: Mapping[str, Any]) -> tuple[SensorSpec | None, list[Problem]]:
        from nakctl_sensors.rig_entry import WORDS, read_words

        return read_words(name, words, WORDS[self.name])

    def open(self, spec: SensorSpec, clock: ClockLike) -> Source:
        source = getattr(import_module(f"nakctl_sensors.{self.module}"), self.source)
        return cast(Source, source(spec))


scpi: SensorKind = InstrumentKind("scpi", "scpi", "ScpiSource")
serial: SensorKind = InstrumentKind("serial", "serial_line", "SerialSource")
modbus: SensorKind = InstrumentKind("modbus", "modbus", "ModbusSource")
