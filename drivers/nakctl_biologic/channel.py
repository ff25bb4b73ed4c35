"""The channel contract over one channel of a BioLogic instrument.

Rows are fetched until the channel has none left; a read that fails half-way keeps what it has for the next
one. The chain is over at State STOP with an empty memory and no rows, after it was seen running: a STOP right
after the start is none. The cell is the instrument's business between two reads, also while the link is down.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np

from nakctl.device.channel import POINT, SAMPLE, ChannelInfo, Notice, Reading, Rows, State, Watch
from nakctl.device.driver import ClockLike
from nakctl.device.limits import Instrument
from nakctl.device.program import Segment
from nakctl.errors import ChannelError, IllegalEvent, LinkLost
from nakctl_biologic.codes import RUN, STOP, Board
from nakctl_biologic.link import Link
from nakctl_biologic.params import Loaded, chain
from nakctl_biologic.remedies import option_error
from nakctl_biologic.structures import CurrentValues
from nakctl_biologic.visits import Visits

MOST_BLOCKS = 256  # of one read: 51 200 rows of five columns
MOST_MESSAGES = 20
START_PATIENCE_s, START_READS = 5.0, 20
STOP_LOOKS, STOP_LOOK_s = 20, 0.05


class Phase(Enum):
    IDLE = auto()
    LOADED = auto()
    RUNNING = auto()
    CLOSED = auto()


@dataclass(slots=True)
class Pending:
    """What was fetched and not handed over yet."""

    samples: list[Rows] = field(default_factory=list)
    points: list[Rows] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    def hand_over(self, state: State) -> Reading:
        samples = np.concatenate([np.zeros(0, SAMPLE), *self.samples])
        points = np.concatenate([np.zeros(0, POINT), *self.points])
        reading = Reading(state, samples, points, tuple(self.notices))
        self.samples, self.points, self.notices = [], [], []
        return reading


class BiologicChannel:
    """Obeys nakctl.device.channel.Channel. notices: what was found while it was opened."""

    def __init__(
        self,
        link: Link,
        board: Board,
        instrument: Instrument,
        clock: ClockLike,
        info: ChannelInfo,
        notices: list[Notice],
    ) -> None:
        self._link = link
        self._board = board
        self._instrument = instrument
        self._clock = clock
        self._info = info
        self._pending = Pending(notices=notices)
        self._phase = Phase.IDLE
        self._visits = Visits(Segment(()), (), instrument, board)
        self._start_s = 0.0
        self._begun = False  # it was seen running, or rows came
        self._stopped = False  # by us
        self._idle_reads = 0
        self._option = 0

    @property
    def info(self) -> ChannelInfo:
        return self._info

    @property
    def _name(self) -> str:
        return f"channel {self._link.number + 1}"

    # --- load and start --------------------------------------------------------------------------------

    def load(self, segment: Segment) -> None:
        if self._phase not in {Phase.IDLE, Phase.LOADED}:
            raise IllegalEvent(f"load while {self._name} is {self._phase.name.lower()}")
        loaded = chain(segment, self._instrument, self._board)
        self._visits = Visits(segment, loaded, self._instrument, self._board)
        self._phase = Phase.IDLE
        try:
            self._send(loaded)
        except LinkLost:
            self._come_back()
            self._send(loaded)
        self._phase = Phase.LOADED

    def _send(self, loaded: tuple[Loaded, ...]) -> None:
        self._link.device.load(self._link.number, loaded)
        self._link.sign()

    def start(self) -> None:
        if self._phase is not Phase.LOADED:
            raise IllegalEvent(f"start while {self._name} is {self._phase.name.lower()}")
        self._begun = self._stopped = False
        self._idle_reads = 0
        device, number = self._link.device, self._link.number
        try:
            device.start(number)
        except LinkLost:
            self._come_back()
            if device.values(number).State != RUN:  # else it had heard
                device.start(number)
        self._start_s = self._clock.now_s()
        self._phase = Phase.RUNNING

    def _come_back(self) -> None:
        self._link.lost()
        self._note_outage(self._link.restore())

    # --- read ------------------------------------------------------------------------------------------

    def read(self, watch: Watch) -> Reading:
        """Everything the channel has. `watch` is not needed: hardware is read often enough."""
        if self._phase is Phase.CLOSED:
            raise IllegalEvent(f"read while {self._name} is closed")
        if self._phase is not Phase.RUNNING:
            return self._pending.hand_over(State.RUNNING if self._phase is Phase.LOADED else State.STOPPED)
        if self._is_up() and self._drained():
            self._phase = Phase.IDLE
        self._clock.advance_to(self._start_s + self._visits.last_s)
        return self._pending.hand_over(State.RUNNING if self._phase is Phase.RUNNING else State.STOPPED)

    def _is_up(self) -> bool:
        """One try to come back, if the link is down."""
        if self._link.is_up:
            return True
        outage_s = self._link.try_again()
        if outage_s is not None:
            self._note_outage(outage_s)
        return self._link.is_up

    def _drained(self) -> bool:
        """Fetch all rows; whether the chain is over. A lost link is for the next read to mend."""
        try:
            for _ in range(MOST_BLOCKS):
                values, n_rows = self._fetch()
                if n_rows == 0:
                    self._fetch_messages()
                    self._link.works()
                    return self._is_over(values)
        except LinkLost:
            self._link.lost()
        return False

    def _fetch(self) -> tuple[CurrentValues, int]:
        """One block of rows, and the state of the channel beside it."""
        block, values = self._link.device.data(self._link.number)
        self._note_option(values)
        self._begun = self._begun or values.State == RUN or block.n_rows > 0
        if block.n_rows > 0:
            taken = self._visits.take(block)
            self._pending.samples.append(taken.samples)
            self._pending.points.append(taken.points)
            self._pending.notices += taken.notices
        return values, block.n_rows

    def _is_over(self, values: CurrentValues) -> bool:
        if values.State != STOP or values.MemFilled != 0:
            return False
        if self._begun and not self._stopped:
            self._pending.notices += self._visits.finish()
        if self._begun or self._stopped:
            return True
        self._idle_reads += 1
        patient = self._clock.now_s() - self._start_s < START_PATIENCE_s
        if self._idle_reads < START_READS or patient:
            return False
        raise ChannelError(f"{self._name} was started but does not run, and has no rows")

    def _fetch_messages(self) -> None:
        for _ in range(MOST_MESSAGES):
            text = self._link.device.message(self._link.number)
            if not text:
                return
            self._note(1, "instrument", text)

    # --- stop and close --------------------------------------------------------------------------------

    def stop(self) -> None:
        """Always tells the channel to stop, looks whether it did, and notes what the cell is left in.

        LinkLost, ChannelError: it could not be stopped; the error says what the cell is in.
        """
        if self._phase is Phase.CLOSED:
            return
        if self._phase is Phase.LOADED:
            self._phase = Phase.IDLE
        try:
            self._stop_and_look()
        except LinkLost:
            self._link.lost()
            self._stop_after_outage()
        self._stopped = True

    def _stop_after_outage(self) -> None:
        try:
            self._note_outage(self._link.restore())
            self._stop_and_look()
        except LinkLost as error:
            raise LinkLost(
                f"{self._name} could not be told to stop and goes on by itself with what it was loaded with: "
                f"the cell is connected. {error}"
            ) from None

    def _stop_and_look(self) -> None:
        device, number = self._link.device, self._link.number
        for _ in range(STOP_LOOKS):
            device.stop(number)
            values = device.values(number)
            if values.State == STOP:
                self._note_stopped(values)
                return
            self._clock.sleep(STOP_LOOK_s)
        raise ChannelError(
            f"{self._name} was told to stop {STOP_LOOKS} times and still runs: the cell is connected, at "
            f"{values.Ewe:.4g} V and {values.I:.4g} A. Disconnect the cell at the instrument."
        )

    def close(self) -> None:
        if self._phase is Phase.CLOSED:
            return
        running, self._phase = self._phase is Phase.RUNNING, Phase.CLOSED
        try:
            if running and not self._stopped and self._link.is_up:
                self._stop_and_look()
        finally:
            self._link.device.disconnect()

    # --- notes -----------------------------------------------------------------------------------------

    def _note(self, severity: int, code: str, message: str, /, **facts: float) -> None:
        time_s = max(0.0, self._clock.now_s() - self._start_s)
        self._pending.notices.append(Notice(time_s, severity, code, message, dict(facts)))

    def _note_outage(self, outage_s: float) -> None:
        text = f"the link to {self._name} was down for {outage_s:.3g} s; the channel went on by itself"
        self._note(1, "link", text, outage_s=outage_s)

    def _note_option(self, values: CurrentValues) -> None:
        if values.OptErr not in (0, self._option):
            self._note(2, "option", option_error(values.OptErr, values.OptPos), code=values.OptErr)
        self._option = values.OptErr

    def _note_stopped(self, values: CurrentValues) -> None:
        if self._phase is Phase.RUNNING and not self._stopped:
            seen = f"last seen at {values.Ewe:.4g} V and {values.I:.4g} A"
            text = f"{self._name} says STOP: the cell is open, {seen}"
            self._note(0, "stopped", text, Ewe_V=values.Ewe, I_A=values.I)
