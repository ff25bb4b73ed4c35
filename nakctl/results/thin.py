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
    edges = np.linspace(0, len(values), most // 2 + 1).astype(np.intp)
    size = int(np.diff(edges).max())
    rows = np.minimum(edges[:-1, None] + np.arange(size), edges[1:, None] - 1)
    groups = values[rows]
    none = np.isnan(groups)
    lowest = np.where(none, np.inf, groups).argmin(axis=1)
    highest = np.where(none, -np.inf, groups).argmax(axis=1)
    places = np.arange(len(rows))
    return np.unique(np.concatenate([rows[places, lowest], rows[places, highest]]))
