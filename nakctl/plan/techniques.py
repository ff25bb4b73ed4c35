"""Helpers of the lowering: one step of the plan -> the techniques that carry it out."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from nakctl.device.limits import Instrument
from nakctl.device.program import Ca, Cp, Cutoff, Eis, Hardware, Loop, Ocv, Technique
from nakctl.plan import plan as p
from nakctl.plan.ends import Context, Ends, by_host, share_out
from nakctl.plan.sweeps import spread

# PEIS at open circuit is biased against the potential at the end of the technique before it, so a short OCV
# always goes first; GEIS at 0 A needs none.
OCV_BEFORE_PEIS_s = 1.0
_SHORTEST_REST_s = 0.1  # a remainder below this is dropped: no instrument is loaded with a 10 us rest


@dataclass(frozen=True, slots=True)
class Lowered:
    """Techniques of one step, its name in the record, its cutoffs with their watchers."""

    techniques: tuple[Technique, ...]
    technique: str
    cutoffs: tuple[Cutoff, ...]
    alone: bool


def lower_hold(hold: p.Hold, context: Context) -> Lowered:
    """Without spectra one technique (or several, if too long for one); with spectra a loop of sweeps."""
    name = {"rest": "OCV", "cp": "CP", "ca": "CA"}[hold.kind]
    if hold.spectra is None:
        ends = by_host(hold) if hold.kind == "rest" else share_out(hold, context)
        if hold.settle is not None:
            ends = replace(ends, alone=True)  # the host ends it, and says what a time-out means
        if hold.duration_s > context.instrument.longest_s and ends.on_test == "next":
            # the next technique of the chain would be the next part of this step: the host has to skip it
            ends = replace(ends, on_test="stop", alone=True)
        hardware = context.hardware(hold.ranges, _peak_A(hold))
        techniques = _split(hold, hold.duration_s, ends, hardware, context.instrument)
        return Lowered(techniques, name, ends.cutoffs, ends.alone)
    ends = by_host(hold)
    techniques = _with_spectra(hold, hold.spectra, ends, context)
    return Lowered(techniques, hold.spectra.sweep.control.upper(), ends.cutoffs, ends.alone)


def lower_spectrum(step: p.Spectrum, context: Context) -> Lowered:
    ends = by_host(step)
    sweep = step.sweep
    hardware = _sweep_hardware(sweep, step.bias, context)
    techniques = _sweep_techniques(sweep, step.step_id, step.bias, step.record.every_s, hardware)
    if sweep.control == "peis" and step.bias is None:
        rest = Ocv(
            step.step_id, OCV_BEFORE_PEIS_s, min(step.record.every_s, OCV_BEFORE_PEIS_s), None, hardware
        )
        techniques = (rest, *techniques)
    return Lowered(techniques, sweep.control.upper(), ends.cutoffs, ends.alone)


def sweep_seconds(sweep: p.Sweep, instrument: Instrument) -> float:
    """How long one spectrum takes on this instrument, from recordings of real ones."""
    return sum(
        instrument.eis_seconds(f_Hz, sweep.average, sweep.wait_periods) for f_Hz in sweep.frequencies_Hz
    )


def seconds_per_spectrum(hold: p.Hold, sweep: p.Sweep, instrument: Instrument) -> float:
    """From the start of one spectrum to that of the next, if they follow back to back during a step."""
    return _lead_s(hold, sweep) + sweep_seconds(sweep, instrument)


def _lead_s(hold: p.Hold, sweep: p.Sweep) -> float:
    return OCV_BEFORE_PEIS_s if sweep.control == "peis" and hold.kind == "rest" else 0.0


def _peak_A(hold: p.Hold) -> float | None:
    return (
        abs(hold.level)
        if hold.kind == "cp" and hold.level is not None
        else 0.0
        if hold.kind == "rest"
        else None
    )


def _split(
    hold: p.Hold, duration_s: float, ends: Ends, hardware: Hardware, instrument: Instrument
) -> tuple[Technique, ...]:
    """Equal techniques, none longer than the instrument's counter can count."""
    parts = max(1, math.ceil(duration_s / instrument.longest_s))
    return tuple(_dc(hold, duration_s / parts, ends, hardware) for _ in range(parts))


