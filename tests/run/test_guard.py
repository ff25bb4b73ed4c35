"""Limits, rules and cutoffs that the host watches."""

from __future__ import annotations

import numpy as np
import pytest
from booking import NO_LIMITS, cp, cutoff, info, loop, program, rest

from nakctl.device.channel import Flag
from nakctl.device.program import EweRule, Limits, Segment, ShortRule, Test
from nakctl.record import layout
from nakctl.run.engine import Ending
from nakctl.run.guard import Guard
from nakctl.run.short import ShortWatch


def samples(*given: tuple[float, float, float], step_id: int = 1, step_count: int = 1) -> np.ndarray:
    """(time, Ewe, I)"""
    made = np.zeros(len(given), layout.SAMPLES.dtype)
    for row, (time, Ewe, I) in zip(made, given, strict=True):
        row["time"], row["Ewe"], row["I"] = time, Ewe, I
    made["step_id"], made["step_count"] = step_id, step_count
    return made


def look(guard: Guard, rows: np.ndarray, charge_Ah: float = 0.0) -> Ending | None:
    return guard.look(rows, np.full(len(rows), charge_Ah))


def guard(*cutoffs, limits: Limits = NO_LIMITS, rules: tuple = (), technique=None) -> Guard:
    segment = Segment((technique or rest(1),))
    made = Guard(program(segment, steps=[info(1, cutoffs=cutoffs)], limits=limits, rules=rules))
    made.open_segment(segment)
    return made


@pytest.mark.parametrize(
    ("limits", "row", "reason"),
    [
        (Limits(-3.0, 3.0, None, None), (1, 3.001, 0), "limit: Ewe above 3 V"),
        (Limits(-3.0, 3.0, None, None), (1, -3.001, 0), "limit: Ewe below -3 V"),
        (Limits(0.0, 3.0, None, None), (1, -0.001, 0), "limit: Ewe below 0 V"),
        (Limits(None, 0.0, None, None), (1, 0.001, 0), "limit: Ewe above 0 V"),
        (Limits(None, None, 1e-3, None), (1, 0, -1.02e-3), "limit: |I| above 0.001 A"),
        (Limits(None, None, None, 60.0), (60, 0, 0), "limit: 60 s of run time"),
    ],
)
def test_a_limit_stops_the_run(limits: Limits, row: tuple[float, float, float], reason: str) -> None:
    assert look(guard(limits=limits), samples(row)) == Ending("end run", reason, "stopped")


@pytest.mark.parametrize("row", [(1, 2.999, 0), (1, -2.999, 0), (59, 0, 0), (1, 0, 1e-3)])
def test_inside_of_the_limits_nothing_happens(row: tuple[float, float, float]) -> None:
    assert look(guard(limits=Limits(-3.0, 3.0, 1e-3, 60.0)), samples(row)) is None


def test_a_rule_is_an_end_as_wanted() -> None:
    made = guard(limits=Limits(-3, 4, None, None), rules=(EweRule("above", 3.0),))
    assert look(made, samples((1, 3.1, 0))) == Ending("end run", "Ewe above 3 V", "completed")


def test_the_earliest_row_decides() -> None:
    made = guard(cutoff("Ewe", "above", 1.0), limits=Limits(None, 2.0, None, None))
    rows = samples((1, 0.5, 0), (2, 1.1, 0), (3, 2.5, 0))
    assert look(made, rows) == Ending("next step", "Ewe above 1 V")


def test_a_cutoff_counts_only_in_its_own_step() -> None:
    assert look(guard(cutoff("Ewe", "above", 1.0)), samples((1, 2, 0), step_id=2)) is None


def test_the_chain_goes_on_by_itself_after_an_instrument_s_cutoff() -> None:
    cut = cutoff("Ewe", "above", 1.0, by="instrument")
    going_on = guard(cut, technique=cp(1, tests=(Test("Ewe", "above", 1.0),), on_test="next"))
    stopping = guard(cut, technique=cp(1, tests=(Test("Ewe", "above", 1.0),), on_test="stop"))
    assert look(going_on, samples((1, 1.1, 1e-3))) is None
    assert look(stopping, samples((1, 1.1, 1e-3))) == Ending("next step", "Ewe above 1 V")


def test_charge_is_that_of_the_step() -> None:
    made = guard(cutoff("charge", "above", 3.6))
    assert look(made, samples((1, 0, 1e-3)), charge_Ah=-0.9e-3) is None
    assert made.watch().every_s == pytest.approx((3.6 - 3.24) / 1e-3)
    assert look(made, samples((1, 0, 1e-3)), charge_Ah=-1.0e-3) == Ending("next step", "charge above 3.6 C")


def test_the_watch_is_the_tightest_of_all() -> None:
    made = guard(
        cutoff("Ewe", "above", 0.0), cutoff("|I|", "below", 1e-6),
        limits=Limits(-3.0, 3.0, 1e-3, 100.0), rules=(EweRule("below", -1.0),),
    )  # fmt: skip
    watch = made.watch()
    assert (watch.Ewe_min_V, watch.Ewe_max_V, watch.I_min_A, watch.I_max_A) == (-1.0, 0.0, 1e-6, 1e-3)
    assert watch.every_s == 100.0


@pytest.mark.parametrize(
    ("Ewe", "flag", "reason"),
    [
        (2.9999, Flag.TEST_MET, "limit: Ewe above 3.0 V"),  # noise, single precision
        (1.0, Flag.TEST_MET, "the channel stopped by itself in step 1 step"),
        (1.0, Flag(0), None),
    ],
)
def test_why_a_chain_is_over(Ewe: float, flag: Flag, reason: str | None) -> None:
    made = guard(limits=Limits(-3.0, 3.0, None, None))
    row = samples((1, Ewe, 1e-3))
    row["flags"] = flag
    ending = made.explain(row, Segment((cp(1),)))
    assert (ending and ending.reason) == reason


def test_a_chain_that_ends_before_its_last_technique_is_trouble() -> None:
    segment = Segment((cp(1), cp(2), loop(0, 5)))
    made = Guard(program(segment, steps=[info(1), info(2)]))
    made.open_segment(segment)
    ending = made.explain(samples((1, 0.1, 1e-3)), segment)
    assert ending is not None and ending.status == "interrupted"


# --- the rule of the short circuit ---------------------------------------------------------------------

RULE = ShortRule(fall=0.75, within_s=120.0, below_V=0.015, samples=3)


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
        ([0.09, 0.016, 0.01, 0.002, -0.002, -0.01], None),  # turning into the direction of the current
    ],
)
def test_short(Ewe: list[float], row: int | None) -> None:
    assert ShortWatch(RULE).look(fall(*Ewe)) == row


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


def test_while_a_fall_is_counted_the_host_looks_at_every_moment() -> None:
    made = guard(rules=(RULE,))
    assert made.watch().every_s is None
    assert made.watch().Ewe_near_0_V == 0.015
    look(made, fall(-0.09, -0.002))
    assert made.watch().every_s == 0.2
