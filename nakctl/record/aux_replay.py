"""The readings of sensors on their way into HDF5: /entry/aux/NAME."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import h5py
import numpy as np
import numpy.typing as npt

from nakctl.device.sensor_journal import TIES
from nakctl.record import layout
from nakctl.record.aux_reader import AuxReader
from nakctl.record.describe import group
from nakctl.record.table import Table

_TOLD = ("kind", "address", "every_s", "timeout_s", "scale", "offset", "about", "calibration")


class GrowingTable(Protocol):
    """What `replay.Growing` is to this module."""

    table: Table
    group: h5py.Group
    rows: int
    crc: dict[str, int]

    def add(self, rows: npt.NDArray[np.void]) -> None: ...
    def write(self) -> None: ...


class SensorReplay:
    """The sensors that the header names, in a file being filled. tables: by name, sensors as `aux/NAME`.

    make  creates the datasets of a table, as for all tables of the file
    """

    def __init__(
        self,
        entry: h5py.Group,
        header: Mapping[str, Any],
        reader: AuxReader,
        make: Callable[[Table], GrowingTable],
    ) -> None:
        self.reader = reader
        self.tables: dict[str, GrowingTable] = {}
        specs = header.get("sensors") or []
        if not specs:
            return
        self.aux = group(entry, "aux", "NXcollection")
        if header.get("simulated"):
            self.aux.attrs["note"] = "the simulated cell feels none of these"
        for spec in specs:
            table = layout.sensor(spec)
            self.tables[table.name] = made = make(table)
            _describe(made.group, spec)
        self.tables[layout.SENSOR_CLOCK.name] = make(layout.SENSOR_CLOCK)

    def take(self) -> None:
        """Whatever has been read since the last time."""
        if not self.tables:
            return
        for sensor, rows in self.reader.blocks():
            name = layout.SENSOR_CLOCK.name if sensor == TIES else f"aux/{sensor}"
            if name in self.tables:
                self.tables[name].add(rows)

    def write(self) -> None:
        for growing in self.tables.values():
            growing.write()

    def conclude(self) -> None:
        """What is known only at the end: how well the sensors' clock was tied to the run's."""
        self.write()
        for growing in self.tables.values():
            errors_s = growing.group["time_error"][()]
            if len(errors_s):
                growing.group.attrs["time_error_s"] = float(errors_s.max())
        if self.reader.damage:
            self.aux.attrs["damage"] = f"readings are missing: {self.reader.damage}"


def _describe(made: h5py.Group, spec: Mapping[str, Any]) -> None:
    for name in _TOLD:
        if spec[name] not in ("", None):
            made.attrs[name] = spec[name]
    if spec["points"]:
        made.attrs["calibration_points"] = json.dumps(spec["points"])  # (shown, true) in the unit of value
    made.attrs["simulated"] = np.uint8(bool(spec["simulated"]))
