"""Experiments about impedance: what the columns mean, how long it takes, whether rows wait to be fetched."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nakctl.device.channel import Rows
from nakctl.device.inspection import Lesson, Verdict
from nakctl.device.instrument import Instrument
from nakctl_biologic.codes import Board
from nakctl_biologic.first_day.bench import AMPLITUDE_V, Bench
from nakctl_biologic.first_day.chains import data_file
from nakctl_biologic.layouts import IMPEDANCE, layout
from nakctl_biologic.params import staircase
from nakctl_biologic.rows import I_RANGE_CODES, Block

N = 7  # frequencies of a spectrum
REST_s = 3.0  # before a spectrum, so that an absolute time is told from one of the spectrum
UNREAD_s = 2.0
SPECTRUM_s = 20.0  # at most
TILT_rad = 0.02  # a phase beyond that says something
CONVENTIONS = {"peak": 1.0, "rms": math.sqrt(0.5), "peak to peak": 2.0}


def spectra(bench: Bench) -> Iterator[Lesson]:
    """The same spectrum twice: fetched at once, and fetched long after it is over."""
    chain = bench.chain(bench.rest(REST_s), bench.spectrum(N))
    trace = bench.run(chain, REST_s + SPECTRUM_s)
    blocks, points = trace.of(1, IMPEDANCE), bench.points(trace)
    yield _count(len(points))
    if blocks:
        yield _convention(points)
        yield _phase(points)
        yield _times(points)
        yield _pace(bench.instrument, points)
        if bench.board is Board.ESSENTIAL:
            yield _range_column(bench, blocks)
    late = bench.run(chain, REST_s + SPECTRUM_s, unread_s=UNREAD_s)
    yield _patience(bench.instrument, len(bench.points(late)), late.lost)


def _count(found: int) -> Lesson:
    return Lesson(
        "Is Frequency_number the total number of frequencies?",
        "program: n_frequencies is what one sweep measures",
        N,
        found,
        "confirmed" if found == N else "changed",
        "" if found == N else f"A sweep of {N} gave {found}: report it before measuring spectra.",
    )


def _convention(points: Rows) -> Lesson:
    """What the column |Ewe| says when a peak of 10 mV was asked for."""
    ratio = float(np.median(points["E_amp_V"])) / AMPLITUDE_V
    near = min(CONVENTIONS, key=lambda name: abs(ratio - CONVENTIONS[name]))
    known = abs(ratio - CONVENTIONS[near]) < 0.1 * CONVENTIONS[near]
    return Lesson(
        "Are Amplitude_Voltage and |Ewe| of the same kind?",
        "program: amplitudes are peak values",
        "same",
        "same" if known and near == "peak" else f"|Ewe| is {ratio:.3g} of what was asked",
        "confirmed" if known and near == "peak" else "changed",
        "" if near == "peak" else f"|Ewe| looks like {near}: compare with an oscilloscope, and report it.",
        {"ratio": ratio},
    )


def _phase(points: Rows) -> Lesson:
    """A dummy cell has capacitances, no inductance, at these frequencies."""
    phase_rad = np.angle(points["Z_re_ohm"] + 1j * points["Z_im_ohm"])
    low, high = float(np.nanmin(phase_rad)), float(np.nanmax(phase_rad))
    negative, positive = low < -TILT_rad, high > TILT_rad
    return Lesson(
        "Which sign has the phase of a capacitor?",
        "driver: Z = E/I, so a capacitor has Im Z < 0",
        "-",
        {(True, False): "-", (False, True): "+"}.get((negative, positive), "cannot be told"),
        "confirmed" if negative and not positive else "changed" if positive and not negative else "unsettled",
        "" if negative else "Repeat with a resistor and a capacitor in parallel, such as 1 kohm and 1 uF.",
        {"lowest_rad": low, "highest_rad": high},
    )


def _times(points: Rows) -> Lesson:
    absolute = float(points["time_s"][0]) >= 0.9 * REST_s
    return Lesson(
        "Do impedance rows tell the time since the start of the chain?",
        "driver: their time is absolute, StartTime is not added",
        "yes",
        "yes" if absolute else "no: since the start of the technique",
        "confirmed" if absolute else "changed",
        "" if absolute else "Times of spectra are early by what came before them: report it.",
    )


def _pace(instrument: Instrument, points: Rows) -> Lesson:
    """Between the first, fast frequencies a point takes what the instrument needs for it."""
    assumed_s = instrument.eis_s_per_average
    found_s = round(float(np.median(np.diff(points["time_s"])[:3])), 3) if len(points) > 1 else math.nan
    same = 0.5 * assumed_s <= found_s <= 2 * assumed_s
    return Lesson(
        "How long does a point at a high frequency take?",
        f"{data_file(instrument)}: eis_s_per_average",
        assumed_s,
        found_s,
        "confirmed" if same else "changed",
        "" if same else f"Set eis_s_per_average to {found_s:g}: the times of plans depend on it.",
    )


def _range_column(bench: Bench, blocks: list[Block]) -> Lesson:
    """The words themselves: small ones are integers."""
    block = blocks[0]
    at = layout(block.id, IMPEDANCE, bench.board).place("I range")
    words = block.words.reshape(block.n_rows, block.n_columns)[:, at]
    integer = bool(np.all((words >= 1) & (words < I_RANGE_CODES)))
    return Lesson(
        "Is column 14 of impedance rows a float or an integer?",
        "driver: it reads both",
        "either",
        "integer" if integer else "float",
        "confirmed",
        facts={"words": [int(word) for word in words]},
    )


def _patience(instrument: Instrument, found: int, counted: int) -> Lesson:
    kept = found == N
    return Lesson(
        "Are impedance rows lost when they are fetched late?",
        f"{data_file(instrument)}: eis_poll_s",
        instrument.eis_poll_s,
        "none"
        if kept
        else f"{N - found} of {N} were, {'counted' if counted else 'not counted'} by IRQskipped",
        "confirmed",
        "" if kept else f"Keep eis_poll_s at {instrument.eis_poll_s:g} s or below.",
        {"points": found, "asked": N, "IRQskipped": counted},
    )


def levels(bench: Bench) -> Iterator[Lesson]:
    """The vendor's own staircase with one increment: one level, or two."""
    loaded = staircase(bench.spectrum(2), AMPLITUDE_V, 1, bench.instrument, bench.board)
    count = len(bench.points(bench.run((loaded,), SPECTRUM_s))) if bench.takes((loaded,)) else 0
    found = {4: "increments", 2: "levels", 0: "no point came"}.get(count, f"{count} points")
    verdict: Verdict = "confirmed" if count == 4 else "changed" if count else "unsettled"
    yield Lesson(
        "Does Step_number of a staircase count increments or levels?",
        "driver: staircase() counts increments",
        "increments",
        found,
        verdict,
        "" if count == 4 else "nakctl chains single spectra instead, so no protocol depends on it.",
        {"points": count},
    )


