"""Distributions of relaxation times, as maps and overlaid: the paper's Fig. 1b-e, 3a, 3c, 5a, 5c, S7, S9."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nakctl.figures.choice import ALL, Choice
from nakctl.figures.figure import DISTINCT, INK, Axis, Drawn, Figure, Floats, Line, Mark, Panel
from nakctl.figures.maps import TAU, heat, one_scale
from nakctl.figures.sight import Sight, curve, sights, simulated, time_unit, title_of, told_time
from nakctl.figures.sweeps import Sweeps, chosen, first_or_chosen, in_decades, names, scan_and_rest
from nakctl.record.read import Run

MOST_IN_MAP = 240  # spectra
USUAL = 5
RESTS_s = (600.0, 3600.0, 4 * 3600.0)  # between the first spectrum of a rest and the last
SEEN_DECADES, SPREAD = 2.5, 12.0  # of γ, where curves are so much higher than others
TIME = "time"


def drt_map(runs: Sequence[Run], choice: Choice = ALL) -> Figure:
    """γ as colour, relaxation time against time; a long rest after currents beside it, on a log axis."""
    seen = sights(runs, choice)
    rows = one_scale([_maps(one, choice.curves or MOST_IN_MAP) for one in seen])
    if len(seen) == 1 and len(rows[0]) == 1:
        rows = [(_current_of(seen[0], rows[0][0]),), *rows]
    elif len(seen) > 1:
        rows = [(replace(row[0], title=one.name), *row[1:]) for one, row in zip(seen, rows, strict=True)]
    return Figure("drt-map", title_of(runs), tuple(rows), simulated(runs), wide=True)


def drt_overlay(runs: Sequence[Run], choice: Choice = ALL) -> Figure:
    """γ against relaxation time: of a pristine cell, under its last current, and at times of rest."""
    seen = sights(runs, choice)
    if len(seen) > 1:
        chosen_of = [(one, *first_or_chosen(one, choice)) for one in seen]
        lines = [
            _line(gamma, name, one.colour)
            for one, found, told in chosen_of
            for gamma, name in zip(found.drts(), told, strict=True)
        ]
        notes = [f"{one.name}: {found.undescribed}" for one, found, _ in chosen_of if found.undescribed]
    else:
        lines, *notes = _of_one(seen[0], choice)
    lowest_Hz = min(float(Sweeps(one)[0].f_Hz.min()) for one in seen)
    tau_s = lines[0].x
    drawn: list[Drawn] = [Mark("extrapolated", x=1 / (2 * np.pi * lowest_Hz), until=float(tau_s[-1])), *lines]
    low, high = float(tau_s[0]), float(tau_s[-1])
    tau, gamma_axis = Axis("τ / s", log=True, low=low, high=high), _gamma_axis(lines, seen[0].ohm_unit)
    panel = Panel(tau, gamma_axis, tuple(drawn), note="; ".join(filter(None, notes)))
    return Figure("drt", title_of(runs), ((panel,),), simulated(runs))


# --- maps ------------------------------------------------------------------------------------------------


def _maps(one: Sight, most: int) -> tuple[Panel, ...]:
    """One against time; or that of the scan, and that of the rest after it."""
    found = Sweeps(one)
    parts = scan_and_rest(found, one.choice)
    if parts is None:
        return (_against_time(found, most),)
    scan, rest = parts
    beside = _against_rest(rest, float(scan.end_s[-1]), most)
    return replace(_against_time(scan, most), title="under current", linked=""), beside


def _against_time(found: Sweeps, most: int) -> Panel:
    shown = found.thinned(most)
    size_s, unit = time_unit(float(found.time_s[-1]))
    drawn = heat(shown.time_s / size_s, shown)
    note = _note(shown, found)
    return Panel(Axis(f"time / {unit}"), TAU, (drawn,), linked=TIME, note=note, height=0.85)


def _against_rest(found: Sweeps, since_s: float, most: int) -> Panel:
    """Each at the time at which it was done, as the paper counts: the first one after 35 s."""
    shown = found.among(in_decades(len(found), most))
    size_s, unit = time_unit(float(found.end_s[-1] - since_s))
    x = (shown.end_s - since_s) / size_s
    drawn, time = heat(x, shown, log=True), Axis(f"time at rest / {unit}", log=True)
    return Panel(time, TAU, (drawn,), title="at rest", note=_note(shown, found), height=0.85)


def _note(shown: Sweeps, found: Sweeps) -> str:
    part = f"{len(shown)} of {len(found)} spectra" if len(shown) < len(found) else ""
    return "; ".join(filter(None, [part, shown.undescribed]))


def _current_of(one: Sight, panel: Panel) -> Panel:
    """What flowed while the spectra of the map were measured."""
    unit = panel.x.label.rpartition(" ")[2]
    size_s = {"d": 86400.0, "h": 3600.0, "min": 60.0, "s": 1.0}[unit]
    time_s, I_A = one.run.samples["time"][one.rows], one.run.samples["I"][one.rows]
    line = curve(time_s / size_s, one.current(I_A), one.name, DISTINCT[1])
    drawn = (Mark("", y=0.0), line)
    return Panel(panel.x, Axis(f"{one.current_label}\n(> 0 strips WE)"), drawn, linked=TIME, height=0.42)


# --- overlays --------------------------------------------------------------------------------------------


def _of_one(one: Sight, choice: Choice) -> tuple[list[Line], str]:
    """And which of them mean nothing."""
    found = Sweeps(one)
    rest = found.resting
    is_chosen = choice.is_of_samples or choice.spectra or choice.curves
    if len(rest) > 1 and not is_chosen and found.flows.any():
        return _through_rest(one, found)
    shown = chosen(one, choice, USUAL)
    told = names(list(shown), unit=one.current_unit)
    lines = [_line(*each) for each in zip(shown.drts(), told, _cycle(), strict=False)]
    is_pristine = not shown.flows[0] and found.flows.any() and not choice.spectra
    lines = [_pristine(lines[0]), *lines[1:]] if is_pristine else lines
    return lines, shown.undescribed


def _through_rest(one: Sight, found: Sweeps) -> tuple[list[Line], str]:
    """Before any current (dashed), under the last one, and at rest."""
    rest = found.resting
    last = int(rest[0]) - 1
    at_rest_s = found.end_s[rest] - found.end_s[last]
    near = [int(np.argmin(np.abs(at_rest_s - s))) for s in RESTS_s if s < at_rest_s[-1] * 0.8]
    wanted = list(dict.fromkeys([0, *near, len(rest) - 1]))
    told = [f"{told_time(float(at_rest_s[k]), 2)} at rest" for k in wanted]
    shown = found.among(np.array([0, last, *rest[wanted]]))
    pristine, driven, *resting = shown.drts()
    lines = [_line(driven, f"{abs(found.I[last]):g} {one.current_unit}", DISTINCT[1])]
    colours = [colour for colour in DISTINCT if colour != DISTINCT[1]]
    lines += [_line(*each) for each in zip(resting, told, colours, strict=False)]
    lines = lines if found.flows[0] else [_pristine(_line(pristine, "", INK)), *lines]
    return lines, shown.undescribed


def _pristine(line: Line) -> Line:
    return replace(line, name="pristine", colour=INK, dash="dashed")


def _line(gamma: tuple[Floats, Floats], name: str, colour: str) -> Line:
    return Line(*gamma, name, colour)


def _cycle() -> list[str]:
    return list(DISTINCT) * 20


def _gamma_axis(lines: Sequence[Line], unit: str) -> Axis:
    """In decades where some curves would not be seen beside others."""
    tops: Floats = np.array([float(np.nan_to_num(line.y).max()) for line in lines])
    is_log = bool(tops.min() > 0 and tops.max() > SPREAD * tops.min())
    low = float(tops.max() * 10**-SEEN_DECADES) if is_log else 0.0
    return Axis(f"γ / {unit}", log=is_log, low=low)
