"""Resistances that a spectrum shows without a model: where Z is real, at its low and its high end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]

REAL_deg = 10.0  # of phase: beyond this there is an arc, or an electrode that blocks
FLAT_deg = 3.0  # of phase: what is averaged


@dataclass(frozen=True, slots=True)
class Resistances:
    """None: not determined, because Z is not real there within the frequencies measured.

    low_ohm   real part of the plateau of lowest frequency: all arcs together, before a blocking electrode,
              or at the low end; low_error_ohm: standard deviation of its points, NaN of fewer than two
    high_ohm  the same of the plateau of highest frequency, if it is another one: what is faster than all arcs
    """

    low_ohm: float | None
    low_error_ohm: float
    high_ohm: float | None


def resistances(f_Hz: Floats, Z_ohm: Complex) -> Resistances:
    """A plateau: neighbours in frequency with a phase within REAL_deg, of which those nearest to 0 are
    averaged."""
    known = np.isfinite(Z_ohm)
    order = np.argsort(f_Hz[known])
    Z_ohm = Z_ohm[known][order]
    phase_deg = np.abs(np.degrees(np.angle(Z_ohm)))
    real = np.flatnonzero(phase_deg <= REAL_deg)
    if len(real) == 0:
        return Resistances(None, np.nan, None)
    plateaus = np.split(real, np.flatnonzero(np.diff(real) > 1) + 1)
    low = _flat(Z_ohm, phase_deg, plateaus[0])
    high = _flat(Z_ohm, phase_deg, plateaus[-1]) if len(plateaus) > 1 else None
    return Resistances(
        low_ohm=float(np.median(low)),
        low_error_ohm=float(low.std(ddof=1)) if len(low) > 1 else np.nan,
        high_ohm=None if high is None else float(np.median(high)),
    )


def _flat(Z_ohm: Complex, phase_deg: Floats, plateau: npt.NDArray[np.intp]) -> Floats:
    most = max(FLAT_deg, float(phase_deg[plateau].min()))
    return np.asarray(Z_ohm.real[plateau[phase_deg[plateau] <= most]])
