"""What the instrument reads of the cell, and what it does with a reading: test it, keep it, show it.

There is one reading per step of time, with its noise and its resolution: the one that is tested is the one
that is recorded.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nakctl.device.channel import Flag
from nakctl_sim.cell.jit import jit
from nakctl_sim.cell.kernel import counter_voltage
from nakctl_sim.executor.drive import Cell
from nakctl_sim.executor.tables import ABS_I, CA, N_TESTS, OCV, Records

Floats = npt.NDArray[np.float64]
Record = Any  # numpy.void outside compiled code

I_OVERLOAD = int(Flag.I_OVERLOAD)
E_OVERLOAD = int(Flag.E_OVERLOAD)
TEST_MET = int(Flag.TEST_MET)
# places in a watch
LOWEST_E, HIGHEST_E, LOWEST_I, HIGHEST_I, NEAR_0 = range(5)
LOWEST_CE, HIGHEST_CE, LOWEST_CELL, HIGHEST_CELL = range(5, 9)


class Tape(NamedTuple):
    """machine (1,) of MACHINE. rows (n,) of SAMPLE, to be filled; starts (n,): when the visit of each began.
    noise (n, 2): for Ewe and I, standard normal; noise_ce (n,): for Ece. watch (9,): the host's, as numbers.
    """

    machine: Records
    rows: Records
    starts: Floats
    noise: Floats
    noise_ce: Floats
    watch: Floats


@jit
def resolved(value: float, step: float, low: float, high: float) -> float:
    """As converted, and as kept in 32 bits."""
    counts = math.floor(value / step + 0.5) * step
    return float(np.float32(min(max(counts, low), high)))


@jit
def read(technique: Record, E_V: float, I_A: float, noise: Floats) -> tuple[float, float, int]:
    """Ewe_V, I_A and flags as the instrument sees them. At open circuit there is no current to read."""
    flags = 0
    E_seen_V = E_V + technique["E_noise_V"] * noise[0]
    if E_seen_V > technique["E_high_V"] or E_seen_V < technique["E_low_V"]:
        flags |= E_OVERLOAD
    E_seen_V = resolved(E_seen_V, technique["E_step_V"], technique["E_low_V"], technique["E_high_V"])
    if technique["kind"] == OCV:
        return E_seen_V, 0.0, flags
    full_A = technique["I_full_A"]
    I_seen_A = I_A + technique["I_noise_A"] * noise[1]
    if abs(I_seen_A) > full_A:
        flags |= I_OVERLOAD
    return E_seen_V, resolved(I_seen_A, technique["I_step_A"], -full_A, full_A), flags


@jit
def read_counter(technique: Record, cell: Cell, I_A: float, noise: float) -> float:
    """Ece_V as the instrument sees it: nothing at all where the counter electrode is the reference."""
    if technique["third"] == 0:
        return 0.0
    Ece_V = counter_voltage(cell.kind, cell.p, cell.x, I_A) + technique["E_noise_V"] * noise
    return resolved(Ece_V, technique["E_step_V"], technique["E_low_V"], technique["E_high_V"])


@jit
def meets(tests: Floats, E_V: float, I_A: float) -> bool:
    """Any test suffices."""
    for k in range(N_TESTS):
        value = abs(I_A) if tests[k, 0] == ABS_I else E_V
        if tests[k, 1] * (value - tests[k, 2]) > 0.0:
            return True
    return False


@jit
def wakes(tape: Tape, E_V: float, I_A: float) -> bool:
    """Whether the host wants to see these values at once."""
    watch = tape.watch
    fallen = falls(tape.machine[0], E_V, I_A, watch[NEAR_0])
    if outside(E_V, watch[LOWEST_E], watch[HIGHEST_E]) or fallen:
        return True
    return I_A != 0.0 and outside(abs(I_A), watch[LOWEST_I], watch[HIGHEST_I])


@jit
def wakes_by_counter(tape: Tape, E_V: float, Ece_V: float) -> bool:
    """Likewise, of a cell with three electrodes; whether they make a row or not."""
    watch = tape.watch
    if outside(Ece_V, watch[LOWEST_CE], watch[HIGHEST_CE]):
        return True
    return outside(E_V - Ece_V, watch[LOWEST_CELL], watch[HIGHEST_CELL])


@jit
def falls(m: Record, E_V: float, I_A: float, near_0_V: float) -> bool:
    """|Ewe| comes under the value while current flows; staying there is no news."""
    if I_A == 0.0:
        return False
    was_above = m["above"] != 0
    m["above"] = abs(E_V) > near_0_V
    return bool(was_above and m["above"] == 0)


@jit
def outside(value: float, low: float, high: float) -> bool:
    return value < low or value > high


@jit
def due(m: Record, technique: Record, E_V: float, I_A: float) -> bool:
    """Whether the reading at tau_s makes a row: by time, by its change, or as the last one."""
    if m["tau_s"] >= m["due_s"] or m["tau_s"] >= technique["duration_s"]:
        return True
    value = I_A if technique["kind"] == CA else E_V
    return bool(abs(value - m["kept"]) >= technique["delta"])


@jit
def keep(
    tape: Tape, technique: Record, passes: int, E_V: float, Ece_V: float, I_A: float, flags: int
) -> None:
    """Write a row."""
    m = tape.machine[0]
    row = tape.rows[m["n_rows"]]
    tape.starts[m["n_rows"]] = m["start_s"]
    row["time_s"] = m["start_s"] + m["tau_s"]
    row["Ewe_V"] = E_V
    row["Ece_V"] = Ece_V if technique["Ece_row"] != 0 else math.nan
    row["I_A"] = I_A
    row["technique"] = m["at"]
    row["passes"] = passes
    row["I_range"] = technique["I_code"]
    row["flags"] = flags
    m["n_rows"] += 1


@jit
def count_on(m: Record, technique: Record, E_V: float, I_A: float) -> None:
    """When the next row is due. The first is after one time base, the second every_s after the start."""
    m["sum_s"] = m["sum_Vs"] = m["sum_As"] = 0.0
    m["kept"] = I_A if technique["kind"] == CA else E_V
    first = m["tau_s"] <= technique["timebase_s"] < technique["every_s"]
    due_s = technique["every_s"] if first else m["tau_s"] + technique["every_s"]
    ticks = math.floor(due_s / technique["timebase_s"] + 0.5)  # counted, so that sums of every_s do not drift
    m["due_s"] = ticks * technique["timebase_s"]
