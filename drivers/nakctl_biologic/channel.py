"""The channel contract over one channel of a BioLogic instrument.

One read is one BL_GetData, and now and then one BL_GetMessage. Nothing waits and nothing is tried twice in
one call. A read that is not answered is silence, whatever its code, unless the code says that the channel is
not ours any more: the channel goes on by itself and keeps its rows, so the run decides what that is worth.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NoReturn

from nakctl.device.channel import ChannelInfo, Look, Notice, Reading, State, Watch
from nakctl.device.driver import ClockLike
from nakctl.device.instrument import Instrument
from nakctl.device.program import Segment
from nakctl.errors import ChannelError, IllegalEvent, LinkLost
from nakctl_biologic.codes import STOP, Board
from nakctl_biologic.course import Course, Stage
from nakctl_biologic.device import CONNECT_TIMEOUT_s
from nakctl_biologic.errors import EclibError, RowError
from nakctl_biologic.link import Link, NotOurs
from nakctl_biologic.memory import check_memory, memory_s
from nakctl_biologic.messages import Messages
from nakctl_biologic.notes import Notes
from nakctl_biologic.params import chain
from nakctl_biologic.rows import Block
from nakctl_biologic.structures import CurrentValues
from nakctl_biologic.visits import Taken, Visits

LOADING_s = 20.0  # what loading a long chain may take besides
RUNS_ALREADY = -13


class Phase(Enum):
    IDLE = auto()
    LOADED = auto()
    STARTING = auto()  # a start was asked for and not answered
    RUNNING = auto()
    CLOSED = auto()


OPEN = (Phase.IDLE, Phase.LOADED, Phase.STARTING, Phase.RUNNING)


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
        self._memory_bytes = int(info.facts.get("memory_bytes", 0))
        self._phase = Phase.IDLE
        self._visits = Visits(Segment(()), (), instrument, board)
        self._notes = Notes(f"channel {link.number + 1}", clock, notices)
        self._messages = Messages(link, clock, self._notes)
        self._start_s = 0.0
        self._course = Course("", 0.0)
        self._unanswered = 0  # reads that may have taken rows out of the channel
        self._trouble: ChannelError | None = None  # to be told by the next read

    @property
    def info(self) -> ChannelInfo:
        return self._info

    @property
    def patience_s(self) -> float:
        """A new connection that times out, twice, and what stands around it."""
        return 2 * CONNECT_TIMEOUT_s + LOADING_s

    @property
    def _name(self) -> str:
        return self._notes.name

    def _must_be(self, doing: str, *phases: Phase) -> None:
        if self._link.lost:
            raise NotOurs(f"{self._link.lost}; what runs there now is left alone")
        if self._phase not in phases:
            raise IllegalEvent(f"{doing} while {self._name} is {self._phase.name.lower()}")

    # --- before the start ------------------------------------------------------------------------------

    def check(self, segment: Segment) -> None:
        """LimitError: this very channel has no such range or bandwidth, or too small a memory."""
        chain(segment, self._instrument, self._board)
        check_memory(segment, self._memory_bytes, self._instrument, self._board)

    def memory_s(self, segment: Segment) -> float:
        """How long, at the least, its memory holds what the segment records while nobody reads; NaN if the
        channel does not say how large it is."""
        return memory_s(segment, self._memory_bytes, self._instrument, self._board)

    def load(self, segment: Segment) -> None:
        """LinkLost: not heard or not answered; it may be loaded again, from its first technique."""
        self._must_be("load", Phase.IDLE, Phase.LOADED)
        loaded = chain(segment, self._instrument, self._board)
        self._visits = Visits(segment, loaded, self._instrument, self._board)
        self._phase, self._notes.seen = Phase.IDLE, ""
        self._reach("load")
        try:
            self._link.device.load(self._link.number, loaded)
            self._link.sign()
        except EclibError as error:
            self._fail(error)
        self._heard()
        self._phase = Phase.LOADED

    def start(self) -> None:
        """LinkLost: it is not known whether it runs. Ask again: then it is looked at first."""
        self._must_be("start", Phase.LOADED, Phase.STARTING)
        again = self._phase is Phase.STARTING
        if not again:
            self._start_s = self._clock.now_s()
        self._reach("start")
        if not (again and self._has_begun()):
            self._ask_to_start(again=again)
        self._heard()
        self._begin()

    def _begin(self) -> None:
        """From here on it is read as one that runs."""
        self._course = Course(self._name, self._start_s)
        self._notes.begin(self._start_s)
        self._messages.begin()
        self._unanswered = 0
        self._trouble = None
        self._phase = Phase.RUNNING

    def _has_begun(self) -> bool:
        """It heard a start that was not answered: it runs, or has run and rows wait."""
        try:
            values = self._link.device.values(self._link.number)
        except EclibError as error:
            self._link.bear(error)
            raise LinkLost(f"it is not known whether {self._name} runs: {error}") from None
        return bool(values.State != STOP or values.MemFilled > 0)

    def _ask_to_start(self, *, again: bool) -> None:
        self._phase = Phase.STARTING
        try:
            self._link.device.start(self._link.number)
        except EclibError as error:
            if again and error.code == RUNS_ALREADY:  # so it had heard
                return
            if not error.passing:
                self._phase = Phase.IDLE
            self._fail(error)

    def _reach(self, doing: str) -> None:
        """LinkLost: nobody answers, and it is not time yet for another try, or the try failed."""
        if not self._link.reach():
            raise LinkLost(f"{self._name} cannot be told to {doing}: {self._link.said}")

    def _fail(self, error: EclibError) -> NoReturn:
        if isinstance(error, LinkLost):
            self._link.silent(error)
        raise error

    def _heard(self) -> None:
        """A call that counts was answered."""
        outage_s = self._link.answered()
        if outage_s is not None:
            self._notes.outage(outage_s)

    # --- read ------------------------------------------------------------------------------------------

    def read(self, watch: Watch) -> Reading:
        """The next block. `watch` is not needed: hardware is read often enough.

        Between segments nothing is fetched: then there is no look either. Trouble waits for the next read if
        a block does.
        """
        if self._trouble is not None:
            raise self._trouble
        try:
            return self._next()
        except ChannelError as error:
            if not self._visits.holds or isinstance(error, IllegalEvent):
                raise
            self._trouble = error
            return self._reading(State.RUNNING, self._visits.release())

    def _next(self) -> Reading:
        self._must_be("read", *OPEN)
        if self._phase is not Phase.RUNNING:
            return self._reading(State.STOPPED if self._phase is Phase.IDLE else State.RUNNING)
        answer = self._fetch()
        if answer is None:
            self._notes.silence(self._link.said)
            return self._reading(State.RUNNING, self._visits.release())
        block, values = answer
        taken = self._take(block)
        self._notes.values(values)
        stage = self._course.go_on(values, block.n_rows, self._clock.now_s())
        talks = self._messages.listen(at_once=stage is Stage.SETTLING)
        if stage is Stage.OVER and not talks:
            self._end(values)
        self._clock.advance_to(self._start_s + self._visits.last_s)
        if self._phase is not Phase.RUNNING:
            return self._reading(State.STOPPED, taken, self._look(values))
        waiting = block.is_full or (block.n_rows > 0 and values.MemFilled > 0) or self._visits.holds
        more = waiting or stage is not Stage.UNDER_WAY
        return self._reading(State.RUNNING, taken, self._look(values), more=more)

    def _fetch(self) -> tuple[Block, CurrentValues] | None:
        """One block, and the state of the channel beside it; None: silence."""
        if not self._link.reach():
            return None
        try:
            answer = self._link.device.data(self._link.number)
        except EclibError as error:
            self._link.bear(error)
            self._unanswered += not error.unheard
            return None
        self._heard()
        return answer

    def _take(self, block: Block) -> Taken:
        if block.n_rows == 0:
            return self._visits.release() + Taken(notices=self._visits.overflow(block))
        unanswered, self._unanswered = self._unanswered, 0
        try:
            return self._visits.take(block, unanswered)
        except RowError:
            self._link.recognise()  # rows of a chain that another program loaded: hands off
            raise

    def _look(self, values: CurrentValues) -> Look:
        filled = values.MemFilled / self._memory_bytes if self._memory_bytes > 0 else 0.0
        return Look(values.State != STOP, values.Ewe, values.I, values.ElapsedTime, filled)

    def _reading(
        self, state: State, taken: Taken | None = None, look: Look | None = None, *, more: bool = False
    ) -> Reading:
        taken = taken or Taken()
        notices = self._notes.hand_over(taken.notices)
        return Reading(state, taken.samples, taken.points, notices, look, more, self._visits.newest)

    def look(self) -> Look | None:
        """One BL_GetCurrentValues; None: silence. ChannelError: the channel is somebody else's."""
        self._must_be("look", *OPEN)
        if not self._link.reach():
            return None
        try:
            return self._look(self._link.device.values(self._link.number))
        except EclibError as error:
            self._link.bear(error)
            return None

    # --- the end ---------------------------------------------------------------------------------------

    def _end(self, values: CurrentValues) -> None:
        """The chain is over, and every row was handed over."""
        self._phase = Phase.IDLE
        if self._course.left_bytes:
            self._notes.left(self._course.left_bytes)
        if self._course.told_to_stop:
            self._notes.stopped(values)
        elif self._course.begun:
            self._notes.extend(self._visits.finish())
        if self._unanswered:
            self._notes.extend(self._visits.missing(self._unanswered))

    def stop(self) -> None:
        """One BL_StopChannel; whether it was obeyed is for the reads that follow to say.

        LinkLost: not heard or not answered. ChannelError: refused.
        """
        if self._phase is Phase.CLOSED:
            return
        self._must_be("stop", *OPEN)
        try:
            self._link.device.stop(self._link.number)
        except EclibError as error:
            raise self._not_stopped(error) from None
        if self._phase is Phase.LOADED:
            self._phase = Phase.IDLE
        if self._phase is Phase.STARTING:  # it may have run, and have rows
            self._begin()
        self._course.told_to_stop = True

    def _not_stopped(self, error: EclibError) -> ChannelError:
        if isinstance(error, LinkLost):
            self._link.silent(error)
            self._link.hurry()
        if self._phase not in {Phase.STARTING, Phase.RUNNING}:
            return error
        kind = LinkLost if isinstance(error, LinkLost) else ChannelError
        return kind(
            f"{self._name} was not stopped and goes on by itself with what it was loaded with: the cell is "
            f"connected{self._notes.seen}. {error}"
        )

    def close(self) -> None:
        """ChannelError: the connection was given back, but the channel was not seen to stop, or could not
        be asked; the error says what the cell may be in."""
        if self._phase is Phase.CLOSED:
            return
        phase, self._phase = self._phase, Phase.CLOSED
        runs = phase in {Phase.STARTING, Phase.RUNNING} and not self._link.lost
        trouble = self._last_stop() if runs else None
        try:
            self._link.device.disconnect()
        except ChannelError as error:
            trouble = trouble or ChannelError(f"{self._name} is at rest, but was not let go: {error}")
        if trouble is not None:
            raise trouble

    def _last_stop(self) -> ChannelError | None:
        """One stop and one look; what is wrong then."""
        device, number = self._link.device, self._link.number
        try:
            device.stop(number)
            values = device.values(number)
        except ChannelError as error:
            kind = LinkLost if isinstance(error, LinkLost) else ChannelError
            return kind(
                f"{self._name} was not seen to stop, and may go on by itself with what it was loaded with: "
                f"the cell may be connected{self._notes.seen}. {error}"
            )
        if values.State == STOP:
            return None
        return ChannelError(
            f"{self._name} was told to stop at the end and did not yet: the cell is connected, at "
            f"{values.Ewe:.4g} V and {values.I:.4g} A. Disconnect the cell at the instrument."
        )
