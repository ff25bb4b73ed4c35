"""The writing end of NAME.h5.aux. What the disk refuses waits in memory, up to a bound; nothing is raised."""

from __future__ import annotations

import sqlite3
from collections import deque
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nakctl.device.readings import CLOCK_TIE, INSERT, READING, SCHEMA, TIES, aux_of, checksum
from nakctl_sensors.timemap import Tie

MOST_BLOCKS_WAITING = 20_000


class AuxJournal:
    """Made for NAME.h5; goes on where another process ended. Used by one thread."""

    def __init__(self, path: Path) -> None:
        self.trouble = ""
        self._waiting: deque[tuple[str, int, bytes]] = deque(maxlen=MOST_BLOCKS_WAITING)
        self._db = sqlite3.connect(aux_of(path), isolation_level=None, timeout=1.0)
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute(SCHEMA)
        except sqlite3.Error as error:
            self.trouble = str(error)

    def add(self, sensor: str, readings: list[tuple[float, float, float]]) -> None:
        """readings: (time in s of the run, value, +- of the time in s)."""
        self._put(sensor, np.array(readings, READING))

    def add_tie(self, tie: Tie) -> None:
        self._put(TIES, np.array([(tie.time_s, tie.monotonic, tie.error_s)], CLOCK_TIE))

    def _put(self, sensor: str, rows: npt.NDArray[np.void]) -> None:
        packed = rows.tobytes()
        self._waiting.append((sensor, checksum(sensor, packed), packed))

    def write(self) -> None:
        """Everything added so far, as one transaction; `trouble` says why not."""
        if not self._waiting:
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(INSERT, self._waiting)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self.trouble = str(error)
            if self._db.in_transaction:
                self._db.rollback()
            return
        self._waiting.clear()
        self.trouble = ""

    def close(self) -> None:
        self.write()
        self._db.close()
