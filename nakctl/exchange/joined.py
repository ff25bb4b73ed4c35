"""The rows of several recordings as one, in the order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from nakctl.exchange.merging import Order, Piece
from nakctl.exchange.quantities import Quantities
from nakctl.exchange.recording import Floats

Ints = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Joined:
    """Each array (n,)."""

    recorded: Sequence[Quantities]
    order: Order

    def __len__(self) -> int:
        return len(self.of)

    @cached_property
    def of(self) -> Ints:
        """Which recording a row is of, from 0."""
        found: Ints = self._each(lambda place, piece: np.full(len(piece.time_s), piece.of))
        return found

    @cached_property
    def piece(self) -> Ints:
        """Which of the pieces, from 0."""
        found: Ints = self._each(lambda place, piece: np.full(len(piece.time_s), place))
        return found

    @cached_property
    def time_s(self) -> Floats:
        """Never going back."""
        risen: Floats = np.fmax.accumulate(np.nan_to_num(self._told_s, nan=-np.inf))
        return np.where(np.isfinite(risen), risen, 0.0)

    @cached_property
    def bad_time(self) -> npt.NDArray[np.bool_]:
        """Where it had to be put right."""
        bad: npt.NDArray[np.bool_] = ~(self._told_s >= self.time_s)
        return bad

    @cached_property
    def kind(self) -> npt.NDArray[np.str_]:
        found: npt.NDArray[np.str_] = self.of_all("kind")
        return found

    @cached_property
    def steps(self) -> Ints:
        """EC-Lab's Ns."""
        found: Ints = self.of_all("Ns")
        return found

    @cached_property
    def Q_Ah(self) -> Floats:
        """Net, from the first row of the run on: EC-Lab counts each technique, and each pass, anew."""
        parts, before_Ah = [], 0.0
        for piece in self.order.pieces:
            part = before_Ah + self.recorded[piece.of].Q_Ah[piece.rows]
            known = part[np.isfinite(part)]
            before_Ah = float(known[-1]) if len(known) else before_Ah
            parts.append(part)
        return np.concatenate(parts)

    def of_all(self, name: str) -> Any:
        """A quantity that every recording has."""
        return self._each(lambda place, piece: getattr(self.recorded[piece.of], name)[piece.rows])

    def column(self, *names: str) -> Floats:
        """The first of these columns of EC-Lab; NaN where a recording has none."""

        def part(place: int, piece: Piece) -> Floats:
            found = self.recorded[piece.of].recording.find(*names)
            return np.full(len(piece.time_s), np.nan) if found is None else found[piece.rows]

        column: Floats = self._each(part)
        return column

    @property
    def _told_s(self) -> Floats:
        found: Floats = self._each(lambda place, piece: piece.time_s)
        return found

    def _each(self, part: Any) -> Any:
        return np.concatenate([part(place, piece) for place, piece in enumerate(self.order.pieces)])
