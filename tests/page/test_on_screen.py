"""Figures become documents of Bokeh that show the same numbers, and whose words are words."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import hostile
import numpy as np
import pytest
from hostile import Parsed

from nakctl.figures.figure import DISTINCT, FAINT, INK, Axis, Figure, Heat, Line, Mark, Panel, Scale
from nakctl.page.document import figure_html
from nakctl.page.on_screen import on_screen
from nakctl.page.pyramid import DRAWN, levels


def drawn(*panels: Panel, most: int = 20_000) -> Any:
    return on_screen(Figure("kind", "", tuple((each,) for each in panels)), "f", most)


def panel(*drawn: Any, x: Axis | None = None, y: Axis | None = None, **more: Any) -> Panel:
    return Panel(x or Axis("x / s"), y or Axis("y / V"), drawn, **more)


def plot_of(*drawn_: Any, **more: Any) -> Any:
    return drawn(panel(*drawn_, **more)).document.roots[0]


def line(x: Any, y: Any, name: str = "Ewe", colour: str | None = DISTINCT[0], **more: Any) -> Line:
    return Line(np.asarray(x, float), np.asarray(y, float), name, colour, **more)


def test_a_line_keeps_its_points_and_its_gaps() -> None:
    [renderer] = plot_of(line([0, 1, 2], [1, np.nan, 3])).renderers
    assert renderer.data_source.data["x"].tolist() == [0, 1, 2]
    np.testing.assert_array_equal(renderer.data_source.data["y"], np.float32([1, np.nan, 3]))
    assert renderer.name == "Ewe"
    assert renderer.tags == [0, "--c0"]


def test_words_are_no_mathematics() -> None:
    from bokeh.models import PlainText

    axis = Axis("$$x$$ / s")
    plot = plot_of(line([0, 1], [0, 1]), Mark("$$m$$", x=0.5), x=axis, y=axis)
    words = [
        plot.xaxis[0].axis_label,
        plot.yaxis[0].axis_label,
        *(each.text for each in plot.center if hasattr(each, "text")),
    ]
    assert len(words) == 3
    assert all(isinstance(each, PlainText) and "$$" in each.text for each in words)


def test_panels_of_one_word_share_their_x() -> None:
    first, second, alone = drawn(
        panel(line([0, 1], [0, 1]), linked="time"),
        panel(line([0, 9], [0, 1]), linked="time"),
        panel(line([0], [0])),
    ).document.roots
    assert first.x_range is second.x_range
    hours, seconds = drawn(
        panel(line([0, 1], [0, 1]), linked="time"), panel(line([0], [0]), linked="time", x=Axis("x / h"))
    ).document.roots
    assert hours.x_range is not seconds.x_range
    assert first.x_range is not alone.x_range


def test_what_is_to_be_seen_is_seen() -> None:
    plot = plot_of(line([1, 10], [0, 1]), x=Axis("f / Hz", log=True, low=1.0, high=1e6), equal=True)
    assert (plot.x_range.start, plot.x_range.end) == (1.0, 1e6)
    assert plot.match_aspect


def test_a_long_curve_comes_in_levels_that_page_js_can_read() -> None:
    x, y = np.arange(30_000.0), np.sin(np.arange(30_000) / 50)
    told = drawn(panel(line(x, y), linked="time"), most=20_000).as_json()
    [(name, packed)] = told["curves"].items()
    assert name == "f-0-0"
    for each, level in zip(packed, levels(x, y, 20_000), strict=True):
        np.testing.assert_array_equal(np.frombuffer(b64decode(each["x"]), "<f8"), level.x)
        np.testing.assert_array_equal(np.frombuffer(b64decode(each["y"]), "<f4"), level.y.astype("f4"))
    assert len(packed[-1]["x"]) < DRAWN * 11


def test_a_map_lies_where_its_axes_say() -> None:
    """Fields of 1, 1 and 2 wide in x; of a decade each in y."""
    z = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, np.nan]])
    heat = Heat(np.array([0.5, 1.5, 3.0]), np.array([1e-2, 1e-1]), z, "γ / Ω cm²", "map", log=True)
    plot = plot_of(heat, y=Axis("τ / s", log=True))
    [renderer] = plot.renderers
    image, glyph = renderer.data_source.data["image"][0], renderer.glyph
    assert (glyph.x, glyph.dw) == (0.0, 3.75)
    np.testing.assert_allclose((glyph.y, glyph.y + glyph.dh), (10**-2.5, 10**-0.5))
    assert image[0].tolist() == [1, 2, 3, 3]
    assert np.isnan(image[1, -1])
    assert (glyph.color_mapper.low, glyph.color_mapper.high) == (1.0, 5.0)


def test_places_on_a_scale_have_its_colours() -> None:
    from bokeh.palettes import Viridis256

    lines = [
        line([0, 1], [0, 1], str(k), None, place=place, legend=False)
        for k, place in enumerate((1.0, 10.0, 100.0))
    ]
    plot = plot_of(*lines, scale=Scale("j", 1.0, 100.0, log=True))
    assert [each.glyph.line_color for each in plot.renderers] == [Viridis256[k] for k in (0, 128, 255)]


def test_marks_and_bands() -> None:
    from bokeh.models import BoxAnnotation, Span

    plot = plot_of(
        Mark("short", x=1.0, colour=INK), Mark("", y=0.0), Mark("rest", x=2.0, until=3.0), line([0], [0])
    )
    spans = {each.dimension: each.location for each in plot.center if isinstance(each, Span)}
    assert spans == {"height": 1.0, "width": 0.0}
    [band] = [each for each in plot.center if isinstance(each, BoxAnnotation)]
    assert (band.left, band.right) == (2.0, 3.0)


def test_nothing_to_draw_is_no_fault() -> None:
    empty = np.zeros(0)
    figure = drawn(
        panel(), panel(line([], [])), panel(line([0], [np.nan], "x", FAINT)), panel(Heat(empty, empty, np.zeros((0, 0)), "", "")),
        panel(Heat(np.ones(1), np.ones(1), np.full((1, 1), np.nan), "z", "z", log=True)),
    )  # fmt: skip
    json.loads(json.dumps(figure.as_json(), default=lambda each: each.to_base64()))


@pytest.mark.parametrize("log", [False, True])
def test_an_empty_picture_has_axes_all_the_same(log: bool) -> None:
    """Bokeh would look for its ends among the points, and complain on the console of the browser."""
    axis = Axis("x", log=log)
    for points in ([], [np.nan], [0.0, -1.0] if log else [np.inf]):
        plot = plot_of(line(points, points), Mark("m", x=1.0), x=axis, y=axis)
        assert plot.x_range.end > plot.x_range.start > -1
        assert plot.y_range.end > plot.y_range.start > -1


def test_points_without_a_place_make_no_axis() -> None:
    """Of each x the y is not known: an x alone is nowhere."""
    unknown = panel(line([1, 2], [np.nan, np.nan]), line([np.nan, 3.0], [1.0, np.nan]))
    plot = drawn(unknown).document.roots[0]
    assert (plot.x_range.start, plot.x_range.end, plot.y_range.start, plot.y_range.end) == (0, 1, 0, 1)
    assert "nothing of this could be determined" in Parsed(figure_html(drawn(unknown))).shown
    assert "nothing of this" not in Parsed(figure_html(drawn(panel(line([0], [0]))))).shown


def test_a_point_that_is_alone_is_seen() -> None:
    assert [type(each.glyph).__name__ for each in plot_of(line([1], [2])).renderers] == ["Line", "Scatter"]


def test_names_in_a_legend_are_text() -> None:
    lines = [
        line([0, 1], [0, k], name, DISTINCT[k]) for k, name in enumerate((hostile.SCRIPT, hostile.IMAGE, "x"))
    ]
    told = panel(*lines, line([0], [0], "x"), title=hostile.SCRIPT, note=hostile.ENTITY, legend="what")
    parsed = Parsed(figure_html(drawn(told)))
    for text in (hostile.SCRIPT, hostile.IMAGE, hostile.ENTITY):
        assert text in parsed.shown
    assert parsed.names.count("button") == 3  # of one name, one
    assert "img" not in parsed.names
    assert (len(parsed.data), parsed.scripts) == (1, [])  # nor does a name end what scripts read
    assert parsed.values("data-entry") == ["0", "1", "2"]
