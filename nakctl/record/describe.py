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
from nakctl.booking import layout

_SAID = ({"value", "units"}, {"value", "definition"}, {"value", "units", "definition"})
_SHOWN = 200  # of a value that cannot be stored
_TAIL = 4096  # rows

_SAMPLE_FIELDS = {
    "name": "name",
    "working": "working_electrode",
    "counter": "counter_electrode",
    "reference": "reference_electrode",
    "electrolyte": "electrolyte",
    "source": "source",
    "working_is": "working_is",
    "three_electrodes": "three_electrodes",
}


def write_header(file: h5py.File, header: Mapping[str, Any], status: str) -> h5py.Group:
    """The root's attributes, /entry and all its groups that hold no rows. Returns /entry.

    What HDF5 cannot store of the header is left out, and named in /entry/not_stored: the rows come first.
    """
    simulated = bool(header.get("simulated"))
    _root(file, header, simulated)
    entry = group(file, "entry", "NXentry")
    entry.attrs["default"] = "plot"
    entry.attrs["simulated"] = np.uint8(simulated)
    left_out = fields(
        entry,
        title=layout.title(header),
        start_time=header.get("start_time"),
        entry_identifier_uuid=header.get("run_id"),
        run_status=status,
        note=header.get("note"),
    )
    left_out |= _program(entry, header)
    left_out |= _user_and_sample(entry, header, simulated)
    left_out |= _instrument(entry, _part(header, "instrument"))
    left_out |= _protocol_and_plan(entry, header)
    left_out |= _campaign(entry, _part(header, "campaign"))
    about = _part(header, "environment") | {
        "command_line": header.get("command_line"),
        "seed": header.get("seed"),
    }
    left_out |= fields(group(entry, "environment", "NXcollection"), **about)
    fields(entry, not_stored=left_out or None)
    return entry


def group(parent: h5py.Group, name: str, nx_class: str) -> h5py.Group:
    made = parent.create_group(name, track_order=True)  # columns are listed in the order of the layout
    made.attrs["NX_class"] = nx_class
    return made


def fields(parent: h5py.Group, /, **values: Any) -> dict[str, str]:
    """One dataset per value that is known: numbers and text as they are, anything else as JSON.

    A mapping {"value": number, "units": text} becomes a number with that unit, {"value": [number, ...], ...}
    a row of them; "definition": text says beside any value what it is. Returns what could not be
    stored: {path: the value as text}.
    """
    left_out = {}
    for name, value in values.items():
        if value is None:
            continue
        try:
            _store(parent, name, value)
        except (TypeError, ValueError, OverflowError):  # not those by which h5py tells of the disk
            left_out[f"{parent.name}/{name}"] = str(value)[:_SHOWN]
    return left_out


def storable(text: str) -> str:
    """The same for HDF5, which knows UTF-8 only and takes a zero for the end."""
    return text.encode(errors="backslashreplace").decode().replace("\0", "\\x00")


def read_fields(parent: h5py.Group) -> dict[str, Any]:
    """What `fields` wrote; truth values come back as 0 and 1."""
    return {name: _value(item) for name, item in parent.items() if isinstance(item, h5py.Dataset)}


def last_time_s(entry: h5py.Group) -> float:
    """Time of the last thing recorded, from the start of the run."""
    columns = ("samples/time", "impedance/time", "events/time", "steps/t_end")
    return max((_last_number(entry[name]) for name in columns), default=0.0)


def _last_number(column: h5py.Dataset) -> float:
    """Of a column whose rows may be no number; 0 if it holds none."""
    for end in range(len(column), 0, -_TAIL):
        tail = column[max(end - _TAIL, 0) : end]
        if np.isfinite(tail).any():
            return float(tail[np.isfinite(tail)][-1])
    return 0.0


