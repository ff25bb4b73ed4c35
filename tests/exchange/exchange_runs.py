"""Runs for the tests of exports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import results_runs as runs

from nakctl.booking import layout
from nakctl.booking.event import Event
from nakctl.exchange.source import Source
from nakctl.record.read import Run
from nakctl.results.part import Part

F_Hz = np.array([1e5, 1e3, 12.5, 0.2])
HOSTILE = '=HYPERLINK("http://x")\x07\n#'


def whole(path: Path, **about: Any) -> Path:
    """Rest, strip, spectra under current, plate: cycles 1, 1, 2, 2; two spectra in step 3."""
    steps = [
        runs.rest(3, Ewe_V=0.1),
        runs.strip(1e-4, [0.11, 0.12, 0.13, 0.14]),
        runs.Step("GEIS", 1e-4, [0.2, 0.21, 0.22]),
        runs.strip(-2e-4, [-0.3, -0.31, np.nan]),
    ]
    tables = runs.tables_of(steps)
    tables["steps"]["cycle"] = [1, 1, 2, 2]
    tables["samples"]["cycle"] = [1] * 7 + [2] * 6
    tables["steps"]["label"] = [b"1 rest", b"2.1 strip 0.1 mA", b"2.2 geis", b"=3 plate"]
    return runs.written(
        path,
        steps,
        tables=tables,
        more=two_spectra(),
        events=(Event(2.0, 1, "note", 1, HOSTILE),),
        note="a note with 長 and\nanother line",
        **about,
    )


def under_way(path: Path) -> Path:
    """As `whole` was while its spectra were measured: nobody has booked that step yet."""
    steps = [runs.rest(3), runs.strip(1e-4, [0.1] * 4), runs.Step("GEIS", 1e-4, [0.2] * 3)]
    tables = runs.tables_of(steps)
    tables["steps"] = tables["steps"][:2]
    told = {"steps": [{"step": 3, "technique": "GEIS", "label": "3 geis"}]}
    plan = {"type": "application/json", "data": json.dumps(told)}
    return runs.written(path, steps, tables=tables, more=two_spectra(), plan=plan)


def two_spectra() -> dict[str, np.ndarray]:
    z_ohm = 100.0 / 3 + 50 / (1 + 2j * np.pi * F_Hz * 1e-4)
    found = runs.spectra((8.0, 1e-4, F_Hz, z_ohm, True), (9.0, 1e-4, F_Hz, 1.1 * z_ohm, True))
    rows = found["impedance"]
    rows["step_count"], rows["Z_abs"] = 3, np.hypot(rows["Z_re"], rows["Z_im"])
    rows["Z_phase"] = np.degrees(np.arctan2(rows["Z_im"], rows["Z_re"]))
    rows["E_dc"], rows["I_amp"], rows["E_amp"] = 0.2, 5e-6, 1e-3
    rows["time"] = np.concatenate([8 + 0.2 * np.arange(4), 9 + 0.2 * np.arange(4)])
    found["spectra"]["step_count"], found["spectra"]["cycle"] = 3, 2
    return found


def three_electrodes(path: Path) -> Path:
    steps = [runs.strip(1e-4, [0.1, 0.2])]
    tables = runs.tables_of(steps)
    samples = np.zeros(2, layout.SAMPLES_3E.dtype)
    for name in layout.SAMPLES.names:
        samples[name] = tables["samples"][name]
    samples["Ece"] = [-0.5, -0.25]
    return runs.written(path, steps, tables=tables | {"samples": samples}, three_electrode=True)


def source(run: Run, **part: Any) -> Source:
    return Source(run, Part(**part))
