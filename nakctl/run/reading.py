"""One block of rows at a time; or, while the record is behind, only what the channel shows.

Rows wait where they are safe, in the instrument, and not here; but those of spectra may expire there, its
memory has an end, and there are ends that only rows can tell.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import numpy as np

from nakctl.decide.ties import Tie, tie
from nakctl.device.channel import POINT, SAMPLE, Channel, Look, Reading, State, Visit, Watch
from nakctl.device.program import Eis, Segment
from nakctl.errors import ChannelError, LinkLost
from nakctl.run.clock import Clock
from nakctl.run.logbook import Logbook
from nakctl.run.pulse import Pulse

BEHIND_s, BEHIND_BYTES, NEARLY_FULL = 1.0, 4 << 20, 0.75
SOON_s = 0.05  # a commit that is nearly done is waited for, within the promised time of a round
IDLE_s = 0.1  # virtual time goes on by so much where no channel moves it
UNHEARD_s = 2.0  # a reply may be lost; for longer, nobody guards what the host holds
MUTE_s = 60.0  # rows that a channel keeps back for longer, while it answers all else, may never come


class Reader:
    """Of one run.

    needs_rows  whether somebody judges by the rows of the loaded segment
    look        what the channel said last; None: it was not heard
    visit       that of the newest row of the chain; None: there was none yet
    ends_before  of a chain that is over: as in `Reading`
    tie         the moment of the last answer on both clocks, if it has one, and we started the chain
    is_adopted  another program started the chain: its clock is not ours
    """

    def __init__(
        self, channel: Channel, clock: Clock, pulse: Pulse, logbook: Logbook, now_s: Callable[[], float]
    ) -> None:
        self.channel, self.clock, self.pulse, self.logbook, self.now_s = channel, clock, pulse, logbook, now_s
        self.segment = Segment(())
        self.needs_rows = False
        self.look: Look | None = None
        self.visit: Visit | None = None
        self.ends_before: int | None = None
        self.tie: Tie | None = None
        self.is_adopted = False
        self._behind_since_s: float | None = None
        self._heard_s = now_s()
        self._more = False  # rows waited after the last block
        self._told = False  # that it is not heard
        self._mute_since_s: float | None = None  # it shows how it is, and hands over no rows
        self._told_mute = False

    def open_segment(self, segment: Segment, *, needs_rows: bool) -> None:
        self.visit, self.needs_rows, self.segment = None, needs_rows, segment
        self.ends_before = None
        self.is_adopted, self._mute_since_s = False, None
        self._heard_s = self.now_s()

    def next(self, watch: Watch) -> Reading:
        """What there is. ChannelError: it cannot be read. A silence is no error: the channel goes on."""
        before_s, why = self.now_s(), ""
        try:
            reading = self._later() if self._must_wait_for_the_record() else self._read_or_looked(watch)
        except LinkLost as error:
            reading, why = nothing(), f": {error}"
            self._idle()
        except ChannelError:
            self.look = None
            self._idle()
            raise
        self._tell_silence(heard=not _is_silence(reading), why=why)
        self.look, self.visit, self._more = reading.look, reading.visit or self.visit, reading.more
        self.ends_before = reading.ends_before
        self.tie = None if self.is_adopted else tie(reading.look, before_s, self.now_s())
        return reading

    def _idle(self) -> None:
        """Where nobody answers, nobody else moves virtual time."""
        self.clock.advance_to(self.clock.now_s() + IDLE_s)

    def read(self, watch: Watch) -> Reading:
        """A block, whatever the record does."""
        self.logbook.begin_block()
        with self.pulse.calling("read"):
            return self.channel.read(watch)

    def _read_or_looked(self, watch: Watch) -> Reading:
        """Where no rows can be had, what the channel shows may be: limits are judged by that."""
        reading = self.read(watch)
        if not _is_silence(reading):
            self._mute_since_s = None
            return reading
        with suppress(LinkLost):  # what the read brought is kept all the same
            reading = replace(reading, look=self._looked().look)
        self._tell_mute(reading.look)
        return reading

    @property
    def is_mute(self) -> bool:
        """The channel answers, but no read of its rows, and that for so long that they may never come."""
        return self._mute_since_s is not None and self.now_s() - self._mute_since_s >= MUTE_s

    def _tell_mute(self, look: Look | None) -> None:
        """Once, while it lasts, of a channel that stands. One that runs and shows no rows: `gate`."""
        if look is None:
            return
        if self._mute_since_s is None:
            self._mute_since_s, self._told_mute = self.now_s(), False
        if self.is_mute and not (look.running or self._told_mute):
            self._told_mute = True
            text = f"the channel has stopped, and has not handed over its last rows for {MUTE_s:g} s"
            self.logbook.note(2, "not_read", f"{text}: they are asked for again and again")

    def _later(self) -> Reading:
        """Rows that waited before still do; the record will have caught up in a moment, or is behind."""
        return replace(self._looked(), more=self._more and self._behind_since_s is None)

    def _looked(self) -> Reading:
        with self.pulse.calling("look"):
            return nothing(self.channel.look())

    def _tell_silence(self, *, heard: bool, why: str) -> None:
        """Once, while it lasts. That it is over is told by who knows how long it was, the channel."""
        now_s = self.now_s()
        if heard:
            self._heard_s, self._told = now_s, False
        elif not self._told and now_s - self._heard_s >= UNHEARD_s:
            self._told = True
            silent_s = now_s - self._heard_s
            text = (
                f"the channel is not heard for {silent_s:.3g} s: limits that the host holds are not guarded"
            )
            self.logbook.note(2, "not_heard", f"{text}{why}", {"silent_s": silent_s})

    def _must_wait_for_the_record(self) -> bool:
        """A block is fetched when the one before is kept: a sudden end takes one at the most."""
        recording = self.logbook.recording
        kept = recording.settle(SOON_s if self._behind_since_s is None else 0.0)
        behind = recording.waiting_s > BEHIND_s or recording.waiting_bytes > BEHIND_BYTES
        if behind != (self._behind_since_s is not None):
            self._tell_behind(behind)
        if kept or self.needs_rows or self._is_sweeping():
            return False
        return self.look is None or (self.look.running and self.look.filled <= NEARLY_FULL)

    def _is_sweeping(self) -> bool:
        techniques = self.segment.techniques
        return self.visit is not None and isinstance(techniques[self.visit.technique], Eis)

    def _tell_behind(self, behind: bool) -> None:
        if behind:
            self._behind_since_s = self.now_s()
            text = "the record is behind: rows wait in the instrument meanwhile"
            self.logbook.note(1, "record_behind", text)
        elif self._behind_since_s is not None:
            lasted_s = self.now_s() - self._behind_since_s
            self._behind_since_s = None
            text = f"the record has caught up after {lasted_s:.3g} s"
            self.logbook.note(0, "record_caught_up", text, {"lasted_s": lasted_s})


def _is_silence(reading: Reading) -> bool:
    rows = len(reading.samples) + len(reading.points)
    return reading.look is None and rows == 0 and reading.state is State.RUNNING


def nothing(look: Look | None = None) -> Reading:
    """No rows, and the channel goes on as far as anybody knows."""
    return Reading(State.RUNNING, np.zeros(0, SAMPLE), np.zeros(0, POINT), look=look)
