"""Two plans compared in the words of the experiment."""

from __future__ import annotations

import re
from random import Random

import pytest
from compiling import CELL
from generated import protocol
from hypothesis import given, settings
from hypothesis import strategies as st

from nakctl.device.cell import Cell
from nakctl.device.instrument import instrument
from nakctl.plan.compile import compile_protocol
from nakctl.plan.estimate import estimate
from nakctl.plan.lower import lower
from nakctl.plan.meaning import meaning
from nakctl.plan.scene import Scene
from nakctl.protocol.load import understand
from nakctl.render.difference import Difference, compare
from nakctl.render.difference.changes import changes
from nakctl.render.difference.told import as_json, markdown, text
from nakctl.render.difference.value import Fact
from nakctl.render.view import View
from nakctl.text.reader import read_text

BASE = """\
nakctl: 1
name: base
params: {c: 0.4 mA/cm2}
spectra:
  g: {kind: geis, amplitude: 5 uA, from: 100 kHz, to: 10 Hz, per_decade: 5}
limits: {Ewe: [-3 V, 3.5 V], I: 1 mA, time: 20 h}
stop_when:
  short: {Ewe_falls_by: 75 %, within: 2 min, below: 15 mV}
steps:
  - rest: 10 min
  - repeat: 2
    steps:
      - strip: $c
        for: 10 min
        until: {Ewe_above: 3 V, then: end run}
      - plate: $c
        for: 10 min
  - staircase: 0.1, 0.2 mA/cm2
    steps:
      - strip: $level
        for: 1 h
        spectra: g
  - geis: g
finally: rest
"""


def view(words: str, cell: Cell = CELL, on: str = "SP-300") -> View:
    device = instrument(on)
    plan = compile_protocol(understand(read_text(words, "p.yaml"), {}), cell)
    program = lower(plan, device)
    return View(Scene(plan, program, device), estimate(plan, program, device))


BEFORE = view(BASE)


def difference(*replaced: tuple[str, str]) -> Difference:
    words = BASE
    for was, now in replaced:
        assert was in words
        words = words.replace(was, now)
    return compare(BEFORE, view(words), "a", "b")


