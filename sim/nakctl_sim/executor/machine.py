"""The machine that executes a chain on a cell: rows, tests, loops.

It moves in whole steps of time that depend on the chain and the cell alone. A horizon in the middle of a step
makes it wait before that step, never cut it: so the rows are the same however a run is divided into reads. A
step that a test will end before the horizon is taken. Only a stop cuts a step.
"""

from __future__ import annotations

from nakctl_sim.cell.arithmetic import Numbers, copy
from nakctl_sim.cell.kernel import counter_voltage, voltage
from nakctl_sim.executor.drive import drive, sub_step
from nakctl_sim.executor.reading import (
    count_on,
    due,
    keep,
    meets,
    read,
    read_counter,
    wakes,
    wakes_by_counter,
)
from nakctl_sim.executor.registers import (
    CURRENT,
    GEIS,
    HOLD,
    LOOP,
    OVER,
    PEIS,
    SWEEP,
    TEST_MET,
    Cell,
    Machine,
    Tape,
    Technique,
)
from nakctl_sim.executor.unread import carry

Chain = list[Technique]

ENDED, WAITS, WOKEN, FULL, NO_NOISE, SWEEPS = range(6)  # why `run` came back

NEGLIGIBLE_s = 1e-9  # times closer than this are the same
FINE_s = 1e-4  # a test is met somewhere in a step: find where, this well


def run(tape: Tape, chain: Chain, cell: Cell, horizon_s: float, pause_s: float, cut: bool) -> int:
    """Go on to horizon_s (to its very end only if cut), until a step has passed pause_s, or until there is
    something to do."""
    m = tape.machine
    while True:
        status = ready(tape, m)
        if status != WAITS:
            return status
        technique: Technique = chain[m.at]
        dt_s = sub_step(m, technique, cell, min(m.due_s, technique.duration_s) - m.tau_s)
        left_s = horizon_s - m.start_s - m.tau_s
        if dt_s > left_s + NEGLIGIBLE_s:
            if left_s < NEGLIGIBLE_s or not (cut or ends_within(tape, technique, cell, dt_s, left_s)):
                return WAITS
            if cut:
                dt_s = left_s
        if step(tape, chain, cell, dt_s) or m.start_s + m.tau_s >= pause_s:
            return WOKEN


def ready(tape: Tape, m: Machine) -> int:
    """WAITS: the next step can be taken."""
    if m.phase == OVER:
        return ENDED
    if m.phase == SWEEP:
        return SWEEPS
    if m.n_rows == tape.room:
        return FULL
    if m.n_noise == tape.n_noise:
        return NO_NOISE
    return WAITS


def ends_within(tape: Tape, technique: Technique, cell: Cell, dt_s: float, left_s: float) -> bool:
    """Whether a test would end a step of dt_s before left_s of it are over. Nothing is changed."""
    if not technique.tested:
        return False
    m = tape.machine
    E_draw, I_draw = tape.noise[2 * m.n_noise], tape.noise[2 * m.n_noise + 1]
    I_before_A = m.I_A
    copy(cell.x, cell.before)
    E_true_V = drive(m, technique, cell, dt_s)
    E_V, I_A, _ = read(technique, E_true_V, m.I_A, E_draw, I_draw)
    met = meets(technique, E_V, I_A)
    if met:
        met = first_met(m, technique, cell, dt_s, E_draw, I_draw) <= left_s
    copy(cell.before, cell.x)
    m.I_A = I_before_A
    return met


def enter(tape: Tape, chain: Chain) -> None:
    """Follow the loops to the technique that is next, and begin it."""
    m = tape.machine
    ended, end_s = m.at - 1, m.start_s + m.tau_s
    while m.at < len(chain):
        loop: Technique = chain[m.at]
        if loop.kind != LOOP:
            break
        loop.passed += 1
        if loop.times == 0 or loop.passed < loop.times:
            m.at = loop.to
        else:
            loop.passed = 0  # an outer loop may come back
            m.at += 1
    m.start_s += m.tau_s
    m.tau_s = 0.0
    if m.at == len(chain):
        m.phase = OVER
    else:
        technique: Technique = chain[m.at]
        begin(m, technique)
        technique.started += 1
        if ended >= 0:
            before: Technique = chain[ended]
            delay_last_row(tape, before.late_s, end_s)


def delay_last_row(tape: Tape, late_s: float, end_s: float) -> None:
    """Behind the first row of the technique that begins, if that is the instrument's habit."""
    m = tape.machine
    if late_s > 0.0 and m.n_rows > 0 and tape.time_s[m.n_rows - 1] == end_s:
        tape.time_s[m.n_rows - 1] = end_s + m.due_s + late_s


def begin(m: Machine, technique: Technique) -> None:
    m.due_s = technique.timebase_s
    m.level = technique.level + (m.E_end_V if technique.vs_previous else 0.0)
    m.point = 0
    m.sum_s = m.E_sum_Vs = m.I_sum_As = 0.0
    m.phase = HOLD if technique.duration_s > 0.0 else SWEEP
    if technique.keeps != CURRENT:
        m.since_s = 0.0
    elif m.level != m.I_A or technique.slope != 0.0:
        m.since_s = 0.0
        m.I_A = m.level


