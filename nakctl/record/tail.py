"""What a run has recorded lately, for who only looks: its rows, its last spectrum, what was worth a line.

Each look opens the journal, reads a part of it that is bounded in time, and closes it. So it costs the run
nothing, and its log never waits for who looks. Nothing is booked: rows lie where their chains began, and of
those before the first look an even choice is read, the newest first. Imports no numpy.
"""

from __future__ import annotations

import json
import math
import sqlite3
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nakctl.booking.event import Event, event_of_asked
from nakctl.device import program_json
from nakctl.device.program import Eis, Node, Program, Segment, node_at, points_of_spectrum
from nakctl.errors import RecordError
from nakctl.record import files, peek

NEWEST = 2000  # entries that are read at the first look
PAST = 3000  # reads before these that are looked at, evenly spread
NEW_s, PAST_s = 0.1, 0.03  # what one look may take
VERSION = 2  # of journals that hold what the channel said; of an older one no rows are shown

Row = tuple[float, float, float]  # time_s of the run, Ewe_V, I_A
Point = tuple[float, float, float]  # frequency_Hz, Z_re_ohm, Z_im_ohm

_AT_A_TIME = 200  # entries in one transaction
_CHAINS = 64  # that are remembered
_BEFORE_A_CHAIN = 300  # entries within which its start is settled
_SEARCHED = 5000  # entries that one look goes back in search of a spectrum
_OF_A_SPECTRUM = 20_000, 500  # how many entries it may lie in, and how many of those with points
_COLUMNS = "seq, kind, segment, time_s, facts, samples, points"
_CODES = {"<f8": "d", "<f4": "f", "<u2": "H", "<u4": "I", "<i2": "h", "<u8": "Q", "<i4": "i", "|u1": "B"}
_TROUBLES = (
    sqlite3.Error, OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, struct.error,
)  # fmt: skip


@dataclass(slots=True)
class News:
    """What came since the last look, and of what was there before the first one.

    rows    in no order
    events  worth a look (severity 1 and up), in their order
    """

    rows: list[Row] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


@dataclass(slots=True)
class _Chain:
    """start_s of its first technique, in the time of the run; segment None: the program is not known."""

    start_s: float = math.nan
    segment: Segment | None = None


