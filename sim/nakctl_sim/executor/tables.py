"""A chain of techniques as numbers, and the registers of the machine that executes it.

Compiled code reads records, not dataclasses: `encode` turns a Segment into one record per technique, with the
settings of its ranges and everything counted in whole time bases, as the instrument does when it is loaded.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

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
from nakctl_sim.habits import ChannelHabits
from nakctl_sim.imperfections import Imperfections

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Records = npt.NDArray[np.void]

OCV, CP, CA, GEIS, PEIS, LOOP, DRAW = range(7)
CURRENT, POTENTIAL, POWER, LOAD = range(4)  # what the amplifier keeps to; an open cell: no current
N_TESTS = 3
MEANS = 0.5  # as the driver asks for: EC-Lab's own default
EWE, ABS_I = 0.0, 1.0  # first column of a test: what it looks at
NEVER = (EWE, 1.0, np.inf)

# What a technique is told. keeps: to what. level: of that, in A, V, W or ohm; slope: by how much it moves per
# s. longest_s: a step of the model while it moves, else inf. delta in V, or in A (CA), inf: by time alone.
# means: share of the time between two rows that a row is the mean of; 0: it is a reading of its moment.
# times 0: for ever. test_row, end_row: whether there is a row where a test is met, at the end. late_s: how
# far the last row's time lies behind the first row of what follows; 0: it does not. third: the cell has a
# reference electrode of its own; Ece_row: Ece is in the rows.
TECHNIQUE = np.dtype(
    [
        ("kind", "<i8"),
        ("keeps", "<i8"),
        ("level", "<f8"),
        ("slope", "<f8"),
        ("longest_s", "<f8"),
        ("means", "<f8"),
        ("vs_previous", "<i8"),
        ("duration_s", "<f8"),
        ("every_s", "<f8"),
        ("delta", "<f8"),
        ("timebase_s", "<f8"),
        ("tested", "<i8"),
        ("stops", "<i8"),
        ("to", "<i8"),
        ("times", "<i8"),
        ("test_row", "<i8"),
        ("end_row", "<i8"),
        ("late_s", "<f8"),
        ("I_code", "<i8"),
        ("I_full_A", "<f8"),
        ("I_step_A", "<f8"),
        ("I_noise_A", "<f8"),
        ("I_max_A", "<f8"),
        ("E_low_V", "<f8"),
        ("E_high_V", "<f8"),
        ("E_step_V", "<f8"),
        ("E_noise_V", "<f8"),
        ("compliance_V", "<f8"),
        ("third", "<i8"),
        ("Ece_row", "<i8"),
    ]
)


# The registers. start_s + tau_s is the time in the segment, tau_s that in the technique. due_s: tau of the
# next row. kept: the value of the last row, for delta. since_s: how long I_A has been flowing. E_end_V: the
# reading at which the technique before ended. at: the technique. point: next frequency of its sweep.
# above: |Ewe| of the last row under current was above what the host watches for. sum_s, sum_Vs, sum_As: of
# what the next row is the mean, where it is one.
MACHINE = np.dtype(
    [
        ("start_s", "<f8"),
        ("tau_s", "<f8"),
        ("due_s", "<f8"),
        ("kept", "<f8"),
        ("level", "<f8"),
        ("I_A", "<f8"),
        ("since_s", "<f8"),
        ("E_end_V", "<f8"),
        ("sum_s", "<f8"),
        ("sum_Vs", "<f8"),
        ("sum_As", "<f8"),
        ("at", "<i8"),
        ("phase", "<i8"),
        ("n_rows", "<i8"),
        ("n_noise", "<i8"),
        ("point", "<i8"),
        ("above", "<i8"),
    ]
)
HOLD, SWEEP, OVER = range(3)  # phase


class Chain(NamedTuple):
    """techniques (n,) of TECHNIQUE. tests (n, N_TESTS, 3): quantity, side, value. started, passed (n,): how
    often each technique was started, how many passes each loop has counted."""

    techniques: Records
    tests: Floats
    started: Counts
    passed: Counts


def encode(
    segment: Segment,
    instrument: Instrument,
    faults: Imperfections,
    habits: ChannelHabits,
    *,
    third: bool = False,
) -> Chain:
    """LimitError: the chain names what the instrument does not have, or loops over nothing."""
    n = len(segment.techniques)
    techniques = np.zeros(n, TECHNIQUE)
    tests = np.full((n, N_TESTS, 3), NEVER)
    for at, technique in enumerate(segment.techniques):
        words = _words(at, technique, segment, instrument, faults) | _habits(technique, habits)
        words["third"] = third
        for name, value in words.items():
            techniques[at][name] = value
        if isinstance(technique, Tested):
            for slot, test in enumerate(technique.tests):
                tests[at, slot] = _test(test)
    return Chain(techniques, tests, np.zeros(n, np.int64), np.zeros(n, np.int64))


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
            return {"kind": GEIS, "level": technique.bias * I_gain, "delta": np.inf}
        case Eis():
            words = {"kind": PEIS, "keeps": POTENTIAL, "level": technique.bias, "delta": np.inf}
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
            return {"slope": 0.0, "longest_s": np.inf}
    slope = change / timing["duration_s"]
    # A hair more: a rate that is told as a single must not make a step more of it.
    longest_s = resolution / abs(slope) * (1.0 + 1e-6) if slope else np.inf
    return {"slope": slope, "longest_s": max(timing["timebase_s"], longest_s)}


def _or_never(delta: float | None) -> float:
    return np.inf if delta is None else delta


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
