"""Helpers of the lowering: one step of the plan -> the techniques that carry it out."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from nakctl.device.instrument import Instrument
from nakctl.device.known import MORE
from nakctl.device.program import Ca, Cp, Draw, Eis, Hardware, Loop, Ocv, Technique, Test, played
from nakctl.plan import plan as p
from nakctl.plan.chains import append
from nakctl.plan.ends import Context, Ends, by_host, inside, share_out, share_out_unmet, stop_tests
from nakctl.plan.sweeps import spread

# PEIS at open circuit is biased against the potential at the end of the technique before it, so a short OCV
# always goes first; GEIS at 0 A needs none.
OCV_BEFORE_PEIS_s = 1.0
SENTINEL_s = 5e-3  # a hundred readings of the instrument, too short to move the cell
_ROUNDING = 1e-9
MOST_PARTS = 4  # techniques of one step; what lasts longer goes round, or is gone on with by the host
CHARGE_LAG = 0.05  # by so much the charge that is read may lag behind the one that was set
_SHORTEST_REST_s = 0.1  # a remainder below this is dropped: no instrument is loaded with a 10 us rest


@dataclass(frozen=True, slots=True)
class Lowered:
    """Techniques of one step and its name in the record.

    alone   they must be a segment of their own: the host goes on from it
    top_up  goes on with the step if the chain was over too early; None: the chain itself keeps the time
    """

    techniques: tuple[Technique, ...]
    technique: str
    alone: bool
    top_up: Technique | None = None


def lower_hold(hold: p.Hold, context: Context) -> Lowered:
    """Without spectra one technique (or several, if too long for one); with spectra a loop of sweeps."""
    name = hold.technique or {"rest": "OCV"}.get(hold.kind, hold.kind.upper())
    if hold.spectra is not None:
        return _with_spectra(hold, hold.spectra, context)
    ends = _shared(hold, context)
    if hold.settle is not None:
        ends = replace(ends, alone=True)  # the host ends it, and says what a time-out means
    if hold.same is not None and ends.on_test == "next" and _parts(hold, context.instrument) > MOST_PARTS:
        # too many for a chain, and a loop of them cannot be left: the host goes on from where it was left
        ends = replace(ends, on_test="stop", sentinel=(), alone=True)
    longer_s = lasts_s(hold)
    if longer_s > hold.duration_s:
        # nothing may begin before the host has seen the charge
        ends = replace(ends, on_test="stop", sentinel=(), alone=True)
    hardware = context.hardware(hold.ranges, _peak_A(hold))
    techniques = _lasting(hold, longer_s, ends, hardware, context.instrument)
    tests = inside(ends.sentinel, ends.tests, hardware, context)
    behind = sentinel(hold.step_id, hold.kind, hold.level, tests, hardware)
    return Lowered((*techniques, *behind), name, ends.alone)


def _shared(hold: p.Hold, context: Context) -> Ends:
    if hold.kind not in ("cp", "ca"):
        ends = by_host(hold, context)
        return ends if hold.alone_s is None else replace(ends, alone=True)
    return share_out(hold, context) if hold.alone_s is None else share_out_unmet(hold, context)


def triggered(techniques: tuple[Technique, ...], trigger_s: float) -> tuple[Technique, ...]:
    """With a pulse as the first of them begins, once: what the step does again and again is done once before
    its loop."""
    if not trigger_s:
        return techniques
    first, *others = techniques
    assert not isinstance(first, Loop)
    made = (replace(first, trigger_s=trigger_s), *others)
    loops = [(at, each) for at, each in enumerate(techniques) if isinstance(each, Loop) and not each.to]
    if not loops:
        return made
    at, loop = loops[0]
    again = (replace(loop, to=at, times=None if loop.times is None else loop.times - 1),)
    body, behind = techniques[:at] if loop.times != 1 else (), techniques[at + 1 :]
    chain = (*made[:at], *body, *(again if body else ()))
    return append(chain, behind) if behind else chain


def lasts_s(hold: p.Hold) -> float:
    """How long a hold lasts at most: its time, and longer where a graver end of its charge is due just then.

    The instrument counts the time and the host the charge, so of two ends at once the time would come first,
    and the end of the loop or of the run would be lost. (A charge that the next step follows is a time.)
    """
    if hold.kind != "cp" or not hold.level or hold.to is not None:
        return hold.duration_s
    due_s = [each.value / abs(hold.level) for each in hold.cutoffs if each.quantity == "charge"]
    in_time_s = [each_s for each_s in due_s if each_s <= hold.duration_s * (1 + _ROUNDING)]
    return max([hold.duration_s, *(each_s * (1 + CHARGE_LAG) for each_s in in_time_s)])


def lower_spectrum(step: p.Spectrum, context: Context) -> Lowered:
    ends = by_host(step, context)
    sweep = step.sweep
    hardware = _sweep_hardware(sweep, step.bias, context)
    techniques = _sweep_techniques(sweep, step.step_id, step.bias, step.record.every_s, hardware)
    if sweep.control == "peis" and step.bias is None:
        rest = Ocv(
            step.step_id, OCV_BEFORE_PEIS_s, min(step.record.every_s, OCV_BEFORE_PEIS_s), None, hardware
        )
        techniques = (rest, *techniques)
    before = _before_sweep(
        step.step_id, "cp" if sweep.control == "geis" else "ca", step.bias, hardware, context
    )
    return Lowered((*before, *techniques), sweep.control.upper(), ends.alone)


def sentinel(
    step: int, kind: str, level: float | None, tests: tuple[Test, ...], hardware: Hardware
) -> tuple[Technique, ...]:
    """A moment of the same current or potential, in which tests that stop the chain are made alone."""
    if not tests or level is None:
        return ()
    timing = (SENTINEL_s, SENTINEL_s, None)
    made = Ca if kind == "ca" else Cp
    return (made(step, level, *timing, tests, "stop", hardware, sentinel=True),)


def _before_sweep(
    step: int, kind: str, level: float | None, hardware: Hardware, context: Context
) -> tuple[Technique, ...]:
    """A sweep tests nothing, so what stops a run is tested right before it, under the sweep's own current."""
    tests = inside(stop_tests(kind, context), (), hardware, context)
    return sentinel(step, kind, level, tests, hardware)


