"""A run on a page: as many lines as there are, the dearest first; curves take what is left."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence

from nakctl.cli.health import ago, unix_since_s
from nakctl.cli.screen import words
from nakctl.cli.screen.canvas import LABEL, Letters, curve, nyquist, time_axis
from nakctl.cli.screen.mail import ALARM, HEAD, PLAIN, WARNING
from nakctl.cli.screen.watched import Watched
from nakctl.cli.screen.words import SIMULATED

Line = tuple[str, str]  # text and style
STYLES = {HEAD: "bold", PLAIN: "", WARNING: "yellow", ALARM: "bold red"}

# Parts from top to bottom, and which of them are left out last.
ORDER = ("head", "health", "where", "reading", "progress", "bench", "nearest", "alone", "curves", "said")
DEAREST = ("head", "health", "where", "reading", "curves", "progress", "said", "nearest", "bench", "alone")
LEAST_CURVES = 5  # lines: two of each quantity, and the time
MOST_CURVES, MOST_SAID = 40, 4
BESIDE = 74  # columns from which on a spectrum has room beside the curves
SPECTRUM = 30  # columns of it, at the least
BAR = 20

Wrap = Callable[[str], list[str]]


def page(watched: Watched, width: int, height: int, letters: Letters) -> list[Line]:
    """At most `height` lines of at most `width` letters."""
    parts = {name: _PARTS[name](watched, width) for name in ORDER if name != "curves"}
    left = height
    shown: dict[str, list[Line]] = {}
    takes_curves = False
    for name in DEAREST:
        if name == "curves":
            takes_curves = left >= LEAST_CURVES and not watched.is_over
            left -= LEAST_CURVES if takes_curves else 0
        elif parts[name]:
            shown[name] = parts[name][:left] if name != "said" else parts[name][-left:] if left else []
            left -= len(shown[name])
    if takes_curves:
        shown["curves"] = _curves(watched, width, min(LEAST_CURVES + left, MOST_CURVES), letters)
    return [line for name in ORDER for line in shown.get(name, ())]


def _head(watched: Watched, width: int) -> list[Line]:
    text = watched.head
    lines = _wrapped(text, width)
    return [(line, "bold reverse" if line.startswith(SIMULATED) else "bold") for line in lines]


def _health(watched: Watched, width: int) -> list[Line]:
    """Only what somebody should know of."""
    health = watched.health
    if watched.is_over:
        return [(line, "bold") for text in watched.end for line in _wrapped(text, width)]
    if health.word == "ended":
        return [(line, "bold") for line in _wrapped(_ended(watched), width)]
    if not health.text:
        return []
    return [(line, "bold red") for line in _wrapped(f"{health.word}: {health.text}", width)]


def _ended(watched: Watched) -> str:
    how = f"{watched.state.get('status', 'ended')}: {watched.state.get('reason', '')}".rstrip(": ")
    return f"{how}; sealing the file ..."


def _where(watched: Watched, width: int) -> list[Line]:
    state = watched.state
    if not state.get("step_id"):
        word = watched.health.word
        return [("starting the channel ..." if word == "opening" else word, "")]
    return _flowed([watched.health.word, *words.position(state)], width)


def _reading(watched: Watched, width: int) -> list[Line]:
    return _flowed(words.reading(watched.state), width) if watched.state.get("step_id") else []


def _progress(watched: Watched, width: int) -> list[Line]:
    state = watched.state
    if not state.get("step_id"):
        return []
    ends = watched.planned_end
    since_s = None if watched.seen is None else watched.seen.since_s("sampled")
    last = [] if since_s is None or watched.is_ending else [f"last row {ago(since_s)}"]
    return _flowed([*words.progress(state), *last, *([f"ends {ends}"] if ends else [])], width)


def _bench(watched: Watched, width: int) -> list[Line]:
    return _flowed(watched.state.get("bench") or [], width)


def _nearest(watched: Watched, width: int) -> list[Line]:
    """How much of the way to the nearest end is gone."""
    found = None if watched.is_ending else words.nearest(watched.state)
    if found is None:
        return []
    part, text, left = found
    full = round(part * BAR)
    bar = f"[{'#' * full}{'-' * (BAR - full)}]"
    style = "yellow" if part > 0.9 and "limit" in text.partition(":")[0] else ""
    return [(line, style) for line, _ in _flowed([text, f"{bar} {left}".rstrip()], width)]


def _alone(watched: Watched, width: int) -> list[Line]:
    alone = watched.state.get("alone")
    if alone is None or watched.is_ending:
        return []
    return [(line, "") for line in _wrapped(f"without the PC: {alone or 'no limit holds'}", width)]


def _said(watched: Watched, width: int) -> list[Line]:
    """The last sentences, a line or two of each, and the last alarm if it is not among them."""
    said = list(watched.said)
    alarm = watched.state.get("alarm")
    if alarm and not any(alarm["text"] in text for _, text in said):
        since = ago(unix_since_s(watched.state.get("alarm_unix_s")))
        said.append((ALARM, f"last alarm, {since}: {alarm['text']}"))
    lines: list[Line] = []
    for severity, text in said[-MOST_SAID:]:
        lines += [(line, STYLES.get(severity, "")) for line in _wrapped(text, width)[:2]]
    return lines


_PARTS: dict[str, Callable[[Watched, int], list[Line]]] = {
    "head": _head, "health": _health, "where": _where, "reading": _reading, "progress": _progress,
    "bench": _bench, "nearest": _nearest, "alone": _alone, "said": _said,
}  # fmt: skip


# --- curves ------------------------------------------------------------------------------------------------


def _curves(watched: Watched, width: int, height: int, letters: Letters) -> list[Line]:
    """Ewe above I, on the same time; the last spectrum beside them, or below, where there is room for it."""
    spectrum = watched.tail.spectrum
    if spectrum and width >= BESIDE and height >= LEAST_CURVES:
        beside = max(SPECTRUM, width // 4)
        left = _against_time(watched, width - beside - 3, height, letters)
        right = nyquist(spectrum, (beside, height), letters)
        return [(f"{one}   {other}".rstrip(), "") for one, other in zip(left, right, strict=True)]
    below = (height - LEAST_CURVES) // 2 if spectrum else 0
    if below < LEAST_CURVES:
        return [(line, "") for line in _against_time(watched, width, height, letters)]
    lines = _against_time(watched, width, height - below, letters)
    return [(line.rstrip(), "") for line in (*lines, *nyquist(spectrum, (width, below), letters))]


def _against_time(watched: Watched, width: int, height: int, letters: Letters) -> list[str]:
    trace = watched.trace
    span_s = trace.span_s
    lower = (height - 1) // 2
    upper = height - 1 - lower
    lines = curve(trace.bins(0), span_s, "Ewe", "V", (width, upper), letters, 1e-3)
    lines += curve(trace.bins(1), span_s, "I", "A", (width, lower), letters, 0.02)
    if span_s[1] <= span_s[0]:
        return [*lines, " " * LABEL + "no rows yet".ljust(width - LABEL)]
    return [f"{line:<{width}}" for line in (*lines, time_axis(span_s, width))]


# --- text --------------------------------------------------------------------------------------------------


def _flowed(parts: Sequence[str], width: int) -> list[Line]:
    """Parts that stay together, as many on a line as fit."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + 3 + len(part) <= width:
            lines[-1] += f"   {part}"
        else:
            lines += _wrapped(part, width)
    return [(line, "") for line in lines]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(width, 20), subsequent_indent="  ", break_on_hyphens=False) or [""]
