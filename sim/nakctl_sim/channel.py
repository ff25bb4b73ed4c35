"""The channel contract over a potentiostat in virtual time.

The channel's time is the clock's, minus the moment of `start`. On a free clock a read goes as far as one read
should and tells the clock how far that was; on a paced clock it goes as far as the clock is.

A stop takes effect the instrument's `reaction_s` after what was read last (or now, if that is later):
meanwhile the technique goes on, as it does on the bench while the host reads, decides and calls. Loading
takes the instrument's `load_s`.
"""

from __future__ import annotations

import math
from enum import Enum, auto
from typing import Any

import numpy as np

from nakctl.device.channel import POINT, SAMPLE, ChannelInfo, Reading, State, Watch
from nakctl.device.driver import ClockLike
from nakctl.device.limits import Instrument
from nakctl.device.program import Segment
from nakctl.errors import IllegalEvent
from nakctl_sim.cell.models import Model
from nakctl_sim.imperfections import imperfections
from nakctl_sim.potentiostat import Potentiostat


class Phase(Enum):
    IDLE = auto()
    LOADED = auto()
    RUNNING = auto()
    CLOSED = auto()


MAY_LOAD = {Phase.IDLE, Phase.LOADED}
NO_WATCH = Watch()


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
    ) -> None:
        self._info = ChannelInfo(
            instrument=instrument.name,
            channel=name,
            simulated=True,
            facts=facts | {"seed": seed, "imperfections": imperfections(instrument).as_facts()},
        )
        self._instrument = instrument
        self._clock = clock
        self._potentiostat = Potentiostat(model, instrument, seed)
        self._phase = Phase.IDLE
        self._open_since_s = clock.now_s()
        self._start_s = 0.0
        self._stop_s = math.inf

    @property
    def info(self) -> ChannelInfo:
        return self._info

    def load(self, segment: Segment) -> None:
        if self._phase not in MAY_LOAD:
            raise IllegalEvent(f"load while the channel is {self._phase.name.lower()}")
        self._potentiostat.load(segment)
        self._clock.advance_to(self._clock.now_s() + self._instrument.load_s)
        self._phase = Phase.LOADED

    def start(self) -> None:
        if self._phase is not Phase.LOADED:
            raise IllegalEvent(f"start while the channel is {self._phase.name.lower()}")
        self._start_s = self._clock.now_s()
        self._potentiostat.rest(max(0.0, self._start_s - self._open_since_s))
        self._potentiostat.start()
        self._stop_s = math.inf
        self._phase = Phase.RUNNING

    def read(self, watch: Watch) -> Reading:
        if self._phase is Phase.CLOSED:
            raise IllegalEvent("read while the channel is closed")
        if self._phase is not Phase.RUNNING:
            state = State.RUNNING if self._phase is Phase.LOADED else State.STOPPED
            return Reading(state, np.zeros(0, SAMPLE), np.zeros(0, POINT))
        return self._run(watch)

    def _run(self, watch: Watch) -> Reading:
        """Up to the clock's horizon, or to the moment at which a stop takes effect."""
        horizon_s = self._clock.horizon_s() - self._start_s
        stopping = self._stop_s < math.inf
        stops = stopping and self._stop_s <= horizon_s
        output = self._potentiostat.run(
            min(horizon_s, self._stop_s), NO_WATCH if stopping else watch, cut=stops
        )
        reached_s = self._potentiostat.time_s
        self._clock.advance_to(self._start_s + reached_s)
        if output.over or (stops and output.waits):
            self._open_since_s = self._start_s + reached_s
            self._phase = Phase.IDLE
        state = State.STOPPED if self._phase is Phase.IDLE else State.RUNNING
        return Reading(state, output.samples, output.points, output.notices)

    def stop(self) -> None:
        """Opens the cell; takes effect within the reads that follow."""
        if self._phase is Phase.LOADED:
            self._phase = Phase.IDLE
        elif self._phase is Phase.RUNNING and self._stop_s == math.inf:
            now_s = self._clock.now_s() - self._start_s
            self._stop_s = max(now_s, self._potentiostat.time_s + self._instrument.reaction_s)

    def close(self) -> None:
        """There is nothing to let go of, but nothing can be done any more."""
        self._phase = Phase.CLOSED
