"""Plan -> program: who watches what, what is one chain, which range."""

from __future__ import annotations

import pytest
from compiling import HEAD, compiled, lowered
from hypothesis import given
from hypothesis import strategies as st

from nakctl.device.limits import instrument
from nakctl.device.program import Ca, Cp, Eis, HostLoop, Loop, Node, Ocv, Program, Segment, Technique, Test
from nakctl.plan.plan import Hold, Plan, Repeat, Staircase

CP = "strip: 1 mA/cm2, for: 1 h"


def chain(program: Program) -> tuple[Technique, ...]:
    [segment] = program.nodes
    assert isinstance(segment, Segment)
    return segment.techniques


def kinds(nodes: tuple[Node, ...]) -> list[object]:
    """The shape of a program: names of techniques, lists for segments, tuples for host loops."""
    return [
        (node.times, kinds(node.body))
        if isinstance(node, HostLoop)
        else [type(t).__name__ if not isinstance(t, Loop) else (t.to, t.times) for t in node.techniques]
        for node in nodes
    ]


SHAPES = [
    ("a plain sequence is one chain", f"- rest: 1 h\n- {{{CP}}}\n- {{ca: 1 V, for: 1 h}}", [["Ocv", "Cp", "Ca"]]),
    ("pulses loop on the device", f"- {{repeat: 50000, steps: [{{{CP}}}, {{rest: 1 s}}]}}", [["Cp", "Ocv", (0, 50000)]]),
    ("loops nest on the device", f"- rest: 1 s\n- repeat: 3\n  steps:\n    - {{{CP}}}\n    - {{repeat: 4, steps: [{{rest: 1 s}}]}}",
     [["Ocv", "Cp", "Ocv", (2, 4), (1, 3)]]),
    ("once is no loop", f"- {{repeat: 1, steps: [{{{CP}}}]}}", [["Cp"]]),
    ("a cutoff at rest is the host's", f"- {{rest: 1 h, until: {{Ewe_below: 0 V}}}}\n- {{{CP}}}", [["Ocv"], ["Cp"]]),
    ("but the end of the run needs no chain of its own", f"- {{rest: 1 h, until: {{Ewe_below: 0 V, then: end run}}}}\n- {{{CP}}}",
     [["Ocv", "Cp"]]),
    ("a host's cutoff makes a host's loop", f"- {{repeat: 9, steps: [{{rest: 1 h, until: {{Ewe_below: 0 V}}}}, {{{CP}}}]}}",
     [(9, [["Ocv"], ["Cp"]])]),
    ("the device leaves a loop by stopping its chain", f"- {{repeat: 9, steps: [{{{CP}, until: {{Ewe_above: 1 V, then: end loop}}}}]}}\n- rest: 1 s",
     [["Cp", (0, 9)], ["Ocv"]]),
    ("a staircase that may be left is a host's loop, done once",
     "- staircase: 1, 2 mA\n  steps: [{strip: $level, for: 1 s, until: {Ewe_above: 1 V, then: end loop}}]\n- rest: 1 s",
     [(1, [["Cp", "Cp"]]), ["Ocv"]]),
    ("a long step that a cutoff may end is skipped by the host", "- {strip: 1 mA/cm2, for: 30 h, until: {Ewe_above: 1 V}}\n- rest: 1 s",
     [["Cp", "Cp", "Cp"], ["Ocv"]]),
    ("long rests are split", "- rest: 30 h", [["Ocv", "Ocv", "Ocv"]]),
    ("spectra are a loop and a last hold", "- {strip: 1 mA/cm2, for: 1 h, spectra: g}", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "shape"), [row[1:] for row in SHAPES if row[2]], ids=[row[0] for row in SHAPES if row[2]]
)
def test_shapes(steps: str, shape: list[object]) -> None:
    assert kinds(lowered(steps).nodes) == shape


