"""Techniques side by side become chains, cut where the open circuit between two does the least harm; where
that would be under current, longer ones that are handed over while they run."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from nakctl.device.feeding import MOST_TECHNIQUES, ring_of
from nakctl.device.instrument import Instrument
from nakctl.device.program import Later, LaterCharge, Loop, Segment, Technique, Tested, played, size_of
from nakctl.device.techniques import drives, stops
from nakctl.plan.gaps import interrupts

RIM = 3  # steps around a staircase that do not repeat as it does
AT_REST, WHERE_IT_TURNS, BETWEEN_LEVELS, WITHIN_LEVEL = 0, 1, 100, 1000  # harm of an open circuit


@dataclass(frozen=True, slots=True)
class Piece:
    """Techniques that may share a chain with their neighbours; loops count from the piece's start.

    first_of_level  a pass of a staircase begins here
    later, charge   what only the run knows of them: a chain begins here, after what is measured before
    """

    techniques: tuple[Technique, ...]
    first_of_level: bool = False
    later: tuple[Later, ...] = ()
    charge: LaterCharge | None = None

    @property
    def begins(self) -> bool:
        """Whether it has to be the first of its chain."""
        return bool(self.later) or self.charge is not None


def append(chain: tuple[Technique, ...], more: tuple[Technique, ...]) -> tuple[Technique, ...]:
    """Both in one chain; a sentinel that says nothing new is left out."""
    more = _without_needless_sentinel(chain, more)
    moved = (replace(each, to=each.to + len(chain)) if isinstance(each, Loop) else each for each in more)
    return (*chain, *moved)


def joined(pieces: Iterable[Piece]) -> tuple[Technique, ...]:
    """All of them as one chain."""
    chain: tuple[Technique, ...] = ()
    for piece in pieces:
        chain = append(chain, piece.techniques)
    return chain


def chained(pieces: Sequence[Piece], instrument: Instrument) -> list[Segment]:
    """Chains that the instrument holds; where that would open the cell under current, longer ones that it is
    fed, if it can be: all in one, or what lies between two rests. (Not where something is known only in the
    run: that is put into a chain when it is loaded.)
    """
    cut = divided(pieces, instrument.chain_length)
    may_be_fed = instrument.feeds and not any(piece.begins for piece in pieces)
    if not may_be_fed or not any(_opens_under_current(*two) for two in pairwise(cut)):
        return cut
    if whole := _fed(pieces, instrument):
        return whole
    chains: list[Segment] = []
    waiting: list[Piece] = []
    for group in _between_rests(pieces):
        if fed := _fed_within(group, instrument):
            chains += [*divided(waiting, instrument.chain_length), *fed]
            waiting = []
        else:
            waiting += group
    return [*chains, *divided(waiting, instrument.chain_length)]


def _opens_under_current(before: Segment, after: Segment) -> bool:
    return interrupts(played(before.techniques)[-1], played(after.techniques)[0])


def _between_rests(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Groups between which the cell rests anyway."""
    group: list[Piece] = []
    for piece in pieces:
        if group and _harm(group[-1], piece) == AT_REST:
            yield group
            group = []
        group.append(piece)
    yield group


def _fed_within(pieces: Sequence[Piece], instrument: Instrument) -> list[Segment]:
    """As `_fed`, and what stands before and behind as chains of their own; as little as possible of that."""
    most = instrument.chain_length
    rims = sorted(((head, tail) for head in range(RIM + 1) for tail in range(RIM + 1)), key=sum)
    for head, tail in rims:
        within = pieces[head : len(pieces) - tail]
        if len(within) > RIM and (fed := _fed(within, instrument)):
            before, behind = pieces[:head], pieces[len(pieces) - tail :]
            return [*divided(before, most), *fed, *divided(behind, most)]
    return []


def _fed(pieces: Sequence[Piece], instrument: Instrument) -> list[Segment]:
    """As few chains as can be fed, none of which the instrument holds; none: they cannot be."""
    chains = []
    for part in _parts(pieces, MOST_TECHNIQUES):
        chain = joined(part)
        if size_of(chain) > instrument.chain_length and ring_of(chain, instrument) is None:
            return []
        chains.append(Segment(chain))
    return chains if any(size_of(each.techniques) > instrument.chain_length for each in chains) else []


def _parts(pieces: Sequence[Piece], most: int) -> Iterator[Sequence[Piece]]:
    """Each about as long as it may be, and cut where a pass of a staircase begins, if one does."""
    total = [0, *accumulate(len(piece.techniques) for piece in pieces)]  # some sentinels will be left out
    first = 0
    while total[-1] - total[first] > most:
        fitting = range(first + 1, bisect_right(total, total[first] + most))
        first, begin = max((at for at in fitting if pieces[at].first_of_level), default=fitting[-1]), first
        yield pieces[begin:first]
    yield pieces[first:]


def divided(pieces: Sequence[Piece], most: int) -> list[Segment]:
    """Chains of at most `most` techniques: those of the least harm, and of these the fewest.

    best[n] is (harm, chains) of the first n pieces; start[n] where the last of these chains begins.
    """
    if not pieces:
        return []
    grows = [0]
    for a, b in pairwise(pieces):
        grows.append(size_of(append(a.techniques, b.techniques)) - size_of(a.techniques))
    harm = [0, *(_harm(a, b) for a, b in pairwise(pieces))]
    total = list(accumulate(grows))
    best, start = [(0, 0)], [0]
    for end in range(1, len(pieces) + 1):
        found: tuple[int, int] | None = None
        start.append(end - 1)
        for first in range(end - 1, -1, -1):
            length = size_of(pieces[first].techniques) + total[end - 1] - total[first]
            if length > most and first < end - 1:
                break
            if found is None or (best[first][0] + harm[first], best[first][1] + 1) < found:
                found, start[end] = (best[first][0] + harm[first], best[first][1] + 1), first
            if pieces[first].begins:
                break
        assert found is not None
        best.append(found)
    chains, end = [], len(pieces)
    while end:
        begin = pieces[start[end]]
        chains.append(Segment(joined(pieces[start[end] : end]), later=begin.later, charge=begin.charge))
        end = start[end]
    return chains[::-1]


def _harm(before: Piece, after: Piece) -> int:
    """Of an open circuit between these two."""
    last, first = played(before.techniques)[-1], played(after.techniques)[0]
    if interrupts(last, first):
        return BETWEEN_LEVELS if after.first_of_level else WITHIN_LEVEL
    return AT_REST if None in (drives(last), drives(first)) else WHERE_IT_TURNS


def _without_needless_sentinel(
    chain: tuple[Technique, ...], more: tuple[Technique, ...]
) -> tuple[Technique, ...]:
    """A sweep's sentinel says nothing new where the technique before held the same, and stops at it."""
    first, last = more[0], chain[-1] if chain else None
    if not isinstance(first, Tested) or not first.sentinel or any(isinstance(each, Loop) for each in more):
        return more
    if first.trigger_s:
        return more
    if not isinstance(last, Tested) or type(last) is not type(first) or not stops(last):
        return more
    same_level = (last.level if last.to is None else last.to) == first.level
    held = {test.end for test in last.tests}
    return more[1:] if same_level and held >= {test.end for test in first.tests} else more
