"""Plan -> program: ranges, and the sweeps of spectra."""

from __future__ import annotations

import pytest
from compiling import CP, HEAD, chain, lowered, lowered_sweep, segments

from nakctl.device.instrument import instrument, instruments
from nakctl.device.program import (
    Ca,
    Cp,
    Eis,
    Loop,
    Ocv,
)
from nakctl.errors import ProtocolError
from nakctl.text.quantities import range_of, ranges_of


@pytest.mark.parametrize(
    ("step", "I_range"),
    [
        ("{strip: 99 uA, for: 1 h}", "100 uA"),
        ("{strip: 99.1 uA, for: 1 h}", "1 mA"),  # without head-room half of its rows were overloads
        ("{plate: 0.1 mA, for: 1 h}", "1 mA"),
        ("{strip: 95 uA, for: 1 h, spectra: g}", "1 mA"),  # 5 uA on top
        ("{strip: 90 uA, for: 1 h, spectra: g}", "100 uA"),
        ("{geis: g}", "100 uA"),  # twice the amplitude
        ("{geis: {amplitude: 4.9 uA, from: 1 kHz, to: 10 Hz, points: 3}}", "10 uA"),
        ("{ca: 1 V, for: 1 h}", "100 mA"),  # shows more than the run's limit of 10 mA
        ("{peis: p, during: {ca: 1 V}}", "100 mA"),
        ("{strip: 1 uA, for: 1 h, ranges: {I: 10 mA}}", "10 mA"),
    ],
)
def test_the_current_range_holds_bias_and_amplitude(step: str, I_range: str) -> None:
    every = [t for segment in segments(lowered(f"- {step}")) for t in segment.techniques]
    assert {t.hardware.I_range for t in every if not isinstance(t, Loop)} == {I_range}


@pytest.mark.parametrize(
    ("own", "expected"),
    [("{}", ("1 mA", "10 V", 3)), ("{I: 10 mA, E: 2.5 V, bandwidth: 7}", ("10 mA", "2.5 V", 7))],
)
def test_the_ranges_of_a_step_go_before_those_of_its_spectra(own: str, expected: tuple) -> None:
    head = HEAD.replace("{kind: peis,", "{kind: peis, ranges: {I: 1 mA, E: 10 V, bandwidth: 3},")
    main, _ = segments(lowered(f"- {{ca: 1 V, for: 1 h, spectra: p, ranges: {own}}}", head=head))
    [hardware] = {each.hardware for each in main.techniques if isinstance(each, Eis)}
    assert (hardware.I_range, hardware.E_range, hardware.bandwidth) == expected


def test_the_potential_range_shows_more_than_the_limits() -> None:
    """Readings stop at its end: 0.1 mA drove a cell of 100 kohm to 10 V, and all of them said 5.000 V."""
    for window, name in (
        ("[-2 V, 2 V]", "2.5 V"),
        ("[-2.475 V, 2.475 V]", "2.5 V"),
        ("[-1 V, 2.5 V]", "5 V"),
        ("[-2.5 V, 1 V]", "5 V"),
        ("[-3 V, 3 V]", "5 V"),
        ("[-5 V, 5 V]", "10 V"),
        ("[0 V, 9 V]", "10 V"),
    ):
        [technique] = chain(lowered(f"- {{{CP}}}", head=HEAD.replace("[-3 V, 3 V]", window)))
        assert isinstance(technique, Cp)
        assert technique.hardware.E_range == name


def test_spectra_during_a_hold_fill_it_exactly() -> None:
    sweep_s = sum(
        instrument("SP-300").eis_seconds(f_Hz, 1, 0.1) for f_Hz in lowered_sweep("- geis: g").frequencies_Hz
    )
    main, _ = segments(lowered("- {strip: 1 mA/cm2, for: 1 h, spectra: g}"))
    sentinel, eis, loop, rest = main.techniques
    assert (
        isinstance(sentinel, Cp) and isinstance(eis, Eis) and isinstance(loop, Loop) and isinstance(rest, Cp)
    )
    assert loop.times is not None and not loop.passes
    assert loop.times * (sweep_s + sentinel.duration_s) + rest.duration_s == pytest.approx(3600.0)
    assert (sentinel.I_A, eis.bias, rest.I_A) == (0.5e-3, 0.5e-3, 0.5e-3)


