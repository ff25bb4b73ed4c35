"""Loaded techniques -> the program of the simulated potentiostat, and the way back from its rows.

A loaded technique may be several of the potentiostat's (its steps, its cycles, the levels of a staircase, the
ways between the vertices of a scan).

Not imitated, and refused at load (-403): values relative to the technique before (but for the bias of PEIS),
an Exit_Cond that leaves the technique before its last step, time bases other than the technique's own with
what extra columns add, extra columns (xctr) other than Ece, and those of impedance techniques. cp, ca, vscan,
iscan and cv run at the time bases of their variants with limits. Ignored: Record_every_dE and dI during the
hold before a sweep, vs_final, triggers (a trigger input finds its line set), over which part of a row's time
a scan measures (the habit scan_means says if it does at all), the first rate of a scan. AUTO is the largest
range. A cv goes Ei, E1, E2, Ei as often as it is told, and then to Ef.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nakctl.device.instrument import Instrument
from nakctl.device.program import Ca, Cp, Draw, Eis, Hardware, Loop, Ocv, Segment, Technique, Test, Tested
from nakctl_sim.instrument.abi import Board
from nakctl_sim.instrument.codes import Code, Refused
from nakctl_sim.instrument.exits import tests_of
from nakctl_sim.instrument.habits import Habits
from nakctl_sim.instrument.received import Received, refuse

KEEP, AUTO, AUTO_E = -1, 12, 3
NEXT_STEP, NEXT_TECHNIQUE, STOP = range(3)  # Exit_Cond
MAX_TICKS = 2**31
DRAWN = {"pow": ("POWER", "Power_step"), "load": ("LOAD", "Load_step")}
ECE = 1  # bit 0 of xctr
FIRST_EXTRA_us, FURTHER_EXTRA_us = 5.0, 0.5  # on top of a time base


@dataclass(frozen=True, slots=True)
class Part:
    """What one technique of the potentiostat is of the loaded chain.

    entry   position in the loaded chain; level: of a staircase
            (or the number of the only cycle it runs in)
    cycles  how often it runs each time the entry does
    """

    entry: int
    level: int = 0
    cycles: int = 1


@dataclass(frozen=True, slots=True)
class Loaded:
    """loops: (position, where to, times) of the chain's own loops; times None: for ever."""

    segment: Segment
    parts: tuple[Part, ...]
    loops: tuple[tuple[int, int, int | None], ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """What the channel allows. third: the cell on it has a reference electrode of its own."""

    instrument: Instrument
    habits: Habits
    board: Board = Board.PREMIUM
    third: bool = False

    @property
    def Ece_always(self) -> bool:
        """The older boards tell of it wherever they can."""
        return self.third and self.board == Board.ESSENTIAL


def translate(chain: Sequence[Received], rules: Rules) -> Loaded:
    """Refused (-403): the chain asks for what this instrument cannot do."""
    techniques: list[Technique] = []
    parts: list[Part] = []
    starts: list[int] = []  # of each entry, among the potentiostat's techniques
    loops = []
    hardware = _widest(rules.instrument)
    for entry, received in enumerate(chain):
        starts.append(len(techniques))
        if received.file.name == "loop":
            to, times = _loop(received, entry)
            loops.append((entry, to, times))
            more: list[Technique] = [Loop(starts[to], times, passes=True)]
        elif received.file.timebase:
            hardware = _hardware(received, hardware, rules.instrument)
            _check_times(received, rules)
            hardware = replace(hardware, Ece=bool(extras(received)) or rules.Ece_always)
            more = _techniques(received, hardware, rules)
        else:
            more = []
        parts += _parts(received, entry, len(more))
        techniques += _moved(more, len(techniques)) if received.file.name != "loop" else more
    return Loaded(Segment(tuple(techniques)), tuple(parts), tuple(loops))


def _loop(received: Received, entry: int) -> tuple[int, int | None]:
    to, again = received.one("protocol_number"), received.one("loop_N_times")
    if not 0 <= to < entry or again < -1:
        refuse()
    return to, None if again == -1 else again + 1


def _parts(received: Received, entry: int, n: int) -> list[Part]:
    staircase = received.file.name in ("seisg", "seisp")
    cycles = received.one("N_Cycles", 0) + 1
    parts = [Part(entry, level if staircase else 0, cycles) for level in range(n)]
    if received.file.name == "cv":  # the last way, to Ef, is gone once
        parts[-1] = Part(entry, cycles - 1)
    return parts


def _moved(techniques: list[Technique], by: int) -> list[Technique]:
    return [
        Loop(each.to + by, each.times, each.passes) if isinstance(each, Loop) else each for each in techniques
    ]


def _techniques(received: Received, hardware: Hardware, rules: Rules) -> list[Technique]:
    if received.file.name == "ocv":
        return [
            Ocv(
                1,
                received.one("Rest_time_T"),
                received.one("Record_every_dT"),
                _delta(received, "Record_every_dE"),
                hardware,
            )
        ]
    if "Scan_number" in received.file.scalars:
        return _scans(received, hardware, rules)
    if received.file.arrays:
        return _steps(received, hardware, rules)
    return _sweeps(received, hardware, rules)


def _steps(received: Received, hardware: Hardware, rules: Rules) -> list[Technique]:
    steps = [_step(received, n, hardware, rules) for n in range(received.steps)]
    again = received.one("N_Cycles")
    if again < 0:
        refuse()
    return [*steps, Loop(0, again + 1, passes=False)] if again else steps


def _scans(received: Received, hardware: Hardware, rules: Rules) -> list[Technique]:
    ways: list[Technique] = [_way(received, n, hardware, rules) for n in range(1, received.steps)]
    again = received.one("N_Cycles")
    if again < 0:
        refuse()
    round_again = [Loop(0, again + 1, passes=False)] if again else []
    if received.file.name == "cv":
        return [*ways[:-1], *round_again, ways[-1]]
    return [*ways, *round_again]


def _way(received: Received, n: int, hardware: Hardware, rules: Rules) -> Tested:
    """To vertex n from the one before."""
    label = "Voltage_step" if "Voltage_step" in received.file.arrays else "Current_step"
    first, last = received.values[label][n - 1 : n + 1]
    rate, every = _rates(received, n, rules)
    duration_s = abs(last - first) / rate
    if duration_s > MAX_TICKS * rules.instrument.timebase_s[received.file.timebase]:
        refuse()
    tests, then = _way_out(received, n, rules)
    of = (duration_s, min(every / rate, duration_s), None, tests, then, hardware)
    if label == "Voltage_step":
        return Ca(1, first, *of, to_V=last)  # type: ignore[arg-type]
    _check_current(received, max(abs(first), abs(last)), hardware, rules)
    return Cp(1, first, *of, to_A=last)  # type: ignore[arg-type]


def _rates(received: Received, n: int, rules: Rules) -> tuple[float, float]:
    """How fast to vertex n, in V/s or A/s, and how far between two rows."""
    rate = received.values["Scan_Rate"][n]
    every = next(received.one(label) for label in received.file.scalars if label.startswith("Record_every"))
    begin, end = (received.one(label) for label in received.file.scalars if "_measuring_" in label)
    if any(received.values["vs_initial"]) or not 0.0 < rate < math.inf:
        refuse()
    if not 0.0 <= begin <= end <= 1.0 or not every >= 0.0:
        refuse()
    in_mV = received.file.name == "cv" and rules.habits.cv_rate == "mV/s"
    return rate / 1000.0 if in_mV else rate, every


def _way_out(received: Received, n: int, rules: Rules) -> tuple[tuple[Test, ...], str]:
    if "Exit_Cond" not in received.values:
        return (), "next"
    at = n if rules.habits.scan_tests_of == "target" else n - 1
    on_test = _exit(received, at, is_last=n == received.steps - 1)
    return tests_of(received, at), "stop" if on_test == STOP else "next"


def _step(received: Received, n: int, hardware: Hardware, rules: Rules) -> Technique:
    if received.values["vs_initial"][n]:
        refuse()
    limited = "Exit_Cond" in received.values
    tests = tests_of(received, n) if limited else ()
    on_test = _exit(received, n, is_last=n == received.steps - 1) if limited else NEXT_STEP
    duration_s, every_s = received.values["Duration_step"][n], received.one("Record_every_dT")
    if received.file.name in DRAWN:
        control, label = DRAWN[received.file.name]
        level, delta = received.values[label][n], _delta(received, "Record_every_dE")
        if received.one("I_Range", AUTO) == AUTO or (control == "LOAD" and not level > 0.0):
            refuse()
        return Draw(1, control, level, duration_s, every_s, delta, hardware)  # type: ignore[arg-type]
    then = "stop" if on_test == STOP else "next"
    if "Voltage_step" in received.values:
        level_V, delta = received.values["Voltage_step"][n], _delta(received, "Record_every_dI")
        return Ca(1, level_V, duration_s, every_s, delta, tests, then, hardware)  # type: ignore[arg-type]
    level_A, delta = received.values["Current_step"][n], _delta(received, "Record_every_dE")
    _check_current(received, abs(level_A), hardware, rules)
    return Cp(1, level_A, duration_s, every_s, delta, tests, then, hardware)  # type: ignore[arg-type]


def _exit(received: Received, n: int, *, is_last: bool) -> int:
    exit_cond = int(received.values["Exit_Cond"][n])
    last = is_last and received.one("N_Cycles") == 0
    if exit_cond not in (NEXT_STEP, NEXT_TECHNIQUE, STOP) or (exit_cond == NEXT_TECHNIQUE and not last):
        refuse()
    return exit_cond


def _sweeps(received: Received, hardware: Hardware, rules: Rules) -> list[Technique]:
    galvano = received.file.timebase == "GEIS"
    unit = "Current" if galvano else "Voltage"
    first, vs_previous = received.one(f"Initial_{unit}_step"), received.one("vs_initial")
    if galvano and vs_previous:
        refuse()
    amplitude = received.one(f"Amplitude_{unit}")
    increments = received.one("Step_number", 0)
    levels = np.linspace(first, received.one(f"Final_{unit}_step", first), increments + 1)
    if galvano:
        _check_current(received, float(np.max(np.abs(levels))) + abs(amplitude), hardware, rules)
    _check_sweep(received, rules.instrument)
    return [
        Eis(
            step=1,
            control="GEIS" if galvano else "PEIS",
            bias=float(level),
            vs_previous=vs_previous,
            amplitude_peak=amplitude,
            hold_s=received.one("Duration_step"),
            every_s=received.one("Record_every_dT"),
            f_first_Hz=received.one("Initial_frequency"),
            f_last_Hz=received.one("Final_frequency"),
            n_frequencies=received.one("Frequency_number"),
            spacing="linear" if received.one("sweep") else "log",
            average=received.one("Average_N_times"),
            wait_periods=received.one("Wait_for_steady"),
            drift_correction=received.one("Correction"),
            continues=False,
            hardware=hardware,
        )
        for level in levels
    ]


def _check_sweep(received: Received, instrument: Instrument) -> None:
    frequencies = received.one("Initial_frequency"), received.one("Final_frequency")
    if not all(0 < f_Hz <= instrument.f_max_Hz for f_Hz in frequencies):
        refuse()
    if min(received.one("Frequency_number"), received.one("Average_N_times")) < 1:
        refuse()
    if received.one("Wait_for_steady") < 0 or received.one("Record_every_dT") < 0:
        refuse()


def _check_times(received: Received, rules: Rules) -> None:
    """An xctr is of newer boards only; there every recorded value asks for a longer time base."""
    bits = received.one("xctr", 0)
    if bits not in (0, ECE) or (bits and (rules.board == Board.ESSENTIAL or not may_have_extras(received))):
        refuse()
    timebase_s = timebase_of(received, rules.instrument)
    longest_s = MAX_TICKS * timebase_s
    if "Scan_number" not in received.file.scalars:
        durations = received.values.get("Duration_step") or received.values["Rest_time_T"]
        if not all(0 <= duration_s <= longest_s for duration_s in durations):
            refuse()
        if not 0 <= received.one("Record_every_dT") < math.inf:
            refuse()
    asked_s = received.one("tb", rules.instrument.timebase_s[received.file.timebase])
    if not math.isclose(asked_s, timebase_s, rel_tol=1e-6):
        refuse()


def timebase_of(received: Received, instrument: Instrument) -> float:
    """Of the technique, and what extra values in its rows add, in whole us."""
    own_s = instrument.timebase_s[received.file.timebase]
    count = len(extras(received))
    if not count:
        return own_s
    return math.ceil(round(own_s * 1e6 + FIRST_EXTRA_us + (count - 1) * FURTHER_EXTRA_us, 3)) / 1e6


def extras(received: Received) -> tuple[str, ...]:
    """What xctr appends to a row, in the order of its bits."""
    return ("Ece",) if received.one("xctr", 0) & ECE else ()


def may_have_extras(received: Received) -> bool:
    """What xctr does to the rows of impedance techniques, nobody says."""
    return received.file.timebase not in ("GEIS", "PEIS")


def _check_current(received: Received, most_A: float, hardware: Hardware, rules: Rules) -> None:
    """Under current control the range must be named, and may have to hold the current."""
    if received.one("I_Range", AUTO) == AUTO:
        refuse()
    full_A = next(each.full_A for each in rules.instrument.I_ranges if each.name == hardware.I_range)
    if rules.habits.beyond_range == "refuse" and most_A > full_A:
        refuse()


def _delta(received: Received, label: str) -> float | None:
    delta = received.one(label, math.inf)
    return None if delta == math.inf else delta


def _widest(instrument: Instrument) -> Hardware:
    return Hardware(instrument.I_ranges[-1].name, instrument.E_ranges[-1].name, instrument.bandwidth)


def _hardware(received: Received, before: Hardware, instrument: Instrument) -> Hardware:
    widest = _widest(instrument)
    bandwidth = received.one("Bandwidth", widest.bandwidth)
    if not (bandwidth == KEEP or 1 <= bandwidth <= instrument.bandwidth_max):
        refuse()
    currents = {each.code: each.name for each in instrument.I_ranges}
    potentials = {each.code: each.name for each in instrument.E_ranges}
    return Hardware(
        _named(currents | {KEEP: before.I_range, AUTO: widest.I_range}, received.one("I_Range", AUTO)),
        _named(potentials | {AUTO_E: widest.E_range}, received.one("E_Range", AUTO_E)),
        before.bandwidth if bandwidth == KEEP else bandwidth,
    )


def _named(names: dict[int, str], code: int) -> str:
    if code not in names:
        raise Refused(Code.LOAD_TECHNIQUE_FAILED)
    return names[code]
