"""Impedances that are known exactly, Z = E/I: what results of spectra are tried on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]

PAPER_Hz: Floats = np.geomspace(7e6, 5.0, 93)  # as the paper measured
COARSE_Hz: Floats = np.geomspace(1e6, 0.1, 43)  # six a decade, as an SP-300 is often set
LONG_Hz: Floats = np.geomspace(1e6, 0.01, 81)


def arc(f_Hz: Floats, R: float, tau_s: float, n: float = 1.0) -> Complex:
    """R parallel to a capacitor (n = 1) or a constant phase element."""
    return np.asarray(R / (1.0 + (2j * np.pi * f_Hz * tau_s) ** n))


def coil(f_Hz: Floats, L: float = 1e-7) -> Complex:
    return np.asarray(2j * np.pi * f_Hz * L)


def three_arcs(f_Hz: Floats) -> Complex:
    parts = (100, 1e-6, 0.92), (50, 5e-4, 0.92), (150, 0.016, 0.9)
    return np.asarray(50.0 + coil(f_Hz) + sum(arc(f_Hz, *part) for part in parts))


def noise(size: float, n: int, seed: int = 0) -> Complex:
    """Factors: `size` of |Z|, in Re and in Im."""
    random = np.random.default_rng(seed)
    return np.asarray(1.0 + size * (random.standard_normal(n) + 1j * random.standard_normal(n)))
