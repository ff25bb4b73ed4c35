"""Small runs whose figures can be worked out by hand: tables as an old journal holds them, sealed by the real seal."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import old_journal
from headers import header_of

from nakctl.booking import layout
from nakctl.booking.event import Event
from nakctl.device import sensor_journal
from nakctl.record.seal import seal

Rows = npt.NDArray[np.void]
AREA_cm2 = 0.5
SHORT_RULE = {"rule": "ShortRule", "fall": 0.75, "within_s": 120.0, "below_V": 0.015, "samples": 3}


@dataclass(frozen=True)
class Step:
    """One executed step, a sample per potential, `every_s` apart. control None: as I_A; NaN: not controlled."""

    technique: str
    I_A: float
    Ewe_V: Sequence[float]
    every_s: float = 1.0
    control: float | None = None
    end_kind: str = "duration"
    end_reason: str = "duration"
    step_id: int = 0  # 0: its place
    cycle: int = 1


def strip(I_A: float, Ewe_V: Sequence[float], every_s: float = 1.0, **more: Any) -> Step:
    return Step("CP", I_A, Ewe_V, every_s, **more)


def rest(count: int, every_s: float = 1.0, Ewe_V: float = 0.0) -> Step:
    return Step("OCV", 0.0, [Ewe_V] * count, every_s, control=np.nan)


def header(**more: Any) -> dict[str, Any]:
    known = {"sample": {"name": "cell", "area_cm2": AREA_cm2}, "rules": []}
    return header_of(**{"title": "by hand"} | known | more)


def tables_of(steps: Sequence[Step]) -> dict[str, Rows]:
    """Samples and steps as a run books them: a step's first sample comes one interval after it began."""
    samples: list[Rows] = []
    booked = np.zeros(len(steps), layout.STEPS.dtype)
    time_s, Q_Ah, first = 0.0, 0.0, 0
    for k, (row, step) in enumerate(zip(booked, steps, strict=True)):
        count = len(step.Ewe_V)
        part = np.zeros(count, layout.SAMPLES.dtype)
        since_s = step.every_s * np.arange(1, count + 1)
        part["time"], part["Ewe"], part["I"] = time_s + since_s, step.Ewe_V, step.I_A
        part["Q"] = Q_Ah + step.I_A * since_s / 3600
        part["step_count"], part["step_id"], part["cycle"] = k + 1, step.step_id or k + 1, step.cycle
        part["control"] = step.I_A if step.control is None else step.control
        row["step_count"], row["step_id"], row["cycle"] = k + 1, step.step_id or k + 1, step.cycle
        row["technique"] = step.technique.encode()
        row["label"] = f"{step.step_id or k + 1}.1 step".encode()
        row["t_start"], row["t_end"] = time_s, time_s + count * step.every_s
        row["first_row"], row["row_count"] = first, count
        row["end_reason"], row["end_kind"] = step.end_reason.encode(), step.end_kind.encode()
        row["end_value"] = np.nan
        time_s, Q_Ah, first = (
            time_s + count * step.every_s,
            Q_Ah + step.I_A * count * step.every_s / 3600,
            first + count,
        )
        samples.append(part)
    return {"samples": np.concatenate(samples), "steps": booked}


def written(
    path: Path,
    steps: Sequence[Step],
    *,
    more: dict[str, Rows] | None = None,
    tables: dict[str, Rows] | None = None,
    events: Sequence[Event] = (),
    end: tuple[str, str] = ("completed", "all steps done"),
    end_kind: str = "steps done",
    end_id: int = 0,
    end_value: float = np.nan,
    **about: Any,
) -> Path:
    """A sealed run of these steps; more: rows of further tables, end: status and sentence.

    tables  instead of those of the steps
    """
    booked = (tables or tables_of(steps)) | (more or {})
    said = old_journal.ended(*end, end_kind=end_kind, end_id=end_id, end_value=end_value)
    old_journal.written(path, header(**about), [(booked, events)], said)
    assert seal(path).sealed
    return path


def left(path: Path, steps: Sequence[Step], end: dict[str, Any] | None = None) -> Path:
    """The journal alone; end None: of a run that was killed."""
    old_journal.written(path, header(), [(tables_of(steps), ())], end)
    return path


def ends(*rows: tuple[str, str, str, float]) -> Rows:
    """The table of ends, numbered from 1: kind, quantity, side, value."""
    found = np.zeros(len(rows), layout.ENDS.dtype)
    for k, (kind, quantity, side, value) in enumerate(rows):
        found[k]["end_id"] = k + 1
        found[k]["kind"], found[k]["quantity"], found[k]["side"] = (
            kind.encode(),
            quantity.encode(),
            side.encode(),
        )
        found[k]["value"] = value
    return found


def chains(*rows: tuple[float, float, int, int, float]) -> Rows:
    """The table of chains: open from, for how long, step_count before, step_id after, I before."""
    found = np.zeros(len(rows), layout.CHAINS.dtype)
    for k, (open_from_s, open_s, before, after, I_before_A) in enumerate(rows):
        one = (k + 1, open_from_s + open_s, 1e-3, open_from_s, open_s, before, after, I_before_A)
        found[k] = one
    return found


def spectra(
    *given: tuple[float, float, npt.NDArray[np.float64], npt.NDArray[np.complex128], bool],
) -> dict[str, Rows]:
    """Tables of spectra: time, DC current, frequencies, Z, whether it is complete."""
    points: list[Rows] = []
    booked = np.zeros(len(given), layout.SPECTRA.dtype)
    first = 0
    for k, (time_s, I_A, f_Hz, z_ohm, complete) in enumerate(given):
        part = np.zeros(len(f_Hz), layout.IMPEDANCE.dtype)
        part["time"], part["spectrum"], part["frequency"] = time_s + np.arange(len(f_Hz)), k + 1, f_Hz
        part["Z_re"], part["Z_im"], part["I_dc"] = z_ohm.real, z_ohm.imag, I_A
        part["I_dc"][0] = part["I_dc"][-1] = 0.0  # the level is that in the middle of the sweep
        booked[k]["spectrum"], booked[k]["time"], booked[k]["complete"] = k + 1, time_s, complete
        booked[k]["first_row"], booked[k]["row_count"] = first, len(f_Hz)
        first += len(f_Hz)
        points.append(part)
    return {"impedance": np.concatenate(points), "spectra": booked}


def sensed(path: Path, name: str, rows: Sequence[tuple[float, float, float]]) -> None:
    """What the sensors' process leaves beside a run before it is sealed: time, value, +- of time."""
    block = np.array(rows, sensor_journal.READING).tobytes()
    db = sqlite3.connect(sensor_journal.aux_of(path))
    with db:
        db.execute(sensor_journal.SCHEMA)
        db.execute(sensor_journal.INSERT, (name, sensor_journal.checksum(name, block), block))
    db.close()
