"""What the live page is told of a run: texts, which a browser shows as they are, and numbers of curves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from nakctl.cli.health import Seen, ago, clock, unix_since_s
from nakctl.cli.screen import words
from nakctl.cli.screen.mail import ALARM, WARNING
from nakctl.cli.screen.trace import Trace
from nakctl.cli.screen.watched import Watched
from nakctl.errors import NakctlError
from nakctl.record.registry import KnownRun
from nakctl.text.numbers import areal_current, duration, si

BAD = ("HUNG", "STUCK", "DEAD", "LOST", "AWAY")
_NEAR = 0.9  # of the way to a limit: somebody should look
_UNITS_OF_TIME = (
    (2 * 86400.0, 86400.0, "d"),
    (2 * 3600.0, 3600.0, "h"),
    (120.0, 60.0, "min"),
    (0.0, 1.0, "s"),
)

Told = dict[str, Any]

# What goes wrong with what a run of another version told, or with files that are damaged, or gone.
TROUBLES = (ArithmeticError, AttributeError, LookupError, NakctlError, OSError, TypeError, ValueError)


def card(seen: Seen, state: Mapping[str, Any], word: str, text: str) -> Told:
    """A run on the wall. state: what it told, and what is known of it besides; word, text: of its health."""
    run = seen.run
    has_begun = bool(state.get("step_id"))
    alarm = state.get("alarm")
    told: Told = {
        "title": str(state.get("protocol") or run.protocol or "a run"),
        "simulated": bool(state.get("simulated", run.simulated)),
        "about": words.head({**state, "simulated": False, "protocol": "-"}).partition(": ")[2],
        "file": run.path.name,
        "word": word,
        "level": level(word),
        "text": text,
        "alarm": _alarm(state, alarm) if isinstance(alarm, dict) else "",
        "bench": [str(each) for each in state.get("bench") or []],
        "since": ago(seen.since_s("sampled")),
        "ends": _ends(run.ends) if seen.held and word not in ("ended", "paused") else "",
        "nearest": None,
    }
    if has_begun:
        told |= _reading(state) | {"nearest": _nearest(state) if word != "ended" else None}
        told["where"] = "   ".join(words.position(state))
        told["progress"] = words.progress(state)
        told["alone"] = "" if state.get("alone") is None else str(state["alone"] or "no limit")
    else:
        told["where"] = "starting the channel" if word == "opening" else ""
    return told


def unreadable(run: KnownRun) -> Told:
    """Instead of a card."""
    return {
        "title": run.protocol or "a run",
        "simulated": run.simulated,
        "about": words.head({**asdict(run), "simulated": False, "protocol": "-"}).partition(": ")[2],
        "file": run.path.name,
        "word": "unknown",
        "level": "alarm",
        "text": "how it is cannot be read: another version of nakctl runs it, or a file of it is damaged; "
        "nothing is said by that about the run",
        **dict.fromkeys(("where", "Ewe", "Q", "alarm", "since", "ends", "alone"), ""),
        **dict.fromkeys(("nearest", "bench", "progress")),
    }


def level(word: str) -> str:
    """By which colour it is shown."""
    if word in BAD:
        return "alarm"
    return "warning" if word in ("paused", "adopting") else "good"


def _alarm(state: Mapping[str, Any], alarm: Mapping[str, Any]) -> str:
    return f"last alarm, {ago(unix_since_s(state.get('alarm_unix_s')))}: {alarm.get('text')}"


def _reading(state: Mapping[str, Any]) -> Told:
    Ewe_V, I_A = (float(state.get(name, math.nan)) for name in ("Ewe_V", "I_A"))
    area_cm2 = state.get("area_cm2")
    if not math.isfinite(Ewe_V):
        return {}  # no row yet
    return {
        "Ewe": f"{Ewe_V:+.4f} V",
        "I": si(I_A, "A"),
        "j": areal_current(I_A, float(area_cm2)) if area_cm2 else "",
        "Q": f"{float(state.get('Q_mAh_cm2', math.nan)):+.4g} mAh/cm2" if area_cm2 else "",
    }


def _nearest(state: Mapping[str, Any]) -> Told | None:
    """What may end the step or the run next, and how much of the way is gone."""
    found = words.nearest(state)
    if found is None:
        return None
    part, text, left = found
    is_close = part > _NEAR and "limit" in text.partition(":")[0]
    return {"part": round(part, 4), "text": text, "left": left, "level": "warning" if is_close else ""}


def _ends(moment: str) -> str:
    """The time of day, and how long that is."""
    at = clock(moment)
    if at == "-":
        return ""
    left_s = (datetime.fromisoformat(moment).astimezone() - datetime.now().astimezone()).total_seconds()
    return f"{at}, in {duration(left_s)}" if left_s > 0 else f"{at}, which is over"


# --- a run by itself ---------------------------------------------------------------------------------------


NOTHING_YET: Told = {
    "over": [], "status": "", "sealed": False, "said": [], "unit": "s", "Ewe_curve": [[], []],
    "I_curve": [[], []], "spectra": [],
}  # fmt: skip


def page_of(watched: Watched, spectra: Iterable[tuple[str, Any]]) -> Told:
    """All that the page of a run shows. spectra: the last ones, when each was seen and its points."""
    state, health = watched.state, watched.health
    told = card(watched.seen, state, health.word, health.text) if watched.seen is not None else {}
    area_cm2 = state.get("area_cm2") or None
    size_s, unit = _time_unit(watched.trace.span_s[1])
    to_shown = 1e3 / area_cm2 if area_cm2 else 1e3
    return {
        **told,
        "over": list(watched.end),
        "status": (watched.report or {}).get("status", ""),
        "sealed": watched.is_sealed,
        "said": [[_level_of(severity), text] for severity, text in watched.said],
        "unit": unit,
        "Ewe_curve": _curve(watched.trace, 0, size_s, 1.0),
        "I_curve": _curve(watched.trace, 1, size_s, to_shown),
        "spectra": [[when, *_nyquist(points, area_cm2 or 1.0)] for when, points in spectra],
    }


def _level_of(severity: int) -> str:
    return {ALARM: "alarm", WARNING: "warning"}.get(severity, "")


def _curve(trace: Trace, what: int, size_s: float, factor: float) -> list[list[float]]:
    """x and y: in each bin of time from the least to the greatest."""
    x, y = [], []
    for middle_s, least, greatest in trace.bins(what):
        x += [_short(middle_s / size_s, 9)] * 2
        y += [_short(least * factor, 6), _short(greatest * factor, 6)]
    return [x, y]


def _nyquist(points: Iterable[tuple[float, float, float]], area_cm2: float) -> list[list[float]]:
    known = [point for point in points if all(map(math.isfinite, point))]
    return [
        [_short(Z_re_ohm * area_cm2, 6) for _, Z_re_ohm, _ in known],
        [_short(-Z_im_ohm * area_cm2, 6) for _, _, Z_im_ohm in known],
    ]


def _short(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


def _time_unit(span_s: float) -> tuple[float, str]:
    return next((size_s, name) for least_s, size_s, name in _UNITS_OF_TIME if span_s >= least_s)
