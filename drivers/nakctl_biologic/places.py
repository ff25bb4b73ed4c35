"""Which technique of a chain a block is of, where the channel holds a ring of slots. Pure.

What the channel names is a slot. It never gets further than one round of the ring beyond what was seen, for
there stands a fence, so the next technique in that slot is meant; or one before, if it says that it began
earlier than what came last. Rows of a fence are none of the experiment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nakctl.device.feeding import Ring, fence_level
from nakctl.device.program import Technique
from nakctl.device.techniques import kind_of, level_of
from nakctl.errors import ChannelError
from nakctl_biologic.codes import Board
from nakctl_biologic.executions import start_of
from nakctl_biologic.layouts import IMPEDANCE
from nakctl_biologic.rows import Block, point_rows, sample_rows

KEPT = 4  # visits of which rows may still come


class Places:
    """Of one chain that is fed, from its start on. extras: what each of its techniques records besides.

    newest  the technique of the newest block; -1: there was none
    fence   the place of the fence of which rows came
    """

    def __init__(
        self,
        ring: Ring,
        techniques: Sequence[Technique],
        board: Board,
        extras: Sequence[tuple[str, ...]],
    ) -> None:
        self.ring = ring
        self.newest = -1
        self.fence: int | None = None
        self._techniques, self._board, self._extras = techniques, board, extras
        self._recent: list[tuple[int, int, float]] = []  # place, loop, start of the newest visits

    def placed(self, block: Block, stands: Callable[[int], bool | None]) -> Block | None:
        """The block as one of the chain; None: of a fence.

        stands  whether a fence does in a place that comes next; None: its rows have to tell
        """
        if block.n_rows == 0:
            return block
        if not 0 <= block.technique < self.ring.length:
            return replace(block, technique=self.ring.total + block.technique)  # fits nothing
        place = self._place_of(block)
        if place == self.fence or (place > self.newest and self._is_fence(block, place, stands)):
            self.fence = place
            return None
        self.newest = max(self.newest, place)
        visit = (place, block.loop, start_of(block))
        if visit not in self._recent:
            self._recent = [*self._recent[1 - KEPT :], visit]
        return replace(block, technique=place)

    def _place_of(self, block: Block) -> int:
        for place, loop, start_s in reversed(self._recent):
            if (self.ring.slot(place), loop, start_s) == (block.technique, block.loop, start_of(block)):
                return place
        ahead = (block.technique - self.newest - 1) % self.ring.length
        place, start_s = self.newest + 1 + ahead, start_of(block)
        began_before = self._recent and 0.0 < start_s < max(start_s for _, _, start_s in self._recent)
        return place - self.ring.length if began_before and place >= self.ring.length else place

    def _is_fence(self, block: Block, place: int, stands: Callable[[int], bool | None]) -> bool:
        if not self.ring.is_fence(place) or (known := stands(place)) is False:
            return False
        if known or place >= self.ring.total:
            return True
        level, value = fence_level(self._techniques, self.ring, place), self.value_of(block, place)
        others = [level_of(self._techniques[at]) for at in (place, place - self.ring.length) if at >= 0]
        return all(abs(value - level) < abs(value - other) for other in others)

    def value_of(self, block: Block, place: int) -> float:
        """What rows show of what is imposed there, in A or V; NaN: nothing is, or they cannot be read."""
        technique = self._techniques[place]
        quantity = kind_of(technique).imposes  # type: ignore[arg-type]  # no loop is fed
        try:
            if block.process == IMPEDANCE:
                rows = point_rows(block, self._board, 0)
                names = {"I": "I_dc_A", "Ewe": "E_dc_V"}
            else:
                rows = sample_rows(block, self._board, 1.0, 0, self._extras[place])
                names = {"I": "I_A", "Ewe": "Ewe_V"}
        except ChannelError:
            return float("nan")
        return float(np.median(rows[names[quantity]])) if quantity in names else float("nan")

    # --- for whoever goes on with the chain ------------------------------------------------------------

    def memo(self) -> dict[str, Any]:
        """As JSON values."""
        return {"newest": self.newest, "fence": self.fence, "recent": [list(each) for each in self._recent]}

    def recall(self, memo: Mapping[str, Any]) -> None:
        """KeyError, TypeError, ValueError: it is none."""
        self.newest = int(memo["newest"])
        self.fence = None if memo["fence"] is None else int(memo["fence"])
        self._recent = [(int(place), int(loop), float(start)) for place, loop, start in memo["recent"]]
