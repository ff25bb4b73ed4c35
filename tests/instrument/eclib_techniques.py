"""Parameters of techniques, one record per line of the manual, and a program's technique as such."""

from __future__ import annotations

import math
from typing import Any

from eclib_bench import BOOL, INT, SINGLE, Parameters

from nakctl.device.instrument import Instrument
from nakctl.device.program import Ca, Cp, Draw, Eis, Loop, Ocv, Technique, Test

E_BELOW, E_ABOVE, I_BELOW_AND, I_ABOVE, I_BELOW = 1, 5, 99, 101, 97
Chain = tuple[str, Parameters]


def ocv(rest_s: float = 2.0, every_s: float = 0.5, dE_V: float = math.inf) -> Chain:
    return "ocv", [
        ("Rest_time_T", SINGLE, rest_s, 0),
        ("Record_every_dT", SINGLE, every_s, 0),
        ("Record_every_dE", SINGLE, dE_V, 0),
        ("E_Range", INT, 1, 0),
    ]


def stepped(
    name: str,
    levels: list[float],
    seconds: list[float],
    every_s: float = 0.5,
    tests: list[list[tuple[int, float]]] | None = None,
    exits: list[int] | None = None,
    cycles: int = 0,
    delta: float = math.inf,
    I_range: int = 7,
) -> Chain:
    """cplimit or calimit (cp or ca: without tests)."""
    unit, value = ("Current", "E") if name.startswith("cp") else ("Voltage", "I")
    found: Parameters = [
        ("Step_number", INT, len(levels) - 1, 0),
        ("Record_every_dT", SINGLE, every_s, 0),
        (f"Record_every_d{value}", SINGLE, delta, 0),
        ("N_Cycles", INT, cycles, 0),
        ("I_Range", INT, I_range, 0),
        ("E_Range", INT, 1, 0),
        ("Bandwidth", INT, 5, 0),
    ]
    for n, (level, duration_s) in enumerate(zip(levels, seconds, strict=True)):
        found += [(f"{unit}_step", SINGLE, level, n), ("vs_initial", BOOL, False, n)]
        found.append(("Duration_step", SINGLE, duration_s, n))
        if name.endswith("limit"):
            found.append(("Exit_Cond", INT, (exits or [0] * len(levels))[n], n))
            slots = (tests[n] if tests else []) + [(0, 0.0)] * 3
            for k, (bits, limit) in enumerate(slots[:3], start=1):
                found += [(f"Test{k}_Config", INT, bits, n), (f"Test{k}_Value", SINGLE, limit, n)]
    return name, found


def cplimit(I_A: float = 1e-4, seconds: float = 2.0, every_s: float = 0.5, **more: Any) -> Chain:
    return stepped("cplimit", [I_A], [seconds], every_s, **more)


def scan(
    name: str,
    vertices: list[float],
    rates: list[float],
    every: float,
    tests: list[list[tuple[int, float]]] | None = None,
    exits: list[int] | None = None,
    cycles: int = 0,
    **more: float,
) -> Chain:
    """vscan, vscanlimit, iscan, iscanlimit, cv. every: in V or A; rates: to each vertex, the first of no use."""
    unit, driven, measured = ("Current", "I", "E") if name.startswith("i") else ("Voltage", "E", "I")
    found: Parameters = [
        ("Scan_number", INT, 2 if name == "cv" else len(vertices) - 2, 0),
        (f"Record_every_d{driven}", SINGLE, every, 0),
        ("N_Cycles", INT, cycles, 0),
        (f"Begin_measuring_{measured}", SINGLE, more.get("begin", 0.5), 0),
        (f"End_measuring_{measured}", SINGLE, more.get("end", 1.0), 0),
        ("I_Range", INT, 7, 0),
        ("E_Range", INT, 1, 0),
        ("Bandwidth", INT, 5, 0),
    ]
    if name == "cv":
        found.append(("Average_over_dE", BOOL, False, 0))
    for n, (vertex, rate) in enumerate(zip(vertices, rates, strict=True)):
        found += [(f"{unit}_step", SINGLE, vertex, n), ("vs_initial", BOOL, False, n)]
        found.append(("Scan_Rate", SINGLE, rate, n))
        if name.endswith("limit"):
            found.append(("Exit_Cond", INT, (exits or [0] * len(vertices))[n], n))
            slots = (tests[n] if tests else []) + [(0, 0.0)] * 3
            for k, (bits, limit) in enumerate(slots[:3], start=1):
                found += [(f"Test{k}_Config", INT, bits, n), (f"Test{k}_Value", SINGLE, limit, n)]
    return name, found


def drawing(name: str, levels: list[float], seconds: list[float], every_s: float = 0.5) -> Chain:
    """pow or load."""
    found: Parameters = [
        ("Step_number", INT, len(levels) - 1, 0),
        ("Record_every_dT", SINGLE, every_s, 0),
        ("Record_every_dE", SINGLE, math.inf, 0),
        ("N_Cycles", INT, 0, 0),
        ("I_Range", INT, 8, 0),
        ("E_Range", INT, 1, 0),
        ("Bandwidth", INT, 5, 0),
    ]
    for n, (level, duration_s) in enumerate(zip(levels, seconds, strict=True)):
        found.append(("Power_step" if name == "pow" else "Load_step", SINGLE, level, n))
        found += [("vs_initial", BOOL, False, n), ("Duration_step", SINGLE, duration_s, n)]
    return name, found


