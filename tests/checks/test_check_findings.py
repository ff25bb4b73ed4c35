"""What is found is told once, with its line, and with what would fit."""

from __future__ import annotations

from dataclasses import replace

from compiling import HEAD, compiled
from plan_builders import (
    SP300,
    VMP3,
    checked,
    cutoff,
    during,
    geis,
    goal,
    hold,
    lowered,
    plan,
    repeat,
    spectrum,
    sweep,
    with_limits,
)

from nakctl.checks.check import check
from nakctl.device.program import Segment
from nakctl.errors import Mark
from nakctl.plan import plan as p


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
    assert found.help == "1 MHz would fit: f_max=1MHz"
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


def test_drift_correction_is_told_not_to_be_imitated() -> None:
    of = plan(*(spectrum(replace(sweep(), drift_correction=True)) for _ in range(2)))
    (found,) = checked(of)
    assert (found.severity, found.rule) == ("warning", "drift-correction")
    assert "twice as long" in found.message
    assert "no simulated channel" in found.help


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
    alone = replace(SP300, feeds=False)
    assert [(found.severity, found.rule) for found in check(of, longer, alone)] == [("error", "chain")]
    assert check(of, longer, SP300) == ()  # it is handed over while it runs
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


def test_a_wanted_end_on_the_wrong_side_is_told_with_its_line() -> None:
    (found,) = checked(plan(hold(level=1e-3), goals=(goal("below", -1.0),)))
    assert found.mark == Mark(6, 3)
    assert found.message == (
        "all currents of this run drive Ewe up, and stop_when Ewe below -1 V is on the other side"
    )
    assert found.help == (
        "if Ewe is below it already, the run ends at its first row; else it does not get there"
    )


def test_limits_have_one_text_the_one_that_the_user_wrote() -> None:
    """`limits.time: 0.01 h` was 36 s in the plan and 0.01 h in the run; 0.150 V was 150 mV."""
    head = HEAD.replace("[-3 V, 3 V], I: 10 mA, time: 100 h", "[0.150 V, 1.50 V], I: 0.30 mA, time: 0.01 h")
    head = head.replace("finally:", "stop_when: {Ewe_above: 1.60 V}\nfinally:")
    of = compiled(
        """\
        - {strip: 0.4 mA, for: 1 h, until: {Ewe_above: 1.55 V}}
        - {ca: 1.6 V, for: 1 h, until: [{I_above: 0.5 mA}, {I_below: 1.0 mA}], ranges: {I: 0.1 mA, E: 1.5 V}}
        - {ca: 1 V, for: 1 h, ranges: {I: 100 uA}}
        """,
        head=head,
    )
    said = " ".join(found.message for found in checked(of))
    for text in ("36 s", "1.5 V, ", "1.5 V;", "150 mV", "300 uA"):
        assert text not in said
    for text in (
        "limits.time is 0.01 h",
        "stop_when Ewe above 1.60 V is beyond limits.Ewe of 1.50 V",
        "Ewe above 1.55 V is beyond limits.Ewe of 1.50 V",
        "|I| reaches 400 uA, above limits.I of 0.30 mA",
        "outside of limits.Ewe, 0.150 V .. 1.50 V",
        "|I| above 0.5 mA is beyond limits.I of 0.30 mA",
        "|I| below 1.0 mA is met by all that limits.I of 0.30 mA allows",
        "limits.I of 0.30 mA is beyond the 100 uA range",
    ):
        assert text in said


def test_a_limit_of_current_that_its_range_does_not_show_says_what_to_write() -> None:
    step = hold("ca", 0.2, ranges=p.Ranges(I="100 uA"))
    (found,) = checked(plan(step, limits=with_limits(I_max_A=300e-6)))
    assert found.message == (
        "1 ca: limits.I of 300 uA is beyond the 100 uA range: readings stop there, so it would never be seen"
    )
    own = "`until: {I_above: 99 uA, then: end run}` in this step"
    assert found.help == f"limits.I of 99 uA or less, or the 1 mA range, or {own}"


def test_a_cutoff_of_current_that_its_range_does_not_show_has_its_line() -> None:
    cutoffs = (cutoff("|I|", "above", 1e-3, line=31), cutoff("|I|", "below", 2e-3, line=32))
    of = plan(hold("ca", 0.2, ranges=p.Ranges(I="1 mA"), cutoffs=cutoffs))
    assert [(each.mark.line, each.message, each.help) for each in checked(of)] == [
        (
            31,
            "1 ca: |I| above 1 mA is at the end of the 1 mA range: readings stop there, so it would never be seen",
            "990 uA or less, or the 10 mA range",
        ),
        (
            32,
            "1 ca: |I| below 2 mA is beyond the 1 mA range: readings stop there, so any current would meet it",
            "990 uA or less, or the 10 mA range",
        ),
    ]


def test_a_window_wider_than_the_widest_range_shows_says_what_to_write() -> None:
    of = plan(hold("rest"), limits=with_limits(Ewe_min_V=-10.0, Ewe_max_V=9.9))
    (found,) = checked(of)
    assert found.message == "limits.Ewe: -10 V is more than a SP-300 sees (its readings stop at -10 V)"
    assert found.help == "-9.9 V is the nearest limit that is seen to act"


def test_a_limit_at_the_end_of_a_fixed_range_says_why() -> None:
    of = plan(hold(ranges=p.Ranges(E="2.5 V")), limits=with_limits(Ewe_min_V=-1.0, Ewe_max_V=2.5))
    (found,) = checked(of)
    assert found.message == (
        "1 cp: limits.Ewe of 2.5 V is at the end of the 2.5 V range: "
        "readings stop there, so it would never be seen"
    )
    assert (
        found.help == "leave the range out, and one that fits is chosen; this one shows -2.475 V to 2.475 V"
    )


def test_a_limit_of_current_that_fills_a_range_says_which_one_is_used() -> None:
    (found,) = checked(plan(hold("ca", 0.1), limits=with_limits(I_max_A=10e-3)))
    assert found.message == (
        "1 ca: limits.I of 10 mA fills the 10 mA range, so the current is measured in the 100 mA range"
    )
    assert found.help == "a limit of 9.9 mA or less keeps the 10 mA range"
