"""A page as one file: styles, scripts and figures lie in it, and its browser may fetch nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from nakctl.figures.figure import Figure, Line, Panel
from nakctl.page.axes import shows_something
from nakctl.page.drawing import named
from nakctl.page.look import in_page
from nakctl.page.markup import Content, Markup, markup, tag, text
from nakctl.page.on_screen import OnScreen

# What a browser may do with a page: run and show what lies in it. Bokeh sets styles of its own.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)


def page(title: str, body: Content, *, scripts: Sequence[str] = ("page.js",), drawn: bool = True) -> str:
    """A whole page that opens offline. drawn: it holds figures, and with them Bokeh's own script."""
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Markup(asset("page.css"))),
    ]
    run = [script(bokeh_js()), *(script(asset(name)) for name in scripts)] if drawn else []
    whole = tag("html", tag("head", *head), tag("body", tag("main", body), run), lang="en")
    return f"<!doctype html>\n{whole}\n"


@cache
def asset(name: str) -> str:
    return files("nakctl.page").joinpath("assets", name).read_text("utf-8")


@cache
def bokeh_js() -> str:
    """Of its own package, so that script and documents are of one version."""
    from bokeh.util.paths import bokehjs_path

    return str(bokehjs_path().joinpath("js", "bokeh.min.js").read_text("utf-8"))


def script(code: str) -> Markup:
    """Nothing in our scripts, and in Bokeh's, ends the element that holds it."""
    return tag("script", Markup(code.replace("</script", "<\\/script")))


def data(content: Any, class_: str) -> Markup:
    """What a script reads, as JSON that no HTML can be seen in."""
    told = json.dumps(content, separators=(",", ":"), default=_plain, allow_nan=False)
    hidden = told.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return tag("script", Markup(hidden), type="application/json", class_=class_)


def _plain(value: Any) -> Any:
    """Bokeh's buffers, which are text in a page."""
    from bokeh.core.json_encoder import PayloadEncoder

    return PayloadEncoder().default(value)


def figure_html(drawn: OnScreen, *, title: bool = True, beside: Content = None) -> Markup:
    """Where `page.js` puts the picture, with all that is to be read. beside: what belongs below it."""
    figure = drawn.figure
    places = iter(range(sum(1 for _ in figure.panels)))
    rows = [
        tag("div", *(_panel(panel, f"{drawn.name}-{next(places)}") for panel in row), class_="row")
        for row in figure.rows
    ]
    head = tag("figcaption", text(figure.title)) if title and figure.title else None
    return tag("figure", head, *rows, beside, data(drawn.as_json(), "figure"), class_="drawn", id=drawn.name)


def _panel(panel: Panel, name: str) -> Markup:
    head = tag("h4", text(panel.title)) if panel.title else None
    kind = "panel equal" if panel.equal else "panel"
    note = tag("p", text(panel.note), class_="note") if panel.note else None
    empty = (
        None
        if shows_something(panel)
        else tag("p", "none: nothing of this could be determined", class_="note")
    )
    parts = (head, note, empty, tag("div", id=name, class_="plot"), _legend(panel, name))
    return tag("div", *parts, class_=kind, style=f"flex-grow: {panel.width:g}")


def _legend(panel: Panel, name: str) -> Markup | None:
    """Of two names or more; a click hides what has it, and shows it again."""
    lines = list(named(panel))
    if len(lines) < 2:
        return None
    about = [tag("li", text(panel.legend), class_="note")] if panel.legend else []
    entries = (tag("li", _entry(line, place)) for place, line in enumerate(lines))
    return tag("ul", *about, *entries, class_="legend", data_of=name)


def _entry(line: Line, place: int) -> Markup:
    look = "points" if line.style == "points" else line.dash
    swatch = tag("span", class_=f"swatch {look}", style=f"color: {in_page(line.colour)}", aria_hidden="true")
    return tag("button", swatch, text(line.name), type="button", aria_pressed="true", data_entry=place)


# --- words -------------------------------------------------------------------------------------------------


def table(head: Iterable[Content], rows: Iterable[Iterable[Content]], class_: str = "") -> Markup:
    """It is scrolled where it is too wide, or too long."""
    top = tag("tr", *(tag("th", each, scope="col") for each in head))
    body = (tag("tr", *(tag("td", each) for each in row)) for row in rows)
    whole = tag("table", tag("thead", top), tag("tbody", *body))
    return tag("div", whole, class_=f"scrolled {class_}".rstrip(), tabindex="0")


def facts(told: Iterable[tuple[str, Content]]) -> Markup:
    """Names and values, one below the other; what is nothing is left out."""
    pairs = [(name, markup(value)) for name, value in told]
    return tag("dl", *(Markup(tag("dt", name) + tag("dd", value)) for name, value in pairs if value))


def section(title: str, *content: Content, id_: str = "") -> Markup:
    return tag("section", tag("h2", title), *content, id=id_ or None)


def folded(title: str, *content: Content, is_open: bool = False) -> Markup:
    return tag("details", tag("summary", title), *content, open=is_open)


__all__ = ["Figure", "asset", "data", "facts", "figure_html", "folded", "page", "script", "section", "table"]
