"""Two electrodes that take up and give off what the current brings, in V, A, ohm, C and s.

Each is a potential over its oxidised fraction (0: all that moves is in the electrode, 1: none is), at the
surface of plates into which it diffuses; a charge transfer that lags; a resistance. The charge is counted on
the positive electrode, and what it loses the negative one gains. Everything is linear in time and bent only
where it becomes a potential, so that a step of any length is exact.
"""

from __future__ import annotations

import math

from nakctl_sim.cell.arithmetic import Numbers, relaxed

MOST_POINTS = 101  # of a curve of potentials
# Parameters of the cell, then those of either electrode. WORKING_IS: 1 the positive electrode, -1 the
# negative; THREE: 1 if potentials are against a third; LEAK: share of the charge that leaks away, per s;
# TWICE_RT_F in V; the negative electrode is oxidised by NEGATIVE_0 - NEGATIVE_PER_POSITIVE times the fraction
# of the positive.
WORKING_IS, THREE, LEAK, TWICE_RT_F, NEGATIVE_0, NEGATIVE_PER_POSITIVE, ELECTRODES = range(7)
# PER_C: fraction per charge; SPREAD: what the surface of the plate is ahead of its mean, in fractions per A,
# when it is steady, after several SLOWEST_s; EXCHANGE_A, TRANSFER_s: of the charge transfer. Then the
# potentials at equal distances of the fraction, and their slopes.
PER_C, SPREAD, SLOWEST_s, EXCHANGE_A, TRANSFER_s, OHM, N_POINTS, POINT_V = range(8)
SLOPE_V = POINT_V + MOST_POINTS
OF_ELECTRODE = SLOPE_V + MOST_POINTS
POSITIVE, NEGATIVE = ELECTRODES, ELECTRODES + OF_ELECTRODE
PARAMETERS = NEGATIVE + OF_ELECTRODE

# State: oxidised fraction of the positive electrode, the current that flows, and of either electrode the
# overpotential of the charge transfer, how far diffusion takes the surface ahead of the mean, and its modes.
FRACTION, CURRENT, SIDES = range(3)
ETA, AHEAD, MODES = range(3)
N_MODES = 32
OF_SIDE = MODES + N_MODES
STATES = SIDES + 2 * OF_SIDE
MODE_WEIGHT = tuple(6.0 / (math.pi * k) ** 2 for k in range(1, N_MODES + 1))
REMAINDER = 1.0 - sum(MODE_WEIGHT)  # of the modes beyond: follows at once

WALL_V = 100.0  # per unit of the fraction, where an electrode is empty or full


def advance_battery(p: Numbers, x: Numbers, I_A: float, dt_s: float) -> None:
    """Exact for any dt_s."""
    oxidising_A = p[WORKING_IS] * I_A  # the positive electrode
    charged = oxidising_A * p[POSITIVE + PER_C]
    if p[LEAK] == 0.0:
        x[FRACTION] += charged * dt_s
    else:
        x[FRACTION] -= (charged / p[LEAK] - x[FRACTION]) * math.expm1(-p[LEAK] * dt_s)
    advance_electrode(p, x, 0, oxidising_A, dt_s)
    advance_electrode(p, x, 1, -oxidising_A, dt_s)
    x[CURRENT] = I_A


def advance_electrode(p: Numbers, x: Numbers, side: int, I_A: float, dt_s: float) -> None:
    """Mode k relaxes k^2 times as fast as the slowest: from one square to the next it is 3, 5, 7 ... more."""
    at, x_at = ELECTRODES + side * OF_ELECTRODE, SIDES + side * OF_SIDE
    x[x_at + ETA] = relaxed(x[x_at + ETA], transfer_V(p, at, I_A), dt_s / p[at + TRANSFER_s])
    spread, first = p[at + SPREAD], x_at + MODES
    if spread == 0.0:
        return
    decay = further = math.exp(-dt_s / p[at + SLOWEST_s])
    twice = decay * decay
    ahead = 0.0
    for k in range(N_MODES):
        target = MODE_WEIGHT[k] * spread * I_A
        mode = target + (x[first + k] - target) * decay
        x[first + k] = mode
        ahead += mode
        further *= twice
        decay *= further
    x[x_at + AHEAD] = ahead