class Tail:
    """Of one run. back_s: how far back rows are wanted.

    spectrum  the last one that is complete; (): there is none
    """

    def __init__(self, path: Path, run_id: str = "", back_s: float = math.inf) -> None:
        self.path, self.run_id, self.back_s = path, run_id, back_s
        self.spectrum: tuple[Point, ...] = ()
        self._seq = -1  # of the newest entry that was read; -1: none was
        self._past: Iterator[tuple[int, int]] = iter(())
        self._samples = self._points = _Layout([])
        self._program: Program | None = None
        self._replaced: list[tuple[int, tuple[Node, ...]]] = []  # (entry, what was left from there on)
        self._chains: dict[int, _Chain] = {}
        self._sweeps = _Sweeps()
        self._searched = 0  # down to this entry no spectrum was found

    def look(self, has_spectra: bool = False) -> News:
        """has_spectra: the run has told of some. What cannot be read now is read the next time."""
        news = News()
        with suppress(*_TROUBLES):
            if self._seq < 0 and not self._begin():
                return news
            for file in (files.journal_of(self.path), *files.rests_of(self.path, self.run_id)):
                if file.is_file():
                    with peek.looking(file) as db:
                        self._read_newest(db, news)
            with peek.looking(files.journal_of(self.path)) as db:
                self._read_past(db, news)
                if has_spectra and not self.spectrum:
                    self._search_spectrum(db)
        return news

    def _begin(self) -> bool:
        """Whether there are rows that can be read."""
        header = peek.header(self.path)
        if header is None or header.get("journal") != VERSION:
            return False
        self.run_id = str(header.get("run_id", self.run_id))
        self._samples, self._points = (_Layout(header["rows"][name]) for name in ("samples", "points"))
        with suppress(RecordError):
            self._program = program_json.load(peek.program(self.path) or {})
        with peek.looking(files.journal_of(self.path)) as db:
            last = db.execute("SELECT max(seq) FROM entry").fetchone()[0]
            if last is None:
                return False
            newest = max(0, last - NEWEST)
            first = 1 if math.isinf(self.back_s) else self._first_within(db, last)
        self._seq, self._searched = newest, newest
        stride = max(1, (newest - first) // PAST + 1)
        self._past = iter([(seq, seq + stride) for seq in range(newest - stride + 1, first - 1, -stride)])
        return True

    # --- reading ---------------------------------------------------------------------------------------

    def _read_newest(self, db: sqlite3.Connection, news: News) -> None:
        until = time.monotonic() + NEW_s
        select = f"SELECT {_COLUMNS} FROM entry WHERE seq > ? ORDER BY seq LIMIT {_AT_A_TIME}"
        while time.monotonic() < until:
            entries = db.execute(select, (self._seq,)).fetchall()
            for each in (self._take_chain, self._take):  # at first where rows lie: that is told after them
                for entry in entries:
                    with suppress(*_TROUBLES):  # one that makes no sense is left out, and not read again
                        each(db, entry, news)
            self._seq = entries[-1][0] if entries else self._seq
            if len(entries) < _AT_A_TIME:
                return

    def _read_past(self, db: sqlite3.Connection, news: News) -> None:
        until = time.monotonic() + PAST_s
        select = (
            f"SELECT {_COLUMNS} FROM entry WHERE seq >= ? AND seq < ? AND kind = 'said' ORDER BY seq LIMIT 1"
        )
        while time.monotonic() < until and (place := next(self._past, None)) is not None:
            for _, _, number, _, _, samples, points in db.execute(select, place).fetchall():
                with suppress(*_TROUBLES):
                    news.rows += self._rows(self._chain(db, number), samples, points)

    def _take_chain(self, db: sqlite3.Connection, entry: Sequence[Any], news: News) -> None:
        seq, kind, number, time_s, packed, *_ = entry
        if kind in ("meant", "began"):
            self._note_chain(seq, kind, number, time_s, json.loads(packed))
        elif kind == "program":
            with suppress(RecordError):
                self._replaced.append((seq, program_json.load_nodes(json.loads(packed)["program"])))

    def _take(self, db: sqlite3.Connection, entry: Sequence[Any], news: News) -> None:
        _, kind, number, time_s, packed, samples, points = entry
        if kind == "said":
            chain = self._chain(db, number)
            news.rows += self._rows(chain, samples, points)
            self._add_points(self._sweeps, number, points)
            self.spectrum = self._sweeps.complete or self.spectrum
            if packed is not None and b'"notices"' in packed:
                for after_s, severity, code, message, facts in json.loads(packed)["notices"]:
                    at_s = math.nan if after_s is None else chain.start_s + after_s
                    self._worth(news, Event(at_s, severity, code, 0, message, facts))
        elif kind == "event":
            told = json.loads(packed)
            self._worth(news, Event(_number(time_s), told["severity"], told["code"], 0, told["message"]))
        elif kind == "asked":
            self._worth(news, event_of_asked(_number(time_s), 0, json.loads(packed)))

    @staticmethod
    def _worth(news: News, event: Event | None) -> None:
        if event is not None and event.severity > 0:
            news.events.append(event)

    def _rows(self, chain: _Chain, samples: bytes | None, points: bytes | None) -> list[Row]:
        """Each frequency of a spectrum is a sample as well, of its DC values."""
        start_s = chain.start_s
        found = self._samples.rows(samples, "time_s", "Ewe_V", "I_A")
        found += self._points.rows(points, "time_s", "E_dc_V", "I_dc_A")
        return [(start_s + time_s, Ewe_V, I_A) for time_s, Ewe_V, I_A in found]

    # --- chains ----------------------------------------------------------------------------------------

    def _chain(self, db: sqlite3.Connection, number: int) -> _Chain:
        """If nothing was read of its beginning, that is looked for."""
        if number not in self._chains:
            self._chain_of(number)
            first = self._first_of(db, number)
            select = (
                "SELECT seq, kind, time_s, facts FROM entry WHERE seq >= ? AND seq < ? AND segment = ? "
                "AND kind IN ('meant', 'began') ORDER BY seq"
            )
            for seq, kind, time_s, packed in db.execute(
                select, (first, first + _BEFORE_A_CHAIN, number)
            ).fetchall():
                self._note_chain(seq, kind, number, time_s, json.loads(packed))
        return self._chains[number]

    def _note_chain(self, seq: int, kind: str, number: int, time_s: float, facts: Mapping[str, Any]) -> None:
        chain = self._chain_of(number)
        if kind == "began":
            chain.start_s = facts["time_s"]
        elif facts["verb"] == "start":
            chain.start_s = time_s  # about, until it is settled
        elif facts["verb"] == "load" and self._program is not None:
            nodes = [left for at, left in self._replaced if at < seq] or [self._program.nodes]
            with suppress(IndexError, AssertionError):  # it is of what was left at an entry that was not read
                node = node_at(nodes[-1], [index for index, _ in facts["position"]])
                chain.segment = node if isinstance(node, Segment) else None

    def _chain_of(self, number: int) -> _Chain:
        if number not in self._chains:
            self._chains[number] = _Chain()
            if len(self._chains) > _CHAINS:
                del self._chains[next(iter(self._chains))]
        return self._chains[number]

    @staticmethod
    def _first_of(db: sqlite3.Connection, number: int) -> int:
        """Number of the first entry of a chain, by halves: those of one chain follow each other."""
        select = "SELECT seq, segment FROM entry WHERE seq >= ? AND segment > 0 ORDER BY seq LIMIT 1"
        low, high = 1, db.execute("SELECT max(seq) FROM entry").fetchone()[0]
        while low < high:
            middle = (low + high) // 2
            found = db.execute(select, (middle,)).fetchone()
            if found is None or found[1] >= number:
                high = middle
            else:
                low = found[0] + 1
        return int(low)

    def _first_within(self, db: sqlite3.Connection, last: int) -> int:
        """Number of the first entry that is not longer ago than rows are wanted."""
        select = "SELECT seq, time_s FROM entry WHERE seq >= ? AND kind = 'said' ORDER BY seq LIMIT 1"
        newest = db.execute(
            "SELECT time_s FROM entry WHERE kind = 'said' ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        if newest is None or newest[0] is None:
            return 1
        low, high = 1, last
        while low < high:
            middle = (low + high) // 2
            found = db.execute(select, (middle,)).fetchone()
            if found is None or _number(found[1]) >= newest[0] - self.back_s:
                high = middle
            else:
                low = found[0] + 1
        return low

    # --- spectra ---------------------------------------------------------------------------------------

    def _add_points(self, sweeps: _Sweeps, number: int, packed: bytes | None) -> None:
        segment = self._chains[number].segment if number in self._chains else None
        names = ("technique", "passes", "frequency_Hz", "Z_re_ohm", "Z_im_ohm")
        for technique, passes, *point in self._points.rows(packed, *names):
            sweeps.add((number, technique, passes), segment, tuple(point))

    def _search_spectrum(self, db: sqlite3.Connection) -> None:
        """The last one before the first look, a part of the journal at a time."""
        if self._searched <= 0:
            return
        low = max(0, self._searched - _SEARCHED)
        select = "SELECT max(seq) FROM entry WHERE seq > ? AND seq <= ? AND points IS NOT NULL"
        found = db.execute(select, (low, self._searched)).fetchone()
        self._searched = low
        if found[0] is None:
            return
        within, most = _OF_A_SPECTRUM
        select = (
            "SELECT segment, points FROM entry WHERE seq > ? AND seq <= ? AND points IS NOT NULL "
            "ORDER BY seq DESC LIMIT ?"
        )
        sweeps = _Sweeps()
        for number, points in reversed(db.execute(select, (found[0] - within, found[0], most)).fetchall()):
            self._chain(db, number)
            self._add_points(sweeps, number, points)
        self.spectrum = sweeps.complete
        if self.spectrum:
            self._searched = 0


class _Sweeps:
    """Points one after the other -> the last complete spectrum, by the rule of `booking.spectra`."""

    def __init__(self) -> None:
        self.complete: tuple[Point, ...] = ()
        self._open: list[Point] = []
        self._expected = 0
        self._last: tuple[int, int, int] | None = None

    def add(self, key: tuple[int, int, int], segment: Segment | None, point: Any) -> None:
        """key: chain, technique, passes."""
        if key != self._last:
            each = segment.techniques[key[1]] if segment is not None else None
            if not (isinstance(each, Eis) and each.continues and self._last is not None):
                self._open = []
                self._expected = 0 if segment is None else points_of_spectrum(segment, key[1])
            self._last = key
        self._open.append(point)
        if len(self._open) == self._expected:
            self.complete = tuple(self._open)


class _Layout:
    """Packed rows, as the header of a journal describes them: [[name, "<f8"], ...]."""

    def __init__(self, columns: Sequence[Sequence[str]]) -> None:
        self._struct = struct.Struct("<" + "".join(_CODES[code] for _, code in columns))
        self._places = {name: place for place, (name, _) in enumerate(columns)}

    def rows(self, packed: bytes | None, *names: str) -> list[tuple[Any, ...]]:
        if not packed:
            return []
        places = [self._places[name] for name in names]
        return [tuple(row[place] for place in places) for row in self._struct.iter_unpack(packed)]


def _number(value: float | None) -> float:
    return math.nan if value is None else value
