"""A chain of techniques as the machine is told it.

`encode` turns a Segment into one record per technique, with the settings of its ranges and everything counted
in whole time bases, as the instrument does when it is loaded.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from nakctl.device.instrument import CurrentRange, Instrument, PotentialRange
from nakctl.device.program import (
    Ca,
    Cp,
    Done,
    Draw,
    Eis,
    Hardware,
    Loop,
    Ocv,
    Segment,
    Technique,
    Test,
    Tested,
)
from nakctl.device.techniques import Ece_is_recorded, timebase_of
from nakctl.errors import LimitError
from nakctl_sim.executor.registers import (
    ABS_I,
    CA,
    CP,
    DRAW,
    EWE,
    GEIS,
    LOAD,
    LOOP,
    N_TESTS,
    OCV,
    PEIS,
    POTENTIAL,
    POWER,
)
from nakctl_sim.executor.registers import Technique as Record
from nakctl_sim.habits import ChannelHabits
from nakctl_sim.imperfections import Imperfections
from nakctl_sim.kernel import Chain, Kernel

MEANS = 0.5  # as the driver asks for: EC-Lab's own default
NEVER = (EWE, 1.0, math.inf)  # a test
# A whole number of amperes is still a number of amperes: Python would calculate with it in another way.
KINDS: dict[str, Callable[[Any], Any]] = {
    field.name: {"int": int, "float": float, "bool": bool}[str(field.type)]
    for field in fields(Record)
    if field.name != "tests"
}


def encode(
    segment: Segment,
    instrument: Instrument,
    faults: Imperfections,
    habits: ChannelHabits,
    kernel: Kernel,
    *,
    third: bool = False,
) -> Chain:
    """LimitError: the chain names what the instrument does not have, or loops over nothing."""
    chain = []
    for at, technique in enumerate(segment.techniques):
        words = _words(at, technique, segment, instrument, faults) | _habits(technique, habits)
        words = {name: KINDS[name](value) for name, value in words.items()}
        tests = tuple(map(_test, technique.tests)) if isinstance(technique, Tested) else ()
        tests += (N_TESTS - len(tests)) * (NEVER,)
        numbers = kernel.numbers([number for test in tests for number in test])
        chain.append(kernel.Technique(tests=numbers, third=third, **words))
    return chain


def _words(
    at: int, technique: Technique, segment: Segment, instrument: Instrument, faults: Imperfections
) -> dict[str, Any]:
    """The fields of one record; those left out are 0."""
    if isinstance(technique, Loop):
        if all(isinstance(inner, Loop) for inner in segment.techniques[technique.to : at]):
            raise LimitError(f"technique {at} of the chain loops over nothing that takes time")
        return {"kind": LOOP, "to": technique.to, "times": technique.times or 0}
    timing = _timing(technique, timebase_of(technique, instrument))
    ranges = _ranges(technique.hardware, instrument, faults)
    asked = _asked(technique, 1.0 + faults.I_set_error)
    Ece_row = {"Ece_row": Ece_is_recorded(technique, instrument) and not isinstance(technique, Eis)}
    return asked | timing | ranges | Ece_row | _moving(technique, 1.0 + faults.I_set_error, timing, ranges)


def _asked(technique: Done, I_gain: float) -> dict[str, Any]:
    """I_gain: current delivered over current asked for."""
    match technique:
        case Ocv():
            return {"kind": OCV, "delta": _or_never(technique.dE_V)}
        case Cp():
            words = {"kind": CP, "level": technique.I_A * I_gain, "delta": _or_never(technique.dE_V)}
            return words | {"tested": bool(technique.tests), "stops": technique.on_test == "stop"}
        case Ca():
            words = {"kind": CA, "keeps": POTENTIAL, "level": technique.E_V}
            words |= {"delta": _or_never(technique.dI_A)}
            return words | {"tested": bool(technique.tests), "stops": technique.on_test == "stop"}
        case Draw():
            keeps = POWER if technique.control == "POWER" else LOAD
            words = {"kind": DRAW, "keeps": keeps, "level": technique.level}
            return words | {"delta": _or_never(technique.dE_V)}
        case Eis(control="GEIS"):
            return {"kind": GEIS, "level": technique.bias * I_gain, "delta": math.inf}
        case Eis():
            words = {"kind": PEIS, "keeps": POTENTIAL, "level": technique.bias, "delta": math.inf}
            return words | {"vs_previous": technique.vs_previous}


def _moving(
    technique: Done, I_gain: float, timing: dict[str, float], ranges: dict[str, float]
) -> dict[str, float]:
    """How fast the level of a ramp or scan moves, and how far it may in one step of the model: by what the
    range can set, and what a reading can tell. So a row is wrong by less than the instrument's own staircase.
    """
    match technique:
        case Cp(I_A=first, to_A=last) if last is not None:
            change, resolution = (last - first) * I_gain, ranges["I_step_A"]
        case Ca(E_V=first, to_V=last) if last is not None:
            change, resolution = last - first, ranges["E_step_V"]
        case _:
            return {"slope": 0.0, "longest_s": math.inf}
    slope = change / timing["duration_s"]
    # A hair more: a rate that is told as a single must not make a step more of it.
    longest_s = resolution / abs(slope) * (1.0 + 1e-6) if slope else math.inf
    return {"slope": slope, "longest_s": max(timing["timebase_s"], longest_s)}


def _or_never(delta: float | None) -> float:
    return math.inf if delta is None else delta


def _timing(technique: Done, base_s: float) -> dict[str, float]:
    """In whole time bases. Only the hold before a sweep may be left out."""
    hold = isinstance(technique, Eis)
    duration_s = technique.hold_s if isinstance(technique, Eis) else technique.duration_s
    return {
        "timebase_s": base_s,
        "duration_s": max(0 if hold else 1, round(duration_s / base_s)) * base_s,
        "every_s": max(1, round(technique.every_s / base_s)) * base_s,
    }


def _ranges(hardware: Hardware, instrument: Instrument, faults: Imperfections) -> dict[str, float]:
    current = I_range(hardware, instrument)
    potential = E_range(hardware, instrument)
    return {
        "I_code": current.code,
        "I_full_A": current.full_A,
        "I_step_A": instrument.I_step * current.full_A,
        "I_noise_A": faults.noise * current.full_A,
        "I_max_A": instrument.I_max_A,
        "E_low_V": potential.low_V,
        "E_high_V": potential.high_V,
        "E_step_V": instrument.E_step * (potential.high_V - potential.low_V),
        "E_noise_V": faults.noise * potential.high_V,
        "compliance_V": faults.compliance_V,
    }


def _habits(technique: Technique, habits: ChannelHabits) -> dict[str, Any]:
    """The hold before a sweep always has its last row: the technique does not end there."""
    return {
        "test_row": habits.test_row,
        "end_row": habits.end_row or isinstance(technique, Eis),
        "late_s": habits.late_row_s if isinstance(technique, Tested) else 0.0,
        "means": MEANS
        if habits.scan_means and isinstance(technique, Tested) and technique.to is not None
        else 0.0,
    }


def I_range(hardware: Hardware, instrument: Instrument) -> CurrentRange:
    found: CurrentRange = _named(instrument.I_ranges, hardware.I_range, instrument)
    return found


def E_range(hardware: Hardware, instrument: Instrument) -> PotentialRange:
    found: PotentialRange = _named(instrument.E_ranges, hardware.E_range, instrument)
    return found


def _named(ranges: tuple[Any, ...], name: str, instrument: Instrument) -> Any:
    for each in ranges:
        if each.name == name:
            return each
    there_are = ", ".join(each.name for each in ranges)
    raise LimitError(f"{instrument.name} has no range {name}; there are: {there_are}")


def _test(test: Test) -> tuple[float, float, float]:
    quantity = EWE if test.quantity == "Ewe" else ABS_I
    return quantity, 1.0 if test.side == "above" else -1.0, test.value
