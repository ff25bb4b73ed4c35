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
from shortened import cell_of, parameters
from unwatched import unwatched

from nakctl.device.driver import Place
from nakctl.device.instrument import Instrument
from nakctl.device.program import Ca, Cp, HostLoop, Node, Ocv, Segment, segments
from nakctl.plan import plan as p
from nakctl.plan.compile import compile_protocol
from nakctl.plan.estimate import Amount, Estimate, estimate, loops_around
from nakctl.plan.lower import lower
from nakctl.plan.sweeps import spread
from nakctl.plan.techniques import SENTINEL_s
from nakctl.protocol import library
from nakctl.protocol.load import load
from nakctl.run.clock import FreeClock
from nakctl_sim.driver import driver

seconds = st.floats(1.0, 1e5)
currents = st.floats(-0.1, 0.1)
counts = st.integers(1, 10**6)


def total(of: Estimate) -> Amount:
    assert of.total is not None
    return of.total


def close(one: Amount, other: Amount, factor: float = 1.0) -> bool:
    """All but the rows, whose first and last do not add up."""
    pairs = (
        (one.duration_s, other.duration_s),
        (one.charge_C, other.charge_C),
        (one.moved_C, other.moved_C),
        (one.spectra, other.spectra),
        (one.points, other.points),
    )
    return all(a == pytest.approx(factor * b, rel=1e-9, abs=1e-12) for a, b in pairs)


def test_a_hold_by_hand() -> None:
    of = total(estimated(plan(hold(level=-1e-3, duration_s=3600.0, record=p.Record(2.0)))))
    assert of == Amount(duration_s=3600.0, charge_C=-3.6, moved_C=3.6, samples=1801.0, visits=1.0, chains=1.0)


def test_a_spectrum_by_hand() -> None:
    of = total(estimated(plan(spectrum(sweep(frequencies_Hz=spread(1e5, 10.0, 5, "log")), bias=1e-3))))
    waits_s = 0.1 / 10 + 0.1 / 100 + 0.1 / 1e3 + 0.1 / 1e4 + 0.1 / 1e5
    assert of.duration_s == pytest.approx(SENTINEL_s + 5 * 0.37 + waits_s)
    assert of.charge_C == pytest.approx(of.duration_s * 1e-3)
    assert (of.spectra, of.points, of.samples) == (1, 5, 5 + 2)  # its sentinel has a first and a last row


@pytest.mark.parametrize(
    ("duration_s", "every_s", "rows"),
    [
        (60.0, 1.0, 61),
        (1.0, 0.25, 5),
        (5.0, 1.0, 6),
        (0.5, 0.2, 4),
        (1.0, 1.0, 2),
        (0.5, 1.0, 2),
    ],
)
def test_rows_are_those_at_the_start_every_so_often_and_at_the_end(
    duration_s: float, every_s: float, rows: int
) -> None:
    for kind in ("rest", "cp", "ca"):
        of = plan(hold(kind, duration_s=duration_s, record=p.Record(every_s)))
        assert total(estimated(of)).samples == rows


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
    assert often.samples == once.samples * times


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
    start_s = time.thread_time()
    found = estimate(of, program, SP300)
    assert time.thread_time() - start_s < 0.05
    assert found.duration_s == pytest.approx(6e12)


def test_loops_around_a_technique() -> None:
    of = plan(repeat(3, hold(), repeat(4, hold("rest"), hold(level=2e-3))))
    (segment,) = lowered(of).nodes
    assert isinstance(segment, Segment)
    around = [[loop.times for loop in loops_around(segment, position)] for position in range(3)]
    assert around == [[3], [4, 3], [4, 3]]


