"""An electrolyte that polarises between two electrodes, in V, A, ohm and s.

A resistance, a charge transfer that lags, a film that grows, and diffusion: the profile relaxes to what the
current keeps up, in modes, and is bent only where it becomes a potential. So a step of any length is exact.
Two cells are made of it: a symmetric one, whose salt is depleted on one side, and a blocking one, where only
electrons get through in the end.
"""

from __future__ import annotations

import math

from nakctl_sim.cell.arithmetic import Numbers, eighth_power, relaxed

# BULK: what follows at once; TRANSFER: with its time constant; FILM: at first, GROWN at last, and how slowly
# it gets there, with its capacitance, which only its impedance shows (in a blocking cell these are the grain
# boundaries, and nothing grows). SCALE_V, SCALE_A: of the profile's potential; SLOWEST_s: of its diffusion.
(
    BULK_OHM, TRANSFER_OHM, TRANSFER_s, FILM_OHM, GROWN_OHM, GROWTH_s, FILM_F, SCALE_V, SCALE_A, SLOWEST_s,
    PARAMETERS,
) = range(11)  # fmt: skip

# State: resistance of the film, overpotential of the charge transfer, the current that would keep the profile
# as it is, and each mode's share of it.
FILM, ETA, PROFILE, MODES = range(4)
N_MODES = 16
STATES = MODES + N_MODES
_ODD = tuple(1.0 / (2 * k + 1) ** 2 for k in range(N_MODES))
MODE_WEIGHT = tuple(weight / sum(_ODD) for weight in _ODD)  # what is shorter than the last is left out
DEPLETED = 1e-3  # a profile this close to its end goes on in proportion, steeply: no current is impossible


def advance_polarising(p: Numbers, x: Numbers, I_A: float, dt_s: float) -> None:
    """Exact for any dt_s."""
    x[FILM] = relaxed(x[FILM], p[GROWN_OHM], dt_s / p[GROWTH_s])
    x[ETA] = relaxed(x[ETA], I_A * p[TRANSFER_OHM], dt_s / p[TRANSFER_s])
    decay = math.exp(-dt_s / p[SLOWEST_s])  # of mode 0; mode k: its (2k+1)^2-th power
    further = eighth = eighth_power(decay)
    profile = 0.0
    for k in range(N_MODES):
        target = MODE_WEIGHT[k] * I_A
        mode = target + (x[MODES + k] - target) * decay
        x[MODES + k] = mode
        profile += mode
        decay *= further  # from one odd square to the next it is 8, 16, 24, ... further
        further *= eighth
    x[PROFILE] = profile


def depletion(p: Numbers, x: Numbers) -> tuple[float, float]:
    """Potential of a symmetric cell's profile and its slope (ohm): salt is up on one side as it is down on
    the other, until the limiting current SCALE_A has none left there."""
    share = x[PROFILE] / p[SCALE_A]
    held = min(max(share, DEPLETED - 1.0), 1.0 - DEPLETED)
    slope = 1.0 / (1.0 - held * held)
    return p[SCALE_V] * (math.atanh(held) + (share - held) * slope), p[SCALE_V] / p[SCALE_A] * slope


def injection(p: Numbers, x: Numbers) -> tuple[float, float]:
    """The same of a blocking cell: carriers at the blocking electrode go with the exponential of its
    potential, as Wagner has it; what is left of them is at least DEPLETED."""
    carriers = 1.0 + x[PROFILE] / p[SCALE_A]
    held = max(carriers, DEPLETED)
    return p[SCALE_V] * (math.log(held) + (carriers - held) / held), p[SCALE_V] / p[SCALE_A] / held


def voltage_symmetric(p: Numbers, x: Numbers, I_A: float) -> float:
    return I_A * (p[BULK_OHM] + x[FILM]) + x[ETA] + depletion(p, x)[0]


def voltage_blocking(p: Numbers, x: Numbers, I_A: float) -> float:
    return I_A * (p[BULK_OHM] + x[FILM]) + x[ETA] + injection(p, x)[0]


def linearise_symmetric(p: Numbers, x: Numbers) -> tuple[float, float]:
    """Resistance of the film and of diffusion (ohm)."""
    return x[FILM], depletion(p, x)[1]


def linearise_blocking(p: Numbers, x: Numbers) -> tuple[float, float]:
    return x[FILM], injection(p, x)[1]
