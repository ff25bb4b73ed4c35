"""Where the cell lies open while a chain is loaded."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from plan_builders import (
    SP300,
    VMP3,
    checked,
    cutoff,
    hold,
    lowered,
    plan,
    repeat,
    spectrum,
    sweep,
    with_limits,
)

from nakctl.checks.check import check
from nakctl.device.cell import Cell
from nakctl.device.instrument import Instrument
from nakctl.device.program import segments
from nakctl.errors import Mark
from nakctl.plan import plan as p
from nakctl.plan.compile import compile_protocol
from nakctl.plan.gaps import FOREVER, Gap, gaps
from nakctl.plan.held import held
from nakctl.plan.lower import lower
from nakctl.plan.scene import Scene
from nakctl.protocol.load import load

UNFED = replace(SP300, feeds=False)
SPECTRA = p.Spectra(sweep(), None)
CHARGE = (cutoff("charge", "above", 1e-3),)
GAPS = [
    ("one chain", plan(hold(), hold("rest")), []),
    ("strips on", plan(hold(level=1e-3, spectra=SPECTRA), hold(level=2e-3)), [Gap(1, 2, 1, True)]),
    ("turns", plan(hold(level=1e-3, spectra=SPECTRA), hold(level=-2e-3)), [Gap(1, 2, 1, False)]),
    ("rests", plan(hold("rest", cutoffs=(cutoff("Ewe", "below", 0.0),)), hold()), [Gap(1, 2, 1, False)]),
    ("0 A is a rest", plan(hold(level=0.0, spectra=SPECTRA), hold()), [Gap(1, 2, 1, False)]),
    ("holds a potential", plan(hold(level=1e-3, spectra=SPECTRA), hold("ca", 0.0)), [Gap(1, 2, 1, True)]),
    (
        "from pass to pass",
        plan(repeat(4, hold(level=1e-3, spectra=SPECTRA), hold(level=-1e-3))),
        [Gap(1, 2, 4, False), Gap(2, 1, 3, False)],
    ),
    (
        "of two loops",
        plan(repeat(5, repeat(3, hold(level=1e-3, cutoffs=CHARGE)), hold("rest"))),
        [Gap(1, 1, 10, True), Gap(1, 2, 5, False), Gap(2, 1, 4, False)],
    ),
    (
        "without end",
        plan(repeat(None, repeat(3, hold(level=1e-3, cutoffs=CHARGE)), hold("rest"))),
        [Gap(1, 1, FOREVER, True), Gap(1, 2, FOREVER, False), Gap(2, 1, FOREVER, False)],
    ),
]


@pytest.mark.parametrize(("of", "found"), [row[1:] for row in GAPS], ids=[row[0] for row in GAPS])
def test_gaps_are_known_with_their_place(of: p.Plan, found: list[Gap]) -> None:
    assert list(gaps(lowered(of))) == found


def levels(*of_level: p.Step, n: int) -> p.Staircase:
    return p.Staircase("1 staircase", ("1 mA",) * n, (of_level,) * n, Mark(9, 5))


@pytest.mark.parametrize(
    ("of_level", "places"),
    [
        # 40 levels of two techniques are cut between levels, not between a hold and its spectrum
        ((hold(level=1e-3), spectrum(sweep(), bias=1e-3)), {"after an even step"}),
        # of three, where the cell rests
        ((hold(level=1e-3), hold(level=2e-3), hold("rest")), {"at rest"}),
        # where the current turns, if it never rests
        ((hold(level=1e-3), hold(level=2e-3), hold(level=-2e-3)), {"not under current"}),
    ],
)
def test_a_chain_too_long_is_cut_where_it_does_the_least_harm(
    of_level: tuple[p.Hold, ...], places: set[str]
) -> None:
    of = plan(levels(*of_level, n=40))
    program = lowered(of, UNFED)
    found = gaps(program)
    assert found
    assert len(found) == -(-40 * len(of_level) // SP300.chain_length) - 1
    for gap in found:
        techniques = {program.step(step).technique for step in (gap.before, gap.after)}
        told = {
            "after an even step" if gap.before % 2 == 0 else "",
            "at rest" if "OCV" in techniques else "",
            "" if gap.under_current else "not under current",
        }
        assert places <= told


SGEIS = pytest.mark.parametrize("name", ["sgeis-strip-rest", "sgeis-plate-rest"])
ON_BOTH = pytest.mark.parametrize("on", [SP300, VMP3])


def sgeis(name: str) -> p.Plan:
    return compile_protocol(load(name, {"f_max": "1 MHz"}), Cell("NaK50", 0.4418))


@SGEIS
@ON_BOTH
@pytest.mark.parametrize("holds", [60, 20, 8])
def test_a_staircase_of_spectra_is_not_interrupted(name: str, on: Instrument, holds: int) -> None:
    """However few techniques the instrument holds: it is given them while it runs. It holds in each step what
    it held before."""
    of, fed = sgeis(name), replace(on, chain_length=holds)
    program, cut = lower(of, fed), lower(of, replace(fed, feeds=False))
    assert [gap.under_current for gap in gaps(program)] == [False]
    assert not [each for each in check(of, program, fed) if each.rule in ("interruption", "chain")]
    for leaf in p.leaves(of.steps):
        one, other = (held([leaf], Scene(of, each, fed)) for each in (program, cut))
        assert one == other


@SGEIS
@ON_BOTH
def test_a_staircase_of_spectra_is_known_to_be_interrupted(name: str, on: Instrument) -> None:
    """Where the instrument is given nothing on the way."""
    of, on = sgeis(name), replace(on, feeds=False)
    program = lower(of, on)
    under_current = [gap for gap in gaps(program) if gap.under_current]
    assert [program.step(gap.before).technique for gap in under_current] == ["GEIS"] * 3
    (found,) = [each for each in check(of, program, on) if each.rule == "interruption"]
    assert "0.33 mA/cm2 and 2.1 " in found.message and "(and 2 more steps of this line)" in found.message


def test_how_often_a_cell_is_interrupted_is_said() -> None:
    often = plan(repeat(4, hold(level=1e-3, spectra=SPECTRA, label="1.1 strip")))
    (found,) = [each for each in checked(often) if each.rule == "interruption"]
    assert found.message == (
        "between 1.1 strip and 1.1 strip the cell is open for about 500 ms, 3 times, while the next chain is "
        "loaded"
    )
    for_ever = plan(repeat(None, hold(level=1e-3, spectra=SPECTRA)), limits=with_limits(time_s=3600.0))
    (found,) = [each for each in checked(for_ever) if each.rule == "interruption"]
    assert "500 ms, in every pass, while" in found.message


CP_AND_GEIS = (hold(level=1e-3), spectrum(sweep(), bias=1e-3))


@pytest.mark.parametrize(
    ("steps", "lengths", "places"),
    [
        ((levels(*CP_AND_GEIS, n=40),), [80], []),
        # what does not repeat as the staircase does stands beside it; a rest is no interruption
        ((levels(*CP_AND_GEIS, n=40), hold(level=1e-3)), [80, 1], [True]),
        ((hold(level=1e-3), hold(level=1e-3), levels(*CP_AND_GEIS, n=40)), [2, 80], [True]),
        ((hold("rest"), levels(*CP_AND_GEIS, n=40), hold("rest")), [1, 80, 1], [False, False]),
        # of holds alone, too
        ((levels(hold(level=1e-3), n=100),), [100], []),
        # one after the other, and one that no booking is made for
        ((levels(*CP_AND_GEIS, n=40), hold("rest"), levels(*CP_AND_GEIS, n=40)), [80, 1, 80], [False] * 2),
        ((levels(*CP_AND_GEIS, n=300),), [332, 268], [True]),
        # what is over sooner than it could be handed over
        ((levels(hold(level=1e-3, duration_s=0.1), n=100),), [60, 40], [True]),
        # what fits, or turns, is not handed over
        ((levels(*CP_AND_GEIS, n=30),), [60], []),
        ((levels(hold(level=1e-3), hold(level=-1e-3), n=40),), [60, 20], [False]),
    ],
)
def test_what_is_handed_over(steps: tuple[p.Step, ...], lengths: list[int], places: list[bool]) -> None:
    program = lowered(plan(*steps))
    assert [len(each.techniques) for each in segments(program.nodes)] == lengths
    assert [gap.under_current for gap in gaps(program)] == places


def test_long_programs_are_lowered_soon() -> None:
    """Also where they are handed over."""
    of = plan(levels(*CP_AND_GEIS, n=2000))
    began_s = time.perf_counter()
    lowered(of)
    assert time.perf_counter() - began_s < 5.0
