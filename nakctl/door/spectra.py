"""The spectra of a run, one by one and as the table of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from nakctl.door.numbered import place_of, places_of
from nakctl.record.columns import Columns
from nakctl.results.spectrum import Spectrum, cut


class Spectra(Columns):
    """The table of spectra, and the spectra: `run.spectra[12]` is number 12, `run.spectra[-1]` the last one.

    `run.spectra[5:8]` are numbers 5, 6 and 7; iteration gives them all, complete or not. Columns by name, as
    of every table: `run.spectra.complete`, `run.spectra["time"]`.
    """

    def __init__(self, table: Columns, impedance: Columns, area_cm2: float | None) -> None:
        super().__init__(table.path, table.title, table.names, table.length)
        self._impedance, self._area_cm2 = impedance, area_cm2

    def __getitem__(self, key: Any) -> Any:
        """Raises NoSuch, a KeyError for a column that it has not."""
        if isinstance(key, int | np.integer):
            return self._cut(place_of(key, self["spectrum"], "spectrum"))
        if isinstance(key, slice):
            return tuple(self._cut(place) for place in places_of(key, self["spectrum"]))
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        """A number of a spectrum, or the name of a column."""
        return super().__contains__(key) if isinstance(key, str) else key in self["spectrum"]

    def __iter__(self) -> Iterator[Spectrum]:
        return map(self._cut, range(len(self)))

    def of_rows(self, places: npt.NDArray[np.bool_]) -> tuple[Spectrum, ...]:
        """Those of these rows of the table, (n,) true and false."""
        return tuple(self._cut(int(place)) for place in np.flatnonzero(places))

    def _cut(self, place: int) -> Spectrum:
        return cut(self, self._impedance, place, self._area_cm2)
