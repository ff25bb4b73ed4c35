"""The current that a plan asks for, against time. A train of 50 000 pulses is a band, not 50 000 lines."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nakctl.device.instrument import Instrument
from nakctl.device.program import Ask, Program, SetPoint
from nakctl.plan import plan as p
from nakctl.plan.estimate import Estimate
from nakctl.plan.scene import Leaf, dc_A, sweep_of
from nakctl.text.numbers import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PASSES = 200
MOST_PIECES = 20_000
SHOWN_WITHOUT_END = 20  # passes of an endless repeat that has no limits.time
SHOWN_OF_BAND = 3  # passes drawn beside the picture where it holds a band
_UNITS = (("s", 1.0, 300.0), ("min", 60.0, 4 * 3600.0), ("h", 3600.0, 5 * 86400.0), ("d", 86400.0, math.inf))


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of time with its current; low and high differ where it stands for many passes.

    low_A, high_A  NaN while the potential is controlled: the current is the cell's answer
    spectra        sweeps run in it
    one_pass       what is repeated in it, from time 0; empty unless it stands for many passes
    """

    start_s: float
    end_s: float
    low_A: float
    high_A: float
    spectra: bool
    one_pass: tuple[Piece, ...] = ()

    def later(self, seconds: float) -> Piece:
        return replace(self, start_s=self.start_s + seconds, end_s=self.end_s + seconds)


def pieces(plan: p.Plan, estimate: Estimate) -> tuple[Piece, ...]:
    """The run in order of time; repeats of more than 200 passes as one piece each."""
    return tuple(_steps(plan.steps, estimate, 0.0))


def _steps(steps: Sequence[p.Step], estimate: Estimate, start_s: float) -> Iterator[Piece]:
    for step in steps:
        for piece in _step(step, estimate, start_s):
            yield piece
            start_s = piece.end_s


def _step(step: p.Step, estimate: Estimate, start_s: float) -> Iterator[Piece]:
    match step:
        case p.Repeat():
            yield from _repeat(step, estimate, start_s)
        case p.Staircase():
            yield from _steps([each for one_pass in step.passes for each in one_pass], estimate, start_s)
        case p.If():
            sides = [list(_steps(side, estimate, start_s)) for side in (step.then, step.otherwise)]
            yield from max(sides, key=lambda side: side[-1].end_s if side else start_s)
        case SetPoint() | Ask():
            pass
        case _:
            yield _leaf(step, estimate, start_s)


def _leaf(leaf: Leaf, estimate: Estimate, start_s: float) -> Piece:
    end_s = start_s + estimate.step(leaf.step_id).once.duration_s
    current_A = dc_A(leaf)
    level_A = math.nan if current_A is None else current_A
    return Piece(start_s, end_s, level_A, level_A, sweep_of(leaf) is not None)


def _repeat(repeat: p.Repeat, estimate: Estimate, start_s: float) -> Iterator[Piece]:
    one_pass = tuple(_steps(repeat.steps, estimate, 0.0))
    pass_s = one_pass[-1].end_s
    times = _passes_shown(estimate, pass_s) if repeat.times is None else repeat.times
    if times > MOST_PASSES or times * len(one_pass) > MOST_PIECES:
        known = [piece for piece in one_pass if not math.isnan(piece.low_A)]
        low_A = min((piece.low_A for piece in known), default=math.nan)
        high_A = max((piece.high_A for piece in known), default=math.nan)
        spectra = any(piece.spectra for piece in one_pass)
        yield Piece(start_s, start_s + times * pass_s, low_A, high_A, spectra, one_pass)
    else:
        for number in range(times):
            yield from (piece.later(start_s + number * pass_s) for piece in one_pass)


def _passes_shown(estimate: Estimate, pass_s: float) -> int:
    """An endless repeat is drawn up to limits.time, or for a few passes."""
    if estimate.limit_s is None:
        return SHOWN_WITHOUT_END
    return max(1, int((estimate.limit_s - estimate.seconds(estimate.finite)) / pass_s))


