"""Every shipped protocol on both instruments: what a reader is told, and what is loaded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from shortened import cell_of

from nakctl.checks.check import check
from nakctl.device.instrument import Instrument, instrument
from nakctl.plan import plan as p
from nakctl.plan.compile import compile_protocol
from nakctl.plan.estimate import estimate
from nakctl.plan.lower import lower
from nakctl.protocol import library
from nakctl.protocol.load import load
from nakctl.render.plan_text import findings_text, plan_text
from nakctl.render.program_text import program_text

Golden = Callable[[str, str], None]
NOW = datetime(2026, 1, 5, 9, 0)
SP300, VMP3 = instrument("SP-300"), instrument("VMP-3")


def compiled(name: str, **params: str) -> p.Plan:
    return compile_protocol(load(name, params), cell_of(name))


def for_vmp3(name: str) -> p.Plan:
    """With the highest frequency a VMP-3 has, where the protocol asks for more."""
    plan = compiled(name)
    return compiled(name, f_max="1 MHz") if "f_max" in plan.params else plan


@pytest.mark.parametrize("name", library.names())
@pytest.mark.parametrize(("short", "on", "made_for"), [("sp300", SP300, compiled), ("vmp3", VMP3, for_vmp3)])
def test_plan_and_program(
    name: str, short: str, on: Instrument, made_for: Callable[[str], p.Plan], golden: Golden
) -> None:
    plan = made_for(name)
    program = lower(plan, on)
    takes, findings = estimate(plan, program, on), check(plan, program, on)
    assert not [found for found in findings if found.severity == "error"]
    golden(f"{name}.{short}.plan.txt", plan_text(plan, program, takes, findings, on, NOW, simulated=True))
    golden(f"{name}.{short}.program.txt", program_text(program))


@pytest.mark.parametrize("name", library.names())
def test_findings_on_a_vmp3_as_shipped(name: str, golden: Golden) -> None:
    plan = compiled(name)
    findings = check(plan, lower(plan, VMP3), VMP3)
    too_high = [found for found in findings if found.rule == "frequency-above"]
    assert bool(too_high) == ("f_max" in plan.params)
    golden(f"{name}.vmp3.findings.txt", findings_text(plan, findings))


def test_no_golden_text_is_left_over() -> None:
    kinds = ("sp300.plan", "sp300.program", "vmp3.plan", "vmp3.program", "vmp3.findings")
    expected = {f"{name}.{kind}.txt" for name in library.names() for kind in kinds}
    assert {path.name for path in Path(__file__).parent.glob("*.txt")} == expected
