"""Checks of spectra: frequencies, amplitudes, and whether they fit the step that holds them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from nakctl.checks.findings import Finding, error, warning
from nakctl.device.program import Eis
from nakctl.plan import plan as p
from nakctl.plan.scene import Leaf, Scene, drives_current, sweep_of
from nakctl.plan.techniques import seconds_per_spectrum
from nakctl.text.numbers import duration, si
from nakctl.text.units import UnitError, parse

MOST_OF_RANGE = 0.5  # the maker's advice
LEAST_OF_RANGE = 0.01
BLIND_s = 10.0


def frequencies(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """Frequencies the instrument does not have, or has without the amplitude."""
    sweep, instrument = sweep_of(leaf), scene.instrument
    if sweep is None:
        return
    for asked_Hz, end_Hz, beyond in (
        (max(sweep.frequencies_Hz), instrument.f_max_Hz, "above"),
        (min(sweep.frequencies_Hz), instrument.f_min_Hz, "below"),
    ):
        sign = 1 if beyond == "above" else -1
        if sign * asked_Hz > sign * end_Hz * (1 + sign * 1e-9):
            band = f"{si(instrument.f_min_Hz, 'Hz')} to {si(instrument.f_max_Hz, 'Hz')}"
            message = (
                f"{sweep.name}: {si(asked_Hz, 'Hz')} is {beyond} what the {instrument.name} measures ({band})"
            )
            yield error(f"frequency-{beyond}", sweep.mark, message, _would_fit(scene.plan, asked_Hz, end_Hz))
    yield from _collapse(sweep, scene)


def _would_fit(plan: p.Plan, asked_Hz: float, end_Hz: float) -> str:
    """The value that fits, and the parameter to set if the frequency is one."""
    end = si(end_Hz, "Hz")
    for name, text in plan.params.items():
        declared_Hz = _hertz(text)
        if declared_Hz is not None and math.isclose(declared_Hz, asked_Hz):
            return f"{end} would fit: {name}={end.replace(' ', '')}"
    return f"{end} would fit"


def _hertz(text: object) -> float | None:
    try:
        return parse(text, ("frequency",)).value
    except UnitError:
        return None


def _collapse(sweep: p.Sweep, scene: Scene) -> Iterator[Finding]:
    instrument, highest_Hz = scene.instrument, max(sweep.frequencies_Hz)
    edge_Hz = instrument.f_full_amplitude_Hz
    if sweep.control == "geis" and edge_Hz is not None and edge_Hz < highest_Hz <= instrument.f_max_Hz:
        message = f"{sweep.name}: above {si(edge_Hz, 'Hz')} the {instrument.name} may not reach the amplitude"
        help = "points up there can be worthless; the record marks them"
        yield warning("edge-of-band", sweep.mark, message, help)


def amplitude(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """A current amplitude must be seen in its range, and leave room in it."""
    for technique in scene.techniques(leaf):
        if not isinstance(technique, Eis) or technique.control != "GEIS":
            continue
        found = scene.I_range(technique.hardware.I_range)
        share = technique.amplitude_peak / found.full_A if found is not None else 0.1
        if LEAST_OF_RANGE * (1 - 1e-9) <= share <= MOST_OF_RANGE * (1 + 1e-9) or share > 1:
            continue  # more than the range is said of the range
        what = f"{leaf.label}: amplitude {si(technique.amplitude_peak, 'A')} is {100 * share:.2g} % of the "
        what += f"{technique.hardware.I_range} range"
        few = "expect noisy spectra" if share < LEAST_OF_RANGE else "at most 50 % is the maker's advice"
        yield warning("amplitude", leaf.mark, what, few)


def small_potential(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """A potential amplitude of only a few steps of the potential range."""
    for technique in scene.techniques(leaf):
        if not isinstance(technique, Eis) or technique.control != "PEIS":
            continue
        found = scene.E_range(technique.hardware.E_range)
        step_V = (found.high_V - found.low_V) * scene.instrument.E_step if found is not None else 0.0
        if technique.amplitude_peak < 10 * step_V:
            message = (
                f"{leaf.label}: amplitude {si(technique.amplitude_peak, 'V')} is near the resolution of the "
            )
            message += f"{technique.hardware.E_range} range, {si(step_V, 'V', 2)}"
            yield warning("amplitude", leaf.mark, message, "expect noisy spectra")


def room(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """Spectra during a step must fit into it, and into their interval."""
    if not isinstance(leaf, p.Hold) or leaf.spectra is None:
        return
    one_s = seconds_per_spectrum(leaf, leaf.spectra.sweep, scene.instrument)
    starts_s = leaf.spectra.starts_s
    apart_s = min((later - start for start, later in pairwise(starts_s)), default=None)
    every_s = apart_s if starts_s else leaf.spectra.every_s
    what = f"{leaf.label}: a spectrum of {leaf.spectra.sweep.name} takes about {duration(one_s)}"
    if one_s > leaf.duration_s:
        message = f"{what}, the step only {duration(leaf.duration_s)}"
        yield error("spectrum-room", leaf.mark, message, "a longer step, or fewer and higher frequencies")
    elif every_s is not None and one_s > every_s * (1 + 1e-9):
        message = f"{what}, longer than every {duration(every_s)}"
        yield warning("spectrum-interval", leaf.mark, message, "spectra follow back to back")


def blind(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """During a sweep Ewe is seen once per frequency: at low ones the limits are watched rarely."""
    sweep = sweep_of(leaf)
    if sweep is None or not drives_current(leaf):
        return
    slowest_s = max(
        scene.instrument.eis_seconds(f_Hz, sweep.average, sweep.wait_periods) for f_Hz in sweep.frequencies_Hz
    )
    if slowest_s > BLIND_s:
        message = (
            f"{leaf.label}: {si(min(sweep.frequencies_Hz), 'Hz')} takes {duration(slowest_s)}, and under "
        )
        message += "current Ewe is checked only once per frequency"
        yield warning("blind", leaf.mark, message, "limits and cutoffs act that late")


def drift(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """What is asked of the instrument and known to nobody else."""
    sweep = sweep_of(leaf)
    if sweep is not None and sweep.drift_correction:
        message = f"{sweep.name}: drift_correction takes about twice as long per frequency as is counted here"
        yield warning("drift-correction", sweep.mark, message, "no simulated channel shows what it changes")


SPECTRA_CHECKS = (frequencies, amplitude, small_potential, room, blind, drift)
