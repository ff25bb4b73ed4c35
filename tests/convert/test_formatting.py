"""`nakctl format`: the same plan, whatever was written."""

from __future__ import annotations

import re
from random import Random

import pytest
from generated import protocol
from hypothesis import given, settings
from hypothesis import strategies as st

from nakctl.convert import formatting
from nakctl.convert.formatting import ANY_CELL, formatted, formatted_protocol
from nakctl.errors import InputError
from nakctl.plan.compile import compile_protocol
from nakctl.plan.meaning import meaning
from nakctl.protocol import library
from nakctl.protocol.load import load, understand
from nakctl.text.reader import read_file, read_text

MESSY = """\
#yaml-language-server: $schema=./protocol.schema.json
name:   5mA for 1h
# the language
nakctl: 1

steps:
- rest:   10min
- strip: $c   #hi
  for: 1h
  label: strip 1mA
  until: {Ewe_above: 3V}
  ranges: {I: 1mA}
- staircase: 0.1,0.2,0.3mA/cm²
  steps:
  - {plate: $level, for: $l}
- ca: 10mV vs OCV
  for: '5s'
- staircase: [1mA,2mA]
  steps: [{cp: $level, for: same charge as strip 1mA}]
- ask: heat to 5mA
finally: rest
limits: {Ewe: [ -3V, 3V ], I: 5mA, time: 4d}
# why so
params: {c: 1µA/cm2, l: 5min}
# end
"""
NEAT = """\
# yaml-language-server: $schema=./protocol.schema.json
# the language
nakctl: 1
name: 5mA for 1h
# why so
params: {c: 1 uA/cm2, l: 5 min}
limits: {Ewe: [-3 V, 3 V], I: 5 mA, time: 4 d}

steps:
  - rest: 10 min
  - strip: $c   # hi
    for: 1 h
    label: strip 1mA
    until: {Ewe_above: 3 V}
    ranges: {I: 1 mA}
  - staircase: 0.1, 0.2, 0.3 mA/cm2
    steps:
      - {plate: $level, for: $l}
  - ca: 10 mV vs OCV
    for: '5s'
  - staircase: [1 mA, 2 mA]
    steps: [{cp: $level, for: same charge as strip 1mA}]
  - ask: heat to 5mA
finally: rest
# end
"""


def neat(text: str) -> str:
    document = read_text(text, "p.yaml")
    return formatted_protocol(document, understand(document, {}))


def test_what_is_taste_and_what_is_not() -> None:
    assert neat(MESSY) == NEAT
    assert neat(NEAT) == NEAT


@pytest.mark.parametrize("name", library.names())
def test_what_is_shipped_is_left_as_it_is(name: str) -> None:
    document = read_file(library.find(name))
    assert formatted_protocol(document, load(name)) == document.text


@settings(max_examples=12)
@given(st.integers(0, 10_000), st.integers(0, 1 << 16))
def test_the_plan_stays(seed: int, taste: int) -> None:
    text = _spoilt(protocol(seed), Random(taste))
    made = neat(text)
    before, now = (understand(read_text(each, ""), {}) for each in (text, made))
    assert meaning(compile_protocol(now, ANY_CELL)) == meaning(compile_protocol(before, ANY_CELL))
    assert neat(made) == made
    assert not re.search(r"\d(mV|mA|uA|s|min|h|Hz)\b", re.sub("'.*?'", "", made))  # what is quoted stays


def _spoilt(text: str, r: Random) -> str:
    """The same protocol with less blanks, or more, in another order."""
    text = re.sub(r"(?<=\d) (?=(mV|V|mA|uA|s|min|h|Hz)\b)", lambda _: r.choice(("", " ", "  ")), text)
    text = re.sub(r": ", lambda _: ":" + " " * r.randint(1, 3), text)
    text = re.sub(r", ", lambda _: r.choice((", ", " ,  ")), text) if r.random() < 0.3 else text
    head, steps = text.split("steps:\n", 1)
    lines = head.splitlines(keepends=True)
    blocks = re.split(r"(?m)^(?=\S)", "".join(lines))
    r.shuffle(blocks)
    return "".join(blocks) + "steps:\n" + steps


def test_one_with_faults_is_laid_out_all_the_same() -> None:
    document = read_text("nakctl:   1\nname: x\nsteps:\n- strip:   1mA\n- strop: 2mA\n", "p.yaml")
    text = "nakctl: 1\nname: x\nsteps:\n  - strip: 1mA\n  - strop: 2mA\n"
    assert formatted_protocol(document, None) == text


@pytest.mark.parametrize("order", [0, 1])
def test_words_move_with_their_comments(order: int) -> None:
    blocks = ["# the name\nname: x\n", "\n# limits\n# of it\nlimits: {Ewe: [-1 V, 1 V]}   # end\n"]
    text = (
        "# about the file\nnakctl: 1\n"
        + "".join(blocks[::-1] if order else blocks)
        + "steps:\n  - rest: 1 h\n# last\n"
    )
    expected = "# about the file\nnakctl: 1\n" + "".join(blocks) + "steps:\n  - rest: 1 h\n# last\n"
    assert neat(text) == expected


def test_words_that_nobody_knows_stay_behind_the_one_before() -> None:
    document = read_text("limits: 1\nfoo: 2\nnakctl: 1\n", "p.yaml")
    assert formatted_protocol(document, None) == "nakctl: 1\nlimits: 1\nfoo: 2\n"


def test_what_cannot_be_laid_out_is_told_with_its_line() -> None:
    with pytest.raises(InputError, match=r"p\.yaml:2:1  `\? word`"):
        formatted(read_text("nakctl: 1\n? a\n: 2\n", "p.yaml"))


def test_a_layout_that_would_change_a_value_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formatting, "laid_out", lambda text, instead: text.replace("10 min", "10 s"))
    with pytest.raises(InputError, match="it would say something else, so it is left as it is"):
        neat(NEAT)


def test_a_spelling_that_would_change_the_plan_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        formatting, "respelled", lambda text: text.replace("4d", "5 d").replace("10min", "10 min")
    )
    made = neat(MESSY)
    assert "time: 4d" in made and "rest: 10min" in made
