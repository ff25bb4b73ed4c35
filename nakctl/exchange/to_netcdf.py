"""netCDF-4: a group per table, times as coordinates, units as UDUNITS reads them; for xarray and its kin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nakctl.exchange.placing import Parts
from nakctl.exchange.source import AT_A_TIME, Block, Source

# By table: the dimension of its rows, and what else is a coordinate.
_TABLES = {
    "samples": ("time", ("time",)),
    "impedance": ("point", ("time", "frequency", "spectrum")),
    "spectra": ("spectrum", ("spectrum", "time")),
    "steps": ("step_count", ("step_count",)),
    "events": ("event", ("time",)),
}
_ATTRIBUTES = ("units", "long_name", "sign", "meaning", "enum", "bits", "amplitude", "gaps")


def parts(source: Source) -> Parts:
    return {".nc": partial(_write, source)}


def _write(source: Source, path: Path) -> None:
    import h5netcdf

    source.refuse_full_disk(path)
    with h5netcdf.File(path, "w") as file:
        file.attrs.update(source.about | {"Conventions": "CF-1.11", "history": source.about["exported_by"]})
        for table, (dimension, coordinates) in _TABLES.items():
            blocks = partial(source.blocks, table)
            _table(file, table, source.described(table), dimension, coordinates, source.count(table), blocks)
        for name, log in source.run.aux.items():
            blocks = partial(source.sensor_blocks, name)
            count = sum(len(block["time"]) for block in blocks())
            made = _table(
                file, f"sensors/{name}", source.described(f"aux/{name}"), "time", ("time",), count, blocks
            )
            made.attrs.update({key: str(value) for key, value in log.about.items()})


def _table(
    file: Any,
    name: str,
    described: dict[str, dict[str, str]],
    dimension: str,
    coordinates: tuple[str, ...],
    count: int,
    blocks: Callable[[], Iterator[Block]],
) -> Any:
    """A group; filled block by block."""
    group = file.create_group(name)
    group.dimensions = {dimension: count}
    row = 0
    for block in blocks():
        if not group.variables:
            for column, values in block.items():
                _variable(group, dimension, count, column, values, described[column], coordinates)
        stop = row + len(next(iter(block.values())))
        for column, values in block.items():
            group.variables[column][row:stop] = values.astype(object) if values.dtype.kind == "U" else values
        row = stop
    return group


def _variable(
    group: Any,
    dimension: str,
    count: int,
    name: str,
    values: np.ndarray,
    about: dict[str, str],
    coordinates: tuple[str, ...],
) -> None:
    import h5py

    text = values.dtype.kind == "U"
    kept = (
        {} if text else {"compression": "gzip", "shuffle": True, "chunks": (min(max(count, 1), AT_A_TIME),)}
    )
    dtype = h5py.string_dtype() if text else values.dtype
    made = group.create_variable(name, (dimension,), dtype, **kept)
    made.attrs.update({key: about[key] for key in _ATTRIBUTES if about.get(key)})
    others = [each for each in coordinates if each not in (name, dimension)]
    if name not in coordinates and others:
        made.attrs["coordinates"] = " ".join(others)
