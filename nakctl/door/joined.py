"""Tables of several: sensors beside samples, and runs one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from nakctl.door.numbered import NoSuch
from nakctl.door.times import of_sensor, sensors
from nakctl.errors import InputError
from nakctl.record.columns import Array, Columns, Made
from nakctl.record.read import Run, open_run

_RUN = {"units": "1", "long_name": "run", "meaning": "number of the run, from 1, in the order of time"}
_UNIX = {"units": "s", "long_name": "Unix time / s", "bdf_name": "unix_time_second"}


def beside(run: Run, wanted: Iterable[str] | None) -> Made:
    """The samples, and a column for each of these sensors (None: all) as it was at their times."""
    known = sensors(run)
    names = list(known) if wanted is None else [wanted] if isinstance(wanted, str) else list(wanted)
    samples = run.samples
    columns: dict[str, Array] = {name: samples[name] for name in samples.names}
    said = {name: samples.attributes(name) for name in samples.names}
    for name in names:
        if name not in known:
            raise NoSuch(f"{run.path} has no sensor {name}; it has {', '.join(known) or 'none'}")
        columns[name] = of_sensor(known[name], samples["time"], None)
        said[name] = known[name].attributes("value")
    return Made(run.path, "samples with sensors", columns, said)


class Joined(Made):
    """The samples of several runs. runs: these, in the order of their numbers in the column `run`."""

    runs: tuple[Run, ...]


def concat(runs: Run | str | Path | Sequence[Run | str | Path], gap_s: float | None = None) -> Joined:
    """See `nakctl.concat`."""
    several = (runs,) if isinstance(runs, Run | str | Path) else runs
    opened = [run if isinstance(run, Run) else open_run(run) for run in several]
    if not opened:
        raise InputError("there is no run to join")
    if gap_s is not None:
        return _table(_one_behind_the_other(opened, gap_s), absolute=False)
    return _table(_in_time(opened), absolute=_began(opened[0]).tzinfo is not None)


def _in_time(runs: list[Run]) -> list[tuple[Run, float]]:
    """Each with its start: in Unix time, or by the clock on the wall where no file knows its time zone."""
    zones = {_began(run).tzinfo is not None: run for run in runs}
    if len(zones) > 1:
        raise InputError(
            f"{zones[False].path} does not say in which time zone it began, and {zones[True].path} does: "
            "gap_s=0 puts one run behind the other"
        )
    placed = sorted(((run, _start_s(run)) for run in runs), key=lambda each: each[1])
    for (run, start_s), (after, next_s) in pairwise(placed):
        if start_s + run.header.duration_s > next_s:
            raise InputError(
                f"{after.path} began before {run.path} was over; if both are of virtual time, gap_s=0 puts "
                "one behind the other"
            )
    return placed


def _start_s(run: Run) -> float:
    began = _began(run)
    return (began if began.tzinfo else began.replace(tzinfo=UTC)).timestamp()


def _began(run: Run) -> datetime:
    try:
        return datetime.fromisoformat(run.header.start_time)
    except ValueError:
        text = f"{run.path} does not say when it began; gap_s=0 puts one run behind the other"
        raise InputError(text) from None


def _one_behind_the_other(runs: list[Run], gap_s: float) -> list[tuple[Run, float]]:
    placed, start_s = [], 0.0
    for run in runs:
        placed.append((run, start_s))
        start_s += run.header.duration_s + gap_s
    return placed


def _table(placed: list[tuple[Run, float]], *, absolute: bool) -> Joined:
    first_s = placed[0][1]
    names = dict.fromkeys(name for run, _ in placed for name in run.samples.names)
    columns: dict[str, Array] = {
        name: np.concatenate([_filled(run.samples, name) for run, _ in placed]) for name in names
    }
    columns["time"] = np.concatenate([run.samples["time"] + (start_s - first_s) for run, start_s in placed])
    counts = [len(run.samples) for run, _ in placed]
    said = {name: _said(placed, name) for name in names} | {"run": _RUN}
    columns["run"] = np.repeat(np.arange(1, len(placed) + 1), counts)
    if absolute:
        said["unix_time"] = _UNIX
        columns["unix_time"] = np.concatenate([run.samples["time"] + start_s for run, start_s in placed])
    joined = Joined(placed[0][0].path, "samples of several runs", columns, said)
    joined.runs = tuple(run for run, _ in placed)
    return joined


def _filled(samples: Columns, name: str) -> Any:
    return samples[name] if name in samples.names else np.full(len(samples), np.nan)


def _said(placed: list[tuple[Run, float]], name: str) -> dict[str, str]:
    return next(run.samples.attributes(name) for run, _ in placed if name in run.samples.names)
