"""Draws the pictures of docs/paper-figures.md and docs/cell-model.md from result files.

nakctl sim compare --keep runs
python docs/make_figures.py runs
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from nakctl.record.read import Run, open_run
from nakctl.results.areal import area_cm2, charge_mAh_cm2, current_mA_cm2
from nakctl.results.calibration import asked
from nakctl.results.capacity import critical_capacity_mAh_cm2
from nakctl.results.current import current_steps
from nakctl.results.drt import INTERFACE
from nakctl.results.spectra import Spectra, Spectrum
from nakctl.results.thin import thin
from nakctl.results.threshold import levels

FOLDER = Path(__file__).parent / "figures"
STYLE = {"font.size": 8, "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False}
MOST_POINTS = 4000
LEAST_GAMMA, MOST_GAMMA = 5.0, 2000.0  # ohm cm2; below it is noise
RESTS = {"pulses_100ms": 0.1, "pulses_1s": 1.0, "pulses_2s": 2.0, "pulses_5s": 5.0, "pulses_10s": 10.0}
Runs = dict[str, Run]


def main() -> None:
    folder = Path(sys.argv[1])
    runs = {name: open_run(folder / f"{name}.h5") for name in asked()}
    with rc_context(STYLE):
        for name, draw in PICTURES.items():
            figure = Figure(layout="constrained")
            FigureCanvasAgg(figure)
            draw(figure, runs)
            figure.text(0.5, 0.5, "SIMULATED", fontsize=54, alpha=0.06, ha="center", va="center", rotation=20)
            figure.savefig(FOLDER / f"{name}.png", dpi=110)


# --- the paper's figures -------------------------------------------------------------------------------


def fig_1a(figure: Figure, runs: Runs) -> None:
    """Potential, current, and the peaks of the DRT through the CCD test."""
    figure.set_size_inches(8, 5.2)
    run = runs["ccd_NaK50"]
    above, current, below = figure.subplots(3, 1, sharex=True, height_ratios=(2, 1, 2))
    rows = thin(run.samples["Ewe"], MOST_POINTS)
    hours = run.samples["time"][rows] / 3600
    above.plot(hours, run.samples["Ewe"][rows], "tab:blue", linewidth=0.8)
    above.axhline(0, color="0.8", linewidth=0.6, zorder=0)
    above.set(ylabel="Ewe / V", title="SIMULATED  NaK50 | NASICON | Na, CCD test with operando GEIS")
    above.annotate("short", (hours[-1], 0), (hours[-1] - 0.75, 0.09), arrowprops={"arrowstyle": "->"})
    j = current_mA_cm2(run.samples["I"][rows], area_cm2(run))
    current.plot(hours, j, "tab:red", linewidth=0.8)
    current.set(ylabel="j / mA cm$^{-2}$\n(> 0 strips)", ylim=(-0.5, 0.5))
    mesh = drt_map(below, list(Spectra(run)), [one.time_s / 3600 for one in Spectra(run)])
    below.set(xlabel="time / h")
    figure.colorbar(mesh, ax=below, label="γ / Ω cm²")


def fig_3(figure: Figure, runs: Runs) -> None:
    scan_and_rest(figure, runs["strip_NaK50"], "stripping", yscale="log", ylim=(4, 3000))


def fig_5(figure: Figure, runs: Runs) -> None:
    scan_and_rest(figure, runs["plate_NaK50"], "plating", ylim=(0, 115))


def fig_4(figure: Figure, runs: Runs) -> None:
    """Potential at the ends of the pulses, one pulse, and the capacities."""
    figure.set_size_inches(10, 3.6)
    curves, magnified, capacity = figure.subplots(1, 3)
    figure.suptitle(
        "SIMULATED  pulsed stripping of NaK50, 1 s at 1 mA cm$^{-2}$, rest between pulses as given"
    )
    curves.plot(*ends_of_pulses(runs["direct"]), color="0.5", linewidth=1, label="none")
    for (name, rest_s), colour in zip(RESTS.items(), shades(len(RESTS)), strict=True):
        label = f"{rest_s:g} s"
        curves.plot(*ends_of_pulses(runs[name]), color=colour, linewidth=1, label=label)
        magnified.plot(
            *one_pulse(runs[name], 0.4), ".-", color=colour, linewidth=0.8, markersize=3, label=label
        )
    quarter = ends_of_pulses(runs["quarter_pulses"])
    curves.plot(*quarter, color="tab:orange", linewidth=1, label="1 s, at 0.25 mA cm$^{-2}$")
    curves.set(xlabel="stripped charge / mAh cm$^{-2}$", ylabel="Ewe at the end of a pulse / V", title="(a)")
    curves.set(xlim=(-0.5, 33), ylim=(0, 3.1))
    curves.legend(title="rest", fontsize=7, loc="upper right")
    magnified.set(xlabel="time from the start of a pulse / s", ylabel="Ewe / V", yscale="log")
    magnified.set(title="(b) a pulse after 0.4 mAh cm$^{-2}$", xlim=(-0.3, 11.2))
    magnified.legend(title="rest", fontsize=7)
    found = {0.0: critical_capacity_mAh_cm2(runs["direct"])}
    found |= {rest_s: critical_capacity_mAh_cm2(runs[name]) for name, rest_s in RESTS.items()}
    capacity.plot(list(found), list(found.values()), "o-", color="tab:blue", markersize=4)
    capacity.axhline(40, color="0.6", linestyle="--", linewidth=0.8)
    capacity.text(10, 39, "all that the liquid range allows", ha="right", va="top", color="0.4")
    capacity.set(xlabel="rest between pulses / s", ylabel="critical capacity / mAh cm$^{-2}$")
    capacity.set(title="(c)", ylim=(0, 42))


def scan_and_rest(figure: Figure, run: Run, what: str, **scale: object) -> None:
    """(a) DRT through scan and rest, (b) potential and DRT against current, (c) spectra at rest."""
    figure.set_size_inches(10, 6.6)
    figure.suptitle(f"SIMULATED  NaK50 | NASICON | Na, staircase GEIS while {what}, then 15 h of rest")
    spectra = Spectra(run)
    rest = spectra.resting()
    scan = list(spectra)[: rest[0]]
    upper, lower = figure.subfigures(2, 1)
    during, after = upper.subplots(1, 2, sharey=True, width_ratios=(1, 1.4))
    drt_map(during, scan, [one.time_s / 60 for one in scan])
    during.set(xlabel="time of the scan / min", title="(a) under current")
    resting = [spectra[k] for k in rest]
    end_s = scan[-1].time_s
    mesh = drt_map(after, resting, [(one.time_s - end_s) / 3600 for one in resting])
    after.set(xlabel="time at rest / h", ylabel="", title="at rest", xscale="log")
    upper.colorbar(mesh, ax=after, label="γ / Ω cm²")
    left, right = lower.subfigures(1, 2)
    voltage, against = left.subplots(2, 1, sharex=True)
    j, V = levels(run)
    voltage.plot(np.abs(j), V, ".-", markersize=3, linewidth=0.8)
    voltage.set(ylabel="Ewe / V", title="(b)")
    loaded = [one for one in scan if abs(one.j_mA_cm2) > 0.02]
    drt_map(against, loaded, [abs(one.j_mA_cm2) for one in loaded])
    against.set(xlabel=f"{what} current / mA cm$^{{-2}}$")
    overlay(right.subplots(), spectra, rest, **scale)


def overlay(axes: Axes, spectra: Spectra, rest: list[int], **scale: object) -> None:
    """The DRT before, under the last current, and at times of rest."""
    end_s = spectra[rest[0] - 1].time_s + 35.0
    axes.plot(*curve(spectra[0]), "k--", linewidth=1, label="pristine")
    last = spectra[rest[0] - 1]
    axes.plot(*curve(last), color="tab:red", linewidth=1, label=f"{abs(last.j_mA_cm2):g} mA cm$^{{-2}}$")
    times = {"35 s": 0.0, "10 min": 600.0, "1 h": 3600.0, "4 h": 4 * 3600.0, "15 h": 15 * 3600.0}
    for (label, time_s), colour in zip(times.items(), shades(len(times)), strict=True):
        nearest = min(rest, key=lambda k: abs(spectra[k].time_s - end_s - time_s))
        axes.plot(*curve(spectra[nearest]), color=colour, linewidth=1, label=f"{label} at rest")
    axes.set(xscale="log", xlabel="τ / s", ylabel="γ / Ω cm²", title="(c)", **scale)
    axes.axvspan(0.032, 10, color="0.94", zorder=-1)
    axes.text(
        0.98,
        0.98,
        "beyond 5 Hz: extrapolated",
        fontsize=6,
        color="0.4",
        ha="right",
        va="top",
        transform=axes.transAxes,
    )
    axes.legend(fontsize=7, loc="upper left" if axes.get_yscale() == "log" else "center")


# --- the model -----------------------------------------------------------------------------------------


def model(figure: Figure, runs: Runs) -> None:
    """What the states do: composition, contact at work and at rest, filament."""
    figure.set_size_inches(10, 6.4)
    figure.suptitle("SIMULATED  what the model's states do")
    (alloys, nyquist), (healing, shorts) = figure.subplots(2, 2)
    for alloy in ("NaK50", "NaK65", "NaK80"):
        j, V = levels(runs[f"strip_{alloy}"])
        alloys.plot(j, V, ".-", markersize=4, linewidth=0.8, label=alloy)
    alloys.set(xlabel="stripping current / mA cm$^{-2}$", ylabel="Ewe / V", ylim=(0, 3.3))
    alloys.set_title("less Na, smaller margin: the threshold sinks")
    alloys.legend()
    spectra = Spectra(runs["strip_NaK50"])
    rest = spectra.resting()
    shown = {
        "pristine": spectra[0], "0.5 mA cm$^{-2}$": spectra.at(0.5), "0.7 mA cm$^{-2}$": spectra.at(0.7),
        "35 s at rest": spectra[rest[0]], "15 h at rest": spectra[rest[-1]],
    }  # fmt: skip
    for label, one in shown.items():
        nyquist.plot(one.z_ohm_cm2.real, -one.z_ohm_cm2.imag, ".-", markersize=3, linewidth=0.7, label=label)
    nyquist.set(xlabel="Re Z / Ω cm²", ylabel="-Im Z / Ω cm²", aspect="equal", ylim=(-20, None))
    nyquist.set_title("fast loss g: a new arc, gone within a scan; slow loss p: hours")
    nyquist.legend(fontsize=7)
    for name, label, colour in (
        ("strip_NaK50", "after stripping: p heals", "tab:blue"),
        ("plate_NaK50", "after plating: m alloys away", "tab:green"),
    ):
        healing.plot(*heights(Spectra(runs[name])), ".", markersize=2, color=colour, label=label)
    healing.axhline(1, color="0.7", linewidth=0.8)
    healing.set(xlabel="time at rest / h", ylabel="height of γ$_{int}$ over pristine")
    healing.set_title("at rest both find back, over hours")
    healing.legend()
    for name, label in (("plate_400uA", "0.4 mA cm$^{-2}$"), ("plate_700uA", "0.7 mA cm$^{-2}$")):
        run = runs[name]
        rows = thin(run.samples["Ewe"], MOST_POINTS)
        shorts.plot(
            -charge_mAh_cm2(run.samples["Q"][rows], area_cm2(run)), run.samples["Ewe"][rows], label=label
        )
    shorts.set(xlabel="plated charge / mAh cm$^{-2}$", ylabel="Ewe / V")
    shorts.set_title("filament l: above the critical local current only")
    shorts.legend(loc="lower right")


# --- pieces --------------------------------------------------------------------------------------------


def curve(one: Spectrum) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    return one.drt.tau_s, one.drt.gamma_ohm_cm2


def drt_map(axes: Axes, spectra: list[Spectrum], across: list[float]) -> QuadMesh:
    """gamma as colour over something across and tau upwards."""
    gamma = np.array([one.drt.gamma_ohm_cm2 for one in spectra]).T
    mesh = axes.pcolormesh(
        across,
        spectra[0].drt.tau_s,
        np.maximum(gamma, LEAST_GAMMA),
        norm=LogNorm(LEAST_GAMMA, MOST_GAMMA),
        cmap="magma",
        rasterized=True,
    )
    axes.set(yscale="log", ylabel="τ / s")
    return mesh


def heights(spectra: Spectra) -> tuple[list[float], list[float]]:
    """Hours at rest, and gamma_int over pristine; every tenth spectrum."""
    rest = spectra.resting()
    chosen = [spectra[k] for k in rest[::10]]
    pristine = spectra[0].drt.top(INTERFACE).height_ohm_cm2
    hours = [(one.time_s - spectra[rest[0]].time_s) / 3600 for one in chosen]
    return hours, [one.drt.top(INTERFACE).height_ohm_cm2 / pristine for one in chosen]


def ends_of_pulses(run: Run) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Stripped charge and potential: the last sample of each pulse, or all of a step that is no pulse."""
    steps = current_steps(run)
    rows = steps.last if len(steps.last) > 1 else np.arange(steps.first[0], steps.last[0] + 1)
    rows = rows[thin(run.samples["Ewe"][rows], MOST_POINTS)]
    return charge_mAh_cm2(run.samples["Q"][rows], area_cm2(run)), run.samples["Ewe"][rows]


def one_pulse(run: Run, at_mAh_cm2: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Time and potential through the pulse at this charge and its rest, up to the next pulse."""
    steps, samples = current_steps(run), run.samples
    moved_mAh_cm2 = np.cumsum(charge_mAh_cm2(steps.charge_Ah, area_cm2(run)))
    k = int(np.searchsorted(moved_mAh_cm2, at_mAh_cm2))
    rows = slice(int(steps.first[k]) - 1, int(steps.first[k + 1]))
    start_s = samples["time"][rows][0]
    return samples["time"][rows] - start_s, samples["Ewe"][rows]


def shades(count: int) -> Iterable[tuple[float, float, float, float]]:
    return [colormaps["viridis"](x) for x in np.linspace(0.0, 0.85, count)]


PICTURES: dict[str, Callable[[Figure, Runs], None]] = {
    "fig-1a": fig_1a, "fig-3": fig_3, "fig-4": fig_4, "fig-5": fig_5, "cell-model": model,
}  # fmt: skip

if __name__ == "__main__":
    main()
