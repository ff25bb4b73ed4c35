"""A run in words: the same whether it is shown by its own process, or by another one from outside.

What it tells of itself while it goes on is a state, see `nakctl.run.outside`. Imports no numpy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from nakctl.booking.event import Event
from nakctl.text.numbers import areal_current, duration, si

SIMULATED = "SIMULATED"
State = Mapping[str, Any]


def head(about: State) -> str:
    """Whose run it is. about: protocol, cell, area_cm2, place, instrument, simulated."""
    mark = f"{SIMULATED}  " if about.get("simulated") else ""
    area_cm2, instrument = about.get("area_cm2"), about.get("instrument")
    cell = ", ".join(each for each in (about.get("cell"), f"{area_cm2:g} cm2" if area_cm2 else "") if each)
    where = (
        f", on {about['place']}" + (f" ({instrument})" if instrument else "") if about.get("place") else ""
    )
    return f"{mark}{about.get('protocol') or 'a run'}" + (f": cell {cell}" if cell else "") + where


def position(state: State) -> list[str]:
    cycles = f" of {state['cycles']}" if state.get("cycles") else ""
    return [f"step {state.get('step') or '-'}", f"cycle {state.get('cycle', 0)}{cycles}"]


def reading(state: State) -> list[str]:
    Ewe_V, I_A, Q_mAh_cm2 = (float(state.get(name, math.nan)) for name in ("Ewe_V", "I_A", "Q_mAh_cm2"))
    return [
        f"Ewe {Ewe_V:+.4f} V",
        *([f"Ece {float(state['Ece_V']):+.4f} V"] if "Ece_V" in state else []),
        f"I {si(I_A, 'A')} ({areal_current(I_A, state.get('area_cm2') or math.nan)})",
        f"Q {Q_mAh_cm2:+.4g} mAh/cm2",
    ]


def progress(state: State) -> list[str]:
    """How far it is, and what was recorded."""
    total_s, point = state.get("planned_s"), state.get("point")
    rest = "so far, until a cutoff" if total_s is None else f"of {duration(total_s)}"
    last = f"; {si(point[0], 'Hz')}: |Z| {point[1]:.4g} ohm" if point else ""
    recorded = f"samples {state.get('samples', 0)}, spectra {state.get('spectra', 0)}{last}"
    return [f"{_time(state.get('time_s', math.nan))} {rest}", recorded]


def state_lines(state: State) -> list[str]:
    """Where the run is: position, reading, charge, time, and what stands on the bench."""
    parts = (position(state), reading(state), progress(state), state.get("bench") or [])
    return ["   ".join(each) for each in parts if each]


def nearest(state: State) -> tuple[float, str, str] | None:
    """What may end the step or the run next: the part of the way to it, its words, and what is left."""
    found = state.get("nearest")
    if not isinstance(found, Mapping) or not math.isfinite(found.get("part", math.nan)):
        return None
    units = {"Ewe": "V", "|I|": "A", "Ece": "V", "Ewe-Ece": "V"}
    quantity, left = found.get("quantity"), float(found.get("left", math.nan))
    if "now" in found:
        left_text = f"now {_per_hour(float(found['now']), 'V' if quantity == 'dEwe/dt' else 'A')}"
    elif quantity in units:
        left_text = f"{si(left, units[quantity], 3)} left"
    else:
        left_text = f"{duration(max(0.0, left))} left" if quantity == "time" else ""
    word = "limit" if found.get("kind") == "limit" else "end"
    return min(max(1.0 - found["part"], 0.0), 1.0), f"nearest {word}: {found.get('text')}", left_text


def _per_hour(rate: float, unit: str) -> str:
    """Of V/s or A/s."""
    return f"{si(rate * 3600, unit, 3)}/h"


def told(event: Event) -> str:
    return f"{_time(event.time_s)}  {'ALARM' if event.severity > 1 else 'note'}: {event.message}"


def printable(text: str) -> str:
    """On one line, and nothing in it that a terminal would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def closing_lines(report: Mapping[str, Any]) -> list[str]:
    """The end of a run in a few lines: how, what came out, how the cell is left, where the file is."""
    from nakctl.cli.report import CELL_OPEN
    from nakctl.run.run import UNDER_CURRENT

    lines = [f"{report['status']}: {report['end_reason']}", *report.get("text", "").splitlines()]
    if report.get("error") and report["error"] not in report["end_reason"]:
        lines.append(f"error: {report['error']}")
    lines.append("the cell is open" if report["cell_state"] == CELL_OPEN else UNDER_CURRENT)
    if report.get("message"):
        lines.append(report["message"])
    lines.append(f"{'file' if report['sealed'] else 'unsealed file'} {report['file']}")
    return lines


def _time(seconds: float) -> str:
    return duration(seconds) if math.isfinite(seconds) else "?"
