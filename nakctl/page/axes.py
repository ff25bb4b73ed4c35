"""The axes of a figure's panels on a screen: what is seen of them, and which move together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from bokeh.models import DataRange1d, LogTicker, NoOverlap, Range1d
from bokeh.plotting import figure as new_plot

from nakctl.figures.figure import Axis, Figure, Floats, Heat, Line, Mark, Panel
from nakctl.page.look import FONT, plain
from nakctl.page.pyramid import DRAWN

_HEIGHT = 280  # of a row of height 1, in px
_LEFT, _LEFT_OF_TWO_LINES = 68, 86  # px that labels take; the same for all panels, so that they stand in line
_RIGHT, _BESIDE_A_BAR = 16, 68  # px; where others have a bar of colours, who shares their x leaves it free

Shared = tuple[str, str, bool]


class Axes:
    """Of one figure."""

    def __init__(self, figure: Figure) -> None:
        has_two_lines = any("\n" in panel.y.label for panel in figure.panels)
        self._left = _LEFT_OF_TWO_LINES if has_two_lines else _LEFT
        self._has_bars = any(map(_has_bar, figure.panels))
        self._shared = _ranges_of_long_curves(figure)

    def plot(self, panel: Panel, name: str) -> Any:
        """An empty picture."""
        plot = new_plot(
            name=name, sizing_mode="stretch_width", height=round(_HEIGHT * max(panel.height, 0.6)),
            tools="pan,box_zoom,wheel_zoom,reset,save", x_axis_type="log" if panel.x.log else "linear",
            y_axis_type="log" if panel.y.log else "linear", match_aspect=panel.equal, output_backend="canvas",
            x_range=_range(panel, "x", 0.02), y_range=_range(panel, "y", 0.1), toolbar_location="above",
            min_border_left=self._left,
            min_border_right=_BESIDE_A_BAR if panel.linked and self._has_bars else _RIGHT,
        )  # fmt: skip
        if panel.equal:
            plot.update(sizing_mode="scale_width", aspect_ratio=1.7)
        if panel.linked:
            plot.x_range = self._shared.setdefault(_key(panel), plot.x_range)
        plot.toolbar.logo = None
        for axis, about in ((plot.xaxis[0], panel.x), (plot.yaxis[0], panel.y)):
            if about.log:
                axis.update(ticker=LogTicker(desired_num_ticks=12), major_label_policy=NoOverlap())
        for axis, about in ((plot.xaxis[0], panel.x), (plot.yaxis[0], panel.y)):
            axis.axis_label = plain(about.label)
            if about.whole:
                axis.ticker.update(min_interval=1, mantissas=[1, 2, 5])
            axis.update(
                axis_label_text_font_style="normal", axis_label_text_font=FONT,
                axis_label_text_font_size="13px", major_label_text_font=FONT,
                major_label_text_font_size="12px", minor_tick_line_color=None,
            )  # fmt: skip
        return plot


def _ranges_of_long_curves(figure: Figure) -> dict[Shared, Any]:
    """Of x that panels share. What a page shows of a long curve changes, and must not move its axis."""
    lines: dict[Shared, list[Line]] = {}
    for panel in figure.panels:
        if panel.linked:
            lines.setdefault(_key(panel), []).extend(panel.lines)
    return {key: _whole(each) for key, each in lines.items() if any(len(line.x) > DRAWN for line in each)}


def _key(panel: Panel) -> Shared:
    """Panels share their x where it means the same: hours are no seconds."""
    return panel.linked, panel.x.label, panel.x.log


def _whole(lines: Sequence[Line]) -> Any:
    known = [line.x[np.isfinite(line.x)] for line in lines]
    ends = [float(end) for x in known if len(x) for end in (x.min(), x.max())] or [0.0, 1.0]
    margin = 0.01 * (max(ends) - min(ends))
    return Range1d(min(ends) - margin, max(ends) + margin)


def _has_bar(panel: Panel) -> bool:
    return panel.scale is not None or any(isinstance(each, Heat) for each in panel.drawn)


def _range(panel: Panel, which: Literal["x", "y"], padding: float) -> Any:
    """which: of the axes."""
    axis: Axis = getattr(panel, which)
    if axis.low is not None and axis.high is not None:
        return Range1d(axis.low, axis.high)
    if not shows_something(panel):
        return Range1d(1.0, 10.0) if axis.log else Range1d(0.0, 1.0)  # of an empty one Bokeh complains
    given = {"start": axis.low, "end": axis.high}
    known = {name: value for name, value in given.items() if value is not None}
    return DataRange1d(**known, range_padding=padding)


def shows_something(panel: Panel) -> bool:
    """Whether anything but marks has a place on the axes."""
    return any(
        bool(each.x.size and each.y.size) if isinstance(each, Heat) else bool(placed(each, panel).any())
        for each in panel.drawn
        if not isinstance(each, Mark)
    )


def placed(line: Line, panel: Panel) -> npt.NDArray[np.bool_]:
    """Which of its points have a place: both numbers are known, and none is below a logarithm."""
    x, y = (_has_place(values, axis.log) for values, axis in ((line.x, panel.x), (line.y, panel.y)))
    return x & y


def _has_place(values: Floats, log: bool) -> npt.NDArray[np.bool_]:
    return np.isfinite(values) & (values > 0) if log else np.isfinite(values)