def test_peis_at_open_circuit_is_biased_against_a_fresh_ocv() -> None:
    ocv, eis = chain(lowered("- peis: p"))
    assert isinstance(ocv, Ocv) and isinstance(eis, Eis)
    assert (eis.vs_previous, eis.bias) == (True, 0.0)
    main, _ = segments(lowered("- {rest: 1 h, spectra: {use: p, every: 5 min}}"))
    ocv, eis, gap, loop = main.techniques
    assert isinstance(ocv, Ocv) and isinstance(gap, Ocv) and isinstance(loop, Loop)
    assert (loop.times, loop.to) == (12, 0)


@pytest.mark.parametrize("bias_V", [1.0, 0.0])
def test_peis_at_a_given_potential_does_not_ask_what_was_before(bias_V: float) -> None:
    eis = chain(lowered(f"- rest: 1 s\n- {{peis: p, during: {{ca: {bias_V} V}}}}"))[-1]
    assert isinstance(eis, Eis)
    assert (eis.vs_previous, eis.bias) == (False, bias_V)


def test_a_list_of_frequencies_becomes_as_few_even_sweeps_as_can_be() -> None:
    step = "- geis: {amplitude: 1 uA, frequencies: '1000, 100, 10, 8, 6, 4, 1 Hz'}"
    sweeps = [t for t in chain(lowered(step)) if isinstance(t, Eis)]
    assert [(t.f_first_Hz, t.f_last_Hz, t.n_frequencies, t.spacing, t.continues) for t in sweeps] == [
        (1000.0, 10.0, 3, "log", False),
        (8.0, 4.0, 3, "linear", True),
        (1.0, 1.0, 1, "log", True),
    ]


@pytest.mark.parametrize(
    ("written", "named"),
    [("I: 1mA", "1 mA"), ("I: 10 \u00b5A", "10 uA"), ("I: 10\u03bcA", "10 uA"), ("I: 10uA", "10 uA"), ("I: 0.1 A", "100 mA"), ("I: [1 mA]", "1 mA"),
     ("E: 5V", "5 V"), ("E: 2500 mV", "2.5 V")],
)  # fmt: skip
def test_a_range_has_one_name_however_it_is_spelt(written: str, named: str) -> None:
    """The names are those of the instrument: what is none of them would be no range of it."""
    (cp,) = chain(lowered(f"- {{cp: 1 uA, for: 1 h, ranges: {{{written}}}}}"))
    assert (cp.hardware.I_range if written[0] == "I" else cp.hardware.E_range) == named


def test_each_range_of_each_instrument_is_named_as_protocols_name_it() -> None:
    for known in map(instrument, instruments()):
        currents, potentials = ([each.name for each in of] for of in (known.I_ranges, known.E_ranges))
        assert list(map(ranges_of("current"), currents)) == currents
        assert list(map(range_of("potential"), potentials)) == potentials


@pytest.mark.parametrize("written", ["'1uA,10uA'", "[1 uA, 10\u00b5A]", "'1, 10 uA'", "'0.001 mA, 10uA'"])
def test_a_list_of_ranges_is_spelt_as_other_lists_are(written: str) -> None:
    steps = f"- staircase: 0.1, 0.2 V\n  steps: [{{ca: $level, for: 1 h, ranges: {{I: {written}}}}}]"
    assert [each.hardware.I_range for each in chain(lowered(steps)) if isinstance(each, Ca)] == [
        "1 uA",
        "10 uA",
    ]


def test_a_sweep_in_a_staircase_may_have_a_range_for_each_level() -> None:
    sweep = "{amplitude: 0.1 uA, frequencies: [1 Hz], ranges: {I: [10 uA, 100 uA]}}"
    steps = f"- staircase: 1, 2 uA\n  steps: [{{geis: {sweep}, during: {{cp: $level}}}}]"
    found = [each.hardware.I_range for each in chain(lowered(steps)) if isinstance(each, Eis)]
    assert found == ["10 uA", "100 uA"]


def test_a_staircase_may_have_a_range_for_each_level() -> None:
    stairs = "- staircase: 0.1, 0.2, 0.3 V\n  steps: [{{ca: $level, for: 1 h, ranges: {{I: '{}'}}}}]"
    techniques = chain(lowered(stairs.format("1 uA, 10 uA, 1 mA")))
    assert [each.hardware.I_range for each in techniques if isinstance(each, Ca)] == ["1 uA", "10 uA", "1 mA"]
    with pytest.raises(ProtocolError, match=r"2 ranges, one for each level: .* has 3 levels"):
        lowered(stairs.format("1 uA, 10 uA"))
    with pytest.raises(ProtocolError, match="no staircase is around it"):
        lowered("- {ca: 1 V, for: 1 h, ranges: {I: '1 uA, 10 uA'}}")
