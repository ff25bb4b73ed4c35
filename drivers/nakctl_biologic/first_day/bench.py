"""A channel with a dummy cell: chains are loaded, run and read to their end, block by block."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nakctl.device.channel import POINT, SAMPLE, Rows
from nakctl.device.driver import ClockLike
from nakctl.device.instrument import Instrument
from nakctl.device.program import Ca, Cp, Eis, Hardware, Ocv, Technique, Test
from nakctl.errors import ChannelError
from nakctl_biologic.codes import STOP, Board
from nakctl_biologic.device import Device
from nakctl_biologic.errors import EclibError
from nakctl_biologic.layouts import IMPEDANCE
from nakctl_biologic.params import Loaded, load_as
from nakctl_biologic.rows import Block, point_rows, sample_rows
from nakctl_biologic.structures import CurrentValues

HOLD_V = 0.05  # what a dummy cell is held at
AMPLITUDE_V, AMPLITUDE_A = 0.01, 1e-5  # peak, of spectra
HOLD_s = 0.5  # before their frequencies
I_MOST_A = 1e-3  # and when that is ended early
SOON_s = 0.01  # between reads, where nothing else is asked for
PATIENCE_s = 60.0  # beyond what a chain should take
MOST_STARTING_READS = 200
REFUSALS = frozenset({-403, -405, -6, -104})  # by which a load or a start may be refused


@dataclass(frozen=True, slots=True)
class Trace:
    """What a chain gave, from its start to its end.

    quiet   looks after the start that said STOP and an empty memory, before anything else was said
    load_s  how long loading and starting took
    """

    blocks: tuple[Block, ...]
    quiet: int
    load_s: float

    def of(self, technique: int, process: int = 0) -> list[Block]:
        """The blocks with rows of one technique of the chain."""
        return [b for b in self.blocks if b.technique == technique and b.process == process]

    @property
    def lost(self) -> int:
        """The largest count of skipped rows that was told."""
        return max((block.lost for block in self.blocks), default=0)


class Bench:
    """states: all that the channel said of itself. Errors: EclibError. Whatever happens, it is stopped."""

    def __init__(
        self, device: Device, number: int, board: Board, instrument: Instrument, clock: ClockLike
    ) -> None:
        self.device, self.number, self.board = device, number, board
        self.instrument, self.clock = instrument, clock
        self.states: set[int] = set()
        self.hardware = Hardware(_range_name(instrument), instrument.E_ranges[0].name, instrument.bandwidth)

    # --- what to load ---------------------------------------------------------------------------------

    def rest(self, duration_s: float, every_s: float = 0.02) -> Ocv:
        return Ocv(1, duration_s, every_s, None, self.hardware)

    def hold(self, duration_s: float, every_s: float = 0.02) -> Ca:
        """HOLD_V against the reference, ended by a current beyond I_MOST_A."""
        test = Test("|I|", "above", I_MOST_A)
        return Ca(1, HOLD_V, duration_s, every_s, None, (test,), "next", self.hardware)

    def zero_current(self, duration_s: float) -> Cp:
        return Cp(1, 0.0, duration_s, 0.02, None, (), "next", self.hardware)

    def scan(self, duration_s: float, every_s: float) -> Ca:
        """From 0 V to HOLD_V, ended like `hold`."""
        return replace(self.hold(duration_s, every_s), E_V=0.0, to_V=HOLD_V)

    def ramp(self, duration_s: float, every_s: float) -> Cp:
        """From no current to AMPLITUDE_A, ended by a potential beyond HOLD_V."""
        tests = (Test("Ewe", "above", HOLD_V),)
        zero = self.zero_current(duration_s)
        return replace(zero, every_s=every_s, tests=tests, to_A=AMPLITUDE_A)

    def spectrum(self, n: int, *, current: bool = False) -> Eis:
        """A short hold, then n frequencies from 10 kHz to 100 Hz, at 0 V (PEIS) or at no current (GEIS)."""
        return Eis(
            step=1,
            control="GEIS" if current else "PEIS",
            bias=0.0,
            vs_previous=False,
            amplitude_peak=AMPLITUDE_A if current else AMPLITUDE_V,
            hold_s=HOLD_s,
            every_s=HOLD_s / 5,
            f_first_Hz=10e3,
            f_last_Hz=100.0,
            n_frequencies=n,
            spacing="log",
            average=1,
            wait_periods=0.0,
            drift_correction=False,
            continues=False,
            hardware=self.hardware,
        )

    def chain(self, *techniques: Technique) -> tuple[Loaded, ...]:
        return tuple(load_as(each, self.instrument, self.board) for each in techniques)

    # --- running --------------------------------------------------------------------------------------

    def run(self, chain: tuple[Loaded, ...], lasts_s: float, *, unread_s: float = 0.0) -> Trace:
        """Load, start, and read everything. unread_s: read nothing before the chain is over that long."""
        load_s = self.start(chain)
        try:
            quiet = self.await_begin() if unread_s == 0 else 0
            if unread_s > 0:
                self.await_end(lasts_s)
                self.clock.sleep(unread_s)
            return Trace(tuple(self.drain(lasts_s)), quiet, load_s)
        finally:
            self.device.stop(self.number)

    def start(self, chain: tuple[Loaded, ...]) -> float:
        """How long it took."""
        began_s = self.clock.now_s()
        self.device.load(self.number, chain)
        self.device.start(self.number)
        return self.clock.now_s() - began_s

    def await_begin(self) -> int:
        """Reads that say STOP with an empty memory; values take no rows away."""
        for quiet in range(MOST_STARTING_READS):
            values = self.values()
            if values.State != STOP or values.MemFilled:
                return quiet
        raise ChannelError(f"channel {self.number + 1} does not start: {MOST_STARTING_READS} reads say STOP")

    def await_end(self, lasts_s: float) -> None:
        self.await_begin()
        until_s = self.clock.now_s() + lasts_s + PATIENCE_s
        while self.values().State != STOP:
            self._give_up_after(until_s)
            self.clock.sleep(SOON_s)

    def drain(self, lasts_s: float) -> list[Block]:
        """All rows up to the end of the chain."""
        until_s = self.clock.now_s() + lasts_s + PATIENCE_s
        blocks = []
        while True:
            block, values = self.data()
            if block.n_rows:
                blocks.append(block)
            elif values.State == STOP and values.MemFilled == 0:
                return blocks
            else:
                self._give_up_after(until_s)
                self.clock.sleep(SOON_s)

    def _give_up_after(self, until_s: float) -> None:
        if self.clock.now_s() > until_s:
            raise ChannelError(f"channel {self.number + 1} does not come to the end of its chain")

    def samples(self, trace: Trace, technique: int, name: str) -> Rows:
        """The rows of one technique of the chain. name: what it is loaded as, for its time base."""
        timebase_s = self.instrument.timebase_s[name]
        parts = [sample_rows(block, self.board, timebase_s, -1) for block in trace.of(technique)]
        return np.concatenate([np.zeros(0, SAMPLE), *parts])

    def points(self, trace: Trace) -> Rows:
        """Of all its spectra."""
        parts = [point_rows(block, self.board, -1) for block in trace.blocks if block.process == IMPEDANCE]
        return np.concatenate([np.zeros(0, POINT), *parts])

    # --- trying ---------------------------------------------------------------------------------------

    def takes(self, chain: tuple[Loaded, ...]) -> bool:
        """Whether a chain can be loaded; it is not started."""
        try:
            self.device.load(self.number, chain)
        except EclibError as error:
            if error.code not in REFUSALS:
                raise
            return False
        return True

    def starts_again(self) -> bool:
        """Whether what ran to its end can be started without loading it anew."""
        try:
            self.device.start(self.number)
        except EclibError as error:
            if error.code not in REFUSALS:
                raise
            return False
        self.device.stop(self.number)
        self.drain(0.0)
        return True

    def values(self) -> CurrentValues:
        values = self.device.values(self.number)
        self.states.add(values.State)
        return values

    def data(self) -> tuple[Block, CurrentValues]:
        block, values = self.device.data(self.number)
        self.states.add(values.State)
        return block, values


def _range_name(instrument: Instrument) -> str:
    """The smallest range that holds what flows at most."""
    fitting = [each for each in instrument.I_ranges if each.full_A >= I_MOST_A]
    return (fitting or instrument.I_ranges[-1:])[0].name