# What is replaced, and some lines of the text.
ROWS = [
    ("3.5 V]", "5 V]", ["  ! WIDER: limit: Ewe above: 3.5 -> 5 V"]),
    ("[-3 V,", "[-2 V,", ["  limits: Ewe below            -3 -> -2 V: NARROWER"]),
    ("[-3 V,", "[0 V,", ["  limits: Ewe below            -3 -> 0 V: NARROWER"]),
    ("[-3 V,", "[-4 V,", ["  ! WIDER: limit: Ewe below: -3 -> -4 V"]),
    (", I: 1 mA", "", ["  ! REMOVED: limit: |I| above: 1 mA -> none"]),
    ("20 h", "30 h", ["  ! WIDER: limit: time: 20 -> 30 h (+50 %)"]),
    (", time: 20 h", "", ["  ! REMOVED: limit: time: 20 h -> none"]),
    ("below: 15 mV", "below: 5 mV", ["  ! WIDER: limit: ends at a short: -75 % within 2 min, below 15 mV, 3 samples -> -75 % within 2 min, below"]),
    ("stop_when:\n  short: {Ewe_falls_by: 75 %, within: 2 min, below: 15 mV}\n", "", ["  ! REMOVED: limit: ends at a short: -75 % within 2 min, below 15 mV, 3 samples -> none"]),
    ("c: 0.4", "c: 0.5", [
        "  step 2.1 strip 0.5 mA/cm2:", "      current: 0.4 -> 0.5 mA/cm2 (+25 %)", "      charge: 0.06667 -> 0.08333 mAh/cm2 (+25 %)",
        "      current: -0.4 -> -0.5 mA/cm2 (+25 %)",
    ]),
    ("repeat: 2", "repeat: 5", ["      passes: 2 -> 5 times", "  in all: total time           2 h 50 min -> 3 h 50 min (+35.3 %)"]),
    ("repeat: 2", "repeat: forever", ["      passes: 2 times -> without end"]),
    ("Ewe_above: 3 V", "Ewe_above: 3.2 V", ["  ! WIDER: step 2.1 strip 0.4 mA/cm2: ends at Ewe above: 3 -> 3.2 V"]),
    ("        until: {Ewe_above: 3 V, then: end run}\n", "", ["  ! REMOVED: step 2.1 strip 0.4 mA/cm2: ends at Ewe above: 3 V -> none"]),
    ("then: end run", "then: end loop", ["  ! WEAKER: step 2.1 strip 0.4 mA/cm2: ends at Ewe above, then: end run -> end loop"]),
    ("0.1, 0.2 mA/cm2", "0.1, 0.2, 0.3 mA/cm2", ["      levels: 0.1, 0.2 mA/cm2 -> 0.1, 0.2, 0.3 mA/cm2", "      charge of each level: 0.1 .. 0.2 mAh/cm2 -> 0.1 .. 0.3 mAh/cm2"]),
    ("amplitude: 5 uA", "amplitude: 10 uA", ["      amplitude: 5 uA peak -> 10 uA peak (+100 %)"]),
    ("to: 10 Hz", "to: 1 Hz", ["      frequencies: 100 kHz .. 10 Hz, 21 points -> 100 kHz .. 1 Hz, 26 points"]),
    ("        spectra: g\n", "", ["      spectra by: GEIS -> none"]),
    ("rest: 10 min", "rest: 10 min\n    trigger_out: 1 ms", ["      trigger output: no pulse -> 1 ms"]),
    ("rest: 10 min", "rest: 20 min\n    record: {every: 5 s}", ["      time: 10 -> 20 min (+100 %)", "      a row: every 1 s -> every 5 s"]),
    ("  - geis: g\n", "  - geis: g\n  - rest: 1 h\n", ["  step 5 rest: NEW: time 1 h"]),
    ("  - geis: g\n", "", ["  step 4 geis at open circuit: REMOVED: spectra by GEIS; amplitude 5 uA peak; frequencies 100 kHz .. 10 Hz,"]),
    ("  - rest: 10 min\n", "", ["  step 1 rest: REMOVED: time 10 min"]),
    ("0.1, 0.2 mA/cm2", "0.1, 0.15, 0.2 mA/cm2", ["      charge of each level: 0.1 .. 0.2 mAh/cm2 -> 0.1 .. 0.2 mAh/cm2, by other ones between"]),
    ("  - rest: 10 min\n", "  - ask: press to 10 MPa\n  - rest: 10 min\n", ["  step 1 ask: NEW: asks press to 10 MPa"]),
    ("plate: $c\n        for: 10 min", "plate: 0.4 mA/cm2\n        for: 10 min\n        ranges: {I: 10 mA}", ["      I range: 1 -> 10 mA"]),
    ("plate: $c\n        for: 10 min", "ca: 10 mV vs OCV\n        for: 10 min", ["  step 2.2 plate 0.4 mA/cm2: REMOVED: current -0.4 mA/cm2; time 10 min; charge -0.06667 mAh/cm2", "  step 2.2 ca 10 mV vs OCV: NEW: potential 10 mV vs OCV; time 10 min", "  ! WORSE: in all: gaps under current: 1 gap -> 5 gaps"]),
]  # fmt: skip


@pytest.mark.parametrize(("was", "now", "lines"), ROWS)
def test_rows(was: str, now: str, lines: list[str]) -> None:
    found = difference((was, now))
    assert not found.same
    told = text(found).splitlines()
    assert [line for line in lines if line not in told] == [], "\n".join(told)


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("c: 0.4 mA/cm2", "c: 400 µA/cm²"),
        ("for: 1 h", "for: 60 min"),
        ("0.1, 0.2 mA/cm2", "[100 uA/cm2, 0.2 mA cm-2]"),
        ("  - rest: 10 min\n", "  # first\n\n  - rest:   600 s\n"),
        ("strip: $c\n", "cp: 0.4 mA/cm2\n"),
        ("I: 1 mA", "I: 2 mA/cm2"),  # the cell has 0.5 cm2
        ("- geis: g", "- geis: g\n    label: last"),
        ("name: base", "name: other"),
    ],
)
def test_what_means_the_same(was: str, now: str) -> None:
    found = difference((was, now))
    assert found.same
    assert text(found).startswith("a -> b, on SP-300, cell test: means the same\n")
    assert not found.limits and not found.steps and not found.run


def test_the_rule_of_a_step_that_ends_by_a_short() -> None:
    words = BASE.replace("until: {Ewe_above: 3 V, then: end run}", "until: {short: true}")
    words = words.replace("stop_when:", "rules:")
    found = compare(view(words), view(words.replace("75 %", "80 %")))
    assert [(each.what, each.weight) for each in found.limits] == [("a short of a step", "wider")]


