"""What stands in a result file beside its tables: the header of the run as NeXus groups and fields.

Written once, before the first row: a file that others read while it grows may get no new objects.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from nakctl import __version__
from nakctl.record.layout import FORMAT

SIMULATED = "SIMULATED"

_SAMPLE_FIELDS = {
    "name": "name",
    "working": "working_electrode",
    "counter": "counter_electrode",
    "reference": "reference_electrode",
    "electrolyte": "electrolyte",
    "source": "source",
}


def write_header(file: h5py.File, header: Mapping[str, Any], status: str) -> h5py.Group:
    """The root's attributes, /entry and all its groups that hold no rows. Returns /entry."""
    simulated = bool(header.get("simulated"))
    _root(file, header, simulated)
    entry = group(file, "entry", "NXentry")
    entry.attrs["default"] = "plot"
    entry.attrs["simulated"] = np.uint8(simulated)
    title = str(header.get("title", ""))
    fields(
        entry,
        title=f"{SIMULATED} {title}" if simulated else title,
        start_time=header.get("start_time"),
        entry_identifier_uuid=header.get("run_id"),
        run_status=status,
    )
    _program(entry, header)
    _user_and_sample(entry, header, simulated)
    _instrument(entry, (header.get("instrument") or {}))
    _protocol_and_plan(entry, header)
    environment = group(entry, "environment", "NXcollection")
    fields(environment, **(header.get("environment") or {}))
    fields(environment, command_line=header.get("command_line"), seed=header.get("seed"))
    fields(entry, note=header.get("note"))
    return entry


def group(parent: h5py.Group, name: str, nx_class: str) -> h5py.Group:
    made = parent.create_group(name, track_order=True)  # columns are listed in the order of the layout
    made.attrs["NX_class"] = nx_class
    return made


def fields(parent: h5py.Group, /, **values: Any) -> None:
    """One dataset per value that is known: numbers and text as they are, anything else as JSON.

    A mapping {"value": number, "units": text} becomes a number with that unit.
    """
    for name, value in values.items():
        if value is None:
            continue
        units = None
        if isinstance(value, Mapping) and set(value) == {"value", "units"}:
            value, units = value["value"], value["units"]
        plain = isinstance(value, str | int | float)
        stored = value if plain else json.dumps(value, ensure_ascii=False)
        parent[name] = np.uint8(stored) if isinstance(stored, bool) else stored
        if not plain:
            parent[name].attrs["type"] = "application/json"
        if units is not None:
            parent[name].attrs["units"] = units


def read_fields(parent: h5py.Group) -> dict[str, Any]:
    """What `fields` wrote; truth values come back as 0 and 1."""
    return {name: _value(item) for name, item in parent.items() if isinstance(item, h5py.Dataset)}


def last_time_s(entry: h5py.Group) -> float:
    """Time of the last thing recorded, from the start of the run."""
    columns = ("samples/time", "impedance/time", "events/time", "steps/t_end")
    return max((float(entry[name][-1]) for name in columns if len(entry[name])), default=0.0)


def _value(dataset: h5py.Dataset) -> Any:
    stored = dataset[()]
    if isinstance(stored, bytes):
        text = stored.decode()
        return json.loads(text) if dataset.attrs.get("type") == "application/json" else text
    number = stored.item()
    units = dataset.attrs.get("units")
    return number if units is None else {"value": number, "units": units}


def _root(file: h5py.File, header: Mapping[str, Any], simulated: bool) -> None:
    file.attrs["NX_class"] = "NXroot"
    file.attrs["default"] = "entry"
    file.attrs["creator"] = "nakctl"
    file.attrs["creator_version"] = __version__
    file.attrs["nakctl_format"] = int(header.get("format", FORMAT))
    file.attrs["simulated"] = np.uint8(simulated)
    file.attrs["HDF5_Version"] = h5py.version.hdf5_version
    file.attrs["h5py_version"] = h5py.version.version


def _program(entry: h5py.Group, header: Mapping[str, Any]) -> None:
    git = header.get("git") or {}
    fields(entry, program_name="nakctl", git_commit=git.get("commit"), git_dirty=git.get("dirty"))
    entry["program_name"].attrs["version"] = __version__


def _user_and_sample(entry: h5py.Group, header: Mapping[str, Any], simulated: bool) -> None:
    fields(group(entry, "user", "NXuser"), **(header.get("user") or {}))
    given = header.get("sample") or {}
    sample = group(entry, "sample", "NXsample")
    fields(sample, **{field: given[key] for key, field in _SAMPLE_FIELDS.items() if given.get(key)})
    if given.get("area_cm2") is not None:
        fields(sample, electrode_area={"value": float(given["area_cm2"]), "units": "cm^2"})
    fields(sample, facts=given.get("facts"), simulated=simulated)


def _instrument(entry: h5py.Group, given: Mapping[str, Any]) -> None:
    instrument = group(entry, "instrument", "NXinstrument")
    fields(instrument, name=given.get("model"))
    fields(group(instrument, "potentiostat", "NXcollection"), **given)


def _protocol_and_plan(entry: h5py.Group, header: Mapping[str, Any]) -> None:
    protocol = group(entry, "protocol", "NXnote")
    fields(protocol, **{"type": "application/yaml"} | (header.get("protocol") or {}))
    fields(protocol, params=header.get("params"))
    plan = group(entry, "plan", "NXnote")
    fields(plan, **{"type": "application/json"} | (header.get("plan") or {}))
    fields(plan, program=header.get("program"), rules=header.get("rules"), limits=header.get("limits"))
