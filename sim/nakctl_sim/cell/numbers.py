"""From the parameters of a cell's file, areal and in their own units, to the numbers of its kernel."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from nakctl_sim.cell import battery, polarising
from nakctl_sim.cell.battery_file import Electrode
from nakctl_sim.cell.catalog import BatteryDescription, PolarisingDescription
from nakctl_sim.cell.cell_file import Parameter

Floats = npt.NDArray[np.float64]

FARADAY_C_MOL = 96485.33
GAS_J_MOL_K = 8.314462
C_PER_mAh = 3.6
DAY_s = 86400.0
CM_PER_UM = 1e-4


def faster(kilojoules: float, T_K: float, T_ref_K: float) -> float:
    """How many times faster at T than at T_ref (Arrhenius), with an activation energy in kJ/mol."""
    return math.exp(1000.0 * kilojoules / GAS_J_MOL_K * (1.0 / T_ref_K - 1.0 / T_K))


def battery_numbers(found: BatteryDescription) -> tuple[Floats, Floats]:
    """Parameters and state of the fresh cell. Each electrode begins without overpotential."""
    given, area_cm2 = found.parameters, found.cell.area_cm2
    speed = {name: faster(given[name], given["T"], given["T_ref"]) for name in ("E_s", "E_ct", "E_D")}
    ohm = given["R_s"] / area_cm2 / speed["E_s"]
    p = np.zeros(battery.PARAMETERS)
    p[battery.WORKING_IS] = 1.0 if found.words.working_is == "positive" else -1.0
    p[battery.THREE] = 1.0 if found.words.three_electrodes else 0.0
    p[battery.LEAK] = given["k_leak"] / DAY_s
    p[battery.TWICE_RT_F] = 2.0 * GAS_J_MOL_K * given["T"] / FARADAY_C_MOL
    _electrode(p, battery.POSITIVE, found.positive, area_cm2, speed)
    _electrode(p, battery.NEGATIVE, found.negative, area_cm2, speed)
    p[battery.POSITIVE + battery.OHM] = ohm * given["f_pos"]
    p[battery.NEGATIVE + battery.OHM] = ohm * (1.0 - given["f_pos"])
    p[battery.NEGATIVE_0] = 1.0
    p[battery.NEGATIVE_PER_POSITIVE] = (
        p[battery.NEGATIVE + battery.PER_C] / p[battery.POSITIVE + battery.PER_C]
    )
    x = np.zeros(battery.STATES)
    x[battery.FRACTION] = found.words.state_of_charge.value
    return p, x


def _electrode(p: Floats, at: int, words: Electrode, area_cm2: float, speed: dict[str, float]) -> None:
    values = np.array(words.E.values)
    p[at + battery.N_POINTS] = len(values)
    p[at + battery.POINT_V : at + battery.POINT_V + len(values)] = values
    p[at + battery.SLOPE_V : at + battery.SLOPE_V + len(values)] = slopes(values)
    p[at + battery.PER_C] = 1.0 / (C_PER_mAh * words.Q.value * area_cm2) if words.Q is not None else 0.0
    p[at + battery.SLOWEST_s] = 1.0
    if words.D is not None and words.L is not None:
        through_s = (words.L.value * CM_PER_UM) ** 2 / (words.D.value * speed["E_D"])
        p[at + battery.SLOWEST_s] = through_s / math.pi**2
        p[at + battery.SPREAD] = through_s * p[at + battery.PER_C] / 3.0
    p[at + battery.EXCHANGE_A] = 1e-3 * _value(words.j_0, math.inf) * area_cm2 * speed["E_ct"]
    transfer_ohm = 0.5 * p[battery.TWICE_RT_F] / p[at + battery.EXCHANGE_A]
    p[at + battery.TRANSFER_s] = max(transfer_ohm * 1e-6 * _value(words.C_dl, 0.0) * area_cm2, 1e-9)


def _value(parameter: Parameter | None, otherwise: float) -> float:
    return otherwise if parameter is None else parameter.value


def slopes(values: Floats) -> Floats:
    """Per unit of the fraction, at points of a rising curve: the harmonic mean of either side, so that the
    cubics between them rise as well (Fritsch and Butland, SIAM J. Sci. Stat. Comput. 5 (1984) 300)."""
    steps = np.diff(values) * (len(values) - 1)
    if len(steps) == 0:
        return np.zeros(1)
    before, after = steps[:-1], steps[1:]
    both = before + after
    middle = np.divide(2.0 * before * after, both, out=np.zeros(len(both)), where=both > 0.0)
    return np.concatenate([steps[:1], middle, steps[-1:]])


def symmetric_numbers(found: PolarisingDescription) -> tuple[Floats, Floats]:
    """The salt's profile costs what is missing of the resistance over t_plus in the steady state, after
    Bruce and Vincent; it is that of half the electrolyte, whose middle keeps its concentration."""
    given, area_cm2 = found.parameters, found.cell.area_cm2
    speed, transfer = (faster(given[name], given["T"], given["T_ref"]) for name in ("E_a", "E_ct"))
    bulk_ohm = given["l"] * CM_PER_UM / (given["sigma"] * speed) / area_cm2
    limit_A = 1e-3 * given["j_lim"] * speed * area_cm2
    p = np.zeros(polarising.PARAMETERS)
    p[polarising.BULK_OHM] = bulk_ohm
    p[polarising.TRANSFER_OHM] = given["R_ct"] / transfer / area_cm2
    p[polarising.TRANSFER_s] = max(p[polarising.TRANSFER_OHM] * 1e-6 * given["C_dl"] * area_cm2, 1e-9)
    p[polarising.FILM_OHM] = given["R_film"] / transfer / area_cm2
    p[polarising.GROWN_OHM] = given["R_grown"] / transfer / area_cm2
    p[polarising.GROWTH_s] = given["tau_grown"]
    p[polarising.FILM_F] = 1e-6 * given["C_film"] * area_cm2
    p[polarising.SCALE_A] = limit_A
    p[polarising.SCALE_V] = bulk_ohm * (1.0 / given["t_plus"] - 1.0) * limit_A
    p[polarising.SLOWEST_s] = (given["l"] * CM_PER_UM / math.pi) ** 2 / (given["D"] * speed)
    return p, _fresh(p)


def blocking_numbers(found: PolarisingDescription) -> tuple[Floats, Floats]:
    """The reversible electrode keeps the carriers at its side, so that the profile is that of the whole
    electrolyte; where Ewe is 0 the steady conductivity for electrons is sigma_e."""
    given, area_cm2 = found.parameters, found.cell.area_cm2
    speed, of_electrons = (faster(given[name], given["T"], given["T_ref"]) for name in ("E_a", "E_e"))
    per_cm = area_cm2 / (given["l"] * CM_PER_UM)
    p = np.zeros(polarising.PARAMETERS)
    p[polarising.BULK_OHM] = 1.0 / (given["sigma"] * speed * per_cm)
    p[polarising.FILM_OHM] = p[polarising.GROWN_OHM] = 1.0 / (given["sigma_gb"] * speed * per_cm)
    p[polarising.FILM_F] = 1e-6 * given["C_gb"] * area_cm2
    p[polarising.GROWTH_s] = p[polarising.TRANSFER_s] = 1.0
    p[polarising.SCALE_V] = given["v_e"]
    p[polarising.SCALE_A] = given["sigma_e"] * of_electrons * per_cm * given["v_e"]
    p[polarising.SLOWEST_s] = 4.0 * (given["l"] * CM_PER_UM / math.pi) ** 2 / given["D_e"]
    return p, _fresh(p)


def _fresh(p: Floats) -> Floats:
    x = np.zeros(polarising.STATES)
    x[polarising.FILM] = p[polarising.FILM_OHM]
    return x
