"""The DRT of every spectrum of a run, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nakctl.results.areal import UnknownArea
from nakctl.results.spectra import Spectra

if TYPE_CHECKING:
    from nakctl.door.run import Run
    from nakctl.results.spectrum import Spectrum

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class DrtMap:
    """gamma of n spectra over m relaxation times, in `unit`: "ohm cm2", or "ohm" where the area is not known.

    number, time_s, I_A  (n,) of the spectra
    tau_s                (m,) rising
    gamma                (n, m) per unit of ln tau; NaN where a spectrum does not determine it
    """

    number: npt.NDArray[np.int64]
    time_s: Floats = field(repr=False)
    I_A: Floats = field(repr=False)
    tau_s: Floats = field(repr=False)
    gamma: Floats = field(repr=False)
    unit: str = "ohm cm2"

    @property
    def gamma_ohm_cm2(self) -> Floats:
        """`gamma`; UnknownArea where that is in ohm."""
        if self.unit != "ohm cm2":
            raise UnknownArea(f"the area of the electrode is not known, so gamma is in {self.unit}")
        return self.gamma

    def __len__(self) -> int:
        return len(self.number)


def drt_map(run: Run, wanted: Spectrum | int | Iterable[Spectrum | int] | None) -> DrtMap:
    """Of these spectra or their numbers, None: of all complete ones. What is not complete has none."""
    spectra = Spectra(run)
    number = np.array(run.spectra["spectrum"][run.spectra["complete"] != 0], np.int64)
    asked = None if wanted is None else {_number(run, each) for each in _each(wanted)}
    places = [k for k, each in enumerate(number.tolist()) if asked is None or each in asked]
    found = spectra.drts(places)
    tau_s = found[0].tau_s if found else np.empty(0)
    return DrtMap(
        number=number[places],
        time_s=spectra.time_s[places],
        I_A=spectra.I_A[places],
        tau_s=tau_s,
        gamma=np.array([each.gamma for each in found], np.float64).reshape(len(found), len(tau_s)),
        unit=spectra.unit,
    )


def _each(wanted: Spectrum | int | Iterable[Spectrum | int]) -> Iterable[Spectrum | int]:
    return wanted if isinstance(wanted, Iterable) else (wanted,)


def _number(run: Run, wanted: Spectrum | int) -> int:
    """NoSuch: the run has none of this number."""
    found: Spectrum = run.spectra[wanted] if isinstance(wanted, int | np.integer) else wanted
    return found.number
