"""Pulses and the rests between them: the paper's Fig. 4b and 4c."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nakctl.figures.choice import ALL, Choice
from nakctl.figures.choice import steps as chosen_steps
from nakctl.figures.figure import DISTINCT, FAINT, Axis, Drawn, Figure, Line, Mark, Panel
from nakctl.figures.sight import Sight, curve, is_wide, sights, simulated, title_of, told_time
from nakctl.record.read import Run
from nakctl.results.capacity import critical_capacity_mAh_cm2, on_time_charge_mAh_cm2
from nakctl.results.current import CurrentSteps, began_s, current_steps
from nakctl.results.inventory import sodium_mAh_cm2
from nakctl.results.relaxation import mean_relaxation, plateau_s

USUAL = 2  # pulses
LEAST = 2
PLACE = 0.5  # of the charge of the run that moved the least: where its pulses are looked at
LOG_FROM = 20.0  # times: a potential that falls so far is drawn in decades


def lacks_pulses(run: Run) -> str:
    count = len(current_steps(run))
    if count < LEAST or not _rests(run).any():
        return f"pulses: rests between steps under current, of which it has {count}"
    return ""


def lacks_capacity(run: Run) -> str:
    if not run.header.area_cm2:
        return "the area of its electrode, so there is no capacity per area"
    I_A = current_steps(run).I_A
    if not (I_A > 0).any():
        return "a stripping current"
    return "a run that only strips: this one plates as well" if (I_A < 0).any() else ""


def pulse(runs: Sequence[Run], choice: Choice = ALL) -> Figure:
    """Some pulses with their rests, magnified; beside them the mean relaxation, and when it is over."""
    seen = sights(runs, choice)
    several = len(seen) > 1
    at_Ah = min(float(current_steps(one.run).charge_Ah.sum()) for one in seen) * PLACE
    magnified = [_some(one, at_Ah, choice, several=several) for one in seen]
    relaxing = [_relaxation(one, several=several) for one in seen]
    lines = [line for line, _ in magnified]
    names = "" if several else f"from {magnified[0][1]}"
    left = Panel(Axis("time / s"), _potential(lines), tuple(lines), title="pulses and rests", note=names)
    curves = [line for line, _ in relaxing if len(line.x)]
    drawn: list[Drawn] = [*curves, *(mark for _, mark in relaxing if mark is not None)]
    right = Panel(
        Axis("time since the end of a pulse / s", log=True),
        _potential(curves),
        tuple(drawn),
        title="mean of all rests",
    )
    row = (left, right) if curves else (left,)
    return Figure("pulse", title_of(runs), (row,), simulated(runs), wide=True)


def capacity(runs: Sequence[Run], choice: Choice = ALL) -> Figure:
    """Critical stripping capacity against the rest between pulses; a curve for each current."""
    seen = sights(runs, choice)
    met: dict[float, list[tuple[float, float]]] = {}
    others: dict[float, list[tuple[float, float]]] = {}
    for one in seen:
        found = critical_capacity_mAh_cm2(one.run)
        group = others if found is None else met
        value = on_time_charge_mAh_cm2(one.run) if found is None else found
        group.setdefault(_level(one), []).append((rest_s(one.run), value))
    colours = {
        level: DISTINCT[k % len(DISTINCT)] for k, level in enumerate(sorted({*met, *others}, reverse=True))
    }
    drawn: list[Drawn] = [_points(level, each, colours[level]) for level, each in met.items()]
    drawn += [_points(level, each, colours[level], more=True) for level, each in others.items()]
    longest_s = max(float(each.x.max()) for each in drawn if isinstance(each, Line))
    limit = _sodium(runs)
    note = "" if limit is None else f"the liquid range of the alloy ends at {limit:.3g} mAh cm⁻²"
    panel = Panel(
        Axis("rest between pulses / s", low=-0.03 * (longest_s or 1.0)),
        Axis("critical capacity / mAh cm⁻²", low=0.0),
        tuple(drawn),
        note=note,
    )
    return Figure("capacity", title_of(runs), ((panel,),), simulated(runs))


def rest_s(run: Run) -> float:
    """Usual length of the rests between pulses, as they were asked for or came out; 0: there are none."""
    found = _rests(run)
    if not found.any() or len(current_steps(run)) < LEAST:
        return 0.0
    return float(np.round(np.median((run.steps["t_end"] - run.steps["t_start"])[found]), 3))


def _rests(run: Run) -> np.ndarray:
    """Which steps are rests between two steps under current, (n,)."""
    under = np.isin(np.arange(len(run.steps)), current_steps(run).place)
    if not under.any():
        return np.zeros(len(run.steps), bool)
    first, last = np.flatnonzero(under)[[0, -1]]
    place = np.arange(len(run.steps))
    return np.asarray(~under & (run.steps["technique"] == "OCV") & (place > first) & (place < last))


# --- magnified -------------------------------------------------------------------------------------------


def _some(one: Sight, at_Ah: float, choice: Choice, *, several: bool) -> tuple[Line, str]:
    """Potential through some pulses and the rests after them, and which cycles these are."""
    steps = current_steps(one.run)
    first, last = _which(one, steps, at_Ah, choice)
    start = max(int(steps.first[first]) - 1, 0)
    end = int(steps.first[last + 1]) if last + 1 < len(steps) else len(one.run.samples)
    since_s = began_s(one.run, int(steps.first[first]))
    time_s, Ewe_V = one.run.samples["time"][start:end] - since_s, one.run.samples["Ewe"][start:end]
    cycles = one.run.steps["cycle"][steps.place[[first, last]]]
    told = f"cycle {cycles[0]}" if cycles[0] == cycles[1] else f"cycles {cycles[0]} to {cycles[1]}"
    drawn = curve(time_s, Ewe_V, one.name, one.colour if several else DISTINCT[0])
    return drawn, told


def _which(one: Sight, steps: CurrentSteps, at_Ah: float, choice: Choice) -> tuple[int, int]:
    """Places of the first and the last pulse that are shown."""
    if choice.is_of_samples:
        mine = np.flatnonzero(chosen_steps(one.run, choice)[steps.place])
        if len(mine):
            return int(mine[0]), int(mine[-1]) if choice.curves is None else int(mine[: choice.curves][-1])
    moved_Ah = np.cumsum(steps.charge_Ah)
    count = choice.curves or USUAL
    first = int(np.clip(np.searchsorted(moved_Ah, at_Ah), 0, max(len(steps) - count - 1, 0)))
    return first, min(first + count, len(steps)) - 1


# --- relaxation ------------------------------------------------------------------------------------------


def _relaxation(one: Sight, *, several: bool) -> tuple[Line, Mark | None]:
    time_s, Ewe_V = mean_relaxation(one.run)
    colour = one.colour if several else DISTINCT[0]
    line = Line(time_s, Ewe_V, one.name, colour, legend=False)  # beside it is one
    found = plateau_s(time_s, Ewe_V) if len(time_s) else None
    if found is None or several:
        return line, None
    return line, Mark(f"plateau: {told_time(found, 2)}", x=found, colour=FAINT)


def _potential(lines: Sequence[Line]) -> Axis:
    """In decades where it falls through more than one."""
    return Axis("Ewe / V", log=is_wide([line.y for line in lines], LOG_FROM))


# --- capacities ------------------------------------------------------------------------------------------


def _level(one: Sight) -> float:
    """Its usual current, mA/cm2, to two digits: what counts as the same."""
    I_A = current_steps(one.run).I_A
    return float(f"{float(np.median(one.current(I_A[I_A > 0]))):.2g}")


def _points(level: float, found: list[tuple[float, float]], colour: str, *, more: bool = False) -> Line:
    x, y = np.array(sorted(found), np.float64).T
    name = f"{level:g} mA cm⁻²" + (", cutoff not met: at least" if more else "")
    return Line(x, y, name, colour, style="points" if more or len(x) == 1 else "both", dash="solid")


def _sodium(runs: Sequence[Run]) -> float | None:
    """Until potassium precipitates, where the files say what the cell holds, and all hold the same."""
    found = set()
    for run in runs:
        try:
            found.add(round(sodium_mAh_cm2(run)[1], 3))
        except (KeyError, TypeError, ValueError):  # no cell of that kind, or nothing is said of it
            return None
    return found.pop() if len(found) == 1 else None
