"""Rows, events and headers for the tests of the record: every value follows from its row number."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from headers import header_of

from nakctl.record import layout
from nakctl.record.journal import Journal
from nakctl.record.poll import Event
from nakctl.record.seal import seal
from nakctl.record.table import Table, cut

Rows = npt.NDArray[np.void]

# In which a process of its own finds this module, and what it imports.
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(str(each) for each in Path(__file__).parents[:2])}


def header(**more: Any) -> dict[str, Any]:
    known = {
        "user": {"name": "Ada"},
        "sample": {
            "name": "NaK50",
            "area_cm2": 0.5,
            "working": "NaK",
            "counter": "NaK",
            "facts": {"p_MPa": 1},
        },
        "instrument": {"model": "SP-300", "channel": "1", "driver": "sim", "facts": {"serial": "0"}},
        "protocol": {"file_name": "ccd.yaml", "data": "nakctl: 1\nname: größer\n", "sha256": "00"},
        "plan": {"data": '{"steps": [1, 2]}', "sha256": "11", "compiler": "nakctl 0.1"},
        "program": "1 CP 0.1 mA",
        "params": {"levels": ["0.1 mA/cm2"]},
        "rules": [{"short": 0.5}],
        "limits": {"Ewe_min_V": 0.0},
        "environment": {"python": "3.11", "packages": {"numpy": "2"}},
        "command_line": "nakctl run ccd",
        "git": {"commit": "abc", "dirty": False},
        "note": "first try",
        "seed": 7,
        "three_electrode": False,
        "I_ranges": {4: "1 mA", 5: "10 mA"},
        "expected_rows": 1000,
    }
    return header_of("ccd on NaK50", **known | more)


def samples(start: int, count: int, table: Table = layout.SAMPLES) -> Rows:
    k = np.arange(start, start + count)
    rows = np.zeros(count, table.dtype)
    for name, values in {
        "time": k * 0.25,
        "Ewe": np.sin(k),
        "I": 1e-4 * np.cos(k),
        "Q": k * 1e-6,
        "step_count": k // 50,
        "step_id": k // 50 % 3 + 1,
        "cycle": k // 150,
        "flags": k % 4,
        "I_range": 4,
        "control": 1e-4,
    }.items():
        rows[name] = values
    return rows


def impedance(spectrum: int, count: int = 5) -> Rows:
    rows = np.zeros(count, layout.IMPEDANCE.dtype)
    f = np.logspace(6, 1, count)
    rows["time"] = spectrum * 10 + np.arange(count)
    rows["spectrum"] = spectrum
    rows["frequency"] = f
    z = 10 + 1 / (1 / 50 + 2j * np.pi * f * 1e-6)
    rows["Z_re"], rows["Z_im"] = z.real, z.imag
    rows["Z_abs"], rows["Z_phase"] = np.abs(z), np.angle(z, deg=True)
    return rows


def step(count: int, label: str = "strip 0.1 mA/cm²") -> Rows:
    one = (count, 1, 0, b"CP", cut(label, 64), 0.0, 12.5, 0, 50, b"duration", b"duration", 0, np.nan)
    return np.array([one], layout.STEPS.dtype)


def ends() -> Rows:
    """Two conditions: a cutoff of step 1, and a limit."""
    cutoff = (1, b"cutoff", b"charge", b"above", 3.6, b"next step", b"host", 1, 7, b"charge above 1 mAh")
    limit = (2, b"limit", b"Ewe", b"above", 3.0, b"end run", b"instrument", 0, 3, b"Ewe above 3 V")
    return np.array([cutoff, limit], layout.ENDS.dtype)


def event(k: int = 0, code: str = "note") -> Event:
    return Event(k * 0.25, 1, code, k, f"message {k}: " + "ä" * 200, {"k": k})


def journal_only(path: Path, polls: int, per_poll: int = 10, *, end: bool = True, **more: Any) -> None:
    """What a killed (or, with end, a finished but unsealed) run leaves of itself, without a live view."""
    journal = Journal.create(path, header(**more))
    for k in range(polls):
        tables = {"samples": samples(k * per_poll, per_poll)}
        if k % 5 == 0:
            tables |= {"steps": step(k // 5), "impedance": impedance(k // 5 + 1)}
        journal.append(tables, [event(k)] if k % 7 == 0 else [])
    if end:
        journal.end("completed", "as planned", {"ccd": {"value": 0.4, "units": "mA/cm2"}, "shorted": 1})
    journal.close()


def sealed(path: Path, polls: int = 20, **more: Any) -> Path:
    journal_only(path, polls, **more)
    seal(path)
    return path


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def datasets(path: Path) -> dict[str, Any]:
    """Every dataset with its values, but for those that may differ between equal runs."""
    found: dict[str, Any] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and not name.endswith("entry_identifier_uuid"):
            found[name] = item[()]

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return found
