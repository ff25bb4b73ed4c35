"""What the instrument reads of the cell, and what it does with a reading: test it, keep it, show it.

There is one reading per step of time, with its noise and its resolution: the one that is tested is the one
that is recorded.
"""

from __future__ import annotations

import math

from nakctl_sim.cell.arithmetic import single
from nakctl_sim.cell.kernel import counter_voltage
from nakctl_sim.executor.registers import (
    ABS_I,
    CA,
    E_OVERLOAD,
    HIGHEST_CE,
    HIGHEST_CELL,
    HIGHEST_E,
    HIGHEST_I,
    I_OVERLOAD,
    LOWEST_CE,
    LOWEST_CELL,
    LOWEST_E,
    LOWEST_I,
    N_TESTS,
    NEAR_0,
    OCV,
    Cell,
    Machine,
    Tape,
    Technique,
)


def resolved(value: float, step: float, low: float, high: float) -> float:
    """As converted, and as kept in 32 bits."""
    return single(min(max(math.floor(value / step + 0.5) * step, low), high))


def read(
    technique: Technique, E_V: float, I_A: float, E_draw: float, I_draw: float
) -> tuple[float, float, int]:
    """Ewe_V, I_A and flags as the instrument sees them. At open circuit there is no current to read."""
    flags = 0
    E_seen_V = E_V + technique.E_noise_V * E_draw
    if E_seen_V > technique.E_high_V or E_seen_V < technique.E_low_V:
        flags |= E_OVERLOAD
    E_seen_V = resolved(E_seen_V, technique.E_step_V, technique.E_low_V, technique.E_high_V)
    if technique.kind == OCV:
        return E_seen_V, 0.0, flags
    full_A = technique.I_full_A
    I_seen_A = I_A + technique.I_noise_A * I_draw
    if abs(I_seen_A) > full_A:
        flags |= I_OVERLOAD
    return E_seen_V, resolved(I_seen_A, technique.I_step_A, -full_A, full_A), flags


def read_counter(technique: Technique, cell: Cell, I_A: float, noise: float) -> float:
    """Ece_V as the instrument sees it: nothing at all where the counter electrode is the reference."""
    if not technique.third:
        return 0.0
    Ece_V = counter_voltage(cell.kind, cell.p, cell.x, I_A) + technique.E_noise_V * noise
    return resolved(Ece_V, technique.E_step_V, technique.E_low_V, technique.E_high_V)


def meets(technique: Technique, E_V: float, I_A: float) -> bool:
    """Any test suffices."""
    if not technique.tested:
        return False
    tests = technique.tests
    for k in range(N_TESTS):
        value = abs(I_A) if tests[3 * k] == ABS_I else E_V
        if tests[3 * k + 1] * (value - tests[3 * k + 2]) > 0.0:
            return True
    return False


def wakes(tape: Tape, E_V: float, I_A: float) -> bool:
    """Whether the host wants to see these values at once."""
    watch = tape.watch
    fallen = falls(tape.machine, E_V, I_A, watch[NEAR_0])
    if outside(E_V, watch[LOWEST_E], watch[HIGHEST_E]) or fallen:
        return True
    return I_A != 0.0 and outside(abs(I_A), watch[LOWEST_I], watch[HIGHEST_I])


def wakes_by_counter(tape: Tape, E_V: float, Ece_V: float) -> bool:
    """Likewise, of a cell with three electrodes; whether they make a row or not."""
    watch = tape.watch
    if outside(Ece_V, watch[LOWEST_CE], watch[HIGHEST_CE]):
        return True
    return outside(E_V - Ece_V, watch[LOWEST_CELL], watch[HIGHEST_CELL])


def falls(m: Machine, E_V: float, I_A: float, near_0_V: float) -> bool:
    """|Ewe| comes under the value while current flows; staying there is no news."""
    if I_A == 0.0:
        return False
    was_above = m.above
    m.above = abs(E_V) > near_0_V
    return was_above and not m.above


def outside(value: float, low: float, high: float) -> bool:
    return value < low or value > high


def due(m: Machine, technique: Technique, E_V: float, I_A: float) -> bool:
    """Whether the reading at tau_s makes a row: by time, by its change, or as the last one."""
    if m.tau_s >= m.due_s or m.tau_s >= technique.duration_s:
        return True
    value = I_A if technique.kind == CA else E_V
    return abs(value - m.kept) >= technique.delta


def keep(
    tape: Tape, technique: Technique, passes: int, E_V: float, Ece_V: float, I_A: float, flags: int
) -> None:
    """Write a row."""
    m = tape.machine
    row = m.n_rows
    tape.start_s[row] = m.start_s
    tape.time_s[row] = m.start_s + m.tau_s
    tape.Ewe_V[row] = E_V
    tape.Ece_V[row] = Ece_V if technique.Ece_row else math.nan
    tape.I_A[row] = I_A
    tape.technique[row] = m.at
    tape.passes[row] = passes
    tape.I_range[row] = technique.I_code
    tape.flags[row] = flags
    m.n_rows += 1


def count_on(m: Machine, technique: Technique, E_V: float, I_A: float) -> None:
    """When the next row is due. The first is after one time base, the second every_s after the start."""
    m.sum_s = m.E_sum_Vs = m.I_sum_As = 0.0
    m.kept = I_A if technique.kind == CA else E_V
    first = m.tau_s <= technique.timebase_s < technique.every_s
    due_s = technique.every_s if first else m.tau_s + technique.every_s
    ticks = math.floor(due_s / technique.timebase_s + 0.5)  # counted, so that sums of every_s do not drift
    m.due_s = ticks * technique.timebase_s
