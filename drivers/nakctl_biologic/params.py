"""Techniques of a program -> the vendor's technique files with their parameters. Pure.

One technique of the chain is one technique file, so their places in the chain are the same, and the `to` of a
loop holds for both. All labels are sent, also those that are not used: whether the library has defaults for
them is not known. Source of labels, types and test bits: the vendor's development-package manual (sections
7.1 OCV, 7.11 to 7.14 impedance, 7.36 CPLIMIT, 7.37 CALIMIT), as transcribed in helao-async and
Matlab4Potentiostat, whose scripts ran on an SP-300.

Currents and potentials are always driven by CPLIMIT and CALIMIT, with tests or without; one that moves, by a
vscanlimit or iscanlimit of two vertices: the vendor's cv has no tests, and a rate in V/s by some sources, in
mV/s by others. What is not certain of scans, and how it is borne until the first day has asked:

    Scan_number   0 for two vertices: scans less one, as in the manual's example (tomato counts vertices). The
                  other way round it is one vertex or a refusal, never a way to where nobody wanted to go
    Scan_Rate, tests, Exit_Cond   may belong to the vertex gone to or come from: the same is sent for both
    Record_every_dE, dI   rows are asked for in time, and time is how far the level has moved
    Begin_, End_measuring_   the second half of each row, as EC-Lab does: then <Ewe> and <I> lie a quarter of
                  a row back, together, and a row at a met test may not show that it was met

Constant power and load are techniques of the VMP-3 family alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nakctl.device.instrument import Instrument
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
    Tested,
)
from nakctl.device.techniques import Ece_is_recorded, timebase_of
from nakctl.errors import LimitError
from nakctl_biologic.codes import Board, Id
from nakctl_biologic.conditions import condition_params
from nakctl_biologic.layouts import XCTR
from nakctl_biologic.records import Param, array, boolean, change, integer, positive, single

FOR_EVER = -1
SPECTRA = {
    "GEIS": ("geis", Id.GEIS, "Current", "Record_every_dE"),
    "PEIS": ("peis", Id.PEIS, "Voltage", "Record_every_dI"),
}
STAIRCASES = {"GEIS": ("seisg", Id.SGEIS), "PEIS": ("seisp", Id.SPEIS)}
MOST_INCREMENTS = 98
MOST_TICKS = 2**31
MOST_STEPS = 20  # some say 100 for CP and CA
MEASURED = (0.5, 1.0)  # from where to where of each row of a scan
DRAWS = {"POWER": ("pow", Id.POW, "Power_step"), "LOAD": ("load", Id.LOAD, "Load_step")}


@dataclass(frozen=True, slots=True)
class Loaded:
    """One entry of a chain: the technique file without folder, its parameters in order, the id of its rows
    (None: it has none). extras: what its rows have at their end because xctr asks for it."""

    file: str
    id: Id | None
    params: tuple[Param, ...]
    extras: tuple[str, ...] = ()


def chain(segment: Segment, instrument: Instrument, board: Board) -> tuple[Loaded, ...]:
    """What to load for a segment. LimitError: the instrument has no such range, or a value makes no sense."""
    first = next(iter(segment.techniques), None)
    if isinstance(first, Eis) and first.vs_previous:
        raise LimitError("the first technique of a chain has no potential before it to start from")
    return tuple(load_as(technique, instrument, board) for technique in segment.techniques)


def load_as(technique: Technique, instrument: Instrument, board: Board) -> Loaded:
    """One technique as an entry of a chain."""
    match technique:
        case Ocv():
            name, of_rows, params = "ocv", Id.OCV, ocv(technique, instrument)
        case Cp(to=to) if to is not None:
            name, of_rows, params = "iscanlimit", Id.ISCANLIMIT, way(technique, to, instrument)
        case Ca(to=to) if to is not None:
            name, of_rows, params = "vscanlimit", Id.VSCANLIMIT, way(technique, to, instrument)
        case Cp():
            name, of_rows, params = "cplimit", Id.CPLIMIT, current_steps([technique], instrument)
        case Ca():
            name, of_rows, params = "calimit", Id.CALIMIT, potential_steps([technique], instrument)
        case Eis():
            name, of_rows, _, _ = SPECTRA[technique.control]
            params = spectrum(technique, instrument)
        case Draw():
            name, of_rows, label = DRAWS[technique.control]
            params = draw(technique, label, instrument)
        case Loop():
            return Loaded(_file("loop", board), None, tuple(loop(technique)))
    extras = extras_of(technique, instrument, board)
    more = extra_params(technique, extras, instrument)
    return Loaded(_file(name, board), of_rows, (*params, *more), extras)


def extras_of(technique: Technique, instrument: Instrument, board: Board) -> tuple[str, ...]:
    """Values to be appended to its rows. ESSENTIAL boards know no xctr: they record Ece or do not."""
    asked = not isinstance(technique, Loop) and Ece_is_recorded(technique, instrument)
    return ("Ece",) if asked and board is not Board.ESSENTIAL else ()


def extra_params(technique: Done, extras: tuple[str, ...], instrument: Instrument) -> Iterable[Param]:
    """With extra values the time base must be longer, else rows can be missed; so it is sent."""
    if extras:
        yield integer("xctr", sum(XCTR[name] for name in extras))
        yield single("tb", timebase_of(technique, instrument))


def staircase(eis: Eis, final: float, increments: int, instrument: Instrument, board: Board) -> Loaded:
    """The vendor's own staircase: increments + 1 equidistant levels from eis.bias to `final` (A or V).

    That increments count like this is a reading of the manual that no recorded run confirms.
    """
    if not 0 <= increments <= MOST_INCREMENTS:
        raise LimitError(f"a staircase has 0 to {MOST_INCREMENTS} increments, not {increments}")
    name, of_rows = STAIRCASES[eis.control]
    return Loaded(_file(name, board), of_rows, tuple(spectrum(eis, instrument, final, increments)))


def _file(name: str, board: Board) -> str:
    return f"{name}{board.suffix}.ecc"


def ocv(technique: Ocv, instrument: Instrument) -> Iterable[Param]:
    yield duration("Rest_time_T", technique.duration_s, timebase_of(technique, instrument))
    yield change("Record_every_dE", technique.dE_V)
    yield positive("Record_every_dT", technique.every_s)
    yield from hardware(technique.hardware, instrument)


def current_steps(steps: Sequence[Cp], instrument: Instrument) -> Iterable[Param]:
    """CPLIMIT: 1 to 20 currents in a row, each with its tests; ranges and recording of the first."""
    yield from array(single, "Current_step", [step.I_A for step in steps])
    yield from _steps(steps, instrument)
    yield change("Record_every_dE", steps[0].dE_V)
    yield from hardware(steps[0].hardware, instrument)


def potential_steps(steps: Sequence[Ca], instrument: Instrument) -> Iterable[Param]:
    """CALIMIT, likewise with potentials."""
    yield from array(single, "Voltage_step", [step.E_V for step in steps])
    yield from _steps(steps, instrument)
    yield change("Record_every_dI", steps[0].dI_A)
    yield from hardware(steps[0].hardware, instrument)


def _steps(steps: Sequence[Cp] | Sequence[Ca], instrument: Instrument) -> Iterable[Param]:
    """Levels are absolute: what they would be relative to is unclear for the steps after the first."""
    if not 1 <= len(steps) <= MOST_STEPS:
        raise LimitError(f"one technique has 1 to {MOST_STEPS} steps, not {len(steps)}")
    yield from array(boolean, "vs_initial", [False] * len(steps))
    base_s, durations_s = timebase_of(steps[0], instrument), [step.duration_s for step in steps]
    yield from array(lambda label, value: duration(label, value, base_s), "Duration_step", durations_s)
    yield integer("Step_number", len(steps) - 1)
    yield positive("Record_every_dT", steps[0].every_s)
    yield integer("N_Cycles", 0)  # repetitions after the first pass
    yield from condition_params(steps)


def way(technique: Tested, to: float, instrument: Instrument) -> Iterable[Param]:
    """From its level to there, at its rate, with its tests."""
    unit, driven, measured = ("Current", "I", "E") if isinstance(technique, Cp) else ("Voltage", "E", "I")
    duration("the time of a scan", technique.duration_s, timebase_of(technique, instrument))
    rate = abs(to - technique.level) / technique.duration_s
    yield from array(single, f"{unit}_step", [technique.level, to])
    yield from array(boolean, "vs_initial", [False, False])
    yield from array(positive, "Scan_Rate", [rate, rate])
    yield integer("Scan_number", 0)
    yield positive(f"Record_every_d{driven}", rate * technique.every_s)
    yield integer("N_Cycles", 0)
    for edge, share in zip(("Begin", "End"), MEASURED, strict=True):
        yield single(f"{edge}_measuring_{measured}", share)
    yield from condition_params([technique, technique])
    yield from hardware(technique.hardware, instrument)


def draw(technique: Draw, label: str, instrument: Instrument) -> Iterable[Param]:
    timebase_s = timebase_of(technique, instrument)
    yield from array(single, label, [technique.level])
    yield from array(boolean, "vs_initial", [False])
    yield from array(
        lambda name, value: duration(name, value, timebase_s), "Duration_step", [technique.duration_s]
    )
    yield integer("Step_number", 0)
    yield positive("Record_every_dT", technique.every_s)
    yield change("Record_every_dE", technique.dE_V)
    yield integer("N_Cycles", 0)
    yield from hardware(technique.hardware, instrument)


def spectrum(
    eis: Eis, instrument: Instrument, final: float | None = None, increments: int = 0
) -> Iterable[Param]:
    """GEIS or PEIS; with `final` the staircase from eis.bias to there."""
    _, _, quantity, record_by = SPECTRA[eis.control]
    if eis.hold_s < 0 or eis.wait_periods < 0 or eis.n_frequencies < 1 or eis.average < 1:
        raise LimitError("a spectrum needs frequencies, averages and no negative times")
    yield boolean("vs_initial", eis.vs_previous)
    yield boolean("vs_final", eis.vs_previous)
    yield single(f"Initial_{quantity}_step", eis.bias)
    yield single(f"Final_{quantity}_step", eis.bias if final is None else final)
    yield duration("Duration_step", eis.hold_s, timebase_of(eis, instrument))
    yield integer("Step_number", increments)
    yield positive("Record_every_dT", eis.every_s)
    yield change(record_by, None)
    yield positive("Initial_frequency", eis.f_first_Hz)
    yield positive("Final_frequency", eis.f_last_Hz)
    yield boolean("sweep", eis.spacing == "linear")  # true is linear
    yield positive(f"Amplitude_{quantity}", eis.amplitude_peak)
    yield integer("Frequency_number", eis.n_frequencies)
    yield integer("Average_N_times", eis.average)
    yield boolean("Correction", eis.drift_correction)
    yield single("Wait_for_steady", eis.wait_periods)
    yield from hardware(eis.hardware, instrument)


def duration(label: str, seconds: float, base_s: float) -> Param:
    """LimitError: longer than the instrument counts, which the manual states for PEIS."""
    if not 0 <= seconds <= MOST_TICKS * base_s:
        raise LimitError(f"{label} is at most {MOST_TICKS * base_s:g} s, not {seconds:g} s")
    return single(label, seconds)


def loop(technique: Loop) -> Iterable[Param]:
    """The library counts how often it jumps back, so one less than it runs."""
    if technique.times is not None and technique.times < 1:
        raise LimitError(f"a loop runs at least once, not {technique.times} times")
    yield integer("loop_N_times", FOR_EVER if technique.times is None else technique.times - 1)
    yield integer("protocol_number", technique.to)


def trigger_out(logic: int, duration_s: float, board: Board) -> Loaded:
    """A pulse at the trigger output. Sources disagree whether the duration is a single or an integer."""
    params = (integer("Trigger_Logic", logic), positive("Trigger_Duration", duration_s))
    return Loaded(_file("TO", board), None, params)


def trigger_in(logic: int, board: Board) -> Loaded:
    """Waits for an edge at the trigger input."""
    return Loaded(_file("TI", board), None, (integer("Trigger_Logic", logic),))


def trigger_set(logic: int, board: Board) -> Loaded:
    return Loaded(_file("TOS", board), None, (integer("Trigger_Logic", logic),))


def hardware(settings: Hardware, instrument: Instrument) -> Iterable[Param]:
    """Ranges by the library's codes. An automatic range has no name here, so none can be asked for."""
    I_codes = {each.name: each.code for each in instrument.I_ranges}
    E_codes = {each.name: each.code for each in instrument.E_ranges}
    yield integer("I_Range", _named(I_codes, settings.I_range, instrument))
    yield integer("E_Range", _named(E_codes, settings.E_range, instrument))
    if not 1 <= settings.bandwidth <= instrument.bandwidth_max:
        raise LimitError(f"{instrument.name} has bandwidths 1 to {instrument.bandwidth_max}")
    yield integer("Bandwidth", settings.bandwidth)


def _named(codes: dict[str, int], name: str, instrument: Instrument) -> int:
    if name not in codes:
        raise LimitError(f"{instrument.name} has no range {name}; there are: {', '.join(codes)}")
    return codes[name]
