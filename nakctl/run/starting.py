"""When each chain began, in the time of the run: known once it has something to say, and fixed from then on.

Until then nothing is booked; afterwards further ties of the two clocks are rows of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

from nakctl.decide.ties import Start, Tie, Ties, start_of
from nakctl.device.channel import Reading, State
from nakctl.run.logbook import Logbook


@dataclass(frozen=True, slots=True)
class Started:
    """When the start of a chain was called, and returned."""

    called_s: float
    returned_s: float


class Starts:
    """Of one run. waiting: a chain that was started, and has said nothing yet."""

    def __init__(self, logbook: Logbook) -> None:
        self.logbook = logbook
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
        return start_of(started.called_s, started.returned_s, tie)

    def _keep(self, tie: Tie | None) -> None:
        """Where time is virtual there is one clock, and nothing to be tied."""
        if tie is not None and self.logbook.unix_time_s() is not None:
            self.logbook.tie(tie)
