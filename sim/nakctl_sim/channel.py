"""The channel contract over a potentiostat in virtual time.

The channel's time is the clock's, minus the moment of `start`. On a paced clock the world goes as far as the
clock is whenever somebody calls; rows that nobody fetched wait, as in an instrument's memory. On a free clock
it stands still between two reads, and a read goes as far as one read should: to the next row beyond the
watch, to `every_s` after the moment at which the last one came back, or until a block is full.

A stop takes effect the instrument's `reaction_s` after the moment of the last read (or now, if that is
later): meanwhile the technique goes on, as it does on the bench while the host reads, decides and calls.
Loading takes the instrument's `load_s`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum, auto
from typing import Any

import numpy as np

from nakctl.device.channel import POINT, SAMPLE, ChannelInfo, Look, Notice, Reading, State, Visit, Watch
from nakctl.device.driver import ClockLike
from nakctl.device.instrument import Instrument
from nakctl.device.program import Segment
from nakctl.errors import ChannelError, ChannelTaken, IllegalEvent, LinkLost
from nakctl_sim.cell.models import Model
from nakctl_sim.habits import USUAL, ChannelHabits
from nakctl_sim.imperfections import imperfections
from nakctl_sim.potentiostat import ROWS_AT_ONCE, Potentiostat
from nakctl_sim.trouble import LOST, Trouble, Troubles
from nakctl_sim.waiting import Block, Waiting


class Phase(Enum):
    IDLE = auto()
    LOADED = auto()
    RUNNING = auto()  # until every row was handed over
    CLOSED = auto()


MAY_LOAD = {Phase.IDLE, Phase.LOADED}
NO_WATCH = Watch()
NOTHING = Block(np.zeros(0, SAMPLE), np.zeros(0, POINT), (), None)
PATIENCE_s = 10.0  # to compute a block, on a machine that is busy with other things
MEMORY_ROWS = 8 * ROWS_AT_ONCE  # about as many as the memory of a real one holds; then the world waits


class SimChannel:
    """A simulated potentiostat channel; obeys nakctl.device.channel.Channel.

    facts: what the record is to keep of the model.
    """

    def __init__(
        self,
        name: str,
        model: Model,
        instrument: Instrument,
        clock: ClockLike,
        seed: int,
        facts: dict[str, Any],
        habits: ChannelHabits = USUAL,
        troubles: Sequence[Trouble] = (),
    ) -> None:
        self._info = ChannelInfo(
            instrument=instrument.name,
            channel=name,
            simulated=True,
            facts=facts | {"seed": seed, "imperfections": imperfections(instrument).as_facts()},
        )
        self._instrument = instrument
        self._clock = clock
        self._potentiostat = Potentiostat(model, instrument, seed, habits)
        self._troubles = Troubles(troubles)
        self._waiting = Waiting()
        self._phase = Phase.IDLE
        self._opened_s = self._open_since_s = clock.now_s()
        self._start_s = 0.0  # of the segment, on the clock
        self._stop_s = math.inf  # when a stop takes effect, in the segment
        self._connected = False  # the chain runs
        self._to_begin = False  # it was started, and has not begun
        self._begun_late = False  # on a free clock: the next read brings its first moment alone
        self._visit: Visit | None = None
        self._memory_full = self._lost = self._was_silent = False

    @property
    def info(self) -> ChannelInfo:
        return self._info

    @property
    def patience_s(self) -> float:
        return PATIENCE_s

    # --- load and start --------------------------------------------------------------------------------

    def check(self, segment: Segment) -> None:
        self._potentiostat.check(segment)

    def load(self, segment: Segment) -> None:
        if self._phase not in MAY_LOAD:
            raise IllegalEvent(f"load while the channel is {self._phase.name.lower()}")
        self._must_answer()
        self._potentiostat.load(segment)
        self._clock.advance_to(self._clock.now_s() + self._instrument.load_s)
        self._phase = Phase.LOADED

    def start(self) -> None:
        if self._phase is not Phase.LOADED:
            raise IllegalEvent(f"start while the channel is {self._phase.name.lower()}")
        self._must_answer()
        self._start_s = self._clock.now_s() + self._troubles.slow_start_s
        self._stop_s = math.inf
        self._visit = None
        self._to_begin = True
        self._phase = Phase.RUNNING
        self._begin()

    def _begin(self) -> None:
        """As soon as it is time to."""
        if self._to_begin and self._clock.now_s() >= self._start_s:
            self._potentiostat.rest(max(0.0, self._start_s - self._open_since_s))
            self._potentiostat.start()
            self._to_begin, self._connected = False, True
            self._begun_late = self._troubles.slow_start_s > 0.0

    # --- read and look ---------------------------------------------------------------------------------

    def read(self, watch: Watch) -> Reading:
        if self._phase is Phase.CLOSED:
            raise IllegalEvent("read while the channel is closed")
        self._go_on(watch)
        self._must_have_kernel()
        if self._silent:
            self._was_silent = True
            return Reading(self._state, NOTHING.samples, NOTHING.points, visit=self._visit)
        return self._hand_over()

    def _hand_over(self) -> Reading:
        block = self._waiting.take() if self._waiting else NOTHING
        notices = (self._outage(), *block.notices) if self._was_silent else block.notices
        self._was_silent = False
        self._visit = block.visit or self._visit
        if self._phase is Phase.RUNNING and not (self._waiting or self._connected or self._to_begin):
            self._phase = Phase.IDLE
        look, more = self._seen(), bool(self._waiting)
        self._memory_full = self._memory_full and more
        return Reading(self._state, block.samples, block.points, notices, look, more, self._visit)

    @property
    def _state(self) -> State:
        return State.STOPPED if self._phase is Phase.IDLE else State.RUNNING

    def look(self) -> Look | None:
        """On a free clock, of the moment at which the last read came back."""
        if self._phase is Phase.CLOSED:
            return None
        if self._paced:
            self._go_on(NO_WATCH)
        self._must_have_kernel()
        return None if self._silent else self._seen()

    def _seen(self) -> Look:
        reached_s = 0.0 if self._to_begin else self._potentiostat.reached_s
        open_s = 0.0 if self._connected else max(0.0, self._clock.now_s() - self._open_since_s)
        Ewe_V, I_A = self._potentiostat.peek(self._potentiostat.reached_s + open_s)
        filled = 1.0 if self._memory_full else min(1.0, self._waiting.n_rows / MEMORY_ROWS)
        return Look(self._connected, Ewe_V, I_A, reached_s, filled)

    # --- the world goes on -----------------------------------------------------------------------------

    @property
    def _paced(self) -> bool:
        return math.isfinite(self._clock.horizon_s())

    def _go_on(self, watch: Watch) -> None:
        """On a paced clock to where it is; on a free one as far as one read goes, unless rows wait."""
        self._begin()
        if self._paced:
            until_s = self._clock.horizon_s() - self._start_s
            while self._connected and self._waiting.n_rows < MEMORY_ROWS:
                self._go(until_s, NO_WATCH)
                if self._potentiostat.reached_s >= until_s:
                    return
        elif not self._waiting or self._silent:
            until_s = self._next_look_s(watch)
            if self._to_begin:
                self._clock.advance_to(min(self._start_s, self._start_s + until_s))
                self._begin()
            elif self._connected and until_s > 0.0:
                until_s = min(until_s, self._tick_s) if self._begun_late else until_s
                self._begun_late = False
                self._go(until_s, NO_WATCH if self._silent else watch)
            elif self._silent and math.isfinite(until_s):
                self._clock.advance_to(self._start_s + until_s)

    @property
    def _tick_s(self) -> float:
        return min(self._instrument.timebase_s.values())

    def _next_look_s(self, watch: Watch) -> float:
        """On a free clock, the moment at which a read has to come back, in the segment."""
        now_s = self._clock.now_s()
        edge_s = self._opened_s + self._troubles.next_edge_s(now_s - self._opened_s)
        if watch.every_s is None or self._stop_s < math.inf:
            return edge_s - self._start_s
        every_s = max(watch.every_s, self._tick_s)  # or time would not go on
        return min(edge_s, now_s + every_s) - self._start_s

    def _go(self, until_s: float, watch: Watch) -> None:
        """Towards until_s, or as far as something happens to the chain."""
        reached_s = self._potentiostat.reached_s
        act = self._troubles.next_act(self._start_s + reached_s - self._opened_s)
        act_s = math.inf if act is None else self._opened_s + act.at_s - self._start_s
        stops, acts = self._stop_s <= min(until_s, act_s), act_s < min(until_s, self._stop_s)
        edge_s = min(until_s, self._stop_s, act_s)
        watch = NO_WATCH if self._stop_s < math.inf else watch
        output = self._potentiostat.run(edge_s, watch, cut=stops or acts)
        self._waiting.add(output)
        self._clock.advance_to(self._start_s + self._potentiostat.reached_s)
        if output.over or (output.waits and stops):
            self._open()
        elif output.waits and acts and act is not None:
            self._act(act)

    def _act(self, act: Trouble) -> None:
        self._troubles.acted()
        if act.name == "early-end":
            self._potentiostat.skip()
            return
        self._open()
        self._memory_full = act.name == "memory-full"
        self._lost = act.name == LOST

    def _open(self) -> None:
        """The cell is open: the chain is over."""
        self._potentiostat.halt()
        self._connected = False
        self._open_since_s = self._start_s + self._potentiostat.reached_s

    # --- stop and close --------------------------------------------------------------------------------

    def stop(self) -> None:
        """Takes effect within the reads that follow."""
        now_s = self._clock.now_s()
        self._must_answer()
        if self._troubles.is_on("stop-refused", now_s - self._opened_s):
            raise ChannelError("the channel refuses to stop")
        if self._troubles.is_on("stop-ignored", now_s - self._opened_s):
            return
        if self._phase is Phase.LOADED:
            self._phase = Phase.IDLE
        elif self._to_begin:
            self._to_begin = False
        elif self._connected and self._stop_s == math.inf:
            reached_s = self._potentiostat.reached_s + self._instrument.reaction_s
            self._stop_s = max(now_s - self._start_s, reached_s)

    def close(self) -> None:
        """There is nothing to let go of, but nothing can be done any more."""
        self._phase = Phase.CLOSED

    # --- trouble ---------------------------------------------------------------------------------------

    @property
    def _silent(self) -> bool:
        return self._troubles.is_on("silent", self._clock.now_s() - self._opened_s)

    def _must_answer(self) -> None:
        self._must_have_kernel()
        if self._silent:
            raise LinkLost("the channel does not answer")

    def _must_have_kernel(self) -> None:
        if self._lost or self._troubles.is_on(LOST, self._clock.now_s() - self._opened_s):
            raise ChannelTaken("the channel has lost its firmware")

    def _outage(self) -> Notice:
        time_s = max(0.0, self._clock.now_s() - self._start_s)
        return Notice(time_s, 1, "link", "the link to the channel was down; the channel went on by itself")
