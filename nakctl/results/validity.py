"""Kramers-Kronig: could a spectrum come from a cell that is linear, causal and stays as it is?

What obeys the relations can be described by a resistance, RC elements with fixed time constants, an
inductance and a capacitance in series, whatever the cell is. So these are fitted, linearly, to Re and Im
together (weights 1 / |Z|), and what is left over tells. After Schoenleber, Klotz, Ivers-Tiffee,
Electrochim. Acta 131, 2014, 20 (doi 10.1016/j.electacta.2014.01.034): time constants evenly spaced in
log tau over 1 / (2 pi f), and as many of them as bring mu, 1 less the sum of negative over that of
positive resistances, below 0.85: from there on noise would be fitted. Here the number begins at 3 a
decade: fewer may fail to follow what is valid (an arc of one time constant, a loop).

The test is blind for a change that is slow beside the sweep, or that comes between two frequencies
without a trace; so spectra are compared with the next one as well (`changes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]

LIMIT = 0.01  # of |Z|, root mean square: customary (Schoenleber et al. show valid spectra below it)
MU = 0.85  # Schoenleber et al.
PER_DECADE = (3.0, 4.0, 5.0, 6.0)  # RC elements: tried in this order
FEWEST_POINTS = 5
SIGMAS = 3.0  # beyond which neighbouring residuals are no accident
LOWEST = 10.0  # times the lowest frequency: there a sweep takes longest, so a change of the cell shows
CRITERION = f"residuals of at most {100 * LIMIT:g} % of |Z| (rms), in the whole and in the lowest decade"

Verdict = Literal["valid", "drifts", "distorted", "noisy", "not determined"]


@dataclass(frozen=True, slots=True)
class Validity:
    """What a spectrum leaves over.

    residual_re, residual_im  (n,), in the order of the points, fractions of |Z|
    elements  number of RC elements; mu: see above
    rms       of all residuals; low_rms: of those up to LOWEST times the lowest frequency; worst: the largest
    verdict   valid: see CRITERION. Otherwise, where neighbours go together: drifts (most of it at low
              frequencies), distorted (elsewhere: instrument, leads, amplitude); where they do not: noisy.
              not determined: fewer than FEWEST_POINTS points, or such as are no numbers; or what would not be
              valid, with too few points a decade to follow an arc
    """

    residual_re: Floats = field(repr=False)
    residual_im: Floats = field(repr=False)
    elements: int
    mu: float
    rms: float
    low_rms: float
    worst: float
    verdict: Verdict
    criterion: str = CRITERION


def kramers_kronig(f_Hz: Floats, z_ohm: Complex) -> Validity:
    """f_Hz and z_ohm, (n,): one spectrum in any order, Z = E/I; its unit does not matter."""
    return validities(f_Hz, z_ohm[None, :])[0]


def validities(f_Hz: Floats, z_ohm: Complex) -> list[Validity]:
    """Of many spectra with the same frequencies: f_Hz (n,), z_ohm (k, n). They share the factorisations."""
    found: list[Validity | None] = [None] * len(z_ohm)
    left = np.flatnonzero(_usable(f_Hz, z_ohm))
    rungs = _rungs(f_Hz) if len(left) else []
    for elements in rungs:
        residuals, mu = _fitted(_design(f_Hz, elements), z_ohm[left])
        done = (mu < MU) | (elements == rungs[-1])
        for place, one in zip(left[done], _judged(f_Hz, residuals[done], elements, mu[done]), strict=True):
            found[place] = one
        left = left[~done]
        if len(left) == 0:
            break
    return [one or _unknown(len(f_Hz)) for one in found]


def changes(f_Hz: Floats, z_ohm: Complex) -> Floats:
    """(k - 1,): how much the lowest decade differs from one spectrum to the next, root mean square over |Z|.

    f_Hz (n,), z_ohm (k, n): spectra with the same frequencies, in order. A cell that changes by so much from
    sweep to sweep changed by about as much while it was swept.
    """
    low = z_ohm[:, (f_Hz > 0) & (f_Hz <= LOWEST * f_Hz.min(initial=np.inf))]
    if low.shape[1] == 0:  # frequencies that are none
        return np.full(max(len(z_ohm) - 1, 0), np.nan)
    size = 0.5 * (np.abs(low[1:]) + np.abs(low[:-1]))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.sqrt(np.mean((np.abs(np.diff(low, axis=0)) / size) ** 2, axis=1)))


def _usable(f_Hz: Floats, z_ohm: Complex) -> npt.NDArray[np.bool_]:
    enough = len(f_Hz) >= FEWEST_POINTS and bool(np.isfinite(f_Hz).all()) and float(f_Hz.min()) > 0
    spread = enough and float(f_Hz.max()) > float(f_Hz.min())
    return np.asarray(np.isfinite(z_ohm).all(axis=1) & (np.abs(z_ohm) > 0).all(axis=1) & spread)


def _rungs(f_Hz: Floats) -> list[int]:
    """Numbers of RC elements, rising. Never as many unknowns as there are points (of two parts each)."""
    decades = _decades(f_Hz)
    most = max(len(np.unique(f_Hz)) - 3, 1)
    return sorted({min(max(round(decades * per_decade), 2), most) for per_decade in PER_DECADE})


def _decades(f_Hz: Floats) -> float:
    return float(np.log10(f_Hz.max() / f_Hz.min()))


def _design(f_Hz: Floats, elements: int) -> Floats:
    """Columns: R, the RC elements, L, C; rows: Re, then Im."""
    w = 2.0 * np.pi * f_Hz
    low, high = float(w.min()), float(w.max())
    tau_s = np.geomspace(1.0 / high, 1.0 / low, elements)
    parts = [np.ones((len(w), 1)), 1.0 / (1.0 + 1j * np.outer(w, tau_s)), 1j * w[:, None] / high]
    model = np.hstack([*parts, low / (1j * w[:, None])])
    return np.vstack([model.real, model.imag])


def _fitted(design: Floats, z: Complex) -> tuple[Complex, Floats]:
    """Residuals over |Z|, (k, n), and mu, (k,). An orthogonal base keeps weighted equations well-behaved."""
    n = len(design) // 2
    base, factor = np.linalg.qr(design)
    products = base[:, :, None] * base[:, None, :]
    both = (products[:n] + products[n:]).reshape(n, -1)
    weights = 1.0 / (z.real**2 + z.imag**2)
    weights /= weights.max(axis=1, keepdims=True)
    normal = (weights @ both).reshape(len(z), base.shape[1], base.shape[1])
    right = (weights * z.real) @ base[:n] + (weights * z.imag) @ base[n:]
    solved = np.linalg.solve(normal, right[:, :, None])[:, :, 0]
    parts = solved @ base.T
    residuals = (z - parts[:, :n] - 1j * parts[:, n:]) / np.abs(z)
    return residuals, _mu(np.linalg.solve(factor, solved.T)[1:-2])


def _mu(resistances: Floats) -> Floats:
    """(elements, k) -> (k,)"""
    positive = np.maximum(resistances, 0.0).sum(axis=0)
    negative = np.maximum(-resistances, 0.0).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1.0 - negative / positive)


def _judged(f_Hz: Floats, residuals: Complex, elements: int, mu: Floats) -> list[Validity]:
    """residuals (k, n), mu (k,)"""
    rms, low_rms = _rms(residuals), _rms(residuals[:, f_Hz <= LOWEST * f_Hz.min()])
    worst = np.maximum(np.abs(residuals.real), np.abs(residuals.imag)).max(axis=1)
    together = _go_together(residuals[:, np.argsort(f_Hz)])
    coarse = elements < round(_decades(f_Hz) * PER_DECADE[0])
    return [
        Validity(
            residual_re=residuals[k].real,
            residual_im=residuals[k].imag,
            elements=elements,
            mu=float(mu[k]),
            rms=float(rms[k]),
            low_rms=float(low_rms[k]),
            worst=float(worst[k]),
            verdict=_verdict(float(rms[k]), float(low_rms[k]), bool(together[k]), coarse),
        )
        for k in range(len(residuals))
    ]


def _verdict(rms: float, low_rms: float, together: bool, coarse: bool) -> Verdict:
    if max(rms, low_rms) <= LIMIT:
        return "valid"
    if coarse:
        return "not determined"
    if not together:
        return "noisy"
    return "drifts" if low_rms >= rms else "distorted"


def _rms(residuals: Complex) -> Floats:
    """(k,): of Re and Im."""
    return np.asarray(np.sqrt(np.mean(residuals.real**2 + residuals.imag**2, axis=1) / 2.0))


def _go_together(residuals: Complex) -> npt.NDArray[np.bool_]:
    """(k,): neighbours differ by less than white noise would (von Neumann's ratio, which is 2 for that).

    Where few residuals are far larger than the others, it is as uncertain as of these few alone.
    """
    apart, each = (np.abs(x) ** 2 for x in (np.diff(residuals, axis=1), residuals))
    size = each.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = 4.0 * size**2 / np.sum(each**2, axis=1)  # of white noise: as many as there are, Re and Im
        return np.asarray(apart.sum(axis=1) < 2.0 * (1.0 - SIGMAS / np.sqrt(parts)) * size)


def _unknown(n: int) -> Validity:
    nothing = np.full(n, np.nan)
    return Validity(nothing, nothing, 0, np.nan, np.nan, np.nan, np.nan, "not determined")


def tally(found: Sequence[Validity]) -> dict[Verdict, int]:
    """How many of each verdict."""
    verdicts: tuple[Verdict, ...] = ("valid", "drifts", "distorted", "noisy", "not determined")
    return {verdict: sum(one.verdict == verdict for one in found) for verdict in verdicts}
