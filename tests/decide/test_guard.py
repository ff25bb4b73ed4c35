"""Ends that the host watches: by rows, by the peaks of a sweep, by what the channel shows."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hand_made import cp, end, info, program, rest

from nakctl.booking import layout
from nakctl.booking.ending import Ending
from nakctl.booking.ledger import Booked
from nakctl.decide.guard import ASKED_SLACK_s, Guard
from nakctl.decide.short import LONG, ShortWatch
from nakctl.device.channel import Look
from nakctl.device.ends import End
from nakctl.device.program import Segment, ShortRule, Test


def samples(*given: tuple[float, float, float], step_id: int = 1, step_count: int = 1) -> np.ndarray:
    """(time, Ewe, I)"""
    made = np.zeros(len(given), layout.SAMPLES.dtype)
    for row, (time, Ewe, I) in zip(made, given, strict=True):
        row["time"], row["Ewe"], row["I"] = time, Ewe, I
    made["step_id"], made["step_count"] = step_id, step_count
    return made


def booked(rows: np.ndarray, charge_Ah: float = 0.0, impedance: np.ndarray | None = None) -> Booked:
    points = layout.IMPEDANCE.empty() if impedance is None else impedance
    steps, spectra = layout.STEPS.empty(), layout.SPECTRA.empty()
    return Booked(rows, points, spectra, steps, np.full(len(rows), charge_Ah))


def look(guard: Guard, rows: np.ndarray, charge_Ah: float = 0.0) -> Ending | None:
    return guard.judge(booked(rows, charge_Ah), None)


def guard(*ends: End, technique=None, short: ShortRule | None = None, tops_up: bool = False) -> Guard:
    segment = Segment((technique or rest(1),), tops_up=tops_up)
    made = Guard(program(segment, steps=[info(1)], ends=ends, short=short))
    made.open_segment(segment, 0.0)
    return made


def told(ending: Ending | None) -> tuple[str, str, str, int] | None:
    return None if ending is None else (ending.reason, ending.status, ending.kind, ending.end_id)


ABOVE = end(1, "Ewe", "above", 3.0, kind="limit")
BELOW = end(2, "Ewe", "below", -3.0, kind="limit")
CURRENT = end(1, "|I|", "above", 1e-3, kind="limit")
TIME = end(1, "time", "above", 60.0, kind="limit")


@pytest.mark.parametrize(
    ("ends", "row", "expected"),
    [
        ((ABOVE, BELOW), (1, 3.001, 0), ("limit: Ewe above 3 V", "stopped", "limit", 1)),
        ((ABOVE, BELOW), (1, -3.001, 0), ("limit: Ewe below -3 V", "stopped", "limit", 2)),
        ((end(1, "Ewe", "below", 0.0, kind="limit"),), (1, -0.001, 0),
         ("limit: Ewe below 0 V", "stopped", "limit", 1)),
        ((CURRENT,), (1, 0, -1.02e-3), ("limit: |I| above 0.001 A", "stopped", "limit", 1)),
        ((TIME,), (60, 0, 0), ("limit: time above 60 s", "stopped", "limit", 1)),
        ((end(1, "Ewe", "above", 3.0, kind="goal"),), (1, 3.1, 0), ("Ewe above 3 V", "completed", "goal", 1)),
    ],
)  # fmt: skip
def test_an_end_of_the_run(ends: tuple[End, ...], row: tuple[float, float, float], expected: tuple) -> None:
    ending = look(guard(*ends), samples(row))
    assert told(ending) == expected
    assert ending is not None and ending.then == "end run"


@pytest.mark.parametrize("row", [(1, 2.999, 0), (1, -2.999, 0), (59, 0, 0), (1, math.nan, math.nan)])
def test_inside_of_the_limits_nothing_happens(row: tuple[float, float, float]) -> None:
    made = guard(
        ABOVE, BELOW, end(3, "|I|", "above", 1e-3, kind="limit"), end(4, "time", "above", 60.0, kind="limit")
    )
    assert look(made, samples(row)) is None


def test_a_current_at_its_own_limit_is_read_with_noise() -> None:
    assert look(guard(CURRENT), samples((1, 0, 1.005e-3))) is None


def test_the_earliest_row_decides_and_of_one_row_the_gravest() -> None:
    cutoff, limit = end(1, "Ewe", "above", 1.0), end(2, "Ewe", "above", 2.0, kind="limit")
    assert told(look(guard(cutoff, limit), samples((1, 0.5, 0), (2, 1.1, 0), (3, 2.5, 0)))) == (
        "Ewe above 1 V", "completed", "cutoff", 1,
    )  # fmt: skip
    assert told(look(guard(cutoff, limit), samples((1, 2.5, 0)))) == (
        "limit: Ewe above 2 V",
        "stopped",
        "limit",
        2,
    )


def test_two_cutoffs_at_one_value_the_graver_consequence_wins() -> None:
    two = (end(1, "Ewe", "above", 1.0), end(2, "Ewe", "above", 1.0, then="end run"))
    assert told(look(guard(*two), samples((1, 1.1, 0)))) == ("Ewe above 1 V", "completed", "cutoff", 2)


def test_a_cutoff_counts_only_in_its_own_step() -> None:
    assert look(guard(end(1, "Ewe", "above", 1.0)), samples((1, 2, 0), step_id=2)) is None


def test_the_chain_goes_on_by_itself_after_an_instrument_s_cutoff() -> None:
    cut, tests = end(1, "Ewe", "above", 1.0, by="instrument"), (Test("Ewe", "above", 1.0, 1),)
    going_on = guard(cut, technique=cp(1, tests=tests, on_test="next"))
    stopping = guard(cut, technique=cp(1, tests=tests, on_test="stop"))
    assert look(going_on, samples((1, 1.1, 1e-3))) is None
    assert told(look(stopping, samples((1, 1.1, 1e-3)))) == ("Ewe above 1 V", "completed", "cutoff", 1)


def test_charge_is_that_of_the_step() -> None:
    made = guard(end(1, "charge", "above", 3.6))
    assert look(made, samples((1, 0, 1e-3)), charge_Ah=-0.9e-3) is None
    assert made.watch().every_s == pytest.approx((3.6 - 3.24) / 1e-3)
    assert told(look(made, samples((1, 0, 1e-3)), charge_Ah=-1.0e-3)) == (
        "charge above 3.6 C", "completed", "cutoff", 1,
    )  # fmt: skip


def test_the_watch_is_the_tightest_of_all() -> None:
    made = guard(
        end(1, "Ewe", "above", 0.0), end(2, "|I|", "below", 1e-6), end(3, "Ewe", "above", 3.0, kind="limit"),
        end(4, "Ewe", "below", -3.0, kind="limit"), end(5, "|I|", "above", 1e-3, kind="limit"),
        end(6, "time", "above", 100.0, kind="limit"), end(7, "Ewe", "below", -1.0, kind="goal"),
    )  # fmt: skip
    watch = made.watch()
    assert (watch.Ewe_min_V, watch.Ewe_max_V, watch.I_min_A, watch.I_max_A) == (-1.0, 0.0, 1e-6, 1e-3)
    assert watch.every_s == 100.0


# --- between rows, and around them ---------------------------------------------------------------------


def shows(Ewe_V: float = 0.0, I_A: float = 0.0, elapsed_s: float = 1.0, running: bool = True) -> Look:
    return Look(running, Ewe_V, I_A, elapsed_s)


NOTHING = booked(samples())


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (shows(Ewe_V=3.1), ("limit: Ewe above 3 V", "stopped", "limit", 1)),
        (shows(Ewe_V=3.1, running=False), None),  # the cell is open already, or has not begun
        (shows(Ewe_V=math.nan), None),
        (shows(I_A=2e-3), ("limit: |I| above 0.001 A", "stopped", "limit", 3)),
        (shows(I_A=-2e-3), ("limit: |I| above 0.001 A", "stopped", "limit", 3)),
        (shows(), None),
        (None, None),
    ],
)
def test_limits_are_judged_by_what_the_channel_shows(shown: Look | None, expected: tuple | None) -> None:
    assert told(guard(ABOVE, BELOW, replace(CURRENT, id=3)).judge(NOTHING, shown)) == expected


def test_what_is_wanted_is_not_judged_by_it() -> None:
    """A moment before the start the cell may be anywhere: a row tells."""
    assert guard(end(1, "Ewe", "above", 1.0, kind="goal")).judge(NOTHING, shows(Ewe_V=1.5)) is None


def test_a_cutoff_is_not_judged_by_what_the_channel_shows() -> None:
    """Nobody knows of which step that is."""
    assert guard(end(1, "Ewe", "above", 1.0)).judge(NOTHING, shows(Ewe_V=1.5)) is None


@pytest.mark.parametrize(
    ("amplitudes", "end_id"),
    [((0.0, 0.0), None), ((0.2, 0.0), 1), ((0.0, 0.6e-3), 3)],
    ids=["inside", "E", "I"],
)
def test_limits_hold_for_the_peaks_of_a_sweep(amplitudes: tuple[float, float], end_id: int | None) -> None:
    made = guard(ABOVE, BELOW, end(3, "|I|", "above", 1e-3, kind="limit"))
    rows = np.zeros(1, layout.IMPEDANCE.dtype)
    rows["E_dc"], rows["I_dc"], rows["E_amp"], rows["I_amp"] = 2.9, 0.5e-3, *amplitudes
    ending = made.judge(booked(samples(), impedance=rows), None)
    assert (ending and ending.end_id) == end_id


def test_the_negative_peak_counts_too() -> None:
    rows = np.zeros(1, layout.IMPEDANCE.dtype)
    rows["E_dc"], rows["E_amp"] = -2.9, 0.2
    ending = guard(ABOVE, BELOW).judge(booked(samples(), impedance=rows), None)
    assert (ending and ending.end_id) == 2


# --- the time of a step with spectra -------------------------------------------------------------------

ASKED = end(1, "time", "above", 75.0, kind="asked")


@pytest.mark.parametrize(("elapsed_s", "over"), [(74.9, False), (75.0, False), (75.0 + ASKED_SLACK_s, True)])
def test_a_step_with_spectra_lasts_as_long_as_asked(elapsed_s: float, over: bool) -> None:
    ending = guard(ASKED).judge(NOTHING, shows(elapsed_s=elapsed_s))
    assert (ending is not None) == over
    if ending is not None:
        assert (ending.kind, ending.then, ending.end_id) == ("duration", "next step", 1)


def test_what_is_missing_of_it_is_known_when_its_chain_is_over() -> None:
    made = guard(ASKED)
    made.judge(booked(samples((50.0, 0, 1e-3))), None)
    segment = Segment((cp(1),), tops_up=True)
    assert made.missing_s(segment) == pytest.approx(25.0)
    made.open_segment(segment, 51.0)
    assert made.judge(NOTHING, shows(elapsed_s=100.0)) is None  # the top-up keeps its own time


def test_what_is_left_of_it_lasts_as_long_as_was_left() -> None:
    made = guard(ASKED)
    left = Segment((rest(1),), step_s=50.0)
    made.open_segment(left, 1000.0)
    assert made.watch().every_s == pytest.approx(25.0 + ASKED_SLACK_s)
    assert made.judge(NOTHING, shows(elapsed_s=25.0)) is None
    assert made.time_s == pytest.approx(1025.0)
    ending = made.judge(NOTHING, shows(elapsed_s=25.0 + ASKED_SLACK_s))
    assert (ending and ending.value) == pytest.approx(75.0 + ASKED_SLACK_s)
    made.open_segment(left, 2000.0)
    made.judge(booked(samples((2020.0, 0, 1e-3))), None)
    assert made.missing_s(Segment((cp(1),), tops_up=True)) == pytest.approx(5.0)
    assert made.missing_s(Segment((cp(1),), tops_up=True, step_s=72.0)) == pytest.approx(3.0)


# --- the rule of the short circuit ---------------------------------------------------------------------

RULE = ShortRule(fall=0.75, within_s=120.0, below_V=0.015, samples=3)
SHORT = end(1, "short", "below", 0.015, kind="rule")


def fall(*Ewe: float, I: float = -1e-4, start: float = 0.0, step_count: int = 1) -> np.ndarray:
    return samples(*((start + k, value, I) for k, value in enumerate(Ewe)), step_count=step_count)


@pytest.mark.parametrize(
    ("Ewe", "row"),
    [
        ([-0.09, -0.09, -0.002, -0.002, -0.002], 4),
        ([-0.09, -0.002, -0.09, -0.002, -0.002], None),  # not in a row
        ([-0.09, -0.02, -0.02, -0.02], None),  # fallen, but not below the floor
        ([-0.014, -0.001, -0.001, -0.001], None),  # never was above the floor
        ([-0.016, -0.014, -0.014, -0.014], None),  # below the floor, but has not fallen
        ([-0.09, -0.002, 0.002, -0.002], 3),  # noise around zero
        ([-0.09, 0.09, 0.09, 0.09], None),  # far on the other side of zero
        ([0.09, 0.016, 0.01, 0.002, -0.002, -0.01], None),  # turning into the direction of the current
        ([-0.09, math.nan, -0.002, -0.002, -0.002], 4),  # no value says nothing
        ([-0.09, -0.002, -0.002, *[-0.09] * 2 * LONG, -0.002], None),  # it was no short: counted anew
    ],
)
def test_short(Ewe: list[float], row: int | None) -> None:
    assert ShortWatch(RULE).look(fall(*Ewe)) == row


def test_after_a_pause_a_potential_that_rises_again_is_no_fall() -> None:
    made = guard(SHORT, short=RULE)
    rising, falling = fall(-0.001, -0.004, -0.008, -0.09, start=20.0), fall(*[-0.002] * 3, start=30.0)
    assert look(made, fall(*[-0.09] * 5)) is None
    made.after_a_pause()
    assert look(made, rising) is None
    assert look(made, falling) is not None


def test_a_fall_that_began_before_a_pause_counts_on() -> None:
    made = guard(SHORT, short=RULE)
    assert look(made, fall(-0.09, -0.002, -0.002)) is None
    made.after_a_pause()
    assert look(made, fall(-0.002, start=20.0)) is not None


def test_at_open_circuit_nothing_shorts() -> None:
    assert ShortWatch(RULE).look(fall(-0.09, -0.002, -0.002, -0.002, I=0.0)) is None


def test_a_fall_is_seen_across_reads_but_not_out_of_the_past() -> None:
    one = ShortWatch(RULE)
    assert one.look(fall(-0.09)) is None
    assert one.look(fall(*[-0.002] * 3, start=60)) == 2
    late = ShortWatch(RULE)
    late.look(fall(-0.09))
    assert late.look(fall(*[-0.002] * 3, start=600)) is None


def test_a_new_step_starts_anew_but_a_begun_fall_is_counted_on() -> None:
    turned = ShortWatch(RULE)
    turned.look(fall(0.09, I=1e-4))
    assert turned.look(fall(*[-0.002] * 3, start=1, step_count=2)) is None
    begun = ShortWatch(RULE)
    begun.look(fall(0.09, 0.002, 0.002, I=1e-4))
    assert begun.look(fall(-0.002, start=5, step_count=2)) == 0


def test_the_highest_of_the_window_is_that_of_a_search_through_all_of_it() -> None:
    """However the samples are cut into reads: against the plain definition of the rule."""
    random = np.random.default_rng(5)
    for k in range(120):
        Ewe = -np.abs(random.normal(0.02, 0.03, 60)).round(3)
        if k % 2:  # long stretches that are low, or are not
            Ewe = np.repeat(Ewe[:5], random.multinomial(60, [0.2] * 5)) - random.normal(0, 1e-3, 60).round(3)
        rows = fall(*Ewe.tolist())
        rows["step_count"] = np.repeat([1, 2], [25, 35])
        rule = ShortRule(fall=0.75, within_s=float(random.integers(2, 30)), below_V=0.015, samples=2)
        watch, found = ShortWatch(rule), None
        for part in np.array_split(rows, random.integers(1, 10)):
            row = watch.look(part)
            if row is not None:
                found = float(part["time"][row])
                break
        assert found == searched(rule, rows)


def searched(rule: ShortRule, rows: np.ndarray) -> float | None:
    in_a_row, along = 0, -rows["Ewe"].astype(float)
    for k, row in enumerate(rows):
        past = [
            along[n] for n in range(k)
            if rows["step_count"][n] == row["step_count"] and rows["time"][n] >= row["time"] - rule.within_s
        ]  # fmt: skip
        highest = max(past, default=0.0)
        fallen = highest > rule.below_V and along[k] <= (1 - rule.fall) * highest
        low = abs(along[k]) < rule.below_V
        in_a_row = in_a_row + 1 if low and (fallen or in_a_row) else 0
        if in_a_row >= rule.samples:
            return float(row["time"])
    return None


def test_while_a_fall_is_counted_the_host_looks_at_every_moment() -> None:
    made = guard(SHORT, short=RULE)
    assert made.watch().every_s is None
    assert made.watch().Ewe_near_0_V == 0.015
    look(made, fall(-0.09, -0.002))
    assert made.watch().every_s == 0.2


def test_a_short_ends_the_run_as_wanted_but_a_limit_of_the_same_row_is_graver() -> None:
    rows = fall(-0.09, -0.002, -0.002, -0.002)
    assert told(look(guard(SHORT, short=RULE), rows)) == ("short below 0.015", "completed", "rule", 1)
    limit = end(2, "Ewe", "above", -0.01, kind="limit")
    rows["Ewe"][1:3] = -0.011
    assert told(look(guard(SHORT, limit, short=RULE), rows)) == (
        "limit: Ewe above -0.01 V", "stopped", "limit", 2,
    )  # fmt: skip


CUTOFF = end(1, "Ewe", "above", 2.0)
GOAL = end(1, "Ewe", "above", 2.0, kind="goal")


@pytest.mark.parametrize(
    ("made", "needs_rows"),
    [
        (guard(ABOVE), False),  # the channel shows what limits are judged by
        (guard(CUTOFF), True),
        (guard(GOAL), True),
        (guard(replace(CUTOFF, by="instrument")), False),
        (guard(end(1, "Ewe", "above", 2.0, step=2)), False),  # of a step that is not loaded
        (guard(SHORT, short=RULE), True),
    ],
)
def test_whether_an_end_can_only_be_told_by_rows(made: Guard, needs_rows: bool) -> None:
    assert made.needs_rows is needs_rows
