"""The channel contract over a simulated board: whoever speaks for it, and may be dropped while it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from enum import Enum, auto
from typing import Any

import numpy as np

from nakctl.device.channel import POINT, SAMPLE, ChannelInfo, Look, Notice, Reading, State, Visit, Watch
from nakctl.device.instrument import Instrument
from nakctl.device.program import Segment
from nakctl.errors import ChannelError, ChannelTaken, IllegalEvent
from nakctl_sim.board import SimBoard
from nakctl_sim.imperfections import imperfections
from nakctl_sim.waiting import Block


class Phase(Enum):
    FOREIGN = auto()  # what is there was not what it was taken for
    IDLE = auto()
    LOADED = auto()
    RUNNING = auto()  # until every row was handed over
    OVER = auto()
    CLOSED = auto()


AT_REST = {Phase.IDLE, Phase.OVER}
NOTHING = Block(np.zeros(0, SAMPLE), np.zeros(0, POINT), (), None)
PATIENCE_s = 10.0  # to compute a block, on a machine that is busy with other things


def channel_info(name: str, instrument: Instrument, seed: int, facts: dict[str, Any]) -> ChannelInfo:
    """facts: what the record is to keep of the model."""
    faults = imperfections(instrument).as_facts()
    return ChannelInfo(instrument.name, name, True, facts | {"seed": seed, "imperfections": faults})


class SimChannel:
    """A simulated potentiostat channel; obeys nakctl.device.channel.Channel.

    Any number of them may speak for one board, one after the other, in the program in which it stands. Its
    readings have no `raw`: its rows are made of nothing else.
    """

    def __init__(self, board: SimBoard, info: ChannelInfo) -> None:
        self.board = board
        self._info = info
        self._phase = Phase.IDLE
        self._visit: Visit | None = None
        self._was_silent = False

    @property
    def info(self) -> ChannelInfo:
        return self._info

    @property
    def patience_s(self) -> float:
        return PATIENCE_s

    # --- load and start --------------------------------------------------------------------------------

    def check(self, segment: Segment) -> None:
        self.board.check(segment)

    def _must_be(self, doing: str, *phases: Phase) -> None:
        if self._phase is Phase.FOREIGN:
            raise ChannelTaken("another program loaded the channel; what runs there now is left alone")
        if self._phase not in phases:
            raise IllegalEvent(f"{doing} while the channel is {self._phase.name.lower()}")

    def load(self, segment: Segment, mark: str = "") -> None:
        self._must_be("load", *AT_REST, Phase.LOADED)
        self.board.load(segment, mark)
        self._visit = None
        self._phase = Phase.LOADED

    def start(self) -> None:
        self._must_be("start", Phase.LOADED)
        self.board.start()
        self._phase = Phase.RUNNING

    def adopt(self, segment: Segment, memo: Mapping[str, Any], mark: str = "") -> None:
        if self._phase is not Phase.FOREIGN:
            self._must_be("adopt", *AT_REST)
        mark = mark or str(memo.get("mark", ""))
        if not mark:
            raise IllegalEvent("what is on the channel is known by its mark, and none was given")
        self.board.must_answer()
        if self.board.mark != mark:
            self._phase = Phase.FOREIGN
            raise ChannelTaken(f'another program loaded the channel, its mark is "{self.board.mark}"')
        visit = memo.get("visit")
        self._visit = None if visit is None else Visit(*visit)
        self._was_silent = bool(memo.get("silent"))
        self._phase = Phase.OVER if memo.get("over") else Phase.RUNNING

    def whose(self) -> str:
        self.board.must_answer()
        return self.board.mark

    def seize(self) -> None:
        """As at rest: what waits there is not fetched."""
        if self._phase is Phase.CLOSED:
            raise IllegalEvent("seize while the channel is closed")
        self._phase = Phase.IDLE

    def _memo(self) -> dict[str, Any]:
        if self._phase not in {Phase.RUNNING, Phase.OVER}:
            return {}
        visit = self._visit
        return {
            "mark": self.board.mark,
            "visit": None if visit is None else [visit.technique, visit.passes, visit.start_s],
            "silent": self._was_silent,
            "over": self._phase is Phase.OVER,
        }

    # --- read and look ---------------------------------------------------------------------------------

    def read(self, watch: Watch) -> Reading:
        self._must_be("read", *AT_REST, Phase.LOADED, Phase.RUNNING)
        self.board.go_on(watch)
        self.board.must_have_kernel()
        if self.board.is_silent:
            self._was_silent = True
            nothing = NOTHING.samples, NOTHING.points
            return Reading(self._state, *nothing, visit=self._visit, memo=self._memo())
        return self._hand_over()

    def _hand_over(self) -> Reading:
        if self._phase is Phase.RUNNING:
            fetched, look = self.board.fetch()
        else:  # what waits there is somebody else's
            fetched, look = None, self.board.seen()
        block = fetched or NOTHING
        notices = (self._outage(), *block.notices) if self._was_silent else block.notices
        self._was_silent = False
        self._visit = block.visit or self._visit
        more = self._phase is Phase.RUNNING and self.board.has_more
        if self._phase is Phase.RUNNING and self.board.is_over:
            self._phase = Phase.OVER
        of = (block.samples, block.points, notices, look, more, self._visit)
        return Reading(self._state, *of, memo=self._memo())

    @property
    def _state(self) -> State:
        return State.STOPPED if self._phase in AT_REST else State.RUNNING

    def _outage(self) -> Notice:
        text = "the link to the channel was down; the channel went on by itself"
        return Notice(self.board.time_s, 1, "link", text)

    def look(self) -> Look | None:
        """On a free clock, of the moment at which the last read came back."""
        if self._phase is Phase.CLOSED:
            return None
        if self.board.is_paced:
            self.board.go_on()
        self.board.must_have_kernel()
        return None if self.board.is_silent else self.board.seen()

    # --- stop and close --------------------------------------------------------------------------------

    def stop(self) -> None:
        """Takes effect within the reads that follow."""
        self._must_be("stop", *Phase)
        self.board.stop()
        if self._phase is Phase.LOADED:
            self._phase = Phase.IDLE

    def close(self) -> None:
        """There is nothing to let go of, but nothing can be done any more."""
        if self._phase is Phase.RUNNING:
            with suppress(ChannelError):
                self.board.stop()
        self.leave()

    def leave(self) -> None:
        self._phase = Phase.CLOSED
