"""Ends of a cell with three electrodes, which no instrument tests: by rows, by peaks, by what is shown."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hand_made import cp, end, info, program, rest

from nakctl.booking import layout
from nakctl.booking.ending import Ending
from nakctl.booking.ledger import Booked
from nakctl.decide.gate import NO_ECE, Gate
from nakctl.decide.guard import Guard
from nakctl.device.channel import OF_COUNTER, POINT, SAMPLE, Look
from nakctl.device.ends import End
from nakctl.device.program import Hardware, Ocv, Segment

LOW = end(1, "Ece", "below", -1.0, kind="limit")
CELL = end(2, "Ewe-Ece", "above", 4.2, kind="limit")
CUTOFF = end(3, "Ece", "above", 0.5)


def samples(*given: tuple[float, float, float]) -> np.ndarray:
    """(time, Ewe, Ece)"""
    made = np.zeros(len(given), layout.SAMPLES_3E.dtype)
    for row, (time, Ewe, Ece) in zip(made, given, strict=True):
        row["time"], row["Ewe"], row["Ece"] = time, Ewe, Ece
    made["step_id"] = made["step_count"] = 1
    return made


def booked(rows: np.ndarray, impedance: np.ndarray | None = None) -> Booked:
    points = layout.IMPEDANCE_3E.empty() if impedance is None else impedance
    return Booked(rows, points, layout.SPECTRA.empty(), layout.STEPS.empty(), np.zeros(len(rows)))


def guard(*ends: End, steps: int = 1) -> Guard:
    segment = Segment(tuple(rest(1 + k) for k in range(steps)))
    made = Guard(program(segment, steps=[info(1 + k) for k in range(steps)], ends=ends))
    made.open_segment(segment, 0.0)
    return made


def met(ending: Ending | None) -> tuple[int, float] | None:
    return None if ending is None else (ending.end_id, round(ending.value, 6))


def shows(Ece_V: float, Ewe_V: float = 0.0) -> Look:
    return Look(True, Ewe_V, 0.0, 1.0, 0.0, Ece_V)


NOTHING = booked(samples())


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ((1.0, 3.0, -1.1), (1, -1.1)),
        ((1.0, 3.5, -0.9), (2, 4.4)),
        ((1.0, 3.5, 0.6), (3, 0.6)),
        ((1.0, 3.0, -0.9), None),
        ((1.0, 9.0, math.nan), None),  # of a row without Ece nothing is known
    ],
)
def test_rows(row: tuple[float, float, float], expected: tuple[int, float] | None) -> None:
    assert met(guard(LOW, CELL, CUTOFF).judge(booked(samples(row)), None)) == expected


def test_where_rows_do_not_tell_the_channel_does() -> None:
    made = guard(LOW, CELL, CUTOFF)
    assert met(made.judge(NOTHING, shows(-1.1))) == (1, -1.1)
    assert met(made.judge(NOTHING, shows(0.0, 4.3))) == (2, 4.3)
    assert made.judge(NOTHING, shows(math.nan, 9.0)) is None


def test_a_cutoff_is_shown_once_its_step_is_under_way() -> None:
    made = guard(CUTOFF)
    assert made.judge(NOTHING, shows(0.6)) is None  # the cell before the start
    assert met(made.judge(booked(samples((0.1, 0.0, math.nan))), shows(0.6))) == (3, 0.6)


def test_a_cutoff_is_not_shown_where_the_chain_has_other_steps() -> None:
    made = guard(CUTOFF, steps=2)
    assert made.judge(booked(samples((0.1, 0.0, math.nan))), shows(0.6)) is None
    assert met(made.judge(booked(samples((0.1, 0.0, 0.6))), None)) == (3, 0.6)


@pytest.mark.parametrize(
    ("Ece_amp", "Zce_re", "expected"),
    [(0.0, 0.0, None), (0.2, 0.0, (1, -1.1)), (0.0, 300.0, (2, 4.3))],
    ids=["inside", "Ece", "cell"],
)
def test_limits_hold_for_the_peaks_of_both_half_cells(
    Ece_amp: float, Zce_re: float, expected: tuple[int, float] | None
) -> None:
    rows = np.zeros(1, layout.IMPEDANCE_3E.dtype)
    rows["E_dc"], rows["Ece_dc"], rows["Ece_amp"], rows["I_amp"] = 3.0, -0.9, Ece_amp, 1e-3
    rows["Z_re"], rows["Zce_re"] = 100.0, Zce_re
    assert met(guard(LOW, CELL).judge(booked(samples(), rows), None)) == expected


def test_peaks_of_a_sweep_that_says_nothing_of_the_counter_electrode() -> None:
    rows = np.zeros(1, layout.IMPEDANCE_3E.dtype)
    for name in OF_COUNTER:
        rows[name.rpartition("_")[0]] = np.nan
    rows["E_dc"] = 9.0
    assert guard(LOW, CELL).judge(booked(samples(), rows), None) is None


def test_what_the_channel_is_told_to_watch() -> None:
    watch = guard(LOW, CELL, CUTOFF, end(4, "Ewe-Ece", "below", 0.0, kind="limit")).watch()
    assert (watch.Ece_min_V, watch.Ece_max_V) == (-1.0, 0.5)
    assert (watch.Ewe_minus_Ece_min_V, watch.Ewe_minus_Ece_max_V) == (0.0, 4.2)
    assert (watch.Ewe_min_V, watch.Ewe_max_V) == (None, None)


# --- are these readings? ---------------------------------------------------------------------------------


def gate(*, third: bool) -> Gate:
    made = Gate()
    made.open_segment(Segment((Ocv(1, 60.0, 1.0, None, Hardware("1 mA", "5 V", 5, third)),)))
    return made


def row(time_s: float, Ece_V: float) -> np.ndarray:
    made = np.zeros(1, SAMPLE)
    made["time_s"], made["Ewe_V"], made["Ece_V"] = time_s, 0.1 + time_s / 100, Ece_V
    return made


@pytest.mark.parametrize(("third", "told"), [(True, ["no_value", "no_value"]), (False, [])])
def test_an_alarm_where_nothing_tells_of_Ece(third: bool, told: list[str]) -> None:
    one, points, codes = gate(third=third), np.zeros(0, POINT), []
    for k in range(NO_ECE + 3):
        Ece_V = math.nan if k < NO_ECE else 0.2
        codes += [notice.code for notice in one.look_at(row(k, math.nan), points, shows(Ece_V))]
    assert codes == told


def test_no_alarm_where_either_tells_of_it() -> None:
    one, points = gate(third=True), np.zeros(0, POINT)
    for k in range(5):
        assert one.look_at(row(k, 0.2), points, shows(math.nan)) == []
        assert one.look_at(row(k + 0.5, math.nan), points, shows(0.2)) == []


def test_rows_are_needed_for_cutoffs_alone() -> None:
    assert guard(LOW).needs_rows is False
    made = Guard(program(Segment((cp(1),)), steps=[info(1)], ends=[CUTOFF]))
    made.open_segment(Segment((cp(1),)), 0.0)
    assert made.needs_rows