def test_chains_are_no_longer_than_the_instrument_holds() -> None:
    steps = "- staircase: {from: 1 uA, to: 100 uA, step: 1 uA}\n  steps: [{strip: $level, for: 1 s}, {geis: g, during: {strip: $level}}]"
    program = lowered(steps)
    lengths = [len(node.techniques) for node in program.nodes if isinstance(node, Segment)]
    assert sum(lengths) == 200
    assert max(lengths) <= instrument("SP-300").chain_length
    assert len(lengths) == -(-200 // instrument("SP-300").chain_length)


# --- who watches ---------------------------------------------------------------------------------------

E_ABOVE, E_BELOW = Test("Ewe", "above", 3.0), Test("Ewe", "below", -3.0)
WATCHED = [
    # cutoffs, tests, on_test, watchers, alone
    ("", {E_ABOVE, E_BELOW}, "stop", []),
    ("{Ewe_above: 1 V}", {Test("Ewe", "above", 1.0), E_BELOW}, "next", ["instrument"]),
    ("{Ewe_above: 0 V}", {Test("Ewe", "above", 0.0), E_BELOW}, "next", ["instrument"]),
    ("{Ewe_above: 5 V}", {Test("Ewe", "above", 5.0), E_ABOVE, E_BELOW}, "next", ["instrument"]),
    ("{Ewe_above: 1 V, then: end run}", {Test("Ewe", "above", 1.0), E_BELOW}, "stop", ["instrument"]),
    ("[{Ewe_above: 1 V}, {Ewe_below: 0 V, then: end run}]", {Test("Ewe", "above", 1.0), Test("Ewe", "below", 0.0)}, "stop",
     ["instrument", "instrument"]),
    ("{charge: 1 mAh, then: end run}", {E_ABOVE, E_BELOW}, "stop", ["host"]),
]  # fmt: skip


@pytest.mark.parametrize(("until", "tests", "on_test", "watchers"), WATCHED)
def test_the_instrument_tests_what_it_can(
    until: str, tests: set[Test], on_test: str, watchers: list[str]
) -> None:
    words = f", until: {until}" if until else ""
    program = lowered(f"- {{{CP}{words}}}")
    [technique] = chain(program)
    assert isinstance(technique, Cp)
    assert set(technique.tests) == tests
    assert technique.on_test == on_test
    assert [cutoff.by for cutoff in program.step(1).cutoffs] == watchers


def test_a_limit_of_current_takes_two_of_three_tests_under_potential_control() -> None:
    program = lowered("- {ca: 1 V, for: 1 h, until: [{I_below: 1 uA}, {I_above: 5 mA, then: end run}]}")
    [technique] = chain(program)
    assert isinstance(technique, Ca)
    assert technique.tests == (Test("|I|", "below", 1e-6),)
    assert [cutoff.by for cutoff in program.step(1).cutoffs] == ["instrument", "host"]


def test_the_wanted_end_at_a_potential_is_tested_on_the_instrument() -> None:
    head = HEAD.replace("steps:", "stop_when: {Ewe_above: 2.5 V}\nsteps:")
    [technique] = chain(lowered(f"- {{{CP}}}", head=head))
    assert isinstance(technique, Cp)
    assert Test("Ewe", "above", 2.5) in technique.tests


# --- ranges and spectra ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "I_range"),
    [
        ("{strip: 100 uA, for: 1 h}", "100 uA"),
        ("{plate: 101 uA, for: 1 h}", "1 mA"),
        ("{strip: 96 uA, for: 1 h, spectra: g}", "1 mA"),  # 5 uA on top
        ("{strip: 90 uA, for: 1 h, spectra: g}", "100 uA"),
        ("{geis: g}", "10 uA"),  # twice the amplitude
        ("{ca: 1 V, for: 1 h}", "10 mA"),  # the run's limit
        ("{strip: 1 uA, for: 1 h, ranges: {I: 10 mA}}", "10 mA"),
    ],
)
def test_the_current_range_holds_bias_and_amplitude(step: str, I_range: str) -> None:
    techniques = chain(lowered(f"- {step}"))
    assert {t.hardware.I_range for t in techniques if not isinstance(t, Loop)} == {I_range}


def test_the_potential_range_holds_the_limits() -> None:
    for window, name in (("[-2 V, 2 V]", "2.5 V"), ("[-3 V, 3 V]", "5 V"), ("[0 V, 9 V]", "10 V")):
        [technique] = chain(lowered(f"- {{{CP}}}", head=HEAD.replace("[-3 V, 3 V]", window)))
        assert isinstance(technique, Cp)
        assert technique.hardware.E_range == name


def test_spectra_during_a_hold_fill_it_exactly() -> None:
    sweep_s = sum(
        instrument("SP-300").eis_seconds(f_Hz, 1, 0.1) for f_Hz in lowered_sweep("- geis: g").frequencies_Hz
    )
    eis, loop, rest = chain(lowered("- {strip: 1 mA/cm2, for: 1 h, spectra: g}"))
    assert isinstance(eis, Eis) and isinstance(loop, Loop) and isinstance(rest, Cp)
    assert loop.times is not None and not loop.passes
    assert loop.times * sweep_s + rest.duration_s == pytest.approx(3600.0)
    assert (eis.bias, rest.I_A) == (0.5e-3, 0.5e-3)


