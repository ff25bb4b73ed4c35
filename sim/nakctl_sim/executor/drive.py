"""What the amplifier does for one step of time: hold a current, hold a potential, or leave the cell open.

A potential is held by the constant current that brings the cell to it at the end of the step. That is an
implicit step: it stays stable however stiff the cell is, and the charge is exactly current times time.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nakctl_sim.cell.jit import jit
from nakctl_sim.cell.kernel import advance, step_hint
from nakctl_sim.executor.tables import CA, PEIS

Floats = npt.NDArray[np.float64]
Record = Any  # numpy.void outside compiled code

# How long a step may be, at least FIRST_s, given the time since the technique began.
LOOK_s, LOOK_SHARE = 0.1, 0.01  # this or this share, where a test has to be noticed (it is then located)
FIRST_s, GROWTH = 1e-3, 0.5  # where a change of Ewe asks for rows
HOLD_SHARE = 0.1  # where a potential is held, whose current moves all the time
PROBE_A = 1e-6  # first guess apart from the current that flows
CLOSE_V = 1e-7  # a potential is held this well, far below any resolution
ROUNDS = 80  # enough to halve the amplifier's whole range down to rounding


class Cell(NamedTuple):
    """kind, p: the model. x: its state. before: the state at the start of the step."""

    kind: int
    p: Floats
    x: Floats
    before: Floats


@jit
def copy(source: Floats, target: Floats) -> None:
    for k in range(len(source)):
        target[k] = source[k]


@jit
def holds_potential(technique: Record) -> bool:
    return bool(technique["kind"] == CA or technique["kind"] == PEIS)


@jit
def sub_step(m: Record, technique: Record, cell: Cell, rest_s: float) -> float:
    """The longest step from here that is accurate, and fine enough for what has to be looked at."""
    dt_s = min(rest_s, step_hint(cell.kind, cell.p, cell.x, m["I_A"], m["since_s"]))
    if holds_potential(technique):
        dt_s = min(dt_s, max(FIRST_s, HOLD_SHARE * m["tau_s"]))
    elif technique["delta"] < math.inf:
        dt_s = min(dt_s, max(FIRST_s, GROWTH * m["tau_s"]))
    if technique["tested"]:
        dt_s = min(dt_s, max(LOOK_s, LOOK_SHARE * m["tau_s"]))
    return float(dt_s)


@jit
def drive(m: Record, technique: Record, cell: Cell, dt_s: float) -> float:
    """Move the cell on by dt_s from `before`; Ewe_V at the end, the current in m."""
    if holds_potential(technique):
        return to_potential(m, technique, cell, m["level"], dt_s)
    E_V = advance(cell.kind, cell.p, cell.x, m["level"], dt_s)
    m["I_A"] = m["level"]
    if m["level"] != 0.0 and abs(E_V) > technique["compliance_V"]:
        copy(cell.before, cell.x)
        E_V = to_potential(m, technique, cell, math.copysign(technique["compliance_V"], E_V), dt_s)
    return E_V


@jit
def attempt(cell: Cell, I_A: float, dt_s: float) -> float:
    """Ewe_V after dt_s of I_A, from the start of the step."""
    copy(cell.before, cell.x)
    return advance(cell.kind, cell.p, cell.x, I_A, dt_s)


@jit
def to_potential(m: Record, technique: Record, cell: Cell, target_V: float, dt_s: float) -> float:
    """Secant steps within a bracket: Ewe at the end of a step rises with the current, about in proportion."""
    low_A, high_A = -technique["I_max_A"], technique["I_max_A"]
    last_A = m["I_A"]
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
    m["I_A"] = I_A
    return E_V


@jit
def secant(I_0_A: float, E_0_V: float, I_1_A: float, E_1_V: float, E_V: float) -> float:
    if E_1_V == E_0_V:
        return math.inf
    return I_1_A + (E_V - E_1_V) * (I_1_A - I_0_A) / (E_1_V - E_0_V)
