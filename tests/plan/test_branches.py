"""What depends on how a step ended: the plan tells both ways, and counts the longer one."""

from __future__ import annotations

import pytest
from compiling import compiled

from nakctl.checks.check import check
from nakctl.device.instrument import instrument
from nakctl.device.program import Branch, HostLoop
from nakctl.errors import ProtocolError
from nakctl.plan.estimate import estimate
from nakctl.plan.gaps import gaps
from nakctl.plan.lower import lower

SP300 = instrument("SP-300")
CUT = "{strip: 1 mA, for: 10 s, label: first, until: {Ewe_above: 1 V}}"


def lowered(steps: str):
    plan = compiled(steps)
    return plan, lower(plan, SP300)


@pytest.mark.parametrize(("then", "otherwise"), [("5 s", "20 s"), ("20 s", "5 s")])
def test_the_longer_way_is_counted(then: str, otherwise: str) -> None:
    sides = f"then: [{{rest: {then}}}], else: [{{rest: {otherwise}}}]"
    plan, program = lowered(f"- {CUT}\n- {{if: {{step: first, ended_by: cutoff}}, {sides}}}")
    takes = estimate(plan, program, SP300)
    assert takes.finite.duration_s == pytest.approx(30.0, abs=0.1)
    assert [round(takes.step(k).once.duration_s) for k in (2, 3)] == [
        int(then.split()[0]), int(otherwise.split()[0]),
    ]  # fmt: skip
    assert isinstance(program.nodes[1], Branch)


def test_gaps_lie_on_both_ways_and_a_person_asks_for_one() -> None:
    sides = "then: [{strip: 1 mA, for: 5 s}]"
    program = lowered(f"- {CUT}\n- {{if: {{step: first, ended_by: cutoff}}, {sides}}}\n- {CUT}")[1]
    found = {(gap.before, gap.after): gap.under_current for gap in gaps(program)}
    assert found == {(1, 2): True, (1, 3): True, (2, 3): True}
    program = lowered("- {strip: 1 mA, for: 5 s}\n- {ask: look at it}\n- {strip: 1 mA, for: 5 s}")[1]
    assert [gap.under_current for gap in gaps(program)] == [False]
    loop = "- repeat: 3\n  steps: [{ask: look at it}, {strip: 1 mA, for: 5 s}]"
    assert [(gap.times, gap.under_current) for gap in gaps(lowered(loop)[1])] == [(2, False)]


def test_a_repeat_may_go_on_until_a_step_ended() -> None:
    program = lowered(f"- repeat: forever\n  until: {{step: first, ended_by: cutoff}}\n  steps: [{CUT}]")[1]
    [loop] = program.nodes
    assert isinstance(loop, HostLoop) and loop.until is not None and loop.until.steps == (1,)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("- {if: {step: frist, ended_by: cutoff}, then: [{rest: 1 s}]}", "did you mean first?"),
        (
            "- {repeat: 2, until: {step: first, ended_by: cutoff}, steps: [{rest: 1 s}]}",
            "no step of this repeat",
        ),
        (
            "- {repeat: 2, steps: [{if: {step: first, ended_by: cutoff}, then: [{rest: 1 s}]}]}",
            "takes time in any",
        ),
    ],
)
def test_labels_are_looked_for(steps: str, message: str) -> None:
    with pytest.raises(ProtocolError, match=message.replace("?", r"\?")):
        compiled(f"- {CUT}\n{steps}")


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (f"- {CUT}\n- {{if: {{step: first, ended_by: cutoff}}, then: [{{rest: 1 s}}]}}", 0),
        (f"- {CUT}\n- {{if: {{step: first, ended_by: settled}}, then: [{{rest: 1 s}}]}}", 1),
        (f"- {CUT}\n- {{if: {{step: first, ended_by: short}}, then: [{{rest: 1 s}}]}}", 1),
        (f"- {{if: {{step: first, ended_by: cutoff}}, then: [{{rest: 1 s}}]}}\n- {CUT}", 1),
        (
            f"- repeat: 2\n  steps: [{{if: {{step: first, ended_by: cutoff}}, then: [{{rest: 1 s}}]}}, {CUT}]",
            0,
        ),
    ],
)
def test_what_never_comes_true_is_told(steps: str, expected: int) -> None:
    plan, program = lowered(steps)
    found = [finding for finding in check(plan, program, SP300) if finding.rule == "condition"]
    assert len(found) == expected
