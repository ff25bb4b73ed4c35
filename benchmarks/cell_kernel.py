"""How long one step of each simulated cell takes, compiled and in plain Python.

python benchmarks/cell_kernel.py
"""

from __future__ import annotations

import time
from itertools import product

from timing import table

from nakctl_sim.cell.models import Model, load_model, names
from nakctl_sim.kernel import Kernel, plain, present

STEPS = 2_000
HOLDS_A_s = ((4e-4, 0.2), (0.0, 10.0), (-4e-4, 0.2), (1e-5, 1.0))


def step_us(kernel: Kernel, model: Model) -> float:
    """The fastest of a few rounds."""
    p, best_s = kernel.numbers(model.p), 1e9
    for _ in range(5):
        x = kernel.numbers(model.x0)
        began_s = time.perf_counter()
        for _, (I_A, dt_s) in product(range(STEPS // len(HOLDS_A_s)), HOLDS_A_s):
            kernel.advance(model.kind, p, x, I_A, dt_s)
        best_s = min(best_s, time.perf_counter() - began_s)
    return 1e6 * best_s / STEPS


def main() -> None:
    kernels = (present(), plain())
    rows = [
        (name, *(f"{step_us(kernel, model):.2f} us" for kernel in kernels))
        for name in names()
        for model in [load_model(name)]
    ]
    table([("cell", *(kernel.told for kernel in kernels)), *rows])


if __name__ == "__main__":
    main()
