"""The steps of a run, read from outside while it goes on: from its journal, and at last from its sealed file.

Both are booked by the same code, so a step is the same wherever it was read. Nothing is asked of the run, and
nothing of it is kept open: what cannot be read now is read the next time.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nakctl.booking.book import Book, Page
from nakctl.errors import RecordError
from nakctl.record.journal_reader import JournalReader
from nakctl.record.opening import opened
from nakctl.record.seal import batches
from nakctl.results.current import CONTROLLED

C_PER_Ah = 3600.0
_COLUMNS = ("time", "Ewe", "I", "Q", "control")  # of samples
_Row = tuple[float, ...]  # of these
_NONE: _Row = (math.nan,) * len(_COLUMNS)


@dataclass(frozen=True, slots=True)
class Step:
    """One executed step, as of its end, or as of its newest sample while it goes on.

    number     counts through the run, and never repeats; step_id: in the plan; label: "2.1 strip 0.2 mA/cm2"
    t0_s, t1_s  from where to where, in s from the start of the run; began_unix_s, seen_unix_s: the same times
               by the wall clock
    Ewe_V, I_A, Q_Ah  at its newest sample; Q_Ah: since the start of the run, net, > 0 stripped
    charge_Ah  its own
    set_A      the current that was set; 0 at rest; NaN: none was (a potential, a ramp ...)
    end_kind, end_reason  why it ended, as a code and as a sentence; "" while it goes on
    """

    number: int
    step_id: int
    cycle: int
    technique: str
    label: str
    t0_s: float
    t1_s: float
    began_unix_s: float
    seen_unix_s: float
    Ewe_V: float
    I_A: float
    Q_Ah: float
    charge_Ah: float
    set_A: float
    end_kind: str = ""
    end_reason: str = ""

    @property
    def is_over(self) -> bool:
        return bool(self.end_kind)


NO_STEP = Step(0, 0, 0, "", "", *(math.nan,) * 9)


class Feed:
    """Of one run. speed: of its clock against the wall clock's.

    over   the steps that have ended, in order; under_way: the one that goes on
    """

    def __init__(self, path: Path, speed: float) -> None:
        self.path, self.speed = path, speed
        self.over: list[Step] = []
        self.under_way: Step | None = None
        self._book: Book | None = None
        self._seq = 0
        self._lasts: dict[int, _Row] = {}  # the newest sample of each step, as long as it is asked for
        self._clock: list[tuple[float, float]] = []  # times of the run, and by the wall clock

    def look(self) -> None:
        """What the journal has by now."""
        with suppress(RecordError, OSError), closing(JournalReader(self.path)) as journal:
            if self._book is None:
                self._book = journal.book()
            for entries in batches(journal.entries(after=self._seq)):
                if entries:
                    self._take(self._book.take(entries))
                    self._seq = entries[-1].seq
            self.under_way = self._open_step(self._book)

    def finish(self, file: Path) -> None:
        """The rest, from the sealed file. RecordError: it cannot be read."""
        beyond = self.over[-1].number if self.over else 0
        with opened(file) as h5:
            entry = h5["entry"]
            table = {name: entry[f"steps/{name}"][()] for name in entry["steps"]}
            new = np.flatnonzero(table["step_count"] > beyond)
            rows = [{name: column[place] for name, column in table.items()} for place in new]
            if rows:
                first = table["first_row"][new].astype(np.int64)
                last = first + table["row_count"][new].astype(np.int64) - 1
                places, of_step = np.unique(last, return_inverse=True)  # HDF5 takes each once, in order
                columns = [entry[f"samples/{name}"][places.tolist()][of_step] for name in _COLUMNS]
                numbers = (int(row["step_count"]) for row in rows)
                self._lasts |= dict(zip(numbers, map(_plain, zip(*columns, strict=True)), strict=True))
            self._clock = list(zip(entry["clock/time"][()], entry["clock/unix_time"][()], strict=True))
            self.under_way = None
            self._close(rows)

    def unix_s(self, time_s: float) -> float:
        """The wall clock's time at a time of the run; NaN before anything is known."""
        if not self._clock:
            return math.nan
        place = bisect_right(self._clock, (time_s, math.inf)) - 1
        at_s, unix_s = self._clock[max(place, 0)]
        return float(unix_s + (time_s - at_s) / self.speed)

    def _take(self, page: Page) -> None:
        self._clock += [(float(at_s), float(unix_s)) for at_s, unix_s in page.tables.get("clock", ())]
        samples = page.tables.get("samples")
        if samples is not None:
            numbers = samples["step_count"]
            for row in samples[np.flatnonzero(np.append(numbers[1:] != numbers[:-1], True))]:
                self._lasts[int(row["step_count"])] = _plain(row[name] for name in _COLUMNS)
        self._close(page.tables.get("steps", ()))

    def _close(self, rows: Iterable[Any]) -> None:
        """rows: of the table of steps."""
        for row in rows:
            step = self._made(row, _text(row["end_kind"]), _text(row["end_reason"]))
            if self.over:  # the wall clock is read anew from time to time, and not in step with the run's
                before = self.over[-1].seen_unix_s
                began, seen = max(step.began_unix_s, before), max(step.seen_unix_s, before)
                step = replace(step, began_unix_s=began, seen_unix_s=seen)
            self.over.append(step)
            self._lasts.pop(self.over[-1].number - 1, None)

    def _open_step(self, book: Book) -> Step | None:
        """Its end is told when the next step has begun."""
        rows = book.ledger.open
        if not len(rows) or (self.over and self.over[-1].number >= rows[0]["step_count"]):
            return None
        return self._made(rows[0], "", "")

    def _made(self, row: Any, end_kind: str, end_reason: str) -> Step:
        number, technique = int(row["step_count"]), _text(row["technique"])
        time_s, Ewe_V, I_A, Q_Ah, control = self._lasts.get(number, _NONE)
        before_Ah = self._lasts.get(number - 1, _NONE)[3] if number > 1 else 0.0
        set_A = 0.0 if technique == "OCV" else control if technique in CONTROLLED else math.nan
        t0_s, t1_s = float(row["t_start"]), float(row["t_end"]) if end_kind else time_s
        return Step(
            number, int(row["step_id"]), int(row["cycle"]), technique, _text(row["label"]),
            t0_s, t1_s, self.unix_s(t0_s), self.unix_s(t1_s),
            Ewe_V, I_A, Q_Ah, Q_Ah - before_Ah, set_A, end_kind, end_reason,
        )  # fmt: skip


def _plain(values: Iterable[Any]) -> _Row:
    """As short as they can be written: a current of 0.1 mA that was kept as a single is 0.1 mA."""
    return tuple(float(str(value)) for value in values)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
