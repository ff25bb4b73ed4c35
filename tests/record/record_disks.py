"""Disks that are full, folder by folder, and the places where a run looks for room."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import record_rows as rows
from record_reading import rows_until_damage

from nakctl.record.journal import Journal
from nakctl.record.read import open_run
from nakctl.record.seal import seal
from nakctl.record.store import Store


def no_room() -> sqlite3.OperationalError:
    """As SQLite says it."""
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


class Usage(NamedTuple):
    total: int
    used: int
    free: int


class Disks:
    """Whose writes fail as they do on a full disk, in the folders that are `full`.

    run, data, temp, home  the folder of the run, and the further places where there may be room
    full                   folders; or files, which are refused where others are not. Who fills the journal
                           alone is told that there is no room in its folder
    """

    def __init__(self, folder: Path, patch: Any) -> None:
        self.run, self.data, self.temp, self.home = (
            folder / name for name in ("run", "data", "temp", "home")
        )
        for each in (self.run, self.temp, self.home):
            each.mkdir()
        self.path = self.run / "x.h5"
        self.full: set[Path] = set()
        patch.setenv("XDG_DATA_HOME", str(self.data))
        patch.setenv("HOME", str(self.home))
        patch.setattr("tempfile.tempdir", str(self.temp))
        create, write = Store.create, Store.write

        def created(file: Path, documents: Any) -> Store:
            self._refuse(file)
            return create(file, documents)

        def written(store: Store, *given: Any, durable: bool) -> None:
            self._refuse(store.file)
            write(store, *given, durable=durable)

        patch.setattr(Store, "create", created)
        patch.setattr(Store, "write", written)
        patch.setattr("shutil.disk_usage", self.usage)

    @property
    def journal(self) -> Path:
        return Path(f"{self.path}.journal")

    def fill(self, *places: Path) -> None:
        self.full |= set(places)

    def free(self) -> None:
        self.full.clear()

    def usage(self, place: Any) -> Usage:
        free = 0 if self._is_full(Path(place)) else 1 << 33
        return Usage(1 << 34, (1 << 34) - free, free)

    def rests(self) -> list[str]:
        """Folders of the files that are not at home."""
        places = {"run": self.run, "data": self.data / "nakctl", "temp": self.temp, "home": self.home}
        return [name for name, place in places.items() if any(place.glob("*.rest.journal"))]

    def litter(self) -> list[str]:
        return sorted(str(each.relative_to(self.run.parent)) for each in _files(self.run.parent))

    def _is_full(self, place: Path) -> bool:
        journal_is_refused = place == self.run and self.journal in self.full
        return journal_is_refused or any(each in self.full for each in (place, *place.parents))

    def _refuse(self, file: Path) -> None:
        if self._is_full(file):
            raise no_room()


def _files(folder: Path) -> Iterable[Path]:
    return (each for each in folder.rglob("*") if each.is_file())


def begun(disks: Disks, reads: int = 2) -> Journal:
    """With a chain, and its first reads at home."""
    writer = rows.journal_of_run(disks.path)
    writer.append(rows.opening())
    for k in range(reads):
        writer.append([rows.said(k * 10, 10)])
    return writer


def ended_and_sealed(disks: Disks, writer: Journal, count: int) -> None:
    """Nothing is missing, and nothing left over."""
    writer.end(rows.ended())
    writer.close()
    assert rows_until_damage(disks.path) == (count, "")
    outcome = seal(disks.path)
    assert (outcome.status, outcome.rows, outcome.message) == ("completed", count, "")
    with open_run(disks.path) as run:
        assert run.samples.I.tobytes() == rows.samples(0, count)["I"].tobytes()
    assert disks.litter() == ["run/x.h5"]
