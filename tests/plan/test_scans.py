"""Scans of the potential, ramps of the current, power and load: from the words to the techniques."""

from __future__ import annotations

import math

import pytest
from compiling import HEAD, chain, compiled, lowered, told

from nakctl.checks.check import check
from nakctl.device.instrument import instrument
from nakctl.device.program import Ca, Cp, Draw, HostLoop, Loop, Segment
from nakctl.errors import ProtocolError
from nakctl.plan import plan as p
from nakctl.plan.estimate import estimate
from nakctl.plan.lower import lower

SP300, VMP3 = instrument("SP-300"), instrument("VMP-3")
CV = "- {{cv: '2 V, -0.5 V', from: 0 V, rate: 100 mV/s, cycles: {}}}"


def holds(plan: p.Plan) -> list[p.Hold]:
    return [leaf for leaf in p.leaves(plan.steps) if isinstance(leaf, p.Hold)]


def findings(steps: str, name: str = "SP-300") -> list[str]:
    plan = compiled(steps)
    return [
        f"{each.severity} {each.rule}"
        for each in check(plan, lower(plan, instrument(name)), instrument(name))
    ]


def test_a_cv_goes_to_both_vertices_and_again() -> None:
    [first, second, up, down] = holds(compiled(CV.format(3)))
    ways = [(each.level, each.to) for each in (first, second, up, down)]
    assert ways == [(0.0, 2.0), (2.0, -0.5), (-0.5, 2.0), (2.0, -0.5)]
    assert [each.duration_s for each in (first, second)] == pytest.approx([20.0, 25.0])
    assert {each.technique for each in (first, second, up, down)} == {"CV"}


def test_a_cv_is_one_chain_in_which_each_cycle_is_counted() -> None:
    techniques = chain(lowered(CV.format(3)))
    scans = [each for each in techniques if isinstance(each, Ca)]
    assert [(each.E_V, each.to_V) for each in scans] == [(0.0, 2.0), (2.0, -0.5), (-0.5, 2.0), (2.0, -0.5)]
    assert techniques[-1] == Loop(2, 2, passes=True, begins=True)


def test_one_cycle_needs_no_loop_and_an_end_is_a_scan() -> None:
    techniques = chain(lowered("- {cv: '2 V, -0.5 V', from: 0 V, rate: 100 mV/s, to: 0 V}"))
    assert [(each.E_V, each.to_V) for each in techniques if isinstance(each, Ca)] == [(0.0, 2.0), (2.0, -0.5), (-0.5, 0.0)]  # fmt: skip
    assert not any(isinstance(each, Loop) for each in techniques)


def test_where_the_host_goes_round_its_first_pass_is_a_cycle_too() -> None:
    program = lowered("- {cv: '2 V, -0.5 V', from: 0 V, rate: 100 mV/s, cycles: 3, until: {charge: 1 mAh}}")
    [loop] = [node for outer in program.nodes if isinstance(outer, HostLoop) for node in outer.body if isinstance(node, HostLoop)]  # fmt: skip
    first = loop.body[0]
    assert isinstance(first, Segment)
    assert first.new_cycle == (0,)


@pytest.mark.parametrize(
    ("words", "first_A", "last_A"),
    [
        ("strip: 2 mA/cm2", 0.05e-3, 1e-3),
        ("plate: 2 mA/cm2", -0.05e-3, -1e-3),
        ("cp: -2 mA/cm2", 0.05e-3, -1e-3),
    ],
)
def test_a_ramp_goes_the_way_of_its_word(words: str, first_A: float, last_A: float) -> None:
    [ramp] = chain(lowered(f"- {{ramp: {{{words}}}, from: 0.1 mA/cm2, rate: 0.05 mA/cm2/min}}"))
    assert isinstance(ramp, Cp)
    assert (ramp.I_A, ramp.to_A) == pytest.approx((first_A, last_A))
    assert ramp.duration_s == pytest.approx(abs(last_A - first_A) / (0.05e-3 * 0.5 / 60))
    assert told(ramp.tests) == {("<", -3.0, 1), (">", 3.0, 2)}


def test_a_ramp_carries_the_charge_below_it() -> None:
    plan = compiled("- {ramp: {strip: 1 mA}, from: 0 mA, rate: 0.1 mA/s}")
    assert estimate(plan, lower(plan, SP300), SP300).finite.charge_C == pytest.approx(5e-3)


