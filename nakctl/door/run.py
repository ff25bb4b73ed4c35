"""A run as it is used in Python: `import nakctl; run = nakctl.open("run.h5")`."""

from __future__ import annotations

import html
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import numpy.typing as npt

from nakctl.door.numbered import NoSuch, Sensors
from nakctl.door.sections import Between, Cycles, Steps
from nakctl.door.spectra import Spectra
from nakctl.door.times import of_column, of_sensor, sensors
from nakctl.record import read
from nakctl.record.columns import Made
from nakctl.results.spectrum import Spectrum
from nakctl.text.numbers import duration, plural

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from nakctl.door.relaxation_times import DrtMap


class Run(read.Run):
    """A run's file: finished, going on, or killed. Everything is as of the opening, or of the last `refresh`.

    header    what the file says of the run: title, status, cell, area_cm2, protocol, results, ...
    samples   the main table: time, Ewe, I, Q, step_count, step_id, cycle, ...; a column is a numpy array
    spectra   the spectra: `run.spectra[12]`; impedance: their points, a row for each frequency
    steps     the executed steps: `run.steps[3]`; cycles: `run.cycles[3].strip`
    aux       the sensors beside it, by name: `run.aux["pressure"].value`
    events    what was told; ends: what could end a step; chains, ties, clock: how its times came about
    """

    def _look(self, file: h5py.File) -> None:
        super()._look(file)
        self.aux = Sensors(self.aux)
        plain = (self.steps, self.spectra)
        self.steps: Steps = Steps(self, self.steps)
        self.spectra: Spectra = Spectra(self.spectra, self.impedance, self.header.area_cm2)
        others = [table for table in self._tables if not any(table is each for each in plain)]
        self._tables = (*others, self.steps, self.spectra)

    @property
    def cycles(self) -> Cycles:
        """What has one number in the column `cycle`: `run.cycles[3]`."""
        return Cycles(self)

    @property
    def df(self) -> pd.DataFrame:
        """The samples as a pandas DataFrame, made anew each time; columns named with units: "Ewe / V"."""
        return self.samples.df

    @property
    def xr(self) -> xr.Dataset:
        """Samples, spectra and sensors as one xarray Dataset, made anew each time; units are attributes.

        Samples are along `time`. Spectra are along `spectrum` (their numbers) and `point` (NaN behind the
        shorter ones), with `frequency` and `point_time` beside each point. A sensor has a time of its own.
        """
        from nakctl.door.dataset import whole

        return whole(self)

    def between(self, t0_s: float, t1_s: float) -> Between:
        """What lies from t0_s up to t1_s, in s from the start of the run. Also `run[10.0:60.0]`."""
        return Between(self, t0_s, t1_s)

    def __getitem__(self, times_s: slice) -> Between:
        if not isinstance(times_s, slice) or times_s.step is not None:
            raise NoSuch("run[10.0:60.0] is a part of a run, from and to in s; a column is run.samples.Ewe")
        start, stop = times_s.start, times_s.stop
        return Between(self, -np.inf if start is None else start, np.inf if stop is None else stop)

    def at(self, t_s: Any, name: str, within_s: float | None = None) -> npt.NDArray[np.float64] | float:
        """A column of samples or a sensor at a time, or at times (s from the start), between its readings.

        NaN where nothing was read nearby: between two steps, in gaps, before and after the record; of a
        sensor where a neighbouring reading is more than 2.5 of its periods away. within_s: instead of that.
        Raises NoSuch for a name that is neither.
        """
        beside = sensors(self)
        if name in self.samples.names:
            found = of_column(self, name, t_s, within_s)
        elif name in beside:
            found = of_sensor(beside[name], t_s, within_s)
        else:
            raise NoSuch(f"{self.path} has no {name}; it has {', '.join((*self.samples.names, *beside))}")
        return found if np.ndim(t_s) else float(found)

    def merged(self, sensors: Iterable[str] | None = None) -> Made:
        """`samples` with a column for each of these sensors (None: all), as `at` gives it at their times.

        A sensor that is called like a column has "sensor_" before its name, here and in `at` and `xr`.
        """
        from nakctl.door.joined import beside

        return beside(self, sensors)

    def drt(self, spectra: Spectrum | int | Iterable[Spectrum | int] | None = None) -> DrtMap:
        """Distributions of relaxation times of these spectra (None: of all complete ones), see `DrtMap`.

        They, or their numbers.
        """
        from nakctl.door.relaxation_times import drt_map

        return drt_map(self, spectra)

    def __repr__(self) -> str:
        return "\n".join(_told(self))

    def _repr_html_(self) -> str:
        title, *further = map(html.escape, _told(self))
        return f"<div><b>{title}</b><br>{'<br>'.join(further)}</div>"


def open_run(path: str | Path) -> Run:
    """A run's result file, live, killed or sealed; arrays are read when they are asked for.

    Raises InputError if there is no such file, RecordError if it cannot be read.
    """
    return Run(Path(path))


def _told(run: Run) -> list[str]:
    """What it is, in lines."""
    header = run.header
    area = f", {header.area_cm2:.4g} cm2" if header.area_cm2 else ""
    ended = f": {header.end_reason}" if header.end_reason else ""
    began = f", began {header.start_time}" if header.start_time else ""
    sensors = f"; sensors: {', '.join(run.aux)}" if run.aux else ""
    spectra = plural(len(run.spectra), "spectrum", "spectra")
    return [
        header.title,
        f"{header.status}{ended}; {duration(header.duration_s)}{began}",
        f"cell {header.cell or 'not named'}{area}",
        f"{plural(len(run.samples), 'sample')}, {spectra}, {plural(len(run.steps), 'step')}{sensors}",
        f"file {run.path}",
    ]
