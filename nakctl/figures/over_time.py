"""Figures against time and against charge: the paper's Fig. 1a, 2b and 4a, and the overview of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from nakctl.figures.choice import ALL, Choice, Ints
from nakctl.figures.figure import DISTINCT, INK, Axis, Drawn, Figure, Line, Mark, Panel
from nakctl.figures.nyquist import nyquist_panel
from nakctl.figures.sight import Shown, Sight, curve, sights, simulated, time_unit, title_of
from nakctl.record.read import Run
from nakctl.results.conclude import concluded
from nakctl.results.current import current_steps, moved
from nakctl.results.interruptions import interruptions
from nakctl.results.shorts import verdict

BLUE, RED, GREEN = DISTINCT[:3]
TRAIN = 20  # so many steps under current are a train of pulses
ONE_WAY = 20.0  # times as much charge as the other way: that was noise
TIME = "time"  # the panels of a figure that share it
SENSORS = DISTINCT[3:]
UNITS = {"degC": "°C", "fraction": "1", "ohm": "Ω"}


def lacks_samples(run: Run) -> str:
    return "" if len(run.samples) else "samples: it holds none yet"


def voltage(runs: Sequence[Run], choice: Choice = ALL) -> Figure:
    """Potential, current and charge against time, and the sensors below; several runs overlaid."""
    seen = sights(runs, choice)
    size_s, unit = _time_unit(seen)
    time = Axis(f"time / {unit}")
    panels = [
        _potential(seen, time, size_s, 0.55),
        _current(seen, time, size_s),
        _charge(seen, time, size_s),
        *_sensors(seen, time, size_s),
    ]
    rows = tuple((panel,) for panel in panels)
    return Figure("voltage", title_of(runs), rows, simulated(runs), wide=True)


def overview(runs: Sequence[Run], choice: Choice = ALL) -> Figure:
    """Potential and current against time, potential against charge, and spectra through the run."""
    seen = sights(runs, choice)
    size_s, unit = _time_unit(seen)
    time = Axis(f"time / {unit}")
    below = [_against_net_charge(seen)]
    below += [nyquist_panel([one for one in seen if len(one.run.spectra)], choice)] if _spectra(seen) else []
    below = [_without_legend(panel) for panel in below] if len(seen) > 1 else below  # it stands above
    rows = ((_potential(seen, time, size_s, 0.6),), (_current(seen, time, size_s),), tuple(below))
    ends = [_ended(run) for run in runs] if len(runs) == 1 else []
    return Figure("run", " | ".join([title_of(runs), *ends]), rows, simulated(runs), wide=True)


def against_charge(runs: Sequence[Run], choice: Choice = ALL) -> Figure:
    """Potential against the charge that was moved; of a train of pulses, at the end of each."""
    seen = sights(runs, choice)
    sides = {_side(one) for one in seen}
    side = sides.pop() if len(sides) == 1 else 0
    word = {1: "stripped charge", -1: "plated charge", 0: "net charge"}[side]
    drawn: list[Drawn] = []
    for one in seen:
        rows = _telling_rows(one)
        charge = (side or 1) * one.charge(one.run.samples["Q"][rows])
        drawn.append(curve(charge, one.run.samples["Ewe"][rows], one.name, one.colour))
    drawn += _shorts_at_charge(seen, side or 1)
    trains = any(_is_train(one.run) for one in seen)
    note = "of a train of pulses: at the end of each" if trains else ""
    panel = Panel(Axis(f"{word} / {seen[0].charge_unit}"), Axis("Ewe / V"), tuple(drawn), note=note)
    return Figure("charge", title_of(runs), ((panel,),), simulated(runs))


def _ended(run: Run) -> str:
    header = run.header
    area = f"{header.area_cm2:g} cm²" if header.area_cm2 else "area unknown"
    return f"{area} | {header.status}{f': {header.end_reason}' if header.end_reason else ''}"


def _without_legend(panel: Panel) -> Panel:
    quiet = (replace(each, legend=False) if isinstance(each, Line) else each for each in panel.drawn)
    return replace(panel, drawn=tuple(quiet))


def _spectra(seen: Sequence[Sight]) -> bool:
    return any((one.run.spectra["complete"] != 0).any() for one in seen)


def _time_unit(seen: Sequence[Sight]) -> tuple[float, str]:
    ends_s = [one.run.samples["time"][one.rows][[0, -1]] for one in seen]
    return time_unit(max(float(last_s - min(first_s, 0.0)) for first_s, last_s in ends_s))


# --- panels against time ---------------------------------------------------------------------------------


def _potential(seen: Sequence[Sight], time: Axis, size_s: float, height: float) -> Panel:
    drawn: list[Drawn] = []
    for one in seen:
        samples, rows = one.run.samples, one.rows
        third = one.run.has_third_electrode
        own = one.name if len(seen) > 1 else "Ewe"
        colour = one.colour if len(seen) > 1 else BLUE
        drawn.append(curve(samples["time"][rows], samples["Ewe"][rows], own, colour, x_per=size_s))
        if third:
            name, shade = (f"{one.name}, Ece", one.colour) if len(seen) > 1 else ("Ece", GREEN)
            drawn.append(curve(samples["time"][rows], samples["Ece"][rows], name, shade, x_per=size_s))
        drawn += _interrupted(one, size_s, several=len(seen) > 1)
    drawn += _shorts_at_time(seen, size_s)
    label = "E / V" if any(one.run.has_third_electrode for one in seen) else "Ewe / V"
    return Panel(time, Axis(label), tuple(drawn), linked=TIME, height=height)


def _current(seen: Sequence[Sight], time: Axis, size_s: float) -> Panel:
    label = f"{seen[0].current_label}\n(> 0 strips WE)"
    curves = [_below(one, "I", one.current, size_s, one.colour if len(seen) > 1 else RED) for one in seen]
    return Panel(time, Axis(label), (Mark("", y=0.0), *curves), linked=TIME, height=0.42)


def _charge(seen: Sequence[Sight], time: Axis, size_s: float) -> Panel:
    label = f"net charge\n/ {seen[0].charge_unit}"
    curves = [_below(one, "Q", one.charge, size_s, one.colour if len(seen) > 1 else GREEN) for one in seen]
    return Panel(time, Axis(label), (Mark("", y=0.0), *curves), linked=TIME, height=0.42)


def _below(one: Sight, column: str, shown: Shown, size_s: float, colour: str) -> Line:
    """The legend stands above, beside the potential."""
    time_s, values = (one.run.samples[name][one.rows] for name in ("time", column))
    return curve(time_s, values, one.name, colour, legend=False, x_per=size_s, y_shown=shown)


def _sensors(seen: Sequence[Sight], time: Axis, size_s: float) -> Iterator[Panel]:
    """One panel for each unit that sensors beside the runs have."""
    logs = [(one, name, log) for one in seen for name, log in one.run.aux.items() if len(log)]
    for units in dict.fromkeys(log.units for _, _, log in logs):
        mine = [each for each in logs if each[2].units == units]
        names = list(dict.fromkeys(name for _, name, _ in mine))
        drawn = []
        for k, (one, name, log) in enumerate(mine):
            low_s, high_s = one.run.samples["time"][one.rows][[0, -1]]
            inside = (log.time >= low_s) & (log.time <= high_s)
            told = f"{one.name}, {name}" if len(seen) > 1 else name
            colour = SENSORS[k % len(SENSORS)]
            x, y = log.time[inside] / size_s, log.value[inside]
            drawn.append(curve(x, y, told, colour, legend=len(mine) > 1))
        what = names[0] if len(names) == 1 else "sensors"
        yield Panel(
            time, Axis(f"{what}\n/ {UNITS.get(units, units)}"), tuple(drawn), linked=TIME, height=0.42
        )


def _interrupted(one: Sight, size_s: float, *, several: bool) -> Iterator[Line]:
    """Points on the curve where the cell lay open between two chains."""
    found = interruptions(one.run)
    if found is None or len(found) == 0:
        return
    samples, drawn_s = one.run.samples, one.run.samples["time"][one.rows][[0, -1]]
    for which, what, colour in (
        (~found.under_current, "interrupted", INK),
        (found.under_current, "interrupted under current", DISTINCT[4]),
    ):
        from_s = found.from_s[which & (found.from_s >= drawn_s[0]) & (found.from_s <= drawn_s[1])]
        if len(from_s):
            row = np.clip(np.searchsorted(samples["time"], from_s, side="right") - 1, 0, None)
            name = f"{one.name}, {what} ({len(from_s)})" if several else f"{what} ({len(from_s)})"
            yield Line(from_s / size_s, samples["Ewe"][row], name, colour, style="points")


def _shorts_at_time(seen: Sequence[Sight], size_s: float) -> Iterator[Mark]:
    for one in seen:
        at_s = short_at_s(one.run)
        low_s, high_s = one.run.samples["time"][one.rows][[0, -1]]
        if at_s is not None and low_s <= at_s <= high_s:
            yield Mark("short", x=at_s / size_s, colour=one.colour if len(seen) > 1 else INK)


def short_at_s(run: Run) -> float | None:
    """As it stands in a sealed file; else its rows are searched, which takes seconds of a million pulses."""
    kept = concluded(run)
    if kept is not None:
        return kept.get("short_at_s")
    said = verdict(run)
    return said.short.time_s if said is not None and said.short is not None else None


# --- against charge --------------------------------------------------------------------------------------


def _against_net_charge(seen: Sequence[Sight]) -> Panel:
    several = len(seen) > 1
    drawn = tuple(
        curve(
            one.run.samples["Q"][one.rows],
            one.run.samples["Ewe"][one.rows],
            one.name,
            one.colour if several else BLUE,
            x_shown=one.charge,
        )
        for one in seen
    )
    label = f"net charge / {seen[0].charge_unit} (> 0 stripped from WE)"
    return Panel(Axis(label), Axis("Ewe / V"), drawn, height=0.85)


def _is_train(run: Run) -> bool:
    return len(current_steps(run)) >= TRAIN and bool((run.steps["technique"] == "OCV")[1:].any())


def _telling_rows(one: Sight) -> Ints | slice:
    """All that are asked for; of a train of pulses, the last of each pulse."""
    if not _is_train(one.run):
        return one.rows
    last = current_steps(one.run).last.astype(np.intp)
    return last if isinstance(one.rows, slice) else np.intersect1d(last, one.rows)


def _side(one: Sight) -> int:
    """1: charge was stripped, -1: plated; 0: both."""
    stripped_Ah, plated_Ah = moved(one.run.samples["Q"])
    if stripped_Ah > ONE_WAY * plated_Ah:
        return 1
    return -1 if plated_Ah > ONE_WAY * stripped_Ah else 0


def _shorts_at_charge(seen: Sequence[Sight], side: int) -> Iterator[Mark]:
    for one in seen:
        at_s = short_at_s(one.run)
        if at_s is not None:
            row = int(np.searchsorted(one.run.samples["time"], at_s))
            Q_Ah = one.run.samples["Q"][min(row, len(one.run.samples) - 1)]
            x = float(side * one.charge(np.array([Q_Ah]))[0])
            yield Mark("short", x=x, colour=one.colour if len(seen) > 1 else INK)