def slow(bench: Bench) -> Iterator[Lesson]:
    """Two frequencies at which a period counts, not the instrument."""
    high_Hz, low_Hz = 2.0, 1.0
    sweep = replace(bench.spectrum(2), f_first_Hz=high_Hz, f_last_Hz=low_Hz)
    points = bench.points(bench.run(bench.chain(sweep), SPECTRUM_s))
    assumed_s = bench.instrument.eis_seconds(low_Hz, sweep.average, sweep.wait_periods)
    found_s = round(float(np.diff(points["time_s"])[0]), 3) if len(points) == 2 else math.nan
    same = 0.9 * assumed_s <= found_s <= 1.2 * assumed_s
    yield Lesson(
        "How long does a point at 1 Hz take?",
        "device: Instrument.eis_seconds, periods times averages, and the wait",
        assumed_s,
        found_s,
        "confirmed" if same else "changed",
        "" if same else "Plans tell the times of slow spectra wrongly: report it.",
        {"share": found_s / assumed_s},
    )


def highest(bench: Bench) -> Iterator[Lesson]:
    """One point at the highest frequency that the data promise."""
    f_max_Hz = bench.instrument.f_max_Hz
    sweep = replace(bench.spectrum(2), f_first_Hz=f_max_Hz, f_last_Hz=f_max_Hz / 10)
    points = bench.points(bench.run(bench.chain(sweep), SPECTRUM_s))
    found_Hz = float(points["frequency_Hz"][0]) if len(points) else math.nan
    same = math.isclose(found_Hz, f_max_Hz, rel_tol=0.01)
    yield Lesson(
        "Which is the highest frequency?",
        f"{data_file(bench.instrument)}: f_max_Hz",
        f_max_Hz,
        found_Hz,
        "confirmed" if same else "changed",
        "" if same else f"Lower f_max_Hz: {f_max_Hz:g} Hz was asked, {found_Hz:g} Hz measured.",
    )