def draw(
    plan: p.Plan, program: Program, estimate: Estimate, instrument: Instrument, path: Path, simulated: bool
) -> None:
    """Write the picture; the ending of path says which format."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = pieces(plan, estimate)
    band = next((piece for piece in shown if piece.one_pass), None)
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    widths = [2, 1] if band else [1]
    panels = figure.subplots(1, len(widths), width_ratios=widths, sharey=True, squeeze=False)
    _panel(panels[0, 0], shown)
    if band:
        _panel(panels[0, 1], _first_passes(band))
        panels[0, 1].set_title(f"first {SHOWN_OF_BAND} of the passes", loc="left", fontsize=9)
    _currents(panels[0, 0], panels[0, -1], plan.area_cm2)
    _title(panels[0, 0], plan, instrument)
    if simulated:
        figure.text(0.5, 0.5, "SIMULATED", fontsize=48, alpha=0.07, ha="center", va="center", rotation=15)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    if len(labels) > 1:
        figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    figure.savefig(path, dpi=150)


def _first_passes(band: Piece) -> tuple[Piece, ...]:
    pass_s = band.one_pass[-1].end_s
    return tuple(piece.later(number * pass_s) for number in range(SHOWN_OF_BAND) for piece in band.one_pass)


def _panel(axes: Axes, shown: Sequence[Piece]) -> None:
    """Currents as one line in mA, bands and shades below it, against time in a fitting unit."""
    end_s = shown[-1].end_s
    unit, unit_s = next((unit, size) for unit, size, below in _UNITS if end_s < below)
    axes.axhline(0, color="0.7", linewidth=0.6, zorder=0)
    _line(axes, [piece for piece in shown if not piece.one_pass], unit_s)
    for piece in shown:
        if piece.one_pass:
            _band(axes, piece, unit_s)
    _shade(axes, shown, unit_s, "spectra", "C1", lambda piece: piece.spectra)
    _shade(axes, shown, unit_s, "potential controlled", "0.5", lambda piece: math.isnan(piece.low_A))
    axes.set_xlim(0, end_s / unit_s)
    axes.set_xlabel(f"time / {unit}")


def _line(axes: Axes, shown: Sequence[Piece], unit_s: float) -> None:
    times = [time_s / unit_s for piece in shown for time_s in (piece.start_s, piece.end_s)]
    currents = [piece.low_A * 1e3 for piece in shown for _ in range(2)]
    axes.plot(times, currents, color="C0", linewidth=1.0, label="current")


def _band(axes: Axes, piece: Piece, unit_s: float) -> None:
    """From the lowest to the highest current of its passes."""
    passes = (piece.end_s - piece.start_s) / piece.one_pass[-1].end_s
    ends = (piece.start_s / unit_s, piece.end_s / unit_s)
    low_mA, high_mA = piece.low_A * 1e3, piece.high_A * 1e3
    axes.fill_between(ends, low_mA, high_mA, color="C0", alpha=0.35, lw=0, label=f"{count(passes)} passes")


def _shade(
    axes: Axes, shown: Sequence[Piece], unit_s: float, label: str, color: str, wanted: Callable[[Piece], bool]
) -> None:
    """A faint column behind every piece that is wanted."""
    chosen = [piece for piece in shown if wanted(piece)]
    spans = [(piece.start_s / unit_s, (piece.end_s - piece.start_s) / unit_s) for piece in chosen]
    if spans:
        whole_height = axes.get_xaxis_transform()
        axes.broken_barh(spans, (0, 1), transform=whole_height, color=color, alpha=0.15, lw=0, label=label)


def _currents(left: Axes, right: Axes, area_cm2: float) -> None:
    from numpy import asarray

    left.set_ylabel("current / mA")
    to_areal, to_total = (lambda I: asarray(I) / area_cm2), (lambda j: asarray(j) * area_cm2)
    areal = right.secondary_yaxis("right", functions=(to_areal, to_total))
    areal.set_ylabel("current density / mA cm$^{-2}$")


def _title(axes: Axes, plan: p.Plan, instrument: Instrument) -> None:
    endless = any(repeat.times is None for repeat in p.repeats(plan.steps))
    title = f"{plan.name}\n{instrument.name}, cell {plan.cell}, {plan.area_cm2:.4g} cm$^2$"
    axes.set_title(f"{title}, until a cutoff" if endless else title, loc="left", fontsize=9)
