"""Runs of one cell as one course, with what was read of it. No more rows than a fit can use.

A simulated cell begins anew with each run. A real one goes on: between two runs it rested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

import numpy as np

from nakctl.device.fitting import Course
from nakctl.fit.record import Bools, Complex, Floats, Ints, Rows, rows_of
from nakctl.record.read import Run
from nakctl.text.numbers import duration

# What is compared of a run. The rows between only tell for how long a current flowed.
MOST_SPECTRA, MOST_POINTS, MOST_EWE = 24, 1200, 1500
MOST_STRETCHES = 6000  # of a run: then it is cut
# Of a step Ewe is taken ever less densely: where the time since its first row has grown by this.
GROWN, SOONEST_s = 1.15, 1e-2
FELT_K = 0.5  # rows between which the temperature moved by less are one


@dataclass(frozen=True, slots=True)
class Part:
    """What is compared of one run.

    spectra, resting  numbers of those under a current, and of those at rest
    Ewe, Ewe_at_rest  how many readings of each
    steps, rests      of which steps these are, as the plan numbers them ("3.1")
    said              what was left out, in sentences
    """

    path: str
    spectra: tuple[int, ...]
    resting: tuple[int, ...]
    Ewe: int
    Ewe_at_rest: int
    steps: tuple[str, ...]
    rests: tuple[str, ...]
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class History:
    """A course, and what was read at the end of its stretches, each (n,).

    Ewe_V, z_ohm  NaN: not compared
    run       number of the run, from 0; spectrum: number in its file, 0: none
    at_rest   no current flowed
    step      row of the table of steps of its run
    T_K       mean temperature; None: nobody knows
    """

    course: Course
    Ewe_V: Floats
    z_ohm: Complex
    run: Ints
    spectrum: Ints
    at_rest: Bools
    step: Ints
    parts: tuple[Part, ...]
    T_K: float | None


def history(runs: Sequence[Run]) -> History:
    """In the order of their beginnings; runs that do not say when they began come last, and anew."""
    ordered = sorted(runs, key=lambda run: (_began_s(run) is None, _began_s(run) or 0.0))
    pieces: list[tuple[Rows, bool, float]] = []
    parts: list[Part] = []
    ended_s: float | None = None
    for run in ordered:
        rows, said = rows_of(run)
        rows = _shortened(rows)
        if len(rows) > MOST_STRETCHES:
            rows = rows.of(np.arange(len(rows)) < MOST_STRETCHES)
            until_s = float(rows.time_s[-1])
            said = (
                *said,
                f"left out from {duration(until_s)} on, beyond {MOST_STRETCHES} changes of current",
            )
        began_s = _began_s(run)
        goes_on = not run.header.simulated and ended_s is not None and began_s is not None
        rested_s = max(0.0, began_s - ended_s) if goes_on and began_s and ended_s else 0.0
        ended_s = None if began_s is None else began_s + run.header.duration_s
        pieces.append((rows, not goes_on, rested_s))
        parts.append(_part(run, rows, said))
    return _joined(pieces, parts)


def _began_s(run: Run) -> float | None:
    try:
        return datetime.fromisoformat(run.header.start_time).timestamp()
    except ValueError:  # an import of files that do not say it
        return None


# --- which rows are compared -----------------------------------------------------------------------------


def _shortened(rows: Rows) -> Rows:
    """Rows that are compared, and those at which the current changes. What lies between them becomes one
    stretch with the mean current."""
    rows = replace(rows, Ewe_V=np.where(_potentials_chosen(rows), rows.Ewe_V, np.nan))
    chosen = _points_chosen(rows)
    rows = replace(
        rows,
        f_Hz=np.where(chosen, rows.f_Hz, np.nan),
        z_ohm=np.where(chosen, rows.z_ohm, np.nan),
        spectrum=np.where(chosen, rows.spectrum, 0),
    )
    compared = np.isfinite(rows.Ewe_V) | chosen
    same = (rows.I_A[1:] == rows.I_A[:-1]) | (rows.at_rest[1:] & rows.at_rest[:-1])
    warmer = np.append(np.abs(np.diff(np.floor(np.nan_to_num(rows.T_K) / FELT_K))) > 0, True)[: len(rows)]
    ends = compared | np.append(~same, True)[: len(rows)] | warmer
    where = np.flatnonzero(ends)
    moved_C = np.cumsum(rows.I_A * np.diff(rows.time_s, prepend=rows.time_s[:1]))
    dt_s = np.diff(rows.time_s[where], prepend=rows.time_s[:1])
    between_C = np.diff(moved_C[where], prepend=0.0)
    found = rows.of(where)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_A = np.where(dt_s > 0, between_C / dt_s, found.I_A)
    plain = np.isclose(mean_A, found.I_A, rtol=1e-9, atol=0.0)  # the same number keeps the cell's steps long
    return replace(found, I_A=np.where(plain, found.I_A, mean_A))


def _potentials_chosen(rows: Rows) -> Bools:
    """Of each step densely at first; of steps beyond what is needed none."""
    known = np.flatnonzero(np.isfinite(rows.Ewe_V))
    found = np.zeros(len(rows), np.bool_)
    if len(known) == 0:
        return found
    step = rows.step[known]
    begins = np.append(True, step[1:] != step[:-1])
    visit = np.cumsum(begins) - 1
    since_s = rows.time_s[known] - rows.time_s[known[begins]][visit]
    place = np.floor(np.log(np.maximum(since_s, SOONEST_s) / SOONEST_s) / np.log(GROWN))
    new = begins | np.append(False, np.diff(place) != 0) | np.append(begins[1:], True)
    every = max(1, -(-np.count_nonzero(new) // MOST_EWE))
    found[known[new & (visit % every == 0)]] = True
    return found


def _points_chosen(rows: Rows) -> Bools:
    """Of a few spectra: at rest ever fewer the longer that lasts, under a current evenly."""
    point = rows.spectrum > 0
    numbers, first = np.unique(rows.spectrum[point], return_index=True)
    at_rest = rows.at_rest[point][first]
    resting, driven, half = numbers[at_rest], numbers[~at_rest], MOST_SPECTRA // 2
    rarer = np.geomspace(1, max(len(resting), 1), half).astype(np.intp) - 1
    evenly = np.linspace(0, max(len(driven) - 1, 0), half).astype(np.intp)
    chosen = np.concatenate([resting[rarer[: len(resting) * half]], driven[evenly[: len(driven) * half]]])
    found: Bools = point & np.isin(rows.spectrum, chosen)
    where = np.flatnonzero(found)
    thinned = np.zeros(len(rows), np.bool_)
    thinned[where[:: max(1, -(-len(where) // MOST_POINTS))]] = True
    whole = rows.spectrum == chosen.min(initial=len(rows))  # the first one tells most
    return np.asarray(found & (thinned | whole))


def _part(run: Run, rows: Rows, said: tuple[str, ...]) -> Part:
    read, point = np.isfinite(rows.Ewe_V), rows.spectrum > 0
    return Part(
        run.path.name,
        tuple(np.unique(rows.spectrum[point & ~rows.at_rest]).tolist()),
        tuple(np.unique(rows.spectrum[point & rows.at_rest]).tolist()),
        int(np.count_nonzero(read & ~rows.at_rest)),
        int(np.count_nonzero(read & rows.at_rest)),
        _steps(run, rows.step[read & ~rows.at_rest]),
        _steps(run, rows.step[read & rows.at_rest]),
        said,
    )


def _steps(run: Run, places: Ints) -> tuple[str, ...]:
    """Each once, in the order of the run."""
    labels = run.steps["label"]
    return tuple(dict.fromkeys(str(labels[place]).partition(" ")[0] for place in np.unique(places)))


# --- one course --------------------------------------------------------------------------------------------


def _joined(pieces: Sequence[tuple[Rows, bool, float]], parts: Sequence[Part]) -> History:
    """Each with whether its cell was a new one, and how long it had rested."""
    rows = Rows(
        *(np.concatenate([getattr(piece, field.name) for piece, _, _ in pieces]) for field in fields(Rows))
    )
    lengths = [len(piece) for piece, _, _ in pieces]
    starts = np.cumsum([0, *lengths[:-1]])
    dt_s = np.concatenate([np.diff(piece.time_s, prepend=piece.time_s[:1]) for piece, _, _ in pieces])
    fresh = np.zeros(len(rows), np.bool_)
    I_A = rows.I_A.copy()
    for start, (_, anew, rested_s) in zip(starts, pieces, strict=True):
        fresh[start] = anew
        dt_s[start], I_A[start] = rested_s, 0.0
    known_K = rows.T_K[np.isfinite(rows.T_K)]
    return History(
        course=Course(dt_s, I_A, rows.end_A, rows.f_Hz, rows.T_K, fresh),
        Ewe_V=rows.Ewe_V,
        z_ohm=rows.z_ohm,
        run=np.repeat(np.arange(len(pieces)), lengths),
        spectrum=rows.spectrum,
        at_rest=rows.at_rest,
        step=rows.step,
        parts=tuple(parts),
        T_K=float(known_K.mean()) if len(known_K) else None,
    )
