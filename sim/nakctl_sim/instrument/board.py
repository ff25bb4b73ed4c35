"""One potentiostat board of the instrument: what it is loaded with, whether it runs, what it measured.

The world goes on to the clock's horizon at each call. A free clock has none: then it goes on by one poll of
the instrument's data (to the end of the step of the model in which that lies) when somebody asks for current
values, or for data after having been told that there are none. So a program that reads until nothing is left,
and comes back later, may do so on either clock.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import replace

import numpy as np

from nakctl.device.channel import Watch
from nakctl.device.driver import ClockLike
from nakctl.device.instrument import Instrument
from nakctl.device.program import Eis, Technique
from nakctl.errors import LimitError, RigError
from nakctl_sim.cell.models import Model
from nakctl_sim.executor.execution import ROWS_AT_ONCE
from nakctl_sim.instrument.abi import Board as Kind
from nakctl_sim.instrument.abi import Firmware
from nakctl_sim.instrument.codes import Code, Refused
from nakctl_sim.instrument.habits import Habits
from nakctl_sim.instrument.memory import WORD_BYTES, Memory
from nakctl_sim.instrument.received import Received, refuse
from nakctl_sim.instrument.recorder import POINTS, Recorder
from nakctl_sim.instrument.translate import Loaded, Rules, translate
from nakctl_sim.potentiostat import OVERLOADS, Output, Potentiostat

NO_WATCH = Watch()
WIDEST_ROW = 6 * WORD_BYTES  # of samples


class Board:
    """Errors: Refused."""

    def __init__(
        self, kind: Kind, model: Model, instrument: Instrument, clock: ClockLike, seed: int, habits: Habits
    ) -> None:
        self.kind = kind
        self.instrument = instrument = with_ranges(instrument, habits.I_range_min, habits.I_range_max)
        self.firmware = Firmware.KERNEL if habits.kernel else Firmware.NONE
        self.kernel_fits = True
        self.memory = Memory(habits.memory_bytes)
        self.chain: list[Received] = []
        self.running = False
        self.skipped = 0
        self.overloads = 0  # flags of rows that nobody has heard of yet
        self.stop_reads = 0
        self.option_error = (0, 0)
        self.messages: deque[str] = deque()
        self.hardware = (0, 0)
        self.experiment = b""
        self.deaf_until_s = -math.inf  # on the clock: does not hear a stop
        self.hungry = False  # somebody was told that there are no data
        self.last: Output | None = None
        self.loaded: Loaded | None = None
        self._habits = habits
        self.scans_from = 2 if habits.scan_number == "scans" else 1  # vertices at the least
        self._rules = Rules(instrument, habits, kind, model.cell.three_electrodes)
        self._clock = clock
        self._potentiostat = Potentiostat(model, instrument, seed, habits)
        self._recorder: Recorder | None = None
        self._complete = False
        self._fresh = False  # loaded, and not started since
        self._open_since_s = clock.now_s()
        self._start_s = 0.0

    # the chain

    def load(self, received: Received, *, first: bool, last: bool) -> None:
        self._must_stand()
        if first:
            self.clear()
        elif not self.chain or self._complete:
            refuse()
        if len(self.chain) >= (self._habits.chain_length or self.instrument.chain_length):
            raise Refused(Code.TECHNIQUE_MEMORY_FULL)
        self._accept([*self.chain, received])
        self._complete = self._fresh = last
        if last:
            self._clock.advance_to(self._now_s() + self.instrument.load_s)

    def forget(self) -> None:
        """Restarted: nothing is loaded."""
        self.clear()
        self.loaded = None
        self._complete = self._fresh = False

    def clear(self) -> None:
        """A new chain begins: the rows of the one before are gone."""
        self.chain = []
        self.memory.clear()
        self.skipped = self.overloads = 0

    def change(self, at: int, received: Received) -> None:
        """Another set of parameters for one technique of the chain; Refused (-15) while it runs."""
        under_way = self.running and at == self.entry
        if not 0 <= at < len(self.chain) or (under_way and not self._habits.update_running):
            raise Refused(Code.UPDATE_PARAMETERS)
        chain = [*self.chain[:at], received, *self.chain[at + 1 :]]
        if self.running:
            self._amend(chain)
        else:
            self._accept(chain)

    def update_habits(self, at: int) -> tuple[str, str]:
        """What becomes of parameters of an entry, and of its I_Range: taken, refused, ignored."""
        if not self.running or self.loaded is None:
            return "taken", "taken"
        habits = self._habits
        what = habits.updates
        if what == "ignored after a pass":
            parts = [place for place, part in enumerate(self.loaded.parts) if part.entry == at]
            what = "ignored" if any(map(self._potentiostat.has_begun, parts)) else "taken"
        if habits.update_ahead and at == self._next_entry:
            what = "ignored"
        return what, habits.update_range

    @property
    def _next_entry(self) -> int:
        """That may follow the one under way: a loop is gone round."""
        at = self.entry + 1
        around = [to for place, to, _ in self.loaded.loops if place == at] if self.loaded else []
        return around[0] if around else at

    def _accept(self, chain: list[Received]) -> None:
        loaded = translate(chain, self._rules)
        try:
            self._potentiostat.load(loaded.segment)
        except LimitError:
            refuse()
        self.chain, self.loaded = chain, loaded

    def _amend(self, chain: list[Received]) -> None:
        """Values may change while it runs, but not what follows what."""
        loaded = translate(chain, self._rules)
        if self.loaded is None or loaded.parts != self.loaded.parts or loaded.loops != self.loaded.loops:
            raise Refused(Code.UPDATE_PARAMETERS)
        self._potentiostat.amend(loaded.segment)
        self.chain, self.loaded = chain, loaded
        self._record_as_loaded()

    # running

    def start(self) -> None:
        self._must_stand()
        if not self._complete or self.loaded is None:
            raise Refused(Code.FUNCTION_FAILED)
        if not (self._fresh or self._habits.restart):
            raise Refused(Code.RESPONSE_ERROR)
        self._start_s = self._now_s()
        self._potentiostat.rest(max(0.0, self._start_s - self._open_since_s))
        self._potentiostat.start()
        self._recorder = None
        self._record_as_loaded()
        self.last = None
        self.running = self.hungry = True
        self._fresh = False
        self.stop_reads = self._habits.stop_reads

    def stop(self) -> None:
        """Open the cell. On a free clock that takes the instrument's reaction time from what was reached."""
        if self._now_s() < self.deaf_until_s:
            return
        paced = math.isfinite(self._clock.horizon_s())
        reached_s = self._start_s + self._potentiostat.reached_s
        self.halt(self._now_s() if paced else reached_s + self.instrument.reaction_s)

    def halt(self, at_s: float) -> None:
        """Open the cell at that time of the clock, or now if that is past."""
        if self._cut(at_s):
            self._end()

    def skip(self, at_s: float) -> None:
        """The technique under way ends at that time; the chain goes on with the next one."""
        if self._cut(at_s):
            self._potentiostat.skip()

    def _cut(self, at_s: float) -> bool:
        """Let the world go on to at_s, in the middle of a step; whether the chain still runs there."""
        until_s = max(at_s - self._start_s, self._potentiostat.reached_s)
        waits = False
        while self.running and not waits:
            waits = self._keep(self._potentiostat.run(until_s, NO_WATCH, cut=True, most_rows=self._room))
        return self.running

    def go_on(self, until_s: float = math.inf, *, polled: bool = True) -> None:
        """Let the world go on to now, or to a moment before that. polled: a free clock may go on, too."""
        horizon_s = min(self._clock.horizon_s(), until_s)
        if not math.isfinite(horizon_s):
            if self.running and polled:
                pause_s = self._potentiostat.reached_s + self._poll_s
                run = self._potentiostat.run(math.inf, NO_WATCH, pause_s=pause_s, most_rows=self._room)
                self._keep(run)
            return
        waits = False
        while self.running and not waits:
            until_s = horizon_s - self._start_s
            waits = self._keep(self._potentiostat.run(until_s, NO_WATCH, most_rows=self._room))

    @property
    def _room(self) -> int:
        """Samples at a time: where a full memory stops the channel, no more than fit, or the one that does
        not."""
        if self._habits.memory_full == "overwrite":
            return ROWS_AT_ONCE
        return min(ROWS_AT_ONCE, max(1, (self.memory.room - self.memory.filled) // WIDEST_ROW))

    @property
    def _poll_s(self) -> float:
        sweeping = isinstance(self.technique, Eis)
        return self.instrument.eis_poll_s if sweeping else self.instrument.poll_s

    def _keep(self, output: Output) -> bool:
        """Whether all was done that could be before the horizon."""
        assert self._recorder is not None
        self._recorder.record(output, self.memory, self._potentiostat.reached_s)
        self._see_overloads(output)
        if len(output.samples) or len(output.points):
            self.last = output
        self._clock.advance_to(self._start_s + self._potentiostat.reached_s)
        if self._fit():
            self._end()
        if output.over and self.running:
            self._end()
        return output.waits

    def _fit(self) -> bool:
        """Rows that the memory has no room for are gone; whether that stops the channel."""
        if self._habits.memory_full == "overwrite":
            self.skipped += self.memory.make_room()
            return False
        dropped = self.memory.drop_newest()
        self.skipped += dropped
        return dropped > 0

    def _see_overloads(self, output: Output) -> None:
        for rows in (output.samples, output.points):
            if self._habits.overflow_until == "read":
                self.overloads |= int(np.bitwise_or.reduce(rows["flags"])) & int(OVERLOADS)
            elif len(rows):
                self.overloads = int(rows["flags"][-1]) & int(OVERLOADS)

    def _end(self) -> None:
        if self._recorder is not None:
            self._recorder.finish(self.memory)
            self._fit()
        self.running = False
        self._potentiostat.halt()
        self._open_since_s = self._start_s + self._potentiostat.reached_s

    def _record_as_loaded(self) -> None:
        """Rows are sorted by the chain as it is now; what was counted so far stays."""
        assert self.loaded is not None
        if self._recorder is None:
            self._recorder = Recorder(self.instrument, self.kind, self._habits)
        self._recorder.follow(self.chain, self.loaded)

    def expire(self) -> int:
        """Impedance rows that nobody fetched in time are gone; how many."""
        oldest_s = self._now_s() - self._start_s - self._habits.eis_rows_live_s
        return self.memory.expire(POINTS, oldest_s)

    def _must_stand(self) -> None:
        if self.running:
            raise Refused(Code.CHANNEL_RUNNING)

    def _now_s(self) -> float:
        horizon_s = self._clock.horizon_s()
        return horizon_s if math.isfinite(horizon_s) else self._clock.now_s()

    # what it shows

    @property
    def elapsed_s(self) -> float:
        """ElapsedTime: of the chain, now."""
        if self.running or self._habits.elapsed_after_stop == "stands":
            return self._potentiostat.reached_s
        return self._now_s() - self._start_s if self._habits.elapsed_after_stop == "goes on" else 0.0

    def at_terminals(self) -> tuple[float, float, float]:
        """Ewe_V, I_A and Ece_V now."""
        open_s = 0.0 if self.running else max(0.0, self._now_s() - self._open_since_s)
        return self._potentiostat.terminals(self._potentiostat.reached_s + open_s)

    @property
    def technique(self) -> Technique | None:
        """What the potentiostat does, or did last."""
        return self.loaded.segment.techniques[self._at] if self.loaded and self.loaded.parts else None

    @property
    def entry(self) -> int:
        """Which entry of the chain that belongs to."""
        return self.loaded.parts[self._at].entry if self.loaded and self.loaded.parts else 0

    @property
    def _at(self) -> int:
        assert self.loaded is not None
        return min(self._potentiostat.technique, len(self.loaded.parts) - 1)

    def take_overloads(self) -> int:
        """Flags since they were last asked for, or of the newest row."""
        flags = self.overloads
        if self._habits.overflow_until == "read":
            self.overloads = 0
        return flags


def with_ranges(instrument: Instrument, lowest: int, highest: int) -> Instrument:
    """An instrument whose current ranges have codes from lowest to highest; 0: its own. RigError: none."""
    codes = [each.code for each in instrument.I_ranges]
    low, high = lowest or min(codes), highest or max(codes)
    ranges = tuple(each for each in instrument.I_ranges if low <= each.code <= high)
    if not ranges:
        raise RigError(f"{instrument.name} has no current range with a code from {low} to {high}")
    return replace(instrument, I_ranges=ranges)