def _dc(hold: p.Hold, duration_s: float, ends: Ends, hardware: Hardware) -> Technique:
    every_s = min(hold.record.every_s, duration_s)
    if hold.level is None:
        return Ocv(hold.step_id, duration_s, every_s, hold.record.dE_V, hardware)
    if hold.kind == "ca":
        return Ca(
            hold.step_id,
            hold.level,
            duration_s,
            every_s,
            hold.record.dI_A,
            ends.tests,
            ends.on_test,
            hardware,
        )
    return Cp(
        hold.step_id, hold.level, duration_s, every_s, hold.record.dE_V, ends.tests, ends.on_test, hardware
    )


def _with_spectra(hold: p.Hold, spectra: p.Spectra, ends: Ends, context: Context) -> tuple[Technique, ...]:
    """[sweep, hold until the next one] as often as it fits, then a hold for what is left of the step.

    The number of sweeps follows from how long real instruments take; the last hold makes up the difference.
    """
    sweep, instrument = spectra.sweep, context.instrument
    hardware = _sweep_hardware(sweep, hold.level, context, hold.ranges)
    tests = share_out(replace(hold, cutoffs=()), context) if hold.kind != "rest" else ends
    sweeps = _sweep_techniques(sweep, hold.step_id, hold.level, hold.record.every_s, hardware)
    lead_s = _lead_s(hold, sweep)
    one_s = seconds_per_spectrum(hold, sweep, instrument)
    gap_s = 0.0 if spectra.every_s is None else spectra.every_s - one_s
    if gap_s < _SHORTEST_REST_s:
        gap_s = 0.0  # not dropped from each pass: the last hold makes up for it
    period_s = one_s + gap_s
    times = int(hold.duration_s / period_s * (1 + 1e-9))
    body: list[Technique] = []
    if lead_s:
        body.append(Ocv(hold.step_id, lead_s, lead_s, None, hardware))
    body += sweeps
    if gap_s:
        body += _split(hold, gap_s, tests, hardware, instrument)
    if times == 0:
        body = []
    if times > 1:
        body.append(Loop(to=0, times=times, passes=False))
    left_s = hold.duration_s - times * period_s
    if left_s >= _SHORTEST_REST_s or not body:
        body += _split(hold, left_s, tests, hardware, instrument)
    return tuple(body)


def _sweep_hardware(
    sweep: p.Sweep, bias: float | None, context: Context, ranges: p.Ranges | None = None
) -> Hardware:
    """The step's ranges go before those of the sweep; a current-controlled sweep needs room for both."""
    step = ranges or p.Ranges()
    chosen = p.Ranges(
        step.I or sweep.ranges.I, step.E or sweep.ranges.E, step.bandwidth or sweep.ranges.bandwidth
    )
    if sweep.control == "peis":
        return context.hardware(chosen, None)
    return context.hardware(chosen, abs(bias or 0.0) + sweep.amplitude_peak, sweep.amplitude_peak)


def _sweep_techniques(
    sweep: p.Sweep, step_id: int, bias: float | None, every_s: float, hardware: Hardware
) -> tuple[Technique, ...]:
    runs = (
        list(_even_runs(sweep.frequencies_Hz))
        if sweep.spacing == "list"
        else [(sweep.frequencies_Hz, sweep.spacing)]
    )
    return tuple(
        Eis(
            step=step_id,
            control="GEIS" if sweep.control == "geis" else "PEIS",
            bias=bias or 0.0,
            vs_previous=sweep.control == "peis" and bias is None,
            amplitude_peak=sweep.amplitude_peak,
            hold_s=0.0,
            every_s=every_s,
            f_first_Hz=run[0],
            f_last_Hz=run[-1],
            n_frequencies=len(run),
            spacing="linear" if spacing == "linear" else "log",
            average=sweep.average,
            wait_periods=sweep.wait_periods,
            drift_correction=sweep.drift_correction,
            continues=index > 0,
            hardware=hardware,
        )
        for index, (run, spacing) in enumerate(runs)
    )


def _even_runs(frequencies_Hz: tuple[float, ...]) -> Iterable[tuple[tuple[float, ...], str]]:
    """A list of frequencies as few even sweeps, which is all an instrument can do."""
    rest = frequencies_Hz
    while rest:
        count = len(rest)
        while count > 2 and not any(_is_even(rest[:count], spacing) for spacing in ("log", "linear")):
            count -= 1
        run = rest[:count]
        yield run, "log" if _is_even(run, "log") else "linear"
        rest = rest[count:]


def _is_even(run: tuple[float, ...], spacing: str) -> bool:
    even = spread(run[0], run[-1], len(run), spacing)
    return all(math.isclose(a, b, rel_tol=1e-3) for a, b in zip(run, even, strict=True))
