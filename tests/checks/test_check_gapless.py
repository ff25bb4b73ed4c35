"""Who insists on no open circuit under current gets none, or is told where and why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from compiling import compiled, lowered

from nakctl.checks.check import check
from nakctl.checks.findings import Finding
from nakctl.device.instrument import Instrument, instrument
from nakctl.plan.lower import lower

SP300 = instrument("SP-300")
LEVELS = "staircase: {from: 0.01 mA, to: 0.6 mA, step: 0.01 mA}"
OF_LEVEL = "steps: [{strip: $level, for: 5 s}, {geis: g, during: {strip: $level}}]"
HEAD = """\
nakctl: 1
name: test
limits: {Ewe: [-3 V, 3 V], I: 10 mA, time: 100 h}
spectra:
  g: {kind: geis, amplitude: 5 uA, from: 100 kHz, to: 10 Hz, per_decade: 5}
steps:
"""


def found(steps: str, on: Instrument = SP300, head: str = HEAD) -> list[Finding]:
    of = compiled(steps, head=head)
    return [each for each in check(of, lower(of, on), on) if each.rule in ("gapless", "interruption")]


def test_a_staircase_is_gapless_where_it_is_given_while_it_runs() -> None:
    assert found(f"- {{{LEVELS}, gapless: true, {OF_LEVEL}}}") == []


@pytest.mark.parametrize("at_the_top", [False, True])
def test_a_staircase_that_cannot_be_is_refused(at_the_top: bool) -> None:
    """Once, with place, length and reason; and not warned of besides."""
    alone = replace(SP300, feeds=False)
    head = HEAD.replace("steps:", "gapless: true\nsteps:") if at_the_top else HEAD
    word = "" if at_the_top else "gapless: true, "
    [error] = found(f"- {{{LEVELS}, {word}{OF_LEVEL}}}", alone, head)
    assert (error.severity, error.rule) == ("error", "gapless")
    label = "the protocol" if at_the_top else "1 staircase level"
    assert error.message.startswith(
        f"{label} is to be gapless, and between 1.2 geis strip 0.6 mA/cm2 and 1.1 strip"
    )
    assert error.message.endswith(
        "the cell is open for about 500 ms: the SP-300 holds 60 techniques, and it is given nothing on the way"
    )
    [warning] = found(f"- {{{LEVELS}, {OF_LEVEL}}}", alone)
    assert (warning.severity, warning.rule) == ("warning", "interruption")


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ("[{strip: 1 mA, for: 1 h, spectra: g}, {strip: 0.5 mA, for: 1 h}]", "has spectra, whose time nobody knows"),
        ("[{ca: 10 mV, for: 1 h, until: {charge: 0.1 mAh}}, {ca: 20 mV, for: 1 h}]", "the host ends 1.1 ca"),
    ],
)  # fmt: skip
def test_what_the_host_ends_is_no_way_to_go_on(steps: str, why: str) -> None:
    errors = found(f"- {{repeat: 2, gapless: true, steps: {steps}}}")
    assert errors and all(each.rule == "gapless" for each in errors)
    assert why in errors[0].message


def test_a_rest_is_no_interruption() -> None:
    steps = "[{strip: 1 mA, for: 1 h, until: {charge: 0.1 mAh}}, {rest: 1 h, until: {Ewe_below: 1 V}}]"
    assert found(f"- {{repeat: 2, gapless: true, steps: {steps}}}") == []


def test_outside_of_it_a_gap_is_warned_of() -> None:
    steps = f"- {{{LEVELS}, gapless: true, {OF_LEVEL}}}\n- {{strip: 0.1 mA, for: 1 h}}"
    assert [(each.severity, each.rule) for each in found(steps)] == [("warning", "interruption")]
    assert lowered(steps).feeds
