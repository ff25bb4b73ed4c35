"""Distribution of relaxation times of a spectrum, and the peaks that the paper reads from it.

Z(w) = R + j w L + integral of gamma(tau) / (1 + j w tau) over ln tau, solved for gamma by least squares on
the real and the imaginary part together, with Tikhonov's penalty lambda |gamma|^2 (lambda = 1e-3, as in Wu &
Hatzell, EES Batteries 2025, 1, 1682) and no negative value anywhere: a resistance is not negative.

The paper's spectra end at 5 Hz (tau = 0.03 s), while its interface peak lies at 0.1 s: what gamma is there
rests on the upper flank of the arc. The grid therefore goes on to 10 s; compare peaks, not their feet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]

LAMBDA = 1e-3
LOG_TAU_FIRST, LOG_TAU_LAST, PER_DECADE = -7.5, 1.0, 10
N_TAU = round((LOG_TAU_LAST - LOG_TAU_FIRST) * PER_DECADE) + 1
STEP = float(np.log(10.0) / PER_DECADE)  # of ln tau
INDUCTANCE_UNIT = 1e-6  # ohm s: brings the column of L to the size of the others
MOST_ROUNDS = 30  # of the solver, per unknown


@dataclass(frozen=True, slots=True)
class Window:
    """A range of relaxation times (s) that belongs to one process."""

    low_s: float
    high_s: float


# After the positions the paper names: 1e-6 s, 1e-4 to 1e-3 s, 1e-1 s and, under current, less than that.
GRAIN_BOUNDARY = Window(0.0, 1e-5)
FAST_INTERFACE = Window(1e-5, 3e-3)
INTERFACE = Window(3e-3, np.inf)


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest point of a window, and the resistance of all of it (area below gamma)."""

    tau_s: float
    height_ohm_cm2: float
    area_ohm_cm2: float


@dataclass(frozen=True, slots=True)
class Drt:
    """tau_s rising, gamma_ohm_cm2 per unit of ln tau, each (n,)."""

    tau_s: Floats
    gamma_ohm_cm2: Floats

    def peak(self, window: Window) -> Peak:
        inside = (self.tau_s >= window.low_s) & (self.tau_s < window.high_s)
        tau_s, gamma = self.tau_s[inside], self.gamma_ohm_cm2[inside]
        top = int(np.argmax(gamma))
        return Peak(float(tau_s[top]), float(gamma[top]), float(gamma.sum() * STEP))


def drt(f_Hz: Floats, z_ohm_cm2: Complex) -> Drt:
    """f_Hz and z_ohm_cm2, (m,): one spectrum, Z = E/I (a capacitor has Im < 0), areal."""
    tau_s = np.logspace(LOG_TAU_FIRST, LOG_TAU_LAST, N_TAU)
    measured = np.concatenate([z_ohm_cm2.real, z_ohm_cm2.imag, np.zeros(N_TAU)])
    unknowns, _ = nnls(_equations(f_Hz, tau_s), measured, maxiter=MOST_ROUNDS * N_TAU)
    return Drt(tau_s, unknowns[:N_TAU])


def _equations(f_Hz: Floats, tau_s: Floats) -> Floats:
    """Columns: gamma, R, L. Rows: what they make of Re Z, of Im Z and of the penalty."""
    w = 2.0 * np.pi * f_Hz
    relaxations = STEP / (1.0 + 1j * np.outer(w, tau_s))
    rest = np.column_stack([np.ones(len(w)), 1j * w * INDUCTANCE_UNIT])
    model = np.hstack([relaxations, rest])
    penalty = np.hstack([np.sqrt(LAMBDA) * np.eye(N_TAU), np.zeros((N_TAU, 2))])
    return np.vstack([model.real, model.imag, penalty])
