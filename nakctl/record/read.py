"""Reading a run: sealed, still going on, or killed. Nothing has to be recovered first.

    with open_run("run.h5") as run:
        run.header.status, run.samples.time, run.samples.Ewe, run.spectrum(3)

The file is open only while something is read from it, so a run that ends can always be sealed (Windows does
not replace an open file). Columns are read when asked for and kept; all columns of a table have one length.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from nakctl.booking.layout import CHAINS, ENDS, GAP_CODE, TIES
from nakctl.booking.table import Table
from nakctl.errors import InputError
from nakctl.record.columns import Columns, Log, NoRows, Steps
from nakctl.record.describe import last_time_s, read_fields
from nakctl.record.ended import Ended, ended
from nakctl.record.opening import check, opened


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says about its run, beside the arrays.

    status       running (also of a killed run, until it is recovered), completed, stopped, aborted,
                 interrupted, recovered, or imported (nobody knows how it ended); sealed: whether the file is
                 final
    end_reason   "" as long as it runs; end: the same as codes, for whoever draws conclusions from it
    recovery     what is known of a run that had to be recovered, else ""
    unbooked     why its tables hold less than was recorded, else ""
    sample       all that it says of the cell (electrodes, nominal_capacity, working_is, facts ...)
    campaign     to which the run belongs (name, file_name, data, run, made_of); empty: to none
    cell, area_cm2, protocol (the YAML as it was), plan (as compiled), rules, results: as recorded; None: not
                 known
    duration_s   from the start to the last row
    gaps         number of events with the code `layout.GAP_CODE`: rows that are known to be missing
    """

    title: str
    simulated: bool
    status: str
    sealed: bool
    end_reason: str
    end: Ended
    recovery: str
    unbooked: str
    run_id: str
    start_time: str
    duration_s: float
    cell: str
    area_cm2: float | None
    sample: dict[str, Any] = field(repr=False)
    instrument: dict[str, Any] = field(repr=False)
    protocol: str = field(repr=False)
    protocol_file: str
    plan: dict[str, Any] = field(repr=False)
    program: str = field(repr=False)
    rules: list[dict[str, Any]] = field(repr=False)
    params: dict[str, Any] = field(repr=False)
    results: dict[str, Any] = field(repr=False)
    environment: dict[str, Any] = field(repr=False)
    note: str
    gaps: int
    campaign: dict[str, Any] = field(default_factory=dict, repr=False)


class Run:
    """A run's file. Everything is as of the opening, or of the last `refresh`."""

    def __init__(self, path: str | Path) -> None:
        self.path = path = Path(path)
        with opened(path) as file:
            check(path, file)
            self._look(file)

    def refresh(self) -> None:
        """Take notice of what was recorded since. No table gets shorter by this."""
        with opened(self.path) as file:
            if len(file["entry/samples/time"]) >= len(self.samples):  # else a live view begun anew
                self._look(file)

    def spectrum(self, number: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.complex128]]:
        """frequency in Hz and Z = E/I in ohm, each (m,), in the order measured; number as in `spectra`.

        Raises InputError if there is no such spectrum.
        """
        rows = self.impedance["spectrum"] == number
        if not rows.any():
            known = ", ".join(map(str, np.unique(self.impedance["spectrum"])[:20])) or "none"
            raise InputError(f"{self.path} has no spectrum {number}; there are: {known}")
        Z_ohm = self.impedance["Z_re"][rows] + 1j * self.impedance["Z_im"][rows]
        return self.impedance["frequency"][rows], Z_ohm

    @property
    def has_third_electrode(self) -> bool:
        """Whether Ece was recorded, of a cell whose reference is an electrode of its own."""
        return "Ece" in self.samples.names

    @property
    def has_half_cells(self) -> bool:
        """Whether spectra are of the counter electrode, too."""
        return "Zce_re" in self.impedance.names and bool(np.isfinite(self.impedance["Zce_re"]).any())

    def close(self) -> None:
        """Forget the arrays that were read. The file itself is not held open."""
        for table in self._tables:
            table.forget()

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _look(self, file: h5py.File) -> None:
        entry = file["entry"]

        def table(name: str, kind: type[Columns] = Columns) -> Columns:
            lengths = {column: len(values) for column, values in entry[name].items()}
            shortest = min(lengths.values())  # a flush may be seen half done
            return kind(self.path, name, tuple(lengths), shortest)

        def later(known: Table) -> Columns:
            return table(known.name) if known.name in entry else NoRows(self.path, known)

        self.header = _header(file)
        self.samples = table("samples")
        self.impedance = table("impedance")
        self.spectra = table("spectra")
        self.steps = table("steps", Steps)
        self.ends, self.chains, self.ties = map(later, (ENDS, CHAINS, TIES))
        self.events = table("events")
        self.clock = table("clock")
        logs = entry["aux"].items() if "aux" in entry else ()
        self.aux = {name: Log(self.path, group) for name, group in logs}
        own = (self.samples, self.impedance, self.spectra, self.steps, self.events, self.clock)
        self._tables = (*own, self.ends, self.chains, self.ties, *self.aux.values())


def open_run(path: str | Path) -> Run:
    """The run in NAME.h5: sealed, going on, or killed.

    Raises InputError if there is no such file, RecordError if it cannot be read.
    """
    return Run(Path(path))


def _header(file: h5py.File) -> Header:
    entry = file["entry"]
    top = read_fields(entry)
    sample, protocol, plan = (read_fields(entry[name]) for name in ("sample", "protocol", "plan"))
    return Header(
        title=top["title"],
        simulated=bool(entry.attrs["simulated"]),
        status=top["run_status"],
        sealed=bool(file.attrs.get("sealed", False)),
        end_reason=top.get("end_reason", ""),
        end=ended(entry, top),
        recovery=top.get("recovery", ""),
        unbooked=top.get("unbooked", ""),
        run_id=top["entry_identifier_uuid"],
        start_time=top["start_time"],
        duration_s=last_time_s(entry),
        cell=sample.get("name", ""),
        area_cm2=sample["electrode_area"]["value"] if "electrode_area" in sample else None,
        sample=sample,
        instrument=read_fields(entry["instrument/potentiostat"]),
        protocol=protocol.get("data", ""),
        protocol_file=protocol.get("file_name", ""),
        plan=json.loads(plan.get("data", "{}")),
        program=plan.get("program", ""),
        rules=plan.get("rules", []),
        params=protocol.get("params", {}),
        results=read_fields(entry["results"]) if "results" in entry else {},
        environment=read_fields(entry["environment"]),
        note=top.get("note", ""),
        gaps=int(np.count_nonzero(entry["events/code"][()] == GAP_CODE.encode())),
        campaign=read_fields(entry["campaign"]) if "campaign" in entry else {},
    )