# Sealed files of dry runs: rows, of those at rest, points, techniques; bytes.
WRITTEN = [
    ("a rest of 1 min on SP-300", Amount(samples=61, resting=61, visits=1), 0.1567e6),
    ("pristine-eis on SP-300", Amount(samples=696, resting=603, points=93, visits=3), 0.1917e6),
    ("pristine-eis on VMP-3", Amount(samples=684, resting=603, points=81, visits=3), 0.1898e6),
    (
        "sgeis-strip-rest on SP-300",
        Amount(samples=150_401, resting=6_170, points=143_175, visits=4_820),
        14.25e6,
    ),
    (
        "sgeis-strip-rest on VMP-3",
        Amount(samples=130_733, resting=6_170, points=123_507, visits=4_820),
        12.10e6,
    ),
    ("ccd on SP-300", Amount(samples=77_524, resting=601, points=75_247, visits=1_673), 7.43e6),
    ("ccd on VMP-3", Amount(samples=129_734, resting=601, points=125_965, visits=3_209), 12.36e6),
    ("plate-geis-ocv on SP-300", Amount(samples=46_677, resting=10_080, points=36_177, visits=958), 3.74e6),
    ("plate-geis-ocv on VMP-3", Amount(samples=58_665, resting=10_800, points=47_061, visits=1_342), 4.75e6),
    (
        "galvanostatic-cycling on SP-300",
        Amount(duration_s=144.6e3, samples=29_119, resting=121, visits=41),
        0.3735e6,
    ),
]
PULSES = [
    ("on SP-300", Amount(samples=948_510, resting=632_719, visits=90_227), 6.35e6),
    ("on VMP-3", Amount(samples=899_864, resting=630_344, visits=89_841), 3.47e6),
]


@pytest.mark.parametrize(("of", "n_bytes"), [row[1:] for row in WRITTEN], ids=[row[0] for row in WRITTEN])
def test_the_size_of_a_file_is_known(of: Amount, n_bytes: float) -> None:
    assert of.file_bytes() == pytest.approx(n_bytes, rel=0.12)


@pytest.mark.parametrize(("of", "n_bytes"), [row[1:] for row in PULSES], ids=[row[0] for row in PULSES])
def test_that_of_pulses_roughly(of: Amount, n_bytes: float) -> None:
    """Times that come again and again to the last bit are compressed to nothing, others are not."""
    assert of.file_bytes() == pytest.approx(n_bytes, rel=0.34)


def by_time_alone(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """The same nodes, recorded without dE and dI."""
    made: list[Node] = []
    for node in nodes:
        if isinstance(node, HostLoop):
            made.append(replace(node, body=by_time_alone(node.body)))
        elif isinstance(node, Segment):
            techniques = (
                replace(each, dE_V=None)
                if isinstance(each, Ocv | Cp)
                else replace(each, dI_A=None)
                if isinstance(each, Ca)
                else each
                for each in node.techniques
            )
            made.append(replace(node, techniques=tuple(techniques)))
        else:
            made.append(node)
    return tuple(made)


@pytest.mark.parametrize("on", [SP300, VMP3])
@pytest.mark.parametrize("name", library.names())
def test_rows_are_those_that_a_channel_writes(name: str, on: Instrument) -> None:
    of = compile_protocol(load(name, parameters(name, on.name)), cell_of(name))
    if any(
        hold.alone_s is not None or hold.cutoffs for hold in p.leaves(of.steps) if isinstance(hold, p.Hold)
    ):
        return  # the cell decides how long it takes
    program = lower(of, on)
    program = replace(program, nodes=by_time_alone(program.nodes))
    channel = driver.open(Place("x", "sim", on.name, 1, {}), cell_of(name), FreeClock(), 1)
    written = 0
    for segment in segments(program.nodes):
        if not segment.tops_up:
            written += sum(map(len, unwatched(channel, segment)))
    assert total(estimate(of, program, on)).samples == pytest.approx(written, rel=0.005, abs=2)


def test_instruments_differ_in_the_time_of_spectra() -> None:
    of = plan(spectrum(sweep()))
    assert estimated(of, VMP3).finite.duration_s < estimated(of, SP300).finite.duration_s
