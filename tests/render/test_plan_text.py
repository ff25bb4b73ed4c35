"""What a reader is told, checked by small plans whose text is written out, and by what must always hold."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from compiling import HEAD, compiled
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_builders import (
    SP300,
    checked,
    cutoff,
    estimated,
    goal,
    hold,
    lowered,
    plan,
    repeat,
    spectrum,
    sweep,
    with_limits,
)

from nakctl.device.program import Loop, Segment, ShortRule
from nakctl.errors import Mark
from nakctl.plan import plan as p
from nakctl.render.plan_json import plan_json
from nakctl.render.plan_text import findings_text, plan_text
from nakctl.render.program_text import program_text

NOW = datetime(2026, 1, 5, 9, 0)


def text_of(of: p.Plan, simulated: bool = True) -> str:
    return plan_text(of, lowered(of), estimated(of), checked(of), SP300, NOW, simulated)


def json_of(of: p.Plan) -> dict[str, Any]:
    return plan_json(of, lowered(of), estimated(of), checked(of), SP300, NOW, True)


CYCLES = plan(
    hold("rest", duration_s=600.0, label="1 rest"),
    repeat(
        20,
        hold(
            level=0.2e-3,
            duration_s=3600.0,
            label="2.1 strip 0.1 mA/cm2",
            cutoffs=(cutoff("Ewe", "above", 2.0, "end loop"),),
        ),
        hold(level=-0.2e-3, duration_s=1800.0, label="2.2 plate 0.1 mA/cm2", record=p.Record(1.0, dE_V=5e-3)),
        label="2 repeat",
    ),
    area_cm2=2.0,
    limits=with_limits(I_max_A=1e-3, time_s=86400.0),
    short=ShortRule(0.75, 120.0, 0.015, 3),
    goals=(goal("above", 2.5),),
)


WHOLE = """\
By hand
by-hand.yaml on SP-300 (SIMULATED), cell dummy, 2 cm2

1       rest                                 10 min          OCV   open circuit
          ranges E 5 V, bandwidth 8
          601 rows (every 1 s)
          all limits by the host within 200 ms
          with the PC off it goes to its end, then the cell is open
2       repeat, 20 times                     30 h                  1 mAh/cm2 net, 3 mAh/cm2 both ways
          a pass: 1 h 30 min, 5 402 rows, 0.05 mAh/cm2 net, 0.15 mAh/cm2 both ways
2.1       strip 0.1 mA/cm2                   1 h             CP    +200 uA, +0.1 mA/cm2
            ranges I 1 mA, E 5 V, bandwidth 8
            charge 0.1 mAh/cm2; 3 601 rows (every 1 s)
            Ewe above 2 V: end loop, by the instrument
            Ewe below -3 V, Ewe above 2.5 V by the instrument; other limits by the host within 200 ms
            with the PC off the chain goes on to the end of 2.2, then the cell is open
2.2       plate 0.1 mA/cm2                   30 min          CP    -200 uA, -0.1 mA/cm2
            ranges I 1 mA, E 5 V, bandwidth 8
            charge -0.05 mAh/cm2; at least 1 801 rows (every 1 s or dE 5 mV)
            Ewe below -3 V, Ewe above 2.5 V by the instrument; other limits by the host within 200 ms
            with the PC off the chain goes on to the end of 2.2, then the cell is open

limits    Ewe -3 V .. 3 V, |I| up to 1 mA, at most 24 h
          Ewe is watched in CP by the instrument; in OCV by the host within 200 ms of a reading
          if the program dies, another one watches within about 10 s; until then the instrument alone
ends when Ewe goes above 2.5 V
ends when the cell shorts: under current Ewe along the current falls by 75 % of its highest in 2 min, from
          above 15 mV to below it, for 3 samples
pause     at the end of a step within 1 h (step 2.1); --now: at once
finally   the cell is left open

in all    30 h 10 min, until Tue 06 Jan 2026, 15:10, if nothing ends it before
          at least 108 641 rows, about 670 kB (and a journal of 3.3 MB until it is sealed)
          charge 1 mAh/cm2 net, 3 mAh/cm2 both ways
          1 gap of about 500 ms at open circuit, to load the next chain: 1 to 2.1

warning   by-hand.yaml:5:1  the steps take 30 h 10 min, limits.time is 24 h; the run would end before its last
          step
