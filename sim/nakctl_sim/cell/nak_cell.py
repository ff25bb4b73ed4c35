"""NaK | NASICON | Na in time: one step of the state, its voltage, and what its impedance is made of.

The linear equations are solved exactly for a constant current over a step of any length, the others with the
depletion, composition and contact of the middle of the step: second order.
"""

from __future__ import annotations

import math

from nakctl_sim.cell.arithmetic import Numbers, clip, relaxed, square

# isort: off
from nakctl_sim.cell.nak import (
    A_TAU, AREA, C_K, C_NA, CHARGE, CURRENT, ETA, FAST, FILAMENT, K_M, PLATED, R_GB, R_S, R_SHORT, RT_F,
    SLOW, TAU_INT, bulk_concentration, bulk_ratio, contact_resistance, deplete, depletion, equilibrium_V,
    fast_loss, filament, filament_rate, interface_resistances, margin, plated, slow_loss, starvation,
    surface_concentration,
)  # fmt: skip
# isort: on

NO_LIMIT_s = 1e30
FIRST_STEP_s = 0.02  # after a change of current; g and eta follow their own exponentials within it
STEP_GROWTH = 0.5  # a step is half the time since the change: each is 1.5 times the one before
STRIP_STEP_s, PLATE_STEP_s = 5.0, 30.0


def advance_nak(p: Numbers, x: Numbers, I_A: float, dt: float) -> None:
    """One step: exact for all that is linear, midpoint rule for the rest. A short bypasses the electrode."""
    i = 1000.0 * I_A / p[AREA] if x[FILAMENT] < 1.0 else 0.0
    g, slow, m = x[FAST], x[SLOW], x[PLATED]
    half = 0.5 * dt

    m_mid = plated(p, m, i, half)
    c_b = bulk_concentration(p, bulk_ratio(p, x[CHARGE] + i * half, m_mid))
    bearable = margin(p, c_b)
    u_start = depletion(p, x, i)
    u_mid, u_end = deplete(p, x, i, dt)

    slow_mid = slow_loss(p, slow, slow, starvation(u_mid, bearable, slow), i, half)
    sigma = starvation(u_mid, bearable, slow_mid)
    x[SLOW] = slow_loss(p, slow, slow_mid, sigma, i, dt)
    x[FAST] = fast_loss(p, g, sigma, i, dt)

    base = contact_resistance(p, surface_concentration(p, c_b, u_mid), m_mid)
    R_int = interface_resistances(base, fast_loss(p, g, sigma, i, half), slow_mid)[0]
    squares = 4.0 * square(sigma)  # Simpson: at rest the lag slows down as the depletion goes
    squares += square(starvation(u_start, bearable, slow_mid)) + square(starvation(u_end, bearable, slow_mid))
    x[ETA] = relaxed(x[ETA], i * R_int / 1000.0, dt * (1.0 + p[A_TAU] * squares / 6.0) / p[TAU_INT])

    x[FILAMENT] = filament(p, x[FILAMENT], slow, i, dt)
    x[PLATED] = plated(p, m, i, dt)
    x[CHARGE] += i * dt
    x[CURRENT] = i


def voltage_nak(p: Numbers, x: Numbers, I_A: float) -> float:
    """(3.7) V."""
    i = 1000.0 * I_A / p[AREA]
    if x[FILAMENT] >= 1.0:
        return i * p[R_SHORT] / 1000.0
    r = bulk_ratio(p, x[CHARGE], x[PLATED])
    c_b = bulk_concentration(p, r)
    c_s = surface_concentration(p, c_b, depletion(p, x, i))
    R_fast = interface_resistances(contact_resistance(p, c_s, x[PLATED]), x[FAST], x[SLOW])[1]
    concentration_V = p[RT_F] * math.log(clip(c_b, p[C_K], p[C_NA]) / c_s)
    ohmic_V = i * (p[R_S] + p[R_GB] + R_fast) / 1000.0
    return equilibrium_V(p, r) + concentration_V + ohmic_V + x[ETA]


def step_hint_nak(p: Numbers, x: Numbers, I_A: float, since_change: float) -> float:
    """Rest and short are exact; while plating not beyond the moment the filament is through."""
    i = 1000.0 * I_A / p[AREA]
    if i == 0.0 or x[FILAMENT] >= 1.0:
        return NO_LIMIT_s
    grown = FIRST_STEP_s + STEP_GROWTH * since_change
    if i > 0.0:
        return min(grown, STRIP_STEP_s)
    rate = filament_rate(p, x[SLOW], i)
    if rate == 0.0:
        return min(grown, PLATE_STEP_s)
    return min(grown, PLATE_STEP_s, max((1.0 - x[FILAMENT]) / rate, FIRST_STEP_s))


def linearise(p: Numbers, x: Numbers) -> tuple[float, float, float, float, bool]:
    """(3.8) R_int, R'_int, tau_int', R_W (ohm cm2, s), and whether it is shorted."""
    c_b = bulk_concentration(p, bulk_ratio(p, x[CHARGE], x[PLATED]))
    u = depletion(p, x, x[CURRENT])
    c_s = surface_concentration(p, c_b, u)
    sigma = starvation(u, margin(p, c_b), x[SLOW])
    R_int, R_fast = interface_resistances(contact_resistance(p, c_s, x[PLATED]), x[FAST], x[SLOW])
    tau_int = p[TAU_INT] / (1.0 + p[A_TAU] * square(sigma))
    return R_int, R_fast, tau_int, 1000.0 * p[RT_F] / (c_s * p[K_M]), x[FILAMENT] >= 1.0
