"""A figure on a screen, drawn by Bokeh: to be zoomed into, with values where the pointer is.

All words but those of the axes stand beside the picture, as HTML (`document.figure_html`). Colours are the
style sheet's, see `--bk-` there: so a page is light or dark as its reader has it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bokeh.document import Document

from nakctl.figures.figure import Figure
from nakctl.page.axes import Axes
from nakctl.page.drawing import Drawing
from nakctl.page.pyramid import Level


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
    document, axes = Document(), Axes(figure)
    curves: dict[str, Sequence[Level]] = {}
    for place, panel in enumerate(figure.panels):
        mine = f"{name}-{place}"
        drawing = Drawing(panel, mine, most, axes.plot(panel, mine))
        if figure.simulated:
            drawing.say_simulated()
        document.add_root(drawing.plot)
        curves.update(drawing.curves)
    return OnScreen(name, figure, document, curves)


def _packed(level: Level) -> dict[str, str]:
    """Little-endian, x in double and y in single precision: that of a file."""
    return {"x": _base64(level.x.astype("<f8")), "y": _base64(level.y.astype("<f4"))}


def _base64(values: Any) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")
