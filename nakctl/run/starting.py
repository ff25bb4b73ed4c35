"""When each chain began, in the time of the run: known once it has something to say, and fixed from then on.

Until then nothing is booked; afterwards further ties of the two clocks are rows of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

from nakctl.device.channel import Reading, State
from nakctl.device.program import Segment
from nakctl.run.keeper import Keeper
from nakctl.run.ties import Start, Tie, Ties, start_of


@dataclass(frozen=True, slots=True)
class Started:
    """A chain and when its start was called and returned. passed: a loop of the host was passed before."""

    segment: Segment
    called_s: float
    returned_s: float
    passed: bool


class Starts:
    """Of one run. waiting: a chain that was started, and has said nothing yet."""

    def __init__(self, keeper: Keeper) -> None:
        self.keeper = keeper
        self.waiting: Started | None = None
        self._ties = Ties()

    def settle(self, reading: Reading, tie: Tie | None) -> Start | None:
        """After each read, with its tie: the start of the chain, in the read that settles it."""
        started = self.waiting
        if started is None:
            self._keep(self._ties.add(tie))
            return None
        silent = not len(reading.samples) and not len(reading.points)
        if silent and tie is None and reading.state is not State.STOPPED:
            return None
        self.waiting = None
        self._keep(self._ties.take())
        start = start_of(started.called_s, started.returned_s, tie)
        self.keeper.open_segment(started.segment, start, new_cycle=started.passed)
        return start

    def _keep(self, tie: Tie | None) -> None:
        """Where time is virtual there is one clock, and nothing to be tied."""
        if tie is not None and self.keeper.unix_time_s() is not None:
            self.keeper.tie(tie)
