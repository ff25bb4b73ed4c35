"""Impedance rows -> spectra: which point belongs to which, and whether a spectrum is complete."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from nakctl.booking import layout
from nakctl.device.channel import OF_COUNTER, Flag, Rows
from nakctl.device.program import Eis, Segment, points_of_spectrum

FASTEST_s, PERIODS_PART = 5e-3, 0.9  # no instrument measures a frequency in less, nor in less of a period


@dataclass(frozen=True, slots=True)
class Swept:
    """The frequencies of one visit so far. last_s: time of the newest, last_Hz: itself; shortest_s: from one
    to the next."""

    count: int = 0
    last_s: float = math.nan
    last_Hz: float = math.nan
    shortest_s: float = math.inf

    def and_then(self, rows: Rows, frequencies_Hz: npt.NDArray[np.float64]) -> Swept:
        """With the points among further rows of the same visit. frequencies_Hz: of each row that is one."""
        is_point = (rows["flags"] & Flag.FROM_EIS) != 0
        times_s = rows["time_s"][is_point]
        if len(times_s) == 0:
            return self
        known_s = np.append([self.last_s] if self.count else [], times_s)
        shortest_s = np.diff(known_s).min(initial=self.shortest_s)
        last_Hz = frequencies_Hz[is_point][-1]
        return Swept(self.count + len(times_s), float(times_s[-1]), float(last_Hz), float(shortest_s))


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep takes at the least. left_s: (m + 1,) its frequencies_Hz from the k-th on, of m."""

    frequencies_Hz: npt.NDArray[np.float64]
    left_s: npt.NDArray[np.float64]
    goes_down: bool

    @classmethod
    def of(cls, eis: Eis) -> Sweep:
        spread = np.geomspace if eis.spacing == "log" else np.linspace
        frequencies_Hz = spread(eis.f_first_Hz, eis.f_last_Hz, eis.n_frequencies)
        each_s = np.maximum(FASTEST_s, PERIODS_PART * eis.average / frequencies_Hz)
        left_s = np.append(np.cumsum(each_s[::-1])[::-1], 0.0)
        return cls(frequencies_Hz, left_s, eis.f_last_Hz <= eis.f_first_Hz)

    @property
    def count(self) -> int:
        return len(self.left_s) - 1

    def is_done(self, swept: Swept) -> bool:
        """All of them came, or the last one: of those in between a row may be lost."""
        return swept.count >= self.count or self.is_at_its_end(swept.last_Hz)

    def was_cut(self, swept: Swept, next_s: float) -> bool:
        """Whether there was no time for the frequencies that did not come before what came next did.

        Where there was, their rows are lost, which its driver tells, or who goes on for a program that died.
        In a sweep that goes down half of the shortest interval is less than any frequency takes.
        """
        if self.is_at_its_end(swept.last_Hz):
            return False
        missing = self.count - swept.count
        each_s = swept.shortest_s / 2 if self.goes_down and swept.count > 1 else 0.0
        return missing > 0 and next_s - swept.last_s < max(self.left_s[swept.count], missing * each_s)

    def is_at_its_end(self, frequency_Hz: float) -> bool:
        """Whether it is the last one; instruments keep to what they are asked for, more or less."""
        *before_Hz, last_Hz = self.frequencies_Hz[-2:]
        return not before_Hz or bool(abs(frequency_Hz - last_Hz) < abs(before_Hz[0] - last_Hz) / 2)


@dataclass(slots=True)
class _Open:
    """A spectrum that is being measured."""

    number: int
    step_count: int
    cycle: int
    time_s: float
    first_row: int
    rows: int
    expected: int


class SpectrumBook:
    """Numbers the spectra of a run from 1, in order. impedance: dtype of that table of the record."""

    def __init__(self, impedance: np.dtype[np.void]) -> None:
        self.dtype = impedance
        self.points = 0
        self.count = 0
        self.open: _Open | None = None
        self.segment = Segment(())
        self.last: tuple[int, int] | None = None

    def open_segment(self, segment: Segment) -> None:
        self.segment = segment
        self.last = None

    @property
    def is_under_way(self) -> bool:
        """Whether the newest one still lacks frequencies that may come."""
        return self.open is not None and self.open.rows < self.open.expected

    def book(self, points: Rows, dc: Rows) -> tuple[Rows, Rows]:
        """Rows of the tables impedance and spectra. dc: (n,) the booked samples of the same points."""
        impedance = np.zeros(len(points), self.dtype)
        z_ohm = points["Z_re_ohm"] + 1j * points["Z_im_ohm"]
        impedance["time"] = dc["time"]
        impedance["step_count"] = dc["step_count"]
        impedance["frequency"] = points["frequency_Hz"]
        impedance["Z_re"], impedance["Z_im"] = z_ohm.real, z_ohm.imag
        impedance["Z_abs"], impedance["Z_phase"] = np.abs(z_ohm), np.angle(z_ohm, deg=True)
        for name, source in (
            ("E_dc", "E_dc_V"),
            ("I_dc", "I_dc_A"),
            ("E_amp", "E_amp_V"),
            ("I_amp", "I_amp_A"),
        ):
            impedance[name] = points[source]
        if "Zce_re" in (self.dtype.names or ()):
            for field in OF_COUNTER:
                impedance[field.rpartition("_")[0]] = points[field]
        impedance["flags"] = points["flags"]
        finished: list[Rows] = []
        for start, end in _groups(points):
            key = int(points["technique"][start]), int(points["passes"][start])
            if self._begins(key):
                finished.append(self.close())
                self._begin(key[0], dc[start])
            self.last = key
            assert self.open is not None
            self.open.rows += end - start
            impedance["spectrum"][start:end] = self.open.number
            self.points += end - start
        return impedance, np.concatenate([layout.SPECTRA.empty(), *finished], dtype=layout.SPECTRA.dtype)

    def close(self) -> Rows:
        """The open spectrum as a row, complete or not."""
        one = self.open
        table = np.zeros(0 if one is None else 1, layout.SPECTRA.dtype)
        if one is not None:
            table["spectrum"], table["step_count"], table["cycle"] = one.number, one.step_count, one.cycle
            table["time"], table["first_row"], table["row_count"] = one.time_s, one.first_row, one.rows
            table["complete"] = one.rows == one.expected
        self.open = None
        return table

    def _begins(self, key: tuple[int, int]) -> bool:
        technique = self.segment.techniques[key[0]]
        continues = isinstance(technique, Eis) and technique.continues
        return self.open is None or (key != self.last and not continues)

    def _begin(self, technique: int, dc: np.void) -> None:
        self.count += 1
        expected = points_of_spectrum(self.segment, technique)
        cycle, step_count = int(dc["cycle"]), int(dc["step_count"])
        self.open = _Open(self.count, step_count, cycle, float(dc["time"]), self.points, 0, expected)


def _groups(points: Rows) -> list[tuple[int, int]]:
    """(start, end) of the points of one technique and pass."""
    if len(points) == 0:
        return []
    change = (np.diff(points["technique"].astype(np.int64)) != 0) | (
        np.diff(points["passes"].astype(np.int64)) != 0
    )
    edges = [0, *(np.flatnonzero(change) + 1).tolist(), len(points)]
    return list(pairwise(edges))