def lowered_sweep(step: str):
    spectrum = compiled(step).steps[0]
    return spectrum.sweep  # type: ignore[union-attr]


def test_peis_at_open_circuit_is_biased_against_a_fresh_ocv() -> None:
    ocv, eis = chain(lowered("- peis: p"))
    assert isinstance(ocv, Ocv) and isinstance(eis, Eis)
    assert (eis.vs_previous, eis.bias) == (True, 0.0)
    ocv, eis, gap, loop = chain(lowered("- {rest: 1 h, spectra: {use: p, every: 5 min}}"))
    assert isinstance(ocv, Ocv) and isinstance(gap, Ocv) and isinstance(loop, Loop)
    assert (loop.times, loop.to) == (12, 0)


def test_a_list_of_frequencies_becomes_as_few_even_sweeps_as_can_be() -> None:
    step = "- geis: {amplitude: 1 uA, frequencies: '1000, 100, 10, 8, 6, 4, 1 Hz'}"
    sweeps = [t for t in chain(lowered(step)) if isinstance(t, Eis)]
    assert [(t.f_first_Hz, t.f_last_Hz, t.n_frequencies, t.spacing, t.continues) for t in sweeps] == [
        (1000.0, 10.0, 3, "log", False),
        (8.0, 4.0, 3, "linear", True),
        (1.0, 1.0, 1, "log", True),
    ]


# --- nothing is lost on the way ----------------------------------------------------------------------------


def plan_charge_C(steps, times: int = 1) -> float:
    total = 0.0
    for step in steps:
        match step:
            case Repeat():
                total += plan_charge_C(step.steps, times * (step.times or 1))
            case Staircase():
                total += sum(plan_charge_C(one, times) for one in step.passes)
            case Hold():
                total += times * (step.level or 0.0) * step.duration_s
    return total


def chain_charge_C(nodes: tuple[Node, ...], plan: Plan) -> float:
    total = 0.0
    for node in nodes:
        if isinstance(node, HostLoop):
            total += (node.times or 1) * chain_charge_C(node.body, plan)
            continue
        for k, technique in enumerate(node.techniques):
            if isinstance(technique, Loop):
                continue
            times = 1
            for loop_at, loop in enumerate(node.techniques):
                if isinstance(loop, Loop) and loop.to <= k < loop_at:
                    times *= loop.times or 1
            total += times * charge_of_C(technique)
    return total


def charge_of_C(technique: Technique) -> float:
    match technique:
        case Cp():
            return technique.I_A * technique.duration_s
        case Eis(control="GEIS"):
            frequencies = lowered_sweep("- geis: g").frequencies_Hz
            return technique.bias * sum(instrument("SP-300").eis_seconds(f, 1, 0.1) for f in frequencies)
        case _:
            return 0.0


HOLD = st.sampled_from(
    [
        "{strip: 1 mA/cm2, for: 1 h}",
        "{plate: 0.3 mA/cm2, for: 40 h}",
        "{strip: 1 mA/cm2, for: 0.2 mAh/cm2, spectra: g}",
        "{plate: 1 mA/cm2, for: 1 h, spectra: {use: g, every: 2 min}}",
        "{rest: 13 h}",
        "{strip: 1 mA/cm2, for: 1 h, until: {Ewe_above: 1 V}}",
        "{rest: 1 h, until: {Ewe_below: 0 V}}",
        "{pulse: {strip: 1 mA/cm2}, on: 1 s, off: 5 s, repeat: 700}",
        "{staircase: '1, 2, 3 mA', steps: [{strip: $level, for: 5 s}, {plate: $level, for: 4 s}]}",
    ]
)
STEPS = st.recursive(
    HOLD,
    lambda inner: st.builds(
        lambda times, steps: f"{{repeat: {times}, steps: [{', '.join(steps)}]}}",
        st.integers(1, 50),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)


@given(st.lists(STEPS, min_size=1, max_size=3))
def test_lowering_keeps_the_charge(steps: list[str]) -> None:
    text = "\n".join(f"- {step}" for step in steps)
    plan, program = compiled(text), lowered(text)
    assert chain_charge_C(program.nodes, plan) == pytest.approx(
        plan_charge_C(plan.steps), rel=1e-9, abs=1e-12
    )
