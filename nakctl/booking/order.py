"""Rows of both kinds in one order: visit by visit, and by time within each.

Across visits times prove nothing: the last row of a technique may carry a time behind the first of the next.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nakctl.device.channel import SAMPLE, Flag, Rows

Ints = npt.NDArray[np.intp]


def merged(samples: Rows, points: Rows) -> tuple[Rows, npt.NDArray[np.intp]]:
    """Samples, and the DC values of the impedance rows as samples too; and where those went.

    Visits stay in their order, and rows are sorted within one only: the last row of a technique may carry a
    time behind the first of the next.
    """
    if len(points) == 0:  # no copies of the long reads of a pulse train
        return _sorted_within(samples), np.empty(0, np.intp)
    from_points = np.zeros(len(points), SAMPLE)
    for name in ("time_s", "technique", "passes", "I_range"):
        from_points[name] = points[name]
    from_points["Ewe_V"], from_points["I_A"] = points["E_dc_V"], points["I_dc_A"]
    from_points["Ece_V"] = points["Ece_dc_V"]
    from_points["flags"] = points["flags"] | Flag.FROM_EIS
    rows = np.concatenate([samples, from_points], dtype=SAMPLE)
    order = _by_visits(samples, from_points)
    place = np.empty(len(rows), np.intp)
    place[order] = np.arange(len(rows))
    return rows[order], place[len(samples) :]


def _changes(rows: Rows) -> npt.NDArray[np.bool_]:
    """(n-1,): where another visit begins."""
    return np.asarray(
        (rows["technique"][1:] != rows["technique"][:-1]) | (rows["passes"][1:] != rows["passes"][:-1])
    )


def _sorted_within(rows: Rows) -> Rows:
    back = np.diff(rows["time_s"]) < 0
    if not (back & ~_changes(rows)).any():
        return rows
    visit = np.append(0, np.cumsum(_changes(rows)))
    return rows[np.lexsort((rows["time_s"], visit))]


def _by_visits(samples: Rows, points: Rows) -> npt.NDArray[np.intp]:
    """The order of both, visit by visit: each has its visits in order; across, the earlier comes first."""
    ahead = [_visits(points, len(samples)), _visits(samples, 0)]  # taken from the ends
    merged: list[tuple[tuple[int, int], npt.NDArray[np.intp], npt.NDArray[np.float64]]] = []
    while ahead[0] or ahead[1]:
        if ahead[0] and ahead[1]:
            (point_key, _, point_s), (key, _, sample_s) = ahead[0][-1], ahead[1][-1]
            source = 1 if key == point_key or sample_s[0] <= point_s[0] else 0
        else:
            source = 0 if ahead[0] else 1
        key, places, times_s = ahead[source].pop()
        if merged and merged[-1][0] == key:
            _, before, before_s = merged.pop()
            places, times_s = np.append(before, places), np.append(before_s, times_s)
            by_time = np.argsort(times_s, kind="stable")
            places, times_s = places[by_time], times_s[by_time]
        merged.append((key, places, times_s))
    return np.concatenate([places for _, places, _ in merged])


def _visits(rows: Rows, offset: int) -> list[tuple[tuple[int, int], Ints, npt.NDArray[np.float64]]]:
    """(key, places, times) of each visit, the last one first."""
    if len(rows) == 0:
        return []
    starts = np.append(0, np.flatnonzero(_changes(rows)) + 1)
    found = []
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(rows)], strict=True):
        key = int(rows["technique"][start]), int(rows["passes"][start])
        found.append((key, np.arange(start, end) + offset, rows["time_s"][start:end]))
    return found[::-1]
