"""A whole run as one xarray Dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nakctl.door.times import sensors
from nakctl.record.columns import Columns
from nakctl.record.frames import library, padded, plain, variables

if TYPE_CHECKING:
    import xarray as xr

    from nakctl.door.run import Run

_OF_SPECTRUM = ("spectrum", "point")
_LEFT_OUT = ("spectrum", "step_count", "first_row", "row_count")  # of points and spectra: the numbers tell
_COORDINATES = ("spectrum", "spectrum_time", "spectrum_cycle", "complete", "frequency", "point_time")


def whole(run: Run) -> xr.Dataset:
    xarray: Any = library("xarray", "run.xr")
    data = variables(run.samples, "time")
    data |= _spectra(run.spectra, run.impedance)
    coordinates = {"time", *_COORDINATES}
    for name, log in sensors(run).items():
        time = f"time_{name}"
        data[time] = (time, log["time"], log.attributes("time"))
        data[name] = (time, log["value"], log.attributes("value"))
        coordinates.add(time)
    found: xr.Dataset = xarray.Dataset(data, attrs=plain(_about(run)))
    return found.set_coords(sorted(coordinates & set(data)))


def _spectra(spectra: Columns, points: Columns) -> dict[str, Any]:
    """Spectra by their number, each with as many points as the longest has."""
    first, count = spectra["first_row"].astype(np.intp), spectra["row_count"].astype(np.intp)
    count = np.clip(np.minimum(count, len(points) - first), 0, None)  # a flush may be seen half done
    found: dict[str, Any] = {"spectrum": ("spectrum", spectra["spectrum"], spectra.attributes("spectrum"))}
    for name in ("time", "cycle", "complete"):
        shown = name if name == "complete" else f"spectrum_{name}"
        found[shown] = ("spectrum", spectra[name], spectra.attributes(name))
    for name in points.names:
        if name not in _LEFT_OUT:
            shown = f"point_{name}" if name in ("time", "flags") else name
            found[shown] = (_OF_SPECTRUM, padded(points[name], first, count), points.attributes(name))
    return found


def _about(run: Run) -> dict[str, Any]:
    header = run.header
    return {
        "title": header.title,
        "simulated": header.simulated,
        "run_status": header.status,
        "end_reason": header.end_reason,
        "start_time": header.start_time,
        "run_id": header.run_id,
        "cell": header.cell,
        "area_cm2": header.area_cm2,
        "note": header.note,
    }
