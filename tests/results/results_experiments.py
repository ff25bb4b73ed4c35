"""Small runs of every kind of experiment, each of a cell whose answer is known. Area 0.5 cm2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import results_runs as runs

from nakctl.booking import layout
from nakctl.booking.event import Event
from nakctl.device.sensor import SensorSpec

Rows = npt.NDArray[np.void]
Floats = npt.NDArray[np.float64]

HELD_ELSEWHERE = {"Impedance"}  # headings whose figures are tried in tests of their own
OHM_cm2, BEND_mA_cm2 = 300.0, 0.5
BATTERY = {"name": "cell", "area_cm2": runs.AREA_cm2, "working_is": "positive", "capacity_C": 7.2}
L2_PER_D_s, dEs_V = 1e5, 0.02
R_ELECTROLYTE, R_INTERFACE, T_PLUS = 20.0, 10.0, 0.3
E_A_kJ_mol = 40.0


def rest(count: int, Ewe_V: float = 0.0, every_s: float = 1.0, **more: Any) -> runs.Step:
    return runs.Step("OCV", 0.0, [Ewe_V] * count, every_s, control=np.nan, **more)


def ccd(folder: Path) -> Path:
    """Four levels; it shorts while plating at the last, 8 mA/cm2, in the eighth half cycle."""
    steps = [rest(5)]
    for cycle, I_A in enumerate((5e-4, 1e-3, 2e-3, 4e-3), 1):
        steps.append(runs.strip(I_A, [50 * I_A] * 20, 90.0, cycle=cycle))
        falls = cycle == 4
        steps.append(
            runs.strip(
                -I_A, [-50 * I_A] * 10 + [-1e-3 if falls else -50 * I_A] * 10, 90.0, cycle=cycle,
                end_kind="rule" if falls else "duration",
            )
        )  # fmt: skip
    return runs.written(
        folder / "ccd.h5", steps, end=("completed", "short"), end_kind="rule", rules=[runs.SHORT_RULE]
    )


def staircases(folder: Path) -> Path:
    """Twenty levels of stripping with a bend at BEND_mA_cm2, and twenty of plating."""
    j = np.round(np.arange(0.05, 1.001, 0.05), 2)
    E_V = 1e-3 * (OHM_cm2 * j + 4 * OHM_cm2 * np.maximum(j - BEND_mA_cm2, 0))
    up = [
        runs.strip(x * 5e-4, [0.01 + E] * 3, 20.0, cycle=k)
        for k, (x, E) in enumerate(zip(j, E_V, strict=True), 1)
    ]
    down = [
        runs.strip(-x * 5e-4, [0.01 - E] * 3, 20.0, cycle=20 + k)
        for k, (x, E) in enumerate(zip(j, E_V, strict=True), 1)
    ]
    return runs.written(folder / "staircases.h5", [rest(5, 0.01), *up, *down])


def pulses(folder: Path, tau_s: float = 1.0, rest_s: float = 10.0) -> Path:
    """Rests in which Ewe falls to 0 with tau_s, after pulses that end at a cutoff."""
    times = np.arange(0.05, rest_s + 0.01, 0.05)
    steps = [rest(5)]
    for cycle in range(1, 6):
        steps.append(runs.strip(1e-3, [0.5] * 4, 0.25, cycle=cycle))
        relaxes = 0.1 * np.exp(-times / tau_s)
        steps.append(runs.Step("OCV", 0.0, relaxes.tolist(), 0.05, control=np.nan, cycle=cycle))
    steps.append(runs.strip(1e-3, [3.1] * 2, 0.25, cycle=6, end_kind="cutoff"))
    ends = runs.ends(("cutoff", "Ewe", "above", 3.0))
    return runs.written(folder / "pulses.h5", steps, more={"ends": ends}, end_kind="cutoff", end_id=1)


def battery(folder: Path) -> Path:
    """Two cycles at two rates with 90 % of the charge back, then a titration and pulses, in a third."""
    steps = [rest(3, 3.5)]
    for cycle, out_A in ((1, 1e-3), (2, 2e-3)):
        steps.append(runs.strip(1e-3, np.linspace(3.6, 4.0, 20), 90.0, cycle=cycle))
        steps.append(runs.strip(-out_A, np.linspace(3.8, 3.4, 20), 81.0e-3 / out_A, cycle=cycle))
        steps.append(rest(5, 3.5, 10.0, cycle=cycle))
    E_V = 3.5
    since_s = np.arange(1, 101)
    for _ in range(4):
        slope = np.sqrt(4 / np.pi * L2_PER_D_s) * dEs_V / 100.0
        steps.append(runs.strip(1e-3, E_V + 0.05 + slope * np.sqrt(since_s), 1.0, cycle=3))
        E_V += dEs_V
        steps.append(rest(100, E_V, 1.0, cycle=3))
    for I_A in (-2e-3, 1e-3):
        for _ in range(3):
            steps.append(runs.strip(I_A, E_V + I_A * np.linspace(40, 80, 10), 1.0, cycle=3))
            steps.append(rest(10, E_V, 1.0, cycle=3))
    return runs.written(folder / "battery.h5", steps, sample=BATTERY)


def scan_curve(E_V: Floats, at_V: float, sign: float) -> Floats:
    return sign * (1e-5 + 1e-4 * np.exp(-(((E_V - at_V) / 0.03) ** 2)))


def scans(folder: Path) -> Path:
    """Two cycles between 0 and 1 V at 10 mV/s: peaks of 0.1 mA at 0.63 V and 0.57 V, on 10 uA of a double layer."""
    up, down = np.linspace(0, 1, 201)[1:], np.linspace(1, 0, 201)[1:]
    steps = [rest(3)]
    for cycle in (1, 2):
        steps.append(runs.Step("CV", 0.0, up.tolist(), 0.5, control=np.nan, cycle=cycle))
        steps.append(runs.Step("CV", 0.0, down.tolist(), 0.5, control=np.nan, cycle=cycle))
    tables = runs.tables_of(steps)
    I_A = [np.zeros(3), *2 * [scan_curve(up, 0.63, 1.0), scan_curve(down, 0.57, -1.0)]]
    with_current(tables["samples"], np.concatenate(I_A))
    return runs.written(folder / "scans.h5", steps, tables=tables)


def with_current(samples: Rows, I_A: Floats) -> None:
    samples["I"] = I_A
    samples["Q"] = np.cumsum(I_A * np.diff(samples["time"], prepend=0.0)) / 3600


def polarised(folder: Path, *, high_Hz: float = 1e6) -> Path:
    """Bruce and Vincent's experiment with 10 mV, of a cell with T_PLUS. high_Hz: where its spectra begin."""
    f_Hz = np.logspace(np.log10(high_Hz), -1, 60)
    Z = R_ELECTROLYTE + R_INTERFACE / (1 + 2j * np.pi * f_Hz * 1e-4)
    I_0 = 0.01 / (R_ELECTROLYTE + R_INTERFACE)
    I_ss = 0.01 / (R_ELECTROLYTE / T_PLUS + R_INTERFACE)
    steps = [
        rest(30),
        runs.Step("PEIS", 0.0, [0.0] * 3, control=np.nan),
        runs.Step("CA", 0.0, [0.01] * 60, 60.0, control=0.01),
        runs.Step("PEIS", 0.0, [0.01] * 3, control=0.01),
    ]
    tables = runs.tables_of(steps)
    decays = I_ss + (I_0 - I_ss) * np.exp(-np.arange(-1, 59) / 3.0).clip(max=1)
    with_current(tables["samples"], np.concatenate([np.zeros(33), decays, [I_ss] * 3]))
    spectra = runs.spectra((31.0, 0.0, f_Hz, Z, True), (3700.0, I_ss, f_Hz, Z, True))
    spectra["spectra"]["step_count"] = [2, 4]
    name = f"polarised{high_Hz:g}.h5"
    return runs.written(folder / name, steps, tables=tables, more=spectra)


