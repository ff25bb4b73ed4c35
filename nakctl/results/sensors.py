"""What the sensors beside a run showed, in a few figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nakctl.record.columns import Log
from nakctl.record.read import Run

_DIGITS = 6


def sensor_figures(run: Run) -> dict[str, dict[str, Any]]:
    """By sensor, ready for JSON."""
    return {name: _figures(log) for name, log in run.aux.items()}


def _figures(log: Log) -> dict[str, Any]:
    time_s, value = log.time, log.value
    good = ~np.isnan(value)
    known = value[good]
    found: dict[str, Any] = {
        "unit": log.units,
        "readings": len(known),
        "gaps": int(np.count_nonzero(np.isnan(value))),
        "longest_silence_s": _rounded(np.diff(time_s[good]).max(initial=0.0)),
        "simulated": bool(log.about.get("simulated", False)),
    }
    if len(known):
        found |= {name: _rounded(getattr(known, name)()) for name in ("min", "mean", "max")}
        found["time_error_s"] = _rounded(log.time_error.max())
    return found


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def sensors_told(figures: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """One line per sensor."""
    for name, one in figures.items():
        mark = " (simulated)" if one["simulated"] else ""
        if not one["readings"]:
            yield f"{name}{mark}: no readings"
            continue
        span = f"{one['min']:.5g} / {one['mean']:.5g} / {one['max']:.5g} {one['unit']} (min / mean / max)"
        gaps = (
            f", {one['gaps']} gaps, silent for {one['longest_silence_s']:.3g} s at most"
            if one["gaps"]
            else ""
        )
        error = f", time +- {one['time_error_s']:.2g} s" if one["time_error_s"] else ""
        yield f"{name}{mark}: {span}, {one['readings']} readings{error}{gaps}"
