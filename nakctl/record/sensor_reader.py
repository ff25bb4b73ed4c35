"""The reading end of NAME.h5.aux, into which the sensors' process writes.

The run's own journal takes its blocks over while both go on, so that it is whole without this file; what
came last may be here alone. Without it, or with a damaged one, the run itself is whole.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from nakctl.booking.entry import Entry
from nakctl.device.sensor_journal import SELECT, aux_of, checksum


class SensorReader:
    """What the sensors' process has written so far, after block number `after`.

    damage  why not all of it can be read, "" if it can
    """

    def __init__(self, path: Path, after: int = 0) -> None:
        self.damage = ""
        self._path = aux_of(path)
        self._seq = after
        self._db: sqlite3.Connection | None = None

    def entries(self) -> Iterator[Entry]:
        """Blocks that are new since the last time, as entries `sensed`."""
        try:
            if self._db is None and not self._opened():
                return
            assert self._db is not None
            while batch := self._db.execute(SELECT, (self._seq,)).fetchall():
                for seq, sensor, crc, rows in batch:
                    if checksum(sensor, rows) != crc:
                        self.damage = f"the checksum of block {seq} is wrong"
                        return
                    self._seq = seq
                    yield Entry("sensed", facts={"sensor": sensor, "block": seq}, raw=rows)
        except (sqlite3.Error, ValueError, TypeError, AttributeError) as error:
            self.damage = str(error)

    def close(self) -> None:
        if self._db is not None:
            self._db.close()

    def _opened(self) -> bool:
        """False as long as the sensors' process has not begun."""
        if not self._path.exists():
            return False
        # The thread that writes the record opens and reads it, and when that is over the run's own closes it.
        uri = f"{self._path.resolve().as_uri()}?mode=ro"
        db = sqlite3.connect(uri, uri=True, timeout=5.0, check_same_thread=False)
        if not db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'block'").fetchone()[0]:
            db.close()
            return False
        self._db = db
        return True
