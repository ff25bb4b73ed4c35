"""Which maxima of a distribution of relaxation times are peaks.

Without negative values an arc has lobes beside its peak, up to 7 % of its height at a decade and a
seventh of that with each decade further, and noise makes maxima anywhere. A maximum is told as a peak if
it stands out by more than both: RINGING of what is higher within a decade (FADING with each further
one), and NOISE standard errors of gamma there, as the residuals of the fit let expect. With white noise
of 0.2 to 1 % of |Z| a spectrum has a peak too many once in seven times or less, in the worst case tried
once in five (arcs of exponents 0.7 to 0.9). A process smaller than that is not told, nor one of a spectrum
that is ill described elsewhere: its residuals count everywhere. What does not stand out belongs to the peak
it leans on; so does its area.

A capacitor in series (a blocking electrode) is not in the model. It makes a maximum at 4.4 to 5.1 times
the longest time measured, a constant phase element of exponent 0.9 at 3.5, which says nothing of where
an arc would have its top: beyond FARTHEST times the window no peak is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

PER_DECADE = 10
STEP = float(np.log(10.0) / PER_DECADE)  # of ln tau
RINGING = 0.1  # of a higher maximum within a decade
FADING = 0.3  # times that, with each decade further
NOISE = 5.0  # standard errors of gamma
FARTHEST = 3.4  # beyond the measured window, times
ROUNDING = 1e-6  # of the whole resistance: no digit of an impedance


@dataclass(frozen=True, slots=True)
class Peak:
    """A maximum of gamma that stands out. height per unit of ln tau, and area, in the unit of the impedance.

    tau_s         by a parabola through three points of ln tau: finer than the grid
    area          between the minima on both sides: the resistance of the process, where arcs do not overlap
    share         of the whole polarisation resistance (all of the area below gamma)
    extrapolated  beyond the measured window, 1 / (2 pi f): it rests on one flank of the arc
    """

    tau_s: float
    height: float
    area: float
    share: float
    extrapolated: bool


def peaks_of(
    tau_s: Floats, gamma: Floats, error: Floats, window_s: tuple[float, float], whole: float
) -> tuple[Peak, ...]:
    """With rising tau. tau_s (STEP apart in ln tau), gamma and its standard error: (n,); error may be empty.

    window_s: shortest and longest time that was measured; whole: all resistance, that in series with it
    """
    noise = NOISE * error if len(error) else np.zeros(len(gamma))
    places = _standing_out(gamma, np.maximum(noise, np.maximum(_ringing(gamma), ROUNDING * whole)))
    inner = range(1, len(gamma) - 1)  # gamma that rises to the end of the grid is a flank
    sides = zip(places, pairwise(_minima_between(gamma, places)), strict=False)
    found = (_peak(tau_s, gamma, k, _between(gamma, *side), window_s) for k, side in sides if k in inner)
    return tuple(peak for peak in found if _near(peak.tau_s, window_s, FARTHEST))


def _peak(tau_s: Floats, gamma: Floats, k: int, area: float, window_s: tuple[float, float]) -> Peak:
    before, top, after = (float(value) for value in gamma[k - 1 : k + 2])
    offset = 0.5 * (before - after) / (before - 2 * top + after)
    place_s = float(tau_s[k]) * float(np.exp(STEP * offset))
    return Peak(
        tau_s=place_s,
        height=top - 0.25 * (before - after) * offset,
        area=area,
        share=area / (float(gamma.sum()) * STEP),
        extrapolated=not _near(place_s, window_s, 1.0),
    )


def _near(tau_s: float, window_s: tuple[float, float], beyond: float) -> bool:
    return window_s[0] / beyond <= tau_s <= window_s[1] * beyond


def _ringing(gamma: Floats) -> Floats:
    """(n,): how high lobes of what lies elsewhere may be."""
    return np.asarray((_fading(len(gamma)) * gamma).max(axis=1))


@cache
def _fading(n: int) -> Floats:
    """(n, n)"""
    decades = np.abs(np.subtract.outer(np.arange(n), np.arange(n))) / PER_DECADE
    return np.asarray(RINGING * FADING ** np.maximum(decades - 1.0, 0.0))


def _standing_out(gamma: Floats, needed: Floats) -> list[int]:
    """Places of maxima. needed (n,): by how much; the one that misses it most goes first, until none does."""
    padded = np.concatenate([[-1.0], gamma, [-1.0]])
    rises, falls = padded[1:-1] > padded[:-2], padded[1:-1] >= padded[2:]
    places = [int(k) for k in np.flatnonzero(rises & falls & (gamma > 0))]
    while places:
        edges = _minima_between(gamma, places)
        low = [0.0, *gamma[edges[1:-1]], 0.0]
        stands = [gamma[k] - max(low[i], low[i + 1]) - needed[k] for i, k in enumerate(places)]
        least = int(np.argmin(stands))
        if stands[least] > 0:
            break
        del places[least]
    return places


def _minima_between(gamma: Floats, places: list[int]) -> list[int]:
    """Where one peak ends and the next begins: one more than there are peaks, with both ends of the grid."""
    inner = [a + int(np.argmin(gamma[a : b + 1])) for a, b in pairwise(places)]
    return [0, *inner, len(gamma) - 1]


def _between(gamma: Floats, low: int, high: int) -> float:
    """Area from one minimum to the next, which give half to either side; all of it at an end of the grid."""
    total = float(gamma[low : high + 1].sum())
    total -= 0.5 * float(gamma[low]) if low > 0 else 0.0
    total -= 0.5 * float(gamma[high]) if high < len(gamma) - 1 else 0.0
    return total * STEP