"""


def test_a_whole_text() -> None:
    assert text_of(CYCLES) == WHOLE


def test_the_tree_as_json() -> None:
    told = json_of(CYCLES)
    assert json.loads(json.dumps(told)) == told
    assert told["simulated"] is True
    assert told["ends"] == "2026-01-06T15:10:00"
    assert told["duration_s"] == pytest.approx(600 + 20 * 5400 + 0.5)
    assert told["total"]["charge_mAh_cm2"] == pytest.approx(20 * 0.05)
    assert told["structure"][1] == {
        "label": "2 repeat",
        "repeat": 20,
        "steps": [{"label": "2.1 strip 0.1 mA/cm2", "step": 2}, {"label": "2.2 plate 0.1 mA/cm2", "step": 3}],
    }
    assert [step["times"] for step in told["steps"]] == [1, 20, 20]
    assert told["steps"][1]["I_ranges"] == ["1 mA"]
    (told_cutoff,) = told["steps"][1]["cutoffs"]
    assert told_cutoff["by"] == "instrument"


def test_simulated_is_said_only_when_so() -> None:
    assert "SIMULATED" in text_of(CYCLES, simulated=True)
    assert "SIMULATED" not in text_of(CYCLES, simulated=False)


def staircase(levels_A: list[float]) -> p.Staircase:
    names = tuple(f"{level_A * 1e3:g} mA/cm2" for level_A in levels_A)
    passes = tuple(
        (hold(level=k, label=f"1.1 strip {name}"),) for k, name in zip(levels_A, names, strict=True)
    )
    return p.Staircase("1 staircase level", names, passes, Mark(9, 5))


def test_levels_of_the_same_shape_share_their_line() -> None:
    text = text_of(plan(staircase([k * 1e-5 for k in range(5, 101)])))
    assert "levels 1..96: 0.05 .. 1 mA/cm2" in text
    assert "1.1       strip 0.05 .. 1 mA/cm2" in text
    assert "+50 uA .. +1 mA, +0.05 .. +1 mA/cm2" in text
    assert "ranges I 100 uA | 1 mA | 10 mA, E 5 V, bandwidth 8" in text
    assert text.partition("limits  ")[0].count("  strip ") == 1


def test_levels_of_another_shape_have_their_own_lines() -> None:
    one, other = hold(level=1e-4, label="1.1 strip 0.1"), hold("rest", label="1.1 rest")
    text = text_of(
        plan(p.Staircase("1 staircase", ("0.1 mA/cm2", "0.2 mA/cm2"), ((one,), (other,)), Mark(9, 5)))
    )
    assert "1.1       strip 0.1 " in text
    assert "1.1       rest " in text


def test_few_levels_are_listed() -> None:
    assert "0.05, 0.1, 0.4 mA/cm2" in text_of(plan(staircase([5e-5, 1e-4, 4e-4])))


def test_who_enforces_a_cutoff_is_said() -> None:
    text = text_of(
        plan(
            hold(cutoffs=(cutoff("Ewe", "above", 1.0), cutoff("charge", "above", 0.036, "end run"))),
            hold("rest", cutoffs=(cutoff("Ewe", "below", 0.0),)),
        )
    )
    assert "Ewe above 1 V: next step, by the instrument" in text
    assert "charge above 36 mC: end run, by the host within 200 ms of the row" in text
    assert "Ewe below 0 V: next step, by the host within 200 ms of the row" in text


BY_HOST = "by the host within 200 ms"
HELD = [
    (hold(), "Ewe below -3 V, Ewe above 3 V by the instrument", "it goes to its end"),
    (hold("rest"), f"all limits {BY_HOST}", "it goes to its end"),
    (hold("ca", 0.1), f"|I| above 9 mA by the instrument; other limits {BY_HOST}", "it goes to its end"),
    # it goes on from its cutoff, but not from the limits
    (
        hold(cutoffs=(cutoff("Ewe", "above", 1.0),)),
        f"Ewe below -3 V, Ewe above 3 V by the instrument; other limits {BY_HOST}",
        "it goes to its end",
    ),
    # a third and fourth test of |I| find no room, and the sentinel is not the step
    (hold("ca", 0.1, cutoffs=(cutoff("|I|", "below", 1e-6),)), f"all limits {BY_HOST}", "it goes to its end"),
    (spectrum(sweep()), f"all limits {BY_HOST}", "it goes to its end"),
    (
        spectrum(sweep(), bias=1e-3),
        f"Ewe below -3 V, Ewe above 3 V by the instrument before each spectrum; all limits {BY_HOST}",
        "it goes to its end",
    ),
    (
        hold(duration_s=600.0, spectra=p.Spectra(sweep(), None)),
        "Ewe below -3 V, Ewe above 3 V by the instrument before each spectrum; all limits",
        "it goes on for about 10 min",
    ),
    (repeat(3, hold(label="1.1 cp")), "Ewe below -3 V", "the chain goes on to the end of 1.1"),
    (repeat(None, hold()), "Ewe below -3 V", "the chain goes on until the instrument stops it"),
    (repeat(None, hold("rest")), "all limits", "the chain goes on without end"),
]


@pytest.mark.parametrize(("step", "held", "alone"), HELD)
def test_who_holds_a_limit_is_said_and_what_happens_without_the_pc(
    step: p.Step, held: str, alone: str
) -> None:
    text = " ".join(text_of(plan(step, limits=with_limits(I_max_A=9e-3, time_s=1e5))).split())
    assert f" {held}" in text
    assert f"with the PC off {alone}" in text


def test_a_limit_is_said_to_be_held_only_where_every_level_holds_it() -> None:
    """A sweep behind a hold of its own current needs no sentinel; that it is tested before is said."""
    passes = tuple(
        (hold(level=k, label="1.1 strip"), spectrum(sweep(), bias=k, label="1.2 geis")) for k in (1e-4, 2e-4)
    )
    staircase = p.Staircase("1 staircase", ("0.1 mA", "0.2 mA"), passes, Mark(9, 5))
    text = " ".join(text_of(plan(staircase)).split())
    assert "Ewe above 3 V by the instrument before each spectrum" in text
    beyond = tuple((one, replace(two, bias=5e-4)) for one, two in passes)
    text = " ".join(text_of(plan(replace(staircase, passes=beyond))).split())
    assert "Ewe above 3 V by the instrument before each spectrum" in text


def test_gaps_between_steps_of_the_same_numbers_are_told_together() -> None:
    spectra = p.Spectra(sweep(), None)
    once = plan(hold(level=1e-3, spectra=spectra, label="1 strip"), hold(level=2e-3, label="2 strip"))
    assert "to load the next chain: 1 to 2 UNDER CURRENT" in " ".join(text_of(once).split())
    passes = tuple(
        (
            hold(level=k * 1e-4, spectra=spectra, label=f"1.1 strip {k}"),
            hold(level=-k * 1e-4, spectra=spectra, label=f"1.2 plate {k}"),
        )
        for k in range(1, 5)
    )
    text = " ".join(text_of(plan(p.Staircase("1 staircase", tuple("abcd"), passes, Mark(9, 5)))).split())
    assert "7 gaps of about 500 ms at open circuit" in text
    assert "to load the next chain: 1.1 to 1.2 4 times; 1.2 to 1.1 3 times" in text


def test_endless_repeats_say_what_an_hour_takes() -> None:
    pulses = repeat(None, hold(level=1e-3, duration_s=1.0), hold("rest", duration_s=5.0))
    text = text_of(plan(pulses))
    assert "without end" in text
    assert "as long as the cell lasts, 6 s a pass; an hour of passes is" in text
    assert "charge 0.1667 mAh/cm2" in text
    limited = text_of(plan(pulses, limits=with_limits(time_s=86400.0)))
    assert "until Tue 06 Jan 2026, 09:00 at the latest (limits.time)" in limited
    assert "charge 4 mAh/cm2" in limited


def test_findings_stand_with_their_place() -> None:
    of = plan(hold(level=0.06))
    assert findings_text(of, checked(of)) == (
        "warning   by-hand.yaml:10:5  1 cp: 60 mA/cm2 on 1 cm2 is very much; are current and area right?\n"
    )
    assert findings_text(of, ()) == ""


kinds = st.sampled_from(["rest", "cp", "ca"])
holds = st.builds(
    lambda kind, level, seconds, spectra: hold(
        kind,
        level,
        seconds,
        label=f"1 {kind}",
        spectra=p.Spectra(sweep("peis" if kind == "ca" else "geis", 1e-4), None) if spectra else None,
    ),
    kinds,
    st.floats(-1, 1),
    st.floats(1e-3, 1e6),
    st.booleans(),
)
trees = st.recursive(
    holds,
    lambda inner: st.builds(
        lambda steps, times: repeat(times, *steps),
        st.lists(inner, min_size=1, max_size=3),
        st.one_of(st.none(), st.integers(1, 10**6)),
    ),
    max_leaves=8,
)


@settings(max_examples=50)
@given(steps=st.lists(trees, min_size=1, max_size=4), area_cm2=st.floats(1e-3, 1e3))
def test_any_plan_can_be_told_in_110_columns(steps: list[p.Step], area_cm2: float) -> None:
    of = plan(*steps, area_cm2=area_cm2)
    text = text_of(of)
    assert all(len(line) <= 110 and line == line.rstrip() for line in text.splitlines())
    assert text.isascii()
    json.dumps(json_of(of))


def test_program_text_tells_programs_apart() -> None:
    plans = [
        plan(hold()),
        plan(hold(level=2e-3)),
        plan(hold(duration_s=61.0)),
        plan(hold(record=p.Record(2.0))),
        plan(hold(record=p.Record(1.0, dE_V=1e-3))),
        plan(hold(cutoffs=(cutoff("Ewe", "above", 1.0),))),
        plan(hold(cutoffs=(cutoff("Ewe", "above", 1.0, "end run"),))),
        plan(hold(ranges=p.Ranges(I="100 mA"))),
        plan(hold(ranges=p.Ranges(bandwidth=7))),
        plan(hold("ca", 0.1)),
        plan(hold("rest")),
        plan(repeat(2, hold())),
        plan(repeat(None, hold())),
        plan(spectrum(sweep())),
        plan(spectrum(sweep(average=2))),
        plan(spectrum(sweep(drift_correction=True))),
        plan(spectrum(sweep("peis", 10e-3))),
        plan(spectrum(sweep("peis", 10e-3), bias=0.0)),
        plan(hold(spectra=p.Spectra(sweep(), None))),
        plan(hold(), limits=with_limits(Ewe_max_V=0.0)),
        plan(hold(), limits=with_limits(Ewe_max_V=None)),
        plan(hold(), limits=with_limits(time_s=60.0)),
        plan(hold(), short=ShortRule(0.75, 120.0, 0.015, 3)),
        plan(hold(cutoffs=(cutoff("Ewe", "above", 1.0, line=13),))),
        plan(hold(), goals=(goal("above", 2.0),)),
    ]
    texts = [program_text(lowered(each)) for each in plans]
    assert len(set(texts)) == len(plans)
    assert texts == [program_text(lowered(each)) for each in plans]


def test_program_text_tells_what_is_left_of_programs_apart() -> None:
    program = lowered(plan(hold(), hold("rest")))
    [segment] = program.nodes
    assert isinstance(segment, Segment)
    left = [segment, replace(segment, new_cycle=(0, 1)), replace(segment, step_s=2.5)]
    assert [program_text(replace(program, nodes=(each,))).splitlines()[1] for each in left] == [
        "segment", "segment (a cycle begins at 0, 1)", "segment (its step lasted 2.5 s before)",
    ]  # fmt: skip


def test_program_text_has_a_line_for_each_technique() -> None:
    program = lowered(plan(repeat(50_000, hold(level=1e-3, duration_s=1.0), hold("rest", duration_s=5.0))))
    (segment,) = program.nodes
    assert isinstance(segment, Segment)
    assert segment.techniques[-1] == Loop(to=0, times=50_000, passes=True)
    assert program_text(program).splitlines()[1:5] == [
        "segment",
        "  0    1 CP   0.001 A for 1 s every 1 s [Ewe < -3 #1, Ewe > 3 #2: stop] | 10 mA, 5 V, bw 8",
        "  1    2 OCV  for 5 s every 1 s | 10 nA, 5 V, bw 8",
        "  2      LOOP to 0 50000 times (passes)",
    ]


def test_limits_are_told_as_the_user_wrote_them() -> None:
    """A plan said 36 s where the run ended after 0.01 h."""
    head = HEAD.replace("[-3 V, 3 V], I: 10 mA, time: 100 h", "[0.150 V, 1.50 V], I: 0.30 mA, time: 0.01 h")
    text = text_of(compiled("- {strip: 0.2 mA, for: 30 s}", head=head))
    assert "limits    Ewe 0.150 V .. 1.50 V, |I| up to 0.30 mA, at most 0.01 h\n" in text
