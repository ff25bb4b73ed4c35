"""What the first spectrum shows without the model: a fit begins there."""

from __future__ import annotations

import math

import numpy as np

from nakctl.device.fitting import Arc, Seen
from nakctl.fit.errors import is_noise
from nakctl.fit.history import History
from nakctl.fit.rows import Complex, Floats
from nakctl.results.circuit_fit import CircuitFit, fit_circuit
from nakctl.results.circuits import parsed, relaxations

MOST_ARCS = 4
FEWEST_Hz = 6  # tell a resistance and an arc
# Another arc is there if it lowers Schwarz' criterion (Ann. Statist. 6, 1978, 461) by this: very likely.
MORE = 10.0
PER_ARC = 3  # values
BEYOND = 1e4  # times the window of time constants: what lies further out is no arc
BLOCKS_deg = -60.0  # phase at the lowest frequency from which on a capacitor is expected


def first_spectrum(history: History) -> tuple[int, int] | None:
    """Numbers of run and spectrum: of the first one at rest, or under a current. None: there is none."""
    resting = [(run, number) for run, part in enumerate(history.parts) for number in part.resting]
    others = [(run, number) for run, part in enumerate(history.parts) for number in part.spectra]
    return next((which for which in (*resting, *others) if _frequencies(history, which) >= FEWEST_Hz), None)


def _frequencies(history: History, which: tuple[int, int]) -> int:
    rows = (history.run == which[0]) & (history.spectrum == which[1])
    return len(np.unique(history.course.f_Hz[rows]))


def seen(history: History, which: tuple[int, int]) -> Seen:
    """In ohm, of the whole cell."""
    rows = (history.run == which[0]) & (history.spectrum == which[1])
    fit = best_circuit(history.course.f_Hz[rows], history.z_ohm[rows])
    values = {value.name: value for value in fit.values}
    rest_V, error_V = _rest(history)
    return Seen(
        ohmic_ohm=values["R0"].value,
        inductance_henry=values["L0"].value if values["L0"].determined else 0.0,
        arcs=_arcs(fit),
        farad=values["C9"].value if "C9" in values else None,
        rest_V=rest_V,
        rest_error_V=error_V,
    )


def best_circuit(f_Hz: Floats, z_ohm: Complex) -> CircuitFit:
    """Inductance, resistance, as many arcs as the spectrum has, and a capacitor if it blocks."""
    slow = z_ohm[int(np.argmin(f_Hz))]
    end = "-C9" if math.degrees(math.atan2(slow.imag, slow.real)) < BLOCKS_deg else ""
    best = fit_circuit(f_Hz, z_ohm, f"L0-R0{end}")
    for arcs in range(1, MOST_ARCS + 1):
        if is_noise((best.z - z_ohm) / np.abs(z_ohm)):
            break
        pairs = "".join(f"-p(R{k},CPE{k})" for k in range(1, arcs + 1))
        further = fit_circuit(f_Hz, z_ohm, f"L0-R0{pairs}{end}")
        if not (_within(further, f_Hz) and _better(further, best, 2 * len(f_Hz))):
            break
        best = further
    return best


def _within(fit: CircuitFit, f_Hz: Floats) -> bool:
    """Whether each arc lies where the spectrum shows a part of it."""
    shortest_s, longest_s = (1.0 / (2.0 * math.pi * float(f)) for f in (f_Hz.max(), f_Hz.min()))
    return all(shortest_s / BEYOND < arc.tau_s < longest_s * BEYOND for arc in _arcs(fit))


def _better(more: CircuitFit, fewer: CircuitFit, values: int) -> bool:
    if not math.isfinite(more.chi_square):
        return False
    if not math.isfinite(fewer.chi_square) or fewer.chi_square == 0:
        return fewer.chi_square != 0
    gained = values * math.log(fewer.chi_square / max(more.chi_square, 1e-300)) - PER_ARC * math.log(values)
    resistances = [more[f"{R.name}"] for R, _ in relaxations(parsed(more.circuit))]
    return gained > MORE and sum(R.determined for R in resistances) >= len(resistances) - 1


def _arcs(fit: CircuitFit) -> tuple[Arc, ...]:
    """From fast to slow."""
    found = []
    for R, cpe in relaxations(parsed(fit.circuit)):
        alpha = fit[f"{cpe.name}_alpha"].value
        found.append(Arc(fit[R.name].value, fit[f"tau_{R.name}_{cpe.name}"].value, alpha))
    return tuple(sorted(found, key=lambda arc: arc.tau_s))


def _rest(history: History) -> tuple[float | None, float]:
    """Ewe before any current, and how well it is known."""
    flowed = np.flatnonzero(~history.at_rest)
    before = np.arange(len(history.Ewe_V)) < (flowed[0] if len(flowed) else len(history.Ewe_V))
    known_V = history.Ewe_V[before & history.at_rest & np.isfinite(history.Ewe_V)]
    if len(known_V) == 0:
        return None, 0.0
    error_V = float(known_V.std(ddof=1)) if len(known_V) > 1 else 0.0
    return float(np.median(known_V)), error_V
