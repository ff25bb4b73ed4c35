"""Which rows of a run are compared: no more than a fit can use. Those between tell how long what flowed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nakctl.fit.rows import Bools, Rows

MOST_SPECTRA, MOST_POINTS, MOST_EWE = 24, 1200, 1500  # of a run
# Of a step Ewe is taken ever less densely: where the time since its first row has grown by this.
GROWN, SOONEST_s = 1.15, 1e-2
FELT_K = 0.5  # rows between which the temperature moved by less are one


def shortened(rows: Rows) -> Rows:
    """Rows that are compared, and those at which the current changes. What lies between them becomes one
    stretch with the mean current."""
    rows = replace(rows, Ewe_V=np.where(_potentials_chosen(rows), rows.Ewe_V, np.nan))
    chosen = _points_chosen(rows)
    rows = replace(
        rows,
        f_Hz=np.where(chosen, rows.f_Hz, np.nan),
        z_ohm=np.where(chosen, rows.z_ohm, np.nan),
        spectrum=np.where(chosen, rows.spectrum, 0),
    )
    compared = np.isfinite(rows.Ewe_V) | chosen
    same = (rows.I_A[1:] == rows.I_A[:-1]) | (rows.at_rest[1:] & rows.at_rest[:-1])
    warmer = np.append(np.abs(np.diff(np.floor(np.nan_to_num(rows.T_K) / FELT_K))) > 0, True)[: len(rows)]
    ends = compared | np.append(~same, True)[: len(rows)] | warmer
    where = np.flatnonzero(ends)
    moved_C = np.cumsum(rows.I_A * np.diff(rows.time_s, prepend=rows.time_s[:1]))
    dt_s = np.diff(rows.time_s[where], prepend=rows.time_s[:1])
    between_C = np.diff(moved_C[where], prepend=0.0)
    found = rows.of(where)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_A = np.where(dt_s > 0, between_C / dt_s, found.I_A)
    plain = np.isclose(mean_A, found.I_A, rtol=1e-9, atol=0.0)  # the same number keeps the cell's steps long
    return replace(found, I_A=np.where(plain, found.I_A, mean_A))


def _potentials_chosen(rows: Rows) -> Bools:
    """Of each step densely at first; of steps beyond what is needed none."""
    known = np.flatnonzero(np.isfinite(rows.Ewe_V))
    found = np.zeros(len(rows), np.bool_)
    if len(known) == 0:
        return found
    step = rows.step[known]
    begins = np.append(True, step[1:] != step[:-1])
    visit = np.cumsum(begins) - 1
    since_s = rows.time_s[known] - rows.time_s[known[begins]][visit]
    place = np.floor(np.log(np.maximum(since_s, SOONEST_s) / SOONEST_s) / np.log(GROWN))
    new = begins | np.append(False, np.diff(place) != 0) | np.append(begins[1:], True)
    every = max(1, -(-np.count_nonzero(new) // MOST_EWE))
    found[known[new & (visit % every == 0)]] = True
    return found


def _points_chosen(rows: Rows) -> Bools:
    """Of a few spectra: at rest ever fewer the longer that lasts, under a current evenly."""
    point = rows.spectrum > 0
    numbers, first = np.unique(rows.spectrum[point], return_index=True)
    at_rest = rows.at_rest[point][first]
    resting, driven, half = numbers[at_rest], numbers[~at_rest], MOST_SPECTRA // 2
    rarer = np.geomspace(1, max(len(resting), 1), half).astype(np.intp) - 1
    evenly = np.linspace(0, max(len(driven) - 1, 0), half).astype(np.intp)
    chosen = np.concatenate([resting[rarer[: len(resting) * half]], driven[evenly[: len(driven) * half]]])
    found: Bools = point & np.isin(rows.spectrum, chosen)
    where = np.flatnonzero(found)
    thinned = np.zeros(len(rows), np.bool_)
    thinned[where[:: max(1, -(-len(where) // MOST_POINTS))]] = True
    whole = rows.spectrum == chosen.min(initial=len(rows))  # the first one tells most
    return np.asarray(found & (thinned | whole))
