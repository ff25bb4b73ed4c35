"""What the tests of the simulated potentiostat share: techniques in one line, a whole segment in one call."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nakctl.device.channel import POINT, SAMPLE, Notice, Rows, Watch
from nakctl.device.instrument import instrument
from nakctl.device.program import Ca, Cp, Draw, Eis, Hardware, Ocv, Segment, Technique, Test
from nakctl_sim.cell.models import load_model
from nakctl_sim.habits import USUAL, ChannelHabits
from nakctl_sim.potentiostat import Potentiostat


def potentiostat(
    cell: str = "randles", like: str = "SP-300", seed: int = 1, habits: ChannelHabits = USUAL
) -> Potentiostat:
    return Potentiostat(load_model(cell), instrument(like), seed, habits)


def dummy_V(t_s: float, I_A: float) -> float:
    """The dummy cell under a current that began at 0: 100 ohm, 1 kohm || 1 uF, 1 kohm || 100 uF."""
    return I_A * (100 + 1000 * (1 - math.exp(-t_s / 1e-3)) + 1000 * (1 - math.exp(-t_s / 0.1)))


def execute(bench: Potentiostat, *techniques: Technique) -> tuple[Rows, Rows, list[Notice]]:
    """All samples, points and notices of one segment."""
    bench.load(Segment(techniques))
    bench.start()
    samples, points, notices = [np.zeros(0, SAMPLE)], [np.zeros(0, POINT)], []
    over = False
    while not over:
        output = bench.run(math.inf, Watch())
        samples.append(output.samples)
        points.append(output.points)
        notices += output.notices
        over = output.over
    return np.concatenate(samples), np.concatenate(points), notices


def on(I_range: str = "1 mA", E_range: str = "5 V") -> Hardware:
    return Hardware(I_range, E_range, 5)


def ocv(duration_s: float, every_s: float = 1.0, **words: Any) -> Ocv:
    given: dict[str, Any] = {"dE_V": None, "hardware": on()} | words
    return Ocv(step=1, duration_s=duration_s, every_s=every_s, **given)


def cp(I_A: float, duration_s: float, every_s: float = 1.0, *tests: Test, **words: Any) -> Cp:
    given: dict[str, Any] = {"dE_V": None, "on_test": "next", "hardware": on()} | words
    return Cp(step=1, I_A=I_A, duration_s=duration_s, every_s=every_s, tests=tests, **given)


def ca(E_V: float, duration_s: float, every_s: float = 1.0, *tests: Test, **words: Any) -> Ca:
    given: dict[str, Any] = {"dI_A": None, "on_test": "next", "hardware": on()} | words
    return Ca(step=1, E_V=E_V, duration_s=duration_s, every_s=every_s, tests=tests, **given)


def draw(control: str, level: float, duration_s: float, every_s: float = 1.0, **words: Any) -> Draw:
    given: dict[str, Any] = {"dE_V": None, "hardware": on("10 mA")} | words
    return Draw(1, control, level, duration_s, every_s, **given)  # type: ignore[arg-type]


def eis(control: str = "GEIS", **words: Any) -> Eis:
    given: dict[str, Any] = {
        "bias": 0.0,
        "vs_previous": False,
        "amplitude_peak": 50e-6,
        "hold_s": 0.0,
        "every_s": 1.0,
        "f_first_Hz": 1e5,
        "f_last_Hz": 10.0,
        "n_frequencies": 9,
        "spacing": "log",
        "average": 1,
        "wait_periods": 0.1,
        "drift_correction": False,
        "continues": False,
        "hardware": on(),
    }
    return Eis(step=1, control=control, **(given | words))  # type: ignore[arg-type]
