"""Several recordings of one experiment, in the order of time: EC-Lab's loops go round through all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np

from nakctl.errors import InputError
from nakctl.exchange.quantities import Quantities, passes
from nakctl.exchange.recording import Floats

_TOGETHER_s = 1.0  # by which one technique may seem to begin before the one ahead of it was over
_LATE_s = 60.0  # a first row later than this is of a technique in the midst of a chain


@dataclass(frozen=True)
class Piece:
    """Rows of one recording that nothing interrupted. of: which recording; time_s: of the run."""

    of: int
    rows: slice
    time_s: Floats

    @property
    def first_s(self) -> float:
        """Of the rows that have a time."""
        return float(np.min(self.time_s, initial=np.inf, where=np.isfinite(self.time_s)))

    @property
    def last_s(self) -> float:
        return float(np.max(self.time_s, initial=-np.inf, where=np.isfinite(self.time_s)))


@dataclass(frozen=True)
class Order:
    """The pieces as they followed one another, and when time is 0. start None: no file tells."""

    pieces: tuple[Piece, ...]
    start: datetime | None


def order(recorded: Sequence[Quantities]) -> Order:
    """InputError if they cannot be of one experiment, or nobody knows which came first.

    Time is EC-Lab's: since the start of the chain. Where the first row is of a later technique, it counts
    from there, so that a run lasts as long as it did.
    """
    starts = _starts(recorded)
    begun = min(starts, default=None)
    offsets_s = [(each - min(starts)).total_seconds() for each in starts] or [0.0] * len(recorded)
    pieces = [
        Piece(k, rows, each.time_s[rows] + offsets_s[k])
        for k, each in enumerate(recorded)
        for rows in _passes(each)
    ]
    pieces.sort(key=lambda piece: piece.first_s)
    _refuse_overlap(recorded, pieces)
    late_s = pieces[0].first_s
    if late_s <= _LATE_s:
        return Order(tuple(pieces), begun)
    moved = (Piece(piece.of, piece.rows, piece.time_s - late_s) for piece in pieces)
    return Order(tuple(moved), None if begun is None else begun + timedelta(seconds=late_s))


def _starts(recorded: Sequence[Quantities]) -> list[datetime]:
    """Of each; empty: no file has one."""
    starts = [each.recording.start for each in recorded]
    known = [each for each in starts if each is not None]
    if known and len(known) < len(starts):
        name = recorded[starts.index(None)].recording.name
        raise InputError(
            f"{name} does not say when it was started, so its place among the others is not known: import it "
            "alone, or export it from EC-Lab with its header"
        )
    return known


def _passes(recorded: Quantities) -> list[slice]:
    """From one loop to the next."""
    return [slice(*each) for each in pairwise((0, *passes(recorded.recording), len(recorded)))]


def _refuse_overlap(recorded: Sequence[Quantities], pieces: Sequence[Piece]) -> None:
    for before, after in pairwise(pieces):
        if before.of != after.of and before.last_s > after.first_s + _TOGETHER_s:
            names = [recorded[each.of].recording.name for each in (before, after)]
            raise InputError(
                f"{names[0]} and {names[1]} were recorded at the same time, so they are not of one channel: "
                "import each by itself"
            )
