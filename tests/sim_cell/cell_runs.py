"""Short experiments on a cell alone, without an instrument: for tests of the model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from nakctl_sim.cell import catalog
from nakctl_sim.cell.kernel import NAK
from nakctl_sim.cell.models import Model, load_model, nak_parameters
from nakctl_sim.cell.nak import FILAMENT, STATES
from nakctl_sim.cell.nak_cell import linearise
from nakctl_sim.kernel import present

Floats = npt.NDArray[np.float64]
KERNEL = present()


def advance(kind: int, p: Floats, x: Floats, I_A: float, dt_s: float) -> float:
    state = KERNEL.numbers(x)
    Ewe_V = KERNEL.advance(kind, KERNEL.numbers(p), state, I_A, dt_s)
    x[:] = state
    return Ewe_V


def voltage(kind: int, p: Floats, x: Floats, I_A: float) -> float:
    return KERNEL.voltage(kind, KERNEL.numbers(p), KERNEL.numbers(x), I_A)


def counter_voltage(kind: int, p: Floats, x: Floats, I_A: float) -> float:
    return KERNEL.counter_voltage(kind, KERNEL.numbers(p), KERNEL.numbers(x), I_A)


def step_hint(kind: int, p: Floats, x: Floats, I_A: float, since_change_s: float) -> float:
    return KERNEL.step_hint(kind, KERNEL.numbers(p), KERNEL.numbers(x), I_A, since_change_s)


def hold(
    kind: int,
    p: Floats,
    x: Floats,
    I_A: float,
    since: float,
    duration: float,
    sample: float,
    limit_V: float,
    fine: float,
) -> tuple[float, float, float]:
    """Constant current from `since` s after its start, sampled every `sample` s, until Ewe_V >= limit_V or a
    short: time held, last and highest Ewe_V. fine: factor on the length of the sub-steps."""
    p, after = KERNEL.numbers(p), KERNEL.numbers(x)
    time, volts, highest = 0.0, 0.0, -1e30
    next_sample = min(sample, duration)
    shorted = after[FILAMENT] >= 1.0
    while time < duration - 1e-9:
        step = min(KERNEL.step_hint(kind, p, after, I_A, since + time) * fine, next_sample - time)
        volts = KERNEL.advance(kind, p, after, I_A, step)
        time += step
        highest = max(highest, volts)
        if volts >= limit_V or (kind == NAK and not shorted and after[FILAMENT] >= 1.0):
            break
        if next_sample - time < 1e-9:
            time = next_sample
            next_sample = min(next_sample + sample, duration)
    x[:] = after
    return time, volts, highest


def pulses(
    kind: int,
    p: Floats,
    x: Floats,
    I_A: float,
    on: float,
    rest: float,
    sample: float,
    limit_V: float,
    most: float,
    fine: float,
) -> tuple[float, int]:
    """Pulses of `on` s with `rest` s between, until a sample under current is at limit_V or `most` seconds of
    current: seconds of current, pulses."""
    on_time, count = 0.0, 0
    while on_time < most:
        held, volts, _ = hold(kind, p, x, I_A, 0.0, on, sample, limit_V, fine)
        on_time += held
        count += 1
        if volts >= limit_V:
            break
        advance(kind, p, x, 0.0, rest)
    return on_time, count


def built(name: str = "NaK50", parameters: dict[str, float] | None = None, **words: float) -> Model:
    """A NaK cell with other parameters, area_cm2, composition_wt_percent_K, NaK_volume_cm3 or thickness."""
    found = catalog.read(name)
    assert isinstance(found, catalog.NakDescription)
    area_cm2 = words.pop("area_cm2", found.cell.area_cm2)
    found = replace(
        found,
        cell=replace(found.cell, area_cm2=area_cm2),
        parameters=found.parameters | (parameters or {}),
        **words,
    )
    return Model(name, NAK, area_cm2, nak_parameters(found), np.zeros(STATES), found.cell)


def run(
    model: Model,
    x: Floats,
    mA_cm2: float,
    seconds: float,
    sample_s: float = 5.0,
    limit_V: float = 1e9,
    fine: float = 1.0,
) -> tuple[float, float, float]:
    """`hold` from a fresh start of an areal current."""
    I_A = 1e-3 * mA_cm2 * model.area_cm2
    return hold(model.kind, model.p, x, I_A, 0.0, seconds, sample_s, limit_V, fine)


def capacity(rest_s: float, name: str = "NaK50", fine: float = 1.0) -> float:
    """Critical stripping capacity (mAh/cm2): 1 s pulses of 1 mA/cm2 with rest_s between, until 3 V."""
    model = load_model(name)
    I_A = 1e-3 * model.area_cm2
    x = model.state()
    seconds, _ = pulses(model.kind, model.p, x, I_A, 1.0, rest_s, 0.2, 3.0, 72000.0, fine)
    return seconds / 3600.0


def staircase(model: Model, sign: float = 1.0, fine: float = 1.0) -> tuple[Floats, Floats, Floats]:
    """40 s at 0.05, 0.06 ... 1.00 mA/cm2, until 3 V: levels completed, with their last Ewe_V and state."""
    x = model.state()
    levels = np.round(np.arange(0.05, 1.005, 0.01), 2)
    ends, states = [], []
    for level in levels:
        held, volts, _ = run(model, x, sign * level, 40.0, 1.0, 3.0, fine)
        if held < 40.0:
            break
        ends.append(volts)
        states.append(x.copy())
    return levels[: len(ends)], np.array(ends), np.array(states)


def threshold(model: Model) -> float:
    """Lowest level from which dV/dj over 5 levels stays at least twice the first one; 0: fails at once."""
    levels, volts, _ = staircase(model)
    if len(levels) < 6:
        return 0.0
    slopes = np.array([np.polyfit(levels[k : k + 5], volts[k : k + 5], 1)[0] for k in range(len(levels) - 4)])
    gentle = np.flatnonzero(slopes < 2.0 * slopes[0])
    return float(levels[min(gentle[-1] + 1 + 2, len(levels) - 1)])


def interface(model: Model, x: Floats) -> dict[str, float]:
    """R_int, R_fast, R_W (ohm cm2) and tau_int (s) of one state."""
    found = linearise(model.p.tolist(), x.tolist())
    return dict(zip(("R_int", "R_fast", "tau_int", "R_W", "shorted"), found, strict=True))
