"""What a potentiostat asks of a simulated cell. State in, state out.

kind  which model
p     (m,) its parameters
x     (k,) its state, which is all there is to know of the cell's past
I_A   current through the whole cell; I > 0 strips the working electrode

This is the one place where the kinds are told apart.
"""

from __future__ import annotations

from nakctl_sim.cell.arithmetic import Numbers
from nakctl_sim.cell.battery import advance_battery, counter_battery, voltage_battery
from nakctl_sim.cell.circuit import advance_circuit, counter_circuit, voltage_circuit
from nakctl_sim.cell.nak_cell import NO_LIMIT_s, advance_nak, step_hint_nak, voltage_nak
from nakctl_sim.cell.polarising import advance_polarising, voltage_blocking, voltage_symmetric

CIRCUIT, NAK, BATTERY, SYMMETRIC, BLOCKING = range(5)
LEAST_A = 1e-30  # less is no current, and would be lost among the smallest numbers


def advance(kind: int, p: Numbers, x: Numbers, I_A: float, dt_s: float) -> float:
    """Let I_A flow for dt_s: changes x, returns Ewe_V at the end."""
    if abs(I_A) < LEAST_A:
        I_A = 0.0
    if kind == NAK:
        advance_nak(p, x, I_A, dt_s)
    elif kind == CIRCUIT:
        advance_circuit(p, x, I_A, dt_s)
    elif kind == BATTERY:
        advance_battery(p, x, I_A, dt_s)
    else:
        advance_polarising(p, x, I_A, dt_s)
    return voltage(kind, p, x, I_A)


def voltage(kind: int, p: Numbers, x: Numbers, I_A: float) -> float:
    """Ewe_V at this instant, if I_A flows; x stays as it is."""
    if abs(I_A) < LEAST_A:
        I_A = 0.0
    if kind == NAK:
        return voltage_nak(p, x, I_A)
    if kind == CIRCUIT:
        return voltage_circuit(p, x, I_A)
    if kind == BATTERY:
        return voltage_battery(p, x, I_A)
    if kind == SYMMETRIC:
        return voltage_symmetric(p, x, I_A)
    return voltage_blocking(p, x, I_A)


def counter_voltage(kind: int, p: Numbers, x: Numbers, I_A: float) -> float:
    """Ece_V at this instant, if I_A flows: 0 where the counter electrode is the reference."""
    if abs(I_A) < LEAST_A:
        I_A = 0.0
    if kind == CIRCUIT:
        return counter_circuit(p, x, I_A)
    return counter_battery(p, x, I_A) if kind == BATTERY else 0.0


def step_hint(kind: int, p: Numbers, x: Numbers, I_A: float, since_change_s: float) -> float:
    """The longest step (s) that `advance` does well from here; since_change_s: time I_A flows already."""
    if kind == NAK:
        return step_hint_nak(p, x, I_A, since_change_s)
    return NO_LIMIT_s
