"""Set-points that ramp, in the plan: how long they take, how long they have, and what cannot be."""

from __future__ import annotations

import math
from datetime import datetime

import pytest
from compiling import HEAD, compiled

from nakctl.checks.check import check
from nakctl.device import program_json
from nakctl.device.instrument import instrument
from nakctl.errors import ProtocolError
from nakctl.plan.estimate import Estimate, estimate
from nakctl.plan.lower import lower
from nakctl.plan.plan import Plan
from nakctl.plan.ramps import PlannedRamp, ramps
from nakctl.render.plan_text import plan_text
from nakctl.render.program_text import program_text

SP300 = instrument("SP-300")
UP = "- set: {chamber: {to: 80 degC, rate: 1 K/min, from: 25 degC}}\n"
DOWN = "- set: {chamber: {to: 20 degC, rate: 2 K/min}}\n"
LIMITED = HEAD.replace("time: 100 h", "time: 100 h, sensors: {chamber: [0 degC, 90 degC]}")


def known(plan: Plan) -> Estimate:
    return estimate(plan, lower(plan, SP300), SP300, None)


def planned(steps: str) -> list[PlannedRamp]:
    plan = compiled(steps)
    return list(ramps(plan.steps, known(plan)))


def found(steps: str, head: str = LIMITED) -> list[tuple[str, str]]:
    plan = compiled(steps, head=head)
    ramp = ("set-limit", "ramp-time")
    return [
        (each.rule, each.severity) for each in check(plan, lower(plan, SP300), SP300) if each.rule in ramp
    ]


@pytest.mark.parametrize(
    ("steps", "takes_min", "left_min"),
    [
        (UP + "- rest: 1 h\n", [55], [60]),
        ("- set: {chamber: {to: 80 degC, rate: 1 K/min}}\n- rest: 1 h\n", [None], [60]),
        (UP + "- rest: 1 h\n" + DOWN + "- rest: 10 min\n", [55, 30], [60, 10]),
        ("- set: {chamber: 50 degC}\n- rest: 1 min\n" + DOWN + "- rest: 1 h\n", [15], [60]),
        ("- repeat: 3\n  steps:\n    - rest: 1 min\n    - set: {chamber: {to: 80 degC, rate: 1 K/min}}\n    - rest: 9 min\n    - set: {chamber: 25 degC}\n", [None, 55], [9, 9]),
        ("- repeat: forever\n  steps: [{rest: 1 min}]\n" + UP, [55], [math.nan]),
        (UP + "- rest: forever\n  until: {Ewe_above: 1 V}\n", [55], [math.inf]),
        ("- staircase: 60, 80 degC\n  steps:\n    - set: {chamber: {to: $level, rate: 1 K/min, from: 50 degC}}\n    - rest: 1 h\n", [10, 30], [60, 60]),
    ],
)  # fmt: skip
def test_how_long_each_takes_and_has(
    steps: str, takes_min: list[float | None], left_min: list[float]
) -> None:
    each = planned(steps)
    takes = [one.duration_s and one.duration_s / 60 for one in each]
    assert takes == pytest.approx(takes_min)
    assert [one.left_s / 60 for one in each] == pytest.approx(left_min, abs=0.05, nan_ok=True)


@pytest.mark.parametrize(
    ("steps", "rules"),
    [
        (UP + "- rest: 1 h\n", []),
        (UP + "- rest: 50 min\n", [("ramp-time", "warning")]),
        (UP + "- rest: 50 min\n- set: {chamber: 25 degC}\n- rest: 1 h\n", [("ramp-time", "warning")]),
        (UP.replace("K/min", "K/d") + "- rest: 1 h\n", [("ramp-time", "error")]),
        (UP.replace("to: 80", "to: 95") + "- rest: 2 h\n", [("set-limit", "error")]),
        (UP.replace("from: 25", "from: -5") + "- rest: 2 h\n", [("set-limit", "error")]),
        (UP.replace("to: 80", "to: 90") + "- rest: 2 h\n", []),
        ("- set: {chamber: 95 degC}\n- rest: 2 h\n", [("set-limit", "error")]),
        ("- set: {chamber: 90 degC}\n- rest: 2 h\n", []),
        (UP.replace("chamber", "oven").replace("to: 80", "to: 95") + "- rest: 2 h\n", []),
    ],
)
def test_what_cannot_be(steps: str, rules: list[tuple[str, str]]) -> None:
    assert found(steps) == rules


@pytest.mark.parametrize(
    ("ramp", "says"),
    [
        ("{to: 80 degC, rate: 1 mV/s}", "1 mV/s is a rate of potential, and 80 degC a temperature"),
        ("{to: 10 MPa, rate: 1 K/min}", "such as 1 MPa/min"),
        ("{to: 80 degC, rate: 1 K/min, from: 2 bar}", "2 bar is a pressure, and 80 degC a temperature"),
    ],
)
def test_words_that_do_not_belong_together(ramp: str, says: str) -> None:
    with pytest.raises(ProtocolError, match=says.replace("(", r"\(")):
        compiled(f"- set: {{chamber: {ramp}}}\n- rest: 1 h\n")


@pytest.mark.parametrize(
    ("ramp", "rate"),
    [
        ("{to: 10 MPa, rate: 6 MPa/min}", 1e5),
        ("{to: 50 %, rate: 36 %/h}", 1e-4),
        ("{to: 1 mm, rate: 6 mm/min}", 0.01),
    ],
)
def test_any_sensor_may_ramp(ramp: str, rate: float) -> None:
    [ramp_] = planned(f"- set: {{any: {ramp}}}\n- rest: 1 h\n")
    assert ramp_.point.slope is not None
    assert ramp_.point.slope.rate == pytest.approx(rate)


def test_it_is_told_in_the_plan_and_kept_with_the_program() -> None:
    plan = compiled(UP + "- rest: 1 h\n")
    program = lower(plan, SP300)
    text = plan_text(plan, program, known(plan), [], SP300, datetime(2026, 1, 1), simulated=True)
    assert "chamber to 80 degC at 1 K/min\n" in text
    assert "from 25 degC, takes 55 min; the next step begins at once" in text
    assert "host sets chamber to 353.15 at 0.0166666667 per s from 298.15 (SI)" in program_text(program)
    assert program_json.load(program_json.dump(program)) == program
    unknown = compiled(UP.replace(", from: 25 degC", "") + "- rest: 1 h\n")
    text = plan_text(unknown, program, known(unknown), [], SP300, datetime(2026, 1, 1), simulated=True)
    assert "from where it is then; the next step begins at once" in text
