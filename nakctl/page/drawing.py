"""One panel of a figure as Bokeh draws it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from bokeh.models import (
    BasicTicker,
    BoxAnnotation,
    ColorBar,
    ColumnDataSource,
    HoverTool,
    Label,
    LogColorMapper,
    LogTicker,
    Span,
)

from nakctl.figures.figure import INK, Heat, Line, Mark, Panel
from nakctl.page.even_fields import EvenFields
from nakctl.page.look import COLOURS, FONT, mapper, placed, plain, tags
from nakctl.page.pyramid import DRAWN, Level, is_rising, levels
from nakctl.results.thin import thin

_TOLD = 12  # marks beyond these have no words
_DIGITS = "{%.5g}"


class Drawing:
    """One panel."""

    def __init__(self, panel: Panel, name: str, most: int, plot: Any) -> None:
        """plot: an empty picture; most: see `on_screen`."""
        self.panel, self.name, self.most, self.plot = panel, name, most, plot
        self.curves: dict[str, tuple[Level, ...]] = {}
        self._names = {line.name: place for place, line in enumerate(named(panel))}
        for number, each in enumerate(panel.drawn):
            if isinstance(each, Line):
                self._line(each, number)
            elif isinstance(each, Heat):
                self._heat(each)
        marks = [each for each in panel.drawn if isinstance(each, Mark)]
        for number, mark in enumerate(marks):
            self._mark(mark, has_words=number < _TOLD)
        if panel.scale is not None:
            self._colour_bar(mapper(panel.scale, panel.scale.low, panel.scale.high), panel.scale.label)
        self._hover()

    def say_simulated(self) -> None:
        self._say("SIMULATED", x=12, y=8, alpha=0.35, size="15px", units="screen")

    # --- what is drawn ---------------------------------------------------------------------------------

    def _line(self, line: Line, number: int) -> None:
        source = ColumnDataSource(self._points(line, f"{self.name}-{number}"), name=f"{self.name}-{number}")
        colour = COLOURS.get(line.colour or "", line.colour) or placed(line.place, self.panel.scale)
        about: dict[str, Any] = {"source": source, "name": line.name}
        drawn = []
        if line.style != "points":
            dash = {"color": colour, "line_width": 1.5, "line_dash": line.dash, "line_join": "round"}
            drawn.append(self.plot.line("x", "y", **dash, **about))
        if line.style != "line" or len(source.data["x"]) == 1:  # of one point no line is seen
            drawn.append(self.plot.scatter("x", "y", size=5, color=colour, **about))
        for each in drawn:
            each.tags = [self._names.get(line.name, -1), *tags(line.colour)]

    def _points(self, line: Line, name: str) -> dict[str, Any]:
        x, y = np.asarray(line.x), np.asarray(line.y)
        if len(x) > DRAWN and self.panel.linked and is_rising(x):
            self.curves[name] = found = levels(x, y, self.most)
            x, y = found[-1].x, found[-1].y
        elif len(x) > self.most:
            kept = thin(y, self.most)
            x, y = x[kept], y[kept]
        return {"x": x.astype(np.float64), "y": y.astype(np.float32)}

    def _heat(self, heat: Heat) -> None:
        """An image has fields of one size: those of the map are laid onto such ones, as the axes count."""
        x, y = (EvenFields(each, axis.log) for each, axis in ((heat.x, self.panel.x), (heat.y, self.panel.y)))
        if not (len(heat.x) and len(heat.y)):
            return
        z = np.asarray(heat.z, np.float64)
        image = z[np.ix_(y.of_even, x.of_even)].astype(np.float32)
        known = z[np.isfinite(z) & (z > 0)] if heat.log else z[np.isfinite(z)]
        low = float(known.min(initial=np.inf)) if heat.low is None else heat.low
        high = float(known.max(initial=-np.inf)) if heat.high is None else heat.high
        if not low < high:
            low, high = (low, low * 1.001 + 1e-12) if math.isfinite(low) else (1.0, 2.0)
        colours = mapper(heat, low, high)
        self.plot.image(
            image=[image], x=x.start, y=y.start, dw=x.end - x.start, dh=y.end - y.start, color_mapper=colours,
            name=heat.name,
        )  # fmt: skip
        self._colour_bar(colours, heat.label)

    def _colour_bar(self, colours: Any, label: str) -> None:
        log = isinstance(colours, LogColorMapper)
        bar = ColorBar(
            color_mapper=colours, title=plain(label), width=12, padding=4, title_text_font=FONT,
            title_text_font_style="normal", title_text_font_size="12px", major_label_text_font=FONT,
            ticker=LogTicker() if log else BasicTicker(desired_num_ticks=5), bar_line_color=None,
            tags=tags(INK),
        )  # fmt: skip
        self.plot.add_layout(bar, "right")

    def _mark(self, mark: Mark, *, has_words: bool) -> None:
        colour, known_by = COLOURS.get(mark.colour, mark.colour), tags(mark.colour)
        if mark.x is not None and mark.until is not None:
            band = BoxAnnotation(
                left=mark.x,
                right=mark.until,
                fill_color=colour,
                fill_alpha=0.18,
                line_color=None,
                level="underlay",
                tags=known_by,
            )
            self.plot.add_layout(band)
        elif mark.x is not None or mark.y is not None:
            place, across = (mark.x, "height") if mark.x is not None else (mark.y, "width")
            span = Span(
                location=place,
                dimension=across,
                line_color=colour,
                line_width=1,
                line_dash=[4, 3],
                tags=known_by,
            )
            self.plot.add_layout(span)
        if has_words and mark.text:
            self._words(mark)

    def _words(self, mark: Mark) -> None:
        upright = mark.x is not None
        self._say(
            mark.text, x=4 if mark.x is None else mark.x, y=6 if mark.y is None else mark.y, size="11px",
            x_units="data" if upright else "screen", y_units="screen" if upright else "data",
            angle=math.pi / 2 if upright else 0.0, x_offset=-3 if upright else 0,
            y_offset=0 if upright else 3,
        )  # fmt: skip

    def _say(self, text: str, *, size: str, alpha: float = 0.9, units: str = "", **place: Any) -> None:
        more = {"x_units": units, "y_units": units} if units else {}
        label = Label(
            text=plain(text), text_font=FONT, text_font_size=size, text_alpha=alpha,
            text_color=COLOURS[INK], **place, **more,
        )  # fmt: skip
        self.plot.add_layout(label)

    def _hover(self) -> None:
        maps = [each for each in self.panel.drawn if isinstance(each, Heat)]
        x, y = (" ".join(axis.label.split()) for axis in (self.panel.x, self.panel.y))
        curves = [
            each
            for each in self.plot.renderers
            if "y" in each.data_source.data and "image" not in each.data_source.data
        ]
        if curves:
            told = [("", "$name"), (x, f"@x{_DIGITS}"), (y, f"@y{_DIGITS}")]
            self._tell(curves, told, {"@x": "printf", "@y": "printf"}, "nearest")
        if maps:
            others = [each for each in self.plot.renderers if each not in curves]
            told = [(x, f"$x{_DIGITS}"), (y, f"$y{_DIGITS}"), (maps[0].label, f"@image{_DIGITS}")]
            self._tell(others, told, {"$x": "printf", "$y": "printf", "@image": "printf"}, "follow_mouse")

    def _tell(self, of: Sequence[Any], told: Any, formatters: dict[str, str], policy: str) -> None:
        safe = [(label.replace("$", "＄"), value) for label, value in told]
        self.plot.add_tools(
            HoverTool(
                renderers=list(of),
                tooltips=safe,
                formatters=formatters,
                line_policy="nearest",
                mode="mouse",
                point_policy="snap_to_data" if policy == "nearest" else "follow_mouse",
                muted_policy="ignore",
            )
        )


def named(panel: Panel) -> Iterator[Line]:
    """The lines that the legend tells, one of each name."""
    told: set[str] = set()
    for line in panel.lines:
        if line.legend and line.name and line.name not in told:
            told.add(line.name)
            yield line