def test_what_is_driven_is_recorded_by_its_change() -> None:
    scan = "- {{lsv: 2 V, from: 0 V, rate: 10 mV/s{}}}"
    [coarse, by_change, by_time, both] = (
        holds(compiled(scan.format(words)))[0].record.every_s
        for words in (
            "",
            ", record: {dE: 5 mV}",
            ", record: {every: 0.1 s}",
            ", record: {every: 0.1 s, dE: 5 mV}",
        )
    )
    assert (coarse, by_change, by_time, both) == pytest.approx((0.2, 0.5, 0.1, 0.1))


def test_a_scan_that_is_longer_than_the_counter_goes_on_in_parts() -> None:
    parts = chain(lowered("- {lsv: 3 V, from: -3 V, rate: 0.1 mV/s}"))
    assert len(parts) == math.ceil(60_000 / SP300.longest_s)
    ends_V = [end_V for each in parts if isinstance(each, Ca) for end_V in (each.E_V, each.to_V)]
    assert ends_V == pytest.approx([-3.0, 0.0, 0.0, 3.0])


def test_where_a_scan_is_when_its_cutoff_is_met_no_sentinel_knows() -> None:
    """It would leap to the end of the scan: so a chain that has a limit to hold stops, and the host goes on."""
    cv = "- {cv: '2 V, -0.5 V', from: 0 V, rate: 100 mV/s, until: {I_above: 1 mA}}"
    [loop] = lowered(cv).nodes
    assert isinstance(loop, HostLoop)
    scans = [each.techniques for each in loop.body if isinstance(each, Segment)]
    assert [[(type(each), each.on_test) for each in scan if isinstance(each, Ca)] for scan in scans] == [[(Ca, "stop")]] * 2  # fmt: skip
    free = lowered(cv, head=HEAD.replace(", I: 10 mA", ""))
    assert [each.on_test for each in chain(free) if isinstance(each, Ca)] == ["next", "next"]


def test_power_and_load_are_for_one_family_alone() -> None:
    steps = "- {power: -5 mW/cm2, for: 1 h}\n- {load: 1 kohm, for: 1 h}"
    drawn = [each for each in chain(lowered(steps, "VMP-3")) if isinstance(each, Draw)]
    assert [(each.control, each.level) for each in drawn] == [
        ("POWER", pytest.approx(-2.5e-3)),
        ("LOAD", 1000.0),
    ]
    assert "error no-technique" in findings(steps)
    assert "error no-technique" not in findings(steps, "VMP-3")


def test_limits_hold_for_both_ends_of_a_scan() -> None:
    assert "error potential" in findings("- {lsv: 3.5 V, from: 0 V, rate: 10 mV/s}")
    assert "error potential" in findings("- {lsv: 0 V, from: -3.5 V, rate: 10 mV/s}")
    assert "error potential" not in findings("- {lsv: 2.9 V, from: -2.9 V, rate: 10 mV/s}")


def test_a_current_limit_holds_for_the_end_of_a_ramp() -> None:
    assert "error current-limit" in findings("- {ramp: {cp: 11 mA}, from: 0 mA, rate: 1 mA/min}")


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("- {cv: 5 V, from: 0 V, rate: 1 mV/s}", "cv goes between two potentials"),
        ("- {cv: '1 V, 1 V', from: 0 V, rate: 1 mV/s}", "the two potentials are the same"),
        ("- {lsv: 1 V, from: 0 V, rate: 1 mV}", "expected a rate of potential"),
        ("- {ramp: 1 mA, from: 0 mA, rate: 1 mA/s}", "which way? Write `ramp: {strip: 1 mA}`, or plate"),
        ("- {ramp: {strip: 1 mA}, from: -1 mA, rate: 1 mA/s}", "directions already"),
        ("- {ramp: {strip: 1 mA}, from: 0 mA, rate: 1 mA/s, until: {I_above: 1 mA}}", "the current is set here"),
        ("- {power: 1 mW, for: 1 mAh}", "only the cell knows"),
        ("- {lsv: 1 V, from: 0 V, rate: 1 mV/s, record: {dI: 1 uA}}", "says nothing in lsv"),
        ("- {cv: '1 V, 0 V', from: 0 V, rate: 1 mV/s, until: {I_above: 1 mA, then: end loop}}", "turns the scan over"),
        ("- {lsv: 1 V, from: 1 V, rate: 1 mV/s}", "lasts no time"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant(step: str, said: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        compiled(step, head=HEAD)
    assert said in str(caught.value)
