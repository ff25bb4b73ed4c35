"""What the amplifier does for one step of time: hold or move a current or a potential, keep to a power or a
load, or leave the cell open.

A potential is held by the constant current that brings the cell to it at the end of the step. That is an
implicit step: it stays stable however stiff the cell is, and the charge is exactly current times time. A scan
goes to where the potential is at the end of the step, and a power or load to the current that goes with it
there. A ramp lets flow what flows in the middle of the step, so its charge is exact as well.

While a level moves, a step is short enough for it to move by no more than the range can resolve: what the
cell makes of that staircase is then as good as what it makes of the instrument's.
"""

from __future__ import annotations

import math

from nakctl_sim.cell.arithmetic import copy
from nakctl_sim.cell.kernel import advance, step_hint, voltage
from nakctl_sim.executor.registers import CURRENT, LOAD, POTENTIAL, Cell, Machine, Technique

# How long a step may be, at least FIRST_s, given the time since the technique began.
LOOK_s, LOOK_SHARE = 0.1, 0.01  # this or this share, where a test has to be noticed (it is then located)
FIRST_s, GROWTH = 1e-3, 0.5  # where a change of Ewe asks for rows
HOLD_SHARE = 0.1  # where a potential is held, whose current moves all the time
PROBE_A = 1e-6  # first guess apart from the current that flows
CLOSE_V = 1e-7  # a potential is held this well, far below any resolution
CLOSE = 1e-7  # and a current that goes with a power or a load, of itself
ROUNDS = 80  # enough to halve the amplifier's whole range down to rounding


def level_after(m: Machine, technique: Technique, dt_s: float) -> float:
    """Where a current or a potential that may move is dt_s from now."""
    return m.level + technique.slope * (m.tau_s + dt_s)


def sub_step(m: Machine, technique: Technique, cell: Cell, rest_s: float) -> float:
    """The longest step from here that is accurate, and fine enough for what has to be looked at."""
    dt_s = min(rest_s, technique.longest_s, step_hint(cell.kind, cell.p, cell.x, m.I_A, m.since_s))
    if technique.keeps != CURRENT:
        dt_s = min(dt_s, max(FIRST_s, HOLD_SHARE * m.tau_s))
    elif technique.delta < math.inf:
        dt_s = min(dt_s, max(FIRST_s, GROWTH * m.tau_s))
    if technique.tested or technique.third:  # the host looks at Ece between rows, too
        dt_s = min(dt_s, max(LOOK_s, LOOK_SHARE * m.tau_s))
    return dt_s


def drive(m: Machine, technique: Technique, cell: Cell, dt_s: float) -> float:
    """Move the cell on by dt_s from `before`; Ewe_V at the end, the current in m."""
    if technique.keeps == CURRENT:
        E_V = to_current(m, technique, cell, dt_s)
    elif technique.keeps == POTENTIAL:
        return to_potential(m, technique, cell, level_after(m, technique, dt_s), dt_s)
    else:
        E_V = to_draw(m, technique, cell, dt_s)
    if m.I_A != 0.0 and abs(E_V) > technique.compliance_V:
        copy(cell.before, cell.x)
        E_V = to_potential(m, technique, cell, math.copysign(technique.compliance_V, E_V), dt_s)
    return E_V


def to_current(m: Machine, technique: Technique, cell: Cell, dt_s: float) -> float:
    """That of the middle of the step flows, that of its end is there at its end."""
    flows_A = level_after(m, technique, 0.5 * dt_s)
    E_V = advance(cell.kind, cell.p, cell.x, flows_A, dt_s)
    m.I_A = level_after(m, technique, dt_s)
    return E_V if flows_A == m.I_A else voltage(cell.kind, cell.p, cell.x, m.I_A)


def attempt(cell: Cell, I_A: float, dt_s: float) -> float:
    """Ewe_V after dt_s of I_A, from the start of the step."""
    copy(cell.before, cell.x)
    return advance(cell.kind, cell.p, cell.x, I_A, dt_s)


def to_potential(m: Machine, technique: Technique, cell: Cell, target_V: float, dt_s: float) -> float:
    """Secant steps within a bracket: Ewe at the end of a step rises with the current, about in proportion."""
    low_A, high_A = -technique.I_max_A, technique.I_max_A
    last_A = m.I_A
    last_V = attempt(cell, last_A, dt_s)
    I_A = min(max(last_A + (PROBE_A if last_V < target_V else -PROBE_A), low_A), high_A)
    E_V = attempt(cell, I_A, dt_s)
    for _ in range(ROUNDS):
        if abs(E_V - target_V) <= CLOSE_V or low_A >= high_A:
            break
        if E_V - target_V < 0.0:
            low_A = I_A
        else:
            high_A = I_A
        next_A = secant(last_A, last_V, I_A, E_V, target_V)
        if not low_A < next_A < high_A:
            next_A = 0.5 * (low_A + high_A)
        last_A, last_V, I_A = I_A, E_V, next_A
        E_V = attempt(cell, I_A, dt_s)
    m.I_A = I_A
    return E_V


def to_draw(m: Machine, technique: Technique, cell: Cell, dt_s: float) -> float:
    """The current that goes with a power or a load at the end of the step: Ewe there is about a + b I, which
    each attempt tells better. Of a power that the cell cannot give it gives the most there is."""
    I_A = m.I_A
    E_V = attempt(cell, I_A, dt_s)
    b = (attempt(cell, I_A + PROBE_A, dt_s) - E_V) / PROBE_A
    for _ in range(ROUNDS):
        next_A = drawn(technique, E_V - b * I_A, b)
        next_A = min(max(next_A, -technique.I_max_A), technique.I_max_A)
        last_A, last_V, I_A = I_A, E_V, next_A
        E_V = attempt(cell, I_A, dt_s)
        if abs(I_A - last_A) <= CLOSE * abs(I_A):
            break
        b = (E_V - last_V) / (I_A - last_A)
    m.I_A = I_A
    return E_V


def drawn(technique: Technique, a_V: float, b_ohm: float) -> float:
    """I for which (a + b I) I is the power, the smaller one, or (a + b I) = -R I."""
    if technique.keeps == LOAD:
        return -a_V / (b_ohm + technique.level)
    if technique.level == 0.0:
        return 0.0
    under_root = a_V * a_V + 4.0 * b_ohm * technique.level
    if under_root < 0.0:
        return -a_V / (2.0 * b_ohm)
    return 2.0 * technique.level / (a_V + math.copysign(math.sqrt(under_root), a_V))


def secant(I_0_A: float, E_0_V: float, I_1_A: float, E_1_V: float, E_V: float) -> float:
    if E_1_V == E_0_V:
        return math.inf
    return I_1_A + (E_V - E_1_V) * (I_1_A - I_0_A) / (E_1_V - E_0_V)
