"""Plan -> program: who watches what, what is one chain, which range."""

from __future__ import annotations

import pytest
from compiling import HEAD, compiled, lowered
from hypothesis import given
from hypothesis import strategies as st

from nakctl.device.limits import instrument
from nakctl.device.program import (
    Ca,
    Cp,
    Eis,
    HostLoop,
    Loop,
    Node,
    Ocv,
    Program,
    Segment,
    Technique,
    Test,
)
from nakctl.device.program import segments as segments_of
from nakctl.plan.plan import Hold, Plan, Repeat, Staircase

CP = "strip: 1 mA/cm2, for: 1 h"
SIGN = {"above": ">", "below": "<"}
STEP_V = instrument("SP-300").E_step * 10  # of the 5 V range


def segments(program: Program) -> list[Segment]:
    return list(segments_of(program.nodes))


def chain(program: Program) -> tuple[Technique, ...]:
    [segment] = program.nodes
    assert isinstance(segment, Segment)
    return segment.techniques


def kinds(nodes: tuple[Node, ...]) -> list[object]:
    """The shape of a program: names of techniques (* a sentinel), lists for segments (+ one that tops up),
    tuples for loops."""
    return [
        (node.times, kinds(node.body))
        if isinstance(node, HostLoop)
        else [*(["+"] if node.tops_up else []), *(kind(technique) for technique in node.techniques)]
        for node in nodes
        if isinstance(node, HostLoop | Segment)
    ]


def kind(technique: Technique) -> object:
    if isinstance(technique, Loop):
        return technique.to, technique.times
    return type(technique).__name__ + "*" * getattr(technique, "sentinel", False)


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
    ("the device goes on from a cutoff, past a sentinel", f"- {{{CP}, until: {{Ewe_above: 1 V}}}}\n- rest: 1 s", [["Cp", "Cp*", "Ocv"]]),
    ("in a loop too", f"- {{repeat: 9, steps: [{{{CP}, until: {{Ewe_above: 1 V}}}}, {{rest: 1 s}}]}}", [["Cp", "Cp*", "Ocv", (0, 9)]]),
    ("with mixed consequences too", f"- {{repeat: 9, steps: [{{{CP}, until: [{{Ewe_above: 1 V}}, {{Ewe_below: 0 V, then: end run}}]}}]}}\n- rest: 1 s",
     [["Cp", "Cp*", (0, 9), "Ocv"]]),
    ("the device leaves a loop by stopping its chain", f"- {{repeat: 9, steps: [{{{CP}, until: {{Ewe_above: 1 V, then: end loop}}}}]}}\n- rest: 1 s",
     [["Cp", (0, 9)], ["Ocv"]]),
    ("also beside a cutoff it goes on from", f"- {{repeat: 9, steps: [{{{CP}, until: [{{Ewe_above: 1 V}}, {{Ewe_below: 0 V, then: end loop}}]}}]}}\n- rest: 1 s",
     [["Cp", "Cp*", (0, 9)], ["Ocv"]]),
    ("a staircase that may be left is a host's loop, done once",
     "- staircase: 1, 2 mA\n  steps: [{strip: $level, for: 1 s, until: {Ewe_above: 1 V, then: end loop}}]\n- rest: 1 s",
     [(1, [["Cp", "Cp"]]), ["Ocv"]]),
    ("a long step that a cutoff may end is skipped by the host", "- {strip: 1 mA/cm2, for: 30 h, until: {Ewe_above: 1 V}}\n- rest: 1 s",
     [["Cp", "Cp", "Cp"], ["Ocv"]]),
    ("long rests are split", "- rest: 30 h", [["Ocv", "Ocv", "Ocv"]]),
    ("a sweep under current has a sentinel", "- {geis: g, during: {strip: 1 mA}}\n- {peis: p, during: {ca: 1 V}}", [["Cp*", "Eis", "Ca*", "Eis"]]),
    ("at open circuit it has none", "- geis: g\n- peis: p", [["Eis", "Ocv", "Eis"]]),
    ("nor where the hold before it held the same", "- {strip: 1 mA, for: 5 s}\n- {geis: g, during: {strip: 1 mA}}", [["Cp", "Eis"]]),
    ("which another level did not", "- {strip: 1 mA, for: 5 s}\n- {geis: g, during: {strip: 2 mA}}", [["Cp", "Cp*", "Eis"]]),
    ("nor another sign", "- {strip: 1 mA, for: 5 s}\n- {geis: g, during: {plate: 1 mA}}", [["Cp", "Cp*", "Eis"]]),
    ("nor a potential", "- {ca: 1 V, for: 5 s}\n- {geis: g, during: {strip: 1 mA}}", [["Ca", "Cp*", "Eis"]]),
    ("one sentinel is enough for a hold that goes on and the sweep behind it",
     "- {strip: 1 mA, for: 5 s, until: {Ewe_above: 1 V}}\n- {geis: g, during: {strip: 1 mA}}", [["Cp", "Cp*", "Eis"]]),
    ("a cutoff of the hold hides a limit of the sweep", "- {strip: 1 mA, for: 5 s, until: {Ewe_above: 1 V, then: end run}}\n- {geis: g, during: {strip: 1 mA}}",
     [["Cp", "Cp*", "Eis"]]),
    ("a sweep that is repeated keeps its sentinel", "- {strip: 1 mA, for: 5 s}\n- {repeat: 3, steps: [{geis: g, during: {strip: 1 mA}}]}",
     [["Cp", "Cp*", "Eis", (1, 3)]]),
    ("not one that is repeated with its hold", "- {repeat: 3, steps: [{strip: 1 mA, for: 5 s}, {geis: g, during: {strip: 1 mA}}]}", [["Cp", "Eis", (0, 3)]]),
    ("spectra during a step are a chain alone, and what tops it up", "- rest: 1 s\n- {strip: 1 mA, for: 1 h, spectra: {use: g, every: 5 min}}\n- rest: 1 s",
     [["Ocv"], ["Cp*", "Eis", "Cp", (0, 12)], ["+", "Cp"], ["Ocv"]]),
    ("also if the host's end of the run is all that may end it", "- {strip: 1 mA, for: 1 h, spectra: {use: g, every: 5 min}, until: {Ewe_above: 1 V, then: end run}}\n- rest: 1 s",
     [["Cp*", "Eis", "Cp", (0, 12)], ["+", "Cp"], ["Ocv"]]),
    ("a repeat around them is the host's", "- {repeat: 3, steps: [{plate: 1 mA, for: 1 h, spectra: {use: g, every: 5 min}}]}",
     [(3, [["Cp*", "Eis", "Cp", (0, 12)], ["+", "Cp"]])]),
    ("spectra at rest likewise", "- {rest: 1 h, spectra: {use: p, every: 5 min}}", [["Ocv", "Eis", "Ocv", (0, 12)], ["+", "Ocv"]]),
    ("and under potential control", "- {ca: 1 V, for: 1 h, spectra: {use: p, every: 5 min}}", [["Ca*", "Eis", "Ca", (0, 12)], ["+", "Ca"]]),
]  # fmt: skip


