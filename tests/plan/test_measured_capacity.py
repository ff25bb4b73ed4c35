"""A capacity that a step of the run measures: what goes with it, what is refused, and who says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from compiling import CELL, compiled

from nakctl.checks.check import check
from nakctl.device.instrument import instrument
from nakctl.device.known import with_capacity
from nakctl.device.program import (
    Ca,
    Capacity,
    Cp,
    Eis,
    Program,
    Segment,
    Technique,
    segments,
)
from nakctl.device.program_json import dump, load
from nakctl.errors import ProtocolError
from nakctl.plan import plan as p
from nakctl.plan.estimate import estimate
from nakctl.plan.lower import lower
from nakctl.render.plan_json import plan_json
from nakctl.render.plan_text import plan_text
from nakctl.render.program_text import program_text

SP300 = instrument("SP-300")
HEAD = """\
nakctl: 1
name: test
limits: {Ewe: [-3 V, 3 V], I: 10 mA, time: 100 h}
capacity: {measured_in: out, about: 2 mAh, within: 30 %}
spectra:
  g: {kind: geis, amplitude: 5 uA, from: 100 kHz, to: 10 Hz, per_decade: 5}
steps:
"""
KNOWN = HEAD.replace("{measured_in: out, about: 2 mAh, within: 30 %}", "2 mAh")
OUT = "{strip: C/2, until: {Ewe_above: 1 V}, label: out}"
ALL = f"""
- {OUT}
- {{plate: C/4, until: {{Ewe_below: -1 V}}}}
- {{ca: 1 V, until: {{I_below: C/20}}}}
- {{strip: 1 mA, for: 50 % of capacity}}
- {{plate: 1C, for: 1 mAh}}
- {{strip: 1C, for: 20 % of capacity, until: {{Ewe_above: 2 V, then: end run}}}}
- {{geis: g, during: {{plate: C/10}}}}
- {{strip: 1 mA, for: 1 h}}
- {{plate: 20 uA, until: {{Ewe_below: -1 V}}}}
- {{strip: C/5, for: same charge as out}}
- repeat: 3
  steps: [{{strip: C/2, for: 10 min}}, {{plate: 1 mA, for: 10 min}}]
