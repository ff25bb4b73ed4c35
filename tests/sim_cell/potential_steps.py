"""Hold a potential on a cell alone, without an instrument."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from cell_runs import advance
from scipy.optimize import brentq

from nakctl_sim.cell.models import Model

MOST_A = 1.0


def held(model: Model, x: npt.NDArray[np.float64], E_V: float, dt_s: float) -> float:
    """The constant current that brings the cell to E_V in dt_s; x goes there."""

    def beyond(I_A: float) -> float:
        return advance(model.kind, model.p, x.copy(), I_A, dt_s) - E_V

    I_A = float(brentq(beyond, -MOST_A, MOST_A, xtol=1e-16))
    advance(model.kind, model.p, x, I_A, dt_s)
    return I_A
