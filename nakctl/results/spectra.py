"""The spectra of a run, in areal units and with the current and the time they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from nakctl.record.read import Run
from nakctl.results.areal import area_cm2, current_mA_cm2
from nakctl.results.drt import Drt, drt

Ints = npt.NDArray[np.intp]

SAME_mA_cm2 = 2e-3  # levels closer than this are one
# The first PEIS of a rest holds a potential while the cell still relaxes: then a little current flows.
AT_REST_mA_cm2 = 0.03


@dataclass(frozen=True)
class Spectrum:
    """One complete impedance sweep. time_s: of its first row; j_mA_cm2: > 0 strips the working electrode."""

    number: int
    time_s: float
    j_mA_cm2: float
    f_Hz: npt.NDArray[np.float64]
    z_ohm_cm2: npt.NDArray[np.complex128]

    @cached_property
    def drt(self) -> Drt:
        return drt(self.f_Hz, self.z_ohm_cm2)


class Spectra(Sequence[Spectrum]):
    """All complete spectra of a run, in order; cut out when asked for. UnknownArea where that is needed.

    j_mA_cm2, time_s: (n,)
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._area_cm2 = area_cm2(run)
        self._rows: Ints = np.flatnonzero(run.spectra["complete"])
        self._known: dict[int, Spectrum] = {}
        first = run.spectra["first_row"][self._rows].astype(np.intp)
        last = first + run.spectra["row_count"][self._rows].astype(np.intp) - 1
        # in the middle of the sweep, to the resolution a level is set with
        I_A = run.impedance["I_dc"][(first + last) // 2].astype(np.float64)
        self.j_mA_cm2 = np.round(current_mA_cm2(I_A, self._area_cm2), 3) + 0.0
        self.time_s = run.spectra["time"][self._rows]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Spectrum:  # type: ignore[override]
        place = range(len(self))[index]
        if place not in self._known:
            self._known[place] = self._cut(place)
        return self._known[place]

    def at(self, j_mA_cm2: float) -> Spectrum:
        """The first one at this current. LookupError: there is none."""
        found = np.flatnonzero(np.isclose(self.j_mA_cm2, j_mA_cm2, atol=SAME_mA_cm2))
        if len(found) == 0:
            raise LookupError(f"no spectrum at {j_mA_cm2:g} mA/cm2")
        return self[int(found[0])]

    def between(self, low_mA_cm2: float, high_mA_cm2: float) -> list[Spectrum]:
        """Those at low to high, both included."""
        j = self.j_mA_cm2
        inside = (j >= low_mA_cm2 - SAME_mA_cm2) & (j <= high_mA_cm2 + SAME_mA_cm2)
        return [self[int(k)] for k in np.flatnonzero(inside)]

    def resting(self) -> list[int]:
        """Places of those at rest that come after a current."""
        flowed = np.flatnonzero(np.abs(self.j_mA_cm2) > AT_REST_mA_cm2)
        if len(flowed) == 0:
            return []
        return list(range(int(flowed[-1]) + 1, len(self)))

    def _cut(self, place: int) -> Spectrum:
        run, row = self._run, self._rows[place]
        start = int(run.spectra["first_row"][row])
        part = slice(start, start + int(run.spectra["row_count"][row]))
        z_ohm = run.impedance["Z_re"][part] + 1j * run.impedance["Z_im"][part]
        return Spectrum(
            number=int(run.spectra["spectrum"][row]),
            time_s=float(self.time_s[place]),
            j_mA_cm2=float(self.j_mA_cm2[place]),
            f_Hz=run.impedance["frequency"][part],
            z_ohm_cm2=z_ohm * self._area_cm2,
        )
