"""Plan -> program: the short hold behind a step that goes on from its cutoff."""

from __future__ import annotations

import pytest
from compiling import CP, HEAD, lowered, segments

from nakctl.device.instrument import instrument
from nakctl.device.program import (
    Ca,
    Cp,
    Program,
)

STEP_V = instrument("SP-300").E_step * 10  # of the 5 V range


def sentinels(program: Program) -> list[Cp | Ca]:
    every = [each for segment in segments(program) for each in segment.techniques]
    return [each for each in every if isinstance(each, Cp | Ca) and each.sentinel]


@pytest.mark.parametrize("on", ["SP-300", "VMP-3"])
def test_a_sentinel_is_a_moment_of_the_same_current(on: str) -> None:
    program = lowered("- {plate: 1 mA/cm2, for: 1 h, until: {Ewe_below: -1 V}}", on)
    [sentinel] = sentinels(program)
    assert isinstance(sentinel, Cp)
    assert (sentinel.I_A, sentinel.duration_s, sentinel.dE_V) == (-0.5e-3, 5e-3, None)
    assert sentinel.duration_s >= 10 * instrument(on).timebase_s["CPLIMIT"]


@pytest.mark.parametrize(
    ("until", "values"),
    [
        (
            "{Ewe_below: -1 V}",
            [-3 + 4 * STEP_V, 3 - 4 * STEP_V],
        ),  # 4 steps of resolution inside of the limits
        (
            "{Ewe_above: 2.9999 V}",
            [-3 + 4 * STEP_V, 3 - 0.5e-4],
        ),  # but half-way to what is gone on from, at most
        # what is gone on from there or beyond is no reason to miss the end
        ("{Ewe_above: 3 V}", [-3 + 4 * STEP_V, 3 - 4 * STEP_V]),
        ("{Ewe_above: 3.5 V}", [-3 + 4 * STEP_V, 3 - 4 * STEP_V]),
        (
            "[{Ewe_above: 1 V}, {Ewe_above: 1 V, then: end run}]",
            [-3 + 4 * STEP_V, 3 - 4 * STEP_V, 1 - 4 * STEP_V],
        ),
        (
            "[{Ewe_above: 1 V}, {Ewe_above: 1.0001 V, then: end run}]",
            [-3 + 4 * STEP_V, 3 - 4 * STEP_V, 1.00005],
        ),
    ],
)
def test_a_sentinel_tests_a_little_inside_of_its_ends(until: str, values: list[float]) -> None:
    """It reads after the row that met the limit, with other noise."""
    [sentinel] = sentinels(lowered(f"- {{{CP}, until: {until}}}"))
    assert [test.value for test in sentinel.tests] == pytest.approx(values, abs=1e-9)


def test_of_a_current_too() -> None:
    [sentinel] = sentinels(lowered("- {ca: 1 V, for: 1 h, until: {I_below: 1 mA}}"))
    step_A = instrument("SP-300").I_step * 100e-3
    assert [test.value for test in sentinel.tests] == pytest.approx([10e-3 - 4 * step_A])


def test_before_a_sweep_the_limits_of_the_run_are_tested() -> None:
    head = HEAD.replace("steps:", "stop_when: {Ewe_above: 2.5 V}\nsteps:")
    first, second = sentinels(
        lowered(
            "- {geis: g, during: {strip: 1 mA/cm2}, until: {Ewe_above: 1 V}}\n- {peis: p, during: {ca: 1 V}}",
            head=head,
        )
    )
    assert isinstance(first, Cp) and isinstance(second, Ca)
    assert (first.I_A, second.E_V) == (0.5e-3, 1.0)
    assert [test.end for test in first.tests] == [1, 5]  # no cutoff: the host goes on from it
    assert [test.end for test in second.tests] == [3]
