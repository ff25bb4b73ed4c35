"""The machine with its chain, its cell, its random numbers and its tape: what a kernel works on."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import numpy.typing as npt

from nakctl.device.channel import SAMPLE, Rows
from nakctl_sim.cell.arithmetic import Numbers
from nakctl_sim.executor import registers
from nakctl_sim.kernel import Chain, Kernel

Floats = npt.NDArray[np.float64]
Snapshot = tuple[list[float], list[tuple[int, int]], Numbers, Numbers]

ROWS_AT_ONCE = 32_768
NOISE_AT_ONCE = 4_096
COLUMNS = SAMPLE.names or ()
REGISTERS = tuple(each.name for each in fields(registers.Machine))
NO_WATCH = 9 * (0.0,)


class Execution:
    """Changed by the functions of the kernel, which work on machine, tape, chain and cell.

    random: for samples (of Ewe and I in turn), and for the counter electrode
    """

    def __init__(
        self,
        kernel: Kernel,
        kind: int,
        p: Floats,
        x: Floats,
        random: tuple[np.random.Generator, np.random.Generator],
    ) -> None:
        numbers = kernel.numbers
        self.kernel = kernel
        self.kind, self.p = kind, numbers(p)
        self.x, self.before = numbers(x), numbers(x)
        self.cell = self._cell(self.x, self.before)
        self.machine = kernel.Machine()
        self.chain: Chain = []
        self._random = random
        self._noise, self._noise_ce = kernel.zeros(2 * NOISE_AT_ONCE), kernel.zeros(NOISE_AT_ONCE)
        self._columns = {name: kernel.zeros(ROWS_AT_ONCE) for name in (*COLUMNS, "start_s")}
        self.tape = kernel.Tape(
            machine=self.machine,
            noise=self._noise,
            noise_ce=self._noise_ce,
            n_noise=NOISE_AT_ONCE,
            room=ROWS_AT_ONCE,
            watch=numbers(NO_WATCH),
            **self._columns,
        )
        self.draw()

    def _cell(self, x: Numbers, before: Numbers) -> registers.Cell:
        return self.kernel.Cell(kind=self.kind, p=self.p, x=x, before=before)

    def draw(self) -> None:
        """The next random numbers."""
        numbers = self.kernel.numbers
        self._noise[:] = numbers(self._random[0].standard_normal(2 * NOISE_AT_ONCE))
        self._noise_ce[:] = numbers(self._random[1].standard_normal(NOISE_AT_ONCE))
        self.machine.n_noise = 0

    def watch(self, watched: list[float], most_rows: int = ROWS_AT_ONCE) -> None:
        self.tape.watch = self.kernel.numbers(watched)
        self.tape.room = most_rows

    def begin(self) -> None:
        """From the first technique; what flows goes on to flow until then."""
        kept = {name: getattr(self.machine, name) for name in ("I_A", "since_s", "n_noise")}
        for name in REGISTERS:
            setattr(self.machine, name, kept.get(name, 0))
        self.machine.E_end_V = self.kernel.voltage(self.kind, self.p, self.x, 0.0)
        for technique in self.chain:
            technique.started = technique.passed = 0
        self.kernel.enter(self.tape, self.chain)

    def amend(self, chain: Chain) -> None:
        """The same techniques with other values; how often each was started stays."""
        for new, old in zip(chain, self.chain, strict=True):
            new.started, new.passed = old.started, old.passed
        self.chain = chain

    def peek(self, time_s: float) -> tuple[float, float, float]:
        """Ewe_V, I_A and Ece_V at time_s, not before now, if nothing ends what is under way until then."""
        machine = self.kernel.Machine(**{name: getattr(self.machine, name) for name in REGISTERS})
        numbers = self.kernel.numbers
        cell = self._cell(numbers(self.x), numbers(self.before))
        Ewe_V, Ece_V = self.kernel.peek(machine, self.chain, cell, time_s)
        return Ewe_V, machine.I_A, Ece_V

    def as_it_is(self) -> Snapshot:
        """All but the tape and the random numbers."""
        numbers, registers = self.kernel.numbers, [getattr(self.machine, name) for name in REGISTERS]
        counts = [(each.started, each.passed) for each in self.chain]
        return registers, counts, numbers(self.x), numbers(self.before)

    def be(self, snapshot: Snapshot) -> None:
        registers, counts, self.x[:], self.before[:] = snapshot
        for name, value in zip(REGISTERS, registers, strict=True):
            setattr(self.machine, name, value)
        for technique, (started, passed) in zip(self.chain, counts, strict=True):
            technique.started, technique.passed = started, passed

    def take_rows(self) -> tuple[Rows, Floats]:
        """What is on the tape, which is empty then; and when the visit of each row began."""
        n = self.machine.n_rows
        self.machine.n_rows = 0
        rows = np.zeros(n, SAMPLE)
        if n:
            for name in COLUMNS:
                rows[name] = self._columns[name][:n]
        return rows, np.array(self._columns["start_s"][:n])
