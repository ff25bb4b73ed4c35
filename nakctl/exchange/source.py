"""What is exported: a run or a part of it, a block of rows at a time, with what every export says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from nakctl import __version__
from nakctl.booking.layout import I_SIGN
from nakctl.errors import RecordError
from nakctl.record.describe import read_fields
from nakctl.record.files import refuse_full_disk
from nakctl.record.opening import opened
from nakctl.record.read import Run
from nakctl.results.part import Bools, Part, chosen
from nakctl.results.under_way import steps

Array = npt.NDArray[Any]
Block = dict[str, Array]

AT_A_TIME = 1 << 16  # rows
_READING_BYTES, _HEAD_BYTES = 24, 1 << 18
_LEFT_OUT = ("json",)  # of the events: the same once more, for machines


@dataclass(frozen=True)
class Source:
    """run: as of its opening; part: which part of it."""

    run: Run
    part: Part

    @cached_property
    def rows(self) -> Mapping[str, Bools | None]:
        """By table, which rows; None: all of them."""
        return chosen(self.run, self.part)

    @cached_property
    def steps(self) -> Mapping[str, Array]:
        """All steps, also one that is under way."""
        return steps(self.run)

    def count(self, table: str) -> int:
        mask = self.rows[table]
        return len(getattr(self.run, table)) if mask is None else int(mask.sum())

    def refuse_full_disk(self, path: Path) -> None:
        """RecordError if its tables, as they are in memory, would not fit beside `path`.

        For writers that do not survive a full disk: libhdf5 ends the process, a workbook is closed twice.
        """
        tables = ("samples", "impedance", "spectra", "steps", "events")
        with opened(self.run.path) as file:
            widths = {
                each: sum(column.dtype.itemsize for column in file[f"entry/{each}"].values())
                for each in tables
            }
        size = sum(self.count(each) * width for each, width in widths.items())
        size += sum(len(log) * _READING_BYTES for log in self.run.aux.values())
        refuse_full_disk(path, size + _HEAD_BYTES, "this file")

    def blocks(self, table: str) -> Iterator[Block]:
        """The rows of a table in their order, text as str. Never more than AT_A_TIME of them in memory."""
        length, mask = len(getattr(self.run, table)), self.rows[table]
        with opened(self.run.path) as file:
            group = file[f"entry/{table}"]
            names = [name for name in group if name not in _LEFT_OUT]
            for start in range(0, length, AT_A_TIME):
                stop = min(start + AT_A_TIME, length)
                part = slice(None) if mask is None else mask[start:stop]
                if mask is None or part.any():  # type: ignore[union-attr]
                    yield {name: _read(group[name], start, stop)[part] for name in names}

    def sensor_blocks(self, name: str) -> Iterator[Block]:
        """The readings of one sensor, of the times that were chosen."""
        log, low, high = self.run.aux[name], self.part.from_s, self.part.to_s
        with opened(self.run.path) as file:
            group = file[f"entry/aux/{name}"]
            for start in range(0, len(log), AT_A_TIME):
                block = {each: _read(group[each], start, min(start + AT_A_TIME, len(log))) for each in group}
                inside = np.ones(len(block["time"]), bool)
                inside &= True if low is None else block["time"] >= low
                inside &= True if high is None else block["time"] <= high
                yield {each: values[inside] for each, values in block.items()}

    def described(self, table: str) -> dict[str, dict[str, str]]:
        """By column, what the file says of it: units, long_name, bdf_label, eclab_name, ..."""
        with opened(self.run.path) as file:
            group = file[f"entry/{table}"]
            return {
                name: {key: str(value) for key, value in item.attrs.items()}
                for name, item in group.items()
                if isinstance(item, h5py.Dataset) and name not in _LEFT_OUT
            }

    @cached_property
    def sample(self) -> dict[str, Any]:
        """Of the cell, as the file has it."""
        with opened(self.run.path) as file:
            return read_fields(file["entry/sample"])

    @cached_property
    def about(self) -> dict[str, str]:
        """What every export says: what it is, of what, and with which signs. Texts of one line."""
        header = self.run.header
        area = "not known" if header.area_cm2 is None else f"{header.area_cm2:g} cm2"
        told = {
            "title": header.title,  # begins with SIMULATED if the run was
            "simulated": "yes: no measurement" if header.simulated else "no",
            "run_id": header.run_id,
            "start_time": header.start_time or "not known",
            "status": f"{header.status}: {header.end_reason}" if header.end_reason else header.status,
            "protocol": header.protocol_file or "none",
            "cell": header.cell or "not known",
            "electrode_area": area,
            "instrument": str(header.instrument.get("model", "")) or "not known",
            "part": str(self.part),
            "known_gaps": str(header.gaps),
            "sign": f"{I_SIGN}; Z = E/I, so that a capacitor has Im(Z) < 0",
            "exported_from": self.run.path.name,
            "exported_by": f"nakctl {__version__}",
        }
        more = {"recovery": header.recovery, "unbooked": header.unbooked, "note": header.note}
        return {name: one_line(text) for name, text in (told | more).items() if text}

    @property
    def simulated(self) -> bool:
        return self.run.header.simulated


def one_line(text: str) -> str:
    """Without anything that could end a line, or that a terminal would obey."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def shortest(values: Array, power: int = 0) -> npt.NDArray[np.float64]:
    """Single precision as people write it: 0.1 and not 0.10000000149, with as many digits as are needed to be
    read back as it was. power: times a power of ten, exactly: 1e-4 A is 0.1 mA.
    """
    single = np.asarray(values, np.float32)
    found = single.astype(np.float64) * 10.0**power
    open_ = np.isfinite(single) & (np.abs(single) > 1e-30) & (np.abs(single) < 1e30)
    for count in (7, 8, 9):
        whole, exponent = _rounded(single.astype(np.float64), count, open_)
        fits = open_ & (_scaled(whole, exponent).astype(np.float32) == single)
        found = np.where(fits, _scaled(whole, exponent + power), found)
        open_ &= ~fits
    return found


def nine_digits(values: Array) -> npt.NDArray[np.float64]:
    """Of what was computed from single precision: no more digits than that has."""
    usual = np.isfinite(values) & (np.abs(values) > 1e-30) & (np.abs(values) < 1e30)
    return np.where(usual, _scaled(*_rounded(values, 9, usual)), values)


def _rounded(exact: Array, count: int, usual: Bools) -> tuple[Array, Array]:
    """To so many digits, as a whole number and a power of ten."""
    exponent = np.floor(np.log10(np.where(usual, np.abs(exact), 1.0))).astype(np.int64) - (count - 1)
    return np.round(_scaled(np.where(usual, exact, 0.0), -exponent)), exponent


def _scaled(values: Array, exponent: Array) -> npt.NDArray[np.float64]:
    """Divided where the power is negative: 1/10 is rounded once, 1 x 0.1 twice."""
    power = 10.0 ** np.abs(exponent)
    scaled: npt.NDArray[np.float64] = np.where(exponent < 0, values / power, values * power)
    return scaled


def _read(dataset: h5py.Dataset, start: int, stop: int) -> Array:
    values: Array = dataset[start:stop]
    if len(values) < stop - start:
        raise RecordError("the live view of this run is being built anew; try again in a moment")
    return np.char.decode(values, "utf-8", "replace") if values.dtype.kind == "S" else values