def _store(parent: h5py.Group, name: str, value: Any) -> None:
    units = definition = None
    if isinstance(value, Mapping) and set(value) in _SAID:
        units, definition, value = value.get("units"), value.get("definition"), value["value"]
        value = float(value) if isinstance(value, int) and units is not None else value
    if isinstance(value, list) and units is not None:
        value = np.array(value, np.float64)
    plain = isinstance(value, str | int | float | np.ndarray)
    stored = value if plain else json.dumps(value, ensure_ascii=False)
    if isinstance(stored, bool):
        stored = np.uint8(stored)
    parent[storable(name)] = storable(stored) if isinstance(stored, str) else stored
    if not plain:
        parent[storable(name)].attrs["type"] = "application/json"
    if units is not None:
        parent[storable(name)].attrs["units"] = storable(units)
    if definition is not None:
        parent[storable(name)].attrs["definition"] = storable(definition)
    if isinstance(stored, np.ndarray):
        parent[storable(name)].attrs["long_name"] = storable(name.replace("_", " "))


def _part(header: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A part of the header that is a table of its own."""
    found = header.get(name)
    return dict(found) if isinstance(found, Mapping) else {}


def _value(dataset: h5py.Dataset) -> Any:
    stored = dataset[()]
    if isinstance(stored, bytes):
        text = stored.decode()
        return json.loads(text) if dataset.attrs.get("type") == "application/json" else text
    number = stored.tolist()
    units = dataset.attrs.get("units")
    return number if units is None else {"value": number, "units": units}


def _root(file: h5py.File, header: Mapping[str, Any], simulated: bool) -> None:
    version = header.get("format", layout.FORMAT)
    file.attrs["NX_class"] = "NXroot"
    file.attrs["default"] = "entry"
    file.attrs["creator"] = "nakctl"
    file.attrs["creator_version"] = __version__
    file.attrs["nakctl_format"] = (
        version if isinstance(version, int) and 0 < version < 1 << 31 else layout.FORMAT
    )
    file.attrs["simulated"] = np.uint8(simulated)
    file.attrs["HDF5_Version"] = h5py.version.hdf5_version
    file.attrs["h5py_version"] = h5py.version.version


def _program(entry: h5py.Group, header: Mapping[str, Any]) -> dict[str, str]:
    git = _part(header, "git")
    left_out = fields(entry, program_name="nakctl", git_commit=git.get("commit"), git_dirty=git.get("dirty"))
    entry["program_name"].attrs["version"] = __version__
    return left_out


def _user_and_sample(entry: h5py.Group, header: Mapping[str, Any], simulated: bool) -> dict[str, str]:
    left_out = fields(group(entry, "user", "NXuser"), **_part(header, "user"))
    given = _part(header, "sample")
    sample = group(entry, "sample", "NXsample")
    left_out |= fields(
        sample, **{field: given[key] for key, field in _SAMPLE_FIELDS.items() if given.get(key)}
    )
    area_cm2 = given.get("area_cm2")
    if area_cm2 is not None:
        left_out |= fields(sample, electrode_area={"value": area_cm2, "units": "cm^2"})
    capacity_C = given.get("capacity_C")
    if capacity_C is not None:
        left_out |= fields(sample, nominal_capacity={"value": capacity_C, "units": "C"})
    return left_out | fields(sample, facts=given.get("facts"), simulated=simulated)


def _instrument(entry: h5py.Group, given: Mapping[str, Any]) -> dict[str, str]:
    instrument = group(entry, "instrument", "NXinstrument")
    left_out = fields(instrument, name=given.get("model"))
    return left_out | fields(group(instrument, "potentiostat", "NXcollection"), **given)


def _campaign(entry: h5py.Group, given: Mapping[str, Any]) -> dict[str, str]:
    """To which it belongs, if it does."""
    if not given:
        return {}
    return fields(group(entry, "campaign", "NXnote"), **{"type": "application/yaml", **given})


def _protocol_and_plan(entry: h5py.Group, header: Mapping[str, Any]) -> dict[str, str]:
    protocol = group(entry, "protocol", "NXnote")
    left_out = fields(protocol, **{"type": "application/yaml"} | _part(header, "protocol"))
    left_out |= fields(protocol, params=header.get("params"))
    plan = group(entry, "plan", "NXnote")
    left_out |= fields(plan, **{"type": "application/json"} | _part(header, "plan"))
    told = ("program", "rules", "limits")
    return left_out | fields(plan, **{name: header.get(name) for name in told})
