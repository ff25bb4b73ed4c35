"""The complete spectra of a run that a figure shows, per area where that is known, with time and current."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nakctl.figures.choice import Choice, Ints, evenly, spectra
from nakctl.figures.figure import Floats
from nakctl.figures.sight import Sight, told_time
from nakctl.record.read import Run
from nakctl.results.areal import impedance_shown

if TYPE_CHECKING:
    from nakctl.results.drt import Drt
    from nakctl.results.spectra import Spectra

LEAST_LEVELS = 5  # of a staircase

Complex = npt.NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class Sweep:
    """One of them.

    I        in mA or mA cm⁻², > 0 strips
    Z, Z_ce  (m,) in `unit`; Z_ce None: the counter electrode was not measured
    """

    number: int
    time_s: float
    I: float
    f_Hz: Floats
    Z: Complex
    Z_ce: Complex | None
    unit: str


def lacks_spectra(run: Run) -> str:
    if len(run.spectra) == 0:
        return "spectra: none was measured"
    return "" if (run.spectra["complete"] != 0).any() else "complete spectra: none was finished"


class Sweeps(Sequence[Sweep]):
    """Those of a run that are meant by a choice, cut out when asked for.

    places (n,) among all complete spectra; time_s and end_s: of their first and last frequency, I: each (n,)
    """

    def __init__(self, one: Sight, places: Ints | None = None, known: Spectra | None = None) -> None:
        from nakctl.results.spectra import Spectra

        self._one = one
        self.spectra = Spectra(one.run) if known is None else known
        self._rows = np.flatnonzero(one.run.spectra["complete"])
        meant = spectra(one.run, one.choice) if places is None else None
        self.places: Ints = np.searchsorted(self._rows, meant) if meant is not None else np.asarray(places)
        self.time_s: Floats = self.spectra.time_s[self.places]
        self.end_s: Floats = self.spectra.end_s[self.places]
        self.I: Floats = np.round(one.current(self.spectra.I_A[self.places]), 3) + 0.0  # as levels are set
        self.unit = one.ohm_unit

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> Sweep:  # type: ignore[override]
        place = range(len(self))[index]
        found = self.spectra[int(self.places[place])]
        Z, unit = impedance_shown(found.z_ohm, self._one.cm2)
        time_s, I = float(self.time_s[place]), float(self.I[place])
        return Sweep(found.number, time_s, I, found.f_Hz, Z, self._of_counter(place), unit)

    def drts(self) -> list[tuple[Floats, Floats]]:
        """tau in s and gamma in the unit of Z, per unit of ln tau, each (n,) and NaN where not determined."""
        scale = (self._one.cm2 or 1.0) / (self.spectra.area_cm2 or 1.0)
        return [(one.tau_s, one.gamma * scale) for one in self._distributions]

    @property
    def undescribed(self) -> str:
        """How many of them no distribution describes, as a sentence; "" of none."""
        count = sum(not one.describes for one in self._distributions)
        return f"no distribution describes {count} of {len(self)} spectra" if count else ""

    @cached_property
    def _distributions(self) -> list[Drt]:
        return self.spectra.drts(self.places.tolist())

    def _of_counter(self, place: int) -> Complex | None:
        run, row = self._one.run, self._rows[self.places[place]]
        if not run.has_half_cells:
            return None
        start = int(run.spectra["first_row"][row])
        part = slice(start, start + int(run.spectra["row_count"][row]))
        Z_ohm = run.impedance["Zce_re"][part] + 1j * run.impedance["Zce_im"][part]
        return impedance_shown(Z_ohm, self._one.cm2)[0]

    def thinned(self, most: int) -> Sweeps:
        """Evenly chosen through the run, the first and the last among them."""
        return Sweeps(self._one, evenly(self.places, most), self.spectra)

    def among(self, wanted: Ints) -> Sweeps:
        return Sweeps(self._one, self.places[wanted], self.spectra)

    @property
    def flows(self) -> npt.NDArray[np.bool_]:
        """Which of them were measured under current."""
        return ~self.spectra.at_rest()[self.places]

    @property
    def resting(self) -> Ints:
        """Places, among these, of those at rest that come after the last current."""
        flowed = np.flatnonzero(self.flows)
        return np.arange(int(flowed[-1]) + 1, len(self)) if len(flowed) else np.zeros(0, np.intp)

    @property
    def rising(self) -> Ints:
        """Places, among these, of the last one of each level of a staircase; none if there is none."""
        under = np.flatnonzero(self.flows)
        size = np.abs(self.I[under])
        last = under[np.append(np.diff(size) != 0, True)[: len(under)]]
        is_one = len(last) >= LEAST_LEVELS and bool((np.diff(np.abs(self.I[last])) > 0).all())
        return last if is_one else np.zeros(0, np.intp)


def names(sweeps: Sequence[Sweep], prefix: str = "", unit: str = "") -> list[str]:
    """Current, if one flows, and time; where that is not enough, the number as well."""
    told = []
    for one in sweeps:
        level = f"{one.I:.3g} {unit}, ".replace("-", "−", 1) if one.I else ""
        told.append(f"{prefix}{level}{told_time(one.time_s)}")
    if len(set(told)) < len(told):
        told = [f"{name} (spectrum {one.number})" for name, one in zip(told, sweeps, strict=True)]
    return told


def chosen(one: Sight, choice: Choice, usual: int) -> Sweeps:
    """As many as are asked for by number, or `curves`, or what is usual; of a staircase one of each level."""
    found = Sweeps(one)
    if choice.spectra:
        return found.thinned(choice.curves or len(found))
    levels = found.rising
    if len(levels) and not choice.is_of_samples:
        found = found.among(levels)
    return found.thinned(choice.curves or usual)


def first_or_chosen(one: Sight, choice: Choice) -> tuple[Sweeps, list[str]]:
    """Of one of several runs, with names: its first spectrum, before any current, if none is asked for."""
    if not (choice.spectra or choice.is_of_samples or choice.curves):
        return Sweeps(one).among(np.array([0])), [one.name]
    found = chosen(one, choice, 1)
    told = names(list(found), f"{one.name}, ", one.current_unit) if len(found) > 1 else [one.name]
    return found, told


def scan_and_rest(found: Sweeps, choice: Choice) -> tuple[Sweeps, Sweeps] | None:
    """Up to the last current, and the rest after it; None where a part is asked for, or there is no rest."""
    rest = found.resting
    if choice.is_of_samples or choice.spectra or not 1 < len(rest) < len(found) - 1:
        return None
    return found.among(np.arange(rest[0])), found.among(rest)


def in_decades(count: int, most: int) -> Ints:
    """At most `most` of 0 to count - 1, closer together at the beginning."""
    if count <= most:
        return np.arange(count)
    return np.unique(np.geomspace(1, count, most).round().astype(np.intp)) - 1
