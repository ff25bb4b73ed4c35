"""A figure on a screen, drawn by Bokeh: to be zoomed into, with values where the pointer is.

All words but those of the axes stand beside the picture, as HTML (`document.figure_html`). Colours are the
style sheet's, see `--bk-` there: so a page is light or dark as its reader has it.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.document import Document
from bokeh.models import (
    BasicTicker,
    BoxAnnotation,
    ColorBar,
    ColumnDataSource,
    DataRange1d,
    HoverTool,
    Label,
    LinearColorMapper,
    LogColorMapper,
    LogTicker,
    PlainText,
    Range1d,
    Span,
)
from bokeh.palettes import Viridis256
from bokeh.plotting import figure as new_plot

from nakctl.figures.figure import DISTINCT, FAINT, INK, Axis, Figure, Heat, Line, Mark, Panel, Scale
from nakctl.page.even_fields import EvenFields
from nakctl.page.pyramid import DRAWN, Level, is_rising, levels
from nakctl.results.thin import thin

# Seen on either ground, also where a browser does not follow the style sheet.
_COLOURS = {INK: "#7d8590", FAINT: "#9aa1ab"}
_WORDS = {INK: "--ink", FAINT: "--faint", **{colour: f"--c{k}" for k, colour in enumerate(DISTINCT)}}
_FONT = "system-ui, sans-serif"
_HEIGHT = 280  # of a row of height 1, in px
_BESIDE_A_BAR = 68  # px that a bar of colours takes beside a picture: others of the same x leave them free
_TOLD = 12  # marks beyond these have no words
_DIGITS = "{%.5g}"


@dataclass(frozen=True, slots=True)
class OnScreen:
    """A figure as a document of Bokeh: `as_json` is for `page.js`.

    name    by which its parts are known in the page: panel k is NAME-k, its line n the source NAME-k-n
    curves  of lines that have more points than are drawn, by the name of their source, the finest level first
    """

    name: str
    figure: Figure
    document: Document
    curves: Mapping[str, Sequence[Level]]

    def as_json(self) -> dict[str, Any]:
        told = {name: [_packed(level) for level in found] for name, found in self.curves.items()}
        roots = self.document.roots
        places = {"roots": {root.id: root.name for root in roots}, "root_ids": [root.id for root in roots]}
        document = self.document.to_json(deferred=False)
        return {"name": self.name, "document": document, "places": places, "curves": told}


def on_screen(figure: Figure, name: str, most: int = 20_000) -> OnScreen:
    """most: points of a line of any length that the page keeps."""
    document, curves = Document(), {}
    linked = _ranges_of_long_curves(figure)
    for place, panel in enumerate(figure.panels):
        drawing = _Drawing(panel, f"{name}-{place}", most, linked, figure)
        document.add_root(drawing.plot)
        curves.update(drawing.curves)
    return OnScreen(name, figure, document, curves)


def _packed(level: Level) -> dict[str, str]:
    """Little-endian, x in double and y in single precision: that of a file."""
    return {"x": _base64(level.x.astype("<f8")), "y": _base64(level.y.astype("<f4"))}


def _base64(values: Any) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")


def _ranges_of_long_curves(figure: Figure) -> dict[tuple[str, str, bool], Any]:
    """Of x that panels share. What a page shows of a long curve changes, and must not move its axis."""
    lines: dict[tuple[str, str, bool], list[Line]] = {}
    for panel in figure.panels:
        if panel.linked:
            lines.setdefault(_shared(panel), []).extend(panel.lines)
    return {key: _whole(each) for key, each in lines.items() if any(len(line.x) > DRAWN for line in each)}


def _shared(panel: Panel) -> tuple[str, str, bool]:
    """Panels share their x where it means the same: hours are no seconds."""
    return panel.linked, panel.x.label, panel.x.log


def _whole(lines: Sequence[Line]) -> Any:
    ends = [float(end) for line in lines if len(line.x) for end in (np.nanmin(line.x), np.nanmax(line.x))]
    margin = 0.01 * (max(ends) - min(ends))
    return Range1d(min(ends) - margin, max(ends) + margin)


class _Drawing:
    """One panel."""

    def __init__(
        self, panel: Panel, name: str, most: int, linked: dict[tuple[str, str, bool], Any], figure: Figure
    ) -> None:
        self.panel, self.name, self.most = panel, name, most
        self._bars = any(map(_has_bar, figure.panels))
        self._left = 86 if any("\n" in each.y.label for each in figure.panels) else 68  # px, the same for all
        self.curves: dict[str, tuple[Level, ...]] = {}
        self.plot = self._plot(linked)
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
            self._colour_bar(_mapper(panel.scale, panel.scale.low, panel.scale.high), panel.scale.label)
        self._hover()
        if figure.simulated:
            self._say("SIMULATED", x=12, y=8, alpha=0.35, size="15px", units="screen")

    def _plot(self, linked: dict[tuple[str, str, bool], Any]) -> Any:
        panel = self.panel
        plot = new_plot(
            name=self.name, sizing_mode="stretch_width", height=round(_HEIGHT * max(panel.height, 0.6)),
            tools="pan,box_zoom,wheel_zoom,reset,save", x_axis_type="log" if panel.x.log else "linear",
            y_axis_type="log" if panel.y.log else "linear", match_aspect=panel.equal, output_backend="canvas",
            x_range=_range(panel.x, 0.02), y_range=_range(panel.y, 0.1),
            toolbar_location="above", min_border_left=self._left,
        )  # fmt: skip
        if panel.equal:
            plot.update(sizing_mode="scale_width", aspect_ratio=1.7)
        if panel.linked:
            plot.x_range = linked.setdefault(_shared(panel), plot.x_range)
        plot.toolbar.logo = None
        for axis, about in ((plot.xaxis[0], panel.x), (plot.yaxis[0], panel.y)):
            axis.axis_label = _plain(about.label)
            axis.update(
                axis_label_text_font_style="normal", axis_label_text_font=_FONT,
                axis_label_text_font_size="13px", major_label_text_font=_FONT,
                major_label_text_font_size="12px", minor_tick_line_color=None,
            )  # fmt: skip
        plot.min_border_right = _BESIDE_A_BAR if panel.linked and self._bars else 16
        return plot

    # --- what is drawn ---------------------------------------------------------------------------------

    def _line(self, line: Line, number: int) -> None:
        source = ColumnDataSource(self._points(line, f"{self.name}-{number}"), name=f"{self.name}-{number}")
        colour = _COLOURS.get(line.colour or "", line.colour) or self._placed(line.place)
        about: dict[str, Any] = {"source": source, "name": line.name}
        drawn = []
        if line.style != "points":
            dash = {"color": colour, "line_width": 1.5, "line_dash": line.dash, "line_join": "round"}
            drawn.append(self.plot.line("x", "y", **dash, **about))
        if line.style != "line":
            drawn.append(self.plot.scatter("x", "y", size=5, color=colour, **about))
        for each in drawn:
            each.tags = [self._names.get(line.name, -1), *_tags(line.colour)]

    def _points(self, line: Line, name: str) -> dict[str, Any]:
        x, y = np.asarray(line.x), np.asarray(line.y)
        if len(x) > DRAWN and self.panel.linked and is_rising(x):
            self.curves[name] = found = levels(x, y, self.most)
            x, y = found[-1].x, found[-1].y
        elif len(x) > self.most:
            kept = thin(y, self.most)
            x, y = x[kept], y[kept]
        return {"x": x.astype(np.float64), "y": y.astype(np.float32)}

    def _placed(self, place: float | None) -> str:
        """The colour of a place on the scale."""
        scale = self.panel.scale
        if scale is None or place is None:
            return _COLOURS[INK]
        low, high, at = (math.log10(v) if scale.log else v for v in (scale.low, scale.high, place))
        part = (at - low) / (high - low) if high > low else 0.0
        return str(Viridis256[round(255 * min(max(part, 0.0), 1.0))])

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
        mapper = _mapper(heat, low, high)
        self.plot.image(
            image=[image], x=x.start, y=y.start, dw=x.end - x.start, dh=y.end - y.start, color_mapper=mapper,
            name=heat.name,
        )  # fmt: skip
        self._colour_bar(mapper, heat.label)

    def _colour_bar(self, mapper: Any, label: str) -> None:
        log = isinstance(mapper, LogColorMapper)
        bar = ColorBar(
            color_mapper=mapper, title=_plain(label), width=12, padding=4, title_text_font=_FONT,
            title_text_font_style="normal", title_text_font_size="12px", major_label_text_font=_FONT,
            ticker=LogTicker() if log else BasicTicker(desired_num_ticks=5), bar_line_color=None,
            tags=_tags(INK),
        )  # fmt: skip
        self.plot.add_layout(bar, "right")

    def _mark(self, mark: Mark, *, has_words: bool) -> None:
        colour = _COLOURS.get(mark.colour, mark.colour)
        tags = _tags(mark.colour)
        if mark.x is not None and mark.until is not None:
            band = BoxAnnotation(
                left=mark.x,
                right=mark.until,
                fill_color=colour,
                fill_alpha=0.18,
                line_color=None,
                level="underlay",
                tags=tags,
            )
            self.plot.add_layout(band)
        elif mark.x is not None or mark.y is not None:
            place, across = (mark.x, "height") if mark.x is not None else (mark.y, "width")
            span = Span(
                location=place, dimension=across, line_color=colour, line_width=1, line_dash=[4, 3], tags=tags
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
            text=_plain(text), text_font=_FONT, text_font_size=size, text_alpha=alpha,
            text_color=_COLOURS[INK], **place, **more,
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


def _has_bar(panel: Panel) -> bool:
    return panel.scale is not None or any(isinstance(each, Heat) for each in panel.drawn)


def named(panel: Panel) -> Iterator[Line]:
    """The lines that the legend tells, one of each name."""
    told: set[str] = set()
    for line in panel.lines:
        if line.legend and line.name and line.name not in told:
            told.add(line.name)
            yield line


def _mapper(of: Heat | Scale, low: float, high: float) -> Any:
    kind = LogColorMapper if of.log else LinearColorMapper
    return kind(palette=Viridis256, low=low, high=high, nan_color="rgba(0, 0, 0, 0)")


def _range(axis: Axis, padding: float) -> Any:
    if axis.low is not None and axis.high is not None:
        return Range1d(axis.low, axis.high)
    given = {"start": axis.low, "end": axis.high}
    return DataRange1d(
        **{name: value for name, value in given.items() if value is not None}, range_padding=padding
    )


def _plain(text: str) -> PlainText:
    """As it is: of a bare text Bokeh would set as mathematics what stands between dollars."""
    return PlainText(text=text)


def in_page(colour: str | None) -> str:
    """A colour of a figure as the style sheet has it for the ground of the page."""
    return f"var({_WORDS[colour]})" if colour in _WORDS else colour or "var(--ink)"


def _tags(colour: str | None) -> list[str]:
    """By which `page.js` gives it the colour of the ground it is on."""
    return [_WORDS[colour]] if colour in _WORDS else []
