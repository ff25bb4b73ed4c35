"""How figures look on a screen, whatever is drawn: colours, letters."""

from __future__ import annotations

import math
from typing import Any

from bokeh.models import LinearColorMapper, LogColorMapper, PlainText
from bokeh.palettes import Viridis256

from nakctl.figures.figure import DISTINCT, FAINT, INK, Heat, Scale

# Seen on either ground, also where a browser does not follow the style sheet.
COLOURS = {INK: "#7d8590", FAINT: "#9aa1ab"}
_WORDS = {INK: "--ink", FAINT: "--faint", **{colour: f"--c{k}" for k, colour in enumerate(DISTINCT)}}
FONT = "system-ui, sans-serif"


def plain(text: str) -> PlainText:
    """As it is: of a bare text Bokeh would set as mathematics what stands between dollars."""
    return PlainText(text=text)


def in_page(colour: str | None) -> str:
    """A colour of a figure as the style sheet has it for the ground of the page."""
    return f"var({_WORDS[colour]})" if colour in _WORDS else colour or "var(--ink)"


def tags(colour: str | None) -> list[str]:
    """By which `page.js` gives it the colour of the ground it is on."""
    return [_WORDS[colour]] if colour in _WORDS else []


def mapper(of: Heat | Scale, low: float, high: float) -> Any:
    kind = LogColorMapper if of.log else LinearColorMapper
    return kind(palette=Viridis256, low=low, high=high, nan_color="rgba(0, 0, 0, 0)")


def placed(place: float | None, scale: Scale | None) -> str:
    """The colour of a place on a scale."""
    if scale is None or place is None:
        return COLOURS[INK]
    low, high, at = (math.log10(v) if scale.log else v for v in (scale.low, scale.high, place))
    part = (at - low) / (high - low) if high > low else 0.0
    return str(Viridis256[round(255 * min(max(part, 0.0), 1.0))])
