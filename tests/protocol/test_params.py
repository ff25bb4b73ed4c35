from __future__ import annotations

from typing import Any

import pytest

from nakctl.errors import InputError, ProtocolError
from nakctl.protocol.load import Loaded, load, understand
from nakctl.protocol.params import bind, split_each
from nakctl.text.quantities import Quantities, Quantity, Ref
from nakctl.text.reader import read_text

TEXT = """\
nakctl: 1
name: Parameters
params: {levels: "0.1, 0.2 mA/cm2", hold: 1 h, times: 2, drift: false}
spectra:
  s: {kind: geis, amplitude: 5 uA, from: 1 MHz, to: 1 Hz, points: 10, drift_correction: $drift}
limits: {Ewe: [-3 V, 3 V]}
steps:
  - staircase: $levels
    as: j
    steps:
      - repeat: $times
        steps:
          - strip: $j
            for: $hold
          - geis: s
finally: rest
"""


def loaded(**overrides: str) -> Loaded:
    return understand(read_text(TEXT, "p.yaml", ProtocolError), overrides)


def inner(found: Loaded) -> Any:
    return found.protocol.steps[0]


def test_defaults_are_filled_in_and_levels_stay_names() -> None:
    step = inner(loaded())
    assert isinstance(step.staircase, Quantities)
    assert step.steps[0].repeat == 2
    assert step.steps[0].steps[0].strip == Ref("j")
    assert step.steps[0].steps[0].for_ == Quantity(3600.0, "time", "1 h")


def test_overrides_are_read_as_yaml() -> None:
    found = loaded(levels="0.3 mA/cm2, 50 uA/cm2", hold="2min", times="5", drift="true")
    assert found.params == {"levels": "0.3 mA/cm2, 50 uA/cm2", "hold": "2min", "times": 5, "drift": True}
    assert inner(found).steps[0].repeat == 5
    assert found.protocol.spectra["s"].drift_correction is True


@pytest.mark.parametrize(
    ("overrides", "file", "line", "phrase"),
    [
        (
            {"hodl": "1 h"},
            "--set hodl=1 h",
            0,
            "did you mean hold? its parameters are: levels, hold, times, drift",
        ),
        ({"hold": "1"}, "p.yaml", 14, "($hold is 1, by --set)"),
        ({"hold": "1 V"}, "p.yaml", 14, "1 V is a potential"),
        ({"hold": ""}, "p.yaml", 14, "hold"),
        ({"hold": "[1"}, "--set hold=[1", 0, "not closed"),
        ({"times": "many"}, "p.yaml", 11, "must be a whole number or forever"),
        ({"times": "'25'"}, "p.yaml", 11, "must be a whole number or forever ($times is '25', by --set)"),
        ({"levels": "-0.1, 0.2 mA/cm2"}, "p.yaml", 13, "(in place of $j, of $levels, by --set)"),
        ({"levels": "[0.1 mA, 0.2] mA"}, "--set levels=[0.1 mA, 0.2] mA", 0, "without brackets"),
        ({"drift": "on"}, "p.yaml", 5, "must be true or false"),
    ],
)
def test_overrides_that_do_not_fit(overrides: dict[str, str], file: str, line: int, phrase: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        loaded(**overrides)
    (fault,) = caught.value.faults
    assert (fault.file, fault.mark.line) == (file, line)
    assert phrase in fault.message


def test_a_parameter_may_be_a_whole_list() -> None:
    found = loaded(levels='["0.1 mA/cm2", "0.4 mA/cm2"]')
    assert [level.value for level in inner(found).staircase.values] == [1e-4, 4e-4]


def test_bind_changes_nothing_but_names() -> None:
    document = read_text(TEXT, "p.yaml")
    bound = bind(document, {})
    assert bound.used[("steps", 0, "steps", 0, "steps", 0, "for")] == "hold"
    assert bound.data["params"] == document.data["params"]
    assert document.data["steps"][0]["staircase"] == "$levels"


def test_marks_stay_at_the_place_of_use() -> None:
    found = loaded()
    assert found.mark("steps", 0, "steps", 0, "steps", 0, "for").line == 14
    assert found.mark("steps", 0, "steps", 0, "steps", 0, "until").line == 13
    assert found.mark("steps", 0).line == 8


def test_nested_staircases_need_two_names() -> None:
    inner_one = "      - staircase: 1, 2 mA\n        as: j\n        steps: [{strip: $j, for: 1 s}]\n"
    text = TEXT.replace("          - geis: s\n", "          - geis: s\n" + inner_one)
    with pytest.raises(ProtocolError, match="is the level of an outer staircase already"):
        understand(read_text(text, "p.yaml", ProtocolError), {})


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("rest=0.1s,1s,5s", "rest", ["0.1s", "1s", "5s"]),
        ("rest=0.1, 1, 5 s", "rest", ["0.1 s", "1 s", "5 s"]),
        ("n=1,2,3", "n", ["1", "2", "3"]),
        ("f_max=7 MHz", "f_max", ["7 MHz"]),
        ("j=-0.1,0.2 mA/cm2", "j", ["-0.1 mA/cm2", "0.2 mA/cm2"]),
        ("n=1e-3,2 A", "n", ["1e-3 A", "2 A"]),
    ],
)
def test_each_is_split_into_values(text: str, name: str, values: list[str]) -> None:
    assert split_each(text) == (name, values)


@pytest.mark.parametrize("text", ["rest", "=1", "rest=", "rest=1,,2", " =1"])
def test_each_that_cannot_be_split(text: str) -> None:
    with pytest.raises(InputError, match="name=value,value"):
        split_each(text)


def test_pulses_of_the_paper_by_parameter() -> None:
    for rest in split_each("rest=0.1,0.5,1,2,5,10 s")[1]:
        assert load("pulsed-strip", {"rest": rest}).params["rest"] == rest
