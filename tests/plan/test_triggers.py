"""A pulse at the trigger output: once as its step begins, whatever the step goes round in."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from compiling import compiled, lowered

from nakctl.checks.check import check
from nakctl.decide.engine import Frame
from nakctl.decide.remainder import remainder
from nakctl.device.instrument import instrument
from nakctl.device.program import Loop, Program, Segment, Technique, size_of, trigger_s
from nakctl.errors import InputError
from nakctl.plan.estimate import estimate
from nakctl.plan.lower import lower
from nakctl.render.plan_text import plan_text

PULSE = "trigger_out: 1 ms"
STRIP = "strip: 1 mA/cm2, for: 1 h"


def shape(techniques: tuple[Technique, ...]) -> list[object]:
    """Names (! with a pulse, * a sentinel), and where loops lead."""
    return [
        (each.to, each.times)
        if isinstance(each, Loop)
        else type(each).__name__ + "!" * bool(each.trigger_s) + "*" * getattr(each, "sentinel", False)
        for each in techniques
    ]


def chains(program: Program) -> list[list[object]]:
    return [shape(node.techniques) for node in program.nodes if isinstance(node, Segment)]


SHAPES = [
    ("a hold", f"- {{{STRIP}, {PULSE}}}", [["Cp!"]]),
    ("a rest", f"- {{rest: 1 min, {PULSE}}}", [["Ocv!"]]),
    ("at each level", f"- {{staircase: '1, 2 mA/cm2', steps: [{{strip: $level, for: 1 h, {PULSE}}}]}}", [["Cp!", "Cp!"]]),
    ("in each pass of a loop", f"- {{repeat: 5, steps: [{{{STRIP}, {PULSE}}}, {{rest: 1 s}}]}}", [["Cp!", "Ocv", (0, 5)]]),
    ("not in every part of a long one", f"- {{rest: 30 h, {PULSE}}}", [["Ocv!", "Ocv", "Ocv"]]),
    ("nor in what goes round", f"- {{rest: 100 h, {PULSE}}}", [["Ocv!", "Ocv", (1, 9)]]),
    ("a spectrum, with what leads to it", f"- {{peis: p, {PULSE}}}", [["Ocv!", "Eis"]]),
    ("a sentinel that would say nothing new", f"- {{{STRIP}}}\n- {{geis: g, during: {{strip: 1 mA/cm2}}, {PULSE}}}", [["Cp", "Cp!*", "Eis"]]),
    ("once before spectra that go round", f"- {{strip: 1 mA/cm2, for: 10 min, spectra: g, {PULSE}}}",
     [["Cp!*", "Eis", "Cp*", "Eis", (2, 75), "Cp"], ["Cp"]]),
    ("once before spectra at times", f"- {{rest: 1 h, spectra: {{use: p, at: '1 min, 10 min'}}, {PULSE}}}",
     [["Ocv!", "Eis", "Ocv", "Eis", "Ocv"], ["Ocv"]]),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "expected"), [row[1:] for row in SHAPES], ids=[row[0] for row in SHAPES])
def test_where_it_is_sent(steps: str, expected: list[list[object]]) -> None:
    assert chains(lowered(steps)) == expected
    plain = lowered(steps.replace(f", {PULSE}", "").replace(f"{PULSE}, ", ""))
    for one, other in zip(lasting(lowered(steps)), lasting(plain), strict=True):
        assert one == pytest.approx(other)


def lasting(program: Program) -> list[float]:
    """How long each chain takes, sweeps and sentinels aside: a pulse takes no time from a step."""
    found = []
    for node in program.nodes:
        assert isinstance(node, Segment)
        seconds = [0.0 if isinstance(each, Loop) or getattr(each, "sentinel", False) else getattr(each, "duration_s", 1.0)
                   for each in node.techniques]  # fmt: skip
        for at, each in enumerate(node.techniques):
            if isinstance(each, Loop):
                seconds[at] = sum(seconds[each.to : at]) * ((each.times or 1) - 1)
        found.append(sum(seconds))
    return found


def test_it_counts_in_a_chain() -> None:
    """A channel holds entries, and a pulse is one."""
    steps = f"- {{staircase: {{from: 0.1 mA/cm2, to: 1 mA/cm2, points: 8}}, steps: [{{strip: $level, for: 1 h, {PULSE}}}]}}"
    device = replace(instrument("SP-300"), chain_length=10, feeds=False)
    program = lower(compiled(steps), device)
    assert [size_of(node.techniques) for node in program.nodes] == [10, 6]  # type: ignore[union-attr]
    assert chains(program) == [["Cp!"] * 5, ["Cp!"] * 3]
    feeding = replace(device, feeds=True)  # a ring has no place for pulses
    assert lower(compiled(steps), feeding).nodes == program.nodes


CUTS = [  # of [Cp! Ocv (0, 3)], then Ocv!: cut technique, pass, how long it had lasted; what is left
    (0, 0, 100.0, [["Cp", "Ocv", "Cp!", "Ocv", (2, 2), "Ocv!"]]),
    (0, 1, 0.0, [["Cp", "Ocv", "Cp!", "Ocv", "Ocv!"]]),
    (1, 2, 1.0, [["Ocv", "Ocv!"]]),
    (3, 0, 1.0, [["Ocv"]]),
]


@pytest.mark.parametrize(("technique", "passes", "lasted_s", "expected"), CUTS)
def test_what_is_left_of_a_step_sends_none(
    technique: int, passes: int, lasted_s: float, expected: list[list[object]]
) -> None:
    program = lowered(
        f"- {{repeat: 3, steps: [{{{STRIP}, {PULSE}}}, {{rest: 1 min}}]}}\n- {{rest: 1 h, {PULSE}}}"
    )
    left = remainder(program, (Frame(0),), technique, passes, lasted_s=lasted_s)
    assert [each for chain in chains(left) for each in chain] == [
        each for chain in expected for each in chain
    ]


@pytest.mark.parametrize("most", [2, 3, 4])
def test_however_little_the_channel_holds(most: int) -> None:
    """Of a program whose chain had more room: each chain holds one step at least, and all are done once."""
    program = lowered("\n".join(f"- {{rest: {minutes} min, {PULSE}}}" for minutes in range(1, 7)))
    left = remainder(replace(program, chain_length=most), (Frame(0),), 0, 0, lasted_s=10.0)
    assert [each for chain in chains(left) for each in chain] == ["Ocv", *5 * ["Ocv!"]]
    assert all(len(chain) <= max(1, most // 2) for chain in chains(left))


def test_what_leads_to_a_sweep_sends_none_again() -> None:
    program = lowered(f"- {{peis: p, {PULSE}}}\n- rest: 1 min")
    left = remainder(program, (Frame(0),), 1, 0, lasted_s=0.0)
    assert chains(left) == [["Ocv", "Eis", "Ocv"]]


FAULTS = [
    ("10 us", "- {rest: 1 min, trigger_out: 10 us}", "trigger_out of 10 us is shorter than its time base of 20 us"),
    ("2 min", "- {rest: 1 min, trigger_out: 2 min}", "trigger_out of 120 s is longer than what the step begins with: 60 s"),
    ("6 ms", "- {geis: g, during: {strip: 1 mA/cm2}, trigger_out: 6 ms}", "is longer than what the step begins with: 5 ms"),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "text"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_what_the_output_cannot_do(steps: str, text: str) -> None:
    device = instrument("SP-300")
    plan = compiled(steps)
    found = [each for each in check(plan, lower(plan, device), device) if each.rule == "trigger"]
    assert [each.severity for each in found] == ["error"]
    assert text in found[0].message


def test_a_board_without_one() -> None:
    device = instrument("SP-300")
    device = replace(
        device, timebase_s={name: base_s for name, base_s in device.timebase_s.items() if name != "TO"}
    )
    plan = compiled(f"- {{rest: 1 min, {PULSE}}}")
    found = [each.message for each in check(plan, lower(plan, device), device) if each.rule == "trigger"]
    assert found == ["1 rest: the SP-300 has no trigger output"]


def test_a_pulse_takes_a_place_in_the_chain_of_a_step() -> None:
    device = replace(instrument("SP-300"), chain_length=2)
    plan = compiled(f"- {{geis: g, during: {{strip: 1 mA/cm2}}, {PULSE}}}")
    found = [each.message for each in check(plan, lower(plan, device), device) if each.rule == "chain"]
    assert found == ["one step needs a chain of 3 techniques, 1 of them the trigger pulse"]


def test_a_pulse_lasts_some_time() -> None:
    with pytest.raises(InputError, match="0 s: a time must be greater than zero"):
        compiled("- {rest: 1 min, trigger_out: 0 s}")


def test_the_plan_says_so() -> None:
    device, plan = instrument("SP-300"), compiled(f"- {{rest: 1 min, {PULSE}}}")
    program = lower(plan, device)
    now = datetime(2026, 11, 23, 9).astimezone()
    text = plan_text(plan, program, estimate(plan, program, device, None), (), device, now, True)
    assert "trigger output high for 1 ms as it begins, by the instrument; no row tells of it" in text


def test_it_is_the_same_current() -> None:
    """A pulse is a matter of a wire, and of nothing else."""
    plain, pulsed = lowered(f"- {{{STRIP}}}"), lowered(f"- {{{STRIP}, {PULSE}}}")
    [one], [other] = plain.nodes[0].techniques, pulsed.nodes[0].techniques  # type: ignore[union-attr]
    assert trigger_s(other) == 1e-3
    assert replace(other, trigger_s=0.0) == one
