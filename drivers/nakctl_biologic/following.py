"""One chain that was started, followed block by block until every row was handed over."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from nakctl.device.channel import Look, Reading, State, Visit
from nakctl.device.driver import ClockLike
from nakctl.errors import ChannelError, ChannelTaken, LinkLost
from nakctl_biologic.codes import STOP
from nakctl_biologic.course import Course, Patience, Stage
from nakctl_biologic.errors import EclibError, RowError
from nakctl_biologic.feeding import Feeder
from nakctl_biologic.link import Link
from nakctl_biologic.messages import Messages
from nakctl_biologic.notes import Notes
from nakctl_biologic.raw import NO_ROWS, packed
from nakctl_biologic.rows import HALF_UNIT, Block
from nakctl_biologic.structures import CurrentValues
from nakctl_biologic.visits import Taken, Visits

AT_FENCE_s = 1.0  # where a chain is to stop


def look_of(values: CurrentValues, memory_bytes: int, *, third: bool) -> Look:
    """memory_bytes: of the channel; 0: not known."""
    filled = values.MemFilled / memory_bytes if memory_bytes > 0 else 0.0
    Ece_V = values.Ece if third else math.nan
    return Look(values.State != STOP, values.Ewe, values.I, values.ElapsedTime, filled, Ece_V)


class Following:
    """Of one channel and one start.

    start_s   when it was started, on the clock
    memo      where another one left off; {}: it had read nothing. None: it was started just now
    feeder    of a chain that is handed over while it runs
    is_over   every row was handed over
    KeyError, TypeError, ValueError, struct.error, ChannelError: the memo is none of this segment.
    """

    def __init__(
        self,
        link: Link,
        clock: ClockLike,
        notes: Notes,
        visits: Visits,
        memory_bytes: int,
        start_s: float,
        memo: Mapping[str, Any] | None = None,
        feeder: Feeder | None = None,
    ) -> None:
        self._link, self._clock, self._notes, self._visits = link, clock, notes, visits
        self._feeder = feeder
        self._memory_bytes = memory_bytes
        self._start_s = start_s
        self._is_dated = memo is None  # else the start is only known to be no later
        self._course = Course(notes.name, start_s, by_another=memo is not None)
        self._messages = Messages(link, clock, notes)
        self._unanswered = 0  # reads that may have taken rows out of the channel
        self._unfit = False  # words came that did not fit what was loaded
        self._trouble: ChannelError | None = None  # to be told by the next read
        self._elapsed_s = 0.0  # on the channel's own clock, as of the last block
        self._untaken: ChannelError | None = None  # likewise; the channel can be read on
        self._at_fence: Patience | None = None  # which is to stop the chain
        self._is_doubtful = False  # something strange was seen, and nobody has answered yet whose it is
        self.is_over = False
        if memo:
            self._recall(memo)
        elif memo is not None and feeder is not None:
            feeder.be_uncertain()
        notes.begin(self._start_s)

    @property
    def newest(self) -> Visit | None:
        return self._visits.newest

    def be_told_to_stop(self) -> None:
        """The instrument has accepted it."""
        self._course.told_to_stop = True

    # --- for whoever goes on with it -------------------------------------------------------------------

    def memo(self) -> dict[str, Any]:
        """Nothing of it depends on the clock, which is another one there."""
        return {
            "mark": self._link.mark,
            "over": self.is_over,
            "unfit": self._unfit,
            "unanswered": self._unanswered,
            "course": self._course.reached,
            "told": self._notes.told,
            "visits": self._visits.memo(),
            **({} if self._feeder is None else {"fed": self._feeder.memo()}),
        }

    def _recall(self, memo: Mapping[str, Any]) -> None:
        self._visits.recall(memo["visits"])
        if self._feeder is not None:
            self._feeder.recall(memo["fed"])
        self._start_s -= self._visits.last_s
        self._course.reached = memo["course"]
        self._unanswered, self.is_over = int(memo["unanswered"]), bool(memo["over"])
        self._unfit = bool(memo["unfit"])
        if self._unfit:
            self._trouble = RowError(f"rows came from {self._notes.name} that do not fit what was loaded")
        self._notes.told = memo["told"]

    def _date(self, values: CurrentValues) -> None:
        """When it began, by the instrument's own clock, which is a single."""
        if not self._is_dated:
            elapsed_s = values.ElapsedTime * (1.0 + 2.0 * HALF_UNIT)
            self._start_s = min(self._start_s, self._clock.now_s() - elapsed_s)
            self._notes.date(self._start_s)
            self._is_dated = True

    # --- read ------------------------------------------------------------------------------------------

    def read(self) -> Reading:
        """The next block. Trouble waits for the next read if a block does."""
        if self._trouble is not None:
            raise self._trouble
        if self._untaken is not None:
            error, self._untaken = self._untaken, None
            raise error
        try:
            return self._next()
        except ChannelError as error:
            if not self._visits.holds:
                raise
            self._trouble = error
            return self._reading(State.RUNNING, self._take(NO_ROWS))

    def _next(self) -> Reading:
        self._link.must_be_ours()
        answer = self._fetch()
        if answer is None:
            self._notes.silence(self._link.said)
            return self._reading(State.RUNNING, self._take(NO_ROWS))
        came, values = answer
        block, raw = self._placed(came)
        self.must_not_be_strange(values, leaps=self._visits.leaps(block))
        self._date(values)
        taken = self._take(block, raw)
        self._notes.values(values)
        stage = self._course.go_on(values, came.n_rows, self._clock.now_s())
        talks = self._messages.listen(at_once=stage is Stage.SETTLING)
        if stage is Stage.OVER and not talks:
            self._end(values)
        self._clock.advance_to(self._start_s + self._visits.last_s)
        look = look_of(values, self._memory_bytes, third=self._visits.Ece_shown)
        if self.is_over:
            return self._reading(State.STOPPED, taken, look)
        waiting = came.is_full or (came.n_rows > 0 and values.MemFilled > 0) or self._visits.holds
        troubled = self._trouble is not None or self._untaken is not None
        more = waiting or stage is not Stage.UNDER_WAY or troubled
        if not more:
            self._must_stop_at_a_fence()
            more = self._feed(values)
        return self._reading(State.RUNNING, taken, look, more=more)

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
        outage_s = self._link.answered()
        if outage_s is not None:
            self._notes.outage(outage_s)
        return answer

    def _placed(self, came: Block) -> tuple[Block, bytes | None]:
        """A block as one of the chain, without the rows of a fence; and how it is kept, if otherwise: as it
        came."""
        if self._feeder is None or came.n_rows == 0:
            block = self._visits.placed(came)
            return block, None if block is came else packed(came, self._unanswered)
        newest = self._feeder.places.newest
        of_ring, slots = self._feeder.placed(came), self._feeder.ring.length
        is_fence = of_ring is None
        raw = packed(came, 0 if is_fence else self._unanswered, slots, is_fence=is_fence)
        if of_ring is None:
            return NO_ROWS, raw
        if of_ring.technique > newest and (wrong := self._feeder.strange(of_ring)):
            self._untaken = ChannelError(f"{self._notes.name} {wrong}")
        return of_ring, raw

    def _take(self, block: Block, raw: bytes | None = None) -> Taken:
        """What may be handed over now, and the words it is made of. Words that fit nothing are kept, too."""
        came = block.n_rows != 0
        unanswered = self._unanswered if came else 0
        if raw is None:
            raw = packed(block, unanswered) if came or self._visits.holds else b""
        taken = self._visits.hear(block, unanswered)
        taken.raw = raw
        if came:
            self._unanswered = 0
        else:
            taken.notices += self._visits.overflow(block)
        if taken.unfit is not None:
            self._unfit, self._trouble = True, self._why(taken.unfit)
        return taken

    def _must_stop_at_a_fence(self) -> None:
        """A fence that does not stop the chain holds it: that is no place to stay."""
        if self._feeder is None or self._feeder.places.fence is None or self._course.told_to_stop:
            return
        now_s = self._clock.now_s()
        self._at_fence = self._at_fence or Patience(now_s, lasts_s=AT_FENCE_s)
        if self._at_fence.ends(now_s):
            self._at_fence = None
            place = self._feeder.places.fence + 1
            self._untaken = ChannelError(
                f"{self._notes.name} was to stop before technique {place} of its chain, and stays there"
            )

    def _feed(self, values: CurrentValues) -> bool:
        """Hand over a part of what comes later, if there is room: one exchange more. Whether there is more of
        it to do at once."""
        feeder, visit = self._feeder, self._visits.newest
        if feeder is None or visit is None or self._course.told_to_stop:
            return False
        was_given_up = feeder.given_up
        elapsed_s = max(values.ElapsedTime, self._visits.last_s)
        call = feeder.due(elapsed_s, visit.start_s)
        if call is not None:
            try:
                self._link.device.update(self._link.number, call.slot, call.entry)
            except EclibError as error:
                if error.passing or isinstance(error, LinkLost | ChannelTaken):
                    feeder.unheard(call)
                    with suppress(ChannelError):  # the next read tells, too, and loses nothing by it
                        self._link.bear(error)
                else:
                    feeder.refused(str(error))
            else:
                feeder.answered(call)
                return feeder.is_handing_over
        if feeder.given_up and not was_given_up:
            self._notes.not_fed(feeder.given_up, feeder.handed_over)
        return False

    def must_not_be_strange(self, values: CurrentValues, *, leaps: bool = False) -> None:
        """A chain that was started once does not begin again, and goes only where its loops lead. What does
        may be of another program, though its rows fit: so it is asked whose it is before anything is taken
        for ours. NotOurs.
        """
        went_back, self._elapsed_s = values.ElapsedTime < self._elapsed_s, values.ElapsedTime
        if not (self._is_doubtful or went_back or leaps):
            return
        self._is_doubtful = True
        with suppress(EclibError):  # it is asked again with the next block
            self._link.recognise()
            self._is_doubtful = False

    def _why(self, unfit: ChannelError) -> ChannelError:
        """They may be rows of a chain that another program loaded: hands off."""
        try:
            self._link.recognise()
        except ChannelTaken as error:
            return error
        except ChannelError:  # nobody answers that
            return unfit
        return unfit

    def _reading(
        self, state: State, taken: Taken, look: Look | None = None, *, more: bool = False
    ) -> Reading:
        notices = self._notes.hand_over(taken.notices)
        of = (taken.samples, taken.points, notices, look, more, self._visits.newest, taken.raw, self.memo())
        return Reading(state, *of, ends_before=self.ends_before if state is State.STOPPED else None)

    @property
    def ends_before(self) -> int | None:
        """Of a chain that is over: as in Reading."""
        if self._feeder is None or self._course.told_to_stop:
            return None
        return self._feeder.ends_before()

    def _end(self, values: CurrentValues) -> None:
        """The chain is over, and every row was handed over."""
        self.is_over = True
        if self._course.left_bytes:
            self._notes.left(self._course.left_bytes)
        if self._course.told_to_stop:
            self._notes.stopped(values)
        elif self._course.begun:
            self._notes.extend(self._visits.finish())
        if self._unanswered:
            self._notes.extend(self._visits.missing(self._unanswered))
