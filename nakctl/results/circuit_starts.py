"""Where the fit of a circuit begins: what a spectrum shows without one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from nakctl.results.circuits import Circuit, elements, relaxations
from nakctl.results.drt import Complex, Floats, drt
from nakctl.results.peaks import Peak

USUAL_ALPHA = 0.9


def is_alpha(name: str) -> bool:
    return name.endswith("_alpha")


def starts(circuit: Circuit, f_Hz: Floats, z: Complex, unit: str) -> Iterator[dict[str, float]]:
    """Arcs from peaks of the DRT, evenly through the window, in its fast half; the rest from both ends."""
    count, ends = len(relaxations(circuit)), _ends(circuit, f_Hz, z)
    shortest, longest = (1.0 / (2.0 * np.pi * float(f)) for f in (f_Hz.max(), f_Hz.min()))
    middle = float(np.sqrt(shortest * longest))
    yield ends | _begun(circuit, _arcs(drt(f_Hz, z, unit=unit).peaks(), count, shortest, longest, z))
    if count:
        yield ends | _begun(circuit, _arcs((), count, shortest, longest, z))
        yield ends | _begun(circuit, _arcs((), count, shortest, middle, z))


def _begun(circuit: Circuit, arcs: Sequence[tuple[float, float]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for (resistance, capacitance), (R, tau_s) in zip(relaxations(circuit), arcs, strict=True):
        found[resistance.name] = R
        if capacitance.kind == "C":
            found[capacitance.name] = tau_s / R
        else:
            found[f"{capacitance.name}_Q"] = tau_s**USUAL_ALPHA / R
            found[f"{capacitance.name}_alpha"] = USUAL_ALPHA
    return found


def _arcs(
    peaks: Sequence[Peak], count: int, shortest_s: float, longest_s: float, z: Complex
) -> list[tuple[float, float]]:
    """R and tau of so many arcs, from fast to slow: the largest peaks; if there are fewer, places between."""
    largest = sorted(peaks, key=lambda peak: -peak.area)[:count]
    found = [(peak.area, peak.tau_s) for peak in largest]
    places = np.geomspace(shortest_s, longest_s, count - len(found) + 2)[1:-1]
    share = 0.1 * float(np.ptp(z.real)) + 1e-3 * float(np.abs(z).min())
    return sorted([*found, *((share, float(tau_s)) for tau_s in places)], key=lambda arc: arc[1])


def _ends(circuit: Circuit, f_Hz: Floats, z: Complex) -> dict[str, float]:
    """Of elements in no arc: resistances from the fast end, all others so that they are seen at one end."""
    fast, slow = int(np.argmax(f_Hz)), int(np.argmin(f_Hz))
    w_fast, w_slow = (2.0 * np.pi * float(f_Hz[k]) for k in (fast, slow))
    size_slow = max(abs(float(z.imag[slow])), 1e-3 * abs(complex(z[slow])))
    series = max(float(z.real.min()), 1e-3 * float(np.abs(z).min()))
    found: dict[str, float] = {}
    for element in elements(circuit):
        name = element.name
        if element.kind == "R":
            found[name] = series
        elif element.kind == "L":
            found[name] = max(float(z.imag[fast]), 1e-3 * abs(complex(z[fast]))) / w_fast
        elif element.kind == "C":
            found[name] = 1.0 / (w_slow * size_slow)
        elif element.kind == "W":
            found[name] = size_slow * float(np.sqrt(w_slow))
        else:
            found[f"{name}_alpha"] = USUAL_ALPHA
            found[f"{name}_Q"] = 1.0 / (w_slow**USUAL_ALPHA * size_slow)
    return found
