"""Blocks of rows, in the order in which the channel hands them over -> rows that know their place.

A *visit* is one execution of one technique of the chain. Blocks do not number their visits: a new one shows
in another technique, another count of the loops, or another start time, whichever the instrument gives.
Rows are in the order of time within a visit only: the last one of a technique may lie a little behind the
first one of the next. It may also come behind it, in a block of its own. So a small block that begins a visit
while the last row of the one before is not there yet is held back for one read; rows that come even later
have no place any more, and are told.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nakctl.device.channel import POINT, SAMPLE, Notice, Rows, Visit
from nakctl.device.instrument import Instrument
from nakctl.device.program import Done, Ece_is_shown, Eis, Loop, Segment
from nakctl.device.techniques import timebase_of
from nakctl.errors import ChannelError
from nakctl_biologic.codes import Board
from nakctl_biologic.data_words import timebase
from nakctl_biologic.entries import techniques_of
from nakctl_biologic.errors import RowError
from nakctl_biologic.executions import Execution, Executions, place_of, start_of
from nakctl_biologic.flags import point_flags, ranges_of, sample_flags
from nakctl_biologic.layouts import IMPEDANCE
from nakctl_biologic.news import News, by_change, gap, successors
from nakctl_biologic.params import Loaded
from nakctl_biologic.raw import packed, unpacked
from nakctl_biologic.rows import Block, layout_of, point_rows, sample_rows

COARSE = 2.0**-22  # of the times of points, which are singles: so much of itself each may lie too early
LATE_SAMPLE = ("time_s", "Ewe_V", "I_A")
LATE_POINT = ("time_s", "frequency_Hz", "Z_re_ohm", "Z_im_ohm", "E_dc_V", "I_dc_A")
SEAM_TICKS = 4  # that may lie between two rows with nothing missing in between
# A late row lies behind the first few rows of a visit, not behind many; and a memo has to hold what is held.
MOST_HELD_WORDS = 150
MOST_VISITS = 60  # that a memo has room for; those of a longer chain, which has no loops, come once each


@dataclass(slots=True)
class Taken:
    """What one block holds: samples of SAMPLE, points of POINT. unfit: why none of its rows are here. raw:
    the words behind them, where they are kept."""

    samples: Rows = field(default_factory=lambda: np.zeros(0, SAMPLE))
    points: Rows = field(default_factory=lambda: np.zeros(0, POINT))
    notices: list[Notice] = field(default_factory=list)
    unfit: ChannelError | None = None
    raw: bytes = b""

    def __add__(self, later: Taken) -> Taken:
        return Taken(
            np.concatenate([self.samples, later.samples], dtype=SAMPLE),
            np.concatenate([self.points, later.points], dtype=POINT),
            self.notices + later.notices,
            self.unfit or later.unfit,
            self.raw + later.raw,
        )


class Visits:
    """The rows of one loaded segment, from its start to its end."""

    def __init__(
        self, segment: Segment, loaded: tuple[Loaded, ...], instrument: Instrument, board: Board
    ) -> None:
        self._segment = segment
        self._loaded = loaded
        self._board = board
        techniques = {at: each for at, each in enumerate(segment.techniques) if not isinstance(each, Loop)}
        self._techniques: dict[int, Done] = techniques  # those with rows, by their place in the chain
        self._places = techniques_of(segment.techniques)  # of each entry of the channel
        self._timebases = {at: timebase_of(each, instrument) for at, each in techniques.items()}
        self._half_cells = instrument.half_cells
        self.Ece_shown = Ece_is_shown(segment)
        self._ranges = {at: ranges_of(each.hardware, instrument) for at, each in techniques.items()}
        self._executions = Executions(MOST_VISITS if len(segment.techniques) > MOST_VISITS else None)
        self._held: tuple[Block, int] | None = None  # with the reads before it that were not answered
        self._news = News()
        self.last_s = 0.0

    @property
    def newest(self) -> Visit | None:
        """That of the newest row; None: there was none yet."""
        visit = self._visit
        return None if visit is None else Visit(visit.technique, visit.passes, visit.start_s)

    def placed(self, block: Block) -> Block:
        """As it comes from the channel, which counts entries: a block of a technique of the chain."""
        if block.n_rows == 0 or len(self._places) == len(self._segment.techniques):
            return block
        known = 0 <= block.technique < len(self._places)
        beyond = len(self._segment.techniques) + block.technique  # fits nothing
        return replace(block, technique=self._places[block.technique] if known else beyond)

    @property
    def holds(self) -> bool:
        """Whether a block waits for the next read."""
        return self._held is not None

    @property
    def _visit(self) -> Execution | None:
        return self._executions.under_way

    def hear(self, block: Block, unanswered: int = 0) -> Taken:
        """The rows that may be handed over after a read; a block without rows: it brought none. unanswered:
        as in `take`."""
        if block.n_rows == 0:
            return self.release()
        try:
            return self.take(block, unanswered)
        except ChannelError as error:
            return replace(self.release(), unfit=error)

    def take(self, block: Block, unanswered: int = 0) -> Taken:
        """The rows that may be handed over now that this block came. unanswered: reads before it that may
        have taken rows away.

        RowError: it does not fit what was loaded; a block that was held is still held.
        """
        self._must_fit(block)
        if self.holds and self._is_of(block, self._visit):
            return self._take(block, unanswered) + self.release()
        taken = self.release()
        if self._may_overtake(block):
            self._held = block, unanswered
            return taken
        return taken + self._take(block, unanswered)

    def release(self) -> Taken:
        """What was held back: nothing that belongs before it came in the meantime."""
        held, self._held = self._held, None
        return Taken() if held is None else self._take(*held)

    def _take(self, block: Block, unanswered: int) -> Taken:
        technique = self._techniques[block.technique]
        taken = Taken()
        taken.notices += self._news.skipped(block.lost, self.last_s)
        if self._is_late(block):
            taken.notices.append(self._too_late(block))
            return taken
        before = None if self._visit is None else replace(self._visit)
        if block.process == IMPEDANCE:
            self._take_points(block, technique, taken)
        else:
            self._take_samples(block, technique, taken)
        if unanswered and not self._joins(before, taken):
            taken.notices += self.missing(unanswered)
        taken.notices += self._news.overloads(taken.samples) + self._news.overloads(taken.points)
        taken.notices += self.overflow(block, block.technique)
        return taken

    def overflow(self, block: Block, technique: int | None = None) -> list[Notice]:
        """What the channel says of its converters. technique: of the block's rows; without any the newest."""
        if technique is None:
            technique = 0 if self._visit is None else self._visit.technique
        return self._news.overload(self.last_s, block.overflow, technique)

    def finish(self) -> list[Notice]:
        """The chain came to its end by itself: what the last visit lacks."""
        return self._incomplete(self._visit)

    def _must_fit(self, block: Block) -> None:
        if block.technique in self._techniques and self._loaded[block.technique].id == block.id:
            layout_of(block, self._board, self._loaded[block.technique].extras)
            return
        ids = [each.id and int(each.id) for each in self._loaded]
        raise RowError(
            f"rows come from technique {block.technique} with the id {block.id}, but the chain loaded has "
            f"the ids {ids}: another program may have loaded the channel"
        )

    def _take_samples(self, block: Block, technique: Done, taken: Taken) -> None:
        ranges = self._ranges[block.technique]
        base_s = self._timebase_s(block, taken.notices)
        extras = self._loaded[block.technique].extras
        rows = sample_rows(block, self._board, base_s, ranges.current.code, extras)
        visit = self._enter(block, taken.notices)
        rows["passes"] = visit.passes
        rows["flags"] = sample_flags(rows, technique, ranges)
        taken.notices += self._news.in_disorder(rows, visit.sample_s, self.last_s)
        visit.sample_s = float(rows["time_s"][-1])
        self.last_s = max(self.last_s, visit.sample_s)
        taken.samples = rows

    def _take_points(self, block: Block, technique: Done, taken: Taken) -> None:
        assert isinstance(technique, Eis)  # others have no layout for process 1
        ranges = self._ranges[block.technique]
        rows = self._points(block)
        rows["flags"] = point_flags(rows, technique, ranges)
        begin = 0
        while begin < len(rows):
            visit = self._enter(block, taken.notices, full=technique.n_frequencies)
            end = min(len(rows), begin + technique.n_frequencies - visit.points)
            part = rows[begin:end]
            part["passes"] = visit.passes
            near = part["time_s"][0] >= visit.sample_s * (1.0 - COARSE)
            from_s = visit.last_s if near else visit.point_s
            taken.notices += self._news.in_disorder(part, from_s, self.last_s, COARSE)
            visit.point_s = float(part["time_s"][-1])
            self.last_s = max(self.last_s, visit.point_s)
            visit.points += len(part)
            begin = end
        taken.points = rows

    # --- visits ----------------------------------------------------------------------------------------

    def _enter(self, block: Block, notices: list[Notice], full: int | None = None) -> Execution:
        """The visit that a block belongs to. full: that many points are all that one visit can have."""
        visit = self._visit
        if visit is not None and place_of(block) == visit.place and visit.points != full:
            return visit
        start_s = start_of(block)
        notices += self._incomplete(visit)
        notices += self._skipped(block)
        is_absolute = block.process == IMPEDANCE  # the time of a point
        if visit is not None and not is_absolute and start_s <= min(visit.start_s, self.last_s):
            notices += self._news.goes_back(block.technique, start_s, self.last_s)
        return self._executions.begin(block)

    def leaps(self, block: Block) -> bool:
        """Whether its rows are of what cannot follow: of a technique that is not next, or a time gone by."""
        visit = self._visit
        if block.n_rows == 0 or block.technique not in self._techniques or self._is_late(block):
            return False
        if visit is None or place_of(block) == visit.place:
            return False
        may_follow = block.technique in successors(self._segment.techniques, visit.technique)
        return not may_follow or 0.0 < start_of(block) < visit.start_s

    def _is_of(self, block: Block, visit: Execution | None) -> bool:
        """Whether it belongs to a visit that others followed. A start that was told does not come again."""
        if visit is None or place_of(block) != visit.place or self._is_whole(block, visit):
            return False
        return visit.start_s > 0.0 or self._first_s(block) > visit.last_s

    def _is_whole(self, block: Block, visit: Execution) -> bool:
        """Whether these would be more points than the visit can have."""
        technique = self._techniques[visit.technique]
        if block.process != IMPEDANCE or not isinstance(technique, Eis):
            return False
        return visit.points >= technique.n_frequencies

    def _is_late(self, block: Block) -> bool:
        """Whether it belongs to a visit that is over."""
        visit, older = self._visit, (self._executions.before, self._executions.latest(block.technique))
        if visit is None or place_of(block) == visit.place:
            return False
        return any(
            each is not None and visit.start_s > each.start_s and self._is_of(block, each) for each in older
        )

    def _may_overtake(self, block: Block) -> bool:
        """Whether it begins a visit, and the one before may still have rows to come: its last ones lack."""
        visit, start_s = self._visit, start_of(block)
        if visit is None or start_s <= visit.start_s or self._is_late(block):
            return False
        if len(block.words) > MOST_HELD_WORDS:
            return False
        technique = self._techniques[visit.technique]
        if isinstance(technique, Eis):
            return visit.points < technique.n_frequencies
        return start_s - visit.last_s > SEAM_TICKS * self._timebases[visit.technique]

    def _rows(self, block: Block) -> Rows:
        if block.process == IMPEDANCE:
            return self._points(block)
        code, extras = self._ranges[block.technique].current.code, self._loaded[block.technique].extras
        return sample_rows(block, self._board, self._timebases[block.technique], code, extras)

    def _points(self, block: Block) -> Rows:
        half_cells = self._half_cells and self._techniques[block.technique].hardware.Ece
        code = self._ranges[block.technique].current.code
        return point_rows(block, self._board, code, half_cells=half_cells)

    def _first_s(self, block: Block) -> float:
        return float(self._rows(block)["time_s"][0])

    def _too_late(self, block: Block) -> Notice:
        """They have no place among the rows any more: the record keeps them here."""
        rows = self._rows(block)
        names = LATE_POINT if block.process == IMPEDANCE else LATE_SAMPLE
        text = (
            f"{len(rows)} row(s) of technique {block.technique} came after rows of what followed it: they "
            f"are kept in this message alone"
        )
        facts = {name: rows[name].tolist() for name in names}
        return Notice(self.last_s, 1, "gap", text, {"technique": block.technique, "loop": block.loop} | facts)

    def _incomplete(self, visit: Execution | None) -> list[Notice]:
        """A spectrum that ended without all its frequencies."""
        technique = None if visit is None else self._techniques[visit.technique]
        if visit is None or not isinstance(technique, Eis) or visit.points >= technique.n_frequencies:
            return []
        missing = technique.n_frequencies - visit.points
        text = f"{missing} of {technique.n_frequencies} frequencies did not come"
        return [gap(visit.last_s, text, technique=visit.technique, passes=visit.passes, missing=missing)]

    def _skipped(self, block: Block) -> list[Notice]:
        """Techniques in between of which no row came."""
        before = -1 if self._visit is None else self._visit.technique
        if block.technique in successors(self._segment.techniques, before):
            return []
        text = f"no row came of what ran between technique {before} and technique {block.technique}"
        return [gap(self.last_s, text, before=before, technique=block.technique)]

    # --- for whoever goes on with the segment ---------------------------------------------------------

    def memo(self) -> dict[str, Any]:
        """All that the next block is judged by, as JSON values: up to 3.5 kB for a chain of 60 techniques."""
        held = "" if self._held is None else b64encode(packed(*self._held)).decode("ascii")
        return {**self._executions.memo(), "held": held, "last_s": self.last_s, "news": self._news.memo()}

    def recall(self, memo: Mapping[str, Any]) -> None:
        """Be as the one was who made the memo. KeyError, TypeError, ValueError, struct.error, ChannelError:
        it is none, or that of another segment."""
        self._executions.recall(memo)
        kept = next(unpacked(b64decode(memo["held"], validate=True)), None)
        self._held = None if kept is None else (kept.block, kept.unanswered)
        self.last_s = float(memo["last_s"])
        self._news.recall(memo["news"])
        held = set() if self._held is None else {self._held[0].technique}
        if not self._executions.techniques | held <= self._techniques.keys():
            raise ValueError("rows have come of techniques that this segment has not")

    # --- reads that were not answered ------------------------------------------------------------------

    def missing(self, unanswered: int) -> list[Notice]:
        """Rows may have left the channel with an answer that never came."""
        text = f"{unanswered} read(s) were not answered: a block of rows each may be missing"
        return [gap(self.last_s, text, blocks=unanswered)]

    def _joins(self, before: Execution | None, taken: Taken) -> bool:
        """Whether the rows follow those before so closely that nothing can be missing in between.

        Rows recorded by change come whenever they like, so nothing is certain of them. Frequencies are
        counted at the end of their spectrum.
        """
        visit = self._visit
        assert visit is not None  # rows came
        technique = self._techniques[visit.technique]
        same = before is not None and (before.technique, before.passes) == (visit.technique, visit.passes)
        if len(taken.points):
            return same and before is not None and before.points > 0
        if by_change(technique):
            return False
        last_s = 0.0 if before is None else before.last_s
        apart_s = float(taken.samples["time_s"][0]) - last_s
        return apart_s <= SEAM_TICKS * self._timebases[visit.technique] + technique.every_s * same

    def _timebase_s(self, block: Block, notices: list[Notice]) -> float:
        """The time base of the block's technique.

        The channel tells that of the technique it is at, which may be a later one: then the known one counts.
        """
        known_s, told_s = self._timebases[block.technique], timebase(block.timebase_s)
        if told_s == known_s or told_s in self._timebases.values() or not told_s > 0:
            return known_s
        notices += self._news.timebase(block.technique, told_s, known_s, self.last_s)
        return told_s