def sweep_seconds(sweep: p.Sweep, instrument: Instrument) -> float:
    """How long one spectrum takes on this instrument, from recordings of real ones."""
    return sum(
        instrument.eis_seconds(f_Hz, sweep.average, sweep.wait_periods) for f_Hz in sweep.frequencies_Hz
    )


def seconds_per_spectrum(hold: p.Hold, sweep: p.Sweep, instrument: Instrument) -> float:
    """From the start of one spectrum to that of the next, if they follow back to back during a step (a
    sentinel's moment aside)."""
    return _lead_s(hold, sweep) + sweep_seconds(sweep, instrument)


def _lead_s(hold: p.Hold, sweep: p.Sweep) -> float:
    return OCV_BEFORE_PEIS_s if sweep.control == "peis" and hold.kind == "rest" else 0.0


def _peak_A(hold: p.Hold) -> float | None:
    """None: the cell decides."""
    if hold.kind in ("rest", "cp"):
        return max(abs(hold.level or 0.0), abs(hold.to or 0.0), hold.of_profile_A or 0.0)
    return None


def _parts(hold: p.Hold, instrument: Instrument) -> int:
    """How many techniques it takes; with room for what an earlier step moved more than was planned."""
    most_s = hold.duration_s * (1 + MORE) if hold.same is not None else hold.duration_s
    return max(1, math.ceil(most_s / instrument.longest_s))


def _split(
    hold: p.Hold, duration_s: float, ends: Ends, hardware: Hardware, instrument: Instrument
) -> tuple[Technique, ...]:
    """Equal techniques, none longer than the instrument's counter can count.

    A test that leads on from one is made anew at the beginning of the next, which is then left as well.
    """
    parts = _parts(replace(hold, duration_s=duration_s), instrument)
    if hold.to is None or hold.level is None:
        return tuple(_dc(hold, duration_s / parts, ends, hardware) for _ in range(parts))
    levels = [hold.level + (hold.to - hold.level) * part / parts for part in range(parts + 1)]
    pieces = [replace(hold, level=one, to=other) for one, other in pairwise(levels)]
    return tuple(_dc(piece, duration_s / parts, ends, hardware) for piece in pieces)


