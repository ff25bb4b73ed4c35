"""The figures of a run that depend on what kind of experiment it was, told by its rows: no protocol is asked.

Each function gives its figures by their names in the catalogue, and none where the run is of another kind.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from nakctl.record.read import Run
from nakctl.results.arrhenius import APART_K, activation
from nakctl.results.current import current_steps
from nakctl.results.cycling import Cycles, cycles, rate_capability
from nakctl.results.gitt import titration
from nakctl.results.pulses import pulse_resistances
from nakctl.results.relaxation import mean_relaxation, plateau_s, rests_after_current
from nakctl.results.staircases import Direction, staircase
from nakctl.results.threshold import rise, threshold_error_mA_cm2, threshold_mA_cm2
from nakctl.results.transport import HELD, hebb_wagner, transference
from nakctl.results.voltammetry import TECHNIQUES, ScanPeak, scans

Found = dict[str, Any]
Floats = npt.NDArray[np.float64]

MOST_CYCLES = 2000  # that a file holds one by one; more are no table that anybody reads
HALF_CYCLE = 0.1  # of the charge of the other one; of half of the cycles, or they are no cycling
FEWEST_LEVELS = 3  # that make a staircase
FEWEST_PULSES = 3
MEAN_OF = 200  # rests
SMALL_V = 0.05  # a held potential that asks for a transference number, and not for a limit
TITRATES_s, RESTS = 60.0, 1 / 3  # a pulse of a titration lasts at least; the rest after it, of the pulse


def experiment_figures(run: Run, short_at_s: float | None) -> Found:
    """short_at_s: when the cell shorted; levels after it tell of the short and not of the cell."""
    potential_scans = _scans(run)
    found = potential_scans or _cycles(run) | _rates(run)
    is_battery = bool(run.header.sample.get("working_is"))
    if is_battery:
        found |= _titration(run) | _pulses(run)
    else:
        found |= _levels(run, "strip", short_at_s) | _levels(run, "plate", short_at_s)
        found |= _relaxation(run)
    return found | _held(run) | _temperatures(run)


def numbers(values: npt.NDArray[Any]) -> list[float]:
    return [float(value) for value in values]


def _levels(run: Run, direction: Direction, short_at_s: float | None) -> Found:
    if not run.header.area_cm2:
        return {}
    found = staircase(run, direction)
    kept = slice(int(np.searchsorted(found.time_s, np.inf if short_at_s is None else short_at_s)))
    j_mA_cm2 = found.j_mA_cm2[kept]
    if len(j_mA_cm2) < FEWEST_LEVELS or not rise(j_mA_cm2):
        return {}
    told: Found = {
        f"{direction}_levels_mA_cm2": numbers(j_mA_cm2),
        f"{direction}_levels_V": numbers(found.Ewe_V[kept]),
    }
    if np.isfinite(found.resistance_ohm_cm2[kept]).any():
        told[f"{direction}_levels_ohm_cm2"] = numbers(found.resistance_ohm_cm2[kept])
    return told | _threshold(j_mA_cm2, found.Ewe_V[kept], direction)


def _threshold(j_mA_cm2: Floats, Ewe_V: Floats, direction: Direction) -> Found:
    found = threshold_mA_cm2(j_mA_cm2, Ewe_V)
    if found is None:
        return {}
    return {
        f"{direction}_threshold_mA_cm2": abs(found),
        f"{direction}_threshold_error_mA_cm2": threshold_error_mA_cm2(j_mA_cm2, found),
    }


def _cycles(run: Run) -> Found:
    if not _turns(run):
        return {}
    found = cycles(run)
    small, large = np.minimum(found.strip_Ah, found.plate_Ah), np.maximum(found.strip_Ah, found.plate_Ah)
    of_both = small[large > 0] > HALF_CYCLE * large[large > 0]  # others are of spectra, or of a rest
    if not of_both.any() or float(of_both.mean()) < 0.5 or len(found) > MOST_CYCLES:
        return {}
    told: Found = {
        "cycles_number": numbers(found.number),
        "cycles_whole": numbers(found.whole),
        "cycles_duration_s": numbers(found.duration_s),
        "cycles_strip_mAh": numbers(1e3 * found.strip_Ah),
        "cycles_plate_mAh": numbers(1e3 * found.plate_Ah),
        "cycles_strip_V": numbers(found.strip_V),
        "cycles_plate_V": numbers(found.plate_V),
        "cycles_strip_Wh": numbers(found.strip_Wh),
        "cycles_plate_Wh": numbers(found.plate_Wh),
        "cycles_coulombic_efficiency": numbers(found.coulombic_efficiency),
    }
    return told | _of_known_cell(found)


def _turns(run: Run) -> bool:
    """Whether its current may have gone both ways: of pulses in one direction this is soon told."""
    I_A = current_steps(run).I_A
    return bool((I_A > 0).any() and (I_A < 0).any()) or bool((run.steps["technique"] == HELD).any())


def _of_known_cell(found: Cycles) -> Found:
    told: Found = {}
    if found.charge_is:
        told |= {"cycles_charge_is": found.charge_is}
        told |= {"cycles_energy_efficiency": numbers(found.energy_efficiency)}
    if found.area_cm2:
        told |= {"cycles_strip_mAh_cm2": numbers(found.strip_mAh_cm2)}
        told |= {"cycles_plate_mAh_cm2": numbers(found.plate_mAh_cm2)}
    return told


def _rates(run: Run) -> Found:
    """Of a battery that was discharged with several currents."""
    if not run.header.sample.get("working_is"):
        return {}
    found = rate_capability(run)
    if len(found.I_A) < 2 or len(found.I_A) > MOST_CYCLES:
        return {}
    return {
        "rates_A": numbers(found.I_A),
        "rates_mAh": numbers(1e3 * found.capacity_Ah),
        "rates_kept": numbers(found.kept),
    }


def _scans(run: Run) -> Found:
    found = scans(run) if np.isin(run.steps["technique"], TECHNIQUES).any() else ()
    if not found or len(found) > MOST_CYCLES:
        return {}

    def of(peaks: list[ScanPeak | None], name: str) -> list[float]:
        return [np.nan if peak is None else getattr(peak, name) for peak in peaks]

    anodic, cathodic = [one.anodic for one in found], [one.cathodic for one in found]
    told: Found = {
        "scans_number": [float(one.number) for one in found],
        "scans_rate_V_s": [one.rate_V_s for one in found],
        "scans_anodic_mAh": [1e3 * one.anodic_Ah for one in found],
        "scans_cathodic_mAh": [1e3 * one.cathodic_Ah for one in found],
    }
    for way, peaks in (("anodic", anodic), ("cathodic", cathodic)):
        if any(peaks):
            told[f"scans_{way}_peak_V"] = of(peaks, "E_V")
            told[f"scans_{way}_peak_A"] = of(peaks, "I_A")
            told[f"scans_{way}_height_A"] = of(peaks, "height_A")
    if any(anodic) and any(cathodic):
        told["scans_separation_V"] = [np.nan if (dE := one.separation_V) is None else dE for one in found]
    return told


def _relaxation(run: Run) -> Found:
    """After pulses that are all alike."""
    rests, I_A = rests_after_current(run)
    long_s = run.steps["t_end"][rests] - run.steps["t_start"][rests]
    alike = len(rests) >= FEWEST_PULSES and bool(np.isclose(I_A, I_A[0], rtol=0.01).all())
    if not alike or not np.isclose(np.median(long_s), long_s[0], rtol=0.02):
        return {}
    told: Found = {"relaxation_rests": len(rests), "relaxation_rest_s": float(np.median(long_s))}
    plateau = plateau_s(*mean_relaxation(run, most=MEAN_OF))
    return told if plateau is None else told | {"relaxation_plateau_s": plateau}


def _titration(run: Run) -> Found:
    found = titration(run)
    if len(found) < FEWEST_PULSES:
        return {}
    used = (found.tau_s >= TITRATES_s) & (found.rest_s >= RESTS * found.tau_s)
    used &= _is_small(run, found.I_A * found.tau_s)
    if np.count_nonzero(used) < FEWEST_PULSES:
        return {}
    return {
        "gitt_tau_s": numbers(found.tau_s[used]),
        "gitt_A": numbers(found.I_A[used]),
        "gitt_rest_V": numbers(found.after_V[used]),
        "gitt_dEs_V": numbers(found.dEs_V[used]),
        "gitt_slope_V_sqrt_s": numbers(found.slope_V_sqrt_s[used]),
        "gitt_D_per_L2_Hz": numbers(found.D_per_L2_s[used]),
    }


def _is_small(run: Run, charge_C: Floats) -> npt.NDArray[np.bool_]:
    """A fifth of the capacity or less; of an unknown one any."""
    said = run.header.sample.get("nominal_capacity")
    return np.abs(charge_C) <= 0.2 * (said["value"] if said else np.inf)


def _pulses(run: Run) -> Found:
    found = pulse_resistances(run)
    if not FEWEST_PULSES <= len(found) <= MOST_CYCLES:
        return {}
    return {
        "pulses_A": numbers(found.I_A),
        "pulses_at_mAh": numbers(1e3 * found.Q_Ah),
        "pulses_s": numbers(found.length_s),
        "pulses_first_ohm": numbers(found.first_ohm),
        "pulses_end_ohm": numbers(found.end_ohm),
    }


def _held(run: Run) -> Found:
    """Of a run in which potentials were held, and no current was driven."""
    if len(current_steps(run)):
        return {}
    found = transference(run)
    if found is not None and abs(found.dE_V) <= SMALL_V:
        told: Found = {"bias_V": found.dE_V, "steady_over_initial_current": found.ratio}
        if found.t_plus is not None and found.t_plus_error is not None:
            told |= {"transference_number": found.t_plus, "transference_number_error": found.t_plus_error}
        return told
    held = hebb_wagner(run)
    if not FEWEST_LEVELS <= len(held) <= MOST_CYCLES:
        return {}
    return {
        "held_V": numbers(held.E_V),
        "held_A": numbers(held.I_A),
        "held_error_A": numbers(held.error_A),
        "held_S": numbers(held.conductance_S),
    }


def _temperatures(run: Run) -> Found:
    """Where a chamber went from one temperature to another."""
    moved = [np.ptp(log.value[np.isfinite(log.value)]) for log in run.aux.values() if len(log)]
    if max(moved, default=0.0) < APART_K or not len(run.spectra):
        return {}
    found = activation(run)
    if found.kJ_mol is None:
        return {}
    told: Found = {
        "arrhenius_K": numbers(found.T_K),
        "arrhenius_ohm": numbers(found.R_ohm),
        "activation_energy_kJ_mol": found.kJ_mol,
    }
    return told | (
        {"activation_energy_error_kJ_mol": found.error_kJ_mol} if np.isfinite(found.error_kJ_mol) else {}
    )
