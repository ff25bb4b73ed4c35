"""The cell goes on while nobody reads it: under its bias, or open."""

from __future__ import annotations

from nakctl_sim.cell.arithmetic import copy
from nakctl_sim.cell.kernel import advance, counter_voltage, step_hint, voltage
from nakctl_sim.executor.drive import drive, sub_step
from nakctl_sim.executor.registers import OVER, Cell, Machine, Technique


def carry(m: Machine, technique: Technique, cell: Cell, seconds: float) -> float:
    """The bias goes on for a while, unread; Ewe_V at the end."""
    left_s = seconds
    E_V = 0.0
    while left_s > 0.0:
        dt_s = sub_step(m, technique, cell, left_s)
        copy(cell.x, cell.before)
        E_V = drive(m, technique, cell, dt_s)
        m.tau_s += dt_s
        m.since_s += dt_s
        left_s -= dt_s
    return E_V


def open_cell(m: Machine, cell: Cell, seconds: float) -> None:
    """No current flows for a while."""
    if m.I_A != 0.0:
        m.since_s = 0.0
    m.I_A = 0.0
    left_s = seconds
    while left_s > 0.0:
        dt_s = min(left_s, step_hint(cell.kind, cell.p, cell.x, 0.0, m.since_s))
        m.E_end_V = advance(cell.kind, cell.p, cell.x, 0.0, dt_s)
        m.since_s += dt_s
        left_s -= dt_s


def peek(m: Machine, chain: list[Technique], cell: Cell, time_s: float) -> tuple[float, float]:
    """Ewe_V and Ece_V at time_s, not before now, if nothing ends the technique under way until then; I_A is
    left in the register. Changes machine and cell: give it copies."""
    left_s = time_s - m.start_s - m.tau_s
    if m.phase == OVER:
        open_cell(m, cell, left_s)
    elif left_s > 0.0:
        technique: Technique = chain[m.at]
        Ewe_V = carry(m, technique, cell, left_s)
        return Ewe_V, counter_voltage(cell.kind, cell.p, cell.x, m.I_A)
    Ewe_V = voltage(cell.kind, cell.p, cell.x, m.I_A)
    return Ewe_V, counter_voltage(cell.kind, cell.p, cell.x, m.I_A)