def impedance(name: str = "geis", **changes: Any) -> Chain:
    """geis, peis, seisg or seisp; changes by label."""
    unit, value = ("Current", "E") if name in ("geis", "seisg") else ("Voltage", "I")
    given: dict[str, tuple[int, Any]] = {
        "vs_initial": (BOOL, False),
        "vs_final": (BOOL, False),
        f"Initial_{unit}_step": (SINGLE, 0.0),
        f"Final_{unit}_step": (SINGLE, 0.0),
        "Duration_step": (SINGLE, 1.0),
        "Step_number": (INT, 0),
        "Record_every_dT": (SINGLE, 0.25),
        f"Record_every_d{value}": (SINGLE, math.inf),
        "Initial_frequency": (SINGLE, 1e5),
        "Final_frequency": (SINGLE, 10.0),
        "sweep": (BOOL, False),
        f"Amplitude_{unit}": (SINGLE, 50e-6 if unit == "Current" else 5e-3),
        "Frequency_number": (INT, 5),
        "Average_N_times": (INT, 1),
        "Correction": (BOOL, False),
        "Wait_for_steady": (SINGLE, 0.1),
        "I_Range": (INT, 7),
        "E_Range": (INT, 1),
        "Bandwidth": (INT, 5),
    }
    for label, new in changes.items():
        given[label] = given[label][0], new
    return name, [(label, kind, value, 0) for label, (kind, value) in given.items()]


def loop(to: int, times: int) -> Chain:
    """Done `times` times in all; -1: for ever."""
    again = times if times == -1 else times - 1
    return "loop", [("loop_N_times", INT, again, 0), ("protocol_number", INT, to, 0)]


def of(technique: Technique, instrument: Instrument) -> Chain:
    """A program's technique."""
    if isinstance(technique, Loop):
        return loop(technique.to, -1 if technique.times is None else technique.times)
    name, found = _of(technique)
    codes = {
        "I_Range": {each.name: each.code for each in instrument.I_ranges}[technique.hardware.I_range],
        "E_Range": {each.name: each.code for each in instrument.E_ranges}[technique.hardware.E_range],
        "Bandwidth": technique.hardware.bandwidth,
    }
    others = [each for each in found if each[0] not in codes]
    return name, others + [(label, INT, code, 0) for label, code in codes.items()]


def _of(technique: Ocv | Cp | Ca | Draw | Eis) -> Chain:
    match technique:
        case Ocv(duration_s=rest_s, every_s=every_s, dE_V=dE_V):
            return ocv(rest_s, every_s, math.inf if dE_V is None else dE_V)
        case Cp(level=first, to=last) | Ca(level=first, to=last) if last is not None:
            rate = abs(last - first) / technique.duration_s
            tests = [slot for test in technique.tests for slot in slots(test)]
            name = "iscanlimit" if isinstance(technique, Cp) else "vscanlimit"
            out = [2 if technique.on_test == "stop" else 0] * 2
            return scan(name, [first, last], [rate] * 2, rate * technique.every_s, [tests] * 2, out)
        case Draw(control=control):
            name = "pow" if control == "POWER" else "load"
            return drawing(name, [technique.level], [technique.duration_s], technique.every_s)
        case Cp() | Ca():
            name, level = (
                ("cplimit", technique.I_A) if isinstance(technique, Cp) else ("calimit", technique.E_V)
            )
            delta = technique.dE_V if isinstance(technique, Cp) else technique.dI_A
            return stepped(
                name,
                [level],
                [technique.duration_s],
                technique.every_s,
                tests=[[slot for test in technique.tests for slot in slots(test)]],
                exits=[2 if technique.on_test == "stop" else 0],
                delta=math.inf if delta is None else delta,
            )
        case Eis():
            unit = "Current" if technique.control == "GEIS" else "Voltage"
            return impedance(
                technique.control.lower(),
                **{
                    "vs_initial": technique.vs_previous,
                    f"Initial_{unit}_step": technique.bias,
                    f"Final_{unit}_step": technique.bias,
                    f"Amplitude_{unit}": technique.amplitude_peak,
                },
                Duration_step=technique.hold_s,
                Record_every_dT=technique.every_s,
                Initial_frequency=technique.f_first_Hz,
                Final_frequency=technique.f_last_Hz,
                sweep=technique.spacing == "linear",
                Frequency_number=technique.n_frequencies,
                Average_N_times=technique.average,
                Wait_for_steady=technique.wait_periods,
            )


def slots(test: Test) -> list[tuple[int, float]]:
    if test.quantity == "Ewe":
        return [(E_ABOVE if test.side == "above" else E_BELOW, test.value)]
    if test.side == "above":
        return [(I_ABOVE, test.value), (I_BELOW, -test.value)]
    return [(I_BELOW_AND, test.value), (I_ABOVE, -test.value)]
