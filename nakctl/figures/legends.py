"""Where a legend covers nothing: where the axes are free of curves, else above them."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from nakctl.figures.figure import Floats, Line, Mark, Panel
from nakctl.figures.letters import width_pt, wrapped
from nakctl.figures.room import free_box

SIZE_pt = 6.0
_CM_pt = 72 / 2.54
_HANDLE_pt, _LINE_pt, _EDGE_pt = 22.0, 8.6, 6.0
_LONGEST_pt = 150.0  # a name that is longer is cut
_MOST_ABOVE = 6  # rows of a legend above
_MOST = 16  # names: nobody tells more curves apart


def place_legend(axes: Axes, panel: Panel, points: Floats, room_cm: tuple[float, float]) -> float:
    """None for a single curve, whose name the axis or the title says. points: where curves are.

    Returns how much room it takes above the axes, in pt.
    """
    named = {line.name: handle for line, handle in _drawn(axes, panel) if line.legend}
    if len(named) < 2:
        return 0.0
    room_pt = min(_LONGEST_pt, room_cm[0] * _CM_pt - _HANDLE_pt - 2 * _EDGE_pt)
    texts = [wrapped(name, room_pt, SIZE_pt, 1) for name in named]
    title = wrapped(panel.legend, room_pt, SIZE_pt, 1)
    told = texts[:_MOST]
    size = _size([*told, title] if title else told, room_cm)
    place, above_pt = _place(points, size, len(told), _above_pt(panel) / (room_cm[1] * _CM_pt))
    most = place.get("ncols", _MOST) * _MOST_ABOVE if above_pt else _MOST
    handles, told = _few(list(named.values()), texts, most)
    axes.legend(
        handles,
        told,
        title=title or None,
        handlelength=1.6,
        borderaxespad=0.3,
        labelspacing=0.25,
        handletextpad=0.5,
        columnspacing=1.0,
        frameon=False,
        **place,
    )
    return above_pt


def _above_pt(panel: Panel) -> float:
    """What the words of a band take above the axes."""
    return _LINE_pt if any(isinstance(each, Mark) and each.until is not None for each in panel.drawn) else 0.0


def _place(points: Floats, size: tuple[float, float], count: int, up: float) -> tuple[dict[str, Any], float]:
    """How matplotlib is told, and the room that is taken above the axes; up: where that begins."""
    width, height = size
    box = free_box(points, width, height)
    if box is not None:
        return {"loc": "center", "bbox_to_anchor": box, "borderpad": 0.0}, 0.0
    columns = min(max(1, int(1.0 / max(width, 1e-3))), count)
    rows = min(-(-count // columns), _MOST_ABOVE)
    above = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0 + up), "ncols": columns}
    return above, rows * _LINE_pt + _EDGE_pt


def _few(handles: list[Line2D], texts: list[str], most: int) -> tuple[list[Line2D], list[str]]:
    """At most so many; the last one says how many more there are."""
    if len(texts) <= most:
        return handles, texts
    left = len(texts) - most + 1
    return [*handles[: most - 1], Line2D([], [], linestyle="none")], [*texts[: most - 1], f"and {left} more"]


def _drawn(axes: Axes, panel: Panel) -> list[tuple[Line, Line2D]]:
    """Each curve with what was drawn of it: first in the axes, in the same order."""
    lines = list(panel.lines)
    return list(zip(lines, axes.lines[: len(lines)], strict=True))


def _size(words: list[str], room_cm: tuple[float, float]) -> tuple[float, float]:
    """Parts of the axes that a legend in one column takes."""
    widest = max(width_pt(text, SIZE_pt) for text in words)
    room_pt = [each * _CM_pt for each in room_cm]
    high = len(words) * _LINE_pt + _EDGE_pt
    return (widest + _HANDLE_pt + _EDGE_pt) / room_pt[0], high / room_pt[1]
