"""The spectra of a run in a page: one at a time, and a slider that goes through the run."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import numpy.typing as npt

from nakctl.figures.choice import evenly
from nakctl.figures.figure import DISTINCT, FAINT, Axis, Figure, Line, Panel
from nakctl.page.document import data, figure_html
from nakctl.page.markup import Markup, tag
from nakctl.page.on_screen import on_screen
from nakctl.record.read import Run
from nakctl.text.numbers import count, duration, si

MOST = 1500  # spectra of a page; of more an even choice

Rows = npt.NDArray[np.intp]


def through_the_run(run: Run, name: str = "spectra") -> Markup | None:
    """None: the run holds no spectrum that is complete."""
    whole = np.flatnonzero(run.spectra["complete"]) if len(run.spectra) else np.zeros(0, np.intp)
    if len(whole) == 0:
        return None
    chosen = evenly(whole, MOST)
    areal = bool(run.header.area_cm2)
    z = _impedance(run)
    points, first = _points(run, chosen)
    figure = _figure(z[points], first, areal, run.header.simulated)
    told = {
        "figure": name, "source": f"{name}-0-1", "first": first, "x": _packed(z[points].real),
        "y": _packed(-z[points].imag), "words": [_words(run, int(row)) for row in chosen],
    }  # fmt: skip
    left_out = f"{len(chosen)} of {count(len(whole))}, evenly chosen" if len(chosen) < len(whole) else ""
    slider = tag(
        "input", type="range", min=0, max=len(chosen) - 1, value=len(chosen) - 1, step=1,
        aria_label="spectrum", disabled=len(chosen) < 2, autocomplete="off",
    )  # fmt: skip
    box = tag(
        "div",
        tag("output", ""),
        slider,
        tag("p", left_out, class_="note"),
        data(told, "told"),
        class_="spectra",
    )
    return figure_html(on_screen(figure, name), beside=box)


def _figure(z: npt.NDArray[np.complex128], first: list[int], areal: bool, simulated: bool) -> Figure:
    unit = "Ω cm²" if areal else "Ω"
    one, last = slice(first[0], first[1]), slice(first[-2], first[-1])
    lines = [
        Line(z.real[one], -z.imag[one], "the first one", FAINT, dash="dotted"),
        Line(z.real[last], -z.imag[last], "this one", DISTINCT[0], style="both"),
    ]
    panel = Panel(Axis(f"Re Z / {unit}"), Axis(f"−Im Z / {unit}"), tuple(lines), equal=True)
    return Figure("nyquist", "", ((panel,),), simulated)


def _impedance(run: Run) -> npt.NDArray[np.complex128]:
    """All of it: in ohm cm2 if the area is known."""
    z_ohm = run.impedance["Z_re"] + 1j * run.impedance["Z_im"]
    return np.asarray(z_ohm * (run.header.area_cm2 or 1.0), np.complex128)


def _points(run: Run, chosen: Rows) -> tuple[Rows, list[int]]:
    """Rows of the points of these spectra, one after the other, and where each begins; the end besides."""
    first, many = run.spectra["first_row"][chosen].astype(int), run.spectra["row_count"][chosen].astype(int)
    rows = [np.arange(start, start + length) for start, length in zip(first, many, strict=True)]
    return np.concatenate(rows), [0, *np.cumsum(many).tolist()]


def _words(run: Run, row: int) -> str:
    spectra = run.spectra
    start = int(spectra["first_row"][row])
    highest, lowest = (run.impedance["frequency"][start + k] for k in (0, int(spectra["row_count"][row]) - 1))
    place = f"spectrum {spectra['spectrum'][row]}, cycle {spectra['cycle'][row]}"
    return f"{place}, at {duration(float(spectra['time'][row]))}: {_si_Hz(highest)} to {_si_Hz(lowest)}"


def _si_Hz(frequency_Hz: Any) -> str:
    return si(float(frequency_Hz), "Hz", 3)


def _packed(values: Any) -> str:
    return base64.b64encode(np.asarray(values, "<f4").tobytes()).decode("ascii")
