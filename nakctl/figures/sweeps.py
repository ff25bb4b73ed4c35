"""The complete spectra of a run that a figure shows, per area where that is known, with time and current."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.figures.choice import Choice, Ints, evenly, spectra
from nakctl.figures.figure import Floats
from nakctl.figures.sight import Sight, told_time
from nakctl.record.read import Run
from nakctl.results.areal import impedance_shown

LEAST_LEVELS = 5  # of a staircase
NO_CURRENT = 0.03  # of the largest: a PEIS at rest holds a potential, and a little current flows


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
    Z: npt.NDArray[np.complex128]
    Z_ce: npt.NDArray[np.complex128] | None
    unit: str

    @property
    def drt(self) -> tuple[Floats, Floats]:
        """tau in s and gamma in the unit of Z, per unit of ln tau, each (n,)."""
        from nakctl.results.drt import drt  # scipy: only where it is needed

        found = drt(np.asarray(self.f_Hz, np.float64), self.Z)
        return found.tau_s, found.gamma_ohm_cm2


def lacks_spectra(run: Run) -> str:
    if len(run.spectra) == 0:
        return "spectra: none was measured"
    return "" if (run.spectra["complete"] != 0).any() else "complete spectra: none was finished"


class Sweeps(Sequence[Sweep]):
    """Those of a run that are meant by a choice, cut out when asked for.

    places (n,) in the table of spectra; time_s and end_s: of their first and last frequency, I: each (n,)
    """

    def __init__(self, one: Sight, places: Ints | None = None) -> None:
        run, self._one = one.run, one
        self.places = spectra(run, one.choice) if places is None else places
        first = run.spectra["first_row"][self.places].astype(np.intp)
        last = first + run.spectra["row_count"][self.places].astype(np.intp) - 1
        self.time_s: Floats = run.spectra["time"][self.places]
        self.end_s: Floats = run.impedance["time"][last]
        # in the middle of the sweep, to the resolution a level is set with
        I_A = run.impedance["I_dc"][(first + last) // 2].astype(np.float64)
        self.I: Floats = np.round(one.current(I_A), 3) + 0.0

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> Sweep:  # type: ignore[override]
        place = range(len(self))[index]
        one, run, row = self._one, self._one.run, self.places[place]
        start = int(run.spectra["first_row"][row])
        part = slice(start, start + int(run.spectra["row_count"][row]))
        data = run.impedance
        Z, unit = impedance_shown(data["Z_re"][part] + 1j * data["Z_im"][part], one.cm2)
        Z_ce = None
        if run.has_half_cells:
            Z_ce, _ = impedance_shown(data["Zce_re"][part] + 1j * data["Zce_im"][part], one.cm2)
        return Sweep(
            int(run.spectra["spectrum"][row]),
            float(self.time_s[place]),
            float(self.I[place]),
            data["frequency"][part],
            Z,
            Z_ce,
            unit,
        )

    def thinned(self, most: int) -> Sweeps:
        """Evenly chosen through the run, the first and the last among them."""
        return Sweeps(self._one, evenly(self.places, most))

    def among(self, wanted: Ints) -> Sweeps:
        return Sweeps(self._one, self.places[wanted])

    @property
    def flows(self) -> npt.NDArray[np.bool_]:
        """Which of them were measured under current."""
        size = np.abs(self.I)
        return np.asarray(size > NO_CURRENT * size.max(initial=0.0))

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
    if len(levels) and not choice.is_part:
        found = found.among(levels)
    return found.thinned(choice.curves or usual)


def first_or_chosen(one: Sight, choice: Choice) -> list[tuple[Sweep, str]]:
    """Of one of several runs, with names: its first spectrum, before any current, if none is asked for."""
    if not (choice.spectra or choice.is_part or choice.curves):
        return [(Sweeps(one)[0], one.name)]
    found = chosen(one, choice, 1)
    if len(found) == 1:
        return [(found[0], one.name)]
    return list(zip(found, names(list(found), f"{one.name}, ", one.current_unit), strict=True))
