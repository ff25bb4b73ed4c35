"""A curve of any length, in a few levels: a page draws the one that is as fine as its picture.

Each level but the finest holds the lowest and the highest of every group of the one below, so whatever the
eye would see of all rows is in each of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.results.thin import thin

COARSER = 4  # times fewer points from level to level
DRAWN = 4000  # points of the coarsest level: as many as a picture has use for

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Level:
    """x, y (n,): rows of the curve, in their order."""

    x: Floats
    y: Floats

    def __len__(self) -> int:
        return len(self.x)


def levels(x: Floats, y: Floats, most: int) -> tuple[Level, ...]:
    """The finest first, of at most `most` points; the last has at most DRAWN. x, y (n,), x rising."""
    kept = thin(y, max(most, DRAWN))
    found = [Level(x[kept], y[kept])]
    while len(found[-1]) > DRAWN:
        finer = found[-1]
        kept = thin(finer.y, max(DRAWN, len(finer) // COARSER))
        found.append(Level(finer.x[kept], finer.y[kept]))
    return tuple(found)


def is_rising(x: Floats) -> bool:
    """Whether a part of the curve is a part of its rows. A million at a time: x may be long."""
    step = 1 << 20
    return all(bool((np.diff(x[start : start + step + 1]) >= 0).all()) for start in range(0, len(x), step))