@pytest.mark.parametrize(
    ("was", "now", "alarming"),
    [
        ("        spectra: g\n", "", []),  # where there is no spectrum nothing is held before it
        ("        until: {Ewe_above: 3 V, then: end run}\n", "", ["ends at Ewe above"]),  # who watched it is no second loss
        (", then: end run", "", ["ends at Ewe above, then"]),
        ("until: {Ewe_above: 3 V", "until: {Ewe_above: 2.9 V", []),
    ],
)  # fmt: skip
def test_each_loss_is_told_once_and_only_losses(was: str, now: str, alarming: list[str]) -> None:
    assert [change.what for _, change in difference((was, now)).alarming] == alarming


def test_what_is_told_alike_is_no_difference_and_a_temperature_has_no_parts() -> None:
    """An end that is not met adds the row after it to an estimate: nobody sees that."""
    found = difference((", then: end run", ""))
    assert [change.what for step in found.steps for change in step.changes] == ["ends at Ewe above, then"]
    warm, warmer = (Fact("set-point", (T_K,), f"{T_K - 273.15:g} degC") for T_K in (323.15, 333.15))
    [change] = changes((warm,), (warmer,))
    assert (change.after, change.relative) == ("60 degC", "")


def test_a_step_that_stands_elsewhere_is_told_as_that() -> None:
    found = difference(("  - rest: 10 min\n", ""), ("  - geis: g\n", "  - geis: g\n  - rest: 10 min\n"))
    assert ("moved", "1", "4") in [
        (step.became, step.number_before, step.number_after) for step in found.steps
    ]
    assert "  step 4 (was 1) rest: stood at 1" in text(found)


def test_one_more_step_does_not_make_all_others_new() -> None:
    found = difference(("  - repeat: 2\n", "  - plate: 1 uA\n    for: 1 s\n  - repeat: 2\n"))
    assert [(step.became, step.number) for step in found.steps] == [("new", "2")]


def test_a_limit_that_the_instrument_held_and_the_host_holds_now() -> None:
    found = difference(
        ("        for: 10 min\n  - staircase", "        for: 10 min\n        spectra: g\n  - staircase")
    )
    assert ("step 2.2 plate 0.4 mA/cm2", "weaker") in [
        (where, change.weight) for where, change in found.alarming
    ]


def test_another_cell_and_another_instrument() -> None:
    found = compare(BEFORE, view(BASE, Cell("other", 1.0)))
    assert "  in all: area                 0.5 -> 1 cm2 (+100 %)" in text(found)
    found = compare(BEFORE, view(BASE, on="VMP-3"))
    assert "  in all: instrument           SP-300 -> VMP-3" in text(found)


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(0, 1 << 16))
def test_whatever_differs_is_told(seed: int, other: int) -> None:
    """A number somewhere is another one: the program is the same, or something is told."""
    words = protocol(seed)
    numbers = list(re.finditer(r"(?<=[ \[{])\d+(?= (mV|mA|s|h|uAh)\b)", words))
    place = Random(other).choice(numbers)
    changed = f"{words[: place.start()]}{int(place[0]) + 1}{words[place.end() :]}"
    one, two = view(words, Cell("c", 0.5)), view(changed, Cell("c", 0.5))
    found = compare(one, two)
    assert found.same == (meaning(one.scene.program) == meaning(two.scene.program))
    assert found.same or found.limits or found.steps or found.run
    assert not (found.same and (found.limits or found.steps))
    assert compare(one, one).same


def test_markdown_holds_what_anybody_may_name_a_step() -> None:
    found = difference(
        ("- geis: g", "- geis: g\n    label: '@all | <b> `x` [a](http://b) $1$'"), ("5 uA", "6 uA")
    )
    told = markdown(found)
    last = next(line for line in told.splitlines() if "&#64;all" in line)
    assert len(re.findall(r"(?<!\\)\|", last)) == 6
    assert not set("@<`[$") & set(told.replace("`", "", 0).split("####")[1].replace("[", "", 0)) - set()


def test_json_has_values_in_SI() -> None:
    told = as_json(difference(("c: 0.4", "c: 0.5"), ("3.5 V]", "5 V]")))
    assert told["alarming"][0]["weight"] == "wider"
    [step] = [step for step in told["steps"] if step["number_after"] == "2.1"]
    [current] = [each for each in step["changes"] if each["what"] == "current"]
    assert current["values_before"] == pytest.approx((4e-4,)) and current["unit"] == "A/cm2"
