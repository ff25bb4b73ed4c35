"""Programs and readings by hand, for the tests of ledger and guard."""

from __future__ import annotations

import numpy as np

from nakctl.device.channel import POINT, SAMPLE, Flag, Reading, State
from nakctl.device.program import (
    Cp,
    Cutoff,
    Eis,
    Hardware,
    Limits,
    Loop,
    Ocv,
    Program,
    Rule,
    Segment,
    StepInfo,
    Test,
)
from nakctl.errors import Mark

HARDWARE = Hardware("1 mA", "5 V", 8)
NO_FLAG = Flag(0)
NO_LIMITS = Limits(None, None, None, None)


def rest(step: int) -> Ocv:
    return Ocv(step, 10.0, 1.0, None, HARDWARE)


def cp(step: int, I_A: float = 1e-3, tests: tuple[Test, ...] = (), on_test: str = "stop") -> Cp:
    return Cp(step, I_A, 10.0, 1.0, None, tests, on_test, HARDWARE)  # type: ignore[arg-type]


def geis(step: int, frequencies: int = 3, continues: bool = False) -> Eis:
    sweep = (1e3, 10.0, frequencies, "log")
    return Eis(step, "GEIS", 1e-3, False, 5e-6, 0.0, 1.0, *sweep, 1, 0.1, False, continues, HARDWARE)  # type: ignore[arg-type]


def loop(to: int, times: int, passes: bool = True) -> Loop:
    return Loop(to, times, passes)


def info(step_id: int, level: int = 0, cutoffs: tuple[Cutoff, ...] = ()) -> StepInfo:
    return StepInfo(step_id, f"{step_id} step", "CP", level, cutoffs, Mark(step_id, 1))


def cutoff(quantity: str, side: str, value: float, then: str = "next step", by: str = "host") -> Cutoff:
    return Cutoff(quantity, side, value, then, by, Mark(1, 1))  # type: ignore[arg-type]


def program(
    *segments: Segment, steps: list[StepInfo], limits: Limits = NO_LIMITS, rules: tuple[Rule, ...] = ()
) -> Program:
    return Program("SP-300", 0.5, segments, tuple(steps), limits, rules)


def rows(*given: tuple[float, float, float, int, int], flag: Flag = NO_FLAG) -> np.ndarray:
    """(time_s, Ewe_V, I_A, technique, passes); the flag stands in the last row."""
    made = np.zeros(len(given), SAMPLE)
    for row, (time_s, Ewe_V, I_A, technique, passes) in zip(made, given, strict=True):
        row["time_s"], row["Ewe_V"], row["I_A"] = time_s, Ewe_V, I_A
        row["technique"], row["passes"] = technique, passes
    if len(made):
        made["flags"][-1] = flag
    return made


def points(*given: tuple[float, float, int, int]) -> np.ndarray:
    """(time_s, frequency_Hz, technique, passes) with Z = 3 - 4j ohm at 0.2 V and 1 mA."""
    made = np.zeros(len(given), POINT)
    for row, (time_s, frequency_Hz, technique, passes) in zip(made, given, strict=True):
        row["time_s"], row["frequency_Hz"], row["technique"], row["passes"] = (
            time_s, frequency_Hz, technique, passes,
        )  # fmt: skip
    made["Z_re_ohm"], made["Z_im_ohm"], made["E_dc_V"], made["I_dc_A"] = 3.0, -4.0, 0.2, 1e-3
    return made


def reading(samples: np.ndarray, eis: np.ndarray | None = None, state: State = State.RUNNING) -> Reading:
    return Reading(state, samples, points() if eis is None else eis)
