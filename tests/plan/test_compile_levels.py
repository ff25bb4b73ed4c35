"""Staircases over any quantity, and spectra that are not evenly apart."""

from __future__ import annotations

import textwrap

import pytest
from compiling import HEAD, chain, compiled, lowered

from nakctl.device.instrument import instrument
from nakctl.device.program import Eis, Loop, Ocv, Segment, SetPoint
from nakctl.errors import ProtocolError
from nakctl.plan.plan import Hold, Staircase, leaves
from nakctl.plan.techniques import sweep_seconds

LONG = HEAD.replace("time: 100 h", "time: 3000 h")


def levels(written: str, use: str = "{strip: $level, for: 1 h}") -> tuple[str, ...]:
    [stairs] = compiled(f"- staircase: {written}\n  steps: [{use}]").steps
    assert isinstance(stairs, Staircase)
    return stairs.levels


@pytest.mark.parametrize(
    ("written", "use", "texts"),
    [
        ("{from: 25 degC, to: 80 degC, step: 27.5 K}", "{set: {chamber: $level}}, {rest: 1 s}", ("25 degC", "52.5 degC", "80 degC")),
        ("25, 60 degC", "{wait: {sensor: c, within: 1 K, of: $level, for: 1 min, at_most: 1 h, then: end run}}", ("25 degC", "60 degC")),
        ("1, 5, 10 MPa", "{set: {press: $level}}, {rest: 1 s}", ("1 MPa", "5 MPa", "10 MPa")),
        ("{from: 1 min, to: 8 min, factor: 2}", "{rest: $level}", ("1 min", "2 min", "4 min", "8 min")),
        ("{from: 8 min, to: 1 min, factor: 2}", "{rest: $level}", ("8 min", "4 min", "2 min", "1 min")),
        ("{from: 10 uAh, to: 30 uAh, step: 10 uAh}", "{strip: 1 mA, for: $level}", ("10 uAh", "20 uAh", "30 uAh")),
        ("0.1, 0.2 mAh/cm2", "{strip: 1 mA, for: $level}", ("0.1 mAh/cm2", "0.2 mAh/cm2")),
        ("{from: 1 uA/cm2, to: 100 uA/cm2, points: 3, spacing: log}", "{strip: $level, for: 1 h}", ("1 uA/cm2", "10 uA/cm2", "100 uA/cm2")),
        ("{from: 0 mV, to: 100 mV, points: 3}", "{ca: $level, for: 1 h}", ("0 mV", "50 mV", "100 mV")),
        ("{from: -0.1 V, to: -0.8 V, factor: 2}", "{ca: $level, for: 1 h}", ("-0.1 V", "-0.2 V", "-0.4 V", "-0.8 V")),
        ("1, 10 kohm", "{load: $level, for: 1 h}", ("1 kohm", "10 kohm")),
        ("-1, -2 mW/cm2", "{power: $level, for: 1 h}", ("-1 mW/cm2", "-2 mW/cm2")),
        ("10, 20 mC", "{strip: 1 mA, for: $level}", ("10 mC", "20 mC")),
        ("0.5, 1 C", "{strip: 1 mA, for: $level}", ("0.5 C", "1 C")),
        ("500 mC, 1 C", "{strip: 1 mA, for: $level}", ("500 mC", "1 C")),
    ],
)  # fmt: skip
def test_levels_of_any_quantity(written: str, use: str, texts: tuple[str, ...]) -> None:
    assert levels(written, use) == texts


def test_a_level_is_what_its_place_takes_it_for() -> None:
    plan = compiled("- staircase: 0.36, 0.72 C\n  steps: [{strip: 1 mA, for: $level}]")
    assert [leaf.duration_s for leaf in leaves(plan.steps) if isinstance(leaf, Hold)] == [360.0, 720.0]
    plan = compiled("- staircase: 25, 60 degC\n  steps: [{set: {chamber: $level}}, {rest: 1 s}]")
    stairs = plan.steps[0]
    assert isinstance(stairs, Staircase)
    [one, other] = [step for one_pass in stairs.passes for step in one_pass if isinstance(step, SetPoint)]
    assert (one.value, other.value, other.label) == (298.15, 333.15, "1.1 set chamber 60 degC")


