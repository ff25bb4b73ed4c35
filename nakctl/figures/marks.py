"""Thin lines across axes, with words where no curve runs through them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from nakctl.figures.figure import FAINT, INK, Floats, Mark, Panel
from nakctl.figures.letters import width_pt, wrapped
from nakctl.figures.room import Box, filled_box, first_free

COLOURS = {INK: "black", FAINT: "0.6"}
SIZE_pt = 6.0
_FAINT_INK = "0.35"  # of words: what is faint as a line is too faint to be read
_CM_pt = 72 / 2.54
_CLEAR = 0.01  # of the axes, between a mark and its words
_LINE_pt = 8.0
_DASHES: Any = (0, (4, 2))

Room = tuple[float, float]


def draw_marks(axes: Axes, panel: Panel, points: Floats, room_cm: Room) -> Floats:
    """points: where curves are; returned with the words of marks beside them.

    Words of marks that look alike and mean the same stand once.
    """
    told: set[tuple[str, str]] = set()
    for each in (each for each in panel.drawn if isinstance(each, Mark) and _is_seen(axes, panel, each)):
        text = (
            "" if (each.text, each.colour) in told else wrapped(each.text, min(room_cm) * _CM_pt, SIZE_pt, 1)
        )
        told.add((each.text, each.colour))
        if each.until is not None and each.x is not None:
            _band(axes, each.x, each.until, text)
            continue
        box = _line(axes, each, text, points, room_cm, alone=sum(said != "" for said, _ in told) < 2)
        points = points if box is None else np.concatenate([points, filled_box(box)])
    return points


def _is_seen(axes: Axes, panel: Panel, mark: Mark) -> bool:
    """Of a line: within the axes, where these have bounds of their own, which a line does not widen."""
    x, y = (axis.low is not None and axis.high is not None for axis in (panel.x, panel.y))
    if mark.until is not None or (mark.x is None and mark.y is None):
        return True
    if mark.x is not None:
        return not x or 0.0 <= _place(axes, mark.x, 0) <= 1.0
    return not y or 0.0 <= _place(axes, mark.y or 0.0, 1) <= 1.0


def ink(colour: str) -> str:
    """Of words in this colour."""
    return _FAINT_INK if colour == FAINT else COLOURS.get(colour, colour)


def _band(axes: Axes, low: float, high: float, text: str) -> None:
    """Its words stand above the axes, where no curve is."""
    axes.axvspan(low, high, color="0.93", zorder=0, linewidth=0)
    seen = sorted(axes.get_xlim())
    left, right = (_place(axes, min(max(x, seen[0]), seen[1]), 0) for x in (low, high))
    axes.annotate(
        text, ((left + right) / 2, 1.0), xycoords="axes fraction", xytext=(0, 1.5),
        textcoords="offset points", fontsize=SIZE_pt - 0.5, color=_FAINT_INK, ha="center", va="bottom",
    )  # fmt: skip


def _line(axes: Axes, mark: Mark, text: str, points: Floats, room_cm: Room, *, alone: bool) -> Box | None:
    """Where its words stand; None: it has none, or there is no room and it is not alone.

    A line without words is that of zero, or drawn elsewhere.
    """
    colour = COLOURS.get(mark.colour, mark.colour)
    if mark.x is not None:
        axes.axvline(mark.x, color=colour, linewidth=0.7, linestyle=_DASHES, zorder=1.5)
    elif mark.y is not None:
        shown: Any = {"color": colour, "linestyle": _DASHES} if text else {"color": "0.75"}
        axes.axhline(mark.y, linewidth=0.6, zorder=0.5, **shown)
    if not text:
        return None
    boxes = _beside(axes, mark, width_pt(text, SIZE_pt), room_cm)
    box = first_free(points, boxes) or (boxes[0] if alone else None)
    if box is None:
        return None
    upright = mark.x is not None
    axes.text(
        box[0] + box[2] / 2, box[1] + box[3] / 2, text, transform=axes.transAxes, fontsize=SIZE_pt,
        color=ink(mark.colour), rotation=90 if upright else 0, ha="center", va="center",
    )  # fmt: skip
    return box


def _beside(axes: Axes, mark: Mark, long_pt: float, room_cm: Room) -> list[Box]:
    """Where words may stand: on both sides of the line, at both ends; within the axes, if it can be."""
    wide_pt, high_pt = room_cm[0] * _CM_pt, room_cm[1] * _CM_pt
    if mark.x is not None:
        at, wide, high = _place(axes, mark.x, 0), _LINE_pt / wide_pt, long_pt / high_pt
        lefts, bottoms = (at + _CLEAR, at - _CLEAR - wide), (0.97 - high, 0.03)
    else:
        at, wide, high = _place(axes, mark.y or 0.0, 1), long_pt / wide_pt, _LINE_pt / high_pt
        lefts, bottoms = (0.98 - wide, 0.02), (at + _CLEAR, at - _CLEAR - high)
    boxes = [(left, bottom, wide, high) for left in lefts for bottom in bottoms]
    inside = [
        box for box in boxes if box[0] >= 0 and box[0] + wide <= 1 and box[1] >= 0 and box[1] + high <= 1
    ]
    return inside or boxes


def _place(axes: Axes, value: float, which: int) -> float:
    """How far to the right, or up, from 0 to 1."""
    low, high = (axes.get_xlim, axes.get_ylim)[which]()
    if (axes.get_xscale, axes.get_yscale)[which]() == "log":
        low, high, value = np.log([low, high, max(value, 1e-300)]).tolist()
    return (value - low) / ((high - low) or 1.0)
