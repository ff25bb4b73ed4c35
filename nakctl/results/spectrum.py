"""One impedance spectrum of a run, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nakctl.record.columns import Columns
from nakctl.results.areal import UnknownArea

if TYPE_CHECKING:
    from nakctl.results.drt import Drt
    from nakctl.results.validity import Validity

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class Spectrum:
    """One impedance sweep.

    number      as in the file and in `nakctl show`, from 1; step_count, cycle: where it was taken
    time_s      when it began, in s from the start of the run
    complete    whether every frequency that was asked for is there
    f_Hz        (m,) in the order measured
    z_ohm       (m,) complex, Z = E/I: a capacitor has Im < 0
    zce_ohm     (m,) the same of the counter electrode; NaN where it was not recorded
    points      the rows of `run.impedance` that it is made of
    area_cm2    None: not known; then `z` and all that follows from it is in ohm
    tau_s       relaxation times of its DRT, of several spectra the same; None: as its frequencies need
    """

    number: int
    step_count: int
    cycle: int
    time_s: float
    complete: bool
    f_Hz: Floats = field(repr=False)
    z_ohm: Complex = field(repr=False)
    zce_ohm: Complex = field(repr=False)
    points: Columns = field(repr=False)
    area_cm2: float | None
    tau_s: Floats | None = field(default=None, repr=False)

    @property
    def unit(self) -> str:
        """Of `z`, its DRT and the peaks of that."""
        return "ohm cm2" if self.area_cm2 else "ohm"

    @property
    def z(self) -> Complex:
        """(m,) in `unit`."""
        return self.z_ohm * (self.area_cm2 or 1.0)

    @property
    def z_ohm_cm2(self) -> Complex:
        """(m,) Z times the area. UnknownArea where the file does not say it."""
        return self.z_ohm * self._known_cm2()

    @property
    def I_A(self) -> float:
        """The current meanwhile, read in the middle of the sweep; > 0 strips the working electrode."""
        return self._in_the_middle("I_dc")

    @property
    def E_V(self) -> float:
        """Ewe meanwhile, read in the middle of the sweep."""
        return self._in_the_middle("E_dc")

    @property
    def j_mA_cm2(self) -> float:
        """`I_A` per area. UnknownArea where the file does not say it."""
        return self.I_A / self._known_cm2() * 1e3

    def drt(self) -> Drt:
        """Its distribution of relaxation times, with peaks (`nakctl.results.drt`); in ohm without an area."""
        return self._drt

    @cached_property
    def validity(self) -> Validity:
        """What Kramers and Kronig say of it, see `nakctl.results.validity`."""
        from nakctl.results.validity import kramers_kronig

        return kramers_kronig(self.f_Hz[self.reached], self.z_ohm[self.reached])

    @cached_property
    def reached(self) -> npt.NDArray[np.bool_]:
        """(m,) where the amplitude came through: the other points are in no test and in no distribution."""
        from nakctl.results.excitation import reached

        return np.asarray(reached(self.f_Hz, self.points["E_amp"][None, :], self.points["I_amp"][None, :])[0])

    @cached_property
    def _drt(self) -> Drt:
        from nakctl.results.drt import Grid, drt, drt_on

        f_Hz, z = self.f_Hz[self.reached], self.z[self.reached]
        if self.tau_s is None:
            return drt(f_Hz, z, unit=self.unit)
        return drt_on(Grid(f_Hz, self.tau_s), z, self.unit)[0]

    def _in_the_middle(self, column: str) -> float:
        return float(self.points[column][(len(self.points) - 1) // 2]) if len(self.points) else np.nan

    def _known_cm2(self) -> float:
        if not self.area_cm2:
            raise UnknownArea("the file does not say how large the electrode is, so nothing areal follows")
        return self.area_cm2


def cut(
    spectra: Columns, impedance: Columns, place: int, area_cm2: float | None, tau_s: Floats | None = None
) -> Spectrum:
    """The spectrum at a place of the table of them, from 0."""
    first = int(spectra["first_row"][place])
    points = impedance[first : first + int(spectra["row_count"][place])]
    return Spectrum(
        number=int(spectra["spectrum"][place]),
        step_count=int(spectra["step_count"][place]),
        cycle=int(spectra["cycle"][place]),
        time_s=float(spectra["time"][place]),
        complete=bool(spectra["complete"][place]),
        f_Hz=np.asarray(points["frequency"], np.float64),
        z_ohm=_complex(points, "Z"),
        zce_ohm=_complex(points, "Zce") if "Zce_re" in points else np.full(len(points), np.nan + 0j),
        points=points,
        area_cm2=area_cm2,
        tau_s=tau_s,
    )


def _complex(points: Columns, name: str) -> Complex:
    return np.asarray(points[f"{name}_re"] + 1j * points[f"{name}_im"], np.complex128)
