"""A cell made of resistors and capacitors, in V, A, ohm, F and s."""

from __future__ import annotations

import math

from nakctl_sim.cell.arithmetic import Numbers

# Parameters and state: source + R + 1/C + N_PAIRS of R parallel C, given as R, R C and the n of their ZARC.
N_PAIRS = 4
SOURCE_V, SERIES_OHM, PER_FARAD, PAIR_OHM = range(4)
PAIR_S = PAIR_OHM + N_PAIRS
PAIR_N = PAIR_S + N_PAIRS
# Those of the counter electrode against the reference: source + R + R parallel C.
COUNTER_V = PAIR_N + N_PAIRS
COUNTER_OHM, COUNTER_PAIR_OHM, COUNTER_PAIR_S, COUNTER_PAIR_N = range(COUNTER_V + 1, COUNTER_V + 5)
PARAMETERS = COUNTER_PAIR_N + 1
COULOMB, PAIR_V = range(2)
COUNTER_PAIR_V = PAIR_V + N_PAIRS
STATES = COUNTER_PAIR_V + 1


def advance_circuit(p: Numbers, x: Numbers, I_A: float, dt_s: float) -> None:
    """Exact for any dt_s."""
    x[COULOMB] += I_A * dt_s
    for k in range(N_PAIRS):
        x[PAIR_V + k] -= (I_A * p[PAIR_OHM + k] - x[PAIR_V + k]) * math.expm1(-dt_s / p[PAIR_S + k])
    if p[COUNTER_PAIR_OHM] != 0.0:
        target_V = I_A * p[COUNTER_PAIR_OHM]
        x[COUNTER_PAIR_V] -= (target_V - x[COUNTER_PAIR_V]) * math.expm1(-dt_s / p[COUNTER_PAIR_S])


def voltage_circuit(p: Numbers, x: Numbers, I_A: float) -> float:
    volts = p[SOURCE_V] + I_A * p[SERIES_OHM] + x[COULOMB] * p[PER_FARAD]
    for k in range(N_PAIRS):
        volts += x[PAIR_V + k]
    return volts


def counter_circuit(p: Numbers, x: Numbers, I_A: float) -> float:
    """Counter against reference electrode: the current that enters the cell at one leaves it at the other."""
    return p[COUNTER_V] - I_A * p[COUNTER_OHM] - x[COUNTER_PAIR_V]
