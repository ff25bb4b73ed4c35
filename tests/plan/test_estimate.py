"""What a run takes: numbers that follow from the program, however often its loops go round."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_builders import (
    SP300,
    VMP3,
    cutoff,
    estimated,
    hold,
    lowered,
    plan,
    repeat,
    spectrum,
    sweep,
    with_limits,
)

from nakctl.device.program import Segment
from nakctl.plan import plan as p
from nakctl.plan.estimate import Amount, Estimate, estimate, loops_around
from nakctl.plan.sweeps import spread

seconds = st.floats(1.0, 1e5)
currents = st.floats(-0.1, 0.1)
counts = st.integers(1, 10**6)


def total(of: Estimate) -> Amount:
    assert of.total is not None
    return of.total


def close(one: Amount, other: Amount, factor: float = 1.0) -> bool:
    pairs = (
        (one.duration_s, other.duration_s),
        (one.charge_C, other.charge_C),
        (one.moved_C, other.moved_C),
        (one.samples, other.samples),
        (one.spectra, other.spectra),
        (one.points, other.points),
    )
    return all(a == pytest.approx(factor * b, rel=1e-9, abs=1e-12) for a, b in pairs)


def test_a_hold_by_hand() -> None:
    of = total(estimated(plan(hold(level=-1e-3, duration_s=3600.0, record=p.Record(2.0)))))
    assert of == Amount(duration_s=3600.0, charge_C=-3.6, moved_C=3.6, samples=1800.0, chains=1.0)


def test_a_spectrum_by_hand() -> None:
    of = total(estimated(plan(spectrum(sweep(frequencies_Hz=spread(1e5, 10.0, 5, "log")), bias=1e-3))))
    assert of.duration_s == pytest.approx(5 * 0.37 + 0.1 / 10 + 0.1 / 100 + 0.1 / 1e3 + 0.1 / 1e4 + 0.1 / 1e5)
    assert of.charge_C == pytest.approx(of.duration_s * 1e-3)
    assert (of.spectra, of.points, of.samples) == (1, 5, 5)


def test_slow_frequencies_take_their_periods() -> None:
    slow = sweep(frequencies_Hz=(0.1,), average=3, wait_periods=0.5)
    assert total(estimated(plan(spectrum(slow)))).duration_s == pytest.approx(35.0)


def test_a_listed_spectrum_is_one_spectrum() -> None:
    odd = sweep(frequencies_Hz=(1e4, 900.0, 77.0, 3.0), spacing="list")
    of = total(estimated(plan(spectrum(odd))))
    assert (of.spectra, of.points) == (1, 4)


def test_potential_control_leaves_the_charge_to_the_cell() -> None:
    of = total(estimated(plan(hold("ca", 0.1, 60.0), limits=with_limits(I_max_A=1e-3))))
    assert (of.charge_C, of.moved_C, of.free_s) == (0, 0, 60)


def test_opposite_currents_cancel_and_move_charge() -> None:
    of = total(estimated(plan(hold(level=1e-3), hold(level=-1e-3))))
    assert of.charge_C == pytest.approx(0, abs=1e-15)
    assert of.moved_C == pytest.approx(0.12)


@given(current_A=currents, duration_s=seconds, times=counts)
def test_a_repeat_multiplies(current_A: float, duration_s: float, times: int) -> None:
    steps = hold(level=current_A, duration_s=duration_s), hold("rest", duration_s=1.0)
    once, often = total(estimated(plan(*steps))), total(estimated(plan(repeat(times, *steps))))
    assert close(often, once, times)


@given(times=st.integers(1, 1000), inner=st.integers(1, 1000))
def test_nested_repeats_multiply(times: int, inner: int) -> None:
    nested = estimated(plan(repeat(times, hold(), repeat(inner, hold("rest")))))
    assert nested.finite.duration_s == pytest.approx(60 * times * (1 + inner))
    assert nested.step(2).times == times * inner
    assert nested.step(2).once.duration_s == pytest.approx(60)


@given(current_A=currents, duration_s=seconds)
def test_twice_as_long_is_twice_the_charge(current_A: float, duration_s: float) -> None:
    once = total(estimated(plan(hold(level=current_A, duration_s=duration_s))))
    twice = total(estimated(plan(hold(level=current_A, duration_s=2 * duration_s))))
    assert close(twice, once, 2)


@given(current_A=currents, duration_s=seconds)
def test_polarity_turns_the_charge_and_nothing_else(current_A: float, duration_s: float) -> None:
    one = total(estimated(plan(hold(level=current_A, duration_s=duration_s))))
    other = total(estimated(plan(hold(level=-current_A, duration_s=duration_s))))
    assert other == replace(one, charge_C=-one.charge_C)


@given(duration_s=st.floats(10.0, 1e5), every_s=st.one_of(st.none(), st.floats(1.0, 1e4)))
def test_spectra_during_a_hold_leave_its_time_and_charge_alone(
    duration_s: float, every_s: float | None
) -> None:
    spectra = p.Spectra(sweep(), every_s)
    of = total(estimated(plan(hold(level=1e-3, duration_s=duration_s, spectra=spectra))))
    assert of.duration_s == pytest.approx(duration_s, abs=0.11)  # what is left of less than 0.1 s is dropped
    assert of.charge_C == pytest.approx(1e-3 * duration_s, abs=1.1e-4)
    assert of.points == 5 * of.spectra


@given(steps=st.lists(st.tuples(currents, seconds, st.integers(1, 50)), min_size=1, max_size=6))
def test_steps_add_up_to_the_run(steps: list[tuple[float, float, int]]) -> None:
    of = estimated(plan(*(repeat(n, hold(level=I, duration_s=s), hold("rest")) for I, s, n in steps)))
    parts = [step.once * step.times for step in of.steps]
    assert close(of.finite, sum(parts, Amount()))


def test_a_long_rest_in_several_techniques_is_one_step() -> None:
    of = estimated(plan(hold("rest", duration_s=40 * 3600.0)))
    assert of.step(1).times == 1
    assert of.step(1).once.duration_s == pytest.approx(40 * 3600.0)


def test_gaps_between_chains_take_time() -> None:
    two_chains = plan(hold("ca", 0.1, cutoffs=(cutoff("charge", "above", 1.0),)), hold())
    of = estimated(two_chains)
    assert of.finite.chains == 2
    assert of.duration_s == pytest.approx(120 + SP300.load_s)


def test_an_endless_repeat_is_known_by_its_pass() -> None:
    of = estimated(
        plan(hold("rest"), repeat(None, hold(level=1e-3, duration_s=1.0), hold("rest", duration_s=5.0)))
    )
    assert of.per_pass is not None
    assert (of.total, of.duration_s) == (None, None)
    assert of.pass_s == 6
    assert of.per_pass.charge_C == pytest.approx(1e-3)
    assert of.finite.duration_s == 60
    assert [step.endless for step in of.steps] == [False, True, True]


def test_limits_time_bounds_an_endless_repeat() -> None:
    endless = repeat(None, hold(level=1e-3, duration_s=1.0), hold("rest", duration_s=5.0))
    of = estimated(plan(hold("rest"), endless, limits=with_limits(time_s=660.0)))
    assert of.duration_s == pytest.approx(660)
    assert total(of).charge_C == pytest.approx(0.1)


def test_a_limit_before_the_endless_repeat_leaves_nothing_of_it() -> None:
    of = estimated(plan(hold("rest"), repeat(None, hold()), limits=with_limits(time_s=30.0)))
    assert total(of).charge_C == 0


def test_many_passes_cost_no_time() -> None:
    of = plan(repeat(10**12, hold(level=1e-3, duration_s=1.0), hold("rest", duration_s=5.0)))
    program = lowered(of)
    start_s = time.perf_counter()
    found = estimate(of, program, SP300)
    assert time.perf_counter() - start_s < 0.05
    assert found.duration_s == pytest.approx(6e12)


def test_loops_around_a_technique() -> None:
    of = plan(repeat(3, hold(), repeat(4, hold("rest"), hold(level=2e-3))))
    (segment,) = lowered(of).nodes
    assert isinstance(segment, Segment)
    around = [[loop.times for loop in loops_around(segment, position)] for position in range(3)]
    assert around == [[3], [4, 3], [4, 3]]


def test_the_file_grows_by_rows_and_points() -> None:
    empty, rows, points = Amount(), Amount(samples=1e6), Amount(points=1e3)
    assert rows.file_bytes - empty.file_bytes == pytest.approx(6.8e6)
    assert points.file_bytes - empty.file_bytes == pytest.approx(6e4)


def test_instruments_differ_in_the_time_of_spectra() -> None:
    of = plan(spectrum(sweep()))
    assert estimated(of, VMP3).finite.duration_s < estimated(of, SP300).finite.duration_s
