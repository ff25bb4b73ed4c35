"""Maps of the distribution of relaxation times: what their colours are, and where nothing was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nakctl.figures.figure import Axis, Floats, Heat, Panel
from nakctl.figures.sweeps import Sweeps

TAU = Axis("τ / s", log=True)
BELOW_PEAKS = 10.0  # times lower than a usual peak: there the colours begin
PAUSE = 4.0  # times the usual distance of spectra: nothing is drawn in between


def heat(x: Floats, sweeps: Sweeps, *, log: bool = False) -> Heat:
    """γ of spectra in order at rising x, (n,). log: of x, where distances are ratios."""
    found = sweeps.drts()
    z = np.array([gamma for _, gamma in found]).T
    across, z = with_pauses(np.asarray(x, np.float64), z, log=log)
    return Heat(across, found[0][0], z, f"γ / {sweeps.unit}", "γ", log=True)


def with_pauses(x: Floats, z: Floats, *, log: bool = False) -> tuple[Floats, Floats]:
    """With columns of NaN at both ends of each pause; x (n,), z (m, n)."""
    place = np.log(x) if log else x
    apart = np.diff(place)
    if len(apart) < 3 or log:
        return x, z
    usual = float(np.median(apart))
    after = np.flatnonzero(apart > PAUSE * usual)
    inserted = np.repeat(after + 1, 2)
    ends = np.column_stack([x[after] + usual, x[after + 1] - usual]).ravel()
    return np.insert(x, inserted, ends), np.insert(z, inserted, np.nan, axis=1)


def one_scale(rows: Sequence[tuple[Panel, ...]]) -> list[tuple[Panel, ...]]:
    """The same colours for the maps of all panels, from a tenth of a usual peak to the highest."""
    maps = [each for row in rows for panel in row for each in panel.drawn if isinstance(each, Heat)]
    tops = np.concatenate([np.nanmax(np.nan_to_num(each.z), axis=0) for each in maps])
    tops = tops[tops > 0]
    high = float(tops.max(initial=1e-9))
    low = min(float(np.median(tops)) / BELOW_PEAKS if len(tops) else high, high / BELOW_PEAKS)
    return [tuple(_scaled(panel, low, high) for panel in row) for row in rows]


def _scaled(panel: Panel, low: float, high: float) -> Panel:
    drawn = (replace(each, low=low, high=high) if isinstance(each, Heat) else each for each in panel.drawn)
    return replace(panel, drawn=tuple(drawn))
