"""Prints a run of every cell, number by number, and whether it was compiled."""

from __future__ import annotations

import sys

import numpy as np

from nakctl_sim.cell.kernel import advance, step_hint
from nakctl_sim.cell.models import load_model, names

HOLDS_mA_cm2_s = (
    (0.3, 40.0),
    (0.0, 2.0),
    (1.0, 5.0),
    (0.0, 3600.0),
    (-0.6, 400.0),
    (0.05, 0.01),
    (-1.5, 5000.0),
    (1.0, 1.0),
)

numbers: list[float] = []
for name in names():
    model = load_model(name)
    x = model.state()
    for areal, seconds in HOLDS_mA_cm2_s:
        I_A = 1e-3 * areal * model.area_cm2
        for part in (0.1, 0.3, 0.6):
            numbers.append(advance(model.kind, model.p, x, I_A, part * seconds))
            numbers.append(step_hint(model.kind, model.p, x, I_A, seconds))
        z = model.impedance(x, np.array([1e5, 5.0]))
        numbers += [*x, *z.real, *z.imag]
sys.stdout.write(" ".join([str("numba" in sys.modules), *(float(number).hex() for number in numbers)]))
