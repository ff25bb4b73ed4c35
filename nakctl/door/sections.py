"""Parts of a run: a step, a cycle, what lies between two times."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nakctl.door.numbered import NoSuch, Sensors, place_of, places_of
from nakctl.record import columns
from nakctl.record.columns import Columns
from nakctl.results.areal import current_mA_cm2
from nakctl.results.current import CONTROLLED, charge_before_Ah
from nakctl.results.spectra import AT_REST_mA_cm2
from nakctl.results.spectrum import Spectrum
from nakctl.text.numbers import duration, plural

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from nakctl.door.run import Run

Ints = npt.NDArray[np.intp]
_NUMBERS = (int, float, np.integer, np.floating)
_BY_CHARGE = ("CA", "RAMP", "POWER", "LOAD")  # whose net charge tells where the current went


class Section:
    """A part of a run.

    samples   its rows of `run.samples`, as a table
    spectra   those that belong to it, complete or not
    t0_s, t1_s  from where to where it goes, in s from the start of the run; NaN where there is nothing of it
    """

    def __init__(self, run: Run, what: str, samples: columns.Rows, spectra: npt.NDArray[np.bool_]) -> None:
        self._run, self._what, self._spectra = run, what, spectra
        self.samples: Columns = run.samples[samples]

    @property
    def spectra(self) -> tuple[Spectrum, ...]:
        return self._run.spectra.of_rows(self._spectra)

    @property
    def t0_s(self) -> float:
        return float(self.samples["time"][0]) if len(self.samples) else np.nan

    @property
    def t1_s(self) -> float:
        return float(self.samples["time"][-1]) if len(self.samples) else np.nan

    @property
    def df(self) -> pd.DataFrame:
        """`samples` as a pandas DataFrame."""
        return self.samples.df

    @property
    def xr(self) -> xr.Dataset:
        """`samples` as an xarray Dataset."""
        return self.samples.xr

    def __len__(self) -> int:
        """How many samples."""
        return len(self.samples)

    def __repr__(self) -> str:
        spectra = int(np.count_nonzero(self._spectra))
        told = f", {plural(spectra, 'spectrum', 'spectra')}" if spectra else ""
        from_to = f", {duration(self.t0_s)} to {duration(self.t1_s)}" if len(self.samples) else ""
        return f"{self._what}: {plural(len(self.samples), 'sample')}{told}{from_to}"


class Step(Section):
    """One executed step. number is its step_count: it counts through the run, and never repeats.

    step_id      its number in the plan, which repeats when the step does; cycle; technique; label
    t0_s, t1_s   when it began and ended; end_kind, end_reason: why, as a code and as a sentence
    """

    def __init__(self, run: Run, place: int) -> None:
        row = run.steps.row_of(place)
        first = row["first_row"]
        what = f"step {row['step_count']}, {row['label']} ({row['technique']})"
        own = run.spectra["step_count"] == row["step_count"]
        super().__init__(run, what, slice(first, first + row["row_count"]), own)
        self.number: int = row["step_count"]
        self.step_id: int = row["step_id"]
        self.cycle: int = row["cycle"]
        self.technique: str = row["technique"]
        self.label: str = row["label"]
        self.end_kind: str = row["end_kind"]
        self.end_reason: str = row["end_reason"]
        self._from_s, self._to_s = row["t_start"], row["t_end"]

    @property
    def t0_s(self) -> float:
        return float(self._from_s)

    @property
    def t1_s(self) -> float:
        return float(self._to_s)


class Steps(Columns):
    """The table of steps, and the steps: `run.steps[3]` has step_count 3, `run.steps[-1]` is the last one.

    `run.steps[5:8]` are 5, 6 and 7. Columns by name, as of every table: `run.steps.label`. The step that is
    under way is not in it yet: its samples are the last ones of `run.samples`.
    """

    def __init__(self, run: Run, table: Columns) -> None:
        super().__init__(table.path, table.title, table.names, table.length)
        self._run, self._of = run, table

    def __getitem__(self, key: Any) -> Any:
        """Raises NoSuch, a KeyError for a column that it has not."""
        if isinstance(key, int | np.integer):
            return Step(self._run, place_of(key, self["step_count"], "step"))
        if isinstance(key, slice):
            return tuple(Step(self._run, place) for place in places_of(key, self["step_count"]))
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        """A number of a step, or the name of a column."""
        return super().__contains__(key) if isinstance(key, str) else key in self["step_count"]

    def __iter__(self) -> Iterator[Step]:
        return (Step(self._run, place) for place in range(len(self)))

    def row_of(self, place: int) -> dict[str, Any]:
        """One row of the table, by its place, which counts from 0."""
        found: dict[str, Any] = self._row(place)
        return found

    @cached_property
    def signs(self) -> npt.NDArray[np.float64]:
        """(n,) where the current of each step went: 1 strips, -1 plates, 0 rests, NaN none of these.

        A set current says so itself. At a potential, a power or a load, and in a ramp, the net charge does.
        A sweep of the potential has both directions: NaN. A PEIS is at rest where what flowed on average is
        less than 0.03 mA/cm2; NaN where it is more, or the area is not known.
        """
        first = self["first_row"].astype(np.intp)
        last = np.minimum(first + self["row_count"].astype(np.intp), len(self._run.samples)) - 1
        technique, rows = self["technique"], last >= first
        found = np.full(len(self), np.nan)
        found[technique == "OCV"] = 0.0
        set_A = self._run.samples["control"][last[rows]]
        charge_Ah = np.full(len(self), np.nan)
        charge_Ah[rows] = self._run.samples["Q"][last[rows]] - charge_before_Ah(self._run, first[rows])
        signs = np.full(len(self), np.nan)
        signs[rows] = np.sign(np.nan_to_num(set_A))
        for names, told in ((CONTROLLED, signs), (_BY_CHARGE, np.sign(charge_Ah))):
            found = np.where(np.isin(technique, names), told, found)
        return np.where((technique == "PEIS") & self._rests(charge_Ah), 0.0, found)

    def forget(self) -> None:
        """Also what lies below it."""
        super().forget()
        self._of.forget()
        self.__dict__.pop("signs", None)

    def _load(self, name: str) -> columns.Array:
        return self._of[name]

    def _tell(self) -> dict[str, dict[str, str]]:
        return {name: self._of.attributes(name) for name in self.names}

    def _rests(self, charge_Ah: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        area_cm2 = self._run.header.area_cm2
        if not area_cm2:
            return np.zeros(len(self), np.bool_)
        lasted_s = self["t_end"] - self["t_start"]
        with np.errstate(divide="ignore", invalid="ignore"):
            mean_mA_cm2 = current_mA_cm2(charge_Ah * 3600 / lasted_s, area_cm2)
        found: npt.NDArray[np.bool_] = np.abs(mean_mA_cm2) < AT_REST_mA_cm2
        return found


class Cycle(Section):
    """All that has one number in the column `cycle`.

    strip, plate, rest  its steps that oxidise the working electrode, that reduce it, that leave it alone
    """

    def __init__(self, run: Run, number: int) -> None:
        self.number = number
        self._places = np.flatnonzero(run.steps["cycle"] == number)
        booked = _rows_of(run, self._places)
        rows = np.concatenate([booked, _under_way(run, number)])
        super().__init__(run, f"cycle {number}", rows, run.spectra["cycle"] == number)

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(Step(self._run, int(place)) for place in self._places)

    @property
    def strip(self) -> Section:
        return self._with_sign(1.0, "stripping")

    @property
    def plate(self) -> Section:
        return self._with_sign(-1.0, "plating")

    @property
    def rest(self) -> Section:
        return self._with_sign(0.0, "at rest")

    def _with_sign(self, sign: float, what: str) -> Section:
        run = self._run
        places = self._places[run.steps.signs[self._places] == sign]
        spectra = np.isin(run.spectra["step_count"], run.steps["step_count"][places])
        return Section(run, f"cycle {self.number}, {what}", _rows_of(run, places), spectra)


class Cycles:
    """The cycles of a run: `run.cycles[3]` is number 3, `run.cycles[-1]` the last one.

    `run.cycles[2:5]` are 2, 3 and 4. numbers: those that there are
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        under_way = run.samples["cycle"][_booked(run) :]
        self.numbers = np.unique(np.concatenate([run.steps["cycle"], under_way]))

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, number: Any) -> Any:
        """NoSuch: it is not there."""
        if isinstance(number, slice):
            return tuple(self._at(place) for place in places_of(number, self.numbers))
        return self._at(place_of(number, self.numbers, "cycle"))

    def __contains__(self, number: object) -> bool:
        return number in self.numbers

    def __iter__(self) -> Iterator[Cycle]:
        return map(self._at, range(len(self)))

    def _at(self, place: int) -> Cycle:
        return Cycle(self._run, int(self.numbers[place]))

    def __repr__(self) -> str:
        if not len(self):
            return "no cycles"
        return f"{plural(len(self), 'cycle')}, {self.numbers[0]} to {self.numbers[-1]}"


