"""Impedance of a cell's linearised state, one state per frequency; ohm, a capacitor has Im < 0."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nakctl_sim.cell import battery, circuit, nak, polarising
from nakctl_sim.cell.battery import linearise_battery
from nakctl_sim.cell.nak_cell import linearise as linearise_nak
from nakctl_sim.cell.polarising import linearise_blocking, linearise_symmetric

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]


def circuit_impedance(p: Floats, f_Hz: Floats) -> Complex:
    """(n,) of a circuit, whose state does not matter."""
    jw = angular(f_Hz)
    total = p[circuit.SERIES_OHM] + p[circuit.PER_FARAD] / jw
    for k in range(circuit.N_PAIRS):
        total = total + zarc(p[circuit.PAIR_OHM + k], jw, p[circuit.PAIR_S + k], p[circuit.PAIR_N + k])
    return np.asarray(total)


def circuit_counter_impedance(p: Floats, f_Hz: Floats) -> Complex:
    """(n,) of the counter electrode of a circuit."""
    R, tau, n = p[circuit.COUNTER_PAIR_OHM : circuit.COUNTER_PAIR_N + 1]
    return np.asarray(p[circuit.COUNTER_OHM] + zarc(R, angular(f_Hz), tau, n))


def nak_impedance(p: Floats, x: Floats, f_Hz: Floats) -> Complex:
    """(3.8) for states x (n, k). The slow states stand still during a period."""
    numbers = p.tolist()
    interface = np.array([linearise_nak(numbers, state) for state in x.tolist()])
    R_int, R_fast, tau_int, R_w, shorted = interface.T
    jw = angular(f_Hz)
    arcs = (
        p[nak.R_S]
        + zarc(p[nak.R_GB], jw, p[nak.TAU_GB], p[nak.N_GB])
        + zarc(R_int, jw, tau_int, p[nak.N_INT])
        + zarc(R_fast, jw, p[nak.TAU_F1], p[nak.N_F1])
        + finite_diffusion(R_w, jw, p[nak.T_D])
    )
    areal = np.where(shorted > 0.0, p[nak.R_SHORT], arcs)
    return np.asarray(jw * p[nak.L] + areal / p[nak.AREA])


def battery_impedance(p: Floats, x: Floats, f_Hz: Floats) -> tuple[Complex, Complex]:
    """Of the positive and of the negative electrode, for states x (n, k). What leaks away is left out."""
    numbers, states = p.tolist(), x.tolist()
    jw = angular(f_Hz)
    halves = []
    for side, at in enumerate((battery.POSITIVE, battery.NEGATIVE)):
        slope_V, transfer_ohm = np.array([linearise_battery(numbers, state, side) for state in states]).T
        halves.append(electrode(p, at, slope_V, transfer_ohm, jw))
    return halves[0], halves[1]


def electrode(p: Floats, at: int, slope_V: Floats, transfer_ohm: Floats, jw: Complex) -> Complex:
    """Charge that is stored, behind the plates into which it diffuses, a charge transfer and a resistance."""
    surface = p[at + battery.OHM] + zarc(transfer_ohm, jw, p[at + battery.TRANSFER_s], 1.0)
    q = np.sqrt(jw * p[at + battery.SLOWEST_s] * np.pi**2)
    stored = (
        p[at + battery.PER_C] / jw
        if p[at + battery.SPREAD] == 0.0
        else (3.0 * p[at + battery.SPREAD] / (q * np.tanh(q)))
    )
    return np.asarray(surface + slope_V * stored)


def polarising_impedance(p: Floats, x: Floats, f_Hz: Floats, *, blocks: bool) -> Complex:
    """For states x (n, k): modes of diffusion as in time, so that beyond the last one it is a capacitance."""
    numbers, linearise = p.tolist(), linearise_blocking if blocks else linearise_symmetric
    film_ohm, profile_ohm = np.array([linearise(numbers, state) for state in x.tolist()]).T
    jw = angular(f_Hz)
    total = p[polarising.BULK_OHM] + zarc(film_ohm, jw, film_ohm * p[polarising.FILM_F], 1.0)
    total = total + zarc(p[polarising.TRANSFER_OHM], jw, p[polarising.TRANSFER_s], 1.0)
    for k, weight in enumerate(polarising.MODE_WEIGHT):
        total = total + zarc(profile_ohm * weight, jw, p[polarising.SLOWEST_s] / (2 * k + 1) ** 2, 1.0)
    return np.asarray(total)


def angular(f_Hz: Floats) -> Complex:
    """j times the angular frequency."""
    return np.asarray(2j * np.pi * f_Hz, dtype=np.complex128)


def zarc(R: Floats | float, jw: Complex, tau: Floats | float, n: float) -> Complex:
    return np.asarray(R / (1.0 + (jw * tau) ** n))


def finite_diffusion(R: Floats, jw: Complex, slowest_s: float) -> Complex:
    """Fixed concentration at the far side of the layer, whose slowest time constant is given."""
    q = np.sqrt(jw * slowest_s * np.pi**2 / 4.0)
    return np.asarray(R * np.tanh(q) / q)
