"""NaK | NASICON | Na: the equations of the simulated cell, one function each.

Areal current i in mA/cm2, areal resistance in ohm cm2, charge in mC/cm2, concentration in mol Na per litre of
liquid, time in s, potential in V against Na. i > 0 strips the working electrode. The numbers in brackets are
those of the equations in the description of the model; the status and source of each parameter stand in
`nak.yaml`. After D. Wu and K. B. Hatzell, EES Batteries 2025, 1, 1682.
"""

from __future__ import annotations

import math

from nakctl_sim.cell.arithmetic import Numbers, clip, eighth_power, power, relaxed, square

# Parameters, in their order in p; names as in nak.yaml, with the derived ones first.
PARAMETERS = (
    "area", "r_0", "Q_r", "r_K", "RT_F",
    "v_Na", "v_K", "c_K", "c_Na", "R_s", "R_gb", "R_c", "R_ct", "c_ref", "tau_int", "a_tau", "K_m", "T_D",
    "C_w", "w_c", "sig_m", "n_m", "q_v", "tau_m", "kap", "h_p", "n_p", "a_p", "tau_p", "b_p", "m_0", "tau_a",
    "th_0", "j_c", "tau_f", "R_short", "tau_gb", "n_gb", "n_int", "tau_f1", "n_f1", "L",
)  # fmt: skip
(
    AREA, R_0, Q_R, R_K, RT_F,
    V_NA, V_K, C_K, C_NA, R_S, R_GB, R_C, R_CT, C_REF, TAU_INT, A_TAU, K_M, T_D,
    C_W, W_C, SIG_M, N_M, Q_V, TAU_M, KAP, H_P, N_P, A_P, TAU_P, B_P, M_0, TAU_A,
    TH_0, J_C, TAU_F, R_SHORT, TAU_GB, N_GB, N_INT, TAU_F1, N_F1, L,
) = range(len(PARAMETERS))  # fmt: skip

# State: net stripped charge Q, fast and slow contact loss g and p, plated metal m, filament l
# (1: shorted, for good), interface overpotential eta, the areal current that flows, depletion modes u_k.
CHARGE, FAST, SLOW, PLATED, FILAMENT, ETA, CURRENT, MODES = range(8)
N_MODES = 6
STATES = MODES + N_MODES
MODE_WEIGHT = tuple(8.0 / (math.pi * (2 * k + 1)) ** 2 for k in range(N_MODES))
REMAINDER = 1.0 - sum(MODE_WEIGHT)

P_REFERENCE = 0.3  # tau_p is the healing time at this p
P_MAX = 0.9999  # some contact always remains
SIGMA_MAX = 100.0  # the voltage is beyond any instrument long before: keeps the powers finite


def bulk_ratio(p: Numbers, charge: float, plated: float) -> float:
    """(3.1) mole ratio Na : K of the liquid; Q_r is the charge per unit of the ratio."""
    return max(p[R_0] - (charge + plated) / p[Q_R], 0.0)


def bulk_concentration(p: Numbers, r: float) -> float:
    """(3.1) c_b."""
    return 1000.0 * r / (r * p[V_NA] + p[V_K])


def depletion(p: Numbers, x: Numbers, i: float) -> float:
    """(3.2) u: the modes, and what the modes left out, which follow at once."""
    u = REMAINDER * i / p[K_M]
    for k in range(N_MODES):
        u += x[MODES + k]
    return u


def deplete(p: Numbers, x: Numbers, i: float, dt: float) -> tuple[float, float]:
    """(3.2) move the modes on by dt; u in the middle and at the end of it."""
    u_mid = u_end = REMAINDER * i / p[K_M]
    decay = math.exp(-0.5 * dt / p[T_D])  # of mode 0 in half the step; mode k: its (2k+1)^2-th power
    further = eighth = eighth_power(decay)
    for k in range(N_MODES):
        target = MODE_WEIGHT[k] * i / p[K_M]
        middle = target + (x[MODES + k] - target) * decay
        x[MODES + k] = target + (middle - target) * decay
        u_mid += middle
        u_end += x[MODES + k]
        decay *= further  # from one odd square to the next it is 8, 16, 24, ... further
        further *= eighth
    return u_mid, u_end


