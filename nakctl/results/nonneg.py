"""Least squares without negative values, for many right-hand sides that share a matrix.

The usual way (scipy.optimize.nnls) solves one at a time from the rows themselves. A spectrum's matrix has
twice as many rows as its normal equations, is the same for all spectra of the same frequencies, and loading
scipy costs a dry run more than the solution of all of them: so the normal equations are solved, by
exchanging all offending unknowns at once (block principal pivoting; Portugal, Judice, Vicente, Math. Comp.
63, 1994, 625; Kim and Park, SIAM J. Sci. Comput. 33, 2011, 3261). Where digits do not suffice for that, as
with a lambda of 1e-6 or less, it is the usual way after all (Lawson and Hanson, Solving Least Squares
Problems, 1974, chapter 23). It is ours, so that no figure depends on what else is installed.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

ROUNDING = 1e-9  # of the largest right-hand side: a gradient below it is none
FULL_EXCHANGES = 3  # that may fail to bring fewer offenders, before one at a time is exchanged
MOST_ROUNDS = 30  # per unknown: far more than any has taken


def nonnegative(gram: Floats, right: Floats, start: Flags | None = None) -> tuple[Floats, Flags]:
    """x >= 0 that minimises x'Gx/2 - h'x, and which of it are free (the others are 0).

    gram (n, n) positive definite, right (n,); start (n,): which are free at first, such as those of a similar
    problem. It changes the time, not the answer.
    """
    free = np.ones(len(right), np.bool_) if start is None else start
    rounding = ROUNDING * float(np.abs(right).max(initial=0.0))
    fewest, exchanges = len(right) + 1, FULL_EXCHANGES
    for _ in range(MOST_ROUNDS * len(right)):
        x = _solved(gram, right, free)
        offending = np.where(free, x < 0, gram @ x - right < -rounding)
        count = int(np.count_nonzero(offending))
        if count == 0:
            return x, free
        exchanges = FULL_EXCHANGES if count < fewest else exchanges - 1
        fewest = min(fewest, count)
        if exchanges < 0:  # Murty's rule: the last alone, which cannot go round in circles
            offending[: np.flatnonzero(offending)[-1]] = False
        free = free ^ offending
    return _by_rows(gram, right)


def _by_rows(gram: Floats, right: Floats) -> tuple[Floats, Flags]:
    """From rows whose squares gram holds: they have twice the digits."""
    size, base = np.linalg.eigh(gram)
    root = np.sqrt(np.maximum(size, np.finfo(np.float64).eps * size.max()))
    return one_at_a_time(root[:, None] * base.T, (base.T @ right) / root)


def one_at_a_time(rows: Floats, known: Floats) -> tuple[Floats, Flags]:
    """x >= 0 that minimises |rows x - known|, and which of it are free: whichever pulls most is freed next.

    rows (m, n), known (m,)
    """
    x, free = np.zeros(rows.shape[1]), np.zeros(rows.shape[1], np.bool_)
    rounding = 10.0 * max(rows.shape) * np.finfo(np.float64).eps * np.abs(rows).sum(axis=0).max()
    for _ in range(MOST_ROUNDS * len(x)):
        pull = np.where(free, 0.0, rows.T @ (known - rows @ x))
        freed = _freed(rows, known, free, pull, rounding)
        if freed is None:
            break
        free[freed] = True
        x, free = _as_far_as_possible(rows, known, x, free)
    return x, free


def _freed(rows: Floats, known: Floats, free: Flags, pull: Floats, rounding: float) -> int | None:
    """Which is to be freed; None: none. One that would become negative only pulled by rounding."""
    for place in np.argsort(-pull):
        if pull[place] <= rounding:
            return None
        tried = free.copy()
        tried[place] = True
        if _least_squares(rows, known, tried)[place] > 0:
            return int(place)
    return None


def _as_far_as_possible(rows: Floats, known: Floats, x: Floats, free: Flags) -> tuple[Floats, Flags]:
    """From x towards the least squares of what is free; what would become negative is free no more."""
    while True:
        aim = _least_squares(rows, known, free)
        below = free & (aim <= 0)
        if not below.any():
            return aim, free
        shares = x[below] / (x[below] - aim[below])
        x = x + shares.min() * (aim - x)
        free = free & (x > 0)
        free[np.flatnonzero(below)[shares.argmin()]] = False
        x = np.where(free, x, 0.0)


def _least_squares(rows: Floats, known: Floats, free: Flags) -> Floats:
    x = np.zeros(len(free))
    x[free] = np.linalg.lstsq(rows[:, free], known, rcond=None)[0]
    return x


def _solved(gram: Floats, right: Floats, free: Flags) -> Floats:
    places = np.flatnonzero(free)
    x = np.zeros(len(right))
    x[places] = np.linalg.solve(gram[places[:, None], places], right[places])
    return x