def _lasting(
    hold: p.Hold, duration_s: float, ends: Ends, hardware: Hardware, instrument: Instrument
) -> tuple[Technique, ...]:
    """All of the step. What stops at its tests, or has none, may go round in a loop of its own; what leads on
    may not, because each pass would have to be left anew: it is as many techniques as are sure to do, and
    behind them the host sees to a step that has no time."""
    if hold.alone_s is not None and not ends.alone:
        sure_s = min(hold.alone_s, MOST_PARTS * instrument.longest_s)
        return _split(hold, sure_s, ends, hardware, instrument)
    parts = _parts(replace(hold, duration_s=duration_s), instrument)
    if parts <= MOST_PARTS or ends.on_test == "next" or hold.to is not None:
        return _split(hold, duration_s, ends, hardware, instrument)
    part = _dc(hold, duration_s / parts, ends, hardware)
    return (part, Loop(to=0, times=parts, passes=False))


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
            to_V=hold.to,
        )
    if hold.kind == "cp":
        return Cp(
            hold.step_id,
            hold.level,
            duration_s,
            every_s,
            hold.record.dE_V,
            ends.tests,
            ends.on_test,
            hardware,
            to_A=hold.to,
        )
    control: Literal["POWER", "LOAD"] = "POWER" if hold.kind == "power" else "LOAD"
    return Draw(hold.step_id, control, hold.level, duration_s, every_s, hold.record.dE_V, hardware)


def _with_spectra(hold: p.Hold, spectra: p.Spectra, context: Context) -> Lowered:
    """[sweep, hold until the next one] as often as it fits, then a hold for what is left of the step.

    How many that are rests on how long real instruments take, and no such estimate may decide what the cell
    gets: the host ends the step when its time is over, and goes on with a hold if the chain was over before.
    So the step is a segment of its own. Without the host the cell gets what was estimated, then it is open.
    """
    sweep, instrument, step = spectra.sweep, context.instrument, hold.step_id
    by_host(hold, context)
    context.table.add("asked", "time", "above", lasts_s(hold), "next step", "duration", hold.mark, step=step)
    hardware = _sweep_hardware(sweep, hold.level, context, hold.ranges)
    ends = Ends(stop_tests(hold.kind, context), "stop", (), alone=True)
    sweeps = _sweep_techniques(sweep, step, hold.level, hold.record.every_s, hardware)
    before = _before_sweep(step, hold.kind, hold.level, hardware, context)
    one_s = seconds_per_spectrum(hold, sweep, instrument) + SENTINEL_s * len(before)
    longest_s = min(hold.duration_s, instrument.longest_s)
    top_up = _dc(hold, longest_s, ends, hardware)
    if spectra.starts_s:
        at_times = _at_times(hold, spectra, (*before, *sweeps), ends, instrument)
        return Lowered(at_times, sweep.control.upper(), True, top_up)
    times, gap_s, left_s = _rhythm(hold.duration_s, one_s, spectra.every_s)
    body: list[Technique] = []
    if (lead_s := _lead_s(hold, sweep)) and times:
        body.append(Ocv(step, lead_s, lead_s, None, hardware))
    if times:
        body += [*before, *sweeps]
    if gap_s and times:
        body += _split(hold, gap_s, ends, hardware, instrument)
    if times > 1:
        body.append(Loop(to=0, times=times, passes=False))
    if left_s >= _SHORTEST_REST_s or not body:
        body += _split(hold, left_s, ends, hardware, instrument)
    return Lowered(tuple(body), sweep.control.upper(), True, top_up)


def _at_times(
    hold: p.Hold, spectra: p.Spectra, spectrum: tuple[Technique, ...], ends: Ends, instrument: Instrument
) -> tuple[Technique, ...]:
    """[hold until the next start, spectrum] for each of them, then a hold for what is left of the step.

    Where a spectrum takes longer than to the next start, they are back to back.
    """
    chain: tuple[Technique, ...] = ()
    lead_s, takes_s = _lead_s(hold, spectra.sweep), sweep_seconds(spectra.sweep, instrument)
    over_s = 0.0
    for start_s in (*spectra.starts_s, hold.duration_s):
        is_last = start_s >= hold.duration_s
        wait_s = max(0.0 if is_last else lead_s, start_s - over_s)
        if wait_s >= _SHORTEST_REST_s:
            chain = append(chain, _lasting(hold, wait_s, ends, played(spectrum)[-1].hardware, instrument))
        chain = chain if is_last else append(chain, spectrum)
        over_s += wait_s + takes_s
    return chain


def _rhythm(duration_s: float, one_s: float, every_s: float | None) -> tuple[int, float, float]:
    """How many spectra fit by the estimate, the hold between two of them, and what is left of the step."""
    gap_s = 0.0 if every_s is None else every_s - one_s
    if gap_s < _SHORTEST_REST_s:
        gap_s = 0.0  # not dropped from each pass: the last hold makes up for it
    period_s = one_s + gap_s
    times = int(duration_s / period_s * (1 + 1e-9))
    return times, gap_s, duration_s - times * period_s


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
