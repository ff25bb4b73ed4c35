"""The machine that executes a chain on a cell: rows, tests, loops, in compiled code.

It moves in whole steps of time that depend on the chain and the cell alone. A horizon in the middle of a step
makes it wait before that step, never cut it: so the rows are the same however a run is divided into reads. A
step that a test will end before the horizon is taken. Only a stop cuts a step.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from nakctl_sim.cell.jit import jit
from nakctl_sim.cell.kernel import counter_voltage, voltage
from nakctl_sim.executor.drive import Cell, copy, drive, sub_step
from nakctl_sim.executor.reading import (
    TEST_MET,
    Tape,
    count_on,
    due,
    keep,
    meets,
    read,
    read_counter,
    wakes,
    wakes_by_counter,
)
from nakctl_sim.executor.tables import CURRENT, GEIS, HOLD, LOOP, OVER, PEIS, SWEEP, Chain
from nakctl_sim.executor.unread import carry

Floats = npt.NDArray[np.float64]
Record = Any  # numpy.void outside compiled code

ENDED, WAITS, WOKEN, FULL, NO_NOISE, SWEEPS = range(6)  # why `run` came back

NEGLIGIBLE_s = 1e-9  # times closer than this are the same
FINE_s = 1e-4  # a test is met somewhere in a step: find where, this well


@jit
def run(tape: Tape, chain: Chain, cell: Cell, horizon_s: float, pause_s: float, cut: bool) -> int:
    """Go on to horizon_s (to its very end only if cut), until a step has passed pause_s, or until there is
    something to do."""
    m = tape.machine[0]
    while True:
        status = ready(tape, m)
        if status != WAITS:
            return status
        technique = chain.techniques[m["at"]]
        dt_s = sub_step(m, technique, cell, min(m["due_s"], technique["duration_s"]) - m["tau_s"])
        left_s = horizon_s - m["start_s"] - m["tau_s"]
        if dt_s > left_s + NEGLIGIBLE_s:
            if left_s < NEGLIGIBLE_s or not (cut or ends_within(tape, chain, cell, dt_s, left_s)):
                return WAITS
            if cut:
                dt_s = left_s
        if step(tape, chain, cell, dt_s) or m["start_s"] + m["tau_s"] >= pause_s:
            return WOKEN


@jit
def ready(tape: Tape, m: Record) -> int:
    """WAITS: the next step can be taken."""
    if m["phase"] == OVER:
        return ENDED
    if m["phase"] == SWEEP:
        return SWEEPS
    if m["n_rows"] == len(tape.rows):
        return FULL
    if m["n_noise"] == len(tape.noise):
        return NO_NOISE
    return WAITS


@jit
def ends_within(tape: Tape, chain: Chain, cell: Cell, dt_s: float, left_s: float) -> bool:
    """Whether a test would end a step of dt_s before left_s of it are over. Nothing is changed."""
    m = tape.machine[0]
    technique, tests = chain.techniques[m["at"]], chain.tests[m["at"]]
    if not technique["tested"]:
        return False
    I_before_A, noise = m["I_A"], tape.noise[m["n_noise"]]
    copy(cell.x, cell.before)
    E_V, I_A, _ = read(technique, drive(m, technique, cell, dt_s), m["I_A"], noise)
    met = meets(tests, E_V, I_A)
    if met:
        met = first_met(m, technique, tests, cell, dt_s, noise) <= left_s
    copy(cell.before, cell.x)
    m["I_A"] = I_before_A
    return met


@jit
def enter(tape: Tape, chain: Chain) -> None:
    """Follow the loops to the technique that is next, and begin it."""
    m = tape.machine[0]
    ended, end_s = m["at"] - 1, m["start_s"] + m["tau_s"]
    while m["at"] < len(chain.techniques) and chain.techniques[m["at"]]["kind"] == LOOP:
        loop = chain.techniques[m["at"]]
        chain.passed[m["at"]] += 1
        if loop["times"] == 0 or chain.passed[m["at"]] < loop["times"]:
            m["at"] = loop["to"]
        else:
            chain.passed[m["at"]] = 0  # an outer loop may come back
            m["at"] += 1
    m["start_s"] += m["tau_s"]
    m["tau_s"] = 0.0
    if m["at"] == len(chain.techniques):
        m["phase"] = OVER
    else:
        begin(m, chain.techniques[m["at"]])
        chain.started[m["at"]] += 1
        if ended >= 0:
            delay_last_row(tape, chain.techniques[ended]["late_s"], end_s)


@jit
def delay_last_row(tape: Tape, late_s: float, end_s: float) -> None:
    """Behind the first row of the technique that begins, if that is the instrument's habit."""
    m = tape.machine[0]
    if late_s > 0.0 and m["n_rows"] > 0 and tape.rows[m["n_rows"] - 1]["time_s"] == end_s:
        tape.rows[m["n_rows"] - 1]["time_s"] = end_s + m["due_s"] + late_s


