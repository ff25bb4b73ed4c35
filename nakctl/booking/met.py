"""Which End did a reading meet? The one place that says so: for guard, book and the end of a chain."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.device.channel import Rows
from nakctl.device.ends import End

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NEAR_V, NEAR_PART = 0.005, 0.01  # how far inside of a test its row may lie: noise, single precision
NOISE_PART = 0.01  # of a limit of |I|: a set current is read with noise, and must not violate its own value


@dataclass(frozen=True, slots=True)
class Readings:
    """What ends are judged by, one value per row, (n,). step_id 0 belongs to no step.

    I_A is absolute; charge_C that since the start of the row's step, absolute; Ece_V NaN: nothing tells it.
    """

    time_s: Floats
    Ewe_V: Floats
    I_A: Floats
    charge_C: Floats
    step_id: npt.NDArray[np.uint32]
    Ece_V: Floats | float = math.nan
    cell_V: Floats | None = None  # Ewe-Ece, where it is more than the difference of the two

    def of(self, quantity: str) -> Floats:
        match quantity:
            case "Ewe":
                return self.Ewe_V
            case "|I|":
                return self.I_A
            case "charge":
                return self.charge_C
            case "time":
                return self.time_s
            case "Ece":
                return self.Ece_V + np.zeros_like(self.Ewe_V)
            case "Ewe-Ece":
                return np.asarray(self.Ewe_V - self.Ece_V) if self.cell_V is None else self.cell_V
        raise KeyError(quantity)


@dataclass(frozen=True, slots=True)
class Met:
    """An End, and the reading that met it. row: its place among those that were judged."""

    end: End
    value: float
    row: int = 0


def readings_of(samples: Rows, step_charge_C: Floats) -> Readings:
    """Booked rows (see `record.layout`), as they are judged."""
    return Readings(
        time_s=samples["time"],
        Ewe_V=samples["Ewe"].astype(np.float64),
        I_A=np.abs(samples["I"].astype(np.float64)),
        charge_C=np.abs(step_charge_C),
        step_id=samples["step_id"],
        Ece_V=samples["Ece"].astype(np.float64) if "Ece" in (samples.dtype.names or ()) else math.nan,
    )


def exceeds(end: End, values: Floats) -> Bools:
    """Beyond the End's value on its side. A reading that is no number meets nothing."""
    value = end.value * (1 + NOISE_PART) if end.quantity == "|I|" and end.kind == "limit" else end.value
    return np.asarray(values > value if end.side == "above" else values < value)


def reaches(end: End, values: Floats) -> Bools:
    """As `exceeds`; amounts that only grow are met as soon as they are there."""
    return np.asarray(values >= end.value) if end.quantity in ("charge", "time") else exceeds(end, values)


def first_met(ends: Iterable[End], readings: Readings) -> Met | None:
    """The End that the earliest row meets; of several at one row the gravest."""
    found: list[tuple[int, tuple[int, int], Met]] = []
    for end in ends:
        values = readings.of(end.quantity)
        beyond = reaches(end, values)
        if end.step:
            beyond = beyond & (readings.step_id == end.step)
        if beyond.any():
            row = int(np.argmax(beyond))
            found.append((row, end.gravity, Met(end, float(values[row]), row)))
    return min(found, key=lambda each: each[:2])[2] if found else None


def met_by(ends: Iterable[End], reading: dict[str, float]) -> Met | None:
    """The End that a single reading stands for: the gravest of those exceeded, else the nearest within noise.

    reading  value by quantity ("Ewe", "|I|")
    """
    beyond: list[tuple[tuple[int, int], Met]] = []
    near: list[tuple[float, tuple[int, int], Met]] = []
    for end in ends:
        value = reading.get(end.quantity)
        if value is None:
            continue
        inside = end.value - value if end.side == "above" else value - end.value
        within = max(NEAR_V if end.quantity == "Ewe" else 0.0, NEAR_PART * abs(end.value))
        if inside < 0:
            beyond.append((end.gravity, Met(end, value)))
        elif inside <= within:
            near.append((inside, end.gravity, Met(end, value)))
    if beyond:
        return min(beyond, key=lambda each: each[0])[1]
    return min(near, key=lambda each: each[:2])[2] if near else None
