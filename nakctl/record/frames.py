"""Tables as pandas and xarray have them, for who has those: pip install "nakctl[exports]"."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from nakctl.errors import need
from nakctl.record.columns import Array, Columns

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


def library(name: str, what: str) -> Any:
    """The module of this name. NotInstalled, with what to do: it is not here. what: that needs it."""
    need(what, "exports", name)
    return import_module(name)


def frame(table: Columns) -> pd.DataFrame:
    """A row for each of its rows; columns are named with their units."""
    pandas = library("pandas", "a DataFrame")
    return pandas.DataFrame({table.with_units(name): table[name] for name in table.names})


def dataset(table: Columns) -> xr.Dataset:
    """By its first column."""
    xarray: Any = library("xarray", "a Dataset")
    along = table.names[0]
    found: xr.Dataset = xarray.Dataset(variables(table, along))
    return found.set_coords(along)


def variables(table: Columns, along: str) -> dict[str, Any]:
    """Its columns as xarray takes them. along: name of their dimension."""
    return {name: (along, table[name], table.attributes(name)) for name in table.names}


def plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What netCDF can keep of it: numbers and texts that are known."""
    known = {name: value for name, value in attributes.items() if value is not None}
    return {name: int(value) if isinstance(value, bool) else value for name, value in known.items()}


def padded(values: Array, first: Array, count: Array) -> Array:
    """(n,) of rows that belong to m groups -> (m, widest), NaN behind the shorter ones."""
    widest = int(count.max(initial=0))
    inside = np.arange(widest) < count[:, None]
    found = np.full(inside.shape, np.nan)
    found[inside] = values[(first[:, None] + np.arange(widest))[inside]]
    return found
