"""The paper's three processes through a run: where their peaks lie, and how large they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nakctl.figures.choice import ALL, Choice
from nakctl.figures.figure import DISTINCT, Axis, Figure, Floats, Line, Mark, Panel
from nakctl.figures.sight import Sight, is_wide, sights, simulated, time_unit, title_of
from nakctl.figures.sweeps import Sweeps, in_decades, scan_and_rest
from nakctl.record.read import Run
from nakctl.text.numbers import plural

MOST = 240  # spectra
WIDE = 20.0  # times: then resistances are drawn in decades
NAMES = {"gamma_GB": "γ GB", "gamma_int": "γ int", "gamma'_int": "γ′ int"}

Lines = list[tuple[Line, Line]]  # relaxation time and resistance of a process


def peaks(runs: Sequence[Run], choice: Choice = ALL) -> Figure:
    """Relaxation time and resistance of each process; nothing where none stands out."""
    seen = sights(runs, choice)
    most = choice.curves or MOST
    found = [Sweeps(one) for one in seen]
    parts = scan_and_rest(found[0], choice) if len(seen) == 1 else None
    if parts is None:
        size_s, unit = time_unit(max(float(each.time_s[-1]) for each in found))
        shown = [(one, each.thinned(most)) for one, each in zip(seen, found, strict=True)]
        lines = [
            each
            for k, (one, part) in enumerate(shown)
            for each in _lines(one, part, part.time_s / size_s, k, len(seen) > 1)
        ]
        time = Axis(f"time / {unit}")
        if not lines:  # which would say where it begins and ends
            time = replace(time, low=0.0, high=max(float(each.end_s[-1]) for each in found) / size_s or 1.0)
        columns = [_panels(lines, time, found, seen[0].ohm_unit)]
    else:
        columns = _scan_and_rest(seen[0], *parts, most)
    rows = tuple(zip(*columns, strict=True))
    return Figure("peaks", title_of(runs), rows, simulated(runs), wide=True)


def _scan_and_rest(one: Sight, scan: Sweeps, rest: Sweeps, most: int) -> list[tuple[Panel, Panel]]:
    during, after = scan.thinned(most), rest.among(in_decades(len(rest), most))
    size_s, unit = time_unit(float(scan.time_s[-1]))
    left = _panels(_lines(one, during, during.time_s / size_s), Axis(f"time / {unit}"), [scan], one.ohm_unit)
    size_s, unit = time_unit(float(rest.end_s[-1] - scan.end_s[-1]))
    x = (after.end_s - scan.end_s[-1]) / size_s
    right = _panels(_lines(one, after, x), Axis(f"time at rest / {unit}", log=True), [rest], one.ohm_unit)
    titled = [
        (replace(each[0], title=told), each[1])
        for each, told in ((left, "under current"), (right, "at rest"))
    ]
    return _alike(titled)


def _alike(columns: list[tuple[Panel, Panel]]) -> list[tuple[Panel, Panel]]:
    """With the same axes upwards in both, and one legend."""
    axes = [
        _around([line.y for column in columns for line in column[row].lines], columns[0][row].y)
        for row in (0, 1)
    ]
    logs = [any(column[row].y.log for column in columns) for row in (0, 1)]
    axes = [replace(axis, log=log) for axis, log in zip(axes, logs, strict=True)]
    (upper, lower), (upper_right, lower_right) = columns
    quiet = tuple(
        replace(each, legend=False) if isinstance(each, Line) else each for each in upper_right.drawn
    )
    return [
        (replace(upper, y=axes[0]), replace(lower, y=axes[1])),
        (replace(upper_right, y=axes[0], drawn=quiet), replace(lower_right, y=axes[1])),
    ]


def _around(values: Sequence[Floats], axis: Axis) -> Axis:
    known = np.concatenate([np.zeros(0), *(each[np.isfinite(each)] for each in values)])
    if len(known) == 0:
        return replace(axis, low=1e-6 if axis.log else 0.0, high=1.0)
    return replace(axis, low=float(known.min()) * 0.7, high=float(known.max()) * 1.4)


def _panels(lines: Lines, time: Axis, found: Sequence[Sweeps], unit: str) -> tuple[Panel, Panel]:
    longest_s = max(1 / (2 * np.pi * float(each[0].f_Hz.min())) for each in found)
    beyond = Mark("extrapolated above", y=longest_s)
    times, sizes = [line for line, _ in lines], [replace(line, legend=False) for _, line in lines]
    R = Axis(f"R / {unit}", log=is_wide([line.y for line in sizes], WIDE))
    tau = _around([line.y for line in times], Axis("τ / s", log=True))
    note = "" if lines else f"no peak stands out in {plural(sum(map(len, found)), 'spectrum', 'spectra')}"
    upper = Panel(time, tau, (*times, beyond), linked=time.label, height=0.65, note=note)
    return upper, Panel(time, R, tuple(sizes), linked=time.label, height=0.65)


def _lines(one: Sight, part: Sweeps, x: Floats, which: int = 0, several: bool = False) -> Lines:
    """Of the processes that are there at all."""
    from nakctl.results.tracks import tracks

    scale = (one.cm2 or 1.0) / (part.spectra.area_cm2 or 1.0)
    lines = []
    for k, (name, track) in enumerate(tracks(part.spectra, part.places.tolist()).items()):
        told = f"{one.name}, {NAMES.get(name, name)}" if several else NAMES.get(name, name)
        colour = DISTINCT[(3 * which + k) % len(DISTINCT)]
        if track.there.any():
            pair = (Line(x, y, told, colour, style="points") for y in (track.tau_s, track.area * scale))
            lines.append((next(pair), next(pair)))
    return lines
