"""Pulse cycles per second of the bare simulated cell, without instrument and recording.

One cycle: 1 s of 1 mA/cm2 on NaK50 with a sample every 0.2 s, then 10 s of rest.

python benchmarks/cell_kernel.py
"""

from __future__ import annotations

import time

from nakctl_sim.cell.jit import jit
from nakctl_sim.cell.kernel import advance, step_hint
from nakctl_sim.cell.models import Floats, Model, load_model

ON_s, SAMPLE_s, REST_s = 1.0, 0.2, 10.0
LIMIT_V = 3.0
MOST_CYCLES = 100_000


@jit
def pulse_train(kind: int, p: Floats, x: Floats, I_A: float, most: int) -> tuple[int, int]:
    """Cycles until LIMIT_V, and steps taken."""
    steps = 0
    for cycle in range(most):
        held = 0.0
        for sample in range(round(ON_s / SAMPLE_s)):
            until = (sample + 1) * SAMPLE_s
            volts = 0.0
            while held < until:
                step = min(step_hint(kind, p, x, I_A, held), until - held)
                volts = advance(kind, p, x, I_A, step)
                held = until if step == until - held else held + step
                steps += 1
            if volts >= LIMIT_V:
                return cycle, steps
        advance(kind, p, x, 0.0, REST_s)
        steps += 1
    return most, steps


def run(model: Model, most: int) -> tuple[int, int, float]:
    """Cycles, steps and seconds."""
    start = time.perf_counter()
    cycles, steps = pulse_train(model.kind, model.p, model.state(), 1e-3 * model.area_cm2, most)
    return cycles, steps, time.perf_counter() - start


def main() -> None:
    model = load_model("NaK50")
    _, _, first_s = run(model, 1)
    cycles, steps, seconds = run(model, MOST_CYCLES)
    print(f"first use        {first_s:8.2f} s (compiled now, or loaded from the cache)")
    print(f"capacity         {cycles * ON_s / 3600:8.2f} mAh/cm2")
    print(f"steps per cycle  {steps / cycles:8.1f}")
    print(f"cycles per second{cycles / seconds:8.0f}")


if __name__ == "__main__":
    main()
