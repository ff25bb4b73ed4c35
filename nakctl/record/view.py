"""What the live view holds beyond a journal that is damaged, or shorter than it was.

The view was filled from the journal while that was whole, so what it has more goes on where the journal ends.
It has no checksums: the journal comes first, and where it is whole nobody asks the view.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from nakctl.booking.ledger import UNCLOSED, write_end
from nakctl.errors import NakctlError
from nakctl.record import files
from nakctl.record.hdf5_writer import Hdf5Writer
from nakctl.record.opening import opened
from nakctl.record.sensor_tables import GrowingTable

_ROWS_AT_A_TIME = 1 << 18


@dataclass(frozen=True, slots=True)
class Beyond:
    """rows: taken from the view, by table; last_s: the time of the last one of samples.

    aside: where a view is to be kept that could not be taken in
    """

    rows: dict[str, int] = field(default_factory=dict)
    last_s: float = np.nan
    aside: Path | None = None

    @property
    def note(self) -> str:
        """For the user; "" if there is nothing to say."""
        said = []
        if self.rows:
            counts = ", ".join(f"{count} {name}" for name, count in self.rows.items())
            until = f" (until {self.last_s:.6g} s)" if np.isfinite(self.last_s) else ""
            said.append(f"{counts} beyond that are from the live view{until}, which has no checksums")
        if self.aside is not None:
            said.append(f"the live view cannot be made sense of and is kept: {self.aside}")
        return "; ".join(said)


def take_beyond(path: Path, writer: Hdf5Writer, *, damaged: bool) -> Beyond:
    """Append to the tables of a file being filled what NAME.h5 has more; all rows must have been written.

    damaged  the journal is: then a view that cannot be read may hold what nothing else does
    """
    if not path.exists():
        return Beyond()
    grown = writer.grown()
    before = {name: growing.rows for name, growing in grown.items()}
    readable = _taken(path, writer, grown)
    writer.write()
    if len(writer.entry["samples/time"]) > before["samples"]:
        _add_last_step(writer)
        _add_last_spectrum(writer)
        writer.write()
    found = {name: growing.rows - before[name] for name, growing in grown.items()}
    taken = {name: count for name, count in found.items() if count}
    last_s = float(writer.entry["samples/time"][-1]) if found["samples"] else np.nan
    return Beyond(taken, last_s, None if readable or not (damaged or taken) else files.view_of(path))


def _taken(path: Path, writer: Hdf5Writer, grown: Mapping[str, GrowingTable]) -> bool:
    """False if the view is another run's, or cannot be read to its end."""
    try:
        with opened(path) as view:
            if view["entry/entry_identifier_uuid"][()] != writer.entry["entry_identifier_uuid"][()]:
                return False
            for name, growing in grown.items():
                if f"entry/{name}" in view:
                    _append(view[f"entry/{name}"], growing, writer)
    except NakctlError:
        return False
    return True


def _append(group: h5py.Group, growing: GrowingTable, writer: Hdf5Writer) -> None:
    shortest = min(len(group[name]) for name in growing.table.names)  # a flush may be half done
    for start in range(growing.rows, shortest, _ROWS_AT_A_TIME):
        writer.add_rows(growing, _rows(group, growing.table.dtype, start, shortest))


def _rows(group: h5py.Group, dtype: np.dtype[np.void], start: int, end: int) -> npt.NDArray[np.void]:
    rows = np.empty(min(_ROWS_AT_A_TIME, end - start), dtype)
    for name in dtype.names or ():
        rows[name] = group[name][start : start + len(rows)]
    return rows


def _add_last_step(writer: Hdf5Writer) -> None:
    """That of the newest samples: a view holds the steps that had ended."""
    samples, steps = writer.entry["samples"], writer.tables["steps"]
    counts = samples["step_count"][()]
    if steps.rows and steps.group["step_count"][-1] >= counts[-1]:
        return
    first = int(np.searchsorted(counts, counts[-1]))
    ledger, step = writer.book.ledger, np.zeros(1, steps.table.dtype)
    for name in ("step_count", "step_id", "cycle"):
        step[name] = samples[name][-1]
    known = int(step["step_id"][0]) < len(ledger.names)
    step["technique"] = ledger.names[step["step_id"]] if known else b""
    step["label"] = ledger.labels[step["step_id"]] if known else b""
    step["t_start"] = _began_s(writer, first)
    step["t_end"] = samples["time"][-1]
    step["first_row"], step["row_count"] = first, len(counts) - first
    write_end(step[0], UNCLOSED)
    steps.add(step)


def _began_s(writer: Hdf5Writer, first: int) -> float:
    """When a step began whose first sample is this one: where the one before ended, or with its chain."""
    times_s, starts_s = writer.entry["samples/time"], writer.entry["chains/time"][()]
    before_s = float(times_s[first - 1]) if first else -np.inf
    began_s = float(starts_s[starts_s <= times_s[first]].max(initial=before_s))
    return began_s if np.isfinite(began_s) else float(times_s[first])


def _add_last_spectrum(writer: Hdf5Writer) -> None:
    """A view holds those that were over. Whether every frequency of the last one came is not known."""
    points, spectra = writer.entry["impedance"], writer.tables["spectra"]
    numbers = points["spectrum"][()]
    if len(numbers) == 0 or (spectra.rows and spectra.group["spectrum"][-1] >= numbers[-1]):
        return
    first = int(np.searchsorted(numbers, numbers[-1]))
    counts = writer.entry["samples/step_count"][()]
    of_step = min(int(np.searchsorted(counts, points["step_count"][first])), len(counts) - 1)
    spectrum = np.zeros(1, spectra.table.dtype)
    for name in ("spectrum", "step_count", "time"):
        spectrum[name] = points[name][first]
    spectrum["cycle"] = writer.entry["samples/cycle"][of_step]
    spectrum["first_row"], spectrum["row_count"] = first, len(numbers) - first
    spectra.add(spectrum)
