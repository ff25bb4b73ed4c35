"""What BL_GetData hands over, decoded straight from the definitions: numbers, times, columns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class Buffer:
    """What one BL_GetData handed over."""

    code: int
    infos: dict[str, Any]
    values: dict[str, Any]
    words: list[int]

    @property
    def rows(self) -> list[list[int]]:
        n, columns = self.infos["NbRows"], self.infos["NbCols"]
        return [self.words[k * columns : (k + 1) * columns] for k in range(n)]


def decode(word: int) -> float:
    """A C3x word, straight from its definition."""
    exponent = (word >> 24) - (256 if word >= 1 << 31 else 0)
    fraction = (word & 0x7FFFFF) / 2**23
    if exponent == -128:
        return 0.0
    return (-2 + fraction if word >> 23 & 1 else 1 + fraction) * 2.0**exponent


def time_s(buffer: Buffer, row: list[int]) -> float:
    start_s = buffer.infos["StartTime"]
    timebase_s = float(f"{buffer.values['TimeBase']:.7g}")
    return (0.0 if math.isnan(start_s) else start_s) + timebase_s * (row[0] << 32 | row[1])


SCANS = (103, 124, 125, 156, 158)


def Ewe_V(buffer: Buffer, row: list[int]) -> float:
    return decode(row[-2 if buffer.infos["TechniqueID"] in SCANS else 2])


def I_A(buffer: Buffer, row: list[int]) -> float:
    """0 at open circuit."""
    if buffer.infos["TechniqueID"] == 100:
        return 0.0
    return decode(row[-3 if buffer.infos["TechniqueID"] in SCANS else 3])


def samples(buffers: list[Buffer]) -> np.ndarray:
    """Process 0: (n, 4) of time, Ewe, I (0 at open circuit), technique."""
    found = [
        (
            time_s(buffer, row),
            Ewe_V(buffer, row),
            I_A(buffer, row),
            buffer.infos["TechniqueIndex"],
        )
        for buffer in buffers
        if buffer.infos["ProcessIndex"] == 0
        for row in buffer.rows
    ]
    return np.array(found).reshape(-1, 4)


def points(buffers: list[Buffer]) -> np.ndarray:
    """Process 1: (n, 6) of time, frequency, Re Z, Im Z, Ewe, I."""
    found = []
    for buffer in buffers:
        if buffer.infos["ProcessIndex"] == 1:
            for row in buffer.rows:
                v = [decode(word) for word in row[:14]]
                found.append(
                    (v[13], v[0], v[1] / v[2] * math.cos(v[3]), v[1] / v[2] * math.sin(v[3]), v[4], v[5])
                )
    return np.array(found).reshape(-1, 6)
