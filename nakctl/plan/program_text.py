"""A program, complete and line by line: what the golden files hold."""

from __future__ import annotations

from collections.abc import Iterator

from nakctl.device.program import (
    Ca,
    Cp,
    Cutoff,
    Eis,
    HostLoop,
    Limits,
    Loop,
    Node,
    Ocv,
    Program,
    SetPoint,
    StepInfo,
    Technique,
    Test,
)

SIGN = {"above": ">", "below": "<"}


def program_text(program: Program) -> str:
    """All of a program in SI units, one technique a line after its position in the chain and its step.

    Equal programs give equal texts, and no others. Na, pw, bw: averages, wait in periods, bandwidth; hold is
    that before a sweep and how often it is recorded.
    """
    lines = [
        f"program for {program.instrument}, {_n(program.area_cm2)} cm2",
        *_nodes(program.nodes, ""),
        "steps",
        *(line for step in program.steps for line in _step(step)),
        f"limits {_limits(program.limits)}",
        *(f"rule {rule!r}" for rule in program.rules),
    ]
    return "\n".join(lines) + "\n"


def _nodes(nodes: tuple[Node, ...], indent: str) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, HostLoop):
            yield f"{indent}host loop {_times(node.times)}"
            yield from _nodes(node.body, indent + "  ")
            continue
        if isinstance(node, SetPoint):
            place = f"line {node.mark.line}:{node.mark.column}"
            yield f"{indent}host sets {node.sensor} to {_n(node.value)} (SI), {place}: {node.label}"
            continue
        yield f"{indent}segment{' (a loop)' if node.loop else ''}"
        for position, technique in enumerate(node.techniques):
            yield f"{indent}{position:>3} {_technique(technique)}"


def _technique(technique: Technique) -> str:
    if isinstance(technique, Loop):
        kind = "passes" if technique.passes else "spectra"
        return f"     LOOP to {technique.to} {_times(technique.times)} ({kind})"
    hardware = technique.hardware
    panel = f"{hardware.I_range}, {hardware.E_range}, bw {hardware.bandwidth}"
    return f"{technique.step:>4} {_words(technique)} | {panel}"


def _words(technique: Ocv | Cp | Ca | Eis) -> str:
    match technique:
        case Ocv():
            return f"OCV  {_timing(technique)}{_optional(' dE', technique.dE_V, 'V')}"
        case Cp():
            level = f"{_n(technique.I_A)} A {_timing(technique)}{_optional(' dE', technique.dE_V, 'V')}"
            return f"CP   {level}{_tests(technique.tests, technique.on_test)}"
        case Ca():
            level = f"{_n(technique.E_V)} V {_timing(technique)}{_optional(' dI', technique.dI_A, 'A')}"
            return f"CA   {level}{_tests(technique.tests, technique.on_test)}"
        case Eis():
            return _eis(technique)


def _eis(eis: Eis) -> str:
    unit = "A" if eis.control == "GEIS" else "V"
    reference = " vs previous" if eis.vs_previous else ""
    parts = [
        f"{_n(eis.bias)} {unit}{reference} peak {_n(eis.amplitude_peak)} {unit}",
        f"{_n(eis.f_first_Hz)}..{_n(eis.f_last_Hz)} Hz {eis.spacing} {eis.n_frequencies}",
        f"Na {eis.average} pw {_n(eis.wait_periods)}{' drift' if eis.drift_correction else ''}",
        f"hold {_n(eis.hold_s)} / {_n(eis.every_s)} s",
    ]
    return f"{eis.control} {', '.join(parts)}{', continues' if eis.continues else ''}"


def _timing(technique: Ocv | Cp | Ca) -> str:
    return f"for {_n(technique.duration_s)} s every {_n(technique.every_s)} s"


def _tests(tests: tuple[Test, ...], on_test: str) -> str:
    if not tests:
        return ""
    said = ", ".join(f"{test.quantity} {SIGN[test.side]} {_n(test.value)}" for test in tests)
    return f" [{said}: {on_test}]"


def _times(times: int | None) -> str:
    return "without end" if times is None else f"{times} times"


def _step(step: StepInfo) -> Iterator[str]:
    place = f"level {step.level}, line {step.mark.line}:{step.mark.column}"
    yield f"  {step.step_id} {step.technique} {place}: {step.label}"
    yield from (f"    {_cutoff(cutoff)}" for cutoff in step.cutoffs)
    if step.settle is not None:
        settle = step.settle
        band = f"within {_n(settle.within)} of {_n(settle.of)} (SI) for {_n(settle.for_s)} s"
        yield f"    until {settle.sensor} is {band}, else {settle.then}, by host"


def _cutoff(cutoff: Cutoff) -> str:
    unit = {"Ewe": "V", "|I|": "A", "charge": "C"}[cutoff.quantity]
    what = f"{cutoff.quantity} {cutoff.side} {_n(cutoff.value)} {unit}"
    return f"{what}: {cutoff.then} by {cutoff.by}, line {cutoff.mark.line}:{cutoff.mark.column}"


def _limits(limits: Limits) -> str:
    values = (limits.Ewe_min_V, limits.Ewe_max_V, limits.I_max_A, limits.time_s)
    words = ("Ewe above", "Ewe below", "|I| below", "time")
    units = ("V", "V", "A", "s")
    said = [_optional(word, value, unit) for word, value, unit in zip(words, values, units, strict=True)]
    said += [f"{each.sensor} {_n(each.low)} .. {_n(each.high)} (SI)" for each in limits.sensors]
    return ", ".join(filter(None, said)) or "none"


def _optional(word: str, value: float | None, unit: str) -> str:
    return "" if value is None else f"{word} {_n(value)} {unit}"


def _n(value: float) -> str:
    """Nine digits: enough for any instrument, few enough to be the same on every machine."""
    return f"{value:.9g}"
