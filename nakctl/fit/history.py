"""Runs of one cell as one course, with what was read of it. No more rows than a fit can use.

A simulated cell begins anew with each run. A real one goes on: between two runs it rested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

import numpy as np

from nakctl.device.fitting import Course
from nakctl.fit.record import Recorded, recorded
from nakctl.fit.rows import NO_ROWS, Bools, Complex, Floats, Ints, Rows
from nakctl.fit.thinned import shortened
from nakctl.record.read import Run
from nakctl.text.numbers import duration

MOST_STRETCHES = 6000  # of a run: then it is cut
ZERO_C_K = 273.15


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
class Piece:
    """Of one run. anew: its cell was a new one; else it had rested for so long since the run before."""

    rows: Rows
    anew: bool = False
    rested_s: float = 0.0


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
    pieces: list[Piece] = []
    parts: list[Part] = []
    ended_s: float | None = None  # the last run that had rows, if the cell goes on from it
    lost = ""  # the run from whose end on nobody knows the cell
    for run in ordered:
        began_s = _began_s(run)
        goes_on = not run.header.simulated and began_s is not None
        if goes_on and lost:
            found = Recorded(NO_ROWS, (f"left out: it goes on from the end of {lost}, which is left out",))
        else:
            found = _short_enough(recorded(run))
        if goes_on and not found.whole:
            lost = lost or run.path.name
        said = found.said
        if not run.header.sealed:
            said = (*said, "not sealed yet: as it was when it was read")
        if len(found.rows) == 0:
            said = said or ("nothing is recorded in it",)
        elif began_s is None and len(runs) > 1:
            said = ("it does not say when it began, so its cell is taken for a fresh one", *said)
        parts.append(_part(run, found.rows, said))
        if len(found.rows) == 0:
            pieces.append(Piece(NO_ROWS))
            continue
        anew = not goes_on or ended_s is None
        pieces.append(Piece(found.rows, anew, 0.0 if anew else max(0.0, (began_s or 0.0) - (ended_s or 0.0))))
        ended_s = began_s + run.header.duration_s if goes_on and began_s is not None else None
    return _joined(*_warm(pieces, parts))


def _short_enough(found: Recorded) -> Recorded:
    found = replace(found, rows=shortened(found.rows))
    if len(found.rows) <= MOST_STRETCHES:
        return found
    until = duration(float(found.rows.time_s[MOST_STRETCHES - 1]))
    said = f"left out from {until} on, beyond {MOST_STRETCHES} changes of current"
    return found.until(np.arange(len(found.rows)) < MOST_STRETCHES, said)


def _began_s(run: Run) -> float | None:
    try:
        return datetime.fromisoformat(run.header.start_time).timestamp()
    except ValueError:  # an import of files that do not say it
        return None


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


def _warm(pieces: Sequence[Piece], parts: Sequence[Part]) -> tuple[list[Piece], list[Part]]:
    """Where some runs have a thermometer, the others are as warm as these were on the average."""
    known_K = np.concatenate([piece.rows.T_K for piece in pieces])
    known_K = known_K[np.isfinite(known_K)]
    if len(known_K) == 0:
        return list(pieces), list(parts)
    mean_K = float(known_K.mean())
    warm, told = [], []
    for piece, part in zip(pieces, parts, strict=True):
        unknown = np.isnan(piece.rows.T_K)
        if unknown.any():
            piece = replace(piece, rows=replace(piece.rows, T_K=np.where(unknown, mean_K, piece.rows.T_K)))
            taken = f"no thermometer: taken as at {mean_K - ZERO_C_K:.1f} degC, as the others on the average"
            part = replace(part, said=(*part.said, taken))
        warm.append(piece)
        told.append(part)
    return warm, told


def _joined(pieces: Sequence[Piece], parts: Sequence[Part]) -> History:
    rows = Rows(
        *(np.concatenate([getattr(piece.rows, field.name) for piece in pieces]) for field in fields(Rows))
    )
    lengths = [len(piece.rows) for piece in pieces]
    dt_s = np.concatenate([np.diff(piece.rows.time_s, prepend=piece.rows.time_s[:1]) for piece in pieces])
    fresh = np.zeros(len(rows), np.bool_)
    I_A = rows.I_A.copy()
    for start, piece in zip(np.cumsum([0, *lengths[:-1]]), pieces, strict=True):
        if len(piece.rows):
            fresh[start] = piece.anew
            dt_s[start], I_A[start] = piece.rested_s, 0.0
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
