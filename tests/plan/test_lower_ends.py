"""Plan -> program: who watches what."""

from __future__ import annotations

import pytest
from compiling import CP, HEAD, HIGH, LOW, SIGN, chain, lowered, segments, told

from nakctl.device.instrument import instrument
from nakctl.device.program import (
    Ca,
    Cp,
    Ocv,
)

# cutoffs; tests of the technique; what a met one does; tests of the sentinel behind it; who watches the cutoffs.
# The run's own ends are #1 Ewe below -3 V, #2 Ewe above 3 V, #3 |I|, #4 time; cutoffs follow from #5.
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


@pytest.mark.parametrize("on", ["SP-300", "VMP-3"])
def test_where_no_sentinel_holds_all_of_a_steps_own_ends_the_host_goes_on(on: str) -> None:
    """Two ends of |I| take four of its three places: the chain must not go on from the one left out."""
    until = "[{Ewe_above: 2 V}, {I_below: 1 uA, then: end loop}]"
    program = lowered(f"- repeat: 3\n  steps: [{{ca: 1 V, for: 1 h, until: {until}}}, {{rest: 1 s}}]", on)
    alone = next(each for each in segments(program) if isinstance(each.techniques[0], Ca))
    assert [type(technique) for technique in alone.techniques] == [Ca]
    assert alone.techniques[0].on_test == "stop"
    assert {test.end for test in alone.techniques[0].tests} >= {5, 6}


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
    going_on = 0
    for segment in segments(program):
        for this, after in zip(segment.techniques, (*segment.techniques[1:], None), strict=True):
            if isinstance(this, Cp | Ca) and this.on_test == "next":
                going_on += 1
                assert isinstance(after, type(this)) and after.sentinel and after.on_test == "stop"
                assert after.hardware == this.hardware and after.step == this.step
                limits = {test.end for test in this.tests if not program.end(test.end).step}
                assert limits <= {test.end for test in after.tests}
                assert all(program.end(test.end).then != "next step" for test in after.tests)
    assert going_on == (4 if then == "next step" else 0)  # three levels and the potential


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


def test_every_part_of_a_long_step_tests_the_same() -> None:
    """So a cutoff that one of them is left at is met at the beginning of the next, up to the sentinel."""
    *parts, sentinel, _ = chain(lowered("- {strip: 1 uA, for: 30 h, until: {Ewe_above: 1 V}}\n- rest: 1 s"))
    assert parts == [parts[0]] * 3 and isinstance(parts[0], Cp)
    assert (told(parts[0].tests), parts[0].on_test) == ({(">", 1.0, 5), LOW}, "next")
    assert isinstance(sentinel, Cp) and sentinel.sentinel


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
