"""How readings lie in `NAME.h5.aux`, the journal of the sensors: what its writer and its readers agree on.

A SQLite database in WAL mode like the run's own journal, and as there one row is a block of packed readings:

    block(seq, sensor, crc, rows)   READING rows of one sensor; for the sensor "" CLOCK_TIE rows
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

READING = np.dtype([("time", "<f8"), ("value", "<f8"), ("time_error", "<f4")])
"""time in s of the run; value in the sensor's unit, NaN where readings break off; time_error in s, +-."""

CLOCK_TIE = np.dtype([("time", "<f8"), ("monotonic", "<f8"), ("time_error", "<f4")])
"""The same moment on the run's clock and on the one that readings are timed with."""

TIES = ""  # stands in the column `sensor` for the ties between the clocks
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS block "
    "(seq INTEGER PRIMARY KEY, sensor TEXT NOT NULL, crc INTEGER NOT NULL, rows BLOB NOT NULL)"
)
INSERT = "INSERT INTO block (sensor, crc, rows) VALUES (?, ?, ?)"
SELECT = "SELECT seq, sensor, crc, rows FROM block WHERE seq > ? ORDER BY seq LIMIT 256"


def aux_of(path: Path) -> Path:
    """The journal of the sensors beside the result file NAME.h5."""
    return Path(f"{path}.aux")


def checksum(sensor: str, rows: bytes) -> int:
    return zlib.crc32(rows, zlib.crc32(sensor.encode()))
