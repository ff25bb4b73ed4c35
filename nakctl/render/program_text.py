"""A program, complete and line by line: what the golden files hold."""

from __future__ import annotations

from collections.abc import Iterator

from nakctl.device.ends import End
from nakctl.device.program import (
    Ask,
    Branch,
    Ca,
    Capacity,
    Cp,
    Done,
    Draw,
    Eis,
    Ended,
    HostLoop,
    Loop,
    Node,
    Ocv,
    Program,
    Segment,
    SetPoint,
    StepInfo,
    Technique,
    Tested,
    Timed,
)
from nakctl.device.techniques import kind_of

SIGN = {"above": ">", "below": "<"}
UNITS = {
    "Ewe": "V", "|I|": "A", "charge": "C", "time": "s", "short": "V", "sensor": "(SI)", "dEwe/dt": "V/s",
    "dI/dt": "A/s", "Ece": "V", "Ewe-Ece": "V",
}  # fmt: skip


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
        "ends",
        *(_end(end) for end in program.ends),
        *([] if program.short is None else [repr(program.short)]),
    ]
    return "\n".join(lines) + "\n"


def _nodes(nodes: tuple[Node, ...], indent: str) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, Branch):
            for word, side in (("if", node.then), ("else", node.otherwise)):
                yield f"{indent}{word} {_ended(node.when)}"
                yield from _nodes(side, indent + "  ")
            continue
        if isinstance(node, HostLoop):
            until = "" if node.until is None else f", until {_ended(node.until)}"
            yield f"{indent}host loop {_times(node.times)}{until}"
            yield from _nodes(node.body, indent + "  ")
            continue
        if isinstance(node, Ask):
            place = f"line {node.mark.line}:{node.mark.column}"
            yield f"{indent}host asks, {place}: {node.label}: {node.text}"
            continue
        if isinstance(node, SetPoint):
            place = f"line {node.mark.line}:{node.mark.column}"
            slope = ""
            if node.slope is not None:
                start = "" if node.slope.start is None else f" from {_n(node.slope.start)}"
                slope = f" at {_n(node.slope.rate)} per s{start}"
            yield f"{indent}host sets {node.sensor} to {_n(node.value)}{slope} (SI), {place}: {node.label}"
            continue
        if isinstance(node, Capacity):
            planned = f"{_n(node.about_C)} C, within {_n(node.within)}"
            yield f"{indent}host takes the charge of step {node.step} as capacity ({planned}): {node.label}"
            continue
        yield f"{indent}segment{_about(node)}"
        for position, technique in enumerate(node.techniques):
            yield f"{indent}{position:>3} {_technique(technique)}"


def _ended(when: Ended) -> str:
    return f"{when.text} (steps {', '.join(map(str, when.steps))})"


def _about(segment: Segment) -> str:
    about = " (a loop)" if segment.loop else " (tops up)" if segment.tops_up else ""
    if segment.new_cycle:
        about += f" (a cycle begins at {', '.join(map(str, segment.new_cycle))})"
    for each in segment.later:
        scan = f", at {_n(each.rate)} V/s" if each.rate else ""
        bounds = f"{_n(each.low_V)} to {_n(each.high_V)} V"
        about += f" ({each.at} begins at {each.of} + {_n(each.add_V)} V{scan}, within {bounds})"
    if (charge := segment.charge) is not None:
        at, steps = (", ".join(map(str, each)) for each in (charge.at, charge.steps))
        about += f" ({at}: as long as it takes to move the charge of step {steps}, "
        about += f"planned for {_n(charge.planned_C)} C)"
    return about + (f" (its step lasted {_n(segment.step_s)} s before)" if segment.step_s else "")


def _technique(technique: Technique) -> str:
    if isinstance(technique, Loop):
        kind = "passes" if technique.passes else "spectra"
        kind += ", the first as well" if technique.begins else ""
        return f"     LOOP to {technique.to} {_times(technique.times)} ({kind})"
    hardware = technique.hardware
    panel = f"{hardware.I_range}, {hardware.E_range}, bw {hardware.bandwidth}"
    panel += ", Ece" if hardware.Ece else ""
    pulse = f" trigger out {_n(technique.trigger_s)} s" if technique.trigger_s else ""
    return f"{technique.step:>4} {_words(technique)}{pulse} | {panel}"


def _words(technique: Done) -> str:
    match technique:
        case Ocv():
            return f"OCV  {_timing(technique)}{_optional(' dE', technique.dE_V, 'V')}"
        case Cp():
            level = f"{_levels(technique, 'A')} {_timing(technique)}{_optional(' dE', technique.dE_V, 'V')}"
            return f"{kind_of(technique).name:4} {level}{_tests(technique)}"
        case Ca():
            level = f"{_levels(technique, 'V')} {_timing(technique)}{_optional(' dI', technique.dI_A, 'A')}"
            return f"{kind_of(technique).name:4} {level}{_tests(technique)}"
        case Draw():
            level = f"{_n(technique.level)} {kind_of(technique).unit}"
            return f"{technique.control} {level} {_timing(technique)}{_optional(' dE', technique.dE_V, 'V')}"
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


def _levels(technique: Tested, unit: str) -> str:
    to = "" if technique.to is None else f" to {_n(technique.to)} {unit}"
    return f"{_n(technique.level)} {unit}{to}"


def _timing(technique: Timed) -> str:
    return f"for {_n(technique.duration_s)} s every {_n(technique.every_s)} s"


def _tests(technique: Tested) -> str:
    """Each test with the number of its end."""
    said = ", ".join(f"{t.quantity} {SIGN[t.side]} {_n(t.value)} #{t.end}" for t in technique.tests)
    sentinel = " sentinel" if technique.sentinel else ""
    return f"{sentinel} [{said}: {technique.on_test}]" if said else sentinel


def _times(times: int | None) -> str:
    return "without end" if times is None else f"{times} times"


def _step(step: StepInfo) -> Iterator[str]:
    place = f"level {step.level}, line {step.mark.line}:{step.mark.column}"
    yield f"  {step.step_id} {step.technique} {place}: {step.label}"
    if step.settle is not None:
        settle = step.settle
        band = f"within {_n(settle.within)} of {_n(settle.of)} (SI) for {_n(settle.for_s)} s"
        yield f"    until {settle.sensor} is {band}, else {settle.then}, by host"


def _end(end: End) -> str:
    what = f"{end.sensor or end.quantity} {end.side} {_n(end.value)} {UNITS[end.quantity]}"
    what += f" over {_n(end.over_s)} s" if end.over_s else ""
    of = f"step {end.step}" if end.step else "run"
    place = f"line {end.mark.line}:{end.mark.column}"
    return f"  #{end.id} {end.kind} of {of}: {what}: {end.then} by {end.by}, {place}: {end.text}"


def _optional(word: str, value: float | None, unit: str) -> str:
    return "" if value is None else f"{word} {_n(value)} {unit}"


def _n(value: float) -> str:
    """Nine digits: enough for any instrument, few enough to be the same on every machine."""
    return f"{value:.9g}"
