"""Protocol -> plan: signs, areas, charges, levels, and faults with their lines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from compiling import CELL, HEAD, compiled
from hypothesis import given
from hypothesis import strategies as st

from nakctl.device.program import ShortRule
from nakctl.errors import ProtocolError
from nakctl.plan.plan import Hold, Record, Repeat, Spectrum, Staircase, leaves


@pytest.mark.parametrize(
    ("step", "level_A"),
    [
        ("strip: 0.4 mA/cm2", 0.2e-3),
        ("plate: 0.4 mA/cm2", -0.2e-3),
        ("cp: -0.4 mA/cm2", -0.2e-3),
        ("cp: 0.4 mA/cm2", 0.2e-3),
        ("strip: 5 uA", 5e-6),
        ("plate: 5 µA", -5e-6),
    ],
)
def test_strip_oxidises_the_working_electrode(step: str, level_A: float) -> None:
    [hold] = compiled(f"- {step}\n  for: 1 h").steps
    assert isinstance(hold, Hold)
    assert hold.level == pytest.approx(level_A, rel=1e-12)


@pytest.mark.parametrize(
    ("extent", "duration_s"),
    [("1 h", 3600.0), ("0.2 mAh/cm2", 1800.0), ("0.1 mAh", 1800.0), ("0.36 C", 1800.0), ("1.5 min", 90.0)],
)
def test_a_charge_at_constant_current_is_a_time(extent: str, duration_s: float) -> None:
    for word in ("strip", "plate"):
        [hold] = compiled(f"- {word}: 0.4 mA/cm2\n  for: {extent}").steps
        assert isinstance(hold, Hold)
        assert hold.duration_s == pytest.approx(duration_s, rel=1e-12)


def test_what_is_recorded_of_a_step_are_its_own_words_and_else_those_of_the_protocol() -> None:
    head = HEAD.replace("steps:", "record: {every: 2 s, dE: 3 mV, dI: 4 uA}\nsteps:")
    steps = compiled(
        """
        - {ca: 1 V, for: 1 h}
        - {ca: 1 V, for: 1 h, record: {dI: 9 uA}}
        - {rest: 1 h, record: {every: 7 s, dE: 8 mV}}
        """,
        head=head,
    ).steps
    records = [leaf.record for leaf in leaves(steps)]
    assert records == [Record(2.0, 3e-3, 4e-6), Record(2.0, 3e-3, 9e-6), Record(7.0, 8e-3, 4e-6)]


def test_levels_from_to_step_hit_both_ends_without_rounding_errors() -> None:
    [stairs] = compiled(
        """
        - staircase: {from: 0.05 mA/cm2, to: 1 mA/cm2, step: 0.01 mA/cm2}
          steps: [{strip: $level, for: 5 s}]
        """
    ).steps
    assert isinstance(stairs, Staircase)
    assert len(stairs.passes) == 96
    assert stairs.levels[:3] == ("0.05 mA/cm2", "0.06 mA/cm2", "0.07 mA/cm2")
    assert stairs.levels[-1] == "1 mA/cm2"
    assert [leaf.step_id for leaf in leaves((stairs,))] == list(range(1, 97))


def test_levels_may_go_down_and_through_zero_volt() -> None:
    [stairs] = compiled(
        """
        - staircase: {from: 0.1 V, to: -0.1 V, step: 0.1 V}
          as: potential
          steps: [{ca: $potential, for: 5 s}]
        """
    ).steps
    assert isinstance(stairs, Staircase)
    assert [one[0].level for one in stairs.passes if isinstance(one[0], Hold)] == [0.1, 0.0, -0.1]


def test_repeats_stay_structure() -> None:
    [repeat] = compiled("- {repeat: 50000, steps: [{rest: 1 s}, {strip: 1 mA/cm2, for: 1 s}]}").steps
    assert isinstance(repeat, Repeat)
    assert (repeat.times, len(repeat.steps)) == (50000, 2)


def test_a_pulse_is_a_repeat_whose_cutoffs_end_the_train() -> None:
    [train] = compiled(
        """
        - pulse: {strip: 1 mA/cm2}
          on: 1 s
          off: 5 s
          repeat: forever
          until: [{Ewe_above: 3 V, then: end run}, {Ewe_below: 0 V}]
        """
    ).steps
    assert isinstance(train, Repeat)
    on, off = train.steps
    assert isinstance(on, Hold) and isinstance(off, Hold)
    assert (on.level, on.duration_s, off.level, off.duration_s) == (0.5e-3, 1.0, None, 5.0)
    assert [(c.value, c.then) for c in on.cutoffs] == [(3.0, "end run"), (0.0, "end loop")]
    assert train.times is None


@pytest.mark.parametrize(("charge", "pulses"), [("20 mAh/cm2", 72000), ("0.1 C", 200), ("0.4 mC", 1)])
def test_the_charge_of_a_train_is_a_number_of_pulses(charge: str, pulses: int) -> None:
    [train] = compiled(
        f"- {{pulse: {{plate: 1 mA/cm2}}, on: 1 s, off: 1 s, repeat: forever, until: {{charge: {charge}}}}}"
    ).steps
    assert isinstance(train, Repeat)
    assert train.times == pulses


def test_a_repeat_until_a_charge_counts_whole_passes() -> None:
    [repeat] = compiled(
        "- {repeat: forever, until: {charge: 1 mAh/cm2}, steps: [{strip: 0.3 mA/cm2, for: 1 h}, {rest: 1 h}]}"
    ).steps
    assert isinstance(repeat, Repeat)
    assert repeat.times == 4


def test_spectra_have_their_frequencies_as_real_instruments_space_them() -> None:
    """A real SP-300 asked for 200 kHz to 100 Hz at 6 per decade measured 21 frequencies."""
    head = HEAD.replace("from: 100 kHz, to: 10 Hz, per_decade: 5", "from: 200 kHz, to: 100 Hz, per_decade: 6")
    [spectrum] = compiled("- geis: g", head=head).steps
    assert isinstance(spectrum, Spectrum)
    measured = [199998.14, 136765.14, 93527.32, 63956.72, 146.26, 99.968]
    assert len(spectrum.sweep.frequencies_Hz) == 21
    found = [*spectrum.sweep.frequencies_Hz[:4], *spectrum.sweep.frequencies_Hz[-2:]]
    assert found == pytest.approx(measured, rel=4e-4)


def test_spectra_run_under_the_sign_of_their_current() -> None:
    steps = compiled(
        "- {geis: g, during: {plate: 1 mA/cm2}}\n- {geis: g}\n- {peis: p, during: {ca: 0 V}}"
    ).steps
    assert [step.bias for step in steps if isinstance(step, Spectrum)] == [-0.5e-3, None, 0.0]


def test_rules_and_limits_are_numbers() -> None:
    head = HEAD + ""
    head = head.replace(
        "steps:",
        "stop_when: {short: {Ewe_falls_by: 75 %, within: 2 min, below: 15 mV}, Ewe_below: 0 V}\nsteps:",
    )
    plan = compiled("- rest: 1 s", head=head)
    assert plan.short == ShortRule(0.75, 120.0, 0.015, 3)
    assert [(goal.side, goal.value_V, goal.text) for goal in plan.goals] == [("below", 0.0, "Ewe below 0 V")]
    assert (plan.limits.Ewe_min_V, plan.limits.I_max_A, plan.limits.time_s) == (-3.0, 0.01, 360000.0)


@given(st.floats(1e-3, 1e3), st.floats(0.01, 100))
def test_twice_the_area_is_twice_the_current(j_mA_cm2: float, area_cm2: float) -> None:
    one, two = (
        compiled(f"- {{strip: {j_mA_cm2!r} mA/cm2, for: 1 h}}", replace(CELL, area_cm2=area)).steps[0]
        for area in (area_cm2, 2 * area_cm2)
    )
    assert isinstance(one, Hold) and isinstance(two, Hold)
    assert two.level == pytest.approx(2 * (one.level or 0), rel=1e-12)
    assert (two.duration_s, two.label) == (one.duration_s, one.label)


MIRROR = """
- {word}: 0.4 mA/cm2
  for: 0.2 mAh/cm2
  spectra: g
