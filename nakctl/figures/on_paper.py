"""Draws a figure with matplotlib as it goes into a paper: png, pdf or svg, as wide as a column or a page."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure as Sheet
from matplotlib.gridspec import GridSpec
from matplotlib.layout_engine import ConstrainedLayoutEngine

from nakctl.figures.figure import Axis, Figure, Heat, Mark, Panel
from nakctl.figures.letters import families, one_line, wrapped
from nakctl.figures.on_axes import draw_panel, ratio
from nakctl.figures.ticks import set_ticks

COLUMN_cm, PAGE_cm = 8.5, 17.5  # of most journals
PANEL_cm = 5.6  # of a panel with height 1
TITLE_cm = 0.45
BESIDE_cm, SCALE_cm = 1.5, 1.6  # what labels and a scale of colours take of the width
LOWEST_cm, HIGHEST_cm = 2.2, 9.0  # of a panel with equal axes
SIZE_pt, SMALL_pt = 7.0, 6.0
DPI = 300
_CM = 1 / 2.54
_STYLE: dict[str, Any] = {
    "font.size": SIZE_pt,
    "axes.labelsize": SIZE_pt,
    "axes.titlesize": SIZE_pt,
    "xtick.labelsize": SMALL_pt,
    "ytick.labelsize": SMALL_pt,
    "legend.fontsize": SMALL_pt,
    "legend.title_fontsize": SMALL_pt,
    "axes.linewidth": 0.6,
    "lines.linewidth": 0.8,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "text.parse_math": False,  # whatever stands in a title is text
    "axes.formatter.useoffset": False,
    "pdf.fonttype": 42,  # letters stay letters in an editor
    "svg.fonttype": "path",  # and look alike where the fonts are not
    "svg.hashsalt": "nakctl",  # the same figure is the same file
    "path.simplify_threshold": 0.3,
    "agg.path.chunksize": 20_000,
}


def draw(figure: Figure, path: Path, dpi: float = DPI) -> None:
    """Write it; the ending of path says which format. Without a date: the same figure is the same file."""
    style: Any = {**_STYLE, "font.family": families(_letters(figure))}
    with rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")  # it is drawn as a box
        warnings.filterwarnings("ignore", message="Data has no positive values")  # nothing is drawn
        sheet = _sheet(figure)
        dates = {".png": {}, ".pdf": {"CreationDate": None, "ModDate": None}, ".svg": {"Date": None}}
        named = {"Title": _title(figure)} if path.suffix.lower() in dates else {}
        sheet.savefig(path, dpi=dpi, metadata={**named, **dates.get(path.suffix.lower(), {})})


def _sheet(figure: Figure) -> Sheet:
    width_cm = PAGE_cm if figure.wide else COLUMN_cm
    heights_cm = [max(_height_cm(panel, row, width_cm) for panel in row) for row in figure.rows]
    sheet, above_cm = _drawn(figure, width_cm, heights_cm, [0.0] * len(heights_cm))
    if any(above_cm):  # legends found no room within their axes: these are not to shrink for it
        sheet, _ = _drawn(figure, width_cm, heights_cm, above_cm)
    return sheet


def _drawn(
    figure: Figure, width_cm: float, heights_cm: list[float], more_cm: list[float]
) -> tuple[Sheet, list[float]]:
    """And how much room legends take above each row. more_cm: is added to the rows for them."""
    title = wrapped(figure.title, (width_cm - 0.3) * _CM * 72, SIZE_pt, 2)
    title_cm = TITLE_cm * (title.count("\n") + 1) if title else 0.0
    layout = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02, wspace=0.03, hspace=0.02)
    sheet = Sheet(figsize=(width_cm * _CM, (sum(heights_cm) + sum(more_cm) + title_cm) * _CM), layout=layout)
    FigureCanvasAgg(sheet)
    above_cm = _panels(sheet, figure, heights_cm, more_cm)
    if title:
        sheet.suptitle(title, fontsize=SIZE_pt, x=0.01, ha="left")
    if figure.simulated:
        size_pt = width_cm * _CM * 72 / 9
        shown: Any = {"fontsize": size_pt, "ha": "center", "va": "center", "rotation": 20}
        sheet.text(0.5, 0.5, "SIMULATED", color="0.6", alpha=0.18, **shown)  # seen on white, and on dark maps
    return sheet, above_cm


def _panels(sheet: Sheet, figure: Figure, heights_cm: list[float], more_cm: list[float]) -> list[float]:
    """The room that legends take above each row, in cm."""
    columns = math.lcm(*map(len, figure.rows))
    fullest = max(figure.rows, key=len)
    widths = [panel.width for panel in fullest] if len(fullest) == columns else [1.0] * columns
    whole_cm = np.add(heights_cm, more_cm).tolist()
    grid = sheet.add_gridspec(len(figure.rows), columns, height_ratios=whole_cm, width_ratios=widths)
    above_cm = [0.0] * len(figure.rows)
    linked: dict[object, Axes] = {}
    places = [(number, place) for number, row in enumerate(figure.rows) for place in range(len(row))]
    served: list[Axes] = []  # that one scale of colours is for
    for k, (number, place) in enumerate(places):
        row, panel = figure.rows[number], figure.rows[number][place]
        axes = _axes(sheet, grid, (number, place), row, linked)
        room_cm = _room_cm(figure, row, heights_cm[number])
        coloured, of_legend_cm = draw_panel(axes, panel, room_cm)
        above_cm[number] = max(above_cm[number], of_legend_cm)
        served.append(axes)
        if not _goes_on(figure, places[k : k + 2]):
            if coloured is not None:
                _scale(sheet, served, coloured, panel, room_cm[1])
            served = []
        if panel.linked and _is_linked_below(figure, number, panel):
            axes.tick_params(labelbottom=False)
            axes.set_xlabel("")
    return above_cm


def _axes(
    sheet: Sheet, grid: GridSpec, at: tuple[int, int], row: tuple[Panel, ...], linked: dict[object, Axes]
) -> Axes:
    number, place = at
    each = grid.ncols // len(row)
    link = _link(row[place])
    axes = sheet.add_subplot(
        grid[number, place * each : (place + 1) * each], sharex=linked.get(link) if link else None
    )
    if link:
        linked.setdefault(link, axes)
    return axes


def _link(panel: Panel) -> object:
    """What panels have in common that share their x: minutes are no hours, though both are times."""
    return (panel.linked, panel.x.label, panel.x.log) if panel.linked else None


def _scale(sheet: Sheet, served: list[Axes], coloured: ScalarMappable, panel: Panel, high_cm: float) -> None:
    heat = next((each for each in panel.drawn if isinstance(each, Heat)), None)
    told = heat or panel.scale
    label = one_line(told.label) if told is not None else ""
    if panel.equal:  # as high as the axes, whose height follows from their width
        bar = sheet.colorbar(coloured, cax=served[-1].inset_axes((1.02, 0.0, 0.03, 1.0)), label=label)
    else:
        bar = sheet.colorbar(coloured, ax=served, label=label, aspect=22, fraction=0.05, pad=0.015)
    bar.outline.set_linewidth(0.5)
    scale_axis = bar.ax.yaxis
    set_ticks(scale_axis, Axis(label, log=told is not None and told.log), high_cm)


def _goes_on(figure: Figure, places: list[tuple[int, int]]) -> bool:
    """Whether the next panel has the same scale of colours, so that one serves both."""
    scales = [_colours_told(figure.rows[number][place]) for number, place in places]
    return len(scales) == 2 and scales[0] is not None and scales[0] == scales[1]


def _colours_told(panel: Panel) -> object:
    heat = next((each for each in panel.drawn if isinstance(each, Heat)), None)
    return (heat.label, heat.low, heat.high, heat.log) if heat else panel.scale


def _is_linked_below(figure: Figure, number: int, panel: Panel) -> bool:
    return any(_link(other) == _link(panel) for row in figure.rows[number + 1 :] for other in row)


def _height_cm(panel: Panel, row: tuple[Panel, ...], width_cm: float) -> float:
    if not panel.equal:
        return panel.height * PANEL_cm
    beside_cm = BESIDE_cm + (SCALE_cm if panel.scale is not None else 0.0)
    own_cm = width_cm * panel.width / sum(each.width for each in row) - beside_cm
    return min(max(own_cm * ratio(panel), LOWEST_cm), HIGHEST_cm) + 1.1


def _room_cm(figure: Figure, row: tuple[Panel, ...], height_cm: float) -> tuple[float, float]:
    """About how wide and high the axes of a panel of this row will be."""
    width_cm = (PAGE_cm if figure.wide else COLUMN_cm) / len(row) - BESIDE_cm
    return width_cm, max(height_cm - 1.0, 1.0)


def _title(figure: Figure) -> str:
    mark = "SIMULATED " if figure.simulated else ""
    return f"{mark}{one_line(figure.title)}"


def _letters(figure: Figure) -> str:
    return "".join(one_line(text) for text in _texts(figure))


def _texts(figure: Figure) -> Iterator[str]:
    yield figure.title
    for panel in figure.panels:
        yield from (panel.title, panel.note, panel.legend, panel.x.label, panel.y.label)
        yield from (each.text if isinstance(each, Mark) else each.name for each in panel.drawn)
