"""The writing end of NAME.h5.aux. What the disk refuses waits in memory, up to a bound; nothing is raised."""

from __future__ import annotations

import math
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


class TakenOver(Exception):
    """Another process has opened the journal since."""


class AuxJournal:
    """Made for NAME.h5; goes on where another process ended. `add` only remembers, `write` touches the disk.

    Where readings break off stands one row with NaN, whoever breaks off: an instrument, or the process that
    wrote before. Who opened it last is its only writer: who did so before is refused, so that nothing late
    comes to stand behind the rows of a successor.

    trouble     why the disk did not take the last rows, "" if it did
    taken_over  another process writes it now
    reached_s   time of the last reading by sensor; None until the file was opened, by the first `write`
    """

    def __init__(self, path: Path) -> None:
        self.trouble, self.taken_over = "", False
        self.reached_s: dict[str, float] | None = None
        self._broken_off: set[str] = set()  # sensors whose last row is one with NaN
        self._epoch = 0
        self._path = aux_of(path)
        self._waiting: deque[Block] = deque(maxlen=MOST_BLOCKS_WAITING)
        self._batch: list[Block] = []  # taken out of those that wait, and not written yet
        self._db: sqlite3.Connection | None = None

    def add(self, sensor: str, readings: list[tuple[float, float, float]]) -> None:
        """readings: (time in s of the run, value, +- of the time in s), at least one."""
        rows = np.array(readings, READING)
        none = np.isnan(rows["value"])
        none_before = np.append(sensor in self._broken_off, none[:-1])
        rows = rows[~(none & none_before)]
        if len(rows):
            self._put(sensor, rows)
        (self._broken_off.add if none[-1] else self._broken_off.discard)(sensor)
        if self.reached_s is not None:
            self.reached_s[sensor] = readings[-1][0]

    def add_tie(self, tie: Tie) -> None:
        self._put(TIES, np.array([(tie.time_s, tie.monotonic, tie.error_s)], CLOCK_TIE))

    def _put(self, sensor: str, rows: npt.NDArray[np.void]) -> None:
        self._waiting.append(_block(sensor, rows))

    def write(self) -> None:
        """Everything added so far, as one transaction; `trouble` says why not. From one thread only."""
        while self._waiting and len(self._batch) < MOST_BLOCKS_WAITING:
            self._batch.append(self._waiting.popleft())
        try:
            db = self._opened()
            if self._batch:
                self._insert(db, self._batch)
        except TakenOver:
            self.taken_over = True
            return
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
                self._begin(db)
            except (sqlite3.Error, ValueError):
                db.close()
                raise
            self._db = db
        return self._db

    def _begin(self, db: sqlite3.Connection) -> None:
        """Be its writer, and say where the one before broke off: at the last reading that it wrote."""
        db.execute("BEGIN IMMEDIATE")
        db.execute(SCHEMA)
        epoch = _epoch(db) + 1
        db.execute(f"PRAGMA user_version = {epoch}")
        last = {sensor: _last(rows) for sensor, rows in db.execute(_NEWEST) if sensor != TIES}
        for sensor, row in last.items():
            if not math.isnan(row["value"]):
                db.execute(INSERT, _block(sensor, np.array([(row["time"], math.nan, 0.0)], READING)))
        db.execute("COMMIT")
        self._epoch, self._broken_off = epoch, self._broken_off | last.keys()
        self.reached_s = {sensor: float(row["time"]) for sensor, row in last.items()}

    def _insert(self, db: sqlite3.Connection, blocks: list[Block]) -> None:
        db.execute("BEGIN IMMEDIATE")
        try:
            if _epoch(db) != self._epoch:
                raise TakenOver
            db.executemany(INSERT, blocks)
            db.execute("COMMIT")
        except (sqlite3.Error, TakenOver):
            if db.in_transaction:
                db.rollback()
            raise


def _block(sensor: str, rows: npt.NDArray[np.void]) -> Block:
    packed = rows.tobytes()
    return sensor, checksum(sensor, packed), packed


def _epoch(db: sqlite3.Connection) -> int:
    """How many have opened it: a number in its header, which SQLite keeps for its users."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _last(rows: bytes) -> np.void:
    last: np.void = np.frombuffer(rows, READING)[-1]
    return last


def clear_away(path: Path) -> None:
    """What lies there is of a run whose file is gone: the run's own journal would say so."""
    for end in ("", "-wal", "-shm"):
        Path(f"{aux_of(path)}{end}").unlink(missing_ok=True)


class Writer(threading.Thread):
    """Writes the journal, so that a disk that takes its time holds up no value for the run."""

    def __init__(self, journal: AuxJournal) -> None:
        super().__init__(name="journal", daemon=True)
        self._journal = journal
        self._asked = threading.Event()
        self._leaving = False

    def run(self) -> None:
        while not self._leaving and not self._journal.taken_over:
            self._journal.write()
            self._asked.wait(WRITE_EVERY_s)
            self._asked.clear()
        self._journal.close()

    def write_now(self) -> None:
        """Does not wait for it."""
        self._asked.set()

    def leave(self) -> None:
        """What is left is written, if the disk takes it soon."""
        self._leaving = True
        self._asked.set()
        self.join(LEAVE_s)
