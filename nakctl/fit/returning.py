"""Which of what is not known can go back to where it stood.

A number may be known too badly by itself, and the readings may refuse all the same that it goes back with the
others: then it stays where it fits best, which is as near to where it stood as the readings allow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nakctl.device.fitting import Certain, Together
from nakctl.fit.certainty import Certainty, Known
from nakctl.fit.rows import Floats

REFUSED = 2.0  # standard deviations of what a sum of squares grows by where nothing is refused
LEAST = 1.0


@dataclass(frozen=True, slots=True)
class _Return:
    """One symbol that goes back, or members of a combination that are put into the ratio they had.

    rows  (m, k) conditions on x of all numbers; gaps: (m,), by how much they are not met where all fits best
    """

    symbol: str
    together: Together | None
    rows: Floats
    gaps: Floats


def returning(
    certainty: Certainty,
    certain: Mapping[str, Certain],
    combined: Sequence[tuple[Together, Known]],
) -> tuple[dict[str, Certain], list[tuple[Together, Known]]]:
    """Grades and combinations, without those that the readings refuse: these are known roughly, at best."""
    grades, kept = dict(certain), list(combined)
    returns = list(_returns(certainty, grades, kept))
    while returns and _cost(certainty, returns) > _allowed(certainty, returns):
        without = [_cost(certainty, [*returns[:k], *returns[k + 1 :]]) for k in range(len(returns))]
        worst = returns.pop(int(np.argmin(without)))
        if worst.together is None:
            grades[worst.symbol] = "roughly"
        else:
            grades |= dict.fromkeys(worst.together.carried_by, "roughly")
            kept = [one for one in kept if one[0] is not worst.together]
    return grades, kept


def _returns(
    certainty: Certainty, certain: Mapping[str, Certain], combined: Sequence[tuple[Together, Known]]
) -> list[_Return]:
    frees, x = certainty.frees, certainty.x
    place = {one.name: k for k, one in enumerate(frees)}
    unit = np.eye(len(frees))
    away = np.array([at - one.centre for one, at in zip(frees, x, strict=True)])
    found = [
        _Return(one.name, None, unit[[k]], away[[k]])
        for k, one in enumerate(frees)
        if certain[one.name] == "no" and certainty.stood(one.name)
    ]
    for together, _ in combined:
        first, *others = (place[name] for name in together.carried_by)
        rows = [unit[first] - unit[other] for other in others]
        if rows:
            gaps = np.array([away[first] - away[other] for other in others])
            found.append(_Return("", together, np.array(rows), gaps))
    return found


def _cost(certainty: Certainty, returns: Sequence[_Return]) -> float:
    """By how much the sum of squares grows."""
    if not returns:
        return 0.0
    rows = np.concatenate([one.rows for one in returns])
    gaps = np.concatenate([one.gaps for one in returns])
    return float(gaps @ np.linalg.solve(rows @ certainty.covariance @ rows.T, gaps))


def _allowed(certainty: Certainty, returns: Sequence[_Return]) -> float:
    """As for noise: each of them that the readings tell something of adds 1, on the average."""
    rows = np.concatenate([one.rows for one in returns])
    expected = rows @ np.diag(certainty.spread**2) @ rows.T
    untold = np.linalg.solve(expected, rows @ certainty.covariance @ rows.T)
    told = max(0.0, len(rows) - float(np.trace(untold)))
    return told + REFUSED * float(np.sqrt(2.0 * told)) + LEAST
