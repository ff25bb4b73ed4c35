"""kill -9 of everything that belongs to a run, and what has to be left of it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from command_line import Command, nakctl, processes
from patience import until

from nakctl.booking.layout import GAP_CODE
from nakctl.errors import InputError
from nakctl.record import files, lock
from nakctl.record.raw_tables import RawReader
from nakctl.record.recover import recover
from nakctl.record.slot import state_of

Rows = dict[int, np.ndarray]  # of each segment


@dataclass(frozen=True, slots=True)
class Killed:
    """came: rows that the channel had handed over; kept: that the journal was known to have."""

    path: Path
    came: int
    kept: int
    blocks: Sequence[int]

    def declared(self) -> bool:
        """Whether the recovered file says that blocks may be missing."""
        with h5py.File(self.path, "r") as file:
            return any(b"may be missing" in text for text in file["entry/events/message"][()].tolist())


def kill_one(folder: Path, name: str, moment_s: float, arguments: Sequence[str], *, begun: bool) -> Killed:
    """Kill one run so long after its start; or, if begun, after its first row."""
    path = folder / name
    witness = f"{name}.witness"
    run = Command(*arguments, "--out", name, cwd=folder, witness=witness)
    if begun:
        until(lambda: (folder / witness).exists())
    time.sleep(moment_s)
    kill(run, name)
    run.communicate()
    until(lambda: _is_dead(path))
    return left(path)


def _is_dead(path: Path) -> bool:
    """Its process may just have been started as it was looked for."""
    if not lock.is_held(files.lock_of(path)):
        return True
    with suppress(ProcessLookupError, KeyError, TypeError):
        os.kill(int(state_of(path)["pid"]), signal.SIGKILL)  # type: ignore[index]
    return False


def kill(run: Command, name: str) -> None:
    """The run, who shows it, and those it has started for its file; nothing if it is over."""
    run.kill_all()
    for helper in processes(f"\0{name}\0"):
        with suppress(ProcessLookupError):
            os.kill(helper, signal.SIGKILL)


def left(path: Path) -> Killed:
    witness = Path(f"{path}.witness")
    lines = witness.read_text(encoding="ascii").splitlines() if witness.exists() else []
    came = [int(line[2:]) for line in lines if line.startswith("r")]
    kept = [int(line[2:]) for line in lines if line.startswith("k")]
    blocks = np.diff([0, *came]).tolist()
    return Killed(path, came[-1] if came else 0, kept[-1] if kept else 0, blocks)


def undisturbed(folder: Path, name: str, arguments: Sequence[str]) -> tuple[Rows, Rows]:
    """Samples and points of the same run, left alone."""
    nakctl(*arguments, "--out", name, cwd=folder)
    return segments(folder / name)


def segments(path: Path) -> tuple[Rows, Rows]:
    """As the channel gave them, by segment."""
    samples: dict[int, list[Any]] = {}
    points: dict[int, list[Any]] = {}
    with h5py.File(path, "r") as file:
        for entry in RawReader(file).entries():
            if entry.kind == "said":
                samples.setdefault(entry.segment, []).append(entry.samples)
                points.setdefault(entry.segment, []).append(entry.points)
    return _joined(samples), _joined(points)


def _joined(parts: dict[int, list[Any]]) -> Rows:
    return {segment: np.concatenate(rows) for segment, rows in parts.items()}


def recovered_status(run: Killed, whole: tuple[Rows, Rows]) -> str:
    """Recover one, and compare it with what was known of it, and with the whole run."""
    try:
        recover(run.path)
    except InputError:
        assert run.kept == 0
        return "not begun"
    found = segments(run.path)
    for mine, all_rows in zip(found, whole, strict=True):
        for segment, rows in mine.items():
            assert rows.tobytes() == all_rows[segment][: len(rows)].tobytes(), f"segment {segment}"
    count = sum(len(rows) for each in found for rows in each.values())
    assert count >= run.kept  # nothing that was acknowledged is lost
    with h5py.File(run.path, "r") as file:
        entry = file["entry"]
        status = str(entry["run_status"].asstr()[()])
        declared = run.declared()
        missing = run.came - count
        assert missing <= (run.blocks[-1] if run.blocks else 0)  # one block at the most ...
        assert missing <= 0 or declared  # ... and it is said
        assert not declared or GAP_CODE.encode() in entry["events/code"][()]
        _tables_end_where_rows_end(entry, count)
        return status


def _tables_end_where_rows_end(entry: h5py.Group, count: int) -> None:
    samples, steps = entry["samples"], entry["steps"]
    assert {len(column) for column in samples.values()} == {count}
    assert steps["row_count"][()].sum() == count
    assert entry["spectra/row_count"][()].sum() == len(entry["impedance/time"])
    if count:
        assert np.all(np.diff(samples["step_count"][()].astype(np.int64)) >= 0)
        assert steps["t_end"][-1] == samples["time"][-1]
    for name in entry.get("aux", {}):
        assert np.all(np.diff(entry[f"aux/{name}/time"][()]) >= 0)
