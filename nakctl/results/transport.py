"""What held potentials tell of an electrolyte: its transference number, and how it conducts electrons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.record.read import Run
from nakctl.results.resistance import resistances

Floats = npt.NDArray[np.float64]

STEADY_ROWS = 20  # at the end of a step: their mean is the steady current
HELD = "CA"


def bruce_vincent(dE_V: float, I_0_A: float, I_ss_A: float, R_0_ohm: float, R_ss_ohm: float) -> float:
    """t+ = Iss (dE - I0 R0) / (I0 (dE - Iss Rss)): J. Evans, C. A. Vincent, P. G. Bruce, Polymer 28 (1987)
    2324.

    R_0, R_ss: of both interfaces together, before and at the steady state, without the electrolyte.
    """
    return I_ss_A * (dE_V - I_0_A * R_0_ohm) / (I_0_A * (dE_V - I_ss_A * R_ss_ohm))


@dataclass(frozen=True, slots=True)
class Transference:
    """A symmetric cell under a small held potential, with a spectrum before and one at the steady state.

    dE_V          held, less the potential at rest before
    I_0_A         of the first sample that is not the very first of the step
    I_ss_A        mean of the last STEADY_ROWS samples; I_ss_error_A: their spread, and by how much they
                  still change
    R_0_ohm, R_ss_ohm   of the interfaces, before and at the steady state; None: not determined
    t_plus        None: not determined, because a resistance is not. +- t_plus_error, from I_ss alone
    ratio         Iss/I0: what t_plus would be of interfaces without resistance
    """

    dE_V: float
    I_0_A: float
    I_ss_A: float
    I_ss_error_A: float
    R_0_ohm: float | None
    R_ss_ohm: float | None

    @property
    def ratio(self) -> float:
        return self.I_ss_A / self.I_0_A

    @property
    def t_plus(self) -> float | None:
        if self.R_0_ohm is None or self.R_ss_ohm is None:
            return None
        return bruce_vincent(self.dE_V, self.I_0_A, self.I_ss_A, self.R_0_ohm, self.R_ss_ohm)

    @property
    def t_plus_error(self) -> float | None:
        return None if self.t_plus is None else abs(self.t_plus * self.I_ss_error_A / self.I_ss_A)


def transference(run: Run, electrolyte_ohm: float | None = None) -> Transference | None:
    """Of the first held potential between two spectra; None: there is none.

    electrolyte_ohm  resistance of the electrolyte; None: that of the spectra's plateau at high frequency, if
                     the spectra reach one
    """
    place = _held_between_spectra(run)
    if place is None:
        return None
    first, last = _rows(run, place)
    I_A = run.samples["I"][first:last].astype(np.float64)
    known = I_A[np.isfinite(I_A)]
    before_V = run.samples["Ewe"][:first].astype(np.float64)
    before_V = before_V[np.isfinite(before_V)][-STEADY_ROWS:]
    if len(known) < 3 or known[1] == 0 or len(before_V) == 0:
        return None
    steady_A, error_A = steady(known)
    count = int(run.steps["step_count"][place])
    number = run.spectra["spectrum"][run.spectra["complete"] != 0]
    of_step = run.spectra["step_count"][run.spectra["complete"] != 0]
    return Transference(
        dE_V=float(run.samples["control"][first]) - float(np.median(before_V)),
        I_0_A=float(known[1]),
        I_ss_A=steady_A,
        I_ss_error_A=error_A,
        R_0_ohm=_interface_ohm(run, int(number[of_step < count][-1]), electrolyte_ohm),
        R_ss_ohm=_interface_ohm(run, int(number[of_step >= count][0]), electrolyte_ohm),
    )


def _held_between_spectra(run: Run) -> int | None:
    of_step = run.spectra["step_count"][run.spectra["complete"] != 0]
    held = (run.steps["technique"] == HELD) & (run.steps["row_count"] > 2)
    for place in np.flatnonzero(held):
        count = run.steps["step_count"][place]
        if (of_step < count).any() and (of_step >= count).any():
            return int(place)
    return None


def _rows(run: Run, place: int) -> tuple[int, int]:
    first = int(run.steps["first_row"][place])
    return first, first + int(run.steps["row_count"][place])


def _interface_ohm(run: Run, number: int, electrolyte_ohm: float | None) -> float | None:
    found = resistances(*run.spectrum(number))
    within_ohm = found.high_ohm if electrolyte_ohm is None else electrolyte_ohm
    return None if found.low_ohm is None or within_ohm is None else found.low_ohm - within_ohm


def steady(I_A: Floats) -> tuple[float, float]:
    """Mean of the last STEADY_ROWS values, and its +-: their standard error, and what they change by."""
    last = I_A[-STEADY_ROWS:]
    if len(last) < 4:
        return float(last.mean()), np.nan
    half = len(last) // 2
    drift = abs(float(last[-half:].mean() - last[:half].mean()))
    return float(last.mean()), float(last.std(ddof=1) / np.sqrt(len(last))) + drift


@dataclass(frozen=True, slots=True)
class SteadyCurrents:
    """Held potentials and what flowed in the end (Hebb and Wagner, of a blocking electrode). Each (n,), by
    rising E.

    E_V            as set
    I_A, error_A   steady current, see `steady`
    settled        whether the step was ended by the condition that it had, and not by its time
    thickness_cm, area_cm2   of the electrolyte; None: conductivity is not determined
    Source: M. H. Hebb, J. Chem. Phys. 20 (1952) 185; C. Wagner, Proc. CITCE 7 (1957) 361
    """

    E_V: Floats
    I_A: Floats
    error_A: Floats
    settled: npt.NDArray[np.bool_]
    thickness_cm: float | None
    area_cm2: float | None

    def __len__(self) -> int:
        return len(self.E_V)

    @property
    def conductance_S(self) -> Floats:
        """dI/dE, by differences over the neighbours; NaN of fewer than three potentials."""
        return np.gradient(self.I_A, self.E_V) if len(self) >= 3 else np.full(len(self), np.nan)

    @property
    def conductivity_S_cm(self) -> Floats:
        """Of electrons (and holes) at the blocking electrode: dI/dE times thickness over area."""
        if self.thickness_cm is None or not self.area_cm2:
            return np.full(len(self), np.nan)
        return self.conductance_S * self.thickness_cm / self.area_cm2


def hebb_wagner(run: Run, thickness_cm: float | None = None) -> SteadyCurrents:
    """Of all steps at a held potential; of one potential the last. thickness_cm: no file says it."""
    steps = run.steps
    held = np.flatnonzero((steps["technique"] == HELD) & (steps["row_count"] > 0))
    found = {}
    for place in held:
        first, last = _rows(run, int(place))
        I_A = run.samples["I"][first:last].astype(np.float64)
        I_A = I_A[np.isfinite(I_A)]
        E_V = round(float(run.samples["control"][last - 1]), 6)
        if len(I_A) and np.isfinite(E_V):
            found[E_V] = (*steady(I_A), steps["end_kind"][place] == "cutoff")
    E_V_all = sorted(found)
    return SteadyCurrents(
        E_V=np.array(E_V_all),
        I_A=np.array([found[E][0] for E in E_V_all]),
        error_A=np.array([found[E][1] for E in E_V_all]),
        settled=np.array([found[E][2] for E in E_V_all], np.bool_),
        thickness_cm=thickness_cm,
        area_cm2=run.header.area_cm2 or None,
    )
