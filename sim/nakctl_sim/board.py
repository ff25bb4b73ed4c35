"""What stands on the bench: a potentiostat in virtual time, which goes on whoever speaks for it, or nobody.

Its time is the clock's, minus the moment of `start`. On a paced clock the world goes as far as the clock is
whenever somebody calls; rows that nobody fetched wait, as in an instrument's memory. On a free clock it
stands still between two reads, and a read goes as far as one read should: to the next row beyond the watch,
to `every_s` after the moment at which the last one came back, or until a block is full.

A stop takes effect the instrument's `reaction_s` after the moment of the last read (or now, if that is
later): meanwhile the technique goes on, as it does on the bench while the host reads, decides and calls.
Loading takes the instrument's `load_s`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from nakctl.device.channel import Look, Watch
from nakctl.device.driver import ClockLike
from nakctl.device.instrument import Instrument
from nakctl.device.program import Ece_is_shown, Segment
from nakctl.device.sensor import SensorSpec
from nakctl.errors import ChannelError, ChannelTaken, LinkLost
from nakctl_sim.cell.models import Model
from nakctl_sim.chamber import FELT_K, Chamber
from nakctl_sim.executor.execution import ROWS_AT_ONCE
from nakctl_sim.habits import USUAL, ChannelHabits
from nakctl_sim.potentiostat import Potentiostat
from nakctl_sim.trouble import LOST, Trouble, Troubles
from nakctl_sim.waiting import Block, Waiting

NO_WATCH = Watch()
MEMORY_ROWS = 8 * ROWS_AT_ONCE  # about as many as the memory of a real one holds; then the world waits


class SimBoard:
    """One channel's board with a cell on it.

    mark: of what is loaded
    """

    def __init__(
        self,
        model: Model,
        instrument: Instrument,
        clock: ClockLike,
        seed: int,
        habits: ChannelHabits = USUAL,
        troubles: Sequence[Trouble] = (),
    ) -> None:
        self.instrument = instrument
        self.clock = clock
        self.mark = ""
        self._waiting = Waiting()  # rows that nobody fetched yet
        self._loads = 0
        self._potentiostat = Potentiostat(model, instrument, seed, habits)
        self._troubles = Troubles(troubles)
        self._opened_s = self._open_since_s = clock.now_s()
        self._start_s = 0.0  # of the segment, on the clock
        self._stop_s = math.inf  # when a stop takes effect, in the segment
        self._connected = False  # the chain runs
        self._to_begin = False  # it was started, and has not begun
        self._begun_late = False  # on a free clock: the next read brings its first moment alone
        self._memory_full = self._lost = False
        self._Ece_shown = False

    def put_into(self, spec: SensorSpec) -> Chamber:
        """The chamber of this sensor, into which the cell is put now."""
        words = spec.options
        table = [(time_s, target) for time_s, target in words["table"]]
        chamber = Chamber(words["start"], words["time_constant_s"], table, self.clock.now_s())
        self._potentiostat.warm(chamber, spec.to_si, FELT_K / spec.SI_factor)
        return chamber

    # --- load and start --------------------------------------------------------------------------------

    def check(self, segment: Segment) -> None:
        self._potentiostat.check(segment)

    def load(self, segment: Segment, mark: str) -> None:
        self.must_answer()
        if self._connected or self._to_begin:
            raise ChannelError("the channel is running something")
        self._potentiostat.load(segment)
        self._Ece_shown = Ece_is_shown(segment)
        self._waiting, self._memory_full = Waiting(), False
        self._loads += 1
        self.mark = mark or f"nakctl load {self._loads}"
        self.clock.advance_to(self.clock.now_s() + self.instrument.load_s)

    def start(self) -> None:
        self.must_answer()
        self._start_s = self.clock.now_s() + self._troubles.slow_start_s
        self._stop_s = math.inf
        self._to_begin = True
        self._begin()

    def _begin(self) -> None:
        """As soon as it is time to."""
        if self._to_begin and self.clock.now_s() >= self._start_s:
            self._potentiostat.rest(max(0.0, self._start_s - self._open_since_s))
            self._potentiostat.start(self._start_s)
            self._to_begin, self._connected = False, True
            self._begun_late = self._troubles.slow_start_s > 0.0

    # --- what it shows ---------------------------------------------------------------------------------

    @property
    def is_paced(self) -> bool:
        return math.isfinite(self.clock.horizon_s())

    @property
    def time_s(self) -> float:
        """Of the segment, on the clock."""
        return max(0.0, self.clock.now_s() - self._start_s)

    @property
    def is_over(self) -> bool:
        """No row waits, and none will come."""
        return not (self._waiting or self._connected or self._to_begin)

    @property
    def has_more(self) -> bool:
        """Rows wait."""
        return bool(self._waiting)

    def fetch(self) -> tuple[Block | None, Look]:
        """The oldest rows that wait, which are gone then, and what the channel shows beside them."""
        block = self._waiting.take() if self._waiting else None
        look = self.seen()
        self._memory_full = self._memory_full and self.has_more
        return block, look

    def seen(self) -> Look:
        reached_s = 0.0 if self._to_begin else self._potentiostat.reached_s
        open_s = 0.0 if self._connected else max(0.0, self.clock.now_s() - self._open_since_s)
        Ewe_V, I_A, Ece_V = self._potentiostat.terminals(self._potentiostat.reached_s + open_s)
        filled = 1.0 if self._memory_full else min(1.0, self._waiting.n_rows / MEMORY_ROWS)
        return Look(self._connected, Ewe_V, I_A, reached_s, filled, Ece_V if self._Ece_shown else math.nan)

    # --- the world goes on -----------------------------------------------------------------------------

    def go_on(self, watch: Watch = NO_WATCH) -> None:
        """On a paced clock to where it is; on a free one as far as one read goes, unless rows wait."""
        self._begin()
        if self.is_paced:
            until_s = self.clock.horizon_s() - self._start_s
            while self._connected and self._waiting.n_rows < MEMORY_ROWS:
                self._go(until_s, NO_WATCH)
                if self._potentiostat.reached_s >= until_s:
                    return
        elif not self._waiting or self.is_silent:
            until_s = self._next_look_s(watch)
            if self._to_begin:
                self.clock.advance_to(min(self._start_s, self._start_s + until_s))
                self._begin()
            elif self._connected and until_s > 0.0:
                until_s = min(until_s, self._tick_s) if self._begun_late else until_s
                self._begun_late = False
                self._go(until_s, NO_WATCH if self.is_silent else watch)
            elif self.is_silent and math.isfinite(until_s):
                self.clock.advance_to(self._start_s + until_s)

    @property
    def _tick_s(self) -> float:
        return min(self.instrument.timebase_s.values())

    def _next_look_s(self, watch: Watch) -> float:
        """On a free clock, the moment at which a read has to come back, in the segment."""
        now_s = self.clock.now_s()
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
        self.clock.advance_to(self._start_s + self._potentiostat.reached_s)
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

    def stop(self) -> None:
        """Takes effect within the reads that follow. ChannelError: refused."""
        now_s = self.clock.now_s()
        self.must_answer()
        if self._troubles.is_on("stop-refused", now_s - self._opened_s):
            raise ChannelError("the channel refuses to stop")
        if self._troubles.is_on("stop-ignored", now_s - self._opened_s):
            return
        if self._to_begin:
            self._to_begin = False
        elif self._connected and self._stop_s == math.inf:
            reached_s = self._potentiostat.reached_s + self.instrument.reaction_s
            self._stop_s = max(now_s - self._start_s, reached_s)

    # --- trouble ---------------------------------------------------------------------------------------

    @property
    def is_silent(self) -> bool:
        return self._troubles.is_on("silent", self.clock.now_s() - self._opened_s)

    def must_answer(self) -> None:
        self.must_have_kernel()
        if self.is_silent:
            raise LinkLost("the channel does not answer")

    def must_have_kernel(self) -> None:
        if self._lost or self._troubles.is_on(LOST, self.clock.now_s() - self._opened_s):
            raise ChannelTaken("the channel has lost its firmware")
