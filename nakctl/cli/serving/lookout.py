"""Which runs there are, and how they do: looked at when somebody asks, and not more often than that helps.

It costs the runs what `nakctl watch` costs them: nothing is asked of them, and a look reads for a tenth of a
second at the most. What is kept is bounded, and forgotten when nobody looks any more.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nakctl.cli.health import look
from nakctl.cli.screen.watched import Watched
from nakctl.cli.serving import words
from nakctl.cli.which_run import known_runs, of_header
from nakctl.record import files, peek
from nakctl.record.registry import KnownRun
from nakctl.record.standing import sealed_file

FRESH_s = 0.8  # a look is not repeated sooner, however many ask
FORGOTTEN_s = 60.0  # a run that nobody has looked at for so long is not followed any more
FOLLOWED = 16  # runs at a time
SPECTRA = 3  # the last ones
ENDED, FINISHED = 200, 500  # runs that ended while we looked; files of a folder, the newest first


@dataclass(slots=True)
class Followed:
    """A run that has a page of its own open."""

    watched: Watched
    asked_s: float = 0.0
    looked_s: float = -FRESH_s
    told: dict[str, Any] = field(default_factory=dict)
    spectra: deque[tuple[str, Any]] = field(default_factory=lambda: deque(maxlen=SPECTRA))

    def look(self) -> None:
        try:
            self._look()
        except words.TROUBLES:
            self.told = {**words.NOTHING_YET, **self.told, **words.unreadable(self.watched.run)}

    def _look(self) -> None:
        """A run without its program may find another one, or be stopped: who looks sees that."""
        known = self.watched
        if known.is_over and not known.is_sealed and look(known.run).health.word != known.health.word:
            self.watched = Watched(known.run)
        self.watched.look()
        points = self.watched.tail.spectrum
        if points and (not self.spectra or self.spectra[-1][1] != points):
            self.spectra.append((time.strftime("%H:%M:%S"), points))
        self.told = words.page_of(self.watched, self.spectra)


class Lookout:
    """folder: None: all runs of this user on this computer; else those whose file lies in it or below, and
    the files in it of runs that are over.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = None if folder is None else folder.resolve()
        self._runs: OrderedDict[str, KnownRun] = OrderedDict()  # all that were seen, by id
        self._live: set[str] = set()
        self._hung: set[str] = set()
        self._followed: dict[str, Followed] = {}
        self._wall: dict[str, Any] = {}
        self._wall_s = -FRESH_s

    def wall(self) -> dict[str, Any]:
        """Runs that go on or were left, those that have ended since, and files of others."""
        if time.monotonic() - self._wall_s > FRESH_s:
            live = self._find()
            cards = [self._card(run) for run in live]
            self._live = {run.run_id for run in live}
            self._wall = {"runs": cards, "ended": self._ended(), "files": list(self._finished())}
            self._wall_s = time.monotonic()
        return self._wall

    def page(self, run_id: str) -> dict[str, Any] | None:
        """None: there is no such run."""
        self._forget()
        run = self.run(run_id)
        if run is None:
            return None
        known = self._followed.get(run_id)
        if known is None:
            self._make_room()
            known = self._followed[run_id] = Followed(Watched(run))
        known.asked_s = time.monotonic()
        if known.asked_s - known.looked_s > FRESH_s:
            known.look()
            known.looked_s = time.monotonic()
        return known.told

    def run(self, run_id: str) -> KnownRun | None:
        if run_id not in self._runs:
            self.wall()
        return self._runs.get(run_id)

    def file(self, run_id: str) -> Path | None:
        """Of which a report can be made: of a run that was seen and is sealed, or of a finished file.

        What is not sealed is left to who may do more than look.
        """
        if (run := self.run(run_id)) is not None:
            return None if files.journal_of(run.path).exists() else sealed_file(run.path)
        return next((path for path in self._files() if _id_of(path) == run_id), None)

    # --- which runs ------------------------------------------------------------------------------------

    def _find(self) -> list[KnownRun]:
        found = {run.run_id: run for run in known_runs() if self._is_here(run.path)}
        for run in self._unlisted({run.path for run in found.values()}):
            found.setdefault(run.run_id, run)
        self._runs.update(found)
        over = [run_id for run_id in self._runs if run_id not in found]
        for run_id in over[: max(0, len(over) - ENDED)]:
            del self._runs[run_id]
        return list(found.values())

    def _unlisted(self, listed: set[Path]) -> Iterator[KnownRun]:
        """Journals in the folder that the list of this user does not have: of others, or of before."""
        if self.folder is None:
            return
        with suppress(OSError):
            for journal in sorted(self.folder.glob("*.h5.journal")):
                path = journal.with_name(journal.name.removesuffix(".journal"))
                header = None if path in listed else peek.header(path)
                if header is not None:
                    yield of_header(path, header)

    def _is_here(self, path: Path) -> bool:
        return self.folder is None or path.is_relative_to(self.folder)

    def _files(self) -> list[Path]:
        """Of runs that are over, the newest first."""
        if self.folder is None:
            return []
        found: list[tuple[float, Path]] = []
        with suppress(OSError):
            for path in self.folder.glob("*.h5"):
                with suppress(OSError):
                    found.append((path.stat().st_mtime, path))
        return [path for _, path in sorted(found, reverse=True)[:FINISHED]]

    def _finished(self) -> Iterator[dict[str, Any]]:
        seen = {sealed_file(run.path) for run in self._runs.values()}
        for path in self._files():
            if path not in seen and not files.journal_of(path).exists():
                with suppress(OSError):
                    changed = time.strftime("%Y-%m-%d %H:%M", time.localtime(path.stat().st_mtime))
                    yield {"id": _id_of(path), "file": path.name, "changed": changed}

    # --- how they do -----------------------------------------------------------------------------------

    def _card(self, run: KnownRun) -> dict[str, Any]:
        """One of which nothing can be understood hides none of the others."""
        try:
            return {"id": run.run_id, **self._told(run)}
        except words.TROUBLES:
            return {"id": run.run_id, **words.unreadable(run)}

    def _told(self, run: KnownRun) -> dict[str, Any]:
        """Who seems to hang is believed at the second look: this computer may have slept."""
        seen = look(run)
        word, text = seen.health.word, seen.health.text
        hung_before = run.run_id in self._hung
        self._hung.discard(run.run_id)
        if word == "HUNG":
            self._hung.add(run.run_id)
            word, text = (word, text) if hung_before else ("running", "")
        state = {**asdict(run), **(seen.state or {})}
        return words.card(seen, state, word, text)

    def _ended(self) -> list[dict[str, Any]]:
        """Those that were seen to go on, are over, and whose file is there; the newest first."""
        over = [run for run_id, run in self._runs.items() if run_id not in self._live]
        return [
            {"id": run.run_id, "title": run.protocol or "a run", "about": run.cell, "file": run.path.name}
            for run in reversed(over)
            if sealed_file(run.path).is_file()
        ]

    def _forget(self) -> None:
        now_s = time.monotonic()
        for run_id in [each for each, one in self._followed.items() if now_s - one.asked_s > FORGOTTEN_s]:
            del self._followed[run_id]

    def _make_room(self) -> None:
        while len(self._followed) >= FOLLOWED:
            del self._followed[min(self._followed, key=lambda each: self._followed[each].asked_s)]


def _id_of(path: Path) -> str:
    return hashlib.sha256(str(path).encode("utf-8", "surrogatepass")).hexdigest()[:24]
