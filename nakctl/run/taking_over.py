"""The loop of a run whose program died: it begins where that one left off, with the channel that it adopted.

From there on it is the loop of every run. What is different is the newest chain: it may run; or stand, with
rows that wait; or be over, with nobody told why; or never have begun; or be gone from the channel.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from nakctl.booking.book import Page
from nakctl.booking.ending import Ending, gravest
from nakctl.decide import engine
from nakctl.decide.cut import left_behind
from nakctl.decide.stopping import Stopping
from nakctl.device.channel import Reading, State
from nakctl.errors import LinkLost
from nakctl.run.control import Control
from nakctl.run.starting import Started
from nakctl.run.successor import Left


class TakenOver(Control):
    """left: by the program that died."""

    def __init__(self, *what: Any, left: Left, **how: Any) -> None:
        super().__init__(*what, since_s=left.now_s, **how)
        self.left = left
        self.load_again = False  # the chain that was meant last: it never began
        self.stands = False  # the adopted channel has stopped by itself: there is nothing to stop, but rows
        self.state = left.state
        self.paused_s = self.now_s()
        self.logbook.go_on(left)
        self.asks = left.chain.asks if left.chain.waits else ""
        self.outside.asks(self.asks)
        if left.chain.number or left.chain.waits:
            self.pending.clear()
            self._take_up_the_chain(left)

    def _take_up_the_chain(self, left: Left) -> None:
        """It runs, or has rows that wait; or it is over; or it was to be loaded, and never began; or there is
        none since a pause or a skip."""
        chain = left.chain
        if not left.position:
            if self.state.phase is engine.Phase.READY:
                self.pending.append(engine.Begin())
            return
        self.open_segment(chain.segment, left.returned_s if left.called_s is not None else left.book.start_s)
        self.reader.visit, self.reader.ends_before = left.visit, left.ends_before
        self.stopping = Stopping(self.now_s())
        if left.called_s is not None:
            self.starts.waiting = Started(left.called_s, left.returned_s)
        elif chain.is_begun:
            self.guard.go_on(float(left.book.ledger.last_sample["time"][0]))
        if left.is_lost:
            self.reader.look = left.look
        elif chain.may_run:
            self.cell_open, self.reader.is_adopted = False, True
        elif chain.is_over:
            self.ended, self.reader.look = chain.end, left.look
        else:
            self.load_again = True

    def begin(self) -> None:
        """A chain that has come to its end, and has rows or had some, is read before anybody stops it: so it
        can be proven why it is over. Of one that was read to its end that is told now, if nobody had."""
        chain = self.left.chain
        self.bench.go_on_with(self.left.setting, paused=self.state.phase is engine.Phase.PAUSED)
        if not chain.number:
            self.check()
            return
        if self.left.is_lost:
            self.continue_what_was_lost()
            return
        if chain.is_over and self.never_began():
            self.load_again = True
        elif chain.is_over and self.left.position and self.ended is None:
            why = chain.why if chain.told else gravest(self.state.ending) or self.explain()
            self.logbook.over(why)
            self.pending.append(engine.ChainEnded(why))
        if not chain.may_run:
            return
        with suppress(LinkLost):
            look = self.call("look", self.channel.look)
            has_begun = bool(chain.memo) or (look is not None and look.filled > 0)
            self.stands = look is not None and not look.running and has_begun

    def continue_what_was_lost(self) -> None:
        """The instrument was switched off, or used for something else, in the middle of a chain. One that was
        to be stopped is over for that reason: nothing goes on after a limit."""
        self.check()
        chain = self.left.chain
        if chain.stop is not None:
            self.logbook.over(chain.stop)
            self.pending.append(engine.ChainEnded(chain.stop))
            return
        why = Ending("go on", "what was on the channel was gone")
        self.logbook.over(why)
        row_s = self.guard.time_s
        text = (
            f"{why.reason}: what is left of the step that was under way, and of the program, goes on. "
            f"It counts from the last row, at {row_s:.5g} s: what the cell was given after it, nobody knows"
        )
        self.logbook.note(1, "continued", text, {"last_row_s": row_s})
        rest = left_behind(
            self.program, self.left.position, self.cut(), why, self.guard.elapsed_s, self.loaded
        )
        self.pending.append(self.go_on_with(rest, why, waits=False))

    def round(self) -> None:
        self.perform_what_waits()
        if self.load_again and self.ended is None:
            self.load_what_never_began()
        super().round()

    def load_what_never_began(self) -> None:
        """The chain that the other program meant to start."""
        chain, self.load_again = self.left.chain, False
        self.logbook.note(1, "load_again", "the chain that was to be started never began: it is loaded again")
        if not self.is_to_end():
            self.load_and_start(chain.segment, chain.new_cycle, chain.lasting_s, chain.known)

    def judge(self, reading: Reading, page: Page, sensed: Ending | None) -> list[engine.Event]:
        if reading.state is State.STOPPED and self.never_began():
            self.cell_open = self.load_again = True
            return []
        return super().judge(reading, page, sensed)

    def never_began(self) -> bool:
        """A start was meant by the other program, and nothing shows that the channel heard it."""
        if self.state.phase is not engine.Phase.RUNNING or self.ended is not None:
            return False
        chain, is_its = self.left.chain, self.logbook.segment == self.left.chain.number
        return is_its and not (chain.is_started or chain.told) and self.reader.visit is None

    def can_be_stopped(self) -> bool:
        look = self.reader.look
        self.stands = self.stands and not (look is not None and look.running) and self.error is None
        return super().can_be_stopped() and not self.stands
