"""One panel of a figure on the axes of matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LinearSegmentedColormap, LogNorm, Normalize

from nakctl.figures.figure import DISTINCT, Axis, Floats, Heat, Line, Panel, Scale
from nakctl.figures.legends import place_legend
from nakctl.figures.letters import one_line, wrapped
from nakctl.figures.marks import COLOURS, draw_marks
from nakctl.figures.room import occupied
from nakctl.figures.ticks import set_ticks

_DASHES = {"solid": "-", "dashed": "--", "dotted": ":"}
_MAP = "viridis"
NOTE_pt = 6.0
FLATTEST, STEEPEST = 0.25, 1.5  # height over width of equal axes
_FEW = 60  # points of a line that are seen as such
# Without its lightest part, which is not seen on paper.
_OF_LINES: Colormap = LinearSegmentedColormap.from_list("lines", colormaps[_MAP](np.linspace(0.0, 0.9, 64)))

Room = tuple[float, float]


def draw_panel(axes: Axes, panel: Panel, room_cm: Room) -> tuple[ScalarMappable | None, float]:
    """What its colours stand for, if that needs a scale; and the room its legend takes above it, in cm."""
    _axis(axes, panel.x, "x", room_cm[0])
    _axis(axes, panel.y, "y", room_cm[1])
    coloured = None
    colour_of = _colours(panel)
    for each in panel.drawn:
        if isinstance(each, Heat):
            coloured = _heat(axes, panel, each)
        elif isinstance(each, Line):
            _line(axes, each, colour_of(each))
    _limits(axes, panel)
    points = draw_marks(axes, panel, occupied(axes, panel), room_cm)
    above_pt = place_legend(axes, panel, points, room_cm)
    _words(axes, panel, room_cm, above_pt)
    if panel.scale is not None:
        coloured = ScalarMappable(_norm(panel.scale), _OF_LINES)
    return coloured, above_pt / 72 * 2.54


def ratio(panel: Panel) -> float:
    """Height over width of what is seen of it, of equal axes."""
    (low, high), (bottom, top) = _equal(panel)
    return (top - bottom) / (high - low)


def _equal(panel: Panel) -> tuple[tuple[float, float], tuple[float, float]]:
    """Bounds of x and y of equal axes. Very flat or steep ones get room: else nothing is read from them."""
    low, high = _seen(panel.x, [line.x for line in panel.lines])
    bottom, top = _seen(panel.y, [line.y for line in panel.lines])
    top = max(top, bottom + FLATTEST * (high - low))
    high = max(high, low + (top - bottom) / STEEPEST)
    return (low, high), (bottom, top)


def _seen(axis: Axis, values: Sequence[Floats]) -> tuple[float, float]:
    """From where to where, with a margin where no bound is given."""
    known = [each[np.isfinite(each)] for each in values]
    known = [each for each in known if len(each)]
    low = min((float(each.min()) for each in known), default=0.0) if axis.low is None else axis.low
    high = max((float(each.max()) for each in known), default=1.0) if axis.high is None else axis.high
    size = (high - low) or 1.0
    return low, high + (0.04 * size if axis.high is None else 0.0)


def _axis(axes: Axes, axis: Axis, which: str, room_cm: float) -> None:
    getattr(axes, f"set_{which}label")("\n".join(map(one_line, axis.label.split("\n"))))
    if axis.log:
        getattr(axes, f"set_{which}scale")("log")
    set_ticks(getattr(axes, f"{which}axis"), axis, room_cm)


def _colours(panel: Panel) -> Callable[[Line], str | tuple[float, ...]]:
    """By place, by its own word, or the next that is free, the same for all lines of one name."""
    free = iter(DISTINCT * (1 + sum(1 for _ in panel.lines)))
    of_name: dict[str, str] = {}

    def colour(line: Line) -> str | tuple[float, ...]:
        if line.place is not None and panel.scale is not None:
            return _OF_LINES(_norm(panel.scale)(line.place))
        if line.colour is not None:
            return COLOURS.get(line.colour, line.colour)
        if line.name not in of_name:
            of_name[line.name] = next(free)
        return of_name[line.name]

    return colour


def _norm(scale: Scale | Heat) -> Normalize:
    return LogNorm(scale.low, scale.high) if scale.log else Normalize(scale.low, scale.high)


def _line(axes: Axes, line: Line, colour: str | tuple[float, ...]) -> None:
    points = line.style != "line" or len(line.x) == 1  # a single one is no line
    size = 2.6 if line.style == "points" else 3.0 if len(line.x) == 1 else 1.8 if len(line.x) <= _FEW else 1.2
    axes.plot(
        line.x,
        line.y,
        color=colour,
        linestyle="none" if line.style == "points" else _DASHES[line.dash],
        linewidth=0.9 if line.style == "line" else 0.6,
        marker="o" if points else "",
        markersize=size,
        markeredgewidth=0,
        zorder=3 if line.style == "points" else 2,
    )


def _heat(axes: Axes, panel: Panel, heat: Heat) -> ScalarMappable:
    values = np.asarray(heat.z, np.float64)
    known = values[np.isfinite(values) & ((values > 0) | (not heat.log))]
    known = known if len(known) else np.ones(1)
    low = float(known.min()) if heat.low is None else heat.low
    high = float(known.max()) if heat.high is None else heat.high
    norm = LogNorm(low, high) if heat.log else Normalize(low, high)
    across, upwards = edges(heat.x, log=panel.x.log), edges(heat.y, log=panel.y.log)
    return axes.pcolormesh(
        across, upwards, np.clip(values, low, high), norm=norm, cmap=_MAP, rasterized=True, zorder=1
    )


def edges(middles: Floats, *, log: bool) -> Floats:
    """Of the fields with these middles: half way between them."""
    x = np.log(middles) if log else np.asarray(middles, np.float64)
    if len(x) == 1:
        x = np.array([x[0] - 0.5, x[0] + 0.5])
        return np.exp(x) if log else x
    between = (x[:-1] + x[1:]) / 2
    whole = np.concatenate([[x[0] - (between[0] - x[0])], between, [x[-1] + (x[-1] - between[-1])]])
    return np.exp(whole) if log else whole


def _limits(axes: Axes, panel: Panel) -> None:
    """What is to be seen; of a map and against time no empty edge."""
    if any(isinstance(each, Heat) for each in panel.drawn):
        axes.margins(0)
    elif panel.linked:
        axes.margins(x=0.01)
    if panel.equal:
        across, upwards = _equal(panel)
        axes.set(xlim=across, ylim=upwards)
        axes.set_aspect("equal", adjustable="box", anchor="W")
        return
    for axis, limit, values in (
        (panel.x, axes.set_xlim, [line.x for line in panel.lines]),
        (panel.y, axes.set_ylim, [line.y for line in panel.lines]),
    ):
        if axis.low is not None and axis.high is None and not axis.log and values:
            limit(*_seen(axis, values))
        elif axis.low is not None or axis.high is not None:
            limit(axis.low, axis.high)


def _words(axes: Axes, panel: Panel, room_cm: Room, above_pt: float) -> None:
    room_pt = room_cm[0] / 2.54 * 72
    said = wrapped(panel.title, room_pt, NOTE_pt + 1, 1)
    note = wrapped(panel.note, room_pt, NOTE_pt, 2)
    if said or note:
        axes.set_title(
            "\n".join(filter(None, [said, note])), loc="left", fontsize=NOTE_pt, pad=2.5 + above_pt
        )
