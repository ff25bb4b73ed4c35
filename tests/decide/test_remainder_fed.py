"""What is left of a chain that is longer than the instrument holds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from compiling import compiled

from nakctl.decide.engine import Frame
from nakctl.decide.remainder import remainder
from nakctl.device.feeding import ring_of
from nakctl.device.instrument import instrument
from nakctl.device.program import Eis, Program, Technique, is_sentinel, segments
from nakctl.plan.lower import lower

SP300 = instrument("SP-300")
STEPS = "- staircase: {from: 0.01 mA, to: 0.8 mA, step: 0.01 mA}\n  steps: "
SHAPES = [
    "[{strip: $level, for: 5 s}, {geis: g, during: {strip: $level}}]",
    "[{strip: $level, for: 5 s, until: {Ewe_above: 1 V}}, {geis: g, during: {strip: $level}}]",
    "[{strip: $level, for: 5 s}]",
]


def lasting(techniques: list[Technique]) -> list[tuple[int, float]]:
    """Steps and levels of what lasts, in order: without the moments in which limits are tested."""
    return [
        (each.step, each.bias if isinstance(each, Eis) else each.level)  # type: ignore[union-attr]
        for each in techniques
        if not is_sentinel(each) and not (not isinstance(each, Eis) and each.duration_s < 0.1)  # type: ignore[union-attr]
    ]


def left(program: Program, at: int, lasted_s: float | None, most: int | None = None) -> Program:
    return remainder(program, (Frame(0),), at, 0, lasted_s=lasted_s, chain_length=most)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("feeds", [True, False])
@pytest.mark.parametrize("at", [0, 1, 2, 3, 7, 8, 60, 61, 77])
def test_all_that_was_to_come_comes_once(shape: str, feeds: bool, at: int) -> None:
    """In chains that the instrument holds, or is given; also where it turned out that it is not."""
    program = lower(compiled(STEPS + shape), SP300)
    [chain] = segments(program.nodes)
    for lasted_s in (None, 2.0):
        rest = left(replace(program, feeds=feeds), at, lasted_s)
        chains = [segment.techniques for segment in segments(rest.nodes)]
        for each in chains:
            assert len(each) <= SP300.chain_length or (feeds and ring_of(each, SP300) is not None)
        expected = lasting([*chain.techniques[at + (lasted_s is None) :]])
        found = lasting([technique for each in chains for technique in each])
        assert found == expected or found == lasting([*chain.techniques[at + 1 :]])
        assert len(chains) == 1 or not feeds
