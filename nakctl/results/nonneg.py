"""Least squares without negative values, for many right-hand sides that share a matrix.

scipy.optimize.nnls solves one at a time from the rows themselves. A spectrum's matrix has twice as many
rows as its normal equations, is the same for all spectra of the same frequencies, and loading scipy
costs a dry run more than the solution of all of them: so the normal equations are solved, by exchanging
all offending unknowns at once (block principal pivoting; Portugal, Judice, Vicente, Math. Comp. 63,
1994, 625; Kim and Park, SIAM J. Sci. Comput. 33, 2011, 3261). Where digits do not suffice for that, as with
a lambda of 1e-6 or less, it is scipy's after all.
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
    from scipy.optimize import nnls  # seldom needed, and slow to load

    size, base = np.linalg.eigh(gram)
    root = np.sqrt(np.maximum(size, np.finfo(np.float64).eps * size.max()))
    x, _ = nnls(root[:, None] * base.T, (base.T @ right) / root, maxiter=MOST_ROUNDS * len(right))
    return np.asarray(x), np.asarray(x > 0)


def _solved(gram: Floats, right: Floats, free: Flags) -> Floats:
    places = np.flatnonzero(free)
    x = np.zeros(len(right))
    x[places] = np.linalg.solve(gram[places[:, None], places], right[places])
    return x
