"""Pages of runs that go on, as they are before anything is known: `live.js` fills them, again and again."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from nakctl.figures.figure import DISTINCT, FAINT, Axis, Figure, Line, Panel
from nakctl.page.document import asset, figure_html
from nakctl.page.markup import Content, Markup, tag, text
from nakctl.page.on_screen import on_screen

SPECTRA = ("the last one", "the one before", "two before")
_NOT_YET = np.zeros(1)  # of a picture without a point Bokeh complains


def wall(folder: str, root: str, *, control: bool) -> str:
    """Every run on a card. folder: whose runs they are, "": all of this computer; root: see `Guard`."""
    where = ["runs whose files lie in ", tag("code", text(folder))] if folder else "the runs of this computer"
    body = [
        tag("h1", "Runs"),
        tag("p", where, _how(control), class_="lead"),
        tag("div", id="runs", class_="wall", aria_live="off"),
        tag("p", "no run is going on, and none was left unsealed", id="nothing", class_="note", hidden=True),
        tag("section", tag("h2", "Ended since"), tag("ul", class_="files"), id="ended", hidden=True),
        tag("section", tag("h2", "Finished"), tag("ul", class_="files"), id="files", hidden=True),
    ]
    return _page("Runs", body, {"kind": "wall", "from": f"{root}/wall.json", "root": root})


def run(title: str, run_id: str, root: str, *, areal: bool, control: bool) -> str:
    """One run: its state, its curves, its last spectra, and what was said."""
    curves, spectra = (
        on_screen(of(areal), name) for of, name in ((_curves, "curves"), (_spectra, "spectra"))
    )
    mark = tag("span", "SIMULATED", class_="badge warning", id="simulated", hidden=True)
    body = [
        tag("p", tag("a", "all runs", href=f"{root}/"), class_="lead"),
        tag("h1", tag("bdi", title, id="title"), " ", mark),
        tag("p", id="about", class_="lead", dir="auto"),
        tag("div", id="state", class_="card alone"),
        tag("div", id="over", class_="first", hidden=True),
        _stop() if control else None,
        tag("section", tag("h2", "Against time"), figure_html(curves)),
        tag("section", tag("h2", "Last spectra"), figure_html(spectra), id="nyquist", hidden=True),
        tag("section", tag("h2", "What was said"), tag("ol", class_="told", id="said")),
    ]
    about = {
        "kind": "run", "from": f"{root}/run/{run_id}/now.json", "id": run_id, "root": root,
        "spectra": len(SPECTRA),
    }  # fmt: skip
    return _page(title, body, about, scripts=("bokeh.js", "page.js"))


def sentence(told: str, again_s: int = 0) -> str:
    """A page that says one thing. again_s: after so long it is asked for anew."""
    again = tag("meta", http_equiv="refresh", content=str(again_s)) if again_s else None
    return _whole("nakctl", [tag("p", text(told))], again, style=tag("style", Markup(asset("page.css"))))


def _how(control: bool) -> str:
    return "; they can be stopped from here" if control else "; here they are only shown"


def _stop() -> Markup:
    """Asked for twice."""
    boundaries = ("step", "cycle", "spectrum")
    choices = (("", "now"), *((each, f"at the end of the {each}") for each in boundaries))
    options = (tag("option", words, value=value) for value, words in choices)
    do_it = tag("button", "Stop it", type="button", class_="danger", id="stop-it")
    leave_it = tag("button", "Leave it running", type="button", id="leave-it", autofocus=True)
    ask = [
        tag("p", tag("strong", "Stop this run?"), " ", tag("bdi", id="which")),
        tag("p", tag("label", "when ", tag("select", *options, id="after"))),
        tag("p", do_it, " ", leave_it),
    ]
    button = tag("button", "Stop ...", type="button", class_="danger", id="stop")
    said = tag("span", id="asked", role="status")
    return tag("div", button, said, tag("dialog", *ask, id="ask"), class_="control")


def _curves(areal: bool) -> Figure:
    time, current = Axis("time / s"), Axis("j / mA cm⁻²" if areal else "I / mA")
    Ewe, I = (Line(_NOT_YET, _NOT_YET, name, colour) for name, colour in zip("EI", DISTINCT[:2], strict=True))
    above = Panel(time, Axis("Ewe / V"), (Ewe,), linked="time")
    below = Panel(time, current, (I,), linked="time", height=0.75)
    return Figure("live", "", ((above,), (below,)))


def _spectra(areal: bool) -> Figure:
    unit = "Ω cm²" if areal else "Ω"
    colours = (DISTINCT[0], DISTINCT[5], FAINT)
    lines = tuple(
        Line(_NOT_YET, _NOT_YET, name, colour, style="both" if k == 0 else "line")
        for k, (name, colour) in enumerate(zip(SPECTRA, colours, strict=True))
    )
    panel = Panel(Axis(f"Re Z / {unit}"), Axis(f"−Im Z / {unit}"), lines, equal=True)
    return Figure("nyquist", "", ((panel,),))


def _page(title: str, body: Content, about: dict[str, Any], scripts: tuple[str, ...] = ()) -> str:
    lost = tag("p", id="lost", role="alert", class_="lost", hidden=True)
    told = tag("script", Markup(json.dumps(about)), type="application/json", id="page")
    root = about["root"]
    run_them = [tag("script", src=f"{root}/{name}") for name in (*scripts, "live.js")]
    style = tag("link", rel="stylesheet", href=f"{root}/page.css")
    return _whole(title, [lost, body, told, *run_them], None, style)


def _whole(title: str, body: Content, more: Content, style: Markup) -> str:
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        style,
        more,
    ]
    whole = tag("html", tag("head", *head), tag("body", tag("main", body)), lang="en")
    return f"<!doctype html>\n{whole}\n"
