"""The tables of a run as arrays: each column is read when it is asked for."""

from __future__ import annotations

import html
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import h5py
import numpy as np
import numpy.typing as npt

from nakctl.booking.table import Table
from nakctl.errors import NakctlError, RecordError
from nakctl.record.ended import kinds
from nakctl.record.opening import opened
from nakctl.text.numbers import plural

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

_NEXUS = ("NX_class", "signal", "axes", "auxiliary_signals")
_SCALES = (
    "CLASS",
    "NAME",
    "DIMENSION_LIST",
    "REFERENCE_LIST",
)  # how HDF5 says by which column rows are found
_SHOWN = 5  # rows at either end, where a notebook shows a table

Array = npt.NDArray[Any]
Rows = slice | Sequence[int] | Array


class Columns:
    """One table of a run: `table.name` or `table["name"]` is a column, (n,) with n the same for all.

    Text columns come as str. len(table), or table.length, is n; table.names lists the columns, title and path
    say which table it is. `table[100:200]`, `table[rows]` (their places, or true and false for each) is a
    table again, `table[5]` one row as a dict. Places count from 0.
    """

    names: tuple[str, ...]
    length: int

    def __init__(self, path: Path, table: str, names: tuple[str, ...], length: int) -> None:
        self.path, self.title = path, table
        self._read: dict[str, Array] = {}
        self._said: dict[str, dict[str, str]] = {}
        self.names = names
        self.length = length

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, key: str) -> Array: ...
    @overload
    def __getitem__(self, key: int) -> Any: ...
    @overload
    def __getitem__(self, key: Rows) -> Columns: ...
    def __getitem__(self, key: str | int | Rows) -> Any:
        if isinstance(key, str):
            return self._column(key)
        if isinstance(key, int | np.integer):
            return self._row(int(key))
        return Part(self, key)

    def __contains__(self, name: object) -> bool:
        """Whether it has a column of that name."""
        return name in self.names

    def attributes(self, name: str) -> dict[str, str]:
        """What the file says of a column: units, long_name, bdf_name, eclab_name, sign, meaning, ..."""
        if name not in self.names:
            raise self._unknown(name)
        if not self._said:
            self._said = self._tell()
        return self._said[name]

    @property
    def df(self) -> pd.DataFrame:
        """A pandas DataFrame; its columns are named with their units: "Ewe / V"."""
        from nakctl.record.frames import frame

        return frame(self)

    @property
    def xr(self) -> xr.Dataset:
        """An xarray Dataset by the first column; units, and what else is said of a column, as attributes."""
        from nakctl.record.frames import dataset

        return dataset(self)

    def forget(self) -> None:
        """The columns that were read."""
        self._read.clear()

    def _column(self, name: str) -> Array:
        if name not in self.names:
            raise self._unknown(name)
        if name not in self._read:
            self._read[name] = self._load(name)
        return self._read[name]

    def _row(self, place: int) -> Any:
        if not -self.length <= place < self.length:
            raise IndexError(f"{self.title} has {self.length} rows, so there is none at {place}")
        return {name: self._column(name)[place].item() for name in self.names}

    def _load(self, name: str) -> Array:
        return _column(self.path, f"entry/{self.title}/{name}", self.length)

    def _tell(self) -> dict[str, dict[str, str]]:
        """All of them at once."""
        with opened(self.path) as file:
            return {name: _told(column) for name, column in file[f"entry/{self.title}"].items()}

    def _unknown(self, name: str) -> KeyError:
        return KeyError(f"{self.title} has no column {name}; it has {', '.join(self.names)}")

    def __getattr__(self, name: str) -> Array:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(error.args[0]) from error

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.names]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.names)

    def with_units(self, name: str) -> str:
        """The name of a column with its unit: "Ewe / V"."""
        units = self.attributes(name).get("units", "")
        return f"{name} / {units}" if units not in ("", "1") else name

    def __repr__(self) -> str:
        names = self.names
        with suppress(NakctlError):  # the file is gone
            names = tuple(map(self.with_units, names))
        return f"{self.title}: {plural(self.length, 'row')} of {', '.join(names)}"

    def _repr_html_(self) -> str:
        """The first and the last rows; whatever stands in them is text."""
        places = range(self.length)
        near = [*places[:_SHOWN], *places[max(_SHOWN, self.length - _SHOWN) :]]
        labels = ("", *map(self.with_units, self.names))
        head = "".join(f"<th>{html.escape(label)}</th>" for label in labels)
        values = [self._column(name)[near].tolist() if near else [] for name in self.names]
        rows = "".join(map(_html_row, near, zip(*values, strict=True)))
        caption = f"{html.escape(self.title)}: {self.length} rows"
        return f"<table><caption>{caption}</caption><tr>{head}</tr>{rows}</table>"


class Part(Columns):
    """Some rows of a table."""

    def __init__(self, of: Columns, rows: Rows) -> None:
        found = range(*rows.indices(len(of))) if isinstance(rows, slice) else _places(rows, len(of))
        super().__init__(of.path, of.title, of.names, len(found))
        self._of = of
        self._rows: slice | Array = rows if isinstance(rows, slice) else np.asarray(found)

    def _load(self, name: str) -> Array:
        return self._of._column(name)[self._rows]

    def _tell(self) -> dict[str, dict[str, str]]:
        return {name: self._of.attributes(name) for name in self.names}


class Made(Columns):
    """A table that was made of others. columns: by name, each (n,); said: of each column, as `attributes`."""

    def __init__(
        self, path: Path, table: str, columns: dict[str, Array], said: dict[str, dict[str, str]]
    ) -> None:
        super().__init__(path, table, tuple(columns), len(next(iter(columns.values()))))
        self._columns, self._said = columns, said

    def _load(self, name: str) -> Array:
        return self._columns[name]


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

    def _tell(self) -> dict[str, dict[str, str]]:
        return {name: {} for name in _END_COLUMNS} | super()._tell()


_END_COLUMNS = {"end_kind": "", "end_id": np.uint16(0), "end_value": np.nan}


class NoRows(Columns):
    """A table that the file does not have: it is older than the table."""

    def __init__(self, path: Path, table: Table) -> None:
        self._dtype = table.dtype
        super().__init__(path, table.name, table.names, 0)
        self._said = {column.name: column.attributes for column in table.columns}

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


def _told(column: h5py.Dataset) -> dict[str, str]:
    return {name: str(text) for name, text in column.attrs.items() if name not in _SCALES}


def _places(rows: Sequence[int] | Array, length: int) -> Array:
    """Of true and false for each row, too. IndexError: there is no such row."""
    found = np.asarray(rows)
    if found.ndim == 1 and found.size == 0 and found.dtype != np.bool_:
        return np.empty(0, np.intp)  # [] has no type of its own
    if found.ndim != 1 or found.dtype.kind not in "biu":
        raise IndexError(
            "rows are told by a place, a slice, places, or true and false for each; a column by its name"
        )
    if found.dtype == np.bool_:
        if len(found) != length:
            raise IndexError(f"{len(found)} times true or false, for a table of {length} rows")
        return np.flatnonzero(found)
    if np.any((found < -length) | (found >= length)):
        raise IndexError(f"these are not rows of a table of {length}")
    return found.astype(np.intp)


def _html_row(place: int, values: Sequence[Any]) -> str:
    shown = (f"{each:.6g}" if isinstance(each, float) else html.escape(str(each)) for each in values)
    return f"<tr><th>{place}</th>{''.join(f'<td>{each}</td>' for each in shown)}</tr>"


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
