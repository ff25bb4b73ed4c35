"""Resistance against temperature, and the activation energy that follows from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.record.columns import Log
from nakctl.record.read import Run
from nakctl.results.resistance import resistances

Floats = npt.NDArray[np.float64]

GAS_J_mol_K = 8.314462618
FARADAY_C_mol = 96485.33212
APART_K = 2.0  # the temperatures have to differ by this, for a slope
_ZERO_K = {"degC": 273.15, "K": 0.0}


@dataclass(frozen=True, slots=True)
class Arrhenius:
    """Each (n,): the complete spectra that show a resistance while the sensor showed a temperature.

    T_K     in the middle of the spectrum
    R_ohm   of the plateau at low frequency, see `resistance.resistances`: electrolyte and interfaces
            together, where the electrode does not block only the interfaces' end
    kJ_mol  activation energy: slope of ln R against 1/T times the gas constant, so of R ~ exp(Ea/RT). That
            of a conductivity times T is larger by RT, 2.5 kJ/mol. +- error_kJ_mol: standard error of the
            slope, NaN of two points. None: not determined, of fewer than two points, or temperatures that
            differ by less than APART_K
    """

    T_K: Floats
    R_ohm: Floats
    kJ_mol: float | None
    error_kJ_mol: float

    def __len__(self) -> int:
        return len(self.T_K)

    @property
    def eV(self) -> float | None:
        return None if self.kJ_mol is None else 1e3 * self.kJ_mol / FARADAY_C_mol


def activation(run: Run, sensor: str = "") -> Arrhenius:
    """sensor: its name; "": the only one that shows a temperature. Empty where there is no such one."""
    log = run.aux.get(sensor) if sensor else _thermometer(run)
    if log is None:
        return Arrhenius(np.zeros(0), np.zeros(0), None, np.nan)
    points = [
        point for row in np.flatnonzero(run.spectra["complete"]) if (point := _point(run, log, int(row)))
    ]
    T_K = np.array([T for T, _ in points])
    R_ohm = np.array([R for _, R in points])
    return Arrhenius(T_K, R_ohm, *activation_energy_kJ_mol(T_K, R_ohm))


def activation_energy_kJ_mol(T_K: Floats, R_ohm: Floats) -> tuple[float | None, float]:
    """And its standard error. T_K, R_ohm: (n,)."""
    known = (R_ohm > 0) & np.isfinite(T_K)
    T_K, R_ohm = T_K[known], R_ohm[known]
    if len(T_K) < 2 or np.ptp(T_K) < APART_K:
        return None, float("nan")
    x, y = 1 / T_K, np.log(R_ohm)
    slope, start = np.polyfit(x - x.mean(), y, 1)
    left = y - start - slope * (x - x.mean())
    spread = float((left**2).sum()) / (len(x) - 2) if len(x) > 2 else np.nan
    error = float(np.sqrt(spread / ((x - x.mean()) ** 2).sum()))
    return float(slope) * GAS_J_mol_K * 1e-3, error * GAS_J_mol_K * 1e-3


def _thermometer(run: Run) -> Log | None:
    found = [log for log in run.aux.values() if log.units in _ZERO_K]
    return found[0] if len(found) == 1 else None


def _point(run: Run, log: Log, row: int) -> tuple[float, float] | None:
    first = int(run.spectra["first_row"][row])
    rows = slice(first, first + int(run.spectra["row_count"][row]))
    Z_ohm = run.impedance["Z_re"][rows] + 1j * run.impedance["Z_im"][rows]
    R_ohm = resistances(run.impedance["frequency"][rows], Z_ohm).low_ohm
    seen = np.isfinite(log.value)
    if R_ohm is None or not seen.any():
        return None
    middle_s = float(np.mean(run.impedance["time"][rows]))
    T_K = float(np.interp(middle_s, log.time[seen], log.value[seen])) + _ZERO_K.get(log.units, 0.0)
    return T_K, R_ohm