@pytest.mark.parametrize("name", ["SP-300", "VMP-3"])
@pytest.mark.parametrize(("steps", "shape"), [row[1:] for row in SHAPES], ids=[row[0] for row in SHAPES])
def test_shapes(steps: str, shape: list[object], name: str) -> None:
    assert kinds(lowered(steps, name).nodes) == shape


def test_chains_are_no_longer_than_the_instrument_holds() -> None:
    steps = "- staircase: {from: 1 uA, to: 100 uA, step: 1 uA}\n  steps: [{strip: $level, for: 1 s}, {geis: g, during: {strip: $level}}]"
    program = lowered(steps)
    lengths = [len(node.techniques) for node in program.nodes if isinstance(node, Segment)]
    assert sum(lengths) == 200
    assert max(lengths) <= instrument("SP-300").chain_length
    assert len(lengths) == -(-200 // instrument("SP-300").chain_length)


# --- who watches ---------------------------------------------------------------------------------------

# cutoffs; tests of the technique; what a met one does; tests of the sentinel behind it; who watches the cutoffs.
# The run's own ends are #1 Ewe below -3 V, #2 Ewe above 3 V, #3 |I|, #4 time; cutoffs follow from #5.
LOW, HIGH = ("<", -3.0, 1), (">", 3.0, 2)
WATCHED = [
    ("", [LOW, HIGH], "stop", [], ""),
    ("{Ewe_above: 1 V}", [(">", 1.0, 5), LOW], "next", [LOW, HIGH], "i"),
    ("{Ewe_above: 0 V}", [(">", 0.0, 5), LOW], "next", [LOW, HIGH], "i"),
    ("{Ewe_below: 0 V}", [("<", 0.0, 5), HIGH], "next", [LOW, HIGH], "i"),
    ("{Ewe_above: 5 V}", [(">", 5.0, 5), LOW, HIGH], "next", [LOW, HIGH], "i"),
    ("{Ewe_above: 1 V, then: end run}", [(">", 1.0, 5), LOW], "stop", [], "i"),
    ("[{Ewe_above: 1 V, then: end run}, {Ewe_below: 0 V, then: end loop}]", [(">", 1.0, 5), ("<", 0.0, 6)], "stop", [], "ii"),
    ("[{Ewe_above: 1 V}, {Ewe_below: 0 V, then: end run}]", [(">", 1.0, 5), ("<", 0.0, 6)], "next", [LOW, HIGH, ("<", 0.0, 6)], "ii"),
    ("[{Ewe_above: 1 V}, {Ewe_below: 0 V, then: end loop}]", [(">", 1.0, 5), ("<", 0.0, 6)], "next", [LOW, HIGH, ("<", 0.0, 6)], "ii"),
    ("[{Ewe_above: 1 V}, {Ewe_above: 2 V, then: end run}]", [(">", 1.0, 5), (">", 2.0, 6), LOW], "next", [LOW, HIGH, (">", 2.0, 6)], "ii"),
    ("[{Ewe_above: 1 V}, {Ewe_above: 1 V, then: end run}]", [(">", 1.0, 5), (">", 1.0, 6), LOW], "next", [LOW, HIGH, (">", 1.0, 6)], "ii"),
    # of each side the one that is met first; the others are tested where there is room
    ("[{Ewe_above: 1 V}, {Ewe_above: 2 V}, {Ewe_below: 0 V}, {Ewe_below: 1 V}]",
     [(">", 1.0, 5), (">", 2.0, 6), ("<", 1.0, 8)], "next", [LOW, HIGH], "iiii"),
    ("[{Ewe_above: 5 V, then: end run}, {Ewe_above: 6 V, then: end run}]", [(">", 5.0, 5), LOW, HIGH], "stop", [], "ii"),
    ("[{Ewe_above: 5 V}, {Ewe_above: 6 V, then: end run}, {Ewe_below: -5 V}]", [(">", 5.0, 5), LOW, HIGH], "next", [LOW, HIGH, (">", 6.0, 6)], "iii"),
    ("[{Ewe_above: 2 V, then: end run}, {charge: 1 mAh, then: end loop}, {Ewe_above: 1 V}]",
     [(">", 2.0, 5), (">", 1.0, 7), LOW], "stop", [], "ihi"),
    ("{charge: 1 mAh, then: end run}", [LOW, HIGH], "stop", [], "h"),
    ("{charge: 1 mAh, then: end loop}", [LOW, HIGH], "stop", [], "h"),
    ("[{Ewe_above: 1 V}, {charge: 1 mAh, then: end run}]", [(">", 1.0, 5), LOW], "next", [LOW, HIGH], "ih"),
    ("[{Ewe_above: 1 V}, {charge: 1 mAh, then: end loop}]", [(">", 1.0, 5), LOW], "stop", [], "ih"),
]  # fmt: skip


def told(tests: tuple[Test, ...]) -> set[tuple[str, float, int]]:
    return {(SIGN[test.side], test.value, test.end) for test in tests}


AROUND = ["- {{{step}}}", "- {{repeat: 3, steps: [{{{step}}}]}}"]


@pytest.mark.parametrize(
    ("around", "until", "tests", "on_test", "sentinel", "watchers"),
    [
        (around, *row)
        for around in AROUND
        for row in WATCHED
        if "repeat" in around or "end loop" not in row[0]
    ],
)
def test_the_instrument_tests_what_it_can(
    around: str,
    until: str,
    tests: list[tuple[str, float, int]],
    on_test: str,
    sentinel: list[tuple[str, float, int]],
    watchers: str,
) -> None:
    program = lowered(around.format(step=f"{CP}, until: {until}" if until else CP))
    [segment] = segments(program)
    technique, *others = [each for each in segment.techniques if isinstance(each, Cp)]
    assert told(technique.tests) == set(tests)
    assert (technique.on_test, technique.sentinel) == (on_test, False)
    assert "".join(end.by[0] for end in program.ends_of(1) if end.kind == "cutoff") == watchers
    assert len(others) == bool(sentinel)
    for each in others:
        assert (each.sentinel, each.on_test, each.I_A) == (True, "stop", technique.I_A)
        assert {(SIGN[test.side], test.end) for test in each.tests} == {
            (sign, end) for sign, _, end in sentinel
        }


def test_every_end_has_its_own_number_and_says_who_watches() -> None:
    head = HEAD.replace("steps:", "stop_when: {Ewe_above: 2.5 V}\nsteps:")
    program = lowered(
        f"- {{{CP}, until: [{{Ewe_below: 1 V}}, {{charge: 3 mC, then: end run}}]}}\n- rest: 1 s", head=head
    )
    assert [end.id for end in program.ends] == list(range(1, len(program.ends) + 1))
    assert [(end.kind, end.quantity, end.side, end.then, end.by, end.step, end.text) for end in program.ends] == [
        ("limit", "Ewe", "below", "end run", "instrument", 0, "Ewe below -3 V"),
        ("limit", "Ewe", "above", "end run", "host", 0, "Ewe above 3 V"),  # the goal comes before it
        ("limit", "|I|", "above", "end run", "host", 0, "|I| above 10 mA"),
        ("limit", "time", "above", "end run", "host", 0, "100 h of run time"),
        ("goal", "Ewe", "above", "end run", "instrument", 0, "Ewe above 2.5 V"),
        ("cutoff", "Ewe", "below", "next step", "instrument", 1, "Ewe below 1 V"),
        ("cutoff", "charge", "above", "end run", "host", 1, "charge above 3 mC"),
    ]  # fmt: skip
    assert [(end.mark.line, end.mark.column) for end in program.ends[-2:]] == [(10, 41), (10, 59)]


@pytest.mark.parametrize("on", ["SP-300", "VMP-3"])
@pytest.mark.parametrize(
    ("until", "tests", "watchers"),
    [
        ("", [(">", 10e-3, 3)], ""),
        (
            "{I_below: 1 uA}",
            [("<", 1e-6, 5)],
            "i",
        ),  # two of three are taken: the limit waits for the sentinel
        ("{I_above: 5 mA, then: end run}", [(">", 5e-3, 5)], "i"),
        ("[{I_below: 1 uA}, {I_above: 5 mA, then: end run}]", [("<", 1e-6, 5)], "ih"),
        ("{Ewe_above: 2 V}", [(">", 2.0, 5), (">", 10e-3, 3)], "i"),
        ("[{I_below: 1 uA}, {Ewe_above: 2 V}]", [("<", 1e-6, 5), (">", 2.0, 6)], "ii"),
        ("[{I_above: 5 mA}, {I_above: 6 mA}]", [(">", 5e-3, 5)], "ii"),  # met first, so it does for both
        ("[{I_above: 20 mA, then: end run}, {Ewe_below: 0 V}]", [(">", 10e-3, 3), ("<", 0.0, 6)], "ii"),
    ],
)
def test_a_current_takes_two_of_three_tests_under_potential_control(
    until: str, tests: list[tuple[str, float, int]], watchers: str, on: str
) -> None:
    program = lowered(
        f"- {{ca: 1 V, for: 1 h, until: {until or '[]'}}}" if until else "- {ca: 1 V, for: 1 h}", on
    )
    technique, *behind = chain(program)
    assert isinstance(technique, Ca)
    assert told(technique.tests) == set(tests)
    assert "".join(end.by[0] for end in program.ends_of(1)) == watchers
    if technique.on_test == "next":
        [sentinel] = behind
        assert isinstance(sentinel, Ca) and sentinel.E_V == 1.0
        assert [test.end for test in sentinel.tests] == [3]


def test_the_wanted_end_at_a_potential_is_tested_on_the_instrument() -> None:
    head = HEAD.replace("steps:", "stop_when: {Ewe_above: 2.5 V}\nsteps:")
    program = lowered(f"- {{{CP}}}", head=head)
    [technique] = chain(program)
    assert isinstance(technique, Cp)
    assert told(technique.tests) == {("<", -3.0, 1), (">", 2.5, 5)}
    assert program.end(5).kind == "goal"


@pytest.mark.parametrize("then", ["next step", "end loop", "end run"])
def test_nothing_goes_on_from_a_limit(then: str) -> None:
    """Not where a technique goes on from its cutoff, and not to a level that is higher still."""
    program = lowered(
        f"""
        - repeat: 3
          steps:
            - staircase: 0.5, 1, 2 mA/cm2
              steps: [{{strip: $level, for: 10 min, until: {{Ewe_below: -1 V, then: {then}}}}}]
            - {{ca: 1 V, for: 1 h, until: {{I_below: 1 uA, then: {then}}}}}
            - {{geis: g, during: {{strip: 1 mA/cm2}}}}
        """
    )
    for segment in segments(program):
        for this, after in zip(segment.techniques, (*segment.techniques[1:], None), strict=True):
            if isinstance(this, Cp | Ca) and this.on_test == "next":
                assert isinstance(after, type(this)) and after.sentinel and after.on_test == "stop"
                assert after.hardware == this.hardware and after.step == this.step
                limits = {test.end for test in this.tests if not program.end(test.end).step}
                assert limits <= {test.end for test in after.tests}
                assert all(program.end(test.end).then != "next step" for test in after.tests)


# --- sentinels ---------------------------------------------------------------------------------------------


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
        ("{Ewe_above: 3 V}", [-3 + 4 * STEP_V, 3.0]),
        ("{Ewe_above: 3.5 V}", [-3 + 4 * STEP_V, 3.0]),  # a cutoff beyond the limit leaves it no room
        ("[{Ewe_above: 1 V}, {Ewe_above: 1 V, then: end run}]", [-3 + 4 * STEP_V, 3 - 4 * STEP_V, 1.0]),
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


# --- equal ends with two consequences --------------------------------------------------------------------


def test_of_two_ends_at_one_value_the_graver_wins() -> None:
    program = lowered(
        f"- {{{CP}, until: [{{Ewe_above: 1 V}}, {{Ewe_above: 1 V, then: end run}}]}}\n- rest: 1 s"
    )
    goes_on, ends_run = program.ends_of(1)
    assert min((goes_on, ends_run), key=lambda end: end.gravity) is ends_run
    technique, sentinel, _ = chain(program)
    assert isinstance(technique, Cp) and isinstance(sentinel, Cp)
    assert {goes_on.id, ends_run.id} <= {test.end for test in technique.tests}
    assert ends_run.id in {test.end for test in sentinel.tests}
    assert goes_on.id not in {test.end for test in sentinel.tests}


# --- what an estimate does not decide ----------------------------------------------------------------------


@pytest.mark.parametrize("extent", ["1 h", "0.5 mAh"])
@pytest.mark.parametrize("word", ["strip", "plate"])
def test_the_time_of_a_step_with_spectra_is_kept_by_the_host(word: str, extent: str) -> None:
    program = lowered(f"- {{{word}: 1 mA/cm2, for: {extent}, spectra: g}}")
    [asked] = program.ends_of(1)
    assert (asked.kind, asked.quantity, asked.side, asked.value) == (
        "asked",
        "time",
        "above",
        pytest.approx(3600.0),
    )
    assert (asked.then, asked.by) == ("next step", "host")
    main, top_up = segments(program)
    [hold] = top_up.techniques
    assert isinstance(hold, Cp)
    assert (main.tops_up, top_up.tops_up, hold.step) == (False, True, 1)
    assert hold.duration_s == pytest.approx(3600.0)  # shortened to what is missing when it is loaded
    assert told(hold.tests) == {LOW, HIGH} and hold.on_test == "stop"


def test_a_cutoff_during_spectra_is_the_hosts() -> None:
    program = lowered("- {strip: 1 mA/cm2, for: 1 h, spectra: g, until: {Ewe_above: 1 V}}")
    assert [(end.kind, end.by) for end in program.ends_of(1)] == [("cutoff", "host"), ("asked", "host")]


def test_a_top_up_is_no_longer_than_a_technique_can_be() -> None:
    program = lowered("- {rest: 20 h, spectra: {use: p, every: 5 min}}")
    _, top_up = segments(program)
    [hold] = top_up.techniques
    assert isinstance(hold, Ocv)
    assert hold.duration_s == instrument("SP-300").longest_s


# --- ranges and spectra ------------------------------------------------------------------------------------


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


def test_the_potential_range_holds_the_limits() -> None:
    for window, name in (("[-2 V, 2 V]", "2.5 V"), ("[-3 V, 3 V]", "5 V"), ("[0 V, 9 V]", "10 V")):
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


def lowered_sweep(step: str):
    spectrum = compiled(step).steps[0]
    return spectrum.sweep  # type: ignore[union-attr]


def test_peis_at_open_circuit_is_biased_against_a_fresh_ocv() -> None:
    ocv, eis = chain(lowered("- peis: p"))
    assert isinstance(ocv, Ocv) and isinstance(eis, Eis)
    assert (eis.vs_previous, eis.bias) == (True, 0.0)
    main, _ = segments(lowered("- {rest: 1 h, spectra: {use: p, every: 5 min}}"))
    ocv, eis, gap, loop = main.techniques
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
        if not isinstance(node, Segment) or node.tops_up:
            continue
        for k, technique in enumerate(node.techniques):
            if isinstance(technique, Loop) or _comes_on_top(node, k):
                continue
            times = 1
            for loop_at, loop in enumerate(node.techniques):
                if isinstance(loop, Loop) and loop.to <= k < loop_at:
                    times *= loop.times or 1
            total += times * charge_of_C(technique)
    return total


def _comes_on_top(segment: Segment, place: int) -> bool:
    """The few milliseconds of a sentinel behind a hold; before a sweep they are part of the step."""
    technique, after = (*segment.techniques, None)[place : place + 2]
    return isinstance(technique, Cp) and technique.sentinel and not isinstance(after, Eis)


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
