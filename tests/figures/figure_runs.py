"""Small runs that figures are drawn of: a scan with its rest, a train of pulses, a run that tells little."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import results_runs as runs

from nakctl.device.sensor import SensorSpec

LEVELS_mA_cm2 = np.round(0.1 * np.arange(1, 13), 3)
THRESHOLD = 8  # levels, from which on Ewe rises faster
f_Hz = np.logspace(6, 0.7, 24)
PULSES, ON_s, REST_s = 25, 1.0, 2.0


def arcs(R_ohm: float, tau_s: float) -> Any:
    """A resistor, and two arcs in series: grain boundaries, and the interface with this resistance and time."""
    jw = 2j * np.pi * f_Hz
    return 100.0 + 200.0 / (1 + jw * 1e-6) + R_ohm / (1 + jw * tau_s)


def scan(path: Path, name: str = "NaK50", **about: Any) -> Path:
    """A spectrum at rest, twelve rising levels with a spectrum each, and ten spectra of a rest after them."""
    steps = [runs.rest(20)]
    given = [(1.0, 0.0, f_Hz, arcs(150.0, 0.05), True)]
    for k, j in enumerate(LEVELS_mA_cm2):
        I_A = j * runs.AREA_cm2 * 1e-3
        V = 0.1 * j + (0.5 * (k - THRESHOLD) ** 2 if k > THRESHOLD else 0.0)
        steps += [runs.strip(I_A, [V] * 20)]
        given.append((20.0 * (k + 1) + 1.0, I_A, f_Hz[:-1], arcs(150.0 + 50 * k, 0.05)[:-1], True))
    steps.append(runs.rest(600, Ewe_V=0.01))
    since_s = 20.0 * (len(LEVELS_mA_cm2) + 1)
    given += [(since_s + 1 + 60 * k, 0.0, f_Hz, arcs(300.0 - 15 * k, 0.05), True) for k in range(9)]
    given.append((since_s + 560.0, 0.0, f_Hz, arcs(200.0, 0.05), False))
    sample = {"name": name, "area_cm2": runs.AREA_cm2}
    return runs.written(path, steps, more=runs.spectra(*given), sample=sample, **about)


def train(path: Path, rest_s: float = REST_s, *, met: bool = True, **about: Any) -> Path:
    """Pulses of 1 mA/cm2 whose potential rises, with rests in which it falls; ended by a cutoff, or not."""
    steps = [runs.rest(5)]
    for k in range(PULSES):
        V = 0.2 + 0.1 * k + 0.05 * np.arange(10)
        steps.append(runs.strip(0.5e-3, V.tolist(), 0.1))
        count = round(rest_s / 0.1)
        falling = 0.05 * np.exp(-0.1 * np.arange(1, count + 1) / (0.1 * rest_s)) + 0.01
        steps.append(runs.Step("OCV", 0.0, falling.tolist(), 0.1, control=np.nan))
    steps.append(runs.strip(0.5e-3, [2.0, 3.01], 0.1, end_kind="cutoff"))
    how = {"end_kind": "cutoff", "end_id": 1} if met else {}
    more = {"ends": runs.ends(("cutoff", "Ewe", "above", 3.0))}
    params = {"rest": f"{rest_s:g} s"}
    return runs.written(path, steps, more=more, params=params, **how, **about)


def cycled(path: Path, cycles: int = 4, **about: Any) -> Path:
    """Charged from 3 to 4 V and back, with a little less charge each time; the potential bends in the middle."""
    steps = []
    for k in range(cycles):
        x = np.linspace(-1, 1, 120 - 5 * k)
        up = 3.5 + 0.5 * x**3 + 0.02 * x
        steps += [
            runs.strip(1e-3, up.tolist(), cycle=k + 1),
            runs.strip(-1e-3, up[::-1].tolist(), cycle=k + 1),
        ]
    return runs.written(path, steps, **about)


def scanned(path: Path) -> Path:
    """Two cycles of a scan from 0 to 1 V and back, with a peak at 0.6 V and one at 0.4 V."""
    E_V = np.linspace(0, 1, 101)
    forth = 1e-4 + 1e-3 * np.exp(-(((E_V - 0.6) / 0.05) ** 2))
    back = -1e-4 - 1e-3 * np.exp(-(((E_V - 0.4) / 0.05) ** 2))
    steps = []
    for k in (1, 2):
        for E in (E_V, E_V[::-1]):
            steps.append(runs.Step("CV", 0.0, E.tolist(), 1.0, control=np.nan, cycle=k))
    tables = runs.tables_of(steps)
    tables["samples"]["I"] = np.concatenate([forth, back[::-1]] * 2)
    tables["samples"]["Q"] = np.cumsum(tables["samples"]["I"]) / 3600
    return runs.written(path, steps, tables=tables)


def warmed(path: Path) -> Path:
    """Three spectra at 25, 50 and 75 degC of a cell whose resistance follows 0.3 eV."""
    T_K = np.array([298.15, 323.15, 348.15])
    R_ohm = 100.0 * np.exp(0.3 / 8.617333262e-5 * (1 / T_K - 1 / T_K[0]))
    f_Hz = np.logspace(3, 0, 10)
    given = [(100.0 * k + 1, 0.0, f_Hz, np.full(10, R + 0j), True) for k, R in enumerate(R_ohm)]
    spec = SensorSpec("oven", "serial", "COM3", "degC", "temperature", 1.0, 0.0, 1.0, 1.0)
    readings = [(t, T_K[int(t // 100)] - 273.15, 0.01) for t in np.arange(0.0, 300.0, 5.0)]
    runs.sensed(path, "oven", readings)
    return runs.written(path, [runs.rest(300)], more=runs.spectra(*given), sensors=[spec.as_json()])


def bare(path: Path) -> Path:
    """No area, no spectra, one step, readings that are none."""
    return runs.written(path, [runs.strip(1e-3, [0.1, np.nan, 0.3, 0.2])], sample={"name": "cell"})
