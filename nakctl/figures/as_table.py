"""The numbers behind a figure as a table: long, one block of columns for each panel."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nakctl.figures.figure import Figure, Heat, Line, Mark, Panel

Row = tuple[Any, ...]


def columns(figure: Figure) -> tuple[list[str], list[Row]]:
    """Names, and rows. Of panel k: `k curve`, `k <label of x>`, `k <label of y>`, of a map `k <its label>`.

    Blocks stand side by side and are filled up with empty cells. The name of a curve column says that a run
    was simulated. A mark has the coordinate that it has.
    """
    names: list[str] = []
    blocks: list[list[Row]] = []
    for number, panel in enumerate(figure.panels, start=1):
        maps = [each for each in panel.drawn if isinstance(each, Heat)]
        mark = ", SIMULATED" if figure.simulated else ""
        labels = [f"curve{mark}", panel.x.label, panel.y.label, *(each.label for each in maps[:1])]
        names += [f"{number} {' '.join(label.split())}" for label in labels]
        blocks.append([row if maps else row[:3] for row in _rows(panel)])
    widths = [len(block[0]) if block else 0 for block in blocks]
    filled = itertools.zip_longest(*blocks)
    return names, [
        tuple(
            itertools.chain.from_iterable(
                row or ("",) * width for row, width in zip(line, widths, strict=True)
            )
        )
        for line in filled
    ]


def write(figure: Figure, path: Path) -> None:
    """UTF-8 with a mark that spreadsheets look for; digits as many as it takes to read the same numbers."""
    names, rows = columns(figure)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(rows)


def _rows(panel: Panel) -> Iterator[Row]:
    for each in panel.drawn:
        if isinstance(each, Line):
            for x, y in zip(each.x.tolist(), each.y.tolist(), strict=True):
                yield each.name, x, y, ""
        elif isinstance(each, Heat):
            yield from _fields(each)
        elif each.text:
            yield from _mark(each)


def _fields(heat: Heat) -> Iterator[Row]:
    """One row for each field of a map; those that hold nothing are left out."""
    for k, x in enumerate(heat.x.tolist()):
        column = heat.z[:, k]
        known = np.isfinite(column)
        for y, z in zip(heat.y[known].tolist(), column[known].tolist(), strict=True):
            yield heat.name, x, y, z


def _mark(mark: Mark) -> Iterator[Row]:
    places = [mark.x] if mark.until is None else [mark.x, mark.until]
    for x in places:
        yield mark.text, "" if x is None else x, "" if mark.y is None else mark.y, ""
