"""The writing end of NAME.h5.aux. What the disk refuses waits in memory, up to a bound; nothing is raised."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nakctl.device.sensor_journal import CLOCK_TIE, INSERT, READING, SCHEMA, TIES, aux_of, checksum
from nakctl_sensors.timemap import Tie

MOST_BLOCKS_WAITING = 20_000
WRITE_EVERY_s = 0.25
LEAVE_s = 2.0  # how long the disk may take at the end
_NEWEST = "SELECT sensor, rows FROM block WHERE seq IN (SELECT max(seq) FROM block GROUP BY sensor)"

Block = tuple[str, int, bytes]


class AuxJournal:
    """Made for NAME.h5; goes on where another process ended. `add` only remembers, `write` touches the disk.

    trouble    why the disk did not take the last rows, "" if it did
    reached_s  time of the last reading by sensor; None until the file was opened, by the first `write`
    """

    def __init__(self, path: Path) -> None:
        self.trouble = ""
        self.reached_s: dict[str, float] | None = None
        self._path = aux_of(path)
        self._waiting: deque[Block] = deque(maxlen=MOST_BLOCKS_WAITING)
        self._batch: list[Block] = []  # taken out of those that wait, and not written yet
        self._db: sqlite3.Connection | None = None

    def add(self, sensor: str, readings: list[tuple[float, float, float]]) -> None:
        """readings: (time in s of the run, value, +- of the time in s), at least one."""
        self._put(sensor, np.array(readings, READING))
        if self.reached_s is not None:
            self.reached_s[sensor] = readings[-1][0]

    def add_tie(self, tie: Tie) -> None:
        self._put(TIES, np.array([(tie.time_s, tie.monotonic, tie.error_s)], CLOCK_TIE))

    def _put(self, sensor: str, rows: npt.NDArray[np.void]) -> None:
        packed = rows.tobytes()
        self._waiting.append((sensor, checksum(sensor, packed), packed))

    def write(self) -> None:
        """Everything added so far, as one transaction; `trouble` says why not. From one thread only."""
        while self._waiting and len(self._batch) < MOST_BLOCKS_WAITING:
            self._batch.append(self._waiting.popleft())
        try:
            db = self._opened()
            if self._batch:
                _insert(db, self._batch)
        except (sqlite3.Error, ValueError) as error:
            self.trouble = str(error)
            return
        self._batch, self.trouble = [], ""

    def close(self) -> None:
        self.write()
        if self._db is not None:
            self._db.close()

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            db = sqlite3.connect(self._path, isolation_level=None, timeout=1.0)
            try:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = NORMAL")
                db.execute(SCHEMA)
                self.reached_s = _reached_s(db)
            except (sqlite3.Error, ValueError):
                db.close()
                raise
            self._db = db
        return self._db


def _insert(db: sqlite3.Connection, blocks: list[Block]) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        db.executemany(INSERT, blocks)
        db.execute("COMMIT")
    except sqlite3.Error:
        if db.in_transaction:
            db.rollback()
        raise


def _reached_s(db: sqlite3.Connection) -> dict[str, float]:
    """What a process before this one wrote last."""
    newest = {sensor: rows for sensor, rows in db.execute(_NEWEST) if sensor != TIES}
    return {sensor: float(np.frombuffer(rows, READING)["time"][-1]) for sensor, rows in newest.items()}


def clear_away(path: Path) -> None:
    """What lies there is of a run whose file is gone: the run's own journal would say so."""
    for end in ("", "-wal", "-shm"):
        Path(f"{aux_of(path)}{end}").unlink(missing_ok=True)


class Writer(threading.Thread):
    """Writes the journal, so that a disk that takes its time holds up no value for the run."""

    def __init__(self, journal: AuxJournal) -> None:
        super().__init__(name="journal", daemon=True)
        self._journal = journal
        self._leaving = threading.Event()

    def run(self) -> None:
        while not self._leaving.is_set():
            self._journal.write()
            self._leaving.wait(WRITE_EVERY_s)
        self._journal.close()

    def leave(self) -> None:
        """What is left is written, if the disk takes it soon."""
        self._leaving.set()
        self.join(LEAVE_s)
