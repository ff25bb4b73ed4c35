"""How long the potential needs to come to rest after a pulse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.record.read import Run
from nakctl.results.current import current_steps

Floats = npt.NDArray[np.float64]

OHMIC_s = 0.5  # by then all but the slow relaxation is over
LEFT = 0.1  # of that: a plateau for the eye
SEEN_V = 5e-4  # less than this is no relaxation: some steps of the instrument's resolution
REACHED = 0.6  # of the rest: a plateau that comes later is only where the rest was cut
SHORTER = 0.02  # of the usual length: a rest that was cut is no more than this shorter


@dataclass(frozen=True, slots=True)
class Relaxations:
    """Every rest that follows a current, in order, each (n,).

    start_s, length_s  of the rest
    I_A       current before it, as set; > 0 stripped the working electrode
    first_V   Ewe of its first sample, end_V of its last one that is a number
    plateau_s time from its start at which LEFT of what relaxes after OHMIC_s is left; NaN where it is
              shorter, or less than SEEN_V relaxes, or it comes in the last part (REACHED). +- the distance
              of its rows. Source: Wu & Hatzell 2025, Fig. 4b
    """

    start_s: Floats
    length_s: Floats
    I_A: Floats
    first_V: Floats
    end_V: Floats
    plateau_s: Floats

    def __len__(self) -> int:
        return len(self.start_s)


def relaxations(run: Run) -> Relaxations:
    """By array operations: a hundred thousand rests take a second."""
    rests, I_A = rests_after_current(run)
    steps = run.steps
    start_s = steps["t_start"][rests]
    counts = steps["row_count"][rests].astype(np.intp)
    starts = np.append(0, np.cumsum(counts))[:-1].astype(np.intp)
    rest = np.repeat(np.arange(len(rests)), counts)
    rows = np.arange(len(rest)) - starts[rest] + steps["first_row"].astype(np.intp)[rests][rest]
    since_s = run.samples["time"][rows] - start_s[rest]
    Ewe_V = run.samples["Ewe"][rows].astype(np.float64)
    known = np.isfinite(Ewe_V)
    first, last = _extreme(known, starts, last=False), _extreme(known, starts, last=True)
    ohmic = _extreme(known & (since_s >= OHMIC_s), starts, last=False)
    end_V, ohmic_V = _at(Ewe_V, last), _at(Ewe_V, ohmic)
    slow_V = ohmic_V - end_V
    with np.errstate(divide="ignore", invalid="ignore"):
        is_left = (Ewe_V - end_V[rest]) / slow_V[rest]
    flat = _extreme(known & (since_s >= OHMIC_s) & (is_left <= LEFT), starts, last=False)
    plateau_s, length_s = _at(since_s, flat), steps["t_end"][rests] - start_s
    seen = (np.abs(slow_V) >= SEEN_V) & (last > ohmic)
    return Relaxations(
        start_s=start_s,
        length_s=length_s,
        I_A=I_A,
        first_V=_at(Ewe_V, first),
        end_V=end_V,
        plateau_s=np.where(seen & (plateau_s <= REACHED * length_s), plateau_s, np.nan),
    )


def _extreme(
    which: npt.NDArray[np.bool_], starts: npt.NDArray[np.intp], *, last: bool
) -> npt.NDArray[np.intp]:
    """The first or the last true row of each part, (n,); -1 of a part without one. Parts are not empty."""
    if len(starts) == 0:
        return np.zeros(0, np.intp)
    place = np.arange(len(which))
    if last:
        return np.maximum.reduceat(np.where(which, place, -1), starts)
    found = np.minimum.reduceat(np.where(which, place, len(which)), starts)
    return np.where(found == len(which), -1, found)


def _at(values: Floats, rows: npt.NDArray[np.intp]) -> Floats:
    return np.where(rows >= 0, values[np.maximum(rows, 0)], np.nan) if len(values) else np.zeros(0)


def rests_after_current(run: Run) -> tuple[npt.NDArray[np.intp], Floats]:
    """Rows in `steps` of the rests right after a current, and that current. Those with two samples or
    more."""
    driven, steps = current_steps(run), run.steps
    after = driven.place + 1
    inside = after < len(steps)
    after, I_A = after[inside], driven.I_A[inside]
    is_rest = (steps["technique"][after] == "OCV") & (steps["row_count"][after] > 1)
    return after[is_rest], I_A[is_rest]


def mean_relaxation(run: Run, every_s: float = 0.05, most: int | None = None) -> tuple[Floats, Floats]:
    """Time since the end of a pulse (s) and Ewe_V, averaged over the rests after a current.

    Of the usual length: those that were cut, and a long rest at the end, are left out. most: no more than so
    many of them, spread over the run; None: all.
    """
    steps, samples = run.steps, run.samples
    rests, _ = rests_after_current(run)
    if len(rests) == 0:
        return np.zeros(0), np.zeros(0)
    long_s = steps["t_end"][rests] - steps["t_start"][rests]
    length_s = float(np.median(long_s))
    rests = rests[np.abs(long_s - length_s) <= SHORTER * length_s]
    if most is not None and len(rests) > most:
        rests = rests[np.linspace(0, len(rests) - 1, most).astype(np.intp)]
    grid_s = np.arange(every_s, length_s, every_s)
    total, count = np.zeros(len(grid_s)), 0
    firsts, counts = steps["first_row"].astype(np.intp), steps["row_count"].astype(np.intp)
    for k in rests:
        rows = slice(firsts[k], firsts[k] + counts[k])
        Ewe_V = samples["Ewe"][rows]
        known = np.isfinite(Ewe_V)
        if known.any():
            total += np.interp(grid_s, samples["time"][rows][known] - steps["t_start"][k], Ewe_V[known])
            count += 1
    return (grid_s, total / count) if count else (np.zeros(0), np.zeros(0))


def plateau_s(time_s: Floats, Ewe_V: Floats) -> float | None:
    """When LEFT of the relaxation that goes on at OHMIC_s is left.

    None if nothing is seen to relax, or the rest ends before: it would come in the last part of it (REACHED).
    """
    later = (time_s >= OHMIC_s) & np.isfinite(Ewe_V)
    if np.count_nonzero(later) < 2:
        return None
    E_V = Ewe_V[later]
    slow_V = E_V[0] - E_V[-1]
    if not abs(slow_V) >= SEEN_V:
        return None
    found_s = float(time_s[later][np.flatnonzero((E_V - E_V[-1]) / slow_V <= LEFT)[0]])
    return found_s if found_s <= REACHED * float(time_s[later][-1]) else None