@jit
def begin(m: Record, technique: Record) -> None:
    m["due_s"] = technique["timebase_s"]
    m["level"] = technique["level"] + (m["E_end_V"] if technique["vs_previous"] else 0.0)
    m["point"] = 0
    m["sum_s"] = m["sum_Vs"] = m["sum_As"] = 0.0
    m["phase"] = HOLD if technique["duration_s"] > 0.0 else SWEEP
    if technique["keeps"] != CURRENT:
        m["since_s"] = 0.0
    elif m["level"] != m["I_A"] or technique["slope"] != 0.0:
        m["since_s"] = 0.0
        m["I_A"] = m["level"]


@jit
def step(tape: Tape, chain: Chain, cell: Cell, dt_s: float) -> bool:
    """One step of time and its reading; whether the host wants to see the row it made, or Ece without one."""
    m = tape.machine[0]
    technique = chain.techniques[m["at"]]
    noise, noise_ce = tape.noise[m["n_noise"]], tape.noise_ce[m["n_noise"]]
    m["n_noise"] += 1
    copy(cell.x, cell.before)
    E_true_V = drive(m, technique, cell, dt_s)
    E_V, I_A, flags = read(technique, E_true_V, m["I_A"], noise)
    met = meets(chain.tests[m["at"]], E_V, I_A)
    if met:
        dt_s = first_met(m, technique, chain.tests[m["at"]], cell, dt_s, noise)
        E_V, I_A, flags = read(technique, redone(m, technique, cell, dt_s), m["I_A"], noise)
        flags |= TEST_MET
    Ece_V = read_counter(technique, cell, m["I_A"], noise_ce)
    seen = technique["third"] != 0 and wakes_by_counter(tape, E_V, Ece_V)
    pass_time(m, technique, dt_s)
    E_end_V = E_V
    if technique["means"] > 0.0 and not met:
        E_V, I_A, flags = mean(m, technique, E_true_V, dt_s, (E_V, I_A, flags), noise)
    ends = met or m["tau_s"] >= technique["duration_s"]
    if not (ends or due(m, technique, E_V, I_A)):
        return seen
    written = technique["test_row"] if met else technique["end_row"] if ends else 1
    if written:
        keep(tape, technique, chain.started[m["at"]] - 1, E_V, Ece_V, I_A, flags)
    if ends:
        finish(tape, chain, E_end_V, met)
    else:
        count_on(m, technique, E_V, I_A)
    return (bool(written) and wakes(tape, E_V, I_A)) or seen


@jit
def redone(m: Record, technique: Record, cell: Cell, dt_s: float) -> float:
    copy(cell.before, cell.x)
    return drive(m, technique, cell, dt_s)


@jit
def first_met(m: Record, technique: Record, tests: Floats, cell: Cell, dt_s: float, noise: Floats) -> float:
    """How far into a step of dt_s, which ends with a test met, that happens (to FINE_s, or a time base)."""
    not_yet_s, met_s = 0.0, dt_s
    while met_s - not_yet_s > max(FINE_s, technique["timebase_s"]):
        middle_s = 0.5 * (not_yet_s + met_s)
        E_V, I_A, _ = read(technique, redone(m, technique, cell, middle_s), m["I_A"], noise)
        if meets(tests, E_V, I_A):
            met_s = middle_s
        else:
            not_yet_s = middle_s
    return met_s


