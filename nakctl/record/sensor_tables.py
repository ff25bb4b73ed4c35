"""The readings of sensors on their way into HDF5: /entry/aux/NAME."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import h5py
import numpy as np
import numpy.typing as npt

from nakctl.booking import layout
from nakctl.booking.entry import Entry
from nakctl.booking.table import Table
from nakctl.device.sensor_journal import CLOCK_TIE, READING, TIES
from nakctl.record.describe import group

_TOLD = ("kind", "address", "every_s", "timeout_s", "scale", "offset", "about", "calibration")


class GrowingTable(Protocol):
    """What `hdf5_writer.Growing` is to this module."""

    table: Table
    group: h5py.Group
    rows: int
    crc: dict[str, int]

    def add(self, rows: npt.NDArray[np.void]) -> None: ...
    def write(self) -> None: ...


class SensorTables:
    """The sensors that the header names, in a file being filled. tables: by name, sensors as `aux/NAME`.

    make  creates the datasets of a table, as for all tables of the file
    """

    def __init__(
        self,
        entry: h5py.Group,
        header: Mapping[str, Any],
        make: Callable[[Table], GrowingTable],
    ) -> None:
        self.last_block = 0  # of the sensors' own journal
        self.damage = ""  # why readings are missing
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

    def add(self, entry: Entry) -> None:
        """Readings of one sensor, or ties of its clock. What cannot be read of them is damage."""
        try:
            sensor, self.last_block = str(entry.facts["sensor"]), int(entry.facts["block"])
            rows = np.frombuffer(entry.raw, CLOCK_TIE if sensor == TIES else READING)
        except (KeyError, ValueError, TypeError):
            self.damage = "a block of readings makes no sense"
            return
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
        if self.damage and self.tables:
            self.aux.attrs["damage"] = f"readings are missing: {self.damage}"


def _describe(made: h5py.Group, spec: Mapping[str, Any]) -> None:
    for name in _TOLD:
        if spec[name] not in ("", None):
            made.attrs[name] = spec[name]
    if spec["points"]:
        made.attrs["calibration_points"] = json.dumps(spec["points"])  # (shown, true) in the unit of value
    made.attrs["simulated"] = np.uint8(bool(spec["simulated"]))
