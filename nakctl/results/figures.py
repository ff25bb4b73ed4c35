"""Pictures of a run. Drawn without a screen; simulated runs say so across the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from nakctl.record.read import Run
from nakctl.results.areal import charge_shown, current_shown, impedance_shown
from nakctl.results.interruptions import interruptions
from nakctl.results.thin import thin

MOST_POINTS = 20_000
MOST_SPECTRA = 40
_UNITS_OF_TIME = (
    (2 * 86400.0, 86400.0, "d"),
    (2 * 3600.0, 3600.0, "h"),
    (120.0, 60.0, "min"),
    (0.0, 1.0, "s"),
)


def draw_run(run: Run, path: Path) -> None:
    """Ewe and areal current against time, Ewe against areal charge, and Nyquist plots through the run.
    Without a known area: current, charge and impedance as they are. Interruptions are marked.

    path: .png, .pdf or .svg.
    """
    has_spectra = len(run.spectra) > 0
    figure = Figure(figsize=(11, 9), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(3, 2, height_ratios=(3, 1.3, 3.5))
    potential = figure.add_subplot(grid[0, :])
    kept = thin(run.samples["Ewe"], MOST_POINTS)
    _against_time(potential, figure.add_subplot(grid[1, :], sharex=potential), run, kept)
    _against_charge(figure.add_subplot(grid[2, 0] if has_spectra else grid[2, :]), run, kept)
    if has_spectra:
        _nyquist(figure.add_subplot(grid[2, 1]), figure, run)
    figure.suptitle(_title(run), fontsize=11)
    if run.header.simulated:
        figure.text(0.5, 0.5, "SIMULATED", fontsize=70, alpha=0.07, ha="center", va="center", rotation=25)
    figure.savefig(path, dpi=130)


def _title(run: Run) -> str:
    header = run.header
    end = f"{header.status}: {header.end_reason}" if header.end_reason else header.status
    area = f"{header.area_cm2:g} cm²" if header.area_cm2 else "area unknown"
    return f"{header.title}   |   {header.cell}, {area}   |   {end}"


def time_unit(duration_s: float) -> tuple[float, str]:
    """How many seconds a unit has in which a run of this length reads well, and its name."""
    return next((size_s, name) for least_s, size_s, name in _UNITS_OF_TIME if duration_s >= least_s)


def _against_time(potential: Axes, current: Axes, run: Run, kept: npt.NDArray[np.intp]) -> None:
    size_s, name = time_unit(run.header.duration_s)
    time = run.samples["time"][kept] / size_s
    [Ewe] = potential.plot(time, run.samples["Ewe"][kept], color="tab:blue", linewidth=0.9)
    potential.set_ylabel("Ewe / V")
    if run.has_third_electrode:
        Ewe.set_label("Ewe")  # one line needs no legend
        potential.plot(time, run.samples["Ece"][kept], color="tab:green", linewidth=0.9, label="Ece")
        potential.set_ylabel("E / V")
        potential.legend(fontsize=8, loc="best", framealpha=0.85)
    potential.tick_params(labelbottom=False)
    shown, label = current_shown(run.samples["I"][kept], run.header.area_cm2)
    current.plot(time, shown, color="tab:red", linewidth=0.9)
    current.axhline(0.0, color="0.7", linewidth=0.6, zorder=0)
    current.set_ylabel(f"{label}\n(> 0 strips WE)")
    current.set_xlabel(f"time / {name}")
    current.margins(x=0.01)
    _mark_interruptions(potential, run, size_s)


def _mark_interruptions(axes: Axes, run: Run, size_s: float) -> None:
    """Thin marks on the time axis where the cell lay open between two chains."""
    found = interruptions(run)
    if not found:
        return
    for chosen, colour, what in (
        (~found.under_current, "0.35", "interrupted"),
        (found.under_current, "tab:orange", "interrupted under current"),
    ):
        if chosen.any():
            axes.plot(
                found.from_s[chosen] / size_s,
                np.zeros(np.count_nonzero(chosen)),
                linestyle="none",
                marker="|",
                markersize=14,
                markeredgewidth=1.1,
                color=colour,
                transform=axes.get_xaxis_transform(),
                clip_on=False,
                label=f"{what} ({np.count_nonzero(chosen)})",
            )
    axes.legend(fontsize=8, loc="best", framealpha=0.85)


def _against_charge(axes: Axes, run: Run, kept: npt.NDArray[np.intp]) -> None:
    charge, label = charge_shown(run.samples["Q"][kept], run.header.area_cm2)
    axes.plot(charge, run.samples["Ewe"][kept], color="tab:blue", linewidth=0.8)
    axes.set_xlabel(f"{label}   (> 0 stripped from WE)")
    axes.set_ylabel("Ewe / V")


def _nyquist(axes: Axes, figure: Figure, run: Run) -> None:
    """Complete spectra, evenly chosen through the run, coloured by time."""
    size_s, name = time_unit(run.header.duration_s)
    chosen = _evenly(np.flatnonzero(run.spectra["complete"]), MOST_SPECTRA)
    times = run.spectra["time"][chosen] / size_s
    colours = ScalarMappable(Normalize(times.min(), times.max()) if len(times) else None, "viridis")
    _, unit = impedance_shown(0j, run.header.area_cm2)
    for row, time in zip(chosen, times, strict=True):
        first, count = int(run.spectra["first_row"][row]), int(run.spectra["row_count"][row])
        part = slice(first, first + count)
        Z_ohm = run.impedance["Z_re"][part] + 1j * run.impedance["Z_im"][part]
        Z, _ = impedance_shown(Z_ohm, run.header.area_cm2)
        axes.plot(Z.real, -Z.imag, ".-", color=colours.to_rgba(time), markersize=2, linewidth=0.6)
        if run.has_half_cells:
            Z_ohm = run.impedance["Zce_re"][part] + 1j * run.impedance["Zce_im"][part]
            Z, _ = impedance_shown(Z_ohm, run.header.area_cm2)
            axes.plot(Z.real, -Z.imag, ".--", color=colours.to_rgba(time), markersize=2, linewidth=0.6)
    axes.set_xlabel(f"Re Z / {unit}")
    axes.set_ylabel(f"-Im Z / {unit}")
    axes.set_aspect("equal", adjustable="datalim")
    halves = "; dashed: counter electrode" if run.has_half_cells else ""
    axes.set_title(f"{len(chosen)} of {len(run.spectra)} spectra{halves}", fontsize=9)
    figure.colorbar(colours, ax=axes, label=f"time / {name}")


def _evenly(rows: npt.NDArray[np.intp], most: int) -> npt.NDArray[np.intp]:
    """At most `most` of the rows, the first and the last among them."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(np.intp)]