class Between(Section):
    """What lies from t0_s up to t1_s: samples, spectra that begin there, events, readings of sensors.

    aux  by sensor, a table each
    """

    def __init__(self, run: Run, t0_s: float, t1_s: float) -> None:
        if not (isinstance(t0_s, _NUMBERS) and isinstance(t1_s, _NUMBERS)):
            raise NoSuch(f"{t0_s!r} to {t1_s!r}: times are numbers, in s from the start of the run")
        if not t0_s <= t1_s:
            raise NoSuch(f"{t0_s:g} s to {t1_s:g} s: the earlier time comes first")
        self._from_s, self._to_s = t0_s, t1_s
        what = f"{t0_s:g} s to {t1_s:g} s"
        super().__init__(run, what, self._inside(run.samples), self._inside(run.spectra))
        self.events: Columns = run.events[self._inside(run.events)]
        self.aux: dict[str, Columns] = Sensors(
            {name: log[self._inside(log)] for name, log in run.aux.items()}
        )

    def _inside(self, table: Columns) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = (table["time"] >= self._from_s) & (table["time"] < self._to_s)
        return found


def _rows_of(run: Run, places: Ints) -> Ints:
    """Rows of samples of these steps."""
    first = run.steps["first_row"][places].astype(np.intp)
    count = run.steps["row_count"][places].astype(np.intp)
    parts = [np.arange(start, start + many) for start, many in zip(first, count, strict=True)]
    rows = np.concatenate([np.empty(0, np.intp), *parts])
    return rows[rows < len(run.samples)]  # a flush of a live file may be seen half done


def _booked(run: Run) -> int:
    """How many samples belong to steps that are over."""
    ends = run.steps["first_row"].astype(np.intp) + run.steps["row_count"].astype(np.intp)
    return int(ends.max(initial=0))


def _under_way(run: Run, number: int) -> Ints:
    """Rows of this cycle in the step that is not over yet."""
    booked = _booked(run)
    return booked + np.flatnonzero(run.samples["cycle"][booked:] == number)
