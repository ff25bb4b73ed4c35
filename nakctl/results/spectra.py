"""The spectra of a run, with the current and the time they belong to; areal where the area is known."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from nakctl.record.read import Run
from nakctl.results.areal import UnknownArea, current_mA_cm2
from nakctl.results.drt import LAMBDA, Complex, Drt, Floats, Grid, drt_on, taus_s
from nakctl.results.excitation import LITTLE, Bools, reached
from nakctl.results.nonneg import Flags
from nakctl.results.spectrum import Spectrum, cut
from nakctl.results.validity import Validity, changes, validities

Ints = npt.NDArray[np.intp]

SAME_mA_cm2 = 2e-3  # levels closer than this are one
# The first PEIS of a rest holds a potential while the cell still relaxes: then a little current flows.
AT_REST_mA_cm2 = 0.03
AT_REST = 0.02  # of the largest current, where no area is known
# Frequencies closer than this (relative) are the same ones: an instrument realises them to about 1e-5. What
# shares a matrix is off by about as much, which is less than any noise.
SAME_Hz = 1e-4


class Spectra(Sequence[Spectrum]):
    """All complete spectra of a run, in order; cut out when asked for.

    time_s, I_A  (n,): when each began, and the direct current in the middle of it
    area_cm2     None: not known
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self.area_cm2 = run.header.area_cm2 or None
        self._rows: Ints = np.flatnonzero(run.spectra["complete"])
        self._known: dict[int, Spectrum] = {}
        self._first = run.spectra["first_row"][self._rows].astype(np.intp)
        self._count = run.spectra["row_count"][self._rows].astype(np.intp)
        middle = self._first + np.maximum(self._count - 1, 0) // 2
        # an empty sweep has no row of its own
        none = (self._count == 0) | (middle >= len(run.impedance))
        self.I_A, self._amplitude_A = np.full((2, len(self._rows)), np.nan)
        self.I_A[~none] = run.impedance["I_dc"][middle[~none]].astype(np.float64)
        self._amplitude_A[~none] = run.impedance["I_amp"][middle[~none]].astype(np.float64)
        self.time_s = run.spectra["time"][self._rows]

    @property
    def unit(self) -> str:
        return "ohm cm2" if self.area_cm2 else "ohm"

    @cached_property
    def j_mA_cm2(self) -> Floats:
        """(n,). UnknownArea: see `I_A`."""
        return _levels(self.I_A, _known(self.area_cm2))

    @property
    def current(self) -> Floats:
        """(n,) as it is shown: mA/cm2, or mA where no area is known."""
        return _levels(self.I_A, self.area_cm2 or 1.0)

    @cached_property
    def end_s(self) -> Floats:
        """(n,): time of the last point of each."""
        last = np.maximum(self._first + self._count - 1, 0)
        found = self.time_s.astype(np.float64)
        good = self._count > 0
        found[good] = self._run.impedance["time"][last[good]]
        return found

    def current_ended_s(self, place: int) -> float:
        """When the last current before this spectrum ended, by rows and spectra before it; 0: none did."""
        driven = np.flatnonzero(~self.at_rest()[:place])
        ended_s = float(self.end_s[driven[-1]]) if len(driven) else 0.0
        samples = self._run.samples
        rows = slice(0, int(np.searchsorted(samples["time"], self.time_s[place])))
        flowed = np.flatnonzero(np.abs(samples["I"][rows]) > self._little_A)
        return max(ended_s, float(samples["time"][rows][flowed[-1]])) if len(flowed) else ended_s

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

    def at_rest(self) -> npt.NDArray[np.bool_]:
        """(n,): no current but the little of a cell that relaxes at a held potential, or of an offset."""
        little_A = np.fmax(self._little_A, LITTLE * self._amplitude_A)
        return np.asarray(np.abs(self.I_A) <= little_A)

    @property
    def _little_A(self) -> float:
        if self.area_cm2:
            return AT_REST_mA_cm2 * self.area_cm2 * 1e-3
        return AT_REST * float(np.nanmax(np.abs(self.I_A), initial=0.0))

    def resting(self) -> list[int]:
        """Places of those at rest that come after a current."""
        flowed = np.flatnonzero(~self.at_rest())
        if len(flowed) == 0:
            return []
        return list(range(int(flowed[-1]) + 1, len(self)))

    @cached_property
    def same_frequencies(self) -> list[Ints]:
        """Places of spectra that were measured at the same frequencies, each group in order."""
        groups: list[Ints] = []
        for count in np.unique(self._count):
            left = np.flatnonzero(self._count == count)
            while len(left):
                f_Hz = self._stack("frequency", left)
                same = (np.abs(f_Hz - f_Hz[0]) <= SAME_Hz * np.abs(f_Hz[0])).all(axis=1)
                same[0] = True  # also where a frequency is no number
                groups.append(left[same])
                left = left[~same]
        return groups

    @cached_property
    def _alike(self) -> list[tuple[Bools, Ints]]:
        """Points that are used, and places of spectra that share them and their frequencies."""
        found: list[tuple[Bools, Ints]] = []
        for members in self.same_frequencies:
            amplitudes = (self._stack(name, members) for name in ("E_amp", "I_amp"))
            used = reached(self._column("frequency", int(members[0])), *amplitudes)
            kinds, of = np.unique(used, axis=0, return_inverse=True)
            found += [(kind, members[of.ravel() == k]) for k, kind in enumerate(kinds)]
        return found

    @cached_property
    def reached(self) -> list[Bools]:
        """Of each, the points at which the amplitude came through: see `excitation`."""
        found = {place: used for used, members in self._alike for place in members.tolist()}
        return [found[k] for k in range(len(self))]

    @cached_property
    def _grids(self) -> list[Grid]:
        """By place. All on the same relaxation times, so that they can be laid side by side."""
        lists = [self._column("frequency", int(members[0])) for _, members in self._alike]
        good = [f_Hz[np.isfinite(f_Hz) & (f_Hz > 0)] for f_Hz in lists]
        all_Hz = np.concatenate([*good, [1.0, 1e6]])
        tau_s = taus_s(float(all_Hz.min()), float(all_Hz.max()))
        grids: dict[int, Grid] = {}
        for f_Hz, (used, members) in zip(lists, self._alike, strict=True):
            grids |= dict.fromkeys(members.tolist(), Grid(f_Hz[used], tau_s))
        return [grids[k] for k in range(len(self))]

    def drts(self, places: Sequence[int] | None = None, lam: float = LAMBDA) -> list[Drt]:
        """Of these places, or all. Sooner than one by one: see SAME_Hz, and one is the start for the next."""
        grids: dict[int, Grid] = {}
        starts: dict[int, Flags | None] = {}
        found = []
        for k in range(len(self)) if places is None else places:
            shared = self._grids[k]
            grid = grids.setdefault(id(shared), shared if lam == LAMBDA else shared.with_lambda(lam))
            z = self[k].z[self.reached[k]]
            one, starts[id(shared)] = drt_on(grid, z, self.unit, starts.get(id(shared)))
            found.append(one)
        return found

    @cached_property
    def validities(self) -> list[Validity]:
        """Kramers-Kronig of each."""
        found: dict[int, Validity] = {}
        for used, members in self._alike:
            f_Hz, z_ohm = self._column("frequency", int(members[0]))[used], self._z_ohm(members)[:, used]
            found |= dict(zip(members.tolist(), validities(f_Hz, z_ohm), strict=True))
        return [found[k] for k in range(len(self))]

    def changes(self) -> Floats:
        """(n,): how much the lowest decade of each differs from the one before; NaN: there is none."""
        found = np.full(len(self), np.nan)
        for members in self.same_frequencies:
            found[members[1:]] = changes(self._column("frequency", int(members[0])), self._z_ohm(members))
        return found

    def _column(self, name: str, place: int) -> Floats:
        first = int(self._first[place])
        return np.asarray(self._run.impedance[name][first : first + int(self._count[place])], np.float64)

    def _stack(self, name: str, places: Ints) -> Floats:
        """(k, n) of spectra with the same number of points."""
        rows = self._first[places, None] + np.arange(int(self._count[places[0]]))
        return np.asarray(self._run.impedance[name][rows], np.float64)

    def _z_ohm(self, places: Ints) -> Complex:
        return np.asarray(self._stack("Z_re", places) + 1j * self._stack("Z_im", places))

    def _cut(self, place: int) -> Spectrum:
        run, row = self._run, int(self._rows[place])
        return cut(run.spectra, run.impedance, row, self.area_cm2, self._grids[place].tau_s)


def _levels(I_A: Floats, area_cm2: float) -> Floats:
    """mA/cm2, to the resolution a level is set with."""
    return np.round(current_mA_cm2(I_A, area_cm2), 3) + 0.0


def _known(area_cm2: float | None) -> float:
    if not area_cm2:
        raise UnknownArea("the file does not say how large the electrode is, so nothing areal follows")
    return area_cm2
