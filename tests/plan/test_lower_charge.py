"""Plan -> program: no charge is lost on the way."""

from __future__ import annotations

import pytest
from compiling import compiled, lowered, lowered_sweep, segments
from hypothesis import given
from hypothesis import strategies as st

from nakctl.device.instrument import instrument
from nakctl.device.program import (
    Cp,
    Eis,
    HostLoop,
    Loop,
    Node,
    Segment,
    Technique,
)
from nakctl.plan.estimate import estimate
from nakctl.plan.plan import Hold, Plan, Repeat, Staircase


def plan_charge_C(steps, times: int = 1) -> float:
    total = 0.0
    for step in steps:
        match step:
            case Repeat():
                total += plan_charge_C(step.steps, times * (step.times or 1))
            case Staircase():
                total += sum(plan_charge_C(one, times) for one in step.passes)
            case Hold():
                total += times * (step.level or 0.0) * step.duration_s
    return total


def chain_charge_C(nodes: tuple[Node, ...], plan: Plan) -> float:
    total = 0.0
    for node in nodes:
        if isinstance(node, HostLoop):
            total += (node.times or 1) * chain_charge_C(node.body, plan)
            continue
        if not isinstance(node, Segment) or node.tops_up:
            continue
        for k, technique in enumerate(node.techniques):
            if isinstance(technique, Loop) or _comes_on_top(node, k):
                continue
            times = 1
            for loop_at, loop in enumerate(node.techniques):
                if isinstance(loop, Loop) and loop.to <= k < loop_at:
                    times *= loop.times or 1
            total += times * charge_of_C(technique)
    return total


def _comes_on_top(segment: Segment, place: int) -> bool:
    """The few milliseconds of a sentinel behind a hold; before a sweep they are part of the step."""
    technique, after = (*segment.techniques, None)[place : place + 2]
    return isinstance(technique, Cp) and technique.sentinel and not isinstance(after, Eis)


def charge_of_C(technique: Technique) -> float:
    match technique:
        case Cp():
            return technique.I_A * technique.duration_s
        case Eis(control="GEIS"):
            frequencies = lowered_sweep("- geis: g").frequencies_Hz
            return technique.bias * sum(instrument("SP-300").eis_seconds(f, 1, 0.1) for f in frequencies)
        case _:
            return 0.0


HOLD = st.sampled_from(
    [
        "{strip: 1 mA/cm2, for: 1 h}",
        "{plate: 0.3 mA/cm2, for: 40 h}",
        "{strip: 1 mA/cm2, for: 0.2 mAh/cm2, spectra: g}",
        "{plate: 1 mA/cm2, for: 1 h, spectra: {use: g, every: 2 min}}",
        "{rest: 13 h}",
        "{strip: 1 mA/cm2, for: 1 h, until: {Ewe_above: 1 V}}",
        "{rest: 1 h, until: {Ewe_below: 0 V}}",
        "{pulse: {strip: 1 mA/cm2}, on: 1 s, off: 5 s, repeat: 700}",
        "{staircase: '1, 2, 3 mA', steps: [{strip: $level, for: 5 s}, {plate: $level, for: 4 s}]}",
    ]
)
STEPS = st.recursive(
    HOLD,
    lambda inner: st.builds(
        lambda times, steps: f"{{repeat: {times}, steps: [{', '.join(steps)}]}}",
        st.integers(1, 50),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)


@given(st.lists(STEPS, min_size=1, max_size=3))
def test_lowering_keeps_the_charge(steps: list[str]) -> None:
    text = "\n".join(f"- {step}" for step in steps)
    plan, program = compiled(text), lowered(text)
    assert chain_charge_C(program.nodes, plan) == pytest.approx(
        plan_charge_C(plan.steps), rel=1e-9, abs=1e-12
    )


@pytest.mark.parametrize(
    ("words", "asked_s", "lasts_s"),
    [
        ("for: 1 h, until: [{charge: 1 C}, {charge: 1 C, then: end run}]", 2000.0, 2100.0),
        ("for: 1 h, until: [{charge: 1 C, then: end loop}, {charge: 1 C}]", 2000.0, 2100.0),
        ("for: 2000 s, until: {charge: 1 C, then: end run}", 2000.0, 2100.0),
        ("for: 1 C, until: {charge: 1 C, then: end loop}", 2000.0, 2100.0),
        ("for: 1 C, until: {charge: 0.99 C, then: end run}", 2000.0, 2079.0),  # due before, read just after
        ("for: 1 C, until: [{charge: 1 C, then: end run}, {Ewe_above: 1 V}]", 2000.0, 2100.0),
        ("for: 1 h, until: {charge: 1 C, then: end run}", 3600.0, 3600.0),
        ("for: 1 h, until: [{charge: 1 C}, {charge: 1.1 C, then: end run}]", 2000.0, 2000.0),
        ("for: 1 h, until: [{charge: 1 C}, {charge: 1.1 C}]", 2000.0, 2000.0),
    ],
)
def test_of_a_charge_and_a_time_at_once_the_graver_one_acts(
    words: str, asked_s: float, lasts_s: float
) -> None:
    """The chain was over, and had gone on, before the host could read the charge that ends the run."""
    text = f"- {{repeat: 2, steps: [{{strip: 0.5 mA, {words}}}, {{plate: 0.9 mA, for: 1 h}}]}}"
    plan, program = compiled(text), lowered(text)
    (repeat,) = plan.steps
    assert isinstance(repeat, Repeat) and isinstance(repeat.steps[0], Hold)
    assert repeat.steps[0].duration_s == pytest.approx(asked_s)
    chain = next(each for each in segments(program) if each.techniques[0].step == 1)  # type: ignore[union-attr]
    first = chain.techniques[0]
    assert isinstance(first, Cp) and first.duration_s == pytest.approx(lasts_s)
    if lasts_s != asked_s:
        assert len(chain.techniques) == 1  # nothing begins before the host has seen it
    [told, _] = estimate(plan, program, instrument("SP-300")).steps
    assert told.once.duration_s == pytest.approx(asked_s)  # what was asked for is what is told


def test_a_step_with_spectra_lasts_until_its_graver_charge_is_read() -> None:
    text = "- {strip: 0.5 mA, for: 1 C, until: {charge: 1 C, then: end run}, spectra: g}\n- rest: 1 s"
    program = lowered(text)
    [asked] = program.ends_of(1, "asked")
    assert asked.value == pytest.approx(2100.0)
    assert chain_charge_C(program.nodes, compiled(text)) == pytest.approx(1.0)  # with nobody watching