"""


def lowered(steps: str, head: str = HEAD) -> Program:
    return lower(compiled(steps, head=head), SP300)


def techniques(program: Program) -> list[Technique]:
    return [each for segment in segments(program.nodes) for each in segment.techniques]


def errors(steps: str) -> list[str]:
    plan = compiled(steps, head=HEAD)
    found = check(plan, lower(plan, SP300), SP300)
    return [each.message for each in found if each.severity == "error"]


def bare(technique: Technique) -> Technique:
    """Without what is said of the capacity, and with one hardware and one distance of rows."""
    if isinstance(technique, Cp | Ca):
        tests = tuple(
            replace(test, of_capacity=0.0, value=float(f"{test.value:.7g}")) for test in technique.tests
        )
        technique = replace(technique, tests=tests, every_s=0.0)
    if isinstance(technique, Cp):
        duration_s, I_A = (float(f"{each:.7g}") for each in (technique.duration_s, technique.I_A))
        technique = replace(technique, duration_s=duration_s, I_A=I_A, of_capacity=False, time_power=0)
    if isinstance(technique, Eis):
        technique = replace(technique, bias=float(f"{technique.bias:.7g}"), of_capacity=False)
    return replace(technique, hardware=None) if hasattr(technique, "hardware") else technique  # type: ignore[call-arg, arg-type]


@pytest.mark.parametrize("found", ["1.4 mAh", "1.7 mAh", "2 mAh", "2.6 mAh"])
def test_what_goes_with_it_is_what_another_plan_would_have(found: str) -> None:
    """All of a program, by the compiler that is given what the step was to find."""
    assert errors(ALL) == []
    made = with_capacity(lowered(ALL), float(found.split()[0]) * 3.6)
    known = lowered(ALL, KNOWN.replace("2 mAh", found))
    assert [bare(each) for each in techniques(made)] == [bare(each) for each in techniques(known)]
    values = [[(end.kind, end.quantity, end.side, end.step) for end in of.ends] for of in (made, known)]
    assert values[0] == values[1]
    assert [end.value for end in made.ends] == pytest.approx([end.value for end in known.ends])
    charges = [[each.charge.planned_C for each in segments(of.nodes) if each.charge] for of in (made, known)]
    assert charges[0] == pytest.approx(charges[1])


def test_it_is_scaled_from_where_it_is() -> None:
    program = lowered(ALL)
    once, twice = (with_capacity(each, 5.4) for each in (program, with_capacity(program, 9.0)))
    assert [bare(each) for each in techniques(once)] == [bare(each) for each in techniques(twice)]
    assert [end.value for end in once.ends] == pytest.approx([end.value for end in twice.ends])


def test_a_step_without_a_time_may_be_left_alone_for_as_long_whatever_is_measured() -> None:
    steps = f"- {OUT}\n- {{plate: 60 uA, until: {{Ewe_below: -1 V}}}}\n- {{rest: 1 s}}"
    assert errors(steps) == []
    [plate] = [each for each in techniques(lowered(steps)) if isinstance(each, Cp) and each.I_A == -60e-6][:1]
    assert plate.time_power == 0


def test_ranges_have_room_for_the_most_that_it_may_be() -> None:
    """1C of 2 mAh is 2 mA, of 2.6 mAh 2.6 mA; the smallest range with room for 0.8 mA is not that for 1.04 mA."""
    for rate, wanted in (("C/2.5", "10 mA"), ("C/4", "1 mA")):
        [plate] = [
            each for each in techniques(lowered(f"- {OUT}\n- {{plate: {rate}, for: 1 h}}")) if each.step == 2
        ][:1]  # type: ignore[union-attr]
        assert plate.hardware.I_range == wanted  # type: ignore[union-attr]


def test_the_host_stands_behind_the_step_that_measures() -> None:
    program = lowered(f"- repeat: 2\n  steps: [{OUT}, {{plate: C/2, for: 1 h}}]")
    [loop] = program.nodes
    assert [type(node) for node in loop.body] == [Segment, Capacity, Segment]  # type: ignore[union-attr]
    assert program.capacity_C == 7.2
    assert load(dump(program)) == program


MISFITS = [
    ("- {ramp: {strip: 1C}, from: 0 mA, rate: 1 mA/min}", "2 ramp strip 1C: its ramp"),
    (
        "- {strip: 1 mA, for: 50 % of capacity, spectra: {use: g, every: 10 min}}",
        "which techniques its chain has",
    ),
    ("- {ca: 1 V, for: 1 h, record: {dI: C/100}}", "its record (dI)"),
    (
        "- repeat: 10\n  until: {charge: 8 mAh}\n  steps: [{strip: 1C, for: 30 min}]",
        "2.1 strip 1C: how often a loop is done",
    ),
    ("- {strip: 1 mA, for: 50 % of capacity, until: {charge: 1.1 mAh}}", "how long it lasts"),
    (
        "- {ca: 1 V, for: 1 h, until: [{I_below: C/20}, {I_below: 110 uA}]}",
        "which of its ends the instrument tests",
    ),
]


@pytest.mark.parametrize(("step", "what"), MISFITS, ids=[step[:40] for step, _ in MISFITS])
def test_what_does_not_simply_go_with_it_is_refused(step: str, what: str) -> None:
    found = [each for each in errors(f"- {OUT}\n{step}") if "does not simply go with the capacity" in each]
    assert found, errors(f"- {OUT}\n{step}")
    assert f"{what} does not simply go" in found[0]


def test_a_limit_that_goes_with_it_is_refused() -> None:
    head = HEAD.replace("I: 10 mA", "I: 2C")
    plan = compiled(f"- {OUT}", head=head)
    assert any(
        "|I| above does not simply go" in each.message for each in check(plan, lower(plan, SP300), SP300)
    )


def test_what_is_wrong_at_the_most_that_it_may_be_is_told_before() -> None:
    found = errors(f"- {OUT}\n- {{plate: 4C, for: 1 min}}")
    assert len(found) == 1 and found[0].startswith("at the most that the measured capacity may come to: ")


FAULTS = [
    (
        f"- {OUT.replace('label: out', 'label: uot')}",
        "there is no step with the label out; did you mean uot?",
    ),
    ("- {rest: 1 h, label: out}", "out measures no capacity"),
    (
        f"- repeat: 2\n  steps: [{OUT.replace('1 V}', '1 V, then: end loop}')}]",
        "out may end its loop, and nothing asks then what it moved",
    ),
]


@pytest.mark.parametrize(("steps", "message"), FAULTS, ids=[message for _, message in FAULTS])
def test_a_step_that_cannot_measure_it_is_told(steps: str, message: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        compiled(steps, head=HEAD)
    assert [message in fault.message for fault in caught.value.faults] == [True]
    assert caught.value.faults[0].mark.line == 4


def test_it_is_off_by_less_than_all_of_it() -> None:
    with pytest.raises(ProtocolError, match="less than 100 %"):
        compiled(f"- {OUT}", head=HEAD.replace("30 %", "120 %"))


def test_the_plan_tells_it() -> None:
    steps = f"- {OUT}\n- {{ca: 1 V, until: {{I_below: C/20}}}}\n- {{plate: 1 mA, for: 1 h}}"
    plan = compiled(steps, CELL, head=HEAD)
    program = lower(plan, SP300)
    takes = estimate(plan, program, SP300)
    text = " ".join(plan_text(plan, program, takes, (), SP300, datetime(2026, 1, 5), True).split())
    assert "|I| below C/20 (100 uA at 2 mAh, measured in out)" in text
    assert text.count("at 2 mAh, until out has measured the capacity") == 2
    assert (
        "capacity 2 mAh; then what out moved when it was done last: more than 30 % off ends the run" in text
    )
    told = plan_json(plan, program, takes, (), SP300, datetime(2026, 1, 5), True)["capacity"]
    assert told == {"measured_in": "out", "about_C": pytest.approx(7.2), "within": 0.3, "steps": [1, 2]}
    assert "host takes the charge of step 1 as capacity (7.2 C, within 0.3): out" in program_text(program)


def test_a_plan_knows_both_ends() -> None:
    plan = compiled(f"- {OUT}", head=HEAD)
    assert plan.capacity is not None
    assert [word for _, word in plan.capacity.ends] == ["most", "least"]
    currents = [next(iter(p.leaves(each.steps))).level for each, _ in plan.capacity.ends]  # type: ignore[union-attr]
    assert currents == pytest.approx([1.3e-3, 0.7e-3])
