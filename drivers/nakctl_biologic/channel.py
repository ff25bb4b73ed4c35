"""The channel contract over one channel of a BioLogic instrument.

One read is one BL_GetData, and now and then one BL_GetMessage. Nothing waits and nothing is tried twice in
one call. A read that is not answered is silence, whatever its code, unless the code says that the channel is
not ours any more, and so does the channel: it goes on by itself and keeps its rows, so the run decides what
that is worth.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum, auto
from typing import Any, NoReturn

from nakctl.device.channel import ChannelInfo, Look, Notice, Reading, State, Watch
from nakctl.device.driver import ClockLike
from nakctl.device.feeding import ring_of
from nakctl.device.instrument import Instrument
from nakctl.device.program import Segment
from nakctl.errors import ChainTooLong, ChannelError, IllegalEvent, LinkLost
from nakctl_biologic.codes import STOP, Board
from nakctl_biologic.device import CONNECT_TIMEOUT_s
from nakctl_biologic.entries import entries_of
from nakctl_biologic.errors import EclibError
from nakctl_biologic.feeding import Feeder
from nakctl_biologic.following import Following, look_of
from nakctl_biologic.link import Link, NotOurs, as_kept
from nakctl_biologic.memory import check_memory, memory_s
from nakctl_biologic.notes import Notes
from nakctl_biologic.params import Loaded, chain
from nakctl_biologic.visits import Taken, Visits

LOADING_s = 20.0  # what loading a long chain may take besides
RUNS_ALREADY, MEMORY_FULL = -13, -405


class Phase(Enum):
    FOREIGN = auto()  # opened to go on with what is there, which nobody has recognised yet
    SEIZED = auto()  # whosever it is, it is to be switched off
    IDLE = auto()
    LOADED = auto()
    STARTING = auto()  # a start was asked for and not answered
    RUNNING = auto()
    OVER = auto()  # every row of the chain was handed over
    CLOSED = auto()


AT_REST = (Phase.IDLE, Phase.OVER)
OPEN = (*AT_REST, Phase.LOADED, Phase.STARTING, Phase.RUNNING)
RUNNING = (Phase.STARTING, Phase.RUNNING, Phase.SEIZED)  # as far as anybody knows
# What comes of a memo that is damaged, or of something else.
NO_MEMO = (KeyError, TypeError, ValueError, AttributeError, struct.error, ChannelError)


class BiologicChannel:
    """Obeys nakctl.device.channel.Channel.

    notices  what was found while it was opened; adopting: that was done to go on with what is there
    """

    def __init__(
        self,
        link: Link,
        board: Board,
        instrument: Instrument,
        clock: ClockLike,
        info: ChannelInfo,
        notices: list[Notice],
        *,
        adopting: bool = False,
    ) -> None:
        self._link = link
        self._board = board
        self._instrument = instrument
        self._clock = clock
        self._info = info
        self._memory_bytes = int(info.facts.get("memory_bytes", 0))
        self._phase = Phase.FOREIGN if adopting else Phase.IDLE
        self._visits = Visits(Segment(()), (), instrument, board)
        self._notes = Notes(f"channel {link.number + 1}", clock, notices)
        self._start_s = 0.0
        self._following: Following | None = None  # of what was started last
        self._feeder: Feeder | None = None  # of what was loaded last, if the channel cannot hold it
        self._holds = 1  # techniques that it is known to take in one chain
        self._most = instrument.chain_length  # that it may take

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
        self._link.must_be_ours()
        if self._phase is Phase.FOREIGN and self._phase not in phases:
            raise NotOurs(f"nobody has recognised what is on {self._name}: it is left alone")
        if self._phase not in phases:
            raise IllegalEvent(f"{doing} while {self._name} is {self._phase.name.lower()}")

    # --- before the start ------------------------------------------------------------------------------

    def check(self, segment: Segment) -> None:
        """LimitError: this very channel has no such range or bandwidth, or too small a memory."""
        loaded = chain(segment, self._instrument, self._board)
        check_memory(segment, self._memory_bytes, self._instrument, self._board)
        if self._phase in AT_REST and len(self._laid_out(segment, loaded)) > self._holds:
            self._must_hold(segment, loaded)

    def _laid_out(self, segment: Segment, loaded: tuple[Loaded, ...]) -> tuple[Loaded, ...]:
        """As it is, or as a ring that is fed, if it is longer than the channel may hold."""
        device = replace(self._instrument, chain_length=self._most)
        can_feed = self._link.device.can_update
        self._feeder = Feeder.of(segment, loaded, device, self._board) if can_feed else None
        if self._feeder is not None:
            return self._feeder.chain()
        return entries_of(segment.techniques, loaded, self._board)

    def _must_hold(self, segment: Segment, loaded: tuple[Loaded, ...]) -> None:
        """How long a chain may be is told by a try alone: it is loaded, and not started. ChainTooLong."""
        self._phase = Phase.IDLE
        if not self._link.reach():
            return
        while True:
            laid_out = self._laid_out(segment, loaded)
            try:
                self._load(laid_out)
            except EclibError as error:
                if error.code != MEMORY_FULL:
                    return  # that may be over when it is loaded to be started
                if self._feeder is None or len(self._laid_out(segment, loaded)) > self._most:
                    can_feed = self._link.device.can_update and (
                        self._feeder is not None or len(loaded) <= self._instrument.chain_length
                    )
                    raise ChainTooLong(f"{error}", len(laid_out), can_feed=can_feed) from None
            else:
                return

    def _load(self, laid_out: tuple[Loaded, ...]) -> None:
        """What is learned by it is how long a chain may be."""
        try:
            self._link.device.load(self._link.number, laid_out)
        except EclibError as error:
            if error.code == MEMORY_FULL:
                self._most = min(self._most, len(laid_out) - max(1, len(laid_out) // 4))
            raise
        self._holds = max(self._holds, len(laid_out))

    def memory_s(self, segment: Segment) -> float:
        """How long, at the least, its memory holds what the segment records while nobody reads; NaN if the
        channel does not say how large it is."""
        return memory_s(segment, self._memory_bytes, self._instrument, self._board)

    def load(self, segment: Segment, mark: str = "") -> None:
        """LinkLost: not heard or not answered; it may be loaded again, from its first technique."""
        self._must_be("load", *AT_REST, Phase.LOADED)
        loaded = chain(segment, self._instrument, self._board)
        self._visits = Visits(segment, loaded, self._instrument, self._board)
        self._following = None
        self._phase, self._notes.seen = Phase.IDLE, ""
        self._reach("load")
        try:
            self._load_somehow(segment, loaded)
            self._link.sign(mark)
        except EclibError as error:
            self._fail(error)
        self._heard()
        if mark and not self._link.mark:
            self._notes.unmarked()
        self._phase = Phase.LOADED

    def _load_somehow(self, segment: Segment, loaded: tuple[Loaded, ...]) -> None:
        """One that was planned to be fed may be loaded by who does not know yet how long a ring may be."""
        while True:
            laid_out = self._laid_out(segment, loaded)
            try:
                self._load(laid_out)
            except EclibError as error:
                if error.code != MEMORY_FULL or len(self._laid_out(segment, loaded)) > self._most:
                    raise
            else:
                return

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
        self._follow(self._start_s, None)
        self._phase = Phase.RUNNING

    def _follow(self, start_s: float, memo: Mapping[str, Any] | None) -> Following:
        self._following = Following(
            self._link,
            self._clock,
            self._notes,
            self._visits,
            self._memory_bytes,
            start_s,
            memo,
            self._feeder,
        )
        return self._following

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
            self._not_started(error)

    def _not_started(self, error: EclibError) -> NoReturn:
        try:
            self._fail(error)
        except LinkLost:
            raise
        except ChannelError:
            if not error.passing:
                self._phase = Phase.IDLE
            raise

    # --- where another one left off --------------------------------------------------------------------

    def adopt(self, segment: Segment, memo: Mapping[str, Any], mark: str = "") -> None:
        """Two questions are asked: which firmware is there, and which mark. Where the library or the channel
        keeps no marks, the rows that come have to fit.

        ChannelError: the memo is of another segment, or of another nakctl.
        """
        if self._phase not in {Phase.FOREIGN, *AT_REST}:
            raise IllegalEvent(f"adopt while {self._name} is {self._phase.name.lower()}")
        if not (memo or mark):
            raise IllegalEvent(f"what is on {self._name} is known by its mark, and none was given")
        loaded = chain(segment, self._instrument, self._board)
        self._visits = Visits(segment, loaded, self._instrument, self._board)
        keeps_none = memo and not memo.get("mark")
        self._link.mark = "" if keeps_none else as_kept(mark or str(memo["mark"]))
        self._recognise()
        slots = 0 if memo else self._slots(segment)
        try:
            slots = int(memo["fed"]["ring"]) if "fed" in memo else slots
            self._feeder = Feeder.of(segment, loaded, self._instrument, self._board, slots) if slots else None
            following = self._follow(self._clock.now_s(), memo)
        except NO_MEMO:
            raise ChannelError(
                f"what was noted of {self._name} does not belong to this segment, or to this nakctl"
            ) from None
        self._phase = Phase.OVER if following.is_over else Phase.RUNNING

    def _slots(self, segment: Segment) -> int:
        """Of the ring that is there, as the channel says; 0: the chain is there as it is."""
        total = len(segment.techniques)
        if ring_of(segment.techniques, replace(self._instrument, chain_length=total - 1)) is None:
            return 0
        try:
            _, infos = self._link.device.channel_infos(self._link.number)
        except EclibError as error:
            self._link.bear(error)
            raise LinkLost(f"it is not known what {self._name} is loaded with: {error}") from None
        return 0 if infos.NbOfTechniques == total else int(infos.NbOfTechniques) - 1

    def _recognise(self) -> None:
        self._link.lost = ""
        try:
            if not self._link.reach():
                raise LinkLost(f"{self._name} cannot be asked whose it is: {self._link.said}")
            self._link.recognise()
        except EclibError as error:
            self._link.bear(error)
            raise LinkLost(f"it is not known whose {self._name} is: {error}") from None
        self._heard()

    def whose(self) -> str:
        if self._phase is Phase.CLOSED:
            raise IllegalEvent(f"whose while {self._name} is closed")
        try:
            if not self._link.reach():
                raise LinkLost(f"{self._name} cannot be asked whose it is: {self._link.said}")
            mark = self._link.found()
        except EclibError as error:
            self._link.bear(error)
            raise LinkLost(f"it is not known whose {self._name} is: {error}") from None
        self._heard()
        return mark

    def seize(self) -> None:
        if self._phase is Phase.CLOSED:
            raise IllegalEvent(f"seize while {self._name} is closed")
        self._link.disown()
        self._following = None
        self._phase = Phase.SEIZED

    # --- calls -----------------------------------------------------------------------------------------

    def _reach(self, doing: str) -> None:
        """LinkLost: nobody answers, and it is not time yet for another try, or the try failed."""
        if not self._link.reach():
            raise LinkLost(f"{self._name} cannot be told to {doing}: {self._link.said}")

    def _fail(self, error: EclibError) -> NoReturn:
        """Of an order that may be given once more: LinkLost."""
        told = self._link.weighed(error)
        if isinstance(told, LinkLost):
            self._link.silent(told)
        raise told from None

    def _heard(self) -> None:
        """A call that counts was answered."""
        outage_s = self._link.answered()
        if outage_s is not None:
            self._notes.outage(outage_s)

    # --- read and look ---------------------------------------------------------------------------------

    def read(self, watch: Watch) -> Reading:
        """The next block. `watch` is not needed: hardware is read often enough.

        Between segments nothing is fetched: then there is no look either.
        """
        if self._following is None or self._phase is not Phase.RUNNING:
            self._must_be("read", *OPEN)
            return self._nothing()
        reading = self._following.read()
        if self._following.is_over:
            self._phase = Phase.OVER
        return reading

    def _nothing(self) -> Reading:
        nothing, notices = Taken(), self._notes.hand_over()
        state = State.STOPPED if self._phase in AT_REST else State.RUNNING
        if self._following is None:
            return Reading(state, nothing.samples, nothing.points, notices)
        visit, memo, before = self._following.newest, self._following.memo(), self._following.ends_before
        before = before if self._phase is Phase.OVER else None
        return Reading(
            state, nothing.samples, nothing.points, notices, visit=visit, memo=memo, ends_before=before
        )

    def look(self) -> Look | None:
        """One BL_GetCurrentValues; None: silence. ChannelError: the channel is somebody else's."""
        self._must_be("look", *OPEN, Phase.FOREIGN, Phase.SEIZED)
        if not self._link.reach():
            return None
        try:
            values = self._link.device.values(self._link.number)
        except EclibError as error:
            self._link.bear(error)
            return None
        if self._following is not None and self._phase is Phase.RUNNING:
            self._following.must_not_be_strange(values)
        return look_of(values, self._memory_bytes, third=self._visits.Ece_shown)

    # --- the end ---------------------------------------------------------------------------------------

    def stop(self) -> None:
        """One BL_StopChannel; whether it was obeyed is for the reads that follow to say.

        LinkLost: not heard or not answered. ChannelError: refused.
        """
        if self._phase is Phase.CLOSED:
            return
        self._must_be("stop", *OPEN, Phase.SEIZED)
        try:
            self._link.device.stop(self._link.number)
        except EclibError as error:
            raise self._not_stopped(error) from None
        if self._phase is Phase.LOADED:
            self._phase = Phase.IDLE
        if self._phase is Phase.STARTING:  # it may have run, and have rows
            self._begin()
        if self._following is not None:
            self._following.be_told_to_stop()

    def _not_stopped(self, error: EclibError) -> ChannelError:
        if isinstance(error, LinkLost):
            self._link.silent(error)
            self._link.hurry()
        if self._phase not in RUNNING:
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
        runs = phase in RUNNING and not self._link.lost
        trouble = self._last_stop() if runs else None
        try:
            self._link.device.disconnect()
        except ChannelError as error:
            trouble = trouble or ChannelError(f"{self._name} is at rest, but was not let go: {error}")
        if trouble is not None:
            raise trouble

    def leave(self) -> None:
        if self._phase is not Phase.CLOSED:
            self._phase = Phase.CLOSED
            self._link.device.disconnect()

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
