"""A cell made of resistors and capacitors, in V, A, ohm, F and s."""

# mypy: disable-error-code="no-any-return"
# (numpy's types call an element of an array Any)

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from nakctl_sim.cell.jit import jit

Floats = npt.NDArray[np.float64]

# Parameters and state: source + R + 1/C + N_PAIRS of R parallel C, given as R, R C and the n of their ZARC.
N_PAIRS = 4
SOURCE_V, SERIES_OHM, PER_FARAD, PAIR_OHM = range(4)
PAIR_S = PAIR_OHM + N_PAIRS
PAIR_N = PAIR_S + N_PAIRS
PARAMETERS = PAIR_N + N_PAIRS
COULOMB, PAIR_V = range(2)
STATES = PAIR_V + N_PAIRS


@jit
def advance_circuit(p: Floats, x: Floats, I_A: float, dt_s: float) -> None:
    """Exact for any dt_s."""
    x[COULOMB] += I_A * dt_s
    for k in range(N_PAIRS):
        x[PAIR_V + k] -= (I_A * p[PAIR_OHM + k] - x[PAIR_V + k]) * math.expm1(-dt_s / p[PAIR_S + k])


@jit
def voltage_circuit(p: Floats, x: Floats, I_A: float) -> float:
    volts = p[SOURCE_V] + I_A * p[SERIES_OHM] + x[COULOMB] * p[PER_FARAD]
    for k in range(N_PAIRS):
        volts += x[PAIR_V + k]
    return volts
