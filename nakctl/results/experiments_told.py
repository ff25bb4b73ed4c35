"""The figures of `experiments` as sentences for the screen, and its tables in a few lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from nakctl.results.threshold import FEWEST_LEVELS
from nakctl.text.numbers import duration, plural, si

Found = dict[str, Any]

ENDS = 4  # rows of a long table that are shown from its beginning, and from its end
_WAY = {"strip": "stripping", "plate": "plating"}


def experiments_told(found: Found) -> Iterator[str]:
    for way in _WAY:
        yield from _levels(found, way)
    for tell in (_relaxation, _cycles, _rates, _scans, _titration, _pulses, _held, _temperatures):
        yield from tell(found)


def _levels(found: Found, way: str) -> Iterator[str]:
    j_mA_cm2 = found.get(f"{way}_levels_mA_cm2", [])
    if not j_mA_cm2:
        return
    ohm_cm2 = found.get(f"{way}_levels_ohm_cm2", [])
    resistance = f", {ohm_cm2[0]:.4g} to {ohm_cm2[-1]:.4g} ohm cm2" if ohm_cm2 else ""
    span = f"{abs(j_mA_cm2[0]):.4g} to {abs(j_mA_cm2[-1]):.4g} mA/cm2"
    told = f"{_WAY[way]}, {len(j_mA_cm2)} levels of {span}{resistance}"
    threshold = found.get(f"{way}_threshold_mA_cm2")
    if threshold is not None:
        error = found[f"{way}_threshold_error_mA_cm2"]
        yield f"{told}: unstable from {threshold:.4g} +- {error:.2g} mA/cm2 on"
    elif len(j_mA_cm2) < FEWEST_LEVELS:  # said, because a threshold that was not found is something else
        yield f"{told}: too few for a threshold"
    else:
        yield f"{told}: stable throughout"


def _relaxation(found: Found) -> Iterator[str]:
    if "relaxation_rests" not in found:
        return
    rests = f"{plural(found['relaxation_rests'], 'rest')} of {duration(found['relaxation_rest_s'])}"
    plateau = found.get("relaxation_plateau_s")
    if plateau is None:
        yield f"voltage plateau after a pulse: not determined within {rests}"
    else:
        yield f"voltage plateau after a pulse: {plateau:.3g} s, {rests}"


def _cycles(found: Found) -> Iterator[str]:
    if "cycles_number" not in found:
        return
    areal = "cycles_strip_mAh_cm2" in found
    unit, end = ("mAh/cm2", "_cm2") if areal else ("mAh", "")
    charge_is = found.get("cycles_charge_is", "")
    first, second = ("plate", "strip") if charge_is == "plate" else ("strip", "plate")
    names = ("charged", "discharged") if charge_is else ("stripped", "plated")
    columns = [
        ("cycle", found["cycles_number"], lambda v: f"{v:.0f}"),
        (names[0], found[f"cycles_{first}_mAh{end}"], _four),
        (f"{names[1]} {unit}", found[f"cycles_{second}_mAh{end}"], _four),
        ("efficiency", found["cycles_coulombic_efficiency"], _share),
        ("mean V", found[f"cycles_{first}_V"], _four),
        ("V", found[f"cycles_{second}_V"], _four),
        ("lasted", found["cycles_duration_s"], duration),
    ]
    if "cycles_energy_efficiency" in found:
        columns.insert(4, ("of energy", found["cycles_energy_efficiency"], _share))
    yield from table(columns)
    if not all(found["cycles_whole"]):
        yield "its last cycle is not whole"


def _four(value: float) -> str:
    return f"{value:.4g}"


def _share(value: float) -> str:
    return f"{value:.2%}"


def table(columns: Sequence[tuple[str, Sequence[float], Callable[[float], str]]]) -> Iterator[str]:
    """Heading and rows; of a long one the first and the last. What is no number is a dash."""
    count = len(columns[0][1])
    shown = range(count) if count <= 2 * ENDS + 1 else (*range(ENDS), *range(count - ENDS, count))
    texts = [
        [heading, *("-" if np.isnan(values[k]) else tell(values[k]) for k in shown)]
        for heading, values, tell in columns
    ]
    widths = [max(map(len, column)) for column in texts]
    rows = [
        "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True))
        for row in zip(*texts, strict=True)
    ]
    if len(shown) < count:
        rows.insert(1 + ENDS, f"{'...':>{widths[0]}}")
    yield from rows


def _rates(found: Found) -> Iterator[str]:
    if "rates_A" not in found:
        return
    pairs = list(zip(found["rates_A"], found["rates_mAh"], strict=True))[: 2 * ENDS]
    told = ", ".join(f"{mAh:.4g} mAh at {si(abs(A), 'A')}" for A, mAh in pairs)
    yield f"capacity by rate: {told}{', ...' if len(found['rates_A']) > len(pairs) else ''}"


def _scans(found: Found) -> Iterator[str]:
    if "scans_number" not in found:
        return
    columns = [
        ("scan", found["scans_number"], lambda v: f"{v:.0f}"),
        ("anodic", found["scans_anodic_mAh"], _four),
        ("cathodic mAh", found["scans_cathodic_mAh"], _four),
    ]
    for way in ("anodic", "cathodic"):
        if f"scans_{way}_peak_V" in found:
            columns.append((f"{way} peak V", found[f"scans_{way}_peak_V"], _four))
            columns.append(("A", found[f"scans_{way}_peak_A"], lambda v: f"{v:.3e}"))
    if "scans_separation_V" in found:
        columns.append(("separation V", found["scans_separation_V"], _four))
    yield from table(columns)
    if not any(name.endswith("peak_V") for name in found):
        yield "no peak stands out of the scans"


def _titration(found: Found) -> Iterator[str]:
    if "gitt_tau_s" not in found:
        return
    known = [value for value in found["gitt_D_per_L2_Hz"] if np.isfinite(value)]
    if not known:
        yield f"titration by {len(found['gitt_tau_s'])} pulses: D/L2 is not determined"
        return
    span = f"{min(known):.2e} to {max(known):.2e} 1/s, median {np.median(known):.2e} 1/s"
    yield f"titration by {len(known)} pulses: D/L2 {span} (L, the diffusion length, is in no file)"


def _pulses(found: Found) -> Iterator[str]:
    if "pulses_A" not in found:
        return
    for sign in (-1.0, 1.0):
        mine = [k for k, A in enumerate(found["pulses_A"]) if A * sign > 0]
        ohm = [[found[name][k] for k in mine] for name in ("pulses_first_ohm", "pulses_end_ohm")]
        if mine and np.isfinite(ohm).all():
            amps = si(abs(found["pulses_A"][mine[0]]), "A")
            at_once, later = (f"{min(values):.4g} to {max(values):.4g} ohm" for values in ohm)
            seconds = duration(found["pulses_s"][mine[0]])
            way = "stripping" if sign > 0 else "plating"
            pulses = f"{plural(len(mine), 'pulse')} of {amps} ({way})"
            yield f"{pulses}: {at_once} at once, {later} after {seconds}"


def _held(found: Found) -> Iterator[str]:
    if "steady_over_initial_current" in found:
        ratio = f"steady over initial current {found['steady_over_initial_current']:.4g}"
        number = found.get("transference_number")
        if number is None:
            why = "not determined: the spectra do not show the electrolyte and the interfaces apart"
            yield f"transference number: {why} ({ratio} at {si(found['bias_V'], 'V')})"
        else:
            yield f"transference number: {number:.3g} +- {found['transference_number_error']:.1g} ({ratio})"
    if "held_V" in found:
        held_V, held_A = found["held_V"], found["held_A"]
        low, high = (f"{si(held_A[k], 'A')} at {held_V[k]:.4g} V" for k in (0, -1))
        yield f"steady currents at {len(held_V)} held potentials: {low} to {high}"


def _temperatures(found: Found) -> Iterator[str]:
    if "activation_energy_kJ_mol" not in found:
        return
    error = found.get("activation_energy_error_kJ_mol")
    plus_minus = "" if error is None else f" +- {error:.2g}"
    T_C = [T_K - 273.15 for T_K in found["arrhenius_K"]]
    spectra = f"{plural(len(T_C), 'spectrum', 'spectra')} at {min(T_C):.4g} to {max(T_C):.4g} degC"
    yield f"activation energy: {found['activation_energy_kJ_mol']:.4g}{plus_minus} kJ/mol, of {spectra}"