def step(tape: Tape, chain: Chain, cell: Cell, dt_s: float) -> bool:
    """One step of time and its reading; whether the host wants to see the row it made, or Ece without one."""
    m = tape.machine
    technique: Technique = chain[m.at]
    E_draw, I_draw = tape.noise[2 * m.n_noise], tape.noise[2 * m.n_noise + 1]
    Ece_draw = tape.noise_ce[m.n_noise]
    m.n_noise += 1
    copy(cell.x, cell.before)
    E_true_V = drive(m, technique, cell, dt_s)
    E_V, I_A, flags = read(technique, E_true_V, m.I_A, E_draw, I_draw)
    met = meets(technique, E_V, I_A)
    if met:
        dt_s = first_met(m, technique, cell, dt_s, E_draw, I_draw)
        met_V = redone(m, technique, cell, dt_s)
        E_V, I_A, flags = read(technique, met_V, m.I_A, E_draw, I_draw)
        flags |= TEST_MET
    Ece_V = read_counter(technique, cell, m.I_A, Ece_draw)
    seen = technique.third and wakes_by_counter(tape, E_V, Ece_V)
    pass_time(m, technique, dt_s)
    E_end_V = E_V
    if technique.means > 0.0 and not met and is_of_mean(m, technique, E_true_V, dt_s):
        E_V, I_A, flags = read(technique, m.E_sum_Vs / m.sum_s, m.I_sum_As / m.sum_s, E_draw, I_draw)
    ends = met or m.tau_s >= technique.duration_s
    if not (ends or due(m, technique, E_V, I_A)):
        return seen
    written = technique.test_row if met else technique.end_row if ends else True
    if written:
        keep(tape, technique, technique.started - 1, E_V, Ece_V, I_A, flags)
    if ends:
        finish(tape, chain, E_end_V, met)
    else:
        count_on(m, technique, E_V, I_A)
    return (written and wakes(tape, E_V, I_A)) or seen


def redone(m: Machine, technique: Technique, cell: Cell, dt_s: float) -> float:
    copy(cell.before, cell.x)
    return drive(m, technique, cell, dt_s)


def first_met(
    m: Machine, technique: Technique, cell: Cell, dt_s: float, E_draw: float, I_draw: float
) -> float:
    """How far into a step of dt_s, which ends with a test met, that happens (to FINE_s, or a time base)."""
    not_yet_s, met_s = 0.0, dt_s
    while met_s - not_yet_s > max(FINE_s, technique.timebase_s):
        middle_s = 0.5 * (not_yet_s + met_s)
        E_true_V = redone(m, technique, cell, middle_s)
        E_V, I_A, _ = read(technique, E_true_V, m.I_A, E_draw, I_draw)
        if meets(technique, E_V, I_A):
            met_s = middle_s
        else:
            not_yet_s = middle_s
    return met_s


def pass_time(m: Machine, technique: Technique, dt_s: float) -> None:
    """Land on the time of a row exactly: sums of steps must not drift from it."""
    tau_s = m.tau_s + dt_s
    target_s = min(m.due_s, technique.duration_s)
    m.tau_s = target_s if abs(tau_s - target_s) < NEGLIGIBLE_s else tau_s
    m.since_s += dt_s


def is_of_mean(m: Machine, technique: Technique, E_true_V: float, dt_s: float) -> bool:
    """Whether a row would hold the mean over the last part of the time between two rows now, and not the
    reading of its moment: this step belongs to that part, and is added to it."""
    before_s = m.due_s - technique.every_s
    row_s = min(m.due_s, technique.duration_s)
    within_s = min(dt_s, m.tau_s - row_s + technique.means * (row_s - before_s))
    if within_s <= 0.0:
        return False
    m.sum_s += within_s
    m.E_sum_Vs += within_s * E_true_V
    m.I_sum_As += within_s * m.I_A
    return True


def finish(tape: Tape, chain: Chain, E_V: float, met: bool) -> None:
    m = tape.machine
    technique: Technique = chain[m.at]
    m.E_end_V = E_V
    if met and technique.stops:
        m.start_s += m.tau_s
        m.tau_s = 0.0
        m.phase = OVER
    elif technique.kind == GEIS or technique.kind == PEIS:
        m.phase = SWEEP
    else:
        m.at += 1
        enter(tape, chain)


def skip(tape: Tape, chain: Chain, cell: Cell) -> None:
    """The technique under way ends here, without a row."""
    m = tape.machine
    if m.phase != OVER:
        m.E_end_V = voltage(cell.kind, cell.p, cell.x, m.I_A)
        m.at += 1
        enter(tape, chain)


def sweep(
    tape: Tape,
    chain: Chain,
    cell: Cell,
    ends_s: Numbers,
    states: Numbers,
    dc: Numbers,
    horizon_s: float,
    pause_s: float,
    cut: bool,
    last: int,
) -> int:
    """Measure frequency after frequency, no further than to number `last`. ends_s (n,): when each is done,
    from the start of the technique; states (n k,) and dc (3 n,: Ewe, I, Ece) take the cell as it is then."""
    m = tape.machine
    technique: Technique = chain[m.at]
    while m.point < len(ends_s):
        end_s = ends_s[m.point]
        left_s = horizon_s - m.start_s - m.tau_s
        if end_s - m.tau_s > left_s + NEGLIGIBLE_s:
            if cut and left_s > NEGLIGIBLE_s:
                carry(m, technique, cell, left_s)
            return WAITS
        E_V = carry(m, technique, cell, end_s - m.tau_s)
        m.tau_s = end_s
        Ece_V = counter_voltage(cell.kind, cell.p, cell.x, m.I_A)
        for k in range(len(cell.x)):
            states[m.point * len(cell.x) + k] = cell.x[k]
        dc[3 * m.point] = E_V
        dc[3 * m.point + 1] = m.I_A
        dc[3 * m.point + 2] = Ece_V
        m.point += 1
        woken = wakes(tape, E_V, m.I_A) or m.point > last
        woken = woken or (technique.third and wakes_by_counter(tape, E_V, Ece_V))
        if woken or m.start_s + end_s >= pause_s:
            return WOKEN
    m.E_end_V = dc[3 * len(ends_s) - 3]
    m.at += 1
    enter(tape, chain)
    return ENDED
