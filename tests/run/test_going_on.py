"""A chain that is stopped, and goes on with what is left of it, gives the cell what the whole would have."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest
from compiling import compiled
from hand_made import book
from running import HEAD

from nakctl.booking import layout
from nakctl.booking.ledger import Booked, Ledger
from nakctl.decide.engine import Begin, ChainEnded, EngineState, Load, Phase, react, went_round
from nakctl.decide.proof import why_over
from nakctl.decide.remainder import remainder
from nakctl.device.channel import Channel, Reading, State, Watch
from nakctl.device.driver import Place
from nakctl.device.instrument import instrument
from nakctl.device.program import Program, Segment
from nakctl.plan.lower import lower
from nakctl.run.clock import FreeClock
from nakctl_sim.driver import driver

STEPS = """
- rest: 2 s
- repeat: 3
  steps:
    - {strip: 0.1 mA, for: 5 s, record: {every: 0.1 s}, until: {Ewe_above: 1 V}}
    - {geis: g, during: {strip: 0.1 mA}}
    - {plate: 0.2 mA, for: 4 s, record: {every: 0.1 s}}
- rest: 2 s
"""
BY_THE_HOST = STEPS.replace("4 s,", "4 s, until: {charge: 1 Ah, then: end loop},")


@dataclass
class Bench:
    """A simulated channel, and all that was booked of it."""

    ledger: Ledger
    channel: Channel
    booked: list[Booked] = field(default_factory=list)
    start_s: float = 0.0

    def read(self, watch: Watch) -> Reading:
        reading = self.channel.read(watch)
        self.booked.append(book(self.ledger, reading))
        return reading

    def play(self, program: Program, stop_s: float = np.inf) -> Program | None:
        """Up to its end, or up to stop_s of all that was played: then what is left."""
        state, commands = react(program, EngineState(), Begin())
        goes_round = False
        while state.phase is Phase.RUNNING:
            [load] = commands
            assert isinstance(load, Load)
            if not self.chain(load.segment, goes_round, stop_s):
                return self.left(program, state)
            before = state.position
            state, commands = react(program, state, ChainEnded())
            goes_round = went_round(before, state.position)
        return None

    def chain(self, segment: Segment, goes_round: bool, stop_s: float) -> bool:
        """Whether it was done, and not stopped before."""
        self.channel.load(segment)
        self.channel.start()
        self.ledger.open_segment(segment, self.start_s, goes_round)
        stopped = False
        while (reading := self.read(Watch(every_s=0.05))).state is State.RUNNING:
            if not stopped and self.start_s + self.last_s >= stop_s:
                self.channel.stop()
                stopped = True
        self.visit = reading.visit
        if not stopped:
            assert (
                why_over(self.ledger.program, segment, self.ledger.last_rows(reading.visit), np.nan) is None
            )
        self.lasted_s = self.last_s - (reading.visit.start_s if reading.visit else 0.0)
        self.start_s += self.last_s
        return not stopped

    @property
    def last_s(self) -> float:
        return 0.0 if self.ledger.last is None else float(self.ledger.last["time_s"])

    def left(self, program: Program, state: EngineState) -> Program:
        visit = self.visit
        assert visit is not None
        return remainder(program, state.position, visit.technique, visit.passes, lasted_s=self.lasted_s)

    def table(self, name: str) -> Any:
        return np.concatenate([getattr(each, name) for each in self.booked])

    def charges_Ah(self) -> list[float]:
        """By step, but the spectrum's, which begins anew."""
        samples = self.table("samples")
        moved_Ah = np.diff(samples["Q"], prepend=0.0)
        return [float(moved_Ah[samples["step_id"] == step].sum()) for step in (1, 2, 4, 5)]

    def steps(self) -> list[tuple[int, int]]:
        """(step, cycle), one after the other."""
        steps = np.concatenate([self.table("steps"), self.ledger.finish()])
        return list(zip(steps["step_id"].tolist(), steps["cycle"].tolist(), strict=True))


def bench(program: Program) -> Bench:
    cell = driver.cell("randles")
    channel = driver.open(Place("sim", "sim", "SP-300", 1, {}), cell, FreeClock(), 1)
    return Bench(Ledger(program, layout.SAMPLES.dtype), channel)


@cache
def programmed(steps: str) -> Program:
    return lower(compiled(steps, driver.cell("randles"), HEAD), instrument("SP-300"))


@cache
def undisturbed(steps: str) -> tuple[list[tuple[int, int]], list[float], int]:
    """Its steps, the charge of each, and its spectra, all of them complete."""
    whole = bench(programmed(steps))
    assert whole.play(programmed(steps)) is None
    complete = whole.table("spectra")["complete"]
    assert complete.all()
    return whole.steps(), whole.charges_Ah(), len(complete)


@pytest.mark.parametrize("steps", [STEPS, BY_THE_HOST], ids=["one chain", "the host loops"])
@pytest.mark.parametrize("stop_s", [0.5, 2.5, 6.9, 7.5, 10.0, 14.0, 18.0, 22.0, 26.0, 34.0, 37.0])
def test_the_cell_gets_what_the_whole_gives(steps: str, stop_s: float) -> None:
    program = programmed(steps)
    cut = bench(program)
    left = cut.play(program, stop_s)
    while left is not None:  # and again, 7 s later
        left = cut.play(left, stop_s := stop_s + 7.0)
    all_steps, charges_Ah, spectra = undisturbed(steps)
    assert cut.steps() == all_steps
    assert cut.charges_Ah() == pytest.approx(charges_Ah, rel=5e-3)
    assert cut.table("spectra")["complete"].sum() == spectra == 3
