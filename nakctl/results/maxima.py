"""Maxima of a curve, by how far they stand out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def maxima(y: Floats, least: float) -> npt.NDArray[np.intp]:
    """Places of the maxima within a curve (n,) that stand out by `least` or more, in order.

    How far one stands out (its prominence): its height less the higher one of the lowest values between it
    and a higher point on either side, or the end of the curve. An end of the curve is no peak.
    """
    y = np.where(np.isfinite(y), y, -np.inf)
    if len(y) < 3:
        return np.zeros(0, np.intp)
    rises = np.flatnonzero(y[1:-1] > y[:-2]) + 1
    tops = [int(k) for k in rises if _falls_after(y, int(k))]
    return np.array([k for k in tops if prominence(y, k) >= least], np.intp)


def prominence(y: Floats, k: int) -> float:
    left, right = y[:k][::-1], y[k + 1 :]
    return float(y[k] - max(_lowest_until(left, y[k]), _lowest_until(right, y[k])))


def _lowest_until(side: Floats, height: float) -> float:
    """The lowest value before the curve gets higher than that."""
    above = np.flatnonzero(side > height)
    return float(side[: above[0] if len(above) else len(side)].min(initial=height))


def _falls_after(y: Floats, k: int) -> bool:
    """Of a flat top its first point counts."""
    other = np.flatnonzero(y[k + 1 :] != y[k])
    return len(other) > 0 and bool(y[k + 1 + other[0]] < y[k])
