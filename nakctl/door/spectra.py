"""The spectra of a run, one by one and as the table of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nakctl.door.numbered import place_of, places_of
from nakctl.record.columns import Columns
from nakctl.results.areal import UnknownArea

if TYPE_CHECKING:
    from nakctl.results.drt import Drt
    from nakctl.results.validity import Validity

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spectrum:
    """One impedance sweep.

    number      as in the file and in `nakctl show`, from 1; step_count, cycle: where it was taken
    time_s      when it began, in s from the start of the run
    complete    whether every frequency that was asked for is there
    f_Hz        (m,) in the order measured
    z_ohm       (m,) complex, Z = E/I: a capacitor has Im < 0
    zce_ohm     (m,) the same of the counter electrode; NaN where it was not recorded
    points      the rows of `run.impedance` that it is made of
    area_cm2    None: not known
    """

    number: int
    step_count: int
    cycle: int
    time_s: float
    complete: bool
    f_Hz: Floats = field(repr=False)
    z_ohm: npt.NDArray[np.complex128] = field(repr=False)
    zce_ohm: npt.NDArray[np.complex128] = field(repr=False)
    points: Columns = field(repr=False)
    area_cm2: float | None

    @property
    def z_ohm_cm2(self) -> npt.NDArray[np.complex128]:
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
        from nakctl.results.drt import drt

        unit = "ohm cm2" if self.area_cm2 else "ohm"
        used = self._reached
        return drt(self.f_Hz[used], self.z_ohm[used] * (self.area_cm2 or 1.0), unit=unit)

    @property
    def validity(self) -> Validity:
        """What Kramers and Kronig say of it, see `nakctl.results.validity`."""
        from nakctl.results.validity import kramers_kronig

        return kramers_kronig(self.f_Hz[self._reached], self.z_ohm[self._reached])

    @property
    def _reached(self) -> npt.NDArray[np.bool_]:
        from nakctl.results.excitation import reached

        found = reached(self.f_Hz, self.points["E_amp"][None, :], self.points["I_amp"][None, :])
        return np.asarray(found[0])

    def _in_the_middle(self, column: str) -> float:
        return float(self.points[column][(len(self.points) - 1) // 2]) if len(self.points) else np.nan

    def _known_cm2(self) -> float:
        if not self.area_cm2:
            raise UnknownArea("the file does not say how large the electrode is, so nothing areal follows")
        return self.area_cm2


class Spectra(Columns):
    """The table of spectra, and the spectra: `run.spectra[12]` is number 12, `run.spectra[-1]` the last one.

    `run.spectra[5:8]` are numbers 5, 6 and 7; iteration gives them all, complete or not. Columns by name, as
    of every table: `run.spectra.complete`, `run.spectra["time"]`.
    """

    def __init__(self, table: Columns, impedance: Columns, area_cm2: float | None) -> None:
        super().__init__(table.path, table.title, table.names, table.length)
        self._impedance, self._area_cm2 = impedance, area_cm2

    def __getitem__(self, key: Any) -> Any:
        """Raises NoSuch, a KeyError for a column that it has not."""
        if isinstance(key, int | np.integer):
            return self._cut(place_of(int(key), self["spectrum"], "spectrum"))
        if isinstance(key, slice):
            return tuple(self._cut(place) for place in places_of(key, self["spectrum"]))
        return super().__getitem__(key)

    def __iter__(self) -> Iterator[Spectrum]:
        return map(self._cut, range(len(self)))

    def of_rows(self, places: npt.NDArray[np.bool_]) -> tuple[Spectrum, ...]:
        """Those of these rows of the table, (n,) true and false."""
        return tuple(self._cut(int(place)) for place in np.flatnonzero(places))

    def _cut(self, place: int) -> Spectrum:
        first = int(self["first_row"][place])
        points = self._impedance[first : first + int(self["row_count"][place])]
        known = "Zce_re" in points.names
        nothing = np.full(len(points), np.nan + 0j)
        return Spectrum(
            number=int(self["spectrum"][place]),
            step_count=int(self["step_count"][place]),
            cycle=int(self["cycle"][place]),
            time_s=float(self["time"][place]),
            complete=bool(self["complete"][place]),
            f_Hz=points["frequency"],
            z_ohm=points["Z_re"] + 1j * points["Z_im"],
            zce_ohm=points["Zce_re"] + 1j * points["Zce_im"] if known else nothing,
            points=points,
            area_cm2=self._area_cm2,
        )
