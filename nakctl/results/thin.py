"""Fewer points for a picture, without losing what the eye would see."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def thin(values: npt.NDArray[np.floating], most: int) -> npt.NDArray[np.intp]:
    """Rows to draw: all if there are at most `most`, else the lowest and the highest of each small group.

    values: (n,); returns rising row numbers, at most `most` of them. Every spike stays visible, also beside a
    value that is none (NaN).
    """
    if len(values) <= most:
        return np.arange(len(values))
    size = -(-len(values) // (most // 2))
    whole = len(values) // size * size
    rows = [_extremes(values[:whole].reshape(-1, size), 0)]
    if whole < len(values):
        rows.append(_extremes(values[whole:].reshape(1, -1), whole))
    return np.unique(np.concatenate(rows))


def _extremes(groups: npt.NDArray[np.floating], first: int) -> npt.NDArray[np.intp]:
    """Row numbers of the lowest and the highest of each group, (groups, size), which begin at row `first`."""
    lowest, highest = groups.argmin(axis=1), groups.argmax(axis=1)
    starts = first + np.arange(len(groups)) * groups.shape[1]
    # NaN is what numpy takes for the lowest and for the highest: where there is one it is looked past.
    for k in np.flatnonzero(np.isnan(groups[np.arange(len(groups)), lowest])):
        none = np.isnan(groups[k])
        lowest[k] = np.where(none, np.inf, groups[k]).argmin()
        highest[k] = np.where(none, -np.inf, groups[k]).argmax()
    return np.concatenate([starts + lowest, starts + highest])
