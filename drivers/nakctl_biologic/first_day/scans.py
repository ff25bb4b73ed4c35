"""Experiments about scans and ramps: what their numbers count, in which unit, and what their rows hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nakctl.device.channel import Rows
from nakctl.device.inspection import Lesson
from nakctl.device.techniques import loaded_as
from nakctl_biologic.errors import RowError
from nakctl_biologic.first_day.bench import AMPLITUDE_A, HOLD_V, I_MOST_A, Bench
from nakctl_biologic.layouts import DC, layout, other_layout
from nakctl_biologic.params import Loaded, hardware, load_as
from nakctl_biologic.records import array, boolean, integer, positive, single

SCAN_s = 1.0
N_ROWS = 10  # of a scan
CV_RATE = HOLD_V / SCAN_s  # a number: V/s or mV/s is asked
BEHIND = {"their moment": 0.0, "the second half of their time": 0.25, "all of their time": 0.5}  # of a row


def scanning(bench: Bench) -> Iterator[Lesson]:
    """From 0 V to what a dummy cell is held at, as the driver would; if no large current comes of that, the
    vendor's cv as well, which has no tests."""
    scan = bench.scan(SCAN_s, SCAN_s / N_ROWS)
    loaded = load_as(scan, bench.instrument, bench.board)
    taken = {count: bench.takes((_counting(loaded, count),)) for count in (0, 1)}
    trace = bench.run((loaded,), SCAN_s) if taken[0] else None
    rows = None if trace is None else bench.samples(trace, 0, loaded_as(scan))
    arrived = rows is not None and len(rows) > 0 and float(rows["Ewe_V"][-1]) > 0.8 * HOLD_V
    question = "Does Scan_number count scans or vertices, from 0?"
    rests_on = "driver: it sends 0 for a scan between two vertices"
    if rows is not None and np.any(np.abs(rows["I_A"]) >= I_MOST_A):
        advice = "Take a dummy cell through which 50 mV drive less than 1 mA, such as 1 kohm."
        yield Lesson(question, rests_on, "scans", "too much current flowed to tell", "unsettled", advice)
        return
    yield Lesson(
        question,
        rests_on,
        "scans",
        "scans" if arrived else "vertices" if taken[1] and not taken[0] else "it does not get to the second",
        "confirmed" if arrived else "changed",
        "" if arrived else "Run no scan or ramp, and no cv: report it.",
        {"0 is taken": taken[0], "1 is taken": taken[1]},
    )
    if rows is None or not arrived:
        return
    yield _rate(rows)
    yield _moment(rows)
    yield _cv(bench)


def _counting(loaded: Loaded, count: int) -> Loaded:
    params = (replace(each, value=count) if each.label == "Scan_number" else each for each in loaded.params)
    return replace(loaded, params=tuple(params))


def _rate(rows: Rows) -> Lesson:
    found = float(np.polyfit(rows["time_s"], rows["Ewe_V"], 1)[0]) if len(rows) > 1 else 0.0
    same = abs(found - CV_RATE) < 0.1 * CV_RATE
    return Lesson(
        "Is the rate of a scan in V/s?",
        "driver: Scan_Rate of vscanlimit",
        "yes",
        "yes" if same else f"no: {found:.3g} V/s came of {CV_RATE:g}",
        "confirmed" if same else "changed",
        "" if same else "Run no scan and no cv before this is understood: report it.",
        {"asked_V_s": CV_RATE, "found_V_s": found},
    )


def _moment(rows: Rows) -> Lesson:
    """How far Ewe is behind the potential that was set at the time of its row."""
    whole = rows[1:N_ROWS]
    behind = (CV_RATE * whole["time_s"] - whole["Ewe_V"]) / (HOLD_V / N_ROWS)
    share = float(np.median(behind)) if len(whole) else np.nan
    near = min(BEHIND, key=lambda name: abs(share - BEHIND[name]))
    known = abs(share - BEHIND[near]) < 0.1
    return Lesson(
        "Of what are <Ewe> and <I> of a scan's rows the mean?",
        "driver: it asks for the second half of their time, and gives them as they come",
        "the second half of their time",
        near if known else "something else",
        "confirmed" if known else "changed",
        "" if known else "Times of scans are not those of their potentials: report it.",
        {"behind_share": share},
    )


def ramping(bench: Bench) -> Iterator[Lesson]:
    """From no current to a small one."""
    ramp = bench.ramp(SCAN_s, SCAN_s / N_ROWS)
    loaded = load_as(ramp, bench.instrument, bench.board)
    question = "Which columns has a row of a ramp?"
    rests_on = "driver: it reads both, by their number"
    if not bench.takes((loaded,)):
        yield Lesson(question, rests_on, "either", "it is not taken", "changed", "Run no ramp: report it.")
        return
    trace = bench.run((loaded,), SCAN_s)
    columns = {block.n_columns for block in trace.of(0)}
    assert loaded.id is not None
    layouts = (layout(loaded.id, DC, bench.board), other_layout(loaded.id, bench.board))
    known = {len(each.columns): ", ".join(each.columns[2:]) for each in layouts if each is not None}
    try:
        rows = bench.samples(trace, 0, loaded_as(ramp))
        right = len(rows) > 0 and abs(float(np.max(rows["I_A"])) - AMPLITUDE_A) < 0.1 * AMPLITUDE_A
    except RowError:
        right = False
    told = " or ".join(known.get(each, f"{each} columns") for each in sorted(columns)) or "no row came"
    yield Lesson(
        question,
        rests_on,
        "either",
        told,
        "confirmed" if right else "changed" if columns else "unsettled",
        "" if right else "The current of a ramp is not where it was looked for: run no ramp, and report it.",
        {"columns": sorted(columns)},
    )


def _cv(bench: Bench) -> Lesson:
    """Stopped on its way to what a dummy cell is held at."""
    question = "Is Scan_Rate of the vendor's cv in V/s or in mV/s?"
    rests_on = "nothing: the driver scans with vscanlimit"
    entry = cv_entry(bench)
    if not bench.takes((entry,)):
        return Lesson(question, rests_on, "either", "it is not taken", "unsettled")
    bench.start((entry,))
    try:
        bench.await_begin()
        bench.clock.sleep(0.8 * SCAN_s)
        Ewe_V = bench.values().Ewe
    finally:
        bench.device.stop(bench.number)
    bench.drain(0.0)
    return Lesson(
        question,
        rests_on,
        "either",
        "V/s" if Ewe_V > HOLD_V / 2 else "mV/s",
        "confirmed",
        facts={"Ewe_V": Ewe_V, "Scan_Rate": CV_RATE},
    )


def cv_entry(bench: Bench) -> Loaded:
    """0 V, HOLD_V, 0 V, 0 V, 0 V."""
    vertices = (0.0, HOLD_V, 0.0, 0.0, 0.0)
    params = (
        *array(boolean, "vs_initial", [False] * len(vertices)),
        *array(single, "Voltage_step", vertices),
        *array(positive, "Scan_Rate", [CV_RATE] * len(vertices)),
        integer("Scan_number", 2),
        positive("Record_every_dE", HOLD_V / N_ROWS),
        boolean("Average_over_dE", False),
        integer("N_Cycles", 0),
        single("Begin_measuring_I", 0.5),
        single("End_measuring_I", 1.0),
        *hardware(bench.hardware, bench.instrument),
    )
    return Loaded(f"cv{bench.board.suffix}.ecc", None, params)
