"""The DRT of every spectrum of a run, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from nakctl.door.spectra import Spectrum

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DrtMap:
    """gamma of n spectra over m relaxation times.

    number, time_s, j_mA_cm2  (n,) of the spectra
    tau_s                     (m,) rising
    gamma_ohm_cm2             (n, m) per unit of ln tau; NaN where a spectrum is not asked about so long times
    """

    number: npt.NDArray[np.int64]
    time_s: Floats = field(repr=False)
    j_mA_cm2: Floats = field(repr=False)
    tau_s: Floats = field(repr=False)
    gamma_ohm_cm2: Floats = field(repr=False)

    def __len__(self) -> int:
        return len(self.number)


def drt_map(spectra: Iterable[Spectrum]) -> DrtMap:
    """Of these spectra; UnknownArea."""
    spectra = tuple(spectra)
    found = [each.drt() for each in spectra]
    tau_s = np.unique(np.concatenate([np.empty(0), *(np.round(np.log10(one.tau_s), 6) for one in found)]))
    rows = [np.interp(tau_s, np.log10(one.tau_s), one.gamma_ohm_cm2, np.nan, np.nan) for one in found]
    return DrtMap(
        number=np.array([each.number for each in spectra], np.int64),
        time_s=np.array([each.time_s for each in spectra], np.float64),
        j_mA_cm2=np.array([each.j_mA_cm2 for each in spectra], np.float64),
        tau_s=10**tau_s,
        gamma_ohm_cm2=np.array(rows, np.float64).reshape(len(spectra), len(tau_s)),
    )