def held(folder: Path) -> Path:
    """A conductor of 1 uS at five potentials."""
    E_V = [0.1, 0.2, 0.3, 0.4, 0.5]
    steps = [rest(3), *(runs.Step("CA", 1e-6 * E, [E] * 30, 10.0, control=E) for E in E_V)]
    return runs.written(folder / "held.h5", steps)


def sensed(folder: Path) -> Path:
    """Spectra at 25, 45 and 65 degC of a resistance with an activation energy of E_A_kJ_mol; taken over once."""
    f_Hz = np.logspace(5, 0, 30)
    path = folder / "sensed.h5"
    given = [
        (100.0 * k, 0.0, f_Hz, _blocked(f_Hz, T_C + 273.15), True) for k, T_C in enumerate((25, 45, 65), 1)
    ]
    spec = SensorSpec("chamber", "serial", "COM3", "degC", "temperature", 1.0, 273.15, 1.0, 1.0)
    readings = [(float(t), 25.0 + 20 * (k // 2), 0.0) for k, t in enumerate((90, 140, 190, 240, 290, 340))]
    runs.sensed(path, "chamber", readings)
    chains = runs.chains((0, 0, 0, 1, 0), (30.0, 0.5, 1, 2, 0))
    return runs.written(
        path, [rest(30), rest(330)], more=runs.spectra(*given) | {"chains": chains},
        events=[Event(7.0, 1, "taken_over", 1, "x")], sensors=[spec.as_json()],
    )  # fmt: skip


def _blocked(f_Hz: Floats, T_K: float) -> npt.NDArray[np.complex128]:
    ohm = 100.0 * np.exp(E_A_kJ_mol * 1e3 / 8.314462618 * (1 / T_K - 1 / 298.15))
    return ohm / (1 + 2j * np.pi * f_Hz * 1e-7) + 1 / (2j * np.pi * f_Hz * 1e-3)


def blind(folder: Path) -> Path:
    """A rule whose window holds less than two rows; and a potential that is held."""
    steps = [runs.strip(1e-3, [0.5] * 9, 300.0), runs.Step("CA", 1e-3, [0.5] * 9, 1.0, control=0.5)]
    return runs.written(folder / "blind.h5", steps, rules=[runs.SHORT_RULE])


def unruled(folder: Path) -> Path:
    """A short that no rule was set for."""
    steps = [runs.strip(1e-3, [0.5] * 30, 5.0), runs.strip(2e-3, [0.5] * 15 + [1e-3] * 15, 5.0)]
    return runs.written(folder / "unruled.h5", steps)


def three_electrodes(folder: Path) -> Path:
    steps = [runs.strip(1e-3, [3.0] * 9)]
    tables = runs.tables_of(steps)
    samples = np.zeros(9, layout.SAMPLES_3E.dtype)
    for name in layout.SAMPLES.names:
        samples[name] = tables["samples"][name]
    samples["Ece"] = 0.5
    path = folder / "three.h5"
    return runs.written(path, steps, tables=tables | {"samples": samples}, three_electrode=True)


KINDS: tuple[Callable[[Path], Path], ...] = (
    ccd, staircases, pulses, battery, scans, polarised, held, sensed, blind, unruled, three_electrodes,
)  # fmt: skip


def all_kinds(factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each written once for all tests of a process, which only read them."""
    if not _WRITTEN:
        folder = factory.mktemp("kinds")
        _WRITTEN.update({make.__name__: make(folder) for make in KINDS})
    return _WRITTEN


_WRITTEN: dict[str, Path] = {}