@pytest.mark.parametrize(
    ("written", "use", "phrase"),
    [
        ("{from: 1 mA, to: 10 mA, factor: 2}", "{strip: $level, for: 1 h}", "factors of 2 from 1 mA do not come to 10 mA: write `to: 8 mA or 16 mA`, or points instead"),
        ("{from: 0.1 mA, to: 0.3 mA, step: 0.15 mA}", "{strip: $level, for: 1 h}", "do not end at 0.3 mA: write `to: 0.25 mA or 0.4 mA`"),
        ("{from: 1 mA, to: 10 mA}", "{strip: $level, for: 1 h}", "needs one of: step, factor, points"),
        ("{from: 1 mA, to: 10 mA, step: 1 mA, points: 3}", "{strip: $level, for: 1 h}", "step and points at once"),
        ("{from: 1 mA, to: 10 mA, factor: 1}", "{strip: $level, for: 1 h}", "a factor of 1 leads nowhere"),
        ("{from: 0 V, to: 1 V, factor: 2}", "{ca: $level, for: 1 h}", "over zero"),
        ("{from: -1 V, to: 1 V, points: 3, spacing: log}", "{ca: $level, for: 1 h}", "over zero, or to the other sign"),
        ("{from: 25 degC, to: 50 degC, factor: 2}", "{set: {c: $level}}, {rest: 1 s}", "over a scale of temperature"),
        ("{from: 25 degC, to: 80 degC, step: 5 degC}", "{set: {c: $level}}, {rest: 1 s}", "the step between temperatures is written in K"),
        ("{from: 1 mA, to: 1 mA, points: 3}", "{strip: $level, for: 1 h}", "there is one level"),
        ("{from: 1 mA, to: 2 mA, step: 1 mA, spacing: log}", "{strip: $level, for: 1 h}", "spacing says how points are spaced"),
        ("1, 2 min", "{strip: $level, for: 1 h}", "1 min is a time: expected a current"),
        ("1 min, 2 mA", "{rest: $level}", "do not belong in one list"),
        ("5", "{rest: $level}", "5 has no unit: a quantity needs one; did you mean 5 mA/cm2, 5 V or 5 degC?"),
    ],
)  # fmt: skip
def test_levels_that_cannot_be(written: str, use: str, phrase: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        levels(written, use)
    assert phrase in str(caught.value)


def starts_s(steps: str, name: str = "SP-300") -> list[float]:
    """When spectra begin, by the program."""
    [segment, _] = lowered(steps, name, head=LONG).nodes
    assert isinstance(segment, Segment)
    found, now_s, times, at = [], 0.0, 1, 0
    techniques = segment.techniques
    while at < len(techniques):
        each = techniques[at]
        if isinstance(each, Eis):
            found.append(now_s)
            now_s += sum(
                instrument(name).eis_seconds(f, each.average, each.wait_periods) for f in _frequencies(each)
            )
        elif isinstance(each, Loop):
            assert each.times is not None and each.to == at - 1
            before = techniques[at - 1]
            assert isinstance(before, Ocv)
            now_s += before.duration_s * (each.times - 1)
        else:
            now_s += each.duration_s
        at += times
    return found


def _frequencies(each: Eis) -> tuple[float, ...]:
    from nakctl.plan.sweeps import spread

    return spread(each.f_first_Hz, each.f_last_Hz, each.n_frequencies, each.spacing)


@pytest.mark.parametrize("sweep", ["g", "p"])
def test_spectra_at_listed_times(sweep: str) -> None:
    steps = f"- rest: 101 h\n  spectra: {{use: {sweep}, at: '10 s, 1 min, 10 min, 1 h, 10 h, 100 h'}}"
    assert starts_s(steps) == pytest.approx([10, 60, 600, 3600, 36000, 360000], abs=0.01)


def test_spectra_at_growing_times() -> None:
    steps = "- rest: 1 h\n  spectra: {use: g, every: 30 s, growing_by: 2}"
    assert starts_s(steps) == pytest.approx([0, 30, 90, 210, 450, 930, 1890], abs=0.01)


def test_the_plan_knows_the_times() -> None:
    [hold] = compiled("- {rest: 1 h, spectra: {use: g, at: [10 s, 1 min]}}").steps
    assert isinstance(hold, Hold) and hold.spectra is not None
    assert (hold.spectra.starts_s, hold.spectra.every_s) == ((10.0, 60.0), None)


def test_under_current_the_hold_before_each_spectrum_keeps_the_limits() -> None:
    [segment, _] = lowered("- {strip: 1 mA, for: 1 h, spectra: {use: g, at: '10 s, 10 min'}}").nodes
    assert isinstance(segment, Segment)
    kinds = [type(each).__name__ for each in segment.techniques]
    assert kinds == ["Cp", "Eis", "Cp", "Eis", "Cp"]
    assert sum(getattr(each, "duration_s", 0.0) for each in segment.techniques) == pytest.approx(
        3600 - 2 * sweep_seconds(compiled("- {geis: g}").steps[0].sweep, instrument("SP-300")),
        abs=0.02,  # type: ignore[union-attr]
    )


@pytest.mark.parametrize(
    ("spectra", "phrase"),
    [
        ("{use: g, at: '10 s, 2 h'}", "2 h is not within the step"),
        ("{use: g, at: '1 min, 10 s'}", "1 min comes too early"),
        ("{use: g, at: 10 s, every: 1 min}", "leave every and growing_by out"),
        ("{use: g, growing_by: 2}", "growing_by needs every"),
        ("{use: g, every: 1 s, growing_by: 0.5}", "is not greater than 1"),
        ("{use: g, every: 1 s, growing_by: 1.0001}", "more than 200 spectra"),
    ],
)
def test_times_that_cannot_be(spectra: str, phrase: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        compiled(f"- {{rest: 1 h, spectra: {spectra}}}")
    assert phrase in str(caught.value)


def test_a_long_staircase_is_one_chain() -> None:
    steps = textwrap.dedent("- staircase: {from: 1 s, to: 16 s, factor: 2}\n  steps: [{rest: $level}]")
    assert [each.duration_s for each in chain(lowered(steps)) if isinstance(each, Ocv)] == [1, 2, 4, 8, 16]
