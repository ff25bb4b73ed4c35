"""Programs and readings by hand, for the tests of booking and of what decides."""

from __future__ import annotations

import numpy as np

from nakctl.booking.ledger import Booked, Ledger
from nakctl.device.channel import OF_COUNTER, POINT, SAMPLE, Flag, Reading, State
from nakctl.device.ends import End
from nakctl.device.program import (
    Ca,
    Cp,
    Eis,
    Hardware,
    Loop,
    Ocv,
    Program,
    Segment,
    ShortRule,
    StepInfo,
    Test,
)
from nakctl.errors import Mark

HARDWARE = Hardware("1 mA", "5 V", 8)
NO_FLAG = Flag(0)
UNITS = {"Ewe": "V", "|I|": "A", "charge": "C", "time": "s"}


def rest(step: int) -> Ocv:
    return Ocv(step, 10.0, 1.0, None, HARDWARE)


def cp(
    step: int,
    I_A: float = 1e-3,
    tests: tuple[Test, ...] = (),
    on_test: str = "stop",
    sentinel: bool = False,
    duration_s: float = 10.0,
) -> Cp:
    return Cp(step, I_A, duration_s, 1.0, None, tests, on_test, HARDWARE, sentinel)  # type: ignore[arg-type]


def ca(step: int, E_V: float = 0.5, tests: tuple[Test, ...] = (), on_test: str = "stop") -> Ca:
    return Ca(step, E_V, 10.0, 1.0, None, tests, on_test, HARDWARE)  # type: ignore[arg-type]


def geis(step: int, frequencies: int = 3, continues: bool = False) -> Eis:
    sweep = (1e3, 10.0, frequencies, "log")
    return Eis(step, "GEIS", 1e-3, False, 5e-6, 0.0, 1.0, *sweep, 1, 0.1, False, continues, HARDWARE)  # type: ignore[arg-type]


def loop(to: int, times: int, passes: bool = True) -> Loop:
    return Loop(to, times, passes)


def info(step_id: int, level: int = 0) -> StepInfo:
    return StepInfo(step_id, f"{step_id} step", "CP", level, Mark(step_id, 1))


def end(
    number: int,
    quantity: str,
    side: str,
    value: float,
    *,
    kind: str = "cutoff",
    then: str = "",
    by: str = "host",
    step: int | None = None,
) -> End:
    """Number 1, 2, ... in the order in which `program` gets them. Of step 1, but the run's where it ends that."""
    of_step = kind in ("cutoff", "asked")
    step = (1 if of_step else 0) if step is None else step
    then = then or ("next step" if of_step else "end run")
    text = f"{quantity} {side} {value:g} {UNITS.get(quantity, '')}".strip()
    return End(number, kind, quantity, side, value, then, by, step, text, Mark(1, 1))  # type: ignore[arg-type]


def program(
    *segments: Segment, steps: list[StepInfo], ends: tuple[End, ...] = (), short: ShortRule | None = None
) -> Program:
    return Program("SP-300", 0.5, segments, tuple(steps), ends, short)


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
    for name in OF_COUNTER:
        made[name] = np.nan
    return made


def reading(samples: np.ndarray, eis: np.ndarray | None = None, state: State = State.RUNNING) -> Reading:
    return Reading(state, samples, points() if eis is None else eis)


def book(ledger: Ledger, given: Reading) -> Booked:
    """One read."""
    newest = [(len(given.samples) + len(given.points), given.visit)]
    return ledger.book(given.samples, given.points, newest, stopped=given.state is State.STOPPED)
