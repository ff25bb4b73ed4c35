"""Least squares over what was read and what was expected."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nakctl.device.fitting import Symbol, Values
from nakctl.fit.misfit import Misfit
from nakctl.fit.rows import Floats

MOST_ROUNDS = 25
CLOSE, NEAR = 1e-5, 1e-3  # relative change of the sum of squares at which a search ends
TRIED = (0.25, 0.5, 1.0, 2.0, 4.0)  # times where a symbol stands
Told = Callable[[str], None]


def begun_at(misfit: Misfit, start: Values, symbols: Sequence[Symbol]) -> dict[str, float]:
    """Of symbols whose search may end where it begins: the best of some values that are far apart."""
    here = dict(start)
    for symbol in symbols:
        if symbol.scan:
            tried = [here | {symbol.name: here[symbol.name] * factor} for factor in TRIED]
            here = min(tried, key=lambda values: float((misfit.of_data(values) ** 2).sum()))
    return here


def searched(misfit: Misfit, start: Values, told: Told, close: float = CLOSE) -> dict[str, float]:
    """Values of the least sum of squares that is reached from here."""
    from scipy.optimize import least_squares  # not for who fits nothing

    if not misfit.frees:
        return dict(misfit.fixed)
    low, high = (np.array([getattr(one, side) for one in misfit.frees]) for side in ("low", "high"))
    expected = np.diag([1.0 / one.spread for one in misfit.frees])
    rounds = 0

    def slopes(x: Floats) -> Floats:
        nonlocal rounds
        rounds += 1
        told(f"round {rounds}")
        return np.vstack([misfit.slopes(x), expected])

    found = least_squares(
        misfit.of_all,
        np.clip(misfit.x(start), low + 1e-9, high - 1e-9),
        slopes,
        bounds=(low, high),
        x_scale="jac",
        ftol=close,
        xtol=close,
        gtol=close,
        max_nfev=MOST_ROUNDS,
    )
    return misfit.values(np.asarray(found.x, np.float64))
