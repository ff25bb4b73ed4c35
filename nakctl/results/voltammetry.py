"""Cyclic voltammetry and linear sweeps: peaks, their separation, and charge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.record.read import Run
from nakctl.results.maxima import maxima, prominence

Floats = npt.NDArray[np.float64]

TECHNIQUES = ("CV", "LSV")
STANDS_OUT = 0.05  # of the span of the current of its sweep: a peak
OF_NOISE = 10.0  # and so many times the noise from row to row
FOOT = (0.05, 0.25)  # of the way from the start of the sweep to the peak: there the baseline is laid


@dataclass(frozen=True, slots=True)
class ScanPeak:
    """The peak of a sweep that stands out most.

    E_V       +- the distance of rows
    I_A       as measured
    height_A  above the baseline: a straight line through the rows at FOOT of the way from the start of the
              sweep to the peak, extrapolated to it. Same sign as I_A. NaN where there are fewer than three
              such rows
    """

    E_V: float
    I_A: float
    height_A: float


@dataclass(frozen=True, slots=True)
class Scan:
    """One cycle of a voltammogram. Anodic: E rises, and I > 0 oxidises the working electrode.

    number      of the cycle in the file
    rate_V_s    as the rows show it, > 0
    anodic, cathodic   None: no peak stands out of that sweep, or there was none
    anodic_Ah, cathodic_Ah   charge of I > 0 and of I < 0, both >= 0, of the cycle's sweeps
    E_low_V, E_high_V  between which it went
    """

    number: int
    rate_V_s: float
    anodic: ScanPeak | None
    cathodic: ScanPeak | None
    anodic_Ah: float
    cathodic_Ah: float
    E_low_V: float
    E_high_V: float

    @property
    def separation_V(self) -> float | None:
        """Of the anodic from the cathodic peak; None where one is missing."""
        return None if self.anodic is None or self.cathodic is None else self.anodic.E_V - self.cathodic.E_V

    @property
    def half_wave_V(self) -> float | None:
        """The middle between both."""
        if self.anodic is None or self.cathodic is None:
            return None
        return (self.anodic.E_V + self.cathodic.E_V) / 2


def scans(run: Run) -> tuple[Scan, ...]:
    """By cycle. Empty for a run without scans of the potential."""
    steps = run.steps
    mine = np.flatnonzero(np.isin(steps["technique"], TECHNIQUES) & (steps["row_count"] > 2))
    return tuple(
        _scan(run, int(number), mine[steps["cycle"][mine] == number])
        for number in np.unique(steps["cycle"][mine])
    )


def _scan(run: Run, number: int, places: npt.NDArray[np.intp]) -> Scan:
    sweeps = [_sweep(run, int(k)) for k in places]
    E_V = np.concatenate([E for _, E, _ in sweeps])
    dQ_Ah = np.concatenate([_moved_Ah(run, int(k)) for k in places])
    rates = [abs(E[-1] - E[0]) / (t[-1] - t[0]) for t, E, _ in sweeps if len(t) > 1]
    return Scan(
        number=number,
        rate_V_s=float(np.median(rates)) if rates else np.nan,
        anodic=_peak(sweeps, 1.0),
        cathodic=_peak(sweeps, -1.0),
        anodic_Ah=float(dQ_Ah[dQ_Ah > 0].sum()),
        cathodic_Ah=abs(float(dQ_Ah[dQ_Ah < 0].sum())),
        E_low_V=float(E_V.min(initial=np.inf)),
        E_high_V=float(E_V.max(initial=-np.inf)),
    )


def _moved_Ah(run: Run, k: int) -> Floats:
    first = int(run.steps["first_row"][k])
    Q_Ah = run.samples["Q"][max(first - 1, 0) : first + int(run.steps["row_count"][k])]
    return np.asarray(np.diff(Q_Ah))


def _sweep(run: Run, k: int) -> tuple[Floats, Floats, Floats]:
    """Time, Ewe and I of a step, (n,): of the rows that have all, and a time of their own."""
    first = int(run.steps["first_row"][k])
    rows = slice(first, first + int(run.steps["row_count"][k]))
    t, E, I_A = (run.samples[name][rows].astype(np.float64) for name in ("time", "Ewe", "I"))
    known = np.isfinite(E) & np.isfinite(I_A) & (np.diff(t, prepend=-np.inf) > 0)
    return t[known], E[known], I_A[known]


def _peak(sweeps: list[tuple[Floats, Floats, Floats]], sign: float) -> ScanPeak | None:
    """Of the longest sweep that goes this way."""
    spans = [sign * float(E[-1] - E[0]) if len(E) else 0.0 for _, E, _ in sweeps]
    if max(spans, default=0.0) <= 0:
        return None
    _, E_V, I_A = sweeps[int(np.argmax(spans))]
    along_A = sign * I_A
    if len(along_A) < 5:
        return None
    noise_A = float(np.median(np.abs(np.diff(along_A, 2)))) * 1.4826 / np.sqrt(6)
    tops = maxima(along_A, max(STANDS_OUT * float(np.ptp(along_A)), OF_NOISE * noise_A, 1e-15))
    if len(tops) == 0:
        return None
    k = int(tops[np.argmax([prominence(along_A, int(top)) for top in tops])])
    return ScanPeak(float(E_V[k]), float(I_A[k]), float(I_A[k]) - _baseline_A(E_V, I_A, k))


def _baseline_A(E_V: Floats, I_A: Floats, k: int) -> float:
    way = (E_V[:k] - E_V[0]) / (E_V[k] - E_V[0]) if E_V[k] != E_V[0] else np.zeros(0)
    foot = np.flatnonzero((way >= FOOT[0]) & (way <= FOOT[1]))
    if len(foot) < 3 or np.ptp(E_V[foot]) == 0:
        return np.nan
    return float(np.polyfit(E_V[foot] - E_V[k], I_A[foot], 1)[1])