def surface_concentration(p: Numbers, c_b: float, u: float) -> float:
    """(3.2) c_s: beyond the liquidus of either side metal precipitates, the liquid stays saturated."""
    return clip(c_b - u, p[C_K], p[C_NA])


def margin(p: Numbers, c_b: float) -> float:
    """(3.3) M: the depletion that a bulk of c_b can bear."""
    y = (c_b - p[C_W]) / p[W_C]
    return p[W_C] * (max(y, 0.0) + math.log1p(math.exp(-abs(y))))  # ln(1 + e^y) without overflow


def starvation(u: float, margin_: float, slow: float) -> float:
    """(3.3) sigma; 1 where the mean depletion uses up the margin."""
    bearable = margin_ * (1.0 - slow)
    if u <= 0.0:
        return 0.0
    if u >= SIGMA_MAX * bearable:
        return SIGMA_MAX
    return u / bearable


def fast_loss(p: Numbers, g: float, sigma: float, i: float, dt: float) -> float:
    """(3.4) g after dt: voids open as fast as sodium leaves, and close mechanically."""
    g_eq = power(sigma / p[SIG_M], p[N_M]) if i > 0.0 else 0.0
    if g < g_eq:
        return relaxed(g, g_eq, dt * i / p[Q_V])
    return relaxed(g, g_eq, dt / p[TAU_M])


def healed(p: Numbers, slow: float, dt: float) -> float:
    """(3.5) p after dt of healing alone, in closed form."""
    order = p[B_P] - 1.0
    if order == 0.0:
        return slow * math.exp(-dt / p[TAU_P])
    return slow * power(1.0 + order * power(slow / P_REFERENCE, order) * dt / p[TAU_P], -1.0 / order)


def slow_loss(p: Numbers, slow: float, slow_mid: float, sigma: float, i: float, dt: float) -> float:
    """(3.5) p after dt, with sigma and the healing rate (slow_mid) of the middle of the step."""
    if i < 0.0:
        return slow
    if i == 0.0 or sigma == 0.0:
        return healed(p, slow, dt)
    s = min(1.0 / (1.0 + power(p[H_P] / sigma, p[N_P])), P_MAX)
    if s <= slow:
        return healed(p, slow, dt)
    growth = p[KAP] * i * power(sigma, p[A_P])
    rate = growth + power(slow_mid / P_REFERENCE, p[B_P] - 1.0) / p[TAU_P]
    return relaxed(slow, growth * s / rate, rate * dt)


def plated(p: Numbers, m: float, i: float, dt: float) -> float:
    """(3.6) m after dt: deposited, alloyed away, or stripped first."""
    if m == 0.0 and i >= 0.0:
        return 0.0
    return max(relaxed(m, -i * p[TAU_A], dt / p[TAU_A]), 0.0)


def filament_rate(p: Numbers, slow: float, i: float) -> float:
    """(3.6) dl/dt while plating: only above the critical current density of the contact spots."""
    j = -i / (p[TH_0] * square(1.0 - slow))
    return (1.0 - p[J_C] / j) / p[TAU_F] if j > p[J_C] else 0.0


def filament(p: Numbers, length: float, slow: float, i: float, dt: float) -> float:
    """(3.6) l after dt; at 1 it is a short, and stays one."""
    if length >= 1.0:
        return 1.0
    if i < 0.0:
        return min(length + filament_rate(p, slow, i) * dt, 1.0)
    return relaxed(length, 0.0, dt / p[TAU_A])


def contact_resistance(p: Numbers, c_s: float, m: float) -> float:
    """(3.7) B."""
    return (p[R_C] + p[R_CT] * p[C_REF] / c_s) / (1.0 + m / p[M_0])


def interface_resistances(base: float, g: float, slow: float) -> tuple[float, float]:
    """(3.7) R_int and R'_int: open voids carry the slow part into the fast arc."""
    chi = g / (1.0 + g)
    constriction = base * slow / (1.0 - slow)
    return base + (1.0 - chi) * constriction, base * g / (1.0 - slow) + chi * constriction


def equilibrium_V(p: Numbers, r: float) -> float:
    """(3.7) E of the ideal solution; a film at the potassium liquidus holds sodium even on pure K."""
    r = max(r, p[R_K])
    return -p[RT_F] * math.log(r / (1.0 + r))
