"""A small run that has some of everything: three cycles, spectra, two sensors with a gap, three names that bite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import results_runs as runs

from nakctl.booking.event import Event
from nakctl.device.sensor import SensorSpec

HOSTILE = "<script>alert('x')</script> & \"q\""
f_Hz = np.logspace(5, 0, 31)
STEPS = [
    runs.rest(4),
    runs.strip(1e-3, [0.10, 0.11, 0.12, 0.13]),
    runs.strip(-1e-3, [-0.10, -0.11]),
    runs.strip(2e-3, [0.2, 0.3]),
    runs.strip(-2e-3, [-0.2, -0.3, -0.4]),
    runs.rest(5, Ewe_V=0.01),
]
CYCLES = [1, 1, 1, 2, 2, 3]


def sensor(name: str, unit: str, every_s: float) -> dict[str, Any]:
    return SensorSpec(name, "serial", "COM3", unit, "pressure", 1.0, 0.0, every_s, 1.0).as_json()


def arc(R_ohm: float, f_Hz: np.ndarray = f_Hz) -> np.ndarray:
    """10 ohm, then R beside 1 uF."""
    found: np.ndarray = 10 + R_ohm / (1 + 2j * np.pi * f_Hz * R_ohm * 1e-6)
    return found


def everything(path: Path, **about: Any) -> Path:
    tables = runs.tables_of(STEPS)
    for name, counts in (("steps", None), ("samples", [len(step.Ewe_V) for step in STEPS])):
        tables[name]["cycle"] = CYCLES if counts is None else np.repeat(CYCLES, counts)
    swept = runs.spectra(
        (4.5, 1e-3, f_Hz, arc(100), True), (10.5, 2e-3, f_Hz, arc(200), True), (16.0, 0.0, f_Hz[:7], arc(50, f_Hz[:7]), False)
    )  # fmt: skip
    swept["spectra"]["step_count"], swept["spectra"]["cycle"] = [2, 4, 6], [1, 2, 3]
    runs.sensed(
        path,
        "pressure",
        [(t, 10 + t, 0.01) for t in (0, 2, 4, 6)] + [(7, np.nan, 0.0), (12, 5.0, 0.01), (14, 7.0, 0.01)],
    )
    runs.sensed(path, "I", [(0, 1.0, 0.01), (20, 1.0, 0.01)])
    usual: dict[str, Any] = {
        "tables": tables,
        "more": swept,
        "events": [Event(11.5, 0, "note", 4, HOSTILE, {})],
        "sensors": [sensor("pressure", "MPa", 2.0), sensor("I", "bar", 20.0)],
        "sample": {"name": HOSTILE, "area_cm2": runs.AREA_cm2},
    }
    return runs.written(path, STEPS, **usual | about)
