"""Where in the axes there is room for words, so that they cover no curve."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes

from nakctl.figures.figure import Floats, Mark, Panel

_ALONG = 60  # places along a side of the axes
_FARTHEST = 3.0  # sides that a piece of a curve is followed
_GRID = 14  # places tried along each side

Box = tuple[float, float, float, float]  # left, bottom, width, height, in parts of the axes


def occupied(axes: Axes, panel: Panel) -> Floats:
    """Where curves and upright marks are, (n, 2), in parts of the axes."""
    axes.get_xlim(), axes.get_ylim()  # or the transformation is that from before something was drawn
    found: list[Floats] = [np.zeros((0, 2))]
    to_parts = axes.transData + axes.transAxes.inverted()
    for line in panel.lines:
        points = np.column_stack([line.x, line.y]).astype(np.float64)
        for place, axis in enumerate((panel.x, panel.y)):
            points = points[points[:, place] > 0] if axis.log else points
        parts = to_parts.transform(points[np.isfinite(points).all(axis=1)])
        found.append(parts if line.style == "points" else _filled(parts))
    for mark in panel.drawn:
        if isinstance(mark, Mark) and mark.x is not None and mark.until is None:
            x = to_parts.transform([[mark.x, 1.0]])[0, 0]
            found.append(np.column_stack([np.full(_ALONG, x), np.linspace(0, 1, _ALONG)]))
    return np.concatenate(found)


def is_free(points: Floats, box: Box) -> bool:
    left, bottom, width, height = box
    inside = (points >= (left, bottom)) & (points <= (left + width, bottom + height))
    return not bool(inside.all(axis=1).any())


def free_box(points: Floats, width: float, height: float) -> Box | None:
    """For something of this size: a corner if one is free, else anywhere, from above; None: nowhere."""
    if width > 1 or height > 1:
        return None
    corners = [(right * (1 - width), top * (1 - height)) for top in (1, 0) for right in (1, 0)]
    places = [*corners, *_grid(1 - width, 1 - height)]
    return first_free(points, [(left, bottom, width, height) for left, bottom in places])


def first_free(points: Floats, boxes: Iterable[Box]) -> Box | None:
    return next((box for box in boxes if is_free(points, box)), None)


def filled_box(box: Box) -> Floats:
    """Points all over it, (n, 2)."""
    left, bottom, width, height = box
    x, y = np.meshgrid(left + width * np.linspace(0, 1, _ALONG), bottom + height * np.linspace(0, 1, _ALONG))
    return np.column_stack([x.ravel(), y.ravel()])


def _grid(across: float, up: float) -> list[tuple[float, float]]:
    parts = np.linspace(1, 0, _GRID)
    return [(float(right) * across, float(top) * up) for top in parts for right in parts]


def _filled(points: Floats) -> Floats:
    """With points between those that are far apart."""
    if len(points) < 2:
        return points
    apart = np.minimum(np.abs(np.diff(points, axis=0)).max(axis=1), _FARTHEST)
    count = np.ceil(apart * _ALONG).astype(np.intp).clip(1)
    start = np.repeat(np.arange(len(count)), count)
    part = (np.arange(len(start)) - np.repeat(np.cumsum(count) - count, count)) / np.repeat(count, count)
    between = points[start] + part[:, None] * (points[start + 1] - points[start])
    return np.concatenate([between, points[-1:]])
