"""A cell driven by a current that was recorded: what it would have shown. No noise, no instrument."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from nakctl.device.fitting import Answer, Course
from nakctl_sim.cell.models import Model
from nakctl_sim.chamber import FELT_K
from nakctl_sim.kernel import present

Floats = npt.NDArray[np.float64]

SETTLED_s = 1e9  # a cell that never saw a current has rested for ever
LEAST_s = 1e-9  # what is left of a stretch after its steps


def replayed(model: Model, course: Course) -> Answer:
    """model: a new one, whose numbers change here if the temperature does."""
    asked = np.isfinite(course.f_Hz)
    Ewe_V, z_ohm = np.full(len(course), np.nan), np.full(len(course), np.nan + 0j)
    states = np.zeros((len(course), len(model.x0)))
    x, p0 = model.state(), model.p.copy()
    for first, last in _stages(course):
        if course.fresh[first]:
            x[:], model.p[:] = model.x0, p0  # the state holds at the temperature that the model came with
        if math.isfinite(course.T_K[first]):
            model.come_to(x, float(course.T_K[first]))
        _drive(model, course, (first, last), x, states, Ewe_V)
        rows = first + np.flatnonzero(asked[first:last])
        if len(rows):
            z_ohm[rows] = model.impedance(states[rows], course.f_Hz[rows])
    return Answer(Ewe_V, z_ohm)


def _stages(course: Course) -> list[tuple[int, int]]:
    """First row, and that behind the last one, of what has one temperature and is of one cell."""
    edges, here_K = [0], float(course.T_K[0]) if len(course) else math.nan
    for row in range(1, len(course)):
        T_K = float(course.T_K[row])
        if course.fresh[row] or abs(T_K - here_K) > FELT_K or math.isnan(T_K) != math.isnan(here_K):
            edges.append(row)
            here_K = T_K
    return list(zip(edges, [*edges[1:], len(course)], strict=True)) if len(course) else []


def _drive(
    model: Model, course: Course, rows: tuple[int, int], x: Floats, states: Floats, Ewe_V: Floats
) -> None:
    """Change x through these rows; what it is at the end of each goes into states and Ewe_V."""
    of, kind, (first, last) = present(), model.kind, rows
    p, now = of.numbers(model.p), of.numbers(x)
    seconds, amperes, ends = (part[first:last].tolist() for part in (course.dt_s, course.I_A, course.end_A))
    before_A, since_s = 0.0, SETTLED_s
    for row, left_s, I_A, end_A in zip(range(first, last), seconds, amperes, ends, strict=True):
        if before_A != I_A:
            before_A, since_s = I_A, 0.0
        while left_s > LEAST_s:
            dt_s = min(left_s, of.step_hint(kind, p, now, I_A, since_s))
            of.advance(kind, p, now, I_A, dt_s)
            left_s -= dt_s
            since_s += dt_s
        Ewe_V[row] = of.voltage(kind, p, now, end_A)
        states[row] = now
    x[:] = now
