"""What readings kept of the instrument's words -> their rows once more, without an instrument. Pure.

The rows are made by the same code as while the channel is read. So a mistake that is mended there is mended
here, and in old records too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nakctl.device.channel import Rows, Visit
from nakctl.device.feeding import ring_of
from nakctl.device.instrument import instrument
from nakctl.device.program import Segment
from nakctl.errors import ChannelError, InputError
from nakctl_biologic.codes import Board
from nakctl_biologic.params import chain
from nakctl_biologic.places import Places
from nakctl_biologic.raw import NO_ROWS, Kept, unpacked
from nakctl_biologic.rows import Block
from nakctl_biologic.visits import Taken, Visits


class Decoder:
    """Of one segment, from its first reading on; obeys nakctl.device.driver.Decoder.

    facts: `instrument` and `board` of ChannelInfo.facts. ChannelError: they name nothing that is known, or
    nothing that could do this segment.
    """

    def __init__(self, facts: Mapping[str, Any], segment: Segment) -> None:
        try:
            data, board = instrument(str(facts["instrument"])), Board[facts["board"]]
            loaded = chain(segment, data, board)
        except (KeyError, InputError) as error:
            raise ChannelError(
                f"what is known of the channel does not say how its words are to be read: {error.args[0]}"
            ) from None
        self._visits = Visits(segment, loaded, data, board)
        self._segment, self._data, self._board = segment, data, board
        self._extras = [entry.extras for entry in loaded]
        self._places: Places | None = None  # of a chain that was fed

    def rows(self, raw: bytes) -> tuple[Rows, Rows, Visit | None]:
        """Samples, points and newest visit of the reading with this `raw`. Words that did not fit what was
        loaded give no rows, as they gave none then. ChannelError: it is damaged."""
        taken = Taken()
        for kept in unpacked(raw):
            block = self._placed(kept)
            came = NO_ROWS if block is None else block
            taken = taken + self._visits.hear(came, kept.unanswered if block is not None else 0)
        return taken.samples, taken.points, self._visits.newest

    def _placed(self, kept: Kept) -> Block | None:
        if not kept.slots:
            return self._visits.placed(kept.block)
        if self._places is None:
            ring = ring_of(self._segment.techniques, self._data, kept.slots)
            if ring is None:
                raise ChannelError(
                    "what was kept of the instrument's words is of a chain that was fed otherwise"
                )
            self._places = Places(ring, self._segment.techniques, self._board, self._extras)
        return self._places.placed(kept.block, lambda _: kept.is_fence)