@jit
def pass_time(m: Record, technique: Record, dt_s: float) -> None:
    """Land on the time of a row exactly: sums of steps must not drift from it."""
    tau_s = m["tau_s"] + dt_s
    target_s = min(m["due_s"], technique["duration_s"])
    m["tau_s"] = target_s if abs(tau_s - target_s) < NEGLIGIBLE_s else tau_s
    m["since_s"] += dt_s


@jit
def mean(
    m: Record,
    technique: Record,
    E_true_V: float,
    dt_s: float,
    reading: tuple[float, float, int],
    noise: Floats,
) -> tuple[float, float, int]:
    """What a row would hold now: the mean over the last part of the time between two rows, which this step
    belongs to or not; at other times the reading."""
    before_s = m["due_s"] - technique["every_s"]
    row_s = min(m["due_s"], technique["duration_s"])
    within_s = min(dt_s, m["tau_s"] - row_s + technique["means"] * (row_s - before_s))
    if within_s <= 0.0:
        return reading
    m["sum_s"] += within_s
    m["sum_Vs"] += within_s * E_true_V
    m["sum_As"] += within_s * m["I_A"]
    return read(technique, m["sum_Vs"] / m["sum_s"], m["sum_As"] / m["sum_s"], noise)


@jit
def finish(tape: Tape, chain: Chain, E_V: float, met: bool) -> None:
    m = tape.machine[0]
    technique = chain.techniques[m["at"]]
    m["E_end_V"] = E_V
    if met and technique["stops"]:
        m["start_s"] += m["tau_s"]
        m["tau_s"] = 0.0
        m["phase"] = OVER
    elif technique["kind"] == GEIS or technique["kind"] == PEIS:
        m["phase"] = SWEEP
    else:
        m["at"] += 1
        enter(tape, chain)


@jit
def skip(tape: Tape, chain: Chain, cell: Cell) -> None:
    """The technique under way ends here, without a row."""
    m = tape.machine[0]
    if m["phase"] != OVER:
        m["E_end_V"] = voltage(cell.kind, cell.p, cell.x, m["I_A"])
        m["at"] += 1
        enter(tape, chain)


@jit
def sweep(
    tape: Tape,
    chain: Chain,
    cell: Cell,
    ends_s: Floats,
    states: Floats,
    dc: Floats,
    horizon_s: float,
    pause_s: float,
    cut: bool,
    last: int,
) -> int:
    """Measure frequency after frequency, no further than to number `last`. ends_s (n,): when each is done,
    from the start of the technique; states (n, k) and dc (n, 3: Ewe, I, Ece) take the cell as it is then."""
    m = tape.machine[0]
    technique = chain.techniques[m["at"]]
    while m["point"] < len(ends_s):
        end_s = ends_s[m["point"]]
        left_s = horizon_s - m["start_s"] - m["tau_s"]
        if end_s - m["tau_s"] > left_s + NEGLIGIBLE_s:
            if cut and left_s > NEGLIGIBLE_s:
                carry(m, technique, cell, left_s)
            return WAITS
        E_V = carry(m, technique, cell, end_s - m["tau_s"])
        m["tau_s"] = end_s
        copy(cell.x, states[m["point"]])
        dc[m["point"], 0] = E_V
        dc[m["point"], 1] = m["I_A"]
        dc[m["point"], 2] = Ece_V = counter_voltage(cell.kind, cell.p, cell.x, m["I_A"])
        m["point"] += 1
        woken = wakes(tape, E_V, m["I_A"]) or m["point"] > last
        woken = woken or (technique["third"] != 0 and wakes_by_counter(tape, E_V, Ece_V))
        if woken or m["start_s"] + end_s >= pause_s:
            return WOKEN
    m["E_end_V"] = dc[len(ends_s) - 1, 0]
    m["at"] += 1
    enter(tape, chain)
    return ENDED
