"""Values at times between those at which they were read. Where nothing was read nearby there is none: NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from nakctl.booking.layout import GAP_CODE
from nakctl.record.columns import Log
from nakctl.record.read import Run

Floats = npt.NDArray[np.float64]
MISSED = 2.5  # periods of a sensor: one reading that did not come is no gap yet


def sensors(run: Run) -> dict[str, Log]:
    """By name, with "sensor_" before a name that a column has as well."""
    taken = {*run.samples.names, *run.impedance.names, *run.spectra.names}
    return {f"sensor_{name}" if name in taken else name: log for name, log in run.aux.items()}


def of_sensor(log: Log, t_s: Any, within_s: float | None) -> Floats:
    """On the line between the reading before and the one after, NaN where either is further than within_s.

    within_s None: MISSED periods of the sensor, or any distance where the file does not say its period. Where
    readings break off their table says NaN, and so does this.
    """
    every_s = log.about.get("every_s")
    near_s = within_s if within_s is not None else MISSED * every_s if every_s else np.inf
    nowhere = np.zeros(max(len(log) - 1, 0), np.bool_)
    return _between(log["time"], log["value"], t_s, near_s, nowhere)


def of_column(run: Run, name: str, t_s: Any, within_s: float | None) -> Floats:
    """Of a column of samples: on the line between two samples of one step; NaN elsewhere.

    Between two steps, and where the events tell of rows that are missing, nobody knows. Of whole numbers
    (steps, cycles, flags) it is that of the sample before.
    """
    samples = run.samples
    time_s, values = samples["time"], samples[name]
    gaps_s = run.events["time"][run.events["code"] == GAP_CODE]
    apart = (np.diff(samples["step_count"]) != 0) | (np.diff(np.searchsorted(gaps_s, time_s, "right")) != 0)
    whole = not np.issubdtype(values.dtype, np.floating)
    return _between(time_s, values, t_s, np.inf if within_s is None else within_s, apart, whole=whole)


def _between(
    time_s: Floats, values: Any, t_s: Any, near_s: float, apart: npt.NDArray[np.bool_], *, whole: bool = False
) -> Floats:
    """apart, (n - 1,): between which rows nothing is known. At the very time of a row it is its value."""
    at_s = np.asarray(t_s, np.float64)
    if len(time_s) == 0:
        return np.full(at_s.shape, np.nan)
    values = values.astype(np.float64)
    before = np.clip(np.searchsorted(time_s, at_s, "right") - 1, 0, len(time_s) - 1)
    after = np.minimum(before + 1, len(time_s) - 1)
    since_s, until_s = at_s - time_s[before], time_s[after] - at_s
    with np.errstate(divide="ignore", invalid="ignore"):
        part = 0.0 if whole else since_s / (since_s + until_s)
        found = values[before] + part * (values[after] - values[before])
    known = (since_s >= 0) & (until_s >= 0) & (since_s <= near_s) & (until_s <= near_s) & (after > before)
    if len(apart):
        known &= ~apart[np.minimum(before, len(apart) - 1)]
    result: Floats = np.where(since_s == 0, values[before], np.where(known, found, np.nan))
    return result