def transfer_V(p: Numbers, at: int, I_A: float) -> float:
    """Butler and Volmer's, with both transfer coefficients a half."""
    return p[TWICE_RT_F] * math.asinh(0.5 * I_A / p[at + EXCHANGE_A])


def at_surface(p: Numbers, x: Numbers, side: int, I_A: float) -> float:
    """Oxidised fraction at the surface of an electrode that I_A oxidises."""
    at, x_at = ELECTRODES + side * OF_ELECTRODE, SIDES + side * OF_SIDE
    fraction = x[FRACTION]
    if side == 1:
        fraction = p[NEGATIVE_0] - p[NEGATIVE_PER_POSITIVE] * fraction
    return fraction + x[x_at + AHEAD] + REMAINDER * p[at + SPREAD] * I_A


def equilibrium(p: Numbers, at: int, fraction: float) -> tuple[float, float]:
    """Potential and its slope: a cubic between two points, a wall beyond the ends."""
    last = int(p[at + N_POINTS]) - 1
    if last == 0:
        return p[at + POINT_V], 0.0
    if fraction < 0.0:
        return p[at + POINT_V] + WALL_V * fraction, WALL_V
    if fraction > 1.0:
        return p[at + POINT_V + last] + WALL_V * (fraction - 1.0), WALL_V
    k: int = min(int(fraction * last), last - 1)
    s = fraction * last - k
    E_0, E_1 = p[at + POINT_V + k], p[at + POINT_V + k + 1]
    rise_0, rise_1 = p[at + SLOPE_V + k] / last, p[at + SLOPE_V + k + 1] / last
    bend_2 = 3.0 * (E_1 - E_0) - 2.0 * rise_0 - rise_1
    bend_3 = rise_0 + rise_1 - 2.0 * (E_1 - E_0)
    potential = E_0 + s * (rise_0 + s * (bend_2 + s * bend_3))
    return potential, (rise_0 + s * (2.0 * bend_2 + s * 3.0 * bend_3)) * last


def potential(p: Numbers, x: Numbers, side: int, I_A: float) -> float:
    """Of an electrode that I_A oxidises, against the reference."""
    at, x_at = ELECTRODES + side * OF_ELECTRODE, SIDES + side * OF_SIDE
    return equilibrium(p, at, at_surface(p, x, side, I_A))[0] + x[x_at + ETA] + I_A * p[at + OHM]


def potentials(p: Numbers, x: Numbers, I_A: float) -> tuple[float, float]:
    """Of the working and of the counter electrode, against the reference or as if there were one."""
    oxidising_A = p[WORKING_IS] * I_A
    positive_V = potential(p, x, 0, oxidising_A)
    negative_V = potential(p, x, 1, -oxidising_A)
    if p[WORKING_IS] > 0.0:
        return positive_V, negative_V
    return negative_V, positive_V


def voltage_battery(p: Numbers, x: Numbers, I_A: float) -> float:
    """Working against reference electrode, which is the counter electrode where there are two."""
    working_V, counter_V = potentials(p, x, I_A)
    return working_V if p[THREE] > 0.0 else working_V - counter_V


def counter_battery(p: Numbers, x: Numbers, I_A: float) -> float:
    """Counter against reference electrode."""
    return potentials(p, x, I_A)[1] if p[THREE] > 0.0 else 0.0


def linearise_battery(p: Numbers, x: Numbers, side: int) -> tuple[float, float]:
    """Slope of the potential (V per fraction) and resistance of the charge transfer (ohm) of the positive
    (side 0) or of the negative electrode (1)."""
    at = ELECTRODES + side * OF_ELECTRODE
    oxidising_A = p[WORKING_IS] * x[CURRENT] * (1.0 - 2.0 * side)
    slope_V = equilibrium(p, at, at_surface(p, x, side, oxidising_A))[1]
    return slope_V, transfer_ohm(p, at, oxidising_A)


def transfer_ohm(p: Numbers, at: int, I_A: float) -> float:
    """Slope of `transfer_V`."""
    bent = 0.5 * I_A / p[at + EXCHANGE_A]
    return 0.5 * p[TWICE_RT_F] / p[at + EXCHANGE_A] / math.sqrt(1.0 + bent * bent)
