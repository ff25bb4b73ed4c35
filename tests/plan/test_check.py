"""Every check has two rows: a plan that it is about, and one that just is not."""

from __future__ import annotations

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

from nakctl.device.limits import Instrument
from nakctl.device.program import EweRule, Segment
from nakctl.errors import Mark
from nakctl.plan import plan as p
from nakctl.plan.check import check
from nakctl.plan.sweeps import spread


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
    ("timebase", "error", SP300, plan(hold(duration_s=39e-6)), plan(hold(duration_s=41e-6))),
    ("timebase", "error", SP300, plan(hold("rest", duration_s=19e-6)), plan(hold("rest", duration_s=21e-6))),
    (
        "record-interval",
        "error",
        SP300,
        plan(hold(record=p.Record(39e-6), duration_s=1.0)),
        plan(hold(record=p.Record(41e-6), duration_s=1.0)),
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
        plan(hold("ca", 0.1, record=p.Record(1.0, dI_A=30e-9)), limits=with_limits(I_max_A=1e-3)),
        plan(hold("ca", 0.1, record=p.Record(1.0, dI_A=31e-9)), limits=with_limits(I_max_A=1e-3)),
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
        plan(hold(), rules=(EweRule("above", 3.1),)),
        plan(hold(), rules=(EweRule("above", 3.0),)),
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