- repeat: 3
  steps:
    - {{geis: g, during: {{{word}: 0.1 mA/cm2}}}}
    - {{pulse: {{{word}: 1 mA/cm2}}, on: 1 s, off: 1 s, repeat: 5}}
"""


def test_turning_the_polarity_negates_every_current_and_changes_nothing_else() -> None:
    strip, plate = (leaves(compiled(MIRROR.format(word=word)).steps) for word in ("strip", "plate"))
    for one, two in zip(strip, plate, strict=True):
        assert type(one) is type(two)
        for name in one.__slots__:
            a, b = getattr(one, name), getattr(two, name)
            if name in ("level", "bias"):
                assert a == (None if b is None else -b)
            elif name == "label":
                assert a.replace("strip", "plate") == b.replace(" -", " ")
            elif name != "mark":
                assert a == b


FAULTS = [
    ("- cp: 0 A\n  for: 1 mAh", 10, "0 A"),
    ("- repeat: forever\n  until: {charge: 1 mAh}\n  steps: [{rest: 1 s}]", 10, "no net charge"),
    ("- repeat: 5\n  until: {charge: 1 mAh}\n  steps: [{ca: 1 V, for: 1 s}]", 10, "known only for"),
    # 0 V is a potential: its charge is the cell's affair
    ("- repeat: 5\n  until: {charge: 1 mAh}\n  steps: [{peis: p, during: {ca: 0 V}}]", 10, "known only for"),
    (
        "- repeat: 5\n  until: {charge: 1 mAh}\n  steps: [{cp: 1 A, for: 1 s, until: {Ewe_above: 1 V}}]",
        10,
        "shorten",
    ),
    ("- {pulse: {cp: 0 A}, on: 1 s, off: 1 s, repeat: 5, until: {charge: 1 C}}", 9, "no net charge"),
    (
        "- {pulse: {cp: 1 A}, on: 1 s, off: 1 s, repeat: 5, until: {charge: 1 C, then: end run}}",
        9,
        "goes on to the next step",
    ),
    ("- geis: {amplitude: 1 uA, from: 1 MHz, to: 1 uHz, per_decade: 1000}", 9, "too many"),
    ("- staircase: {from: 0 V, to: 6 V, step: 1 mV}\n  steps: [{ca: $level, for: 1 s}]", 9, "too many"),
    (
        "- staircase: {from: 0 V, to: 4 V, step: 1 mV}\n  steps: [{ca: $level, for: 1 s}, {rest: 1 s}]",
        10,
        "use repeat",
    ),
]


@pytest.mark.parametrize(("steps", "line", "phrase"), FAULTS)
def test_faults_point_at_their_line(steps: str, line: int, phrase: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        compiled(steps)
    assert any(fault.mark.line == line and phrase in fault.message for fault in caught.value.faults), (
        caught.value
    )


def test_a_repeat_that_nothing_ends_is_a_fault() -> None:
    head = HEAD.replace(", time: 100 h", "")
    with pytest.raises(ProtocolError, match="nothing ends this repeat"):
        compiled("- {repeat: forever, steps: [{rest: 1 s}]}", head=head)
    compiled(
        "- {repeat: forever, steps: [{rest: 1 s, until: {Ewe_above: 1 V, then: end loop}}]}", head=head
    )  # is no fault


def test_all_faults_are_told_at_once() -> None:
    lines = ["- {cp: 0 A, for: 1 mAh}", "- {cp: 0 A, for: 1 C}", "- {cp: 0 A, for: 1 mAh/cm2}"]
    with pytest.raises(ProtocolError) as caught:
        compiled("\n".join(lines))
    assert [fault.mark.line for fault in caught.value.faults] == [9, 10, 11]
