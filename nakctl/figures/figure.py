"""What a figure shows, as values: no library draws here.

One description, several uses: `nakctl plot` draws it on paper, the report and the live page on a screen, and
`--data` writes its numbers. What is measured is worked out in `nakctl.results`; a kind of figure only puts it
side by side.

Texts are plain (no markup of a drawing library): "j / mA cm⁻²", "−Im Z / Ω cm²", "γ / Ω cm²", "τ / s".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]

# Colours that a renderer turns into what is seen well on its ground, light or dark.
INK, FAINT = "ink", "faint"
# After Okabe and Ito (https://jfly.uni-koeln.de/color/): the colour-blind can tell them apart.
DISTINCT = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A6A00", "#8B5FBF")

Style = Literal["line", "points", "both"]
Dash = Literal["solid", "dashed", "dotted"]


@dataclass(frozen=True, slots=True)
class Axis:
    """label: quantity and unit. low, high: what is to be seen, where that is not all there is.

    whole  it counts something: no numbers between 1 and 2
    """

    label: str
    log: bool = False
    low: float | None = None
    high: float | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """x, y, (n,): y may be NaN where nothing is drawn.

    name    for the legend, and for the column of the data; several of one name are one entry
    colour  one of DISTINCT, INK or FAINT; None: by `place` on the panel's scale
    place   what the colour stands for, on the scale (a time, a current)
    legend  whether the legend tells it
    """

    x: Floats
    y: Floats
    name: str
    colour: str | None = None
    place: float | None = None
    style: Style = "line"
    dash: Dash = "solid"
    legend: bool = True


@dataclass(frozen=True, slots=True)
class Heat:
    """A map. x (n,) and y (m,) rising: the middles of its fields; z (m, n), NaN where there is nothing.

    log: of the colours; low, high: where they begin and end
    """

    x: Floats
    y: Floats
    z: Floats
    label: str
    name: str
    log: bool = False
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A thin line across the panel at x or at y, and what it means. until: a band, from x to there."""

    text: str
    x: float | None = None
    y: float | None = None
    until: float | None = None
    colour: str = FAINT


@dataclass(frozen=True, slots=True)
class Scale:
    """What the colours of lines stand for that have a `place`."""

    label: str
    low: float
    high: float
    log: bool = False


Drawn = Line | Heat | Mark


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes.

    equal   a unit is as long in x as in y (Nyquist)
    linked  panels of a figure with the same word here share their x; "" with none
    height, width  beside the other rows of the figure, the other panels of the row
    note    a sentence below the title: what was left out, what cannot be known
    legend  what the names of the lines are ("rest"); "" where they say it themselves
    """

    x: Axis
    y: Axis
    drawn: tuple[Drawn, ...]
    title: str = ""
    scale: Scale | None = None
    equal: bool = False
    linked: str = ""
    height: float = 1.0
    note: str = ""
    width: float = 1.0
    legend: str = ""

    @property
    def lines(self) -> Iterator[Line]:
        return (each for each in self.drawn if isinstance(each, Line))


@dataclass(frozen=True, slots=True)
class Figure:
    """kind: by what `--kind` calls it. rows: panels, from above; a row's panels stand side by side.

    simulated  any of the runs was: it is written across the figure
    wide       it takes the width of a page; else that of one of its columns
    """

    kind: str
    title: str
    rows: tuple[tuple[Panel, ...], ...]
    simulated: bool = False
    wide: bool = False

    @property
    def panels(self) -> Iterator[Panel]:
        return (panel for row in self.rows for panel in row)
