"""The tables of a run as arrays: each column is read when it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from nakctl.booking.table import Table
from nakctl.errors import RecordError
from nakctl.record.ended import kinds
from nakctl.record.opening import opened

_NEXUS = ("NX_class", "signal", "axes", "auxiliary_signals")

Array = npt.NDArray[Any]


class Columns:
    """One table of a run: `table.name` or `table["name"]` is a column, (n,) with n the same for all.

    Text columns come as str. len(table) is n; table.names lists the columns.
    """

    def __init__(self, path: Path, table: str, names: tuple[str, ...], length: int) -> None:
        self._path, self._table = path, table
        self._read: dict[str, Array] = {}
        self.names = names
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, name: str) -> Array:
        if name not in self.names:
            raise KeyError(f"{self._table} has no column {name}; it has {', '.join(self.names)}")
        if name not in self._read:
            self._read[name] = self._load(name)
        return self._read[name]

    def _load(self, name: str) -> Array:
        return _column(self._path, f"entry/{self._table}/{name}", self.length)

    def __getattr__(self, name: str) -> Array:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(error.args[0]) from error

    def forget(self) -> None:
        self._read.clear()

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.names]


class Steps(Columns):
    """The steps. Those of a file that was written before there were codes for it have them all the same."""

    def __init__(self, path: Path, table: str, names: tuple[str, ...], length: int) -> None:
        self._stored = names
        known = [name for name in _END_COLUMNS if name not in names]
        super().__init__(path, table, (*names, *known), length)

    def _load(self, name: str) -> Array:
        if name == "end_kind":
            stored = super()._load(name) if name in self._stored else np.zeros(self.length, "U16")
            return kinds(stored, self["end_reason"])
        if name not in self._stored:
            return np.full(self.length, _END_COLUMNS[name])
        return super()._load(name)


_END_COLUMNS = {"end_kind": "", "end_id": np.uint16(0), "end_value": np.nan}


class NoRows(Columns):
    """A table that the file does not have: it is older than the table."""

    def __init__(self, path: Path, table: Table) -> None:
        self._dtype = table.dtype
        super().__init__(path, table.name, table.names, 0)

    def _load(self, name: str) -> Array:
        kind = self._dtype[name]
        return np.zeros(0, np.str_ if kind.kind == "S" else kind)


class Log(Columns):
    """A sensor's readings: `time` in s of the run, `value` in `units` (NaN where a gap begins), `time_error`.

    about  what the file says of it: kind, address, every_s, calibration, simulated, time_error_s, ...
    """

    def __init__(self, path: Path, group: h5py.Group) -> None:
        lengths = {name: len(column) for name, column in group.items()}
        super().__init__(path, group.name.removeprefix("/entry/"), tuple(lengths), min(lengths.values()))
        self.units: str = group["value"].attrs["units"]
        plain = {name: value for name, value in group.attrs.items() if name not in _NEXUS}
        self.about: dict[str, Any] = {
            name: value.item() if hasattr(value, "item") else value for name, value in plain.items()
        }


def _column(path: Path, name: str, length: int) -> Array:
    with opened(path) as file:
        dataset = file[name]
        if len(dataset) < length:
            raise RecordError(f"{path}: the live view is being built anew; try again in a moment")
        text = h5py.check_string_dtype(dataset.dtype)
        if text is not None and text.length is None:
            whole: Array = dataset.asstr()[:length].astype(np.str_)
            return whole
        values: Array = dataset[:length]
    return values if text is None else np.char.decode(values, "utf-8")
