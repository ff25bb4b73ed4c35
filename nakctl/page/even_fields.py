"""Fields of any width, laid onto even ones: an image of a screen knows no others."""

from __future__ import annotations

import numpy as np

from nakctl.figures.figure import Floats

MOST = 1000  # in either direction: as many as a screen shows


class EvenFields:
    """Middles of fields in one direction, and the even ones that take their place in an image.

    start, end  of them all; of_even: which field each even one shows
    """

    def __init__(self, middles: Floats, log: bool) -> None:
        at = np.log10(middles) if log else np.asarray(middles, np.float64)
        self.start = self.end = 0.0
        self.of_even = np.zeros(0, np.intp)
        if len(at) == 0:
            return
        between = (at[1:] + at[:-1]) / 2
        first = between[0] - at[0] if len(between) else 0.5
        last = at[-1] - between[-1] if len(between) else 0.5
        edges = np.concatenate([[at[0] - first], between, [at[-1] + last]])
        narrow = np.diff(edges).min()
        wide = edges[-1] - edges[0]
        many = int(min(max(round(wide / narrow), len(at)), MOST)) if narrow > 0 else MOST
        even = edges[0] + (np.arange(many) + 0.5) * wide / many
        self.of_even = np.clip(np.searchsorted(edges, even, side="right") - 1, 0, len(at) - 1)
        self.start, self.end = (float(10**each if log else each) for each in (edges[0], edges[-1]))
