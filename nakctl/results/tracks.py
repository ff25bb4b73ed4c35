"""The paper's three processes through a run: where their peaks are, how large, and from when to when there
are any.

Wu & Hatzell, EES Batteries 2025, 1, 1682, Figs. 1, 3 and 5: gamma_GB, grain boundaries of the
electrolyte; gamma_int, the interface of alloy and electrolyte, which grows and comes sooner under a
stripping current; gamma'_int, which appears at 1e-4 to 1e-3 s beyond a threshold of the current, and is
gone in the first spectrum at rest. They are told apart by the windows of `drt` alone: where one moves
into the window of another, it is taken for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from nakctl.results.drt import FAST_INTERFACE, GRAIN_BOUNDARY, INTERFACE, Drt, Floats, Window
from nakctl.results.peaks import Peak
from nakctl.results.spectra import SAME_mA_cm2, Spectra

GAMMA_GB, GAMMA_INT, GAMMA_INT_FAST = "gamma_GB", "gamma_int", "gamma'_int"
PROCESSES: dict[str, Window] = {
    GAMMA_GB: GRAIN_BOUNDARY,
    GAMMA_INT: INTERFACE,
    GAMMA_INT_FAST: FAST_INTERFACE,
}
MOSTLY = 0.5  # of the spectra at one current: a peak of noise is rarer, and a true one missed is so too
DENSE = 2.0  # places within one current: 1st, 2nd, 4th, 8th ...


@dataclass(frozen=True, slots=True)
class Track:
    """One process over some spectra of a run, each (n,); NaN where no peak of it stands out.

    places      of the spectra, in the run's `Spectra`; time_s: when each began
    current     mA/cm2, or mA where no area is known; > 0 strips the working electrode
    tau_s, height, area, share, extrapolated  as of `drt.Peak`; in `unit`
    """

    name: str
    unit: str
    places: npt.NDArray[np.intp]
    time_s: Floats
    current: Floats
    tau_s: Floats
    height: Floats
    area: Floats
    share: Floats
    extrapolated: npt.NDArray[np.bool_]

    @property
    def there(self) -> npt.NDArray[np.bool_]:
        return np.isfinite(self.tau_s)


def tracks(
    spectra: Spectra, places: Sequence[int] | None = None, drts: Sequence[Drt] | None = None
) -> dict[str, Track]:
    """By name. places: which spectra (all); drts: theirs, if they are known or have another lambda."""
    chosen = np.arange(len(spectra)) if places is None else np.asarray(places, np.intp)
    found = spectra.drts(chosen.tolist()) if drts is None else drts
    return {name: _track(name, window, spectra, chosen, found) for name, window in PROCESSES.items()}


def _track(
    name: str, window: Window, spectra: Spectra, places: npt.NDArray[np.intp], drts: Sequence[Drt]
) -> Track:
    peaks = [max(one.peaks(window), key=lambda peak: peak.area, default=NO_PEAK) for one in drts]
    columns = {
        column: np.array([getattr(peak, column) for peak in peaks], np.float64)
        for column in ("tau_s", "height", "area", "share")
    }
    return Track(
        name=name,
        unit=spectra.unit,
        places=places,
        time_s=spectra.time_s[places],
        current=spectra.current[places],
        extrapolated=np.array([peak.extrapolated for peak in peaks], np.bool_),
        **columns,
    )


NO_PEAK = Peak(np.nan, np.nan, np.nan, np.nan, False)


def telling_places(spectra: Spectra, most: int) -> list[int]:
    """Of a run with many spectra, those that show what happens: the first ones at each current and the last.

    Ever fewer of a long stretch at one current, all of short ones (a staircase). Not more than `most`.
    """
    if len(spectra) <= most:
        return list(range(len(spectra)))
    changes = 1 + np.flatnonzero(np.abs(np.diff(spectra.current)) > SAME_mA_cm2)
    edges = [0, *changes.tolist(), len(spectra)]
    chosen = {low + k for low, high in pairwise(edges) for k in _ever_fewer(high - low)}
    places = np.array(sorted(chosen), np.intp)
    if len(places) > most:
        places = places[np.linspace(0, len(places) - 1, most).round().astype(np.intp)]
    return [int(k) for k in places]


def _ever_fewer(count: int) -> list[int]:
    steps = DENSE ** np.arange(1 + np.log(count) / np.log(DENSE))
    return [*np.unique(np.minimum(np.rint(steps).astype(np.intp), count) - 1).tolist(), count - 1]


def there_from(track: Track, sign: int = 1) -> float | None:
    """The lowest current from which on a peak is there at this and every higher one; None: it never is.

    sign  1: of those that strip the working electrode, -1: that plate it. At one current: more than MOSTLY.
    """
    levels = np.round(sign * track.current, 3)
    lowest = None
    for level in np.unique(levels[levels > SAME_mA_cm2])[::-1]:
        if np.mean(track.there[levels == level]) <= MOSTLY:
            break
        lowest = float(level)
    return lowest


def gone_after_s(track: Track, spectra: Spectra) -> float | None:
    """How long the rest after the last current had lasted when a spectrum without the peak was complete.

    None: no rest, not there when the current ended, or there to the end. What the first spectrum at rest
    shows has happened while it was measured: it cannot be told to be sooner than that takes.
    """
    resting = set(spectra.resting())
    at_rest = np.array([int(k) in resting for k in track.places], np.bool_)
    driven = np.flatnonzero(~at_rest)
    gone = np.flatnonzero(at_rest & ~track.there)
    if len(driven) == 0 or len(gone) == 0 or not track.there[driven[-1]]:
        return None
    first = int(track.places[gone[0]])
    return float(spectra.end_s[first] - spectra.current_ended_s(min(resting)))


def over_pristine(track: Track, spectra: Spectra) -> float | None:
    """Height at the end of the rest after the last current, over that of the first spectrum. None: not known.

    Known where the first spectrum was taken at rest, before any current, and both have the peak.
    """
    resting = spectra.resting()
    if (
        not resting
        or not spectra.at_rest()[0]
        or int(track.places[0]) != 0
        or track.places[-1] != resting[-1]
    ):
        return None
    ratio = float(track.height[-1] / track.height[0])
    return ratio if np.isfinite(ratio) else None
