"""Plans written by hand, one word each; the real lowering makes their programs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nakctl.checks.check import check
from nakctl.checks.findings import Finding
from nakctl.device.instrument import Instrument, instrument
from nakctl.device.program import Program
from nakctl.errors import Mark
from nakctl.plan import plan as p
from nakctl.plan.estimate import Estimate, estimate
from nakctl.plan.lower import lower
from nakctl.plan.sweeps import spread
from nakctl.text.numbers import duration, si

SP300, VMP3 = instrument("SP-300"), instrument("VMP-3")
LIMITS: dict[str, float | None] = {"Ewe_min_V": -3.0, "Ewe_max_V": 3.0, "I_max_A": None, "time_s": None}


def with_limits(**values: float | None) -> p.Limits:
    """The usual window, with these instead; None: without."""
    asked = LIMITS | values
    words: tuple[tuple[str, Any, Any, str], ...] = (
        ("Ewe_min_V", "Ewe", "below", "V"),
        ("Ewe_max_V", "Ewe", "above", "V"),
        ("I_max_A", "|I|", "above", "A"),
        ("time_s", "time", "above", "s"),
    )
    found = []
    for word, quantity, side, unit in words:
        value = asked[word]
        if value is not None:
            said = duration(value) if unit == "s" else si(value, unit)
            text = f"{said} of run time" if unit == "s" else f"{quantity} {side} {said}"
            found.append(p.Limit(quantity, side, value, text, said, Mark(5, 1)))
    return p.Limits(tuple(found))


def hold(kind: Any = "cp", level: float | None = 1e-3, duration_s: float = 60.0, **words: Any) -> p.Hold:
    given = {
        "step_id": 1,
        "label": f"1 {kind}",
        "record": p.Record(1.0),
        "cutoffs": (),
        "spectra": None,
        "ranges": p.Ranges(),
        "mark": Mark(10, 5),
    } | words
    return p.Hold(kind=kind, level=None if kind == "rest" else level, duration_s=duration_s, **given)


def sweep(control: Any = "geis", amplitude_peak: float = 50e-6, **words: Any) -> p.Sweep:
    given = {
        "name": "operando",
        "frequencies_Hz": spread(100e3, 10.0, 5, "log"),
        "spacing": "log",
        "average": 1,
        "wait_periods": 0.1,
        "drift_correction": False,
        "ranges": p.Ranges(),
        "mark": Mark(3, 3),
    } | words
    return p.Sweep(control=control, amplitude_peak=amplitude_peak, **given)


def spectrum(of: p.Sweep, bias: float | None = None, **words: Any) -> p.Spectrum:
    given = {
        "step_id": 1,
        "label": f"1 {of.control}",
        "record": p.Record(1.0),
        "cutoffs": (),
        "mark": Mark(10, 5),
    } | words
    return p.Spectrum(sweep=of, bias=bias, **given)


def during(of: p.Sweep, every_s: float | None = None) -> p.Spectra:
    return p.Spectra(of, every_s)


def geis(first_Hz: float, last_Hz: float, **words: Any) -> p.Sweep:
    return sweep(frequencies_Hz=spread(first_Hz, last_Hz, 5, "log"), **words)


def repeat(times: int | None, *steps: p.Step, label: str = "1 repeat") -> p.Repeat:
    return p.Repeat(label, steps, times, Mark(9, 5))


def cutoff(quantity: Any, side: Any, value: float, then: Any = "next step", line: int = 12) -> p.Cutoff:
    unit = {"Ewe": "V", "|I|": "A", "charge": "C"}[quantity]
    return p.Cutoff(quantity, side, value, then, Mark(line, 7), f"{quantity} {side} {si(value, unit)}")


def steady(over_s: float, value: float = 1e-6) -> p.Cutoff:
    """Until Ewe changes by less than `value` V/s."""
    return p.Cutoff("dEwe/dt", "below", value, "next step", Mark(12, 7), "dEwe/dt below", over_s)


def goal(side: Any, value_V: float) -> p.Goal:
    return p.Goal(side, value_V, f"Ewe {side} {si(value_V, 'V')}", Mark(6, 3))


def plan(*steps: p.Step, area_cm2: float = 1.0, limits: p.Limits | None = None, **words: Any) -> p.Plan:
    """A plan of these steps, numbered in order of appearance."""
    numbers = iter(range(1, 10_000))
    given = {
        "name": "By hand",
        "file": "by-hand.yaml",
        "source": "",
        "cell": "dummy",
        "params": {},
        "goals": (),
        "short": None,
        "limits_mark": Mark(5, 1),
    } | words
    return p.Plan(
        area_cm2=area_cm2,
        limits=with_limits() if limits is None else limits,
        steps=tuple(numbered(step, numbers) for step in steps),
        **given,
    )


def numbered(step: p.Step, numbers: Any) -> p.Step:
    match step:
        case p.Repeat():
            return replace(step, steps=tuple(numbered(each, numbers) for each in step.steps))
        case p.Staircase():
            passes = tuple(tuple(numbered(each, numbers) for each in one) for one in step.passes)
            return replace(step, passes=passes)
        case _:
            return replace(step, step_id=next(numbers))


def checked(of: p.Plan, on: Instrument = SP300) -> tuple[Finding, ...]:
    return check(of, lower(of, on), on)


def rules_of(of: p.Plan, on: Instrument) -> set[tuple[str, str]]:
    """What was found, and how grave it is."""
    return {(found.rule, found.severity) for found in checked(of, on)}


def estimated(of: p.Plan, on: Instrument = SP300) -> Estimate:
    return estimate(of, lower(of, on), on)


def lowered(of: p.Plan, on: Instrument = SP300) -> Program:
    return lower(of, on)
