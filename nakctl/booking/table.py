"""What a table is: its columns, how they lie in memory and in HDF5, and how a journal describes them.

In memory a table is a numpy structured array with exactly `Table.dtype` (little endian, packed); in HDF5 each
of its columns is one dataset. A dataset cannot be called `Ewe/V`, as EC-Lab does, or `Voltage / V`, as the
Battery Data Format does, because `/` separates HDF5 groups: so names are short, and each column carries its
unit, its axis label and its names in those two worlds as attributes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

_BDF_IRI = "https://w3id.org/battery-data-alliance/ontology/battery-data-format#"


@dataclass(frozen=True)
class Column:
    """One column. units as UDUNITS reads them, "1" for a plain number, "" for text.

    long_name  label of an axis; bdf_* the term of the Battery Data Format and eclab_name the column of
    EC-Lab that mean the same, "" where there is none; notes: further attributes of the dataset
    """

    name: str
    dtype: str
    units: str
    long_name: str
    bdf_name: str = ""
    bdf_label: str = ""
    eclab_name: str = ""
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def attributes(self) -> dict[str, str]:
        """What the dataset of this column carries."""
        terms = {
            "bdf_name": self.bdf_name,
            "bdf_label": self.bdf_label,
            "bdf_iri": self.bdf_name and _BDF_IRI + self.bdf_name,
            "eclab_name": self.eclab_name,
        }
        written = {name: text for name, text in (terms | self.notes).items() if text}
        return {"units": self.units, "long_name": self.long_name} | written


@dataclass(frozen=True)
class Table:
    """One growing table, a group of the file whose columns have equal lengths.

    live_chunk, sealed_chunk  rows of an HDF5 chunk. A live file rewrites its last chunk at every flush, so
    that one is small; a sealed file is compressed by whole chunks, so that one is large.
    """

    name: str
    nx_class: str
    columns: tuple[Column, ...]
    live_chunk: int
    sealed_chunk: int
    signal: str = ""
    axes: str = ""
    auxiliary_signals: tuple[str, ...] = ()

    @cached_property
    def dtype(self) -> np.dtype[np.void]:
        return np.dtype([(column.name, column.dtype) for column in self.columns])

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def scale(self) -> str:
        """The column that rows are found by: its axis, else the first one; "" where nobody looks for rows."""
        return "" if self.name.startswith("raw/") else self.axes or self.names[0]

    def empty(self) -> npt.NDArray[np.void]:
        return np.empty(0, self.dtype)


def cut(text: str, size: int) -> bytes:
    """UTF-8 of at most `size` bytes for a fixed-length text column, never ending in half a character."""
    return text.encode(errors="replace")[:size].decode(errors="ignore").encode()


def to_json(layout: Iterable[Table]) -> list[dict[str, Any]]:
    """As the journal keeps it, so that a later version of nakctl reads the rows as they were written."""
    return [asdict(table) for table in layout]


def from_json(layout: Iterable[Mapping[str, Any]]) -> dict[str, Table]:
    """The tables that `to_json` described."""
    return {str(each["name"]): _table(**each) for each in layout}


def _table(columns: list[dict[str, Any]], auxiliary_signals: list[str], **rest: Any) -> Table:
    return Table(
        columns=tuple(Column(**column) for column in columns),
        auxiliary_signals=tuple(auxiliary_signals),
        **rest,
    )
