"""Every check has two rows: a plan that it is about, and one that just is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from plan_builders import (
    SP300,
    VMP3,
    checked,
    cutoff,
    goal,
    hold,
    lowered,
    plan,
    repeat,
    spectrum,
    sweep,
    with_limits,
)

from nakctl.device.cell import Cell
from nakctl.device.limits import Instrument
from nakctl.device.program import Segment
from nakctl.errors import Mark
from nakctl.plan import plan as p
from nakctl.plan.check import check
from nakctl.plan.compile import compile_protocol
from nakctl.plan.gaps import FOREVER, Gap, gaps
from nakctl.plan.lower import lower
from nakctl.plan.sweeps import spread
from nakctl.protocol.load import load


def during(of: p.Sweep, every_s: float | None = None) -> p.Spectra:
    return p.Spectra(of, every_s)


def geis(first_Hz: float, last_Hz: float, **words: object) -> p.Sweep:
    return sweep(frequencies_Hz=spread(first_Hz, last_Hz, 5, "log"), **words)


OPEN = with_limits(Ewe_min_V=None, Ewe_max_V=None)
UP, DOWN = with_limits(Ewe_min_V=None), with_limits(Ewe_max_V=None)

# rule, severity, instrument, the plan it is about, the plan it just is not about
ROWS = [
    ("current", "error", SP300, plan(hold(level=0.51)), plan(hold(level=0.5))),
    ("current", "error", VMP3, plan(hold(level=-0.41)), plan(hold(level=-0.4))),
    (
        "current",
        "error",
        SP300,
        plan(hold(level=0.499, spectra=during(sweep(amplitude_peak=5e-3)))),
        plan(hold(level=0.499, spectra=during(sweep(amplitude_peak=1e-3)))),
    ),
    (
        "current-limit",
        "error",
        SP300,
        plan(hold(level=1e-3), limits=with_limits(I_max_A=0.9e-3)),
        plan(hold(level=1e-3), limits=with_limits(I_max_A=1e-3)),
    ),
    ("density", "error", SP300, plan(hold(level=0.1), area_cm2=0.09), plan(hold(level=0.1), area_cm2=0.11)),
    ("density", "warning", SP300, plan(hold(level=0.051)), plan(hold(level=0.049))),
    ("resolution", "error", VMP3, plan(hold(level=0.2e-9)), plan(hold(level=0.4e-9))),
    ("resolution", "warning", VMP3, plan(hold(level=5e-9)), plan(hold(level=7e-9))),
    (
        "I-range",
        "error",
        SP300,
        plan(hold(ranges=p.Ranges(I="1 A"))),
        plan(hold(ranges=p.Ranges(I="500 mA"))),
    ),
    (
        "I-range",
        "error",
        SP300,
        plan(hold(level=1.01e-3, ranges=p.Ranges(I="1 mA"))),
        plan(hold(level=1e-3, ranges=p.Ranges(I="1 mA"))),
    ),
    (
        "I-range",
        "error",
        VMP3,
        plan(hold(level=1e-6, ranges=p.Ranges(I="1 uA"))),
        plan(hold(level=1e-6, ranges=p.Ranges(I="10 uA"))),
    ),
    ("E-range", "error", SP300, plan(hold(ranges=p.Ranges(E="3 V"))), plan(hold(ranges=p.Ranges(E="10 V")))),
    (
        "E-range",
        "error",
        SP300,
        plan(hold(ranges=p.Ranges(E="2.5 V"))),
        plan(hold(ranges=p.Ranges(E="2.5 V")), limits=with_limits(Ewe_min_V=-2.5, Ewe_max_V=2.5)),
    ),
    (
        "bandwidth",
        "error",
        VMP3,
        plan(hold(ranges=p.Ranges(bandwidth=8))),
        plan(hold(ranges=p.Ranges(bandwidth=7))),
    ),
    (
        "unknown-current",
        "warning",
        SP300,
        plan(hold("ca", 0.1)),
        plan(hold("ca", 0.1), limits=with_limits(I_max_A=1e-3)),
    ),
    (
        "unknown-current",
        "warning",
        SP300,
        plan(spectrum(sweep("peis", 10e-3))),
        plan(spectrum(sweep("peis", 10e-3, ranges=p.Ranges(I="1 mA")))),
    ),
    ("voltage-limit", "error", SP300, plan(hold(level=1e-3), limits=OPEN), plan(hold(level=1e-3), limits=UP)),
    (
        "voltage-limit",
        "error",
        SP300,
        plan(hold(level=-1e-3), limits=UP),
        plan(hold(level=-1e-3), limits=DOWN),
    ),
    ("voltage-limit", "error", SP300, plan(hold(level=0.0), limits=UP), plan(hold(level=0.0))),
    (
        "voltage-limit",
        "error",
        SP300,
        plan(hold(), limits=OPEN),
        plan(hold(cutoffs=(cutoff("Ewe", "above", 0.0),)), limits=OPEN),
    ),
    (
        "voltage-limit",
        "error",
        SP300,
        plan(spectrum(sweep(), bias=1e-3), limits=OPEN),
        plan(spectrum(sweep(), bias=None), limits=OPEN),
    ),
    ("potential", "error", SP300, plan(hold("ca", 3.1)), plan(hold("ca", 3.0))),
    ("voltage-limit", "error", SP300, plan(hold(level=0.0), limits=DOWN), plan(hold(level=0.0))),
    (
        "voltage-limit",
        "error",
        SP300,
        plan(hold(cutoffs=(cutoff("Ewe", "below", 0.0),)), limits=OPEN),
        plan(hold(level=-1e-3, cutoffs=(cutoff("Ewe", "below", 0.0),)), limits=OPEN),
    ),
    (
        "potential",
        "error",
        SP300,
        plan(spectrum(sweep("peis", 10e-3), bias=2.995)),
        plan(spectrum(sweep("peis", 10e-3), bias=2.985)),
    ),
    (
        "potential",
        "error",
        SP300,
        plan(hold("ca", -0.1), limits=with_limits(Ewe_min_V=0.0)),
        plan(hold("ca", 0.0), limits=with_limits(Ewe_min_V=0.0)),
    ),
    ("timebase", "error", SP300, plan(hold(duration_s=33e-6)), plan(hold(duration_s=35e-6))),
    ("timebase", "error", SP300, plan(hold("rest", duration_s=19e-6)), plan(hold("rest", duration_s=21e-6))),
    (
        "record-interval",
        "error",
        SP300,
        plan(hold(record=p.Record(33e-6), duration_s=1.0)),
        plan(hold(record=p.Record(35e-6), duration_s=1.0)),
    ),
    (
        "row-rate",
        "error",
        SP300,
        plan(hold(record=p.Record(0.9e-3))),
        plan(hold(record=p.Record(1e-3))),
    ),
    (
        "row-rate",
        "warning",
        SP300,
        plan(hold(record=p.Record(0.9e-3), duration_s=1.0)),
        plan(hold(record=p.Record(1e-3), duration_s=1.0)),
    ),
    (
        "few-rows",
        "warning",
        SP300,
        plan(hold(record=p.Record(1.0), duration_s=0.9)),
        plan(hold(record=p.Record(1.0), duration_s=1.0)),
    ),
    (
        "record-change",
        "warning",
        SP300,
        plan(hold(record=p.Record(1.0, dE_V=0.1e-3))),  # one step of the 5 V range is 0.15 mV
        plan(hold(record=p.Record(1.0, dE_V=0.2e-3))),
    ),
    (
        "record-change",
        "warning",
        SP300,
        plan(hold("ca", 0.1, record=p.Record(1.0, dI_A=30e-9)), limits=with_limits(I_max_A=0.9e-3)),
        plan(hold("ca", 0.1, record=p.Record(1.0, dI_A=31e-9)), limits=with_limits(I_max_A=0.9e-3)),
    ),
    (
        "I-range-full",
        "warning",
        SP300,
        plan(hold(level=-1e-3, ranges=p.Ranges(I="1 mA"))),
        plan(hold(level=-0.98e-3, ranges=p.Ranges(I="1 mA"))),
    ),
    (
        "I-range-full",
        "warning",
        VMP3,
        plan(hold(level=0.96e-3, ranges=p.Ranges(I="1 mA"), spectra=during(sweep(amplitude_peak=40e-6)))),
        plan(hold(level=1e-3)),  # chosen with head-room
    ),
    (
        "range-of-limit",
        "warning",
        SP300,
        plan(hold("ca", 0.1), limits=with_limits(I_max_A=1e-3)),
        plan(hold("ca", 0.1), limits=with_limits(I_max_A=0.99e-3)),
    ),
    (
        "range-of-limit",
        "warning",
        VMP3,
        plan(spectrum(sweep("peis", 10e-3)), limits=with_limits(I_max_A=10e-3)),
        plan(spectrum(sweep("peis", 10e-3, ranges=p.Ranges(I="10 mA"))), limits=with_limits(I_max_A=10e-3)),
    ),
    (
        "range-of-limit",
        "warning",
        SP300,
        plan(hold("rest", spectra=during(sweep("peis", 10e-3))), limits=with_limits(I_max_A=1e-3)),
        plan(hold(level=1e-3, spectra=during(sweep())), limits=with_limits(I_max_A=10e-3)),
    ),
    (
        "wrong-side",
        "warning",
        SP300,
        plan(hold(level=1e-3, cutoffs=(cutoff("Ewe", "below", -1.0),))),
        plan(hold(level=1e-3, cutoffs=(cutoff("Ewe", "above", -1.0),))),
    ),
    (
        "wrong-side",
        "warning",
        SP300,
        plan(hold(level=-1e-3, cutoffs=(cutoff("Ewe", "above", -0.5, "end run"),))),
        plan(hold(level=-1e-3, cutoffs=(cutoff("Ewe", "below", -0.5, "end run"),))),
    ),
    (
        "wrong-side",
        "warning",
        VMP3,
        plan(spectrum(sweep(), bias=-1e-3, cutoffs=(cutoff("Ewe", "above", 0.0),))),
        plan(spectrum(sweep(), bias=None, cutoffs=(cutoff("Ewe", "above", 0.0),))),
    ),
    (
        "wrong-side",
        "warning",
        SP300,
        plan(hold(level=1e-3, spectra=during(sweep()), cutoffs=(cutoff("Ewe", "below", 1.0),))),
        plan(hold("rest", cutoffs=(cutoff("Ewe", "below", 1.0),)), hold("ca", 0.1)),
    ),
    (
        "interruption",
        "warning",
        SP300,
        plan(hold(level=1e-3, spectra=during(sweep())), hold(level=2e-3)),
        plan(hold(level=1e-3, spectra=during(sweep())), hold(level=-2e-3)),
    ),
    (
        "interruption",
        "warning",
        SP300,
        plan(hold(level=1e-3, cutoffs=(cutoff("charge", "above", 1e-3),)), spectrum(sweep(), bias=1e-3)),
        plan(hold(level=1e-3, cutoffs=(cutoff("charge", "above", 1e-3),)), spectrum(sweep())),
    ),
    (
        "interruption",
        "warning",
        VMP3,
        plan(repeat(3, hold(level=1e-3, spectra=during(sweep())))),
        plan(repeat(3, hold(level=1e-3), spectrum(sweep(), bias=1e-3))),
    ),
    (
        "interruption",
        "warning",
        SP300,
        plan(hold(level=1e-3, spectra=during(sweep())), hold("ca", 0.1)),
        plan(hold("rest", spectra=during(sweep("peis", 10e-3))), hold("ca", 0.1)),
    ),
    (
        "cutoff",
        "warning",
        SP300,
        plan(hold(cutoffs=(cutoff("Ewe", "above", 3.1),))),
        plan(hold(cutoffs=(cutoff("Ewe", "above", 3.0),))),
    ),
    (
        "host-cutoff",
        "warning",
        SP300,
        plan(hold("rest", duration_s=1.9, cutoffs=(cutoff("Ewe", "below", 0.0),))),
        plan(hold("rest", duration_s=2.1, cutoffs=(cutoff("Ewe", "below", 0.0),))),
    ),
    (
        "host-cutoff",
        "warning",
        SP300,
        plan(hold("rest", duration_s=1.0, cutoffs=(cutoff("Ewe", "below", 0.0),))),
        plan(hold("cp", duration_s=1.0, cutoffs=(cutoff("Ewe", "below", 0.0),))),
    ),
    (
        "frequency-above",
        "error",
        VMP3,
        plan(spectrum(geis(7e6, 5.0))),
        plan(spectrum(geis(1e6, 5.0))),
    ),
    ("frequency-above", "error", SP300, plan(spectrum(geis(7.1e6, 5.0))), plan(spectrum(geis(7e6, 5.0)))),
    ("frequency-below", "error", SP300, plan(spectrum(geis(1.0, 9e-6))), plan(spectrum(geis(1.0, 10e-6)))),
    ("edge-of-band", "warning", VMP3, plan(spectrum(geis(1e6, 5.0))), plan(spectrum(geis(500e3, 5.0)))),
    (
        "amplitude",
        "warning",
        SP300,
        plan(spectrum(sweep(amplitude_peak=9e-6), bias=0.9e-3)),
        plan(spectrum(sweep(amplitude_peak=10e-6), bias=0.9e-3)),
    ),
    (
        "amplitude",
        "warning",
        SP300,
        plan(spectrum(sweep(amplitude_peak=51e-6, ranges=p.Ranges(I="100 uA")))),
        plan(spectrum(sweep(amplitude_peak=50e-6, ranges=p.Ranges(I="100 uA")))),
    ),
    (
        "I-range",
        "error",
        SP300,
        plan(spectrum(sweep(amplitude_peak=101e-6, ranges=p.Ranges(I="100 uA")))),
        plan(spectrum(sweep(amplitude_peak=100e-6, ranges=p.Ranges(I="100 uA")))),
    ),
    (
        "amplitude",
        "warning",
        SP300,
        plan(spectrum(sweep("peis", 1e-3))),
        plan(spectrum(sweep("peis", 2e-3))),
    ),
    (
        "spectrum-room",
        "error",
        SP300,
        plan(hold(duration_s=1.8, spectra=during(sweep()))),  # five points of 0.37 s
        plan(hold(duration_s=1.9, spectra=during(sweep()))),
    ),
    (
        "spectrum-interval",
        "warning",
        SP300,
        plan(hold(spectra=during(sweep(), 1.8))),
        plan(hold(spectra=during(sweep(), 1.9))),
    ),
    (
        "blind",
        "warning",
        SP300,
        plan(spectrum(geis(1e3, 0.09), bias=1e-3)),
        plan(spectrum(geis(1e3, 0.2), bias=1e-3)),
    ),
    (
        "blind",
        "warning",
        SP300,
        plan(hold(duration_s=600.0, spectra=during(geis(1e3, 0.09)))),
        plan(hold("rest", duration_s=600.0, spectra=during(geis(1e3, 0.09)))),
    ),
    (
        "too-long",
        "error",
        SP300,
        plan(spectrum(geis(1.0, 20e-6))),
        plan(spectrum(geis(1.0, 100e-6))),
    ),
    (
        "window",
        "error",
        SP300,
        plan(hold("rest"), limits=with_limits(Ewe_min_V=0.0, Ewe_max_V=0.0)),
        plan(hold("rest"), limits=with_limits(Ewe_min_V=0.0, Ewe_max_V=0.1)),
    ),
    (
        "window",
        "error",
        SP300,
        plan(hold("rest"), limits=with_limits(Ewe_max_V=10.1)),
        plan(hold("rest"), limits=with_limits(Ewe_max_V=10.0)),
    ),
    (
        "window",
        "error",
        SP300,
        plan(hold("rest"), limits=with_limits(Ewe_min_V=-10.1)),
        plan(hold("rest"), limits=with_limits(Ewe_min_V=-10.0)),
    ),
    (
        "rule",
        "warning",
        SP300,
        plan(hold(), goals=(goal("above", 3.1),)),
        plan(hold(), goals=(goal("above", 3.0),)),
    ),
    (
        "time",
        "warning",
        SP300,
        plan(hold(duration_s=61.0), limits=with_limits(time_s=60.0)),
        plan(hold(duration_s=60.0), limits=with_limits(time_s=60.0)),
    ),
    (
        "time",
        "warning",
        SP300,
        plan(hold(duration_s=61.0), limits=with_limits(time_s=60.0)),
        plan(repeat(None, hold(duration_s=61.0)), limits=with_limits(time_s=60.0)),
    ),
    (
        "unreachable",
        "warning",
        SP300,
        plan(repeat(None, hold()), hold("rest"), limits=with_limits(time_s=60.0)),
        plan(
            repeat(None, hold(cutoffs=(cutoff("Ewe", "above", 1.0, "end loop"),))),
            hold("rest"),
            limits=with_limits(time_s=60.0),
        ),
    ),
]


@pytest.mark.parametrize(("rule", "severity", "on", "about", "_"), ROWS)
def test_finds(rule: str, severity: str, on: Instrument, about: p.Plan, _: p.Plan) -> None:
    assert (rule, severity) in {(found.rule, found.severity) for found in checked(about, on)}


@pytest.mark.parametrize(("rule", "severity", "on", "_", "not_about"), ROWS)
def test_keeps_quiet(rule: str, severity: str, on: Instrument, _: p.Plan, not_about: p.Plan) -> None:
    assert (rule, severity) not in {(found.rule, found.severity) for found in checked(not_about, on)}


def test_a_decent_plan_has_no_findings() -> None:
    steps = (
        hold("rest", duration_s=20 * 3600.0),
        repeat(
            50_000,
            hold(level=0.4e-3, duration_s=1.0, record=p.Record(0.02)),
            hold("rest", duration_s=5.0, record=p.Record(0.05)),
        ),
        hold(level=0.4e-3, duration_s=3600.0, spectra=during(sweep())),
        spectrum(sweep(), bias=-0.4e-3),
    )
    assert checked(plan(*steps)) == ()
    assert checked(plan(*steps), VMP3) == ()


def test_frequency_names_the_parameter_to_set() -> None:
    of = plan(spectrum(geis(7e6, 5.0)), params={"levels": [1, 2], "half_cycle": "1 h", "f_max": "7 MHz"})
    (found,) = checked(of, VMP3)
    assert "7 MHz" in found.message and "10 uHz to 1 MHz" in found.message
    assert found.help == "1 MHz would fit: --set f_max=1MHz"
    assert found.mark == Mark(3, 3)


def test_frequency_without_parameter_says_what_fits() -> None:
    (found,) = checked(plan(spectrum(geis(7e6, 5.0))), VMP3)
    assert found.help == "1 MHz would fit"


def test_amplitudes_are_told_in_per_cent_of_their_range() -> None:
    (small,) = checked(plan(spectrum(sweep(amplitude_peak=5e-6), bias=0.9e-3)))
    assert small.message.endswith("amplitude 5 uA is 0.5 % of the 1 mA range")
    assert small.help == "expect noisy spectra"
    (large,) = checked(plan(spectrum(sweep(amplitude_peak=80e-6, ranges=p.Ranges(I="100 uA")))))
    assert large.message.endswith("amplitude 80 uA is 80 % of the 100 uA range")
    assert large.help == "at most 50 % is the maker's advice"


def test_a_range_too_small_names_one_that_holds() -> None:
    (found,) = checked(plan(hold(level=1e-3, ranges=p.Ranges(I="100 uA"))))
    assert (found.message, found.help) == (
        "1 cp: |I| reaches 1 mA, beyond the 100 uA range",
        "1 mA would hold it",
    )


def test_a_named_sweep_is_faulted_once_however_often_it_is_used() -> None:
    of = plan(*(spectrum(geis(7e6, 5.0)) for _ in range(10)))
    assert [found.rule for found in checked(of, VMP3)] == ["frequency-above"]


def test_levels_of_one_line_make_one_finding() -> None:
    passes = tuple((hold(level=level, label=f"1.1 strip {level}"),) for level in (0.06, 0.07, 0.08))
    stairs = p.Staircase("1 staircase", ("a", "b", "c"), passes, Mark(9, 5))
    (found,) = checked(plan(stairs))
    assert found.message.startswith("1.1 strip 0.06: ")
    assert found.message.endswith("(and 2 more steps of this line)")


def test_errors_come_first_then_lines_in_order() -> None:
    of = plan(
        hold(level=0.06, mark=Mark(4, 5)),
        hold(level=0.6, mark=Mark(8, 5)),
        hold(level=2.0, mark=Mark(6, 5)),
        limits=with_limits(I_max_A=None),
    )
    found = checked(of)
    assert [each.severity for each in found] == sorted(each.severity for each in found)
    assert [each.mark.line for each in found if each.severity == "error"] == [6, 6, 8]
    assert found[-1].severity == "warning"


def test_both_ends_of_a_spectrum_are_told() -> None:
    rules = [found.rule for found in checked(plan(spectrum(geis(7e6, 1e-6))), VMP3)]
    assert {"frequency-above", "frequency-below"} <= set(rules)


def test_a_chain_too_long_is_seen() -> None:
    of = plan(hold(), hold("rest"))
    program = lowered(of)
    (segment,) = program.nodes
    assert isinstance(segment, Segment)
    longer = replace(program, nodes=(Segment(segment.techniques * 31),))
    assert [(found.severity, found.rule) for found in check(of, longer, SP300)] == [("error", "chain")]
    assert check(of, replace(program, nodes=(Segment(segment.techniques * 30),)), SP300) == ()


def test_a_technique_too_long_is_seen() -> None:
    of = plan(hold("rest", duration_s=3600.0))
    program = lowered(of)
    (segment,) = program.nodes
    assert isinstance(segment, Segment)
    stretched = replace(segment.techniques[0], duration_s=SP300.longest_s + 1)
    found = check(of, replace(program, nodes=(Segment((stretched,)),)), SP300)
    assert [each.rule for each in found] == ["too-long"]


def test_a_fault_reads_as_one_line_of_the_file() -> None:
    (found,) = checked(plan(hold(level=0.06)))
    fault = found.fault("by-hand.yaml", "  - strip: 60 mA/cm2")
    assert str(fault) == (
        "by-hand.yaml:10:5  1 cp: 60 mA/cm2 on 1 cm2 is very much; are current and area right?\n"
        "  10 |   - strip: 60 mA/cm2"
    )


def test_zero_volts_is_a_limit() -> None:
    of = plan(hold(level=1e-3), limits=with_limits(Ewe_min_V=-1.0, Ewe_max_V=0.0))
    assert checked(of) == ()


def test_a_cutoff_on_the_wrong_side_is_told_with_its_line() -> None:
    of = plan(
        hold(level=1e-3, cutoffs=(cutoff("Ewe", "below", -1.0, line=31),), label="1 strip 1 mA/cm2"),
        hold(level=-1e-3, cutoffs=(cutoff("Ewe", "above", -0.5, line=32),), label="2 plate 1 mA/cm2"),
    )
    assert [(each.mark.line, each.message, each.help) for each in checked(of)] == [
        (
            31,
            "1 strip 1 mA/cm2 drives Ewe up, and Ewe below -1 V is on the other side",
            "if Ewe is below it already, the step ends at its first row; else it does not get there",
        ),
        (
            32,
            "2 plate 1 mA/cm2 drives Ewe down, and Ewe above -500 mV is on the other side",
            "if Ewe is above it already, the step ends at its first row; else it does not get there",
        ),
    ]


def test_a_limit_of_current_that_fills_a_range_says_which_one_is_used() -> None:
    (found,) = checked(plan(hold("ca", 0.1), limits=with_limits(I_max_A=10e-3)))
    assert found.message == (
        "1 ca: limits.I of 10 mA fills the 10 mA range, so the current is measured in the 100 mA range"
    )
    assert found.help == "a limit of 9.9 mA or less keeps the 10 mA range"


# --- where the cell lies open ------------------------------------------------------------------------------

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
    found = gaps(lowered(of))
    assert found
    program = lowered(of)
    assert len(found) == -(-40 * len(of_level) // SP300.chain_length) - 1
    for gap in found:
        techniques = {program.step(step).technique for step in (gap.before, gap.after)}
        told = {
            "after an even step" if gap.before % 2 == 0 else "",
            "at rest" if "OCV" in techniques else "",
            "" if gap.under_current else "not under current",
        }
        assert places <= told


@pytest.mark.parametrize("name", ["sgeis-strip-rest", "sgeis-plate-rest"])
@pytest.mark.parametrize("on", [SP300, VMP3])
def test_a_staircase_of_spectra_is_known_to_be_interrupted(name: str, on: Instrument) -> None:
    of = compile_protocol(load(name, {"f_max": "1 MHz"}), Cell("NaK50", 0.4418))
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
