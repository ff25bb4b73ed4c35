"""Rows as text, fast: a block is made by pyarrow, which writes as few digits as read back the same number."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def comma_separated(columns: Mapping[str, Array]) -> bytes:
    """Text in quotes, no value as an empty cell."""
    return _rows(columns, ",", "needed", empty=True)


def tab_separated(columns: Mapping[str, Array]) -> bytes:
    """As EC-Lab writes rows: no quotes, lines that end as on Windows. No value as nan."""
    return _rows(columns, "\t", "none", empty=False).replace(b"\n", b"\r\n")


def quoted(names: Mapping[str, object] | list[str]) -> str:
    """A line of comma separated names."""
    return ",".join(f'"{name.replace(chr(34), chr(34) * 2)}"' for name in names) + "\n"


def _rows(columns: Mapping[str, Array], delimiter: str, quoting: str, *, empty: bool) -> bytes:
    import pyarrow as pa
    from pyarrow import csv

    arrays = [pa.array(_plain(values), from_pandas=empty) for values in columns.values()]
    table = pa.Table.from_arrays(arrays, [str(k) for k in range(len(arrays))])
    written = io.BytesIO()
    how = csv.WriteOptions(include_header=False, delimiter=delimiter, quoting_style=quoting)
    csv.write_csv(table, written, how)
    return written.getvalue()


def _plain(values: Array) -> Any:
    return values.tolist() if values.dtype.kind == "U" else np.ascontiguousarray(values)
